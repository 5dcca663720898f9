"""What time does: calendars change the phase of their books, calls end, days end, orders expire, halted books reopen.

Source: docs/orders.md, "Sessions" and "Time in force".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.auction import fire_indicative, uncross, uncross_rest
from engine.calendars import AUCTION_OF, CALLS, auction_end_us, is_sound, next_boundary_us, phase_at
from engine.closing import close_order
from engine.commands import Envelope, FireTimer, SetCalendar
from engine.corporate_actions import fire_action
from engine.dividends import fire_dividend
from engine.events import DayEnded, PhaseChanged, Refused
from engine.kinds import CloseReason, OrderStatus, Phase, TimeInForce, TimerKind
from engine.orders import Order
from engine.parking.due import PARKING_TIMERS
from engine.parking.gates import fire_lane
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.settlement import settle_day
from engine.state import Calendar, Instrument, Timer
from engine.stops import show_reference
from engine.timers import add_timer, arm_indicative, drop_timer, drop_timer_of
from engine.trading import Answer, enter_book
from engine.turn import Turn
from engine.waiting import has_extended_hours, is_off_book, off_book_of, set_aside, take_back, waiting

CONTINUOUS = Phase.CONTINUOUS
EXPIRED = OrderStatus.EXPIRED
EXTENDED = Phase.EXTENDED
HALT_AUCTION = Phase.HALT_AUCTION


def set_calendar(turn: Turn, envelope: Envelope, command: SetCalendar) -> Answer:
    """Replace a calendar's sessions and phases; books follow at once, and its timer is set anew."""
    state = turn.state
    if not is_sound(command.sessions, command.phases):
        return Refused(Refusal.INVALID_CALENDAR)
    calendar = state.calendars.get(command.calendar)
    if calendar is None:
        calendar = state.calendars[command.calendar] = Calendar(command.calendar, (), turn.now_us)
    calendar.sessions = command.sessions
    calendar.phases = command.phases
    state.dirty["calendar"][calendar.calendar] = None
    drop_timer_of(state, TimerKind.SESSION, command.calendar)
    follow_calendar(turn, calendar)
    return None


def fire_timer(turn: Turn, envelope: Envelope, command: FireTimer) -> Answer:
    """Do what a due timer is for."""
    state = turn.state
    timer = state.timers.get(command.timer_id)
    if timer is None or timer.due_us > turn.now_us:
        return Refused(Refusal.TIMER_NOT_FOUND)
    drop_timer(state, timer)
    TIMERS[timer.kind](turn, timer)
    return None


def fire_session(turn: Turn, timer: Timer) -> None:
    """A calendar has come to its next boundary."""
    follow_calendar(turn, turn.state.calendars[timer.target])


def fire_order_expiry(turn: Turn, timer: Timer) -> None:
    """A GTD order's own time is over; the timer goes with the order, so it is open."""
    close_order(turn, turn.state.orders[int(timer.target)], EXPIRED, CloseReason.TIME)


def fire_reopen(turn: Turn, timer: Timer) -> None:
    """The call after a halt is over: its auction, and then what the calendar has."""
    instrument = turn.state.instruments[timer.target]
    calendar = turn.state.calendars[instrument.calendar]
    end_call(turn, instrument)
    phase = phase_at(calendar, turn.now_us)
    begin_phase(turn, instrument, phase, "reopened")
    if phase in CALLS:
        arm_indicative(turn)


TIMERS: Final[dict[TimerKind, Callable[[Turn, Timer], None]]] = {
    TimerKind.SESSION: fire_session,
    TimerKind.ORDER_EXPIRY: fire_order_expiry,
    TimerKind.INDICATIVE: fire_indicative,
    TimerKind.REOPEN: fire_reopen,
    TimerKind.SETTLEMENT: settle_day,
    TimerKind.DIVIDEND: fire_dividend,
    TimerKind.CORPORATE_ACTION: fire_action,
    TimerKind.GATE_LANE: fire_lane,
    **PARKING_TIMERS,
}
"""Kind of a timer → what it does."""


def follow_calendar(turn: Turn, calendar: Calendar) -> None:
    """End the calls and the days that are over, bring each book to its phase, and set the timer for the next boundary."""
    state = turn.state
    now_us = turn.now_us
    ended = [close_us for _, close_us in calendar.sessions if calendar.ended_us < close_us <= now_us]
    symbols = sorted(
        each.symbol
        for each in state.instruments.values()
        if each.calendar == calendar.calendar and not each.is_delisted
    )
    instruments = [state.instruments[symbol] for symbol in symbols]
    phase = phase_at(calendar, now_us)
    for instrument in instruments:
        if leaves_for(instrument, phase):
            end_call(turn, instrument)
        expire_missed(turn, instrument, calendar)
    if ended:
        calendar.ended_us = ended[-1]
        state.dirty["calendar"][calendar.calendar] = None
        for instrument in instruments:
            end_day(turn, instrument, closing=phase is not CONTINUOUS)
    for instrument in instruments:
        if leaves_for(instrument, phase):
            begin_phase(turn, instrument, phase, "calendar")
    due_us = next_boundary_us(calendar, now_us)
    if due_us:
        add_timer(turn, due_us, TimerKind.SESSION, calendar.calendar)
    if any(instrument.phase in CALLS for instrument in instruments):
        arm_indicative(turn)


