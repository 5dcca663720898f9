"""Tariffs, zones and words for the tests of prices: stays in wall time, lines as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from engine.parking.kinds import SpaceType
from engine.parking.tariff_records import Band, EventSurcharge, OccupancyRule, Price, PriceLine, Tariff
from engine.parking.zones import Zone, wall_us
from engine.units import CASH_SCALE, DAY_US, SECOND_US

EPOCH = datetime.fromisoformat("1970-01-01")
MON, TUE, WED, THU, FRI, SAT, SUN, HOLIDAY = range(8)
WEEKDAYS = (MON, TUE, WED, THU, FRI)
STANDARD, EV, MOTORCYCLE = SpaceType.STANDARD, SpaceType.EV, SpaceType.MOTORCYCLE


def utc_us(text: str) -> int:
    """An instant such as "2026-03-29 01:00" in UTC."""
    return (
        (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH.replace(tzinfo=UTC))
        // timedelta(seconds=1)
        * SECOND_US
    )


BERLIN = Zone(
    "Europe/Berlin",
    (
        (utc_us("2025-10-26 01:00"), 3_600),
        (utc_us("2026-03-29 01:00"), 7_200),
        (utc_us("2026-10-25 01:00"), 3_600),
        (utc_us("2027-03-28 01:00"), 7_200),
    ),
)
NEW_YORK = Zone(
    "America/New_York",
    (
        (utc_us("2025-11-02 06:00"), -18_000),
        (utc_us("2026-03-08 07:00"), -14_400),
        (utc_us("2026-11-01 06:00"), -18_000),
        (utc_us("2027-03-14 07:00"), -14_400),
    ),
)


def e4(text: str) -> int:
    """Money in 1e-4."""
    return int(Decimal(text) * CASH_SCALE)


def day_of(text: str) -> int:
    """A date as the days since 1970-01-01."""
    return utc_us(text) // DAY_US


def at(zone: Zone, wall: str) -> int:
    """An instant by its wall time, "2026-03-02 10:00"; of an hour that there is twice the first, the second ends in "b"."""
    wanted_us = utc_us(wall.rstrip("b"))
    found = {
        wanted_us - offset_s * SECOND_US: None
        for _, offset_s in zone.transitions
        if wall_us(zone, wanted_us - offset_s * SECOND_US) == wanted_us
    }
    instants = sorted(found)
    if not instants:
        raise ValueError(f"{wall} does not exist in {zone.name}")
    return instants[-1] if wall.endswith("b") else instants[0]


PLAIN = Tariff(
    name="PLAIN",
    currency="EUR",
    unit_minutes=30,
    rates=((STANDARD, e4("1")), (EV, e4("1.5")), (MOTORCYCLE, e4("0.4"))),
)
"""Each started half hour 1.00; electric 1.50, motorcycles 0.40."""

DAY = Band("day", WEEKDAYS, 8 * 60, 18 * 60, ((STANDARD, e4("2")), (EV, e4("2.6"))))
SATURDAY = Band("sat", (SAT,), 10 * 60, 20 * 60, ((STANDARD, e4("1.5")),))
HOLIDAYS = Band("holiday", (HOLIDAY,), 0, 24 * 60, ((STANDARD, e4("0.8")),))
CITY = replace(PLAIN, bands=(DAY, SATURDAY, HOLIDAYS), holidays=(day_of("2026-05-01"), day_of("2026-12-25")))
"""2.00 by day, 1.50 on Saturdays, 0.80 on holidays, 1.00 else."""

STEPS = ((0, 10_000), (60, 5_000), (180, 2_500))
BUSY = OccupancyRule(8_000, 250, 3_000)
FAIR = EventSurcharge("fair", at(BERLIN, "2026-03-02 18:00"), at(BERLIN, "2026-03-02 23:00"), 5_000, e4("5"))
MATCH = EventSurcharge("match", at(BERLIN, "2026-03-02 19:00"), at(BERLIN, "2026-03-02 20:00"), 2_000)


def money(amount_e4: int) -> str:
    """An amount as the table writes it."""
    return f"{(Decimal(amount_e4) / CASH_SCALE).normalize():f}"


def clock(zone: Zone, instant_us: int) -> str:
    """The wall time of an instant, with seconds where it has some."""
    shown = EPOCH + timedelta(microseconds=wall_us(zone, instant_us))
    return shown.strftime("%H:%M:%S" if shown.second else "%H:%M")


def said(zone: Zone, line: PriceLine) -> str:
    """A line as the table writes it: code, label, wall times, units x rate = amount."""
    label = f" {line.label}" if line.label else ""
    times = f"{clock(zone, line.from_us)}-{clock(zone, line.to_us)}"
    return f"{line.code.name}{label} {times} {line.units}x{money(line.rate_e4)}={money(line.amount_e4)}"


def is_consistent(price: Price) -> bool:
    """Whether the lines sum to the total, and units times rate make each amount."""
    return sum(line.amount_e4 for line in price.lines) == price.total_e4 and all(
        line.units * line.rate_e4 == line.amount_e4 for line in price.lines
    )
