"""Time zones for the engine: the offsets of some years by the tzdata package, as data.

Source: docs/tariffs.md, "Time".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from config.zones import is_time_zone, offsets_between
from engine.parking.tariff_commands import SetZone
from engine.parking.zones import Zone
from engine.state import State

YEARS_BEFORE: Final = 2
YEARS_AFTER: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def zone_now(name: str, now_us: int) -> Zone | None:
    """What the engine is to know of a zone in this year; None when tzdata does not know its name."""
    if not is_time_zone(name):
        return None
    return _zone_of(name, (_EPOCH + timedelta(microseconds=now_us)).year)


@lru_cache(maxsize=600)
def _zone_of(name: str, year: int) -> Zone:
    return Zone(
        name, offsets_between(name, date(year - YEARS_BEFORE, 1, 1), date(year + YEARS_AFTER, 12, 31))
    )


def zone_differences(state: State, now_us: int) -> Iterator[SetZone]:
    """The zones of lots whose offsets the engine does not know as they are now."""
    names = sorted({lot.time_zone for lot in state.parking.lots.values()})
    for name in names:
        zone = zone_now(name, now_us)
        if zone is not None and state.parking.zones.get(name) != zone:
            yield SetZone(zone)