def leaves_for(instrument: Instrument, phase: Phase) -> bool:
    """Whether a book goes to the phase of its calendar: an operator's halt stays, and a halt's call stays while CONTINUOUS."""
    if instrument.halted or instrument.phase is phase or instrument.is_delisted:
        return False
    return instrument.phase is not HALT_AUCTION or phase is not CONTINUOUS


def end_call(turn: Turn, instrument: Instrument) -> None:
    """Uncross, if the book is in a call; orders for that auction alone that are not filled expire."""
    if instrument.phase not in CALLS:
        return
    uncross(turn, instrument, instrument.phase)
    if instrument.phase is Phase.CLOSING_AUCTION:
        instrument.official_close_e4 = reference_e4(instrument)
        turn.state.dirty["instrument"][instrument.symbol] = None
    for order in waiting(turn.state, instrument.symbol):
        if AUCTION_OF.get(order.time_in_force) is instrument.phase and order.order_id in turn.state.orders:
            close_order(turn, order, EXPIRED, CloseReason.AUCTION_END)


def expire_missed(turn: Turn, instrument: Instrument, calendar: Calendar) -> None:
    """End the orders for an auction that was over before it came: the book was halted, or nothing ran."""
    for order in waiting(turn.state, instrument.symbol):
        auction = AUCTION_OF.get(order.time_in_force)
        if auction is None or order.order_id not in turn.state.orders:
            continue
        if auction_end_us(calendar, auction, order.created_us) <= turn.now_us:  # 0: there is none any more
            close_order(turn, order, EXPIRED, CloseReason.AUCTION_END)


def begin_phase(turn: Turn, instrument: Instrument, phase: Phase, reason: str) -> None:
    """Bring a book to a phase. Where it matches from now on, what is crossed in it trades first, and then what waited."""
    state = turn.state
    was = instrument.phase
    instrument.phase = phase
    instrument.indicative = (0, 0, 0)
    state.dirty["instrument"][instrument.symbol] = None
    if was is EXTENDED or phase is EXTENDED:
        seat(turn, instrument)
    if was is HALT_AUCTION:
        drop_timer_of(state, TimerKind.REOPEN, instrument.symbol)
    if phase is CONTINUOUS or phase is EXTENDED:
        if was not in CALLS:
            uncross(turn, instrument, phase)
        uncross_rest(turn, instrument, phase)
    turn.events.append(PhaseChanged(instrument.symbol, phase, reason))
    if phase is CONTINUOUS:
        for order in waiting(state, instrument.symbol):
            if order.time_in_force not in AUCTION_OF and order.order_id in state.orders:
                take_back(state, order)
                filled_e8 = order.filled_e8
                enter_book(turn, instrument, order)
                if order.filled_e8 != filled_e8:  # matching leaves the taker to its command
                    order.updated_us = turn.now_us
                    turn.orders[order.order_id] = order
        show_reference(turn, instrument)


def seat(turn: Turn, instrument: Instrument) -> None:
    """Take out of the levels what must not trade in the book's phase, and put back what may, each at its priority."""
    state, phase = turn.state, instrument.phase
    book = state.books[instrument.symbol]
    if phase is EXTENDED:
        for order in book.resting():
            if not has_extended_hours(order):
                level = order.level
                assert level is not None
                level.side.remove(order)
                turn.levels[level] = None
                set_aside(state, order)
                report_slice(turn, order)
        return
    for order in waiting(state, instrument.symbol):
        if not is_off_book(order, phase):
            take_back(state, order)
            turn.levels[book.side(order.side).insert(order)] = None
            report_slice(turn, order)


def report_slice(turn: Turn, order: Order) -> None:
    """Report an iceberg that shows another slice than before, or none."""
    if order.special is not None and order.special.terms.display_e8:
        order.updated_us = turn.now_us
        turn.orders[order.order_id] = order


def end_day(turn: Turn, instrument: Instrument, *, closing: bool) -> None:
    """The end of a day: what is for the day and what is too old expires, and the previous close is set.

    That is the price at the end of the closing auction, whatever is traded after it; without one the last price.

    Quotes go only when the book closes: a stale quote must not meet the next opening, but where sessions follow
    each other without a break a market maker's prices are as fresh as before.
    """
    state = turn.state
    oldest_us = turn.now_us - state.limits.gtc_max_age_us
    for order in [*state.books[instrument.symbol].resting(), *off_book_of(state, instrument.symbol)]:
        if order.status > OrderStatus.PARTIAL:
            continue  # what it hangs together with has ended it
        reason = reason_to_end(order, oldest_us, closing=closing)
        if reason is not None:
            close_order(turn, order, EXPIRED, reason)
    instrument.previous_close_e4 = instrument.official_close_e4 or reference_e4(instrument)
    instrument.official_close_e4 = 0
    instrument.halt_reference_e4 = 0
    state.dirty["instrument"][instrument.symbol] = None
    turn.events.append(DayEnded(instrument.symbol, instrument.previous_close_e4))


def reason_to_end(order: Order, oldest_us: int, *, closing: bool) -> CloseReason | None:
    """Why an order ends with the day, or None. What a halt left of an IOC order is for the day."""
    if order.is_quote:
        return CloseReason.SESSION_END if closing else None
    if order.time_in_force is TimeInForce.GTC:
        return CloseReason.TIME if order.created_us < oldest_us else None
    if order.time_in_force in (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK):
        return CloseReason.SESSION_END
    return None
