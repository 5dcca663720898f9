"""What parking costs on the day, said a second time and naively: one unit after the other, with the host's time zones.

The terms are those of docs/tariffs.md; nothing of the engine is used. Money in cents, rates with what is below a cent.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

NAME: Final = "DAY"
ZONE: Final = "Europe/Berlin"
_ZONE: Final = ZoneInfo(ZONE)
UNIT: Final = timedelta(minutes=30)
MINUTE: Final = timedelta(minutes=1)
FREE_MINUTES: Final = 10
LATE_GRACE: Final = timedelta(minutes=10)
EARLY_GRACE: Final = timedelta(minutes=15)
NO_SHOW_AFTER: Final = timedelta(minutes=120)
EXIT_MINUTES: Final = timedelta(minutes=15)
OPENS, CLOSES = 7, 19
STEP_MINUTES, STEP_BPS = 240, 7_500
CAP: Final = 2_400
OVERSTAY_BPS, OVERSTAY_FEE = 15_000, 1_000
LOST_TICKET: Final = 4_500
TAX_BPS: Final = 800
BPS: Final = 10_000

RATES: Final[dict[int, tuple[dict[str, int], dict[str, int]]]] = {
    1: ({"STANDARD": 100, "LARGE": 150, "EV": 150}, {"STANDARD": 200, "LARGE": 300, "EV": 250}),
    2: ({"STANDARD": 110, "LARGE": 150, "EV": 165}, {"STANDARD": 222, "LARGE": 315, "EV": 250}),
}
"""By version: what a unit costs by the type of space at night, and from 7 to 19 o'clock."""

PASSES: Final = {"WEEK": 6_000, "BY-DAY": 3_500}
"""What a pass costs, before tax."""
PASS_FROM, PASS_TO = "01:00", "17:00"
"""The hours of BY-DAY."""

Money = tuple[int, int]
"""What is to be paid, and the tax in it, in cents."""


def terms(version: int) -> dict[str, Any]:
    """A version as an operator says it."""
    night, day = ({kind: f"{cents / 100:.2f}" for kind, cents in rates.items()} for rates in RATES[version])
    days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
    return {
        "currency": "USD",
        "unit_minutes": 30,
        "rates": night,
        "bands": [{"label": "day", "days": days, "begins": "07:00", "ends": "19:00", "rates": day}],
        "steps": [
            {"from_minute": 0, "factor_bps": BPS},
            {"from_minute": STEP_MINUTES, "factor_bps": STEP_BPS},
        ],
        "free_minutes": FREE_MINUTES,
        "cap": f"{CAP / 100:.2f}",
        "overstay_bps": OVERSTAY_BPS,
        "overstay_fee": f"{OVERSTAY_FEE / 100:.2f}",
        "lost_ticket": f"{LOST_TICKET / 100:.2f}",
        "tax_bps": TAX_BPS,
        "tax_inclusive": False,
        "passes": [
            {"code": "WEEK", "label": "7 days", "days": 7, "price": "60.00"},
            {
                "code": "BY-DAY",
                "label": "5 days, 1 to 17",
                "kind": "RECURRING",
                "days": 5,
                "price": "35.00",
                "begins": PASS_FROM,
                "ends": PASS_TO,
            },
        ],
    }


def rate(version: int, kind: str, at: datetime, since: datetime) -> Fraction:
    """What the unit that starts at `at` costs, of a clock that runs since `since`."""
    local = at.astimezone(_ZONE)
    rates = RATES[version][OPENS <= local.hour < CLOSES]
    cents = rates.get(kind, rates["STANDARD"])
    return Fraction(cents * (STEP_BPS if at - since >= STEP_MINUTES * MINUTE else BPS), BPS)


def of_units(version: int, kind: str, begin: datetime, end: datetime) -> Fraction:
    """Started units of a stay, a calendar day's at most the cap."""
    by_day: dict[date, Fraction] = {}
    at = begin
    while at < end:
        day = at.astimezone(_ZONE).date()
        by_day[day] = by_day.get(day, Fraction(0)) + rate(version, kind, at, begin)
        at += UNIT
    return sum((min(cents, Fraction(CAP)) for cents in by_day.values()), Fraction(0))


def whole_minutes(begin: datetime, end: datetime) -> datetime:
    """The end without the seconds that cost nothing."""
    return begin + (end - begin) // MINUTE * MINUTE


def with_tax(net: Fraction) -> Money:
    """Whole cents, rounded up, and the tax on top, rounded half up."""
    cents = -(-net.numerator // net.denominator)
    tax = (2 * cents * TAX_BPS + BPS) // (2 * BPS)
    return cents + tax, tax


def time_of(version: int, kind: str, begin: datetime, end: datetime) -> Fraction:
    """What the time of a stay without a booking costs."""
    end = whole_minutes(begin, end)
    return Fraction(0) if end <= begin + FREE_MINUTES * MINUTE else of_units(version, kind, begin, end)


def stay(version: int, kind: str, begin: datetime, end: datetime) -> Money:
    """A stay without a booking."""
    return with_tax(time_of(version, kind, begin, end))


def lost(version: int, kind: str, begin: datetime, end: datetime) -> Money:
    """A stay whose ticket is lost: the higher of both."""
    return with_tax(max(time_of(version, kind, begin, end), Fraction(LOST_TICKET)))


def booked(version: int, kind: str, begin: datetime, end: datetime, left: datetime | None = None) -> Money:
    """A booked interval, and what comes on top for who left after the grace."""
    net = of_units(version, kind, begin, end)
    if left is not None and left > end + LATE_GRACE:
        net += OVERSTAY_FEE
        at, last = end, whole_minutes(end, left)
        while at < last:
            over = rate(version, kind, at, begin) * OVERSTAY_BPS / BPS
            net += Fraction(int(over * 100 + Fraction(1, 2)), 100)
            at += UNIT
    return with_tax(net)


def end_of_pass(begun: datetime) -> datetime:
    """The end of the hours of BY-DAY on the day on which somebody came."""
    local = begun.astimezone(_ZONE)
    return local.replace(hour=17, minute=0, second=0, microsecond=0).astimezone(UTC)


def kept(price: Money, begin: datetime, cancelled: datetime) -> Money:
    """What is kept of a booking's price that is cancelled: nothing a day before, half of it two hours before, then all.

    What is given back is rounded up and the tax down, both to a hundredth of a cent: the result is in these.
    """
    total, tax = price[0] * 100, price[1] * 100
    before = begin - cancelled
    back = BPS if before >= timedelta(days=1) else 5_000 if before >= timedelta(hours=2) else 0
    left = total + (-total * back // BPS)
    return left, tax * left // total


def utc(text: str) -> datetime:
    """A time as the server writes it."""
    return datetime.fromisoformat(text).astimezone(UTC)
