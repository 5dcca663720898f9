"""Session times as instants: daylight saving, holidays, early closes and the market that never closes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from config.catalogue import load_catalogue
from config.records import CalendarConfig
from config.sessions import sessions_between

CALENDARS = {calendar.name: calendar for calendar in load_catalogue().calendars}


def utc(calendar: CalendarConfig, first: date, last: date) -> list[str]:
    """Each session as "open close" in UTC."""
    return [
        " ".join(datetime.fromtimestamp(us / 1e6, UTC).strftime("%m-%d %H:%M") for us in session)
        for session in sessions_between(calendar, first, last)
    ]


def test_new_york_opens_an_hour_later_in_utc_when_daylight_saving_ends() -> None:
    assert utc(CALENDARS["XNYS"], date(2026, 10, 30), date(2026, 11, 2)) == [
        "10-30 13:30 10-30 20:00",  # Friday, UTC-4
        "11-02 14:30 11-02 21:00",  # Monday, UTC-5
    ]


def test_holidays_have_no_session_and_the_day_after_thanksgiving_ends_early() -> None:
    assert utc(CALENDARS["XNYS"], date(2026, 11, 26), date(2026, 11, 27)) == ["11-27 14:30 11-27 18:00"]


def test_a_market_that_never_closes_has_sessions_that_touch() -> None:
    sessions = sessions_between(CALENDARS["24x7"], date(2026, 3, 28), date(2026, 3, 31))
    assert [close_us for _, close_us in sessions][:-1] == [open_us for open_us, _ in sessions][1:]
    assert sessions[-1][1] - sessions[0][0] == 4 * 86_400 * 1_000_000


@pytest.mark.parametrize("name", CALENDARS)
def test_sessions_ascend_and_do_not_overlap(name: str) -> None:
    sessions = sessions_between(CALENDARS[name], date(2026, 1, 1), date(2027, 12, 31))
    edges = [edge for session in sessions for edge in session]
    assert sessions
    assert edges == sorted(edges)
    assert all(open_us < close_us for open_us, close_us in sessions)
