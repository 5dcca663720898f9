"""Time in the naive exchange: calendars, phases of books, the ends of calls and days, and timers."""

from __future__ import annotations

from engine import commands as c
from engine import events as e
from engine.kinds import CloseReason, OrderStatus, Phase, Side, TimeInForce, TimerKind
from engine.refusals import Refusal
from tests.engine.naive_auction import OF_AUCTION, NaiveAuction
from tests.engine.naive_records import NaiveOrder
from tests.engine.naive_turn import NaiveCalendar, NaiveInstrument, NaiveTimer, NaiveTurn

EXPIRED = OrderStatus.EXPIRED


class NaiveSessions(NaiveAuction):
    """What happens because time goes by, or because an operator stops it."""

    def set_calendar(self, turn: NaiveTurn, command: c.SetCalendar) -> None:
        calendar = self.calendars.get(command.calendar)
        if calendar is None:
            calendar = NaiveCalendar(command.calendar, (), turn.now_us)
            self.calendars[command.calendar] = calendar
        calendar.sessions = command.sessions
        calendar.phases = command.phases
        self.follow_clock(turn, calendar)

    def fire_timer(self, turn: NaiveTurn, command: c.FireTimer) -> e.Refused | None:
        due = [timer for timer in self.timers if timer.timer_id == command.timer_id]
        if not due or due[0].due_us > turn.now_us:
            return e.Refused(Refusal.TIMER_NOT_FOUND)
        self.timers = [timer for timer in self.timers if timer is not due[0]]
        match due[0].kind:
            case TimerKind.SESSION:
                self.follow_clock(turn, self.calendars[due[0].target])
            case TimerKind.ORDER_EXPIRY:
                (order,) = [each for each in self.orders if str(each.order_id) == due[0].target]
                self.end(turn, order, EXPIRED, CloseReason.TIME)
            case TimerKind.REOPEN:
                instrument = self.instruments[due[0].target]
                calendar = self.calendars[instrument.calendar]
                self.end_call(turn, instrument)
                self.begin(turn, instrument, calendar.phase_at(turn.now_us), "reopened")
            case TimerKind.INDICATIVE:
                self.tell_indicatives(turn)
            case TimerKind.CORPORATE_ACTION:
                self.take_effect(turn, int(due[0].target))
        return None

    def take_effect(self, turn: NaiveTurn, action_id: int) -> None:
        """A corporate action has its time."""
        raise NotImplementedError

    def tell_indicatives(self, turn: NaiveTurn) -> None:
        calls = [instrument for instrument in self.instruments.values() if instrument.is_call()]
        for instrument in sorted(calls, key=lambda instrument: instrument.symbol):
            event = self.indicative(instrument)
            if event is not None:
                turn.events.append(event)
        if calls:
            self.timers.append(NaiveTimer(turn.new_id(), turn.now_us + 10**6, TimerKind.INDICATIVE, ""))

    def follow_clock(self, turn: NaiveTurn, calendar: NaiveCalendar) -> None:
        """End calls, end days, begin phases; each for all books before the next. Then wait for the next boundary."""
        now_us, phase = turn.now_us, calendar.phase_at(turn.now_us)
        books = [self.instruments[symbol] for symbol in sorted(self.instruments)]
        books = [each for each in books if each.calendar == calendar.calendar and not each.delisted]
        for instrument in books:
            if instrument.is_call() and self.leaves(instrument, phase):
                self.end_call(turn, instrument)
            if calendar.phase is not phase:
                self.end_orders_of(turn, instrument, calendar.phase)
        ended = [close_us for _, close_us in calendar.sessions if calendar.ended_us < close_us <= now_us]
        if ended:
            calendar.ended_us = ended[-1]
            for instrument in books:
                self.end_day(turn, instrument, stays_open=phase is Phase.CONTINUOUS)
        for instrument in books:
            if self.leaves(instrument, phase):
                self.begin(turn, instrument, phase, "calendar")
        calendar.phase = phase
        self.timers = [
            timer
            for timer in self.timers
            if (timer.kind, timer.target) != (TimerKind.SESSION, calendar.calendar)
        ]
        boundary_us = calendar.next_boundary_us(now_us)
        if boundary_us is not None:
            self.timers.append(NaiveTimer(turn.new_id(), boundary_us, TimerKind.SESSION, calendar.calendar))
        self.watch_calls(turn)

    # -- calls and phases

    def leaves(self, instrument: NaiveInstrument, phase: Phase) -> bool:
        """Whether a book follows its calendar; a halt by bands is over with the next call, or with the session."""
        if instrument.halted or instrument.phase is phase:
            return False
        return not (instrument.phase is Phase.HALT_AUCTION and phase is Phase.CONTINUOUS)

    def end_call(self, turn: NaiveTurn, instrument: NaiveInstrument) -> None:
        """The uncross; a halt by bands is over with it."""
        self.uncross(turn, instrument, instrument.phase)
        if instrument.phase is Phase.CLOSING_AUCTION:
            instrument.close_e4 = instrument.anchor_e4()
        self.drop_reopening(instrument)

    def drop_reopening(self, instrument: NaiveInstrument) -> None:
        self.timers = [
            timer
            for timer in self.timers
            if (timer.kind, timer.target) != (TimerKind.REOPEN, instrument.symbol)
        ]

    def end_orders_of(self, turn: NaiveTurn, instrument: NaiveInstrument, phase: Phase) -> None:
        """Orders for the auction alone whose call was the phase that is over."""
        orders = [order for order in self.orders if order.symbol == instrument.symbol]
        for order in sorted(orders, key=lambda order: order.order_id):
            if order.open() and OF_AUCTION.get(order.time_in_force) is phase:
                self.end(turn, order, EXPIRED, CloseReason.AUCTION_END)

    def begin(self, turn: NaiveTurn, instrument: NaiveInstrument, phase: Phase, reason: str) -> None:
        """A phase: orders go to or leave the levels, and where it matches they do."""
        was_call, was = instrument.is_call(), instrument.phase
        instrument.phase = phase
        turn.events.append(e.PhaseChanged(instrument.symbol, phase, reason))
        mine = [order for order in self.orders if order.symbol == instrument.symbol]
        self.seat(turn, instrument)
        if phase in (Phase.CONTINUOUS, Phase.EXTENDED) and not was_call:
            self.uncross(turn, instrument, phase)
        if phase in (Phase.CONTINUOUS, Phase.EXTENDED):
            self.uncross_rest(turn, instrument, phase)
        if phase is Phase.CONTINUOUS:
            for order in sorted(mine, key=lambda order: order.place):
                if order.waiting and self.matches(order):
                    order.waiting = False
                    self.trade(turn, order)
            if was is not phase and instrument.anchor_e4():
                turn.prints.append((instrument.symbol, instrument.anchor_e4()))
        if instrument.is_call():
            instrument.indicated = (0, 0, 0)

    def seat(self, turn: NaiveTurn, instrument: NaiveInstrument) -> None:
        """In the levels is what the phase has there."""
        for order in [order for order in self.orders if order.symbol == instrument.symbol]:
            if order.resting and self.waits(order):
                self.wait(turn, order)
            elif order.waiting and not self.waits(order):
                self.rest(turn, order)

    def halt_or_resume(self, turn: NaiveTurn, command: c.HaltSymbol | c.ResumeSymbol) -> e.Refused | None:
        instrument = self.instruments.get(command.symbol)
        if instrument is None:
            return e.Refused(Refusal.UNKNOWN_SYMBOL)
        if isinstance(command, c.HaltSymbol):
            if instrument.delisted:
                return e.Refused(Refusal.INSTRUMENT_DELISTED)
            instrument.halted, instrument.phase = True, Phase.HALTED
            self.drop_reopening(instrument)
            self.seat(turn, instrument)
            turn.events.append(e.PhaseChanged(command.symbol, Phase.HALTED, command.reason))
            return None
        if not instrument.halted:
            return e.Refused(Refusal.SYMBOL_NOT_HALTED)
        instrument.halted = False
        phase = self.calendars[instrument.calendar].phase_at(turn.now_us)
        if instrument.resume_auction and phase is Phase.CONTINUOUS:
            self.begin_halt(turn, instrument, "resumed")
            return None
        self.begin(turn, instrument, phase, "resumed")
        self.watch_calls(turn)
        return None

    # -- days

    def end_day(self, turn: NaiveTurn, instrument: NaiveInstrument, *, stays_open: bool) -> None:
        """DAY orders end with the day, quotes where the book is not open after it, GTC orders that are too old."""
        mine = [order for order in self.orders if order.symbol == instrument.symbol]
        for order in sorted(mine, key=self.from_the_top):
            if not order.open():
                continue
            if order.is_quote:
                if not stays_open:
                    self.end(turn, order, EXPIRED, CloseReason.SESSION_END)
            elif order.time_in_force is TimeInForce.GTC:
                if turn.now_us - order.created_us > self.gtc_max_age_us:
                    self.end(turn, order, EXPIRED, CloseReason.TIME)
            elif order.time_in_force is not TimeInForce.GTD:
                self.end(turn, order, EXPIRED, CloseReason.SESSION_END)
        instrument.halt_reference_e4, instrument.halt_set_us = 0, 0
        close_e4, instrument.close_e4 = instrument.close_e4 or instrument.anchor_e4(), 0
        instrument.previous_close_e4 = close_e4
        turn.events.append(e.DayEnded(instrument.symbol, close_e4))

    @staticmethod
    def from_the_top(order: NaiveOrder) -> tuple[int, int, int]:
        """Bids before asks, best price first, then who came first; last who is in no level, by id."""
        if not order.resting:
            return (3, 0, order.order_id)
        price_e4, place, side = order.limit_e4, order.place, order.side
        return (side, -price_e4 if side is Side.BUY else price_e4, place)
