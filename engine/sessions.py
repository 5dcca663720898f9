"""Calendars: when books open and close, and what the end of a trading day does."""

from __future__ import annotations

from engine.closing import close_order
from engine.commands import Envelope, FireTimer, SetCalendar
from engine.events import DayEnded, PhaseChanged, Refused
from engine.kinds import CloseReason, OrderStatus, Phase, TimeInForce, TimerKind
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.state import Calendar, Instrument
from engine.timers import add_timer, drop_timer
from engine.trading import Answer
from engine.turn import Turn
from engine.units import TIME_MAX_US


def phase_at(calendar: Calendar, now_us: int) -> Phase:
    """Whether a calendar has a session on at a time; a session includes its open and excludes its close."""
    for open_us, close_us in calendar.sessions:
        if open_us <= now_us < close_us:
            return Phase.CONTINUOUS
        if open_us > now_us:
            break
    return Phase.CLOSED


def next_boundary_us(calendar: Calendar, now_us: int) -> int:
    """The next open or close after a time; 0 when the calendar has no more."""
    for open_us, close_us in calendar.sessions:
        if open_us > now_us:
            return open_us
        if close_us > now_us:
            return close_us
    return 0


def set_calendar(turn: Turn, envelope: Envelope, command: SetCalendar) -> Answer:
    """Replace a calendar's sessions; books follow at once, and its timer is set anew."""
    state = turn.state
    last_us = 0
    for open_us, close_us in command.sessions:
        if not last_us <= open_us < close_us <= TIME_MAX_US:
            return Refused(Refusal.INVALID_CALENDAR)
        last_us = close_us
    calendar = state.calendars.get(command.calendar)
    if calendar is None:
        calendar = state.calendars[command.calendar] = Calendar(command.calendar, (), turn.now_us)
    calendar.sessions = command.sessions
    state.dirty["calendar"][calendar.calendar] = None
    for timer in [timer for timer in state.timers.values() if timer.target == command.calendar]:
        drop_timer(state, timer)
    follow_calendar(turn, calendar)
    return None


def fire_timer(turn: Turn, envelope: Envelope, command: FireTimer) -> Answer:
    """Do what a due timer is for."""
    state = turn.state
    timer = state.timers.get(command.timer_id)
    if timer is None or timer.due_us > turn.now_us:
        return Refused(Refusal.TIMER_NOT_FOUND)
    drop_timer(state, timer)
    follow_calendar(turn, state.calendars[timer.target])
    return None


def follow_calendar(turn: Turn, calendar: Calendar) -> None:
    """End the days that are over, bring each book to its phase, and set the timer for the next boundary."""
    state = turn.state
    now_us = turn.now_us
    ended = [close_us for _, close_us in calendar.sessions if calendar.ended_us < close_us <= now_us]
    symbols = [each.symbol for each in state.instruments.values() if each.calendar == calendar.calendar]
    phase = phase_at(calendar, now_us)
    if ended:
        calendar.ended_us = ended[-1]
        state.dirty["calendar"][calendar.calendar] = None
        for symbol in sorted(symbols):
            end_day(turn, state.instruments[symbol], closing=phase is Phase.CLOSED)
    for symbol in sorted(symbols):
        instrument = state.instruments[symbol]
        if not instrument.halted and instrument.phase is not phase:
            instrument.phase = phase
            state.dirty["instrument"][symbol] = None
            turn.events.append(PhaseChanged(symbol, phase, "calendar"))
    due_us = next_boundary_us(calendar, now_us)
    if due_us:
        add_timer(turn, due_us, TimerKind.SESSION, calendar.calendar)


def end_day(turn: Turn, instrument: Instrument, *, closing: bool) -> None:
    """The end of a session: DAY orders expire, and the last price becomes the previous close.

    Quotes go only when the book closes: a stale quote must not meet the next opening, but where sessions follow
    each other without a break a market maker's prices are as fresh as before.
    """
    state = turn.state
    book = state.books[instrument.symbol]
    for side in (book.bids, book.asks):
        for level in list(side.best_first()):
            order = level.first
            while order is not None:
                following = order.after
                if closing if order.is_quote else order.time_in_force is TimeInForce.DAY:
                    close_order(turn, order, OrderStatus.EXPIRED, CloseReason.SESSION_END)
                order = following
    instrument.previous_close_e4 = reference_e4(instrument)
    state.dirty["instrument"][instrument.symbol] = None
    turn.events.append(DayEnded(instrument.symbol, instrument.previous_close_e4))
