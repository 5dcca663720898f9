"""The units of an interval, in runs that are priced alike: a walk from one change of the tariff to the next.

Source: docs/tariffs.md, steps 2 to 5. A unit has the rate of its start. The walk is as long as the tariff changes often,
not as the stay has units.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from msgspec import Struct

from engine.parking.kinds import SpaceType
from engine.parking.tariff_records import (
    DAY_MINUTES,
    HOLIDAY,
    CapMode,
    EventSurcharge,
    Rates,
    Tariff,
)
from engine.parking.zones import Zone, local_day, next_wall_minute_us, wall_us, weekday
from engine.units import BPS, DAY_US, MINUTE_US, TIME_MAX_US, rate_share_half_up_e4

PERCENT_BPS: Final = 100
_begin = itemgetter(0)


class Run(Struct, frozen=True):
    """`units` that start from `from_us` on, all in one band at one rate, in one period, with the same events.

    `to_us` is the end of the last unit, or of the interval where that is earlier.
    """

    from_us: int
    to_us: int
    units: int
    label: str
    rate_e4: int
    period: int
    events: tuple[EventSurcharge, ...]


def runs(
    tariff: Tariff, zone: Zone, space_type: SpaceType, begin_us: int, clock_us: int, end_us: int
) -> Iterator[Run]:
    """The units that start in `[clock_us, end_us)`; periods of 24 h are counted from `begin_us`, steps from `clock_us`."""
    yield from runs_from(tariff, zone, space_type, (begin_us, clock_us), clock_us, end_us)


def runs_from(
    tariff: Tariff, zone: Zone, space_type: SpaceType, since: tuple[int, int], from_us: int, end_us: int
) -> Iterator[Run]:
    """The units that start in `[from_us, end_us)`, by a clock that has run before: `since` is (begin_us, clock_us)."""
    begin_us, clock_us = since
    unit_us = tariff.unit_minutes * MINUTE_US
    minutes = boundary_minutes(tariff)
    at_us = from_us
    while at_us < end_us:
        label, band_rates = rates_at(tariff, zone, at_us)
        factor_bps = step_bps(tariff, (at_us - clock_us) // MINUTE_US)
        change_us = min(
            end_us,
            next_wall_minute_us(zone, at_us, minutes),
            next_step_us(tariff, clock_us, at_us),
            next_event_us(tariff, at_us),
            next_period_us(tariff, begin_us, at_us),
        )
        units = -(-(change_us - at_us) // unit_us)
        next_us = at_us + units * unit_us
        yield Run(
            at_us,
            min(next_us, end_us),
            units,
            label,
            rate_share_half_up_e4(rate_of(band_rates, space_type), factor_bps),
            period_at(tariff, zone, begin_us, at_us),
            tuple([event for event in tariff.events if event.begin_us <= at_us < event.end_us]),
        )
        at_us = next_us


def boundary_minutes(tariff: Tariff) -> tuple[int, ...]:
    """The minutes of a day at which a band or the day begins or ends, ascending."""
    found = {0: None, DAY_MINUTES: None}
    for band in tariff.bands:
        found[band.from_minute] = found[band.to_minute] = None
    return tuple(sorted(found))


def rates_at(tariff: Tariff, zone: Zone, at_us: int) -> tuple[str, Rates]:
    """The label and the rates of the first band that applies; '' and the tariff's own when none does."""
    if tariff.bands:
        day, in_day_us = divmod(wall_us(zone, at_us), DAY_US)
        minute = in_day_us // MINUTE_US
        kind = HOLIDAY if is_holiday(tariff, day) else weekday(day)
        for band in tariff.bands:
            if band.from_minute <= minute < band.to_minute and kind in band.days:
                return band.label, band.rates
    return "", tariff.rates


def is_holiday(tariff: Tariff, day: int) -> bool:
    """Whether a calendar day is one of the tariff's holidays, which ascend."""
    index = bisect_right(tariff.holidays, day)
    return index > 0 and tariff.holidays[index - 1] == day


def rate_of(rates: Rates, space_type: SpaceType) -> int:
    """The price of a unit for a type of space, or for STANDARD where it has none of its own."""
    standard_e4 = 0
    for each, rate_e4 in rates:
        if each is space_type:
            return rate_e4
        if each is SpaceType.STANDARD:
            standard_e4 = rate_e4
    return standard_e4


def step_bps(tariff: Tariff, minute: int) -> int:
    """The factor of the last step that has begun at a minute of the clock; the whole where there is none."""
    index = bisect_right(tariff.steps, minute, key=_begin)
    return tariff.steps[index - 1][1] if index else BPS


def next_step_us(tariff: Tariff, clock_us: int, at_us: int) -> int:
    """When the next step begins; `TIME_MAX_US` after the last."""
    index = bisect_right(tariff.steps, (at_us - clock_us) // MINUTE_US, key=_begin)
    return clock_us + tariff.steps[index][0] * MINUTE_US if index < len(tariff.steps) else TIME_MAX_US


def next_event_us(tariff: Tariff, at_us: int) -> int:
    """When the next event begins or ends; `TIME_MAX_US` when none does."""
    found = TIME_MAX_US
    for event in tariff.events:
        for edge_us in (event.begin_us, event.end_us):
            if at_us < edge_us < found:
                found = edge_us
    return found


def next_period_us(tariff: Tariff, begin_us: int, at_us: int) -> int:
    """When the next 24 h from the begin start, where those are the cap's; midnights are boundaries anyway."""
    if not tariff.cap_e4 or tariff.cap_mode is not CapMode.FROM_ENTRY:
        return TIME_MAX_US
    return begin_us + ((at_us - begin_us) // DAY_US + 1) * DAY_US


def period_at(tariff: Tariff, zone: Zone, begin_us: int, at_us: int) -> int:
    """The cap's period in which a unit starts: a calendar day, or how many times 24 h after the begin; 0 without a cap."""
    if not tariff.cap_e4:
        return 0
    if tariff.cap_mode is CapMode.FROM_ENTRY:
        return (at_us - begin_us) // DAY_US
    return local_day(zone, at_us)


def occupancy_surcharge_bps(tariff: Tariff, occupancy_bps: int) -> int:
    """What share of its rate a unit costs more at an occupancy."""
    rule = tariff.occupancy
    if rule is None or occupancy_bps <= rule.from_bps:
        return 0
    full_percent = (occupancy_bps - rule.from_bps) // PERCENT_BPS
    return min(full_percent * rule.per_percent_bps, rule.max_bps)
