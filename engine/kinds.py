"""The closed vocabularies of the engine: sides, order types, times in force, statuses, reasons."""

from __future__ import annotations

from enum import IntEnum


class Side(IntEnum):
    """Which way an order trades."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """How an order prices itself. MARKET is a limit at the collar that never rests."""

    MARKET = 1
    LIMIT = 2


class TimeInForce(IntEnum):
    """How long what is not filled stays."""

    DAY = 1
    GTC = 2
    IOC = 4
    FOK = 5


class OrderStatus(IntEnum):
    """Where an order stands (API.md, "Status")."""

    PENDING = 1
    PARTIAL = 2
    FILLED = 3
    CANCELLED = 4
    REJECTED = 5
    EXPIRED = 6
    REPLACED = 7


class CloseReason(IntEnum):
    """Why an order left the book; NONE while it is open or when it filled."""

    NONE = 0
    USER = 1
    CANCEL_ALL = 2
    NO_LIQUIDITY = 3  # what an IOC or MARKET order could not fill
    SELF_TRADE = 4
    SESSION_END = 5
    REPLACED = 6
    KILL_SWITCH = 7
    ACCOUNT_DISABLED = 8
    REQUOTED = 9


class SelfTradePrevention(IntEnum):
    """What happens when an account would trade with itself; a fill between the two never does."""

    CANCEL_NEWEST = 1
    CANCEL_OLDEST = 2
    DECREMENT = 3


class AccountKind(IntEnum):
    """USER and MARKET_MAKER trade; the others are the outside of the ledger and may be negative."""

    USER = 1
    MARKET_MAKER = 2
    BANK = 3
    CUSTODY = 4
    FEES = 5
    ADJUSTMENTS = 6


class AccountStatus(IntEnum):
    """A DISABLED account cannot place orders or withdraw; it can cancel, and money still arrives."""

    ACTIVE = 1
    DISABLED = 2


class Phase(IntEnum):
    """What an instrument's book accepts now."""

    CLOSED = 1
    CONTINUOUS = 2
    HALTED = 3


class PriceSource(IntEnum):
    """Where an instrument's reference price comes from (DESIGN.md §6)."""

    OWN = 1  # our own trades
    TAPE = 2  # marks from a feed


class Source(IntEnum):
    """Who handed a command to the runtime."""

    HTTP = 1
    WEBSOCKET = 2
    GATE = 3
    FEED = 4
    TIMER = 5
    CONFIG = 6
    OUTBOX = 7
    OPERATOR = 8
    BANK = 9


class TransactionKind(IntEnum):
    """What a ledger transaction is for."""

    DEPOSIT = 1
    WITHDRAWAL = 2
    TRADE = 3
    TRANSFER_IN = 4
    ADJUSTMENT = 5
    BUST = 6


class TimerKind(IntEnum):
    """What a timer does when it is due."""

    SESSION = 1  # a session of a calendar opens or closes


class KillScope(IntEnum):
    """What a kill switch stops."""

    MARKET = 1
    SYMBOL = 2
    ACCOUNT = 3
