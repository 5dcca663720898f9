"""What happens to a cash dividend (engine/dividends.py)."""

from __future__ import annotations

from engine.event_base import Event


class DividendDeclared(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A cash dividend will be paid; the figures of its command."""

    dividend_id: int
    symbol: str
    per_unit_e8: int
    record_us: int
    payment_us: int


class DividendRecorded(Event, frozen=True, gc=False, array_like=True, tag=True):
    """It is fixed who gets a dividend: so many accounts, for so many units, so much in all."""

    dividend_id: int
    symbol: str
    accounts: int
    units_e8: int
    amount_e4: int


class DividendPaid(Event, frozen=True, gc=False, array_like=True, tag=True):
    """What an account got for its units, by the transaction `txn_id`, which its `Posted` reports.

    `restated_e8` is the rate where a split has changed that of the declaration, else 0.
    """

    txn_id: int
    dividend_id: int
    account_id: int
    symbol: str
    units_e8: int
    amount_e4: int
    restated_e8: int = 0
