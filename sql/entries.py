"""The lines of a customer's cash statement, and which order of a fill rested: numbers that stand in the tables."""

from __future__ import annotations

from enum import IntEnum


class EntryKind(IntEnum):
    """The lines of a customer's cash statement. NONE is a line of units or of the ledger's outside."""

    NONE = 0
    DEPOSIT = 1
    WITHDRAWAL = 2
    BUY = 3
    SELL = 4
    FEE = 5
    ADJUSTMENT = 6
    BUST = 7
    DIVIDEND = 8
    CASH_IN_LIEU = 9
    MERGER = 10
    PARKING = 21


class Liquidity(IntEnum):
    """Which order of a fill rested."""

    MAKER = 1
    TAKER = 2
