"""Turns a calendar's wall times into instants, by the time-zone rules of the tzdata package and not the machine's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from config.records import CalendarConfig, Weekday
from config.zones import rules_of

_WEEKDAYS: Final = tuple(Weekday)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ANCHOR: Final = re.compile("(opens|closes)([+-][0-9]+)?")
DAY_MINUTES: Final = 24 * 60


class TradingDay(Struct, frozen=True):
    """A day with a session, its open and close in minutes of its wall time."""

    day: date
    opens_min: int
    closes_min: int


def trading_days(calendar: CalendarConfig, first: date, last: date) -> Iterator[TradingDay]:
    """The days from `first` to `last`, both included, on which a calendar has a session, ascending."""
    closed = frozenset(calendar.holidays) - frozenset(calendar.open_days)
    short = frozenset(calendar.early_closes) - frozenset(calendar.open_days)
    special = {each.day: each for each in calendar.special}
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day in special:
            yield TradingDay(day, minutes_of(special[day].opens), minutes_of(special[day].closes))
        elif _WEEKDAYS[day.weekday()] in calendar.days and day not in closed:
            closes = calendar.early_close if day in short else None
            yield TradingDay(day, minutes_of(calendar.opens), minutes_of(closes or calendar.closes))


def sessions_between(calendar: CalendarConfig, first: date, last: date) -> tuple[tuple[int, int], ...]:
    """(open_us, end of the day) of every session that begins on the days from `first` to `last`, both included, ascending.

    Days are those of the calendar's time zone; instants are microseconds since the epoch, UTC.
    """
    zone = rules_of(calendar.time_zone)
    ends = calendar.day_ends or "closes"
    return tuple(
        [
            (_instant_us(each.day, each.opens_min, zone), _instant_us(each.day, moment_of(ends, each), zone))
            for each in trading_days(calendar, first, last)
        ]
    )


def phases_between(calendar: CalendarConfig, first: date, last: date) -> tuple[tuple[int, str], ...]:
    """(start_us, name) of every phase of the same days, ascending; none where the calendar has none."""
    if not calendar.phases:
        return ()
    zone = rules_of(calendar.time_zone)
    return tuple(
        [
            (_instant_us(each.day, moment_of(phase.at, each), zone), phase.phase.value)
            for each in trading_days(calendar, first, last)
            for phase in calendar.phases
        ]
    )


def minutes_of(wall: str) -> int:
    """Minutes since the day's midnight."""
    hour, minute = wall.split(":")
    return int(hour) * 60 + int(minute)


def moment_of(moment: str, day: TradingDay) -> int:
    """A moment of a day, in minutes since its midnight; the next day's are beyond 1440."""
    match = _ANCHOR.fullmatch(moment)
    if match is None:
        return minutes_of(moment)
    anchor = day.opens_min if match[1] == "opens" else day.closes_min
    return anchor + int(match[2] or 0)


def _instant_us(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The instant of a wall time, in minutes since the day's midnight; those beyond the day are of the next one."""
    days, minute_of_day = divmod(minutes, DAY_MINUTES)
    wall = time(*divmod(minute_of_day, 60))
    return (datetime.combine(day + timedelta(days=days), wall, zone) - _EPOCH) // timedelta(microseconds=1)
