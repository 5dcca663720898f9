"""Session times as instants: daylight saving, holidays, early closes and the market that never closes."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from config.catalogue import load_catalogue
from config.make_market_days import PATH, table
from config.records import CalendarConfig, SpecialSession
from config.sessions import phases_between, sessions_between

CALENDARS = {calendar.name: calendar for calendar in load_catalogue().calendars}


def utc(calendar: CalendarConfig, first: date, last: date) -> list[str]:
    """Each session as "open close" in UTC."""
    return [
        " ".join(datetime.fromtimestamp(us / 1e6, UTC).strftime("%m-%d %H:%M") for us in session)
        for session in sessions_between(calendar, first, last)
    ]


def test_new_york_opens_an_hour_later_in_utc_when_daylight_saving_ends() -> None:
    assert utc(CALENDARS["XNYS"], date(2026, 10, 30), date(2026, 11, 2)) == [
        "10-30 13:30 10-31 00:00",  # Friday, UTC-4; the day ends with extended hours
        "11-02 14:30 11-03 01:00",  # Monday, UTC-5
    ]


def test_holidays_have_no_session_and_the_day_after_thanksgiving_ends_early() -> None:
    assert utc(CALENDARS["XNYS"], date(2026, 11, 26), date(2026, 11, 27)) == ["11-27 14:30 11-27 22:00"]
    assert wall(CALENDARS["XNYS"], date(2026, 11, 26), date(2026, 11, 27)) == [
        "04:00 EXTENDED",
        "09:28 OPENING_AUCTION",
        "09:30 CONTINUOUS",
        "12:58 CLOSING_AUCTION",
        "13:00 POST_TRADE",
        "13:05 EXTENDED",
        "17:00 CLOSED",
    ]


def wall(calendar: CalendarConfig, first: date, last: date) -> list[str]:
    """Each phase with the exchange's wall time at which it begins."""
    zone = ZoneInfo(calendar.time_zone)
    return [
        f"{datetime.fromtimestamp(us / 1e6, zone):%H:%M} {name}"
        for us, name in phases_between(calendar, first, last)
    ]


def test_phases_keep_the_exchanges_wall_time_over_a_change_of_the_clock() -> None:
    """New York puts its clock forward on Sunday, 8 March 2026."""
    friday, monday = date(2026, 3, 6), date(2026, 3, 9)
    phases = wall(CALENDARS["XNYS"], friday, friday)
    assert wall(CALENDARS["XNYS"], friday, monday) == phases * 2
    starts = [us for us, _ in phases_between(CALENDARS["XNYS"], friday, monday)]
    assert starts[7] - starts[0] == (3 * 24 - 1) * 3_600_000_000


def test_india_takes_orders_for_the_opening_until_eight_past_nine() -> None:
    assert wall(CALENDARS["XNSE"], date(2026, 11, 25), date(2026, 11, 25)) == [
        "09:00 OPENING_AUCTION",
        "09:08 PRE_OPEN",
        "09:15 CONTINUOUS",
        "15:20 CLOSING_AUCTION",
        "15:30 POST_TRADE",
        "16:00 CLOSED",
    ]


@pytest.mark.parametrize(
    ("name", "day", "is_open"),
    [
        ("XNYS", date(2026, 6, 19), False),  # Juneteenth
        ("XNYS", date(2013, 6, 19), True),  # which was no holiday then
        ("XNAS", date(2012, 10, 29), False),  # hurricane Sandy
        ("XNSE", date(2026, 1, 26), False),  # Republic Day
        ("XBOM", date(2026, 11, 10), False),  # Diwali Balipratipada
        ("XNSE", date(2026, 7, 3), True),
        ("24x7", date(2026, 12, 25), True),
    ],
)
def test_the_table_knows_the_days_of_each_market(name: str, day: date, is_open: bool) -> None:
    assert bool(sessions_between(CALENDARS[name], day, day)) is is_open


@pytest.mark.parametrize(
    ("changes", "day", "expected"),
    [
        pytest.param({}, date(2026, 11, 26), [], id="Thanksgiving"),
        pytest.param(
            {"open_days": (date(2026, 11, 26),)}, date(2026, 11, 26), ["09:30"], id="open after all"
        ),
        pytest.param({"open_days": (date(2026, 11, 27),)}, date(2026, 11, 27), ["09:30"], id="and not short"),
        pytest.param({"holidays": (date(2026, 11, 25),)}, date(2026, 11, 25), [], id="closed as well"),
        pytest.param(
            {"special": (SpecialSession(day=date(2026, 11, 28), opens="18:00", closes="19:00"),)},
            date(2026, 11, 28),
            ["18:00"],
            id="a Saturday evening",
        ),
    ],
)
def test_what_an_exchange_announces_goes_before_the_table(
    changes: dict[str, Any], day: date, expected: list[str]
) -> None:
    calendar = structs.replace(CALENDARS["XNYS"], phases=(), **changes)
    zone = ZoneInfo(calendar.time_zone)
    opens = [
        f"{datetime.fromtimestamp(us / 1e6, zone):%H:%M}" for us, _ in sessions_between(calendar, day, day)
    ]
    assert opens == expected


def test_the_table_is_what_the_package_says() -> None:
    """`make calendars` writes it; whoever changes the package's version writes it anew."""
    assert tomllib.loads(PATH.read_text(encoding="utf-8")) == tomllib.loads(table())


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
