"""Hours and days of a wall clock as instants: hand-checked where clocks are changed, and where days begin at odd times."""

from __future__ import annotations

import pytest

from engine.units import DAY_US, HOUR_US, MINUTE_US
from server.local_time import (
    day_start_us,
    day_starts_us,
    hour_starts_us,
    local_text,
    zone_between,
)
from tests.engine.parking.tariff_world import day_of, utc_us

DAYS = [
    # zone, day, its begin in UTC, hours, what its third to fifth hour are called
    ("Europe/Berlin", "2024-03-31", "2024-03-30 23:00", 23, ("03:00:00+02:00", "04:00:00+02:00")),
    ("Europe/Berlin", "2024-10-27", "2024-10-26 22:00", 25, ("02:00:00+02:00", "02:00:00+01:00")),
    ("America/New_York", "2024-03-10", "2024-03-10 05:00", 23, ("03:00:00-04:00", "04:00:00-04:00")),
    ("America/New_York", "2024-11-03", "2024-11-03 04:00", 25, ("01:00:00-05:00", "02:00:00-05:00")),
    ("Asia/Kolkata", "2024-03-31", "2024-03-30 18:30", 24, ("02:00:00+05:30", "03:00:00+05:30")),
    ("UTC", "2024-03-31", "2024-03-31 00:00", 24, ("02:00:00+00:00", "03:00:00+00:00")),
    # midnight does not exist: the day begins at one
    ("America/Havana", "2024-03-10", "2024-03-10 05:00", 23, ("03:00:00-04:00", "04:00:00-04:00")),
    # by half an hour: the one between two and half past two is there twice, as a short hour
    ("Australia/Lord_Howe", "2024-04-07", "2024-04-06 13:00", 25, ("01:30:00+10:30", "02:00:00+10:30")),
    ("Mars/Base", "2024-03-31", "2024-03-31 00:00", 24, ("02:00:00+00:00", "03:00:00+00:00")),
    # long before and after what the engine knows of a zone
    ("Europe/Berlin", "1999-10-31", "1999-10-30 22:00", 25, ("02:00:00+02:00", "02:00:00+01:00")),
]


@pytest.mark.parametrize(("name", "text", "begins", "hours", "names"), DAYS)
def test_a_day_has_as_many_hours_as_the_clock_shows(
    name: str, text: str, begins: str, hours: int, names: tuple[str, str]
) -> None:
    day = day_of(text)
    from_us, to_us = day_start_us(name, day), day_start_us(name, day + 1)
    assert from_us == utc_us(begins)
    zone = zone_between(name, from_us, to_us)
    starts = list(hour_starts_us(zone, from_us, to_us))
    assert len(starts) == hours
    assert tuple(local_text(zone, each) for each in starts[2:4]) == tuple(f"{text}T{each}" for each in names)
    assert list(day_starts_us(zone, from_us, to_us)) == [from_us]
    assert list(day_starts_us(zone, from_us, to_us + 1)) == [from_us, to_us]


def test_a_range_begins_and_ends_where_it_is_said_to() -> None:
    zone = zone_between("Europe/Berlin", utc_us("2024-10-25 00:00"), utc_us("2024-10-29 00:00"))
    from_us = utc_us("2024-10-26 21:40")
    assert [
        (each - from_us) // MINUTE_US for each in hour_starts_us(zone, from_us, from_us + 2 * HOUR_US)
    ] == [*(0, 20, 80)]
    days = list(day_starts_us(zone, from_us, from_us + 3 * DAY_US))
    assert [(each - from_us) // MINUTE_US for each in days] == [0, 20, 20 + 25 * 60, 20 + 49 * 60]


def test_a_day_that_the_calendar_leaves_out_has_no_hours() -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    first, gone, last = [day_start_us("Pacific/Apia", day_of(f"2011-12-{day}")) for day in (29, 30, 31)]
    assert (gone, last - first) == (last, DAY_US)
