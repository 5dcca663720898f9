"""What stays cost, worked out by hand: a row is a stay in wall time, its lines, its total and the tax in it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.parking.kinds import SpaceType
from engine.parking.tariff_records import (
    Band,
    CapMode,
    FreeMode,
    LostTicketRule,
    StayContext,
    Tariff,
)
from engine.parking.tariffs import price_stay
from engine.parking.zones import Zone
from tests.engine.parking.tariff_world import (
    BERLIN,
    BUSY,
    CITY,
    FAIR,
    MATCH,
    NEW_YORK,
    PLAIN,
    STANDARD,
    STEPS,
    SUN,
    at,
    e4,
    is_consistent,
    money,
    said,
)

MONDAY = "2026-03-02"
FROM_ENTRY = CapMode.FROM_ENTRY
LATE_BERLIN = replace(PLAIN, bands=(Band("late", (SUN,), 120, 180, ((STANDARD, e4("3")),)),))
LATE_NEW_YORK = replace(PLAIN, bands=(Band("late", (SUN,), 60, 120, ((STANDARD, e4("3")),)),))
MORNING = replace(PLAIN, bands=(Band("morning", (SUN,), 360, 720, ((STANDARD, e4("3")),)),))
CAPPED = replace(PLAIN, cap_e4=e4("8"))
OVER = replace(PLAIN, overstay_bps=15_000, overstay_fee_e4=e4("10"))
CITY_OVER = replace(CITY, overstay_bps=15_000, overstay_fee_e4=e4("10"))
ODD = replace(PLAIN, rates=((STANDARD, e4("0.3333")),), coin_e4=1)
SHORT = replace(PLAIN, free_minutes=15)
ALWAYS = replace(PLAIN, free_minutes=15, free_mode=FreeMode.ALWAYS)
EVENTS = replace(PLAIN, events=(FAIR, MATCH))
CLUB = replace(PLAIN, subscriber_bps=2_000)
LOST = replace(PLAIN, lost_ticket_e4=e4("25"))
LOST_FLAT = replace(LOST, lost_ticket_rule=LostTicketRule.FLAT)
LOST_STAY = replace(LOST, lost_ticket_rule=LostTicketRule.STAY)
SUNDAYS = replace(PLAIN, cap_e4=e4("20"))


def on_top(bps: int, coin: str = "0.01") -> Tariff:
    return replace(PLAIN, tax_bps=bps, tax_inclusive=False, coin_e4=e4(coin))


Row = tuple[str, Tariff, Zone, str, str, dict[str, Any], str, str]

# name, tariff, zone, begin, end (a time is of Monday or of the begin's day), context, lines, "total" or "total tax"
# fmt: off
UNITS: list[Row] = [
    ("a minute is a started unit", PLAIN, BERLIN, "10:00", "10:01", {}, "BASE 10:00-10:01 1x1=1", "1"),
    ("a whole unit", PLAIN, BERLIN, "10:00", "10:30", {}, "BASE 10:00-10:30 1x1=1", "1"),
    ("a minute more", PLAIN, BERLIN, "10:00", "10:31", {}, "BASE 10:00-10:31 2x1=2", "2"),
    ("seconds do not count", PLAIN, BERLIN, "10:00", "10:30:59", {}, "BASE 10:00-10:30 1x1=1", "1"),
    ("less than a minute", PLAIN, BERLIN, "10:00", "10:00:59", {}, "", "0"),
    ("minutes count from the begin", PLAIN, BERLIN, "10:00:40", "10:31:39", {}, "BASE 10:00:40-10:30:40 1x1=1", "1"),
    ("electric", PLAIN, BERLIN, "10:00", "11:00", {"space_type": SpaceType.EV}, "BASE 10:00-11:00 2x1.5=3", "3"),
    ("a type without a price of its own", PLAIN, BERLIN, "10:00", "11:00", {"space_type": SpaceType.LARGE},
     "BASE 10:00-11:00 2x1=2", "2"),
    ("over midnight without bands", PLAIN, BERLIN, "23:00", "2026-03-03 01:00", {}, "BASE 23:00-01:00 4x1=4", "4"),
]
BANDS: list[Row] = [
    ("before the day", CITY, BERLIN, "06:30", "07:30", {}, "BASE 06:30-07:30 2x1=2", "2"),
    ("into the day", CITY, BERLIN, "07:00", "09:00", {}, "BASE 07:00-08:00 2x1=2; BASE day 08:00-09:00 2x2=4", "6"),
    ("a begun unit keeps its rate", CITY, BERLIN, "07:45", "08:30", {},
     "BASE 07:45-08:15 1x1=1; BASE day 08:15-08:30 1x2=2", "3"),
    ("out of the day", CITY, BERLIN, "17:30", "19:00", {}, "BASE day 17:30-18:00 1x2=2; BASE 18:00-19:00 2x1=2", "4"),
    ("a band's rate by type", CITY, BERLIN, "09:00", "10:00", {"space_type": SpaceType.EV},
     "BASE day 09:00-10:00 2x2.6=5.2", "5.2"),
    ("a type that the band does not name", CITY, BERLIN, "09:00", "10:00", {"space_type": SpaceType.MOTORCYCLE},
     "BASE day 09:00-10:00 2x2=4", "4"),
    ("Friday evening to Saturday", CITY, BERLIN, "2026-03-06 17:00", "2026-03-07 10:30", {},
     "BASE day 17:00-18:00 2x2=4; BASE 18:00-10:00 32x1=32; BASE sat 10:00-10:30 1x1.5=1.5", "37.5"),
    ("Sunday", CITY, BERLIN, "2026-03-08 09:00", "10:00", {}, "BASE 09:00-10:00 2x1=2", "2"),
    ("a holiday that is a Friday", CITY, BERLIN, "2026-05-01 10:00", "11:00", {}, "BASE holiday 10:00-11:00 2x0.8=1.6", "1.6"),
    ("into the holiday at midnight", CITY, BERLIN, "2026-04-30 23:00", "2026-05-01 01:00", {},
     "BASE 23:00-00:00 2x1=2; BASE holiday 00:00-01:00 2x0.8=1.6", "3.6"),
    ("a holiday without a band of its own", replace(CITY, bands=CITY.bands[:1]), BERLIN, "2026-05-01 10:00", "11:00", {},
     "BASE 10:00-11:00 2x1=2", "2"),
]
CLOCK_CHANGES: list[Row] = [
    ("Berlin, forward: three hours are two", PLAIN, BERLIN, "2026-03-29 01:00", "04:00", {}, "BASE 01:00-04:00 4x1=4", "4"),
    ("Berlin, back: three hours are four", PLAIN, BERLIN, "2026-10-25 01:00", "04:00", {}, "BASE 01:00-04:00 8x1=8", "8"),
    ("New York, forward", PLAIN, NEW_YORK, "2026-03-08 01:00", "04:00", {}, "BASE 01:00-04:00 4x1=4", "4"),
    ("New York, back", PLAIN, NEW_YORK, "2026-11-01 00:00", "03:00", {}, "BASE 00:00-03:00 8x1=8", "8"),
    ("Berlin, a band in the hour that is there twice", LATE_BERLIN, BERLIN, "2026-10-25 01:30", "03:30", {},
     "BASE 01:30-02:00 1x1=1; BASE late 02:00-03:00 4x3=12; BASE 03:00-03:30 1x1=1", "14"),
    ("only the second of the two", LATE_BERLIN, BERLIN, "2026-10-25 02:00b", "03:00", {}, "BASE late 02:00-03:00 2x3=6", "6"),
    ("Berlin, a band in the hour that is not there", LATE_BERLIN, BERLIN, "2026-03-29 01:30", "03:30", {},
     "BASE 01:30-03:30 2x1=2", "2"),
    ("New York, a band in the hour that is there twice", LATE_NEW_YORK, NEW_YORK, "2026-11-01 00:30", "02:30", {},
     "BASE 00:30-01:00 1x1=1; BASE late 01:00-02:00 4x3=12; BASE 02:00-02:30 1x1=1", "14"),
    ("a band whose hours come after the clocks went forward", MORNING, BERLIN, "2026-03-29 00:30", "07:00", {},
     "BASE 00:30-06:00 9x1=9; BASE morning 06:00-07:00 2x3=6", "15"),
    ("a band whose hours come after the clocks went back", MORNING, BERLIN, "2026-10-25 00:30", "07:00", {},
     "BASE 00:30-06:00 13x1=13; BASE morning 06:00-07:00 2x3=6", "19"),
    ("a day of 25 hours has one cap", SUNDAYS, BERLIN, "2026-10-25 00:00", "2026-10-26 00:00", {},
     "BASE 00:00-00:00 50x1=50; CAP 00:00-00:00 1x-30=-30", "20"),
    ("a day of 23 hours too", SUNDAYS, BERLIN, "2026-03-29 00:00", "2026-03-30 00:00", {},
     "BASE 00:00-00:00 46x1=46; CAP 00:00-00:00 1x-26=-26", "20"),
    ("24 hours from entry are hours, not a day", replace(SUNDAYS, cap_mode=FROM_ENTRY), BERLIN, "2026-10-24 12:00",
     "2026-10-25 12:00", {}, "BASE 12:00-12:00 50x1=50; CAP 12:00-11:00 1x-28=-28", "22"),
]
CAPS: list[Row] = [
    ("not reached", CAPPED, BERLIN, "10:00", "13:00", {}, "BASE 10:00-13:00 6x1=6", "6"),
    ("reached exactly", CAPPED, BERLIN, "10:00", "14:00", {}, "BASE 10:00-14:00 8x1=8", "8"),
    ("two calendar days", CAPPED, BERLIN, "18:00", "2026-03-03 06:00", {},
     "BASE 18:00-06:00 24x1=24; CAP 18:00-00:00 1x-4=-4; CAP 00:00-06:00 1x-4=-4", "16"),
    ("24 hours from entry", replace(CAPPED, cap_mode=FROM_ENTRY), BERLIN, "18:00", "2026-03-03 06:00", {},
     "BASE 18:00-06:00 24x1=24; CAP 18:00-06:00 1x-16=-16", "8"),
    ("an hour more than 24", replace(CAPPED, cap_mode=FROM_ENTRY), BERLIN, "10:00", "2026-03-03 11:00", {},
     "BASE 10:00-11:00 50x1=50; CAP 10:00-10:00 1x-40=-40", "10"),
    ("a unit belongs to the day it starts in", CAPPED, BERLIN, "20:15", "2026-03-03 00:15", {},
     "BASE 20:15-00:15 8x1=8", "8"),
]
FREE: list[Row] = [
    ("a short stay", SHORT, BERLIN, "10:00", "10:15", {}, "FREE 10:00-10:15 1x0=0", "0"),
    ("a minute longer pays from the begin", SHORT, BERLIN, "10:00", "10:16", {}, "BASE 10:00-10:16 1x1=1", "1"),
    ("always free, then by the clock", ALWAYS, BERLIN, "10:00", "10:46", {},
     "FREE 10:00-10:15 1x0=0; BASE 10:15-10:46 2x1=2", "2"),
    ("not longer than what is always free", ALWAYS, BERLIN, "10:00", "10:10", {}, "FREE 10:00-10:10 1x0=0", "0"),
    ("a booking has no free minutes", SHORT, BERLIN, "10:00", "10:15", {"booked": "10:15"}, "BASE 10:00-10:15 1x1=1", "1"),
]
PROGRESSIVE: list[Row] = [
    ("the first step", replace(PLAIN, steps=STEPS), BERLIN, "10:00", "11:00", {}, "BASE 10:00-11:00 2x1=2", "2"),
    ("all steps", replace(PLAIN, steps=STEPS), BERLIN, "10:00", "14:00", {},
     "BASE 10:00-11:00 2x1=2; BASE 11:00-13:00 4x0.5=2; BASE 13:00-14:00 2x0.25=0.5", "4.5"),
    ("steps and bands", replace(CITY, steps=STEPS), BERLIN, "17:30", "19:00", {},
     "BASE day 17:30-18:00 1x2=2; BASE 18:00-18:30 1x1=1; BASE 18:30-19:00 1x0.5=0.5", "3.5"),
    ("steps begin after what is always free", replace(ALWAYS, steps=STEPS), BERLIN, "10:00", "11:30", {},
     "FREE 10:00-10:15 1x0=0; BASE 10:15-11:15 2x1=2; BASE 11:15-11:30 1x0.5=0.5", "2.5"),
    ("half of an odd rate is rounded half up", replace(ODD, steps=STEPS), BERLIN, "10:00", "11:30", {},
     "BASE 10:00-11:00 2x0.3333=0.6666; BASE 11:00-11:30 1x0.1667=0.1667", "0.8333"),
]
SURCHARGES: list[Row] = [
    ("not yet busy", replace(PLAIN, occupancy=BUSY), BERLIN, "10:00", "11:00", {"occupancy_bps": 8_000},
     "BASE 10:00-11:00 2x1=2", "2"),
    ("six full percent above", replace(PLAIN, occupancy=BUSY), BERLIN, "10:00", "11:00", {"occupancy_bps": 8_699},
     "BASE 10:00-11:00 2x1=2; OCCUPANCY 10:00-11:00 2x0.15=0.3", "2.3"),
    ("full, and the multiplier's cap", replace(PLAIN, occupancy=BUSY), BERLIN, "10:00", "11:00", {"occupancy_bps": 10_000},
     "BASE 10:00-11:00 2x1=2; OCCUPANCY 10:00-11:00 2x0.3=0.6", "2.6"),
    ("an event", replace(PLAIN, events=(FAIR,)), BERLIN, "19:00", "20:00", {},
     "BASE 19:00-20:00 2x1=2; EVENT fair 19:00-20:00 2x0.5=1; EVENT fair 19:00-20:00 1x5=5", "8"),
    ("a unit that began before it", EVENTS, BERLIN, "17:45", "18:15", {}, "BASE 17:45-18:15 1x1=1", "1"),
    ("two events add up", EVENTS, BERLIN, "18:30", "19:30", {},
     ("BASE 18:30-19:30 2x1=2; EVENT fair 18:30-19:30 2x0.5=1; EVENT match 19:00-19:30 1x0.2=0.2;"
     " EVENT fair 18:30-19:00 1x5=5"), "8.2"),
    ("busy, an event and a cap", replace(PLAIN, events=(FAIR,), occupancy=BUSY, cap_e4=e4("4")), BERLIN, "18:00", "20:00",
     {"occupancy_bps": 8_600},
     ("BASE 18:00-20:00 4x1=4; OCCUPANCY 18:00-20:00 4x0.15=0.6; EVENT fair 18:00-20:00 4x0.5=2; CAP 18:00-20:00 1x-2.6=-2.6;"
     " EVENT fair 18:00-20:00 1x5=5"), "9"),
    ("a subscriber", CLUB, BERLIN, "10:00", "11:00", {"subscriber": True},
     "BASE 10:00-11:00 2x1=2; SUBSCRIBER 10:00-11:00 1x-0.4=-0.4", "1.6"),
    ("a subscriber after the cap", replace(CLUB, cap_e4=e4("8")), BERLIN, "10:00", "20:00", {"subscriber": True},
     "BASE 10:00-20:00 20x1=20; CAP 10:00-20:00 1x-12=-12; SUBSCRIBER 10:00-20:00 1x-1.6=-1.6", "6.4"),
    ("a discount is rounded down, the price up", replace(ODD, subscriber_bps=2_000, coin_e4=100), BERLIN, "10:00", "10:30",
     {"subscriber": True},
     "BASE 10:00-10:30 1x0.3333=0.3333; SUBSCRIBER 10:00-10:30 1x-0.0666=-0.0666; ROUNDING 10:00-10:30 1x0.0033=0.0033", "0.27"),
    ("who is none pays all", CLUB, BERLIN, "10:00", "11:00", {}, "BASE 10:00-11:00 2x1=2", "2"),
]
OVERSTAYS: list[Row] = [
    ("on time", OVER, BERLIN, "10:00", "11:00", {"booked": "11:00"}, "BASE 10:00-11:00 2x1=2", "2"),
    ("early: the booking is paid", OVER, BERLIN, "10:00", "10:20", {"booked": "11:00"}, "BASE 10:00-11:00 2x1=2", "2"),
    ("within the grace", OVER, BERLIN, "10:00", "11:10", {"booked": "11:00"}, "BASE 10:00-11:00 2x1=2", "2"),
    ("a minute after it", OVER, BERLIN, "10:00", "11:11", {"booked": "11:00"},
     "BASE 10:00-11:00 2x1=2; OVERSTAY 11:00-11:11 1x1.5=1.5; OVERSTAY_FEE 11:00-11:11 1x10=10", "13.5"),
    ("over the end of a band", CITY_OVER, BERLIN, "17:00", "18:40", {"booked": "17:30"},
     ("BASE day 17:00-17:30 1x2=2; OVERSTAY day 17:30-18:00 1x3=3; OVERSTAY 18:00-18:40 2x1.5=3;"
     " OVERSTAY_FEE 17:30-18:40 1x10=10"), "18"),
    ("steps go on", replace(OVER, steps=STEPS), BERLIN, "10:00", "11:30", {"booked": "11:00"},
     "BASE 10:00-11:00 2x1=2; OVERSTAY 11:00-11:30 1x0.75=0.75; OVERSTAY_FEE 11:00-11:30 1x10=10", "12.75"),
    ("the cap is the booking's", replace(OVER, cap_e4=e4("2")), BERLIN, "10:00", "12:30", {"booked": "12:00"},
     "BASE 10:00-12:00 4x1=4; CAP 10:00-12:00 1x-2=-2; OVERSTAY 12:00-12:30 1x1.5=1.5; OVERSTAY_FEE 12:00-12:30 1x10=10", "13.5"),
]
LOST_TICKETS: list[Row] = [
    ("flat", LOST_FLAT, BERLIN, "10:00", "11:00", {"lost_ticket": True}, "LOST_TICKET 10:00-11:00 1x25=25", "25"),
    ("as the stay", LOST_STAY, BERLIN, "10:00", "11:00", {"lost_ticket": True}, "BASE 10:00-11:00 2x1=2", "2"),
    ("as a stay that nobody knows", LOST_STAY, BERLIN, "10:00", "11:00", {"lost_ticket": True, "begin_known": False},
     "LOST_TICKET 10:00-11:00 1x25=25", "25"),
    ("the higher is the flat price", LOST, BERLIN, "10:00", "11:00", {"lost_ticket": True},
     "BASE 10:00-11:00 2x1=2; LOST_TICKET 10:00-11:00 1x23=23", "25"),
    ("the higher is the stay", LOST, BERLIN, "10:00", "2026-03-03 00:00", {"lost_ticket": True}, "BASE 10:00-00:00 28x1=28", "28"),
]
TAXES: list[Row] = [
    ("within: 2 x 19 / 119 = 0.3193", replace(PLAIN, tax_bps=1_900), BERLIN, "10:00", "11:00", {}, "BASE 10:00-11:00 2x1=2", "2 0.32"),
    ("within: 1 x 19 / 119 = 0.1597", replace(PLAIN, tax_bps=1_900), BERLIN, "10:00", "10:30", {}, "BASE 10:00-10:30 1x1=1", "1 0.16"),
    ("on top", on_top(1_900), BERLIN, "10:00", "11:00", {}, "BASE 10:00-11:00 2x1=2; TAX 10:00-11:00 1x0.38=0.38", "2.38 0.38"),
    ("on top, half a cent goes up", on_top(750), BERLIN, "10:00", "10:30", {}, "BASE 10:00-10:30 1x1=1; TAX 10:00-10:30 1x0.08=0.08",
     "1.08 0.08"),
    ("on top, less goes down", on_top(749), BERLIN, "10:00", "10:30", {}, "BASE 10:00-10:30 1x1=1; TAX 10:00-10:30 1x0.07=0.07",
     "1.07 0.07"),
    ("on top in coins of five cents: 0.1775 is 0.20", on_top(888, "0.05"), NEW_YORK, "10:00", "11:00", {},
     "BASE 10:00-11:00 2x1=2; TAX 10:00-11:00 1x0.2=0.2", "2.2 0.2"),
    ("whole coins first", replace(on_top(1_000, "0.1"), rates=((STANDARD, e4("0.33")),)), BERLIN, "10:00", "10:30", {},
     "BASE 10:00-10:30 1x0.33=0.33; ROUNDING 10:00-10:30 1x0.07=0.07", "0.4 0"),
]
# fmt: on
TABLE = [
    *(UNITS + BANDS + CLOCK_CHANGES + CAPS + FREE),
    *(PROGRESSIVE + SURCHARGES + OVERSTAYS + LOST_TICKETS + TAXES),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_a_stay_costs_what_was_worked_out_by_hand(row: Row) -> None:
    _, tariff, zone, begins, ends, given, lines, sums = row
    begin = begins if "-" in begins else f"{MONDAY} {begins}"
    begin_us = at(zone, begin)
    end_us = at(zone, ends if "-" in ends else f"{begin[:10]} {ends}")
    context: dict[str, Any] = {"space_type": STANDARD} | given
    if booked := context.pop("booked", None):
        context["booked_until_us"] = at(zone, f"{begin[:10]} {booked}")
    price = price_stay(tariff, zone, begin_us, end_us, StayContext(**context))
    assert "; ".join(said(zone, line) for line in price.lines) == lines
    total, _, tax = sums.partition(" ")
    assert (money(price.total_e4), money(price.tax_e4)) == (total, tax or "0")
    assert is_consistent(price)


def test_the_table_has_at_least_forty_rows_each_with_a_name_of_its_own() -> None:
    names = [(row[0], row[3], row[4]) for row in TABLE]
    assert len(set(names)) == len(TABLE) >= 40
