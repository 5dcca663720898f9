"""The closed vocabularies of the engine: sides, order types, times in force, statuses, reasons."""

from __future__ import annotations

from enum import IntEnum


class Side(IntEnum):
    """Which way an order trades."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """How an order prices itself. MARKET is a limit at the collar that never rests; the last three are held until they fire."""

    MARKET = 1
    LIMIT = 2
    STOP_LOSS = 3  # becomes MARKET
    STOP_LIMIT = 4  # becomes LIMIT
    TRAILING_STOP = 5  # becomes MARKET


class OrderClass(IntEnum):
    """How orders that were placed together hang together."""

    SIMPLE = 0
    BRACKET = 1  # an entry, and an OCO pair that is armed for what it filled
    OCO = 2  # two of which one is to trade
    OTO = 3  # an entry, and one order that is armed for what it filled


class LotMethod(IntEnum):
    """Which lots a sale takes first."""

    FIFO = 1
    LIFO = 2
    HIFO = 3  # the dearest first
    AVERAGE = 4
    SPECIFIC = 5


class TimeInForce(IntEnum):
    """How long what is not filled stays."""

    DAY = 1
    GTC = 2
    GTD = 3
    IOC = 4
    FOK = 5
    OPG = 6  # the opening auction only
    CLS = 7  # the closing auction only


class OrderStatus(IntEnum):
    """Where an order stands (API.md, "Status"). Those up to PARTIAL are open."""

    HELD = 0  # waits for its stop, its parent or its session; not in the book
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
    PAIR = 10  # the other of an OCO pair traded or ended
    PARENT = 11  # the order it waited for ended
    TIME = 12  # its own time was over: GTD, or a GTC that is too old
    AUCTION_END = 13  # what an auction did not fill of an order for that auction
    NOT_COVERED = 14  # it was released and the account could not cover it
    POST_ONLY = 15  # it was released and would have taken liquidity
    CORPORATE_ACTION = 16
    TOO_MANY_FILLS = 17  # it met one slice of icebergs after the other, and one command has an end


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
    REGULATORY = 7  # what the law takes of sales, on its way to the authorities
    ISSUERS = 8  # the companies whose securities are held: they pay dividends
    PARKING_REVENUE = 21
    PARKING_TAX = 22
    PARKING_CASH = 23  # what machines have taken
    PARKING_DEBT = 24  # what drivers owe


class AccountStatus(IntEnum):
    """A DISABLED account cannot place orders or withdraw; it can cancel, and money still arrives."""

    ACTIVE = 1
    DISABLED = 2


class Phase(IntEnum):
    """What an instrument's book accepts now."""

    CLOSED = 1
    CONTINUOUS = 2
    HALTED = 3
    PRE_OPEN = 4  # orders are collected, nothing trades
    OPENING_AUCTION = 5
    CLOSING_AUCTION = 6
    POST_TRADE = 7
    HALT_AUCTION = 8  # the call before trading resumes
    EXTENDED = 9  # continuous, for orders with extended_hours alone


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
    DIVIDEND = 7
    CORPORATE_ACTION = 8  # units that a split or a merger makes or takes
    CASH_IN_LIEU = 9
    MERGER_CASH = 10
    PARKING_CHARGE = 21  # a stay, a pass, what is kept of a booking
    PARKING_DEBT_REPAID = 22


class TimerKind(IntEnum):
    """What a timer does when it is due."""

    SESSION = 1  # a session of a calendar opens or closes
    ORDER_EXPIRY = 2  # an order's own time is over
    INDICATIVE = 3  # a second of an auction's call has passed
    REOPEN = 4  # a halt by price bands ends in its auction
    SETTLEMENT = 5  # a market's trades of a day settle
    DIVIDEND = 6  # a dividend is recorded, or paid
    CORPORATE_ACTION = 7  # a corporate action takes effect
    GATE_LANE = 21  # a lane has waited long enough for the vehicle that it was opened for
    BOOKING_NO_SHOW = 22  # nobody came for a booking
    STAY_OVER = 23  # a vehicle's time on its space is over
    OFFER_OVER = 24  # an offer of the waiting list was not taken
    WAITING_OVER = 25  # what somebody waited for begins
    PASS_OVER = 26  # the time of a pass is over
    TICKET_OVER = 27  # a ticket was not used


class KillScope(IntEnum):
    """What a kill switch stops."""

    MARKET = 1
    SYMBOL = 2
    ACCOUNT = 3


class RiskRule(IntEnum):
    """The rules of engine/risk_rules.py, in the order in which they are judged. Each has the refusal of its name."""

    FAT_FINGER = 1
    ORDER_RATE_LIMIT = 2
    RAPID_TRADING = 3
    UNUSUAL_VOLUME = 4
    PENNY_STOCK_ALERT = 5
    POSITION_LIMIT = 6
    KYC_LIMIT = 7
    DAILY_LOSS_LIMIT = 8
    PDT_VIOLATION = 9
    WASH_TRADE = 10


class RiskMode(IntEnum):
    """What a rule does when it is broken."""

    OFF = 0
    FLAG = 1  # the order is taken, and the violation kept for review
    BLOCK = 2  # the order is refused, and the violation kept
    INHERIT = 3  # what the wider scope says: the rule's row of this scope goes
