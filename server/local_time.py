"""When hours and days begin on the wall clock of a time zone, as instants: days of 23 and of 25 hours come out right.

The rules are those of the tzdata package, of whatever years are asked for; the engine's own zones (engine/parking/zones.py) reach a few
years only. Times are `_us`, days are counted since 1970-01-01 of the wall clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from config.zones import is_time_zone, offsets_between
from engine.parking.zones import Zone, local_day, next_wall_minute_us, offset_us
from engine.units import DAY_US, SECOND_US

HOURS: Final = tuple(range(0, 24 * 60 + 1, 60))
MIDNIGHTS: Final = (0, 24 * 60)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def zone_between(name: str, from_us: int, to_us: int) -> Zone:
    """A zone's offsets from a time to another; those of UTC where tzdata does not know the name."""
    return _zone_of_years(name, _year(from_us) - 1, _year(to_us) + 1)


@lru_cache(maxsize=100)
def _zone_of_years(name: str, first: int, last: int) -> Zone:
    if not is_time_zone(name):
        name = "UTC"
    return Zone(name, offsets_between(name, date(first, 1, 1), date(last, 12, 31)))


def _year(time_us: int) -> int:
    return (_EPOCH + timedelta(microseconds=time_us)).year


def day_start_us(name: str, day: int) -> int:
    """The instant at which a day begins: midnight, or what the clock is put to where it jumps over midnight."""
    zone = zone_between(name, (day - 1) * DAY_US, (day + 1) * DAY_US)
    time_us = (day - 1) * DAY_US - offset_us(zone, (day - 1) * DAY_US)
    while local_day(zone, time_us) < day:
        time_us = next_wall_minute_us(zone, time_us, MIDNIGHTS)
    return time_us


def hour_starts_us(zone: Zone, from_us: int, to_us: int) -> Iterator[int]:
    """`from_us`, and each instant after it and before `to_us` at which an hour of the wall clock begins, or the clock is put to
    another time: an hour that there is twice comes twice.
    """
    while from_us < to_us:
        yield from_us
        from_us = next_wall_minute_us(zone, from_us, HOURS)


def day_starts_us(zone: Zone, from_us: int, to_us: int) -> Iterator[int]:
    """`from_us`, and each instant after it and before `to_us` at which a day begins."""
    day = None
    while from_us < to_us:
        if local_day(zone, from_us) != day:
            day = local_day(zone, from_us)
            yield from_us
        from_us = next_wall_minute_us(zone, from_us, MIDNIGHTS)


def local_text(zone: Zone, time_us: int) -> str:
    """An instant by the wall clock, RFC 3339 with its offset: of an hour that there is twice one can tell which."""
    ahead_us = offset_us(zone, time_us)
    wall = (_EPOCH + timedelta(microseconds=time_us + ahead_us)).replace(tzinfo=None)
    sign, ahead_s = ("-", -ahead_us // SECOND_US) if ahead_us < 0 else ("+", ahead_us // SECOND_US)
    return f"{wall.isoformat(timespec='seconds')}{sign}{ahead_s // 3_600:02d}:{ahead_s // 60 % 60:02d}"
