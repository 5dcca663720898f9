"""Calendars and timers: books open and close, days end, DAY orders expire, the previous close is kept."""

from __future__ import annotations

import pytest

from engine.calendars import next_boundary_us, phase_at
from engine.commands import FireTimer, HaltSymbol, Marks, ResumeSymbol, SetCalendar
from engine.events import DayEnded, OrderUpdated, PhaseChanged
from engine.kinds import CloseReason, OrderStatus, Phase, PriceSource
from engine.state import Calendar
from engine.timers import next_timer
from engine.units import SECOND_US, TIME_MAX_US
from tests.engine.world import BUY, DAY, GTC, SELL, World, e4, of_kind, refusal, stock

S = SECOND_US
DAYS = ((10 * S, 20 * S), (30 * S, 40 * S), (40 * S, 50 * S))
"""Closed, open, closed, open, and open again without a break."""


@pytest.mark.parametrize(
    ("at_us", "phase", "boundary_us"),
    [
        (0, Phase.CLOSED, 10 * S),
        (10 * S - 1, Phase.CLOSED, 10 * S),
        (10 * S, Phase.CONTINUOUS, 20 * S),
        (20 * S - 1, Phase.CONTINUOUS, 20 * S),
        (20 * S, Phase.CLOSED, 30 * S),
        (40 * S, Phase.CONTINUOUS, 50 * S),
        (50 * S, Phase.CLOSED, 0),
    ],
)
def test_a_session_includes_its_open_and_excludes_its_close(
    at_us: int, phase: Phase, boundary_us: int
) -> None:
    calendar = Calendar("XNYS", DAYS)
    assert phase_at(calendar, at_us) is phase
    assert next_boundary_us(calendar, at_us) == boundary_us


@pytest.mark.parametrize(
    ("sessions", "outcome"),
    [
        ((), "accepted"),
        (DAYS, "accepted"),
        (((5, 5),), "INVALID_CALENDAR"),
        (((5, 4),), "INVALID_CALENDAR"),
        (((-1, 4),), "INVALID_CALENDAR"),
        (((1, 4), (3, 5)), "INVALID_CALENDAR"),
        (((3, 5), (1, 2)), "INVALID_CALENDAR"),
        (((1, TIME_MAX_US + 1),), "INVALID_CALENDAR"),
    ],
)
def test_sessions_ascend_and_do_not_overlap(sessions: tuple[tuple[int, int], ...], outcome: str) -> None:
    assert refusal(World().do(SetCalendar("XNYS", sessions))) == outcome


def trading_day(source: PriceSource = PriceSource.OWN) -> World:
    """A market that opens at 10 s; Ann and Bob may trade, and a market maker is there."""
    world = World(sessions=DAYS, listings=[stock(source=source)])
    for who in ("ann", "bob"):
        world.open(who, cash="10000", shares="100")
    world.open("mm", cash="10000", maker=True)
    return world


def advance(world: World, to_us: int) -> list[object]:
    """Fire what is due until a time, as the runtime does; returns the events."""
    events: list[object] = []
    while (timer := next_timer(world.state)) is not None and timer.due_us <= to_us:
        world.now_us = max(world.now_us, timer.due_us)
        events += world.do(FireTimer(timer.timer_id)).events
    world.now_us = max(world.now_us, to_us)
    return events


def test_a_book_is_closed_until_its_session_opens() -> None:
    world = trading_day()
    assert refusal(world.place("ann", BUY, "1", "99")) == "SESSION_CLOSED"
    assert advance(world, 10 * S) == [PhaseChanged("AAPL", Phase.CONTINUOUS, "calendar")]
    assert refusal(world.place("ann", BUY, "1", "99")) == "accepted"


def test_day_orders_expire_at_the_close_and_others_stay() -> None:
    world = trading_day()
    advance(world, 10 * S)
    day, kept = world.buy("ann", "1", "99", DAY), world.buy("ann", "1", "98", GTC)
    events = advance(world, 20 * S)
    (expired,) = [event for event in events if isinstance(event, OrderUpdated)]
    assert (expired.order_id, expired.status) == (day.order_id, OrderStatus.EXPIRED)
    assert (expired.reason, expired.hold_e4) == (CloseReason.SESSION_END, 0)
    assert list(world.state.orders) == [kept.order_id]
    assert refusal(world.place("ann", BUY, "1", "99")) == "SESSION_CLOSED"
    assert refusal(world.replace("ann", kept, quantity="2")) == "SESSION_CLOSED"
    assert refusal(world.cancel("ann", kept)) == "accepted"


