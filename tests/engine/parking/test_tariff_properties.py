"""What holds of every price: lines, monotony, splitting (docs/tariffs.md, "What holds"), and a second reading by the minute."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.parking.tariff_checks import mistakes
from engine.parking.tariff_records import CapMode, LineCode, StayContext, Tariff
from engine.parking.tariff_units import occupancy_surcharge_bps, rate_of, rates_at, step_bps
from engine.parking.tariffs import price_stay
from engine.parking.zones import Zone, local_day
from engine.units import DAY_US, MINUTE_US, rate_share_half_up_e4
from tests.engine.parking.tariff_strategies import begins_us, contexts, minutes, tariffs, zones
from tests.engine.parking.tariff_world import is_consistent


def unit_prices(tariff: Tariff, zone: Zone, begin_us: int, length: int, context: StayContext) -> list[int]:
    """What a unit would cost at each minute of a stay, surcharges included: asked minute by minute."""
    busy_bps = occupancy_surcharge_bps(tariff, context.occupancy_bps)
    found = []
    for minute in range(length):
        at_us = begin_us + minute * MINUTE_US
        of_type_e4 = rate_of(rates_at(tariff, zone, at_us)[1], context.space_type)
        rate_e4 = rate_share_half_up_e4(of_type_e4, step_bps(tariff, minute))
        price_e4 = rate_e4 + rate_share_half_up_e4(rate_e4, busy_bps)
        for event in tariff.events:
            if event.begin_us <= at_us < event.end_us:
                price_e4 += rate_share_half_up_e4(rate_e4, event.surcharge_bps)
        found.append(price_e4)
    return found


@given(tariffs(), zones, begins_us, minutes, contexts(), minutes)
@settings(max_examples=60, deadline=None)
def test_the_lines_sum_to_the_total(
    tariff: Tariff, zone: Zone, begin_us: int, length: int, context: StayContext, booked: int
) -> None:
    assert not mistakes(tariff)
    end_us = begin_us + length * MINUTE_US
    for each in (context, replace(context, booked_until_us=begin_us + booked * MINUTE_US)):
        price = price_stay(tariff, zone, begin_us, end_us, each)
        assert is_consistent(price)
        assert 0 <= price.tax_e4 <= price.total_e4
        assert price.total_e4 % tariff.coin_e4 == 0
        assert [line.code for line in price.lines if line.amount_e4 < 0] == [
            line.code
            for line in price.lines
            if line.code in (LineCode.CAP, LineCode.SUBSCRIBER) and line.amount_e4
        ]


@given(tariffs(), zones, begins_us, minutes, st.integers(0, 3_000), contexts(), st.none() | minutes)
@settings(max_examples=60, deadline=None)
def test_leaving_later_never_costs_less(
    tariff: Tariff,
    zone: Zone,
    begin_us: int,
    length: int,
    more: int,
    context: StayContext,
    booked: int | None,
) -> None:
    if booked is not None:
        context = replace(context, booked_until_us=begin_us + booked * MINUTE_US)
    end_us = begin_us + length * MINUTE_US
    earlier = price_stay(tariff, zone, begin_us, end_us, context)
    later = price_stay(tariff, zone, begin_us, end_us + more * MINUTE_US + 59, context)
    assert earlier.total_e4 <= later.total_e4


@given(tariffs(is_plain=True), zones, begins_us, st.integers(1, 3_000), contexts(is_plain=True))
@settings(max_examples=40, deadline=None)
def test_a_walk_by_runs_is_a_walk_by_units(
    tariff: Tariff, zone: Zone, begin_us: int, length: int, context: StayContext
) -> None:
    context = replace(context, subscriber=False)
    tariff = replace(tariff, events=tuple([replace(event, flat_e4=0) for event in tariff.events]))
    by_minute = unit_prices(tariff, zone, begin_us, length, context)
    by_day: dict[int, int] = {}
    for minute in range(0, length, tariff.unit_minutes):
        day = local_day(zone, begin_us + minute * MINUTE_US)
        by_day[day] = by_day.get(day, 0) + by_minute[minute]
    expected_e4 = sum(min(each, tariff.cap_e4) if tariff.cap_e4 else each for each in by_day.values())
    price = price_stay(tariff, zone, begin_us, begin_us + length * MINUTE_US, context)
    assert price.total_e4 == expected_e4


def split_saves_e4(
    tariff: Tariff, zone: Zone, begin_us: int, parts: tuple[int, int], context: StayContext
) -> int:
    """By how much two stays that follow each other are cheaper than one."""
    middle_us = begin_us + parts[0] * MINUTE_US
    end_us = middle_us + parts[1] * MINUTE_US
    whole = price_stay(tariff, zone, begin_us, end_us, context)
    first = price_stay(tariff, zone, begin_us, middle_us, context)
    second = price_stay(tariff, zone, middle_us, end_us, context)
    return whole.total_e4 - first.total_e4 - second.total_e4


@given(tariffs(is_plain=True), zones, begins_us, st.tuples(minutes, minutes), contexts(is_plain=True))
@settings(max_examples=40, deadline=None)
def test_splitting_saves_at_most_one_unit_at_each_rise_and_each_end_of_a_day(
    tariff: Tariff, zone: Zone, begin_us: int, parts: tuple[int, int], context: StayContext
) -> None:
    saved_e4 = split_saves_e4(tariff, zone, begin_us, parts, context)
    prices = unit_prices(tariff, zone, begin_us, sum(parts), context)[parts[0] :]
    rises_e4 = sum(max(0, later - earlier) for earlier, later in itertools.pairwise(prices))
    days = (
        local_day(zone, begin_us + sum(parts) * MINUTE_US)
        - local_day(zone, begin_us + parts[0] * MINUTE_US)
        + 1
    )
    days_e4 = days * max(prices, default=0) if tariff.cap_e4 else 0
    assert saved_e4 <= rises_e4 + days_e4


@given(tariffs(is_plain=True), zones, begins_us, st.tuples(minutes, minutes), contexts(is_plain=True))
@settings(max_examples=40, deadline=None)
def test_with_one_rate_around_the_clock_splitting_saves_nothing(
    tariff: Tariff, zone: Zone, begin_us: int, parts: tuple[int, int], context: StayContext
) -> None:
    for mode in CapMode:
        flat = replace(tariff, bands=(), holidays=(), events=(), cap_mode=mode)
        if mode is CapMode.CALENDAR_DAY:
            flat = replace(flat, cap_e4=0)
        assert split_saves_e4(flat, zone, begin_us, parts, context) <= 0


@given(tariffs(is_plain=True), zones, begins_us, st.tuples(minutes, minutes), contexts(is_plain=True))
@settings(max_examples=60, deadline=None)
def test_a_cap_from_entry_is_split_to_half_of_the_price_at_best(
    tariff: Tariff, zone: Zone, begin_us: int, parts: tuple[int, int], context: StayContext
) -> None:
    tariff = replace(tariff, unit_minutes=1, events=(), steps=(), cap_mode=CapMode.FROM_ENTRY)
    tariff = replace(tariff, cap_e4=tariff.cap_e4 or 20_000)
    context = replace(context, subscriber=False)
    saved_e4 = split_saves_e4(tariff, zone, begin_us, parts, context)
    end_us = begin_us + sum(parts) * MINUTE_US
    assert 2 * saved_e4 <= price_stay(tariff, zone, begin_us, end_us, context).total_e4


@given(tariffs(), zones, begins_us, contexts())
@settings(max_examples=10, deadline=None)
def test_a_stay_of_years_is_priced_at_once_and_has_few_lines(
    tariff: Tariff, zone: Zone, begin_us: int, context: StayContext
) -> None:
    year = price_stay(tariff, zone, begin_us, begin_us + 366 * DAY_US, context)
    longer = price_stay(tariff, zone, begin_us, begin_us + 10 * 366 * DAY_US, context)
    assert year.total_e4 == longer.total_e4
    assert is_consistent(longer)
    assert sum(line.code is not LineCode.CAP for line in longer.lines) < 200
