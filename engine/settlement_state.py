"""What the state remembers of settlement and of traded volume (engine/settlement.py, engine/fee_tiers.py)."""

from __future__ import annotations

from msgspec import Struct


class SettlementRules(Struct, eq=False, gc=False):
    """How a calendar's trades settle: in so many business days (0: at once), not on the `closed` days (since the epoch).

    `instant_max_e4`: by KYC tier, how much of what an account has sold counts as settled at once.
    """

    market: str
    days: int
    closed: tuple[int, ...] = ()
    instant_max_e4: tuple[int, ...] = ()


class SettlingDay(Struct, eq=False, gc=False):
    """A day on which trades of a market will settle, and the timer for it."""

    market: str
    day: int
    due_us: int
    timer_id: int


class Unsettled(Struct, eq=False, gc=False):
    """What an account has sold for a settlement day: `amount_e4` is unsettled cash, `instant_e4` was advanced."""

    market: str
    day: int
    account_id: int
    amount_e4: int = 0
    instant_e4: int = 0


class FundedLot(Struct, eq=False, gc=False):
    """A lot that was bought with unsettled cash: (market, day, amount_e4) of what has not settled yet."""

    lot_id: int
    account_id: int
    parts: tuple[tuple[str, int, int], ...] = ()


class Volume(Struct, eq=False, gc=False):
    """What an account traded: (day since the epoch, notional_e4), ascending, of the last 30 days (engine/fee_tiers.py)."""

    account_id: int
    days: tuple[tuple[int, int], ...] = ()