def test_a_day_ends_between_sessions_without_a_break_and_the_book_stays_open() -> None:
    world = trading_day()
    advance(world, 30 * S)
    world.buy("ann", "1", "99", DAY)
    world.quote("mm", [("1", "98")], [])
    events = advance(world, 40 * S)
    assert [type(event) for event in events if not isinstance(event, PhaseChanged)][:1] == [DayEnded]
    assert not [event for event in events if isinstance(event, PhaseChanged)]
    assert world.book() == (["1@98"], [])


def test_quotes_go_when_the_book_closes() -> None:
    world = trading_day()
    advance(world, 10 * S)
    world.quote("mm", [("1", "98")], [])
    advance(world, 20 * S)
    assert world.book() == ([], [])
    assert world.cash("mm") == ("10000", "0")


@pytest.mark.parametrize(
    ("source", "traded", "marked", "close"),
    [
        (PriceSource.OWN, None, None, "100"),
        (PriceSource.OWN, "101", None, "101"),
        (PriceSource.OWN, "101", "95", "101"),
        (PriceSource.TAPE, "101", "95", "95"),
        (PriceSource.TAPE, None, "95", "95"),
    ],
)
def test_the_previous_close_is_the_price_that_the_instrument_goes_by(
    source: PriceSource, traded: str | None, marked: str | None, close: str
) -> None:
    world = trading_day(source)
    advance(world, 10 * S)
    if traded is not None:
        world.sell("ann", "1", traded)
        world.buy("bob", "1", traded)
    if marked is not None:
        world.do(Marks((("AAPL", e4(marked)),)))
    events = advance(world, 20 * S)
    assert DayEnded("AAPL", e4(close)) in events
    assert world.state.instruments["AAPL"].previous_close_e4 == e4(close)


def test_a_server_that_slept_catches_up_and_ends_each_day_once() -> None:
    world = trading_day()
    advance(world, 10 * S)
    world.buy("ann", "1", "99", DAY)
    world.now_us = 45 * S
    events = advance(world, 45 * S)
    assert len([event for event in events if isinstance(event, DayEnded)]) == 1
    assert world.state.instruments["AAPL"].phase is Phase.CONTINUOUS
    assert not world.state.orders
    assert world.state.calendars["24x7"].ended_us == 40 * S


def test_a_halted_book_ends_its_day_and_stays_halted() -> None:
    world = trading_day()
    advance(world, 10 * S)
    world.sell("ann", "1", "101", DAY)
    world.do(HaltSymbol("AAPL", "news"))
    advance(world, 30 * S)
    assert not world.state.orders
    assert refusal(world.place("ann", SELL, "1", "101")) == "SYMBOL_HALTED"
    advance(world, 50 * S)
    resumed = world.do(ResumeSymbol("AAPL"))
    assert of_kind(resumed, PhaseChanged) == [PhaseChanged("AAPL", Phase.CLOSED, "resumed")]


def test_a_timer_fires_once_and_not_early() -> None:
    world = trading_day()
    timer = next_timer(world.state)
    assert timer is not None
    assert timer.due_us == 10 * S
    assert refusal(world.do(FireTimer(timer.timer_id))) == "TIMER_NOT_FOUND"
    world.now_us = 10 * S
    assert refusal(world.do(FireTimer(timer.timer_id))) == "accepted"
    assert refusal(world.do(FireTimer(timer.timer_id))) == "TIMER_NOT_FOUND"
    assert refusal(world.do(FireTimer(0))) == "TIMER_NOT_FOUND"


def test_a_new_calendar_replaces_the_timer_of_the_old() -> None:
    world = trading_day()
    world.do(SetCalendar("24x7", ((15 * S, 25 * S),)))
    assert [timer.due_us for timer in world.state.timers.values()] == [15 * S]
    timer = next_timer(world.state)
    assert timer is not None
    assert timer.due_us == 15 * S


def test_a_calendar_without_a_future_has_no_timer() -> None:
    world = trading_day()
    advance(world, 60 * S)
    assert next_timer(world.state) is None
    assert not world.state.timers


def test_cutting_a_session_short_ends_its_day() -> None:
    world = trading_day()
    advance(world, 10 * S)
    world.buy("ann", "1", "99", DAY)
    world.now_us = 18 * S
    applied = world.do(SetCalendar("24x7", ((10 * S, 15 * S), (30 * S, 40 * S))))
    assert len(of_kind(applied, DayEnded)) == 1
    assert not world.state.orders
