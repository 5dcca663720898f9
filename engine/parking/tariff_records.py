"""The records of tariffs: what a tariff says, what of a stay counts for its price, and a price with its lines.

Source: docs/tariffs.md, which has the rules. Plain data; `engine/parking/tariffs.py` reads it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from msgspec import Struct

from engine.parking.kinds import PassKind, SpaceType
from engine.units import BPS, MINUTE_US

HOLIDAY: Final = 7
"""The day of a band that is on holidays; 0 is Monday, 6 Sunday."""

EVERY_DAY: Final = (0, 1, 2, 3, 4, 5, 6, HOLIDAY)

DAY_MINUTES: Final = 24 * 60

Rates = tuple[tuple[SpaceType, int], ...]
"""(space type, price of a unit in 1e-4); a type that is not there has the price of STANDARD."""


class FreeMode(IntEnum):
    """What the first minutes free are."""

    SHORT_STAY = 1  # a stay that is not longer costs nothing
    ALWAYS = 2  # they are never charged


class CapMode(IntEnum):
    """What period a cap is for."""

    CALENDAR_DAY = 1  # from midnight to midnight of the lot's wall clock
    FROM_ENTRY = 2  # each 24 h from the begin


class LostTicketRule(IntEnum):
    """What a lost ticket costs."""

    FLAT = 1
    STAY = 2  # as the stay, when it is known when that began
    HIGHER = 3


class LineCode(IntEnum):
    """What a line of a price is for, in the order in which they stand."""

    FREE = 1
    BASE = 2
    OCCUPANCY = 3
    EVENT = 4
    CAP = 5
    SUBSCRIBER = 6
    OVERSTAY = 7
    OVERSTAY_FEE = 8
    LOST_TICKET = 9
    ROUNDING = 10
    TAX = 11
    PASS = 12


class Band(Struct, frozen=True, array_like=True):
    """Rates of some hours of some days: minutes `[from_minute, to_minute)` of the wall clock."""

    label: str
    days: tuple[int, ...]
    from_minute: int
    to_minute: int
    rates: Rates


class EventSurcharge(Struct, frozen=True, array_like=True):
    """A surcharge on units that start in `[begin_us, end_us)`, and a flat price once a stay."""

    label: str
    begin_us: int
    end_us: int
    surcharge_bps: int = 0
    flat_e4: int = 0


class OccupancyRule(Struct, frozen=True, array_like=True):
    """By how much a unit costs more for each full percent of occupancy above `from_bps`."""

    from_bps: int
    per_percent_bps: int
    max_bps: int


class PassProduct(Struct, frozen=True, array_like=True):
    """A pass that is sold at a price: for so many `days` of the wall clock. A RECURRING one is good on `weekdays` (a sum of 1 for Monday
    to 64 for Sunday) in minutes `[from_minute, to_minute)`. `reserved`: with a space of its own.
    """

    code: str
    label: str
    kind: PassKind
    days: int
    price_e4: int
    weekdays: int = 127
    from_minute: int = 0
    to_minute: int = DAY_MINUTES
    reserved: bool = False


class Tariff(Struct, frozen=True, array_like=True):
    """A version of a tariff; docs/tariffs.md explains each figure. `version` is 0 until the engine has taken it, at `since_us`."""

    name: str
    currency: str
    unit_minutes: int
    rates: Rates
    version: int = 0
    bands: tuple[Band, ...] = ()
    holidays: tuple[int, ...] = ()
    steps: tuple[tuple[int, int], ...] = ()
    free_minutes: int = 0
    free_mode: FreeMode = FreeMode.SHORT_STAY
    occupancy: OccupancyRule | None = None
    events: tuple[EventSurcharge, ...] = ()
    cap_e4: int = 0
    cap_mode: CapMode = CapMode.CALENDAR_DAY
    subscriber_bps: int = 0
    overstay_bps: int = BPS
    overstay_fee_e4: int = 0
    lost_ticket_e4: int = 0
    lost_ticket_rule: LostTicketRule = LostTicketRule.HIGHER
    coin_e4: int = 100
    tax_bps: int = 0
    tax_inclusive: bool = True
    since_us: int = 0
    passes: tuple[PassProduct, ...] = ()


class StayContext(Struct, frozen=True, array_like=True):
    """What counts for a price beside the time. `booked_until_us` is 0 without a booking, else the end that is paid for.

    `occupancy_bps` is the lot's at the quote or entry. `begin_known` is False for a lost ticket whose stay nobody can date.
    """

    space_type: SpaceType
    subscriber: bool = False
    occupancy_bps: int = 0
    lost_ticket: bool = False
    booked_until_us: int = 0
    late_grace_us: int = 10 * MINUTE_US
    begin_known: bool = True


class PriceLine(Struct, frozen=True, gc=False, array_like=True):
    """`units` at `rate_e4` make `amount_e4`, for `[from_us, to_us)`. `label` is the band's or the event's."""

    code: LineCode
    units: int
    rate_e4: int
    amount_e4: int
    from_us: int
    to_us: int
    label: str = ""


class Price(Struct, frozen=True, array_like=True):
    """What a stay costs. The lines' amounts sum to `total_e4`; `tax_e4` is the part of it that is tax."""

    total_e4: int
    tax_e4: int
    lines: tuple[PriceLine, ...]
