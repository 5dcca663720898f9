"""Turns a calendar's wall times into instants, by the time-zone rules of the tzdata package and not the machine's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from config.records import CalendarConfig, Weekday

_WEEKDAYS = tuple(Weekday)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sessions_between(calendar: CalendarConfig, first: date, last: date) -> tuple[tuple[int, int], ...]:
    """(open_us, close_us) of every session that begins on the days from `first` to `last`, both included, ascending.

    Days are those of the calendar's time zone; instants are microseconds since the epoch, UTC.
    """
    zone = _zone(calendar.time_zone)
    sessions = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if _WEEKDAYS[day.weekday()] not in calendar.days or day in calendar.holidays:
            continue
        closes = calendar.early_close if day in calendar.early_closes else None
        sessions.append(
            (_instant_us(day, calendar.opens, zone), _instant_us(day, closes or calendar.closes, zone))
        )
    return tuple(sessions)


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _instant_us(day: date, wall: str, zone: ZoneInfo) -> int:
    """The instant of a wall time; 24:00 is the next day's 00:00."""
    hour, minute = map(int, wall.split(":"))
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    return (datetime.combine(day, time(hour, minute), zone) - _EPOCH) // timedelta(microseconds=1)
