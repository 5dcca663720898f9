"""A time zone as data: from which instant on which offset holds. Decides nothing; no zone rules of the machine.

Source: docs/tariffs.md, "Time". Days are counted since 1970-01-01 of the wall clock, minutes since its midnight.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import Final

from msgspec import Struct

from engine.units import DAY_US, MINUTE_US, SECOND_US, TIME_MAX_US

TRANSITIONS_MAX: Final = 200
OFFSET_MAX_S: Final = 26 * 3_600
"""More than any zone has had; the widest today are +14:00 and -12:00."""

MONDAY: Final = 3
"""1970-01-01 was a Thursday: what to add to a day so that Monday is 0."""

_instant = itemgetter(0)


class Zone(Struct, frozen=True, array_like=True):
    """`transitions` are (utc_us, offset_s), ascending: the offset from then on. Before the first, the first's."""

    name: str
    transitions: tuple[tuple[int, int], ...]


UTC: Final = Zone("UTC", ((0, 0),))


def is_sound(zone: Zone) -> bool:
    """Whether a zone has a name and transitions that ascend, each with an offset that a clock can have."""
    if not (1 <= len(zone.name) <= 64 and 1 <= len(zone.transitions) <= TRANSITIONS_MAX):
        return False
    last_us = -1
    for utc_us, offset_s in zone.transitions:
        if not (last_us < utc_us <= TIME_MAX_US and abs(offset_s) <= OFFSET_MAX_S):
            return False
        last_us = utc_us
    return True


def offset_us(zone: Zone, utc_us: int) -> int:
    """What the wall clock is ahead of UTC at an instant, in microseconds."""
    index = bisect_right(zone.transitions, utc_us, key=_instant)
    return zone.transitions[max(index - 1, 0)][1] * SECOND_US


def wall_us(zone: Zone, utc_us: int) -> int:
    """The wall clock at an instant, as microseconds since its own 1970-01-01 00:00."""
    return utc_us + offset_us(zone, utc_us)


def local_day(zone: Zone, utc_us: int) -> int:
    """The calendar day at an instant."""
    return wall_us(zone, utc_us) // DAY_US


def after_days_us(zone: Zone, begin_us: int, days: int) -> int:
    """The instant at which the wall clock shows what it shows at `begin_us`, so many days later."""
    ahead_us = offset_us(zone, begin_us)
    end_us = begin_us + days * DAY_US
    return end_us - (offset_us(zone, end_us) - ahead_us)


def weekday(day: int) -> int:
    """0 for a Monday, 6 for a Sunday."""
    return (day + MONDAY) % 7


def next_transition_us(zone: Zone, utc_us: int) -> int:
    """The next instant after this one at which the offset changes; `TIME_MAX_US` when none is known."""
    index = bisect_right(zone.transitions, utc_us, key=_instant)
    # The first entry says what holds before it too: it is no change.
    index = max(index, 1)
    return zone.transitions[index][0] if index < len(zone.transitions) else TIME_MAX_US


def next_wall_minute_us(zone: Zone, utc_us: int, minutes: tuple[int, ...]) -> int:
    """The next instant after this one at which the clock may show one of these minutes of a day, or its offset changes.

    `minutes` ascend from 0 to 1440 and contain both.
    """
    ahead_us = offset_us(zone, utc_us)
    day, in_day_us = divmod(utc_us + ahead_us, DAY_US)
    index = bisect_right(minutes, in_day_us // MINUTE_US)
    next_us = day * DAY_US + minutes[index] * MINUTE_US - ahead_us
    change_us = next_transition_us(zone, utc_us)
    return change_us if change_us < next_us else next_us
