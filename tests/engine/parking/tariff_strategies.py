"""Random tariffs, zones, stays and contexts for the properties of prices."""

from __future__ import annotations

from hypothesis import strategies as st

from engine.parking.kinds import SpaceType
from engine.parking.tariff_records import (
    EVERY_DAY,
    Band,
    CapMode,
    EventSurcharge,
    FreeMode,
    LostTicketRule,
    OccupancyRule,
    StayContext,
    Tariff,
)
from engine.parking.zones import Zone
from engine.units import DAY_US, HOUR_US, MINUTE_US
from tests.engine.parking.tariff_world import BERLIN, NEW_YORK, utc_us

YEAR_US = utc_us("2026-01-01")
MINUTE_MAX = 5 * 24 * 60

rates_e4 = st.sampled_from([0, 1, 3_333, 5_000, 10_000, 25_000, 99_999])
some_rates = st.builds(
    lambda standard, ev: ((SpaceType.STANDARD, standard), (SpaceType.EV, ev)), rates_e4, rates_e4
)
space_types = st.sampled_from([SpaceType.STANDARD, SpaceType.EV, SpaceType.LARGE])


@st.composite
def bands(draw: st.DrawFn) -> Band:
    """A band of some days and hours."""
    first, last = sorted(draw(st.sets(st.integers(0, 96), min_size=2, max_size=2)))
    days = draw(st.sets(st.sampled_from(EVERY_DAY), min_size=1))
    return Band(draw(st.sampled_from("abc")), tuple(sorted(days)), first * 15, last * 15, draw(some_rates))


def steps(*, falling: bool) -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    """Progressive steps from minute 0; falling ones never rise."""

    def made(minutes: set[int], factors: list[int]) -> tuple[tuple[int, int], ...]:
        begins = [0, *sorted(minutes)]
        factors = factors[: len(begins)] + [10_000] * (len(begins) - len(factors))
        return tuple(zip(begins, sorted(factors, reverse=True) if falling else factors, strict=True))

    factor = st.sampled_from([0, 2_500, 5_000, 10_000, 15_000])
    return st.just(()) | st.builds(
        made, st.sets(st.integers(1, 2_000), max_size=3), st.lists(factor, max_size=4)
    )


@st.composite
def events(draw: st.DrawFn) -> EventSurcharge:
    """An event somewhere in the first half of the year."""
    begin_us = YEAR_US + draw(st.integers(0, 300 * 24)) * HOUR_US
    end_us = begin_us + draw(st.integers(1, 48)) * HOUR_US
    return EventSurcharge(
        draw(st.sampled_from("xyz")), begin_us, end_us, draw(st.integers(1, 30_000)), draw(rates_e4)
    )


@st.composite
def tariffs(draw: st.DrawFn, *, is_plain: bool = False) -> Tariff:
    """Any sound tariff; a plain one has what splitting is measured by: no free minutes, falling steps, no tax, no coins."""
    return Tariff(
        name="ANY",
        currency="EUR",
        unit_minutes=draw(st.sampled_from([1, 5, 15, 30, 60, 720])),
        rates=draw(some_rates),
        bands=tuple(draw(st.lists(bands(), max_size=4))),
        holidays=tuple(
            sorted(draw(st.sets(st.integers(YEAR_US // DAY_US, YEAR_US // DAY_US + 365), max_size=5)))
        ),
        steps=draw(steps(falling=is_plain)),
        free_minutes=0 if is_plain else draw(st.sampled_from([0, 10, 45])),
        free_mode=draw(st.sampled_from(FreeMode)),
        occupancy=draw(st.none() | st.just(OccupancyRule(5_000, 300, 9_000))),
        events=tuple(draw(st.lists(events(), max_size=2))),
        cap_e4=draw(st.sampled_from([0, 20_000, 150_000])),
        cap_mode=CapMode.CALENDAR_DAY if is_plain else draw(st.sampled_from(CapMode)),
        subscriber_bps=draw(st.sampled_from([0, 3_333, 10_000])),
        overstay_bps=draw(st.sampled_from([0, 10_000, 25_000])),
        overstay_fee_e4=draw(rates_e4),
        lost_ticket_e4=draw(rates_e4),
        lost_ticket_rule=draw(st.sampled_from(LostTicketRule)),
        coin_e4=1 if is_plain else draw(st.sampled_from([1, 100, 500])),
        tax_bps=0 if is_plain else draw(st.sampled_from([0, 700, 1_900])),
        tax_inclusive=draw(st.booleans()),
    )


zones: st.SearchStrategy[Zone] = st.sampled_from([BERLIN, NEW_YORK])
minutes = st.integers(0, MINUTE_MAX)
begins_us = st.integers(0, 330 * 24 * 60).map(lambda minute: YEAR_US + minute * MINUTE_US) | st.sampled_from(
    [utc_us(day) - 20 * HOUR_US for day in ("2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01")]
)


@st.composite
def contexts(draw: st.DrawFn, *, is_plain: bool = False) -> StayContext:
    """What counts beside the time; a plain one has no lost ticket and no booking."""
    return StayContext(
        draw(space_types),
        draw(st.booleans()),
        draw(st.integers(0, 10_000)),
        not is_plain and draw(st.booleans()),
        begin_known=draw(st.booleans()),
    )
