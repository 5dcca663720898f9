"""Time-zone rules of the tzdata package, never of the machine: a zone's rules, and its changes of offset as data."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def is_time_zone(name: str) -> bool:
    """Whether the rules that come with Kerb know a place by this name: a file beside them is none, nor is "Factory", the clock of a
    machine that nobody has set.
    """
    return name in _names()


@cache
def _names() -> frozenset[str]:
    """What the package lists."""
    return frozenset(files("tzdata").joinpath("zones").read_text("ascii").split()) - {"Factory"}


@cache
def rules_of(name: str) -> ZoneInfo:
    """A zone's rules. The name must be known."""
    with files("tzdata").joinpath("zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def offsets_between(name: str, first: date, last: date) -> tuple[tuple[int, int], ...]:
    """(utc_us, offset_s) of a zone, ascending: what holds at the begin of the first day (UTC), then each change to the end of the last."""
    zone = rules_of(name)
    at = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC) + timedelta(days=1)
    found = [(at, _offset_s(zone, at))]
    while at < end:
        later = at + timedelta(days=1)
        while _offset_s(zone, later) != found[-1][1]:
            # More than one change in a day is found one by one: the next begins where this ended.
            change = _first_change(zone, at, later, found[-1][1])
            found.append((change, _offset_s(zone, change)))
            at = change
        at = later
    return tuple(
        [((change - _EPOCH) // _MICROSECOND, offset_s) for change, offset_s in found if change < end]
    )


def _first_change(zone: ZoneInfo, low: datetime, high: datetime, offset_s: int) -> datetime:
    """The second at which the offset is no longer this one, between an instant where it is and one where it is not."""
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if _offset_s(zone, middle) == offset_s:
            low = middle
        else:
            high = middle
    return high


def _offset_s(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)
