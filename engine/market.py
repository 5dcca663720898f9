"""Instruments and what an operator does to them: list, mark, halt, resume, kill switches, limits."""

from __future__ import annotations

from engine.asset_names import is_currency
from engine.book import Book
from engine.calendars import CALLS, phase_at
from engine.closing import close_all, close_book
from engine.commands import (
    Envelope,
    HaltSymbol,
    Marks,
    ResumeSymbol,
    SetInstrument,
    SetKillSwitch,
    SetLimits,
)
from engine.events import InstrumentSet, KillSwitchSet, PhaseChanged, Refused
from engine.halts import begin_halt_call
from engine.kinds import CloseReason, KillScope, Phase, PriceSource
from engine.refusals import Refusal
from engine.risk import instrument_bounds_hold
from engine.sessions import begin_phase, end_call, expire_missed, leaves_for
from engine.state import Instrument, KillSwitch, Limits, State
from engine.stops import show_reference
from engine.timers import arm_indicative
from engine.trading import Answer
from engine.turn import Turn
from engine.units import BPS, DAY_US, NOTIONAL_MAX_E4, QUANTITY_MAX_E8, TIME_MAX_US, notional_down_e4
from engine.watching import watch

TAPE = PriceSource.TAPE

COUNT_MAX = 10**9
"""No bound on a number of orders or keys is higher: beyond it there would be none."""

ID_DIGITS_MAX = 19
"""The digits of a BIGINT; Python itself refuses to read far longer ones."""


def set_instrument(turn: Turn, envelope: Envelope, command: SetInstrument) -> Answer:
    """List an instrument, or change one; currency never changes, lots only get finer, the tick not under open orders."""
    state = turn.state
    if command.calendar not in state.calendars:
        return Refused(Refusal.CALENDAR_NOT_FOUND)
    known = state.instruments.get(command.symbol)
    refused = instrument_refusal(state, known, command)
    if refused is not None:
        return refused
    if known is None:
        phase = phase_at(state.calendars[command.calendar], turn.now_us)
        instrument = Instrument(
            command.symbol,
            command.name,
            command.currency,
            command.tick_e4,
            command.lot_e8,
            command.price_min_e4,
            command.price_max_e4,
            command.calendar,
            command.price_source,
            command.band_bps,
            command.fee_schedule,
            command.reference_e4,
            phase,
            False,
            0,
            command.reference_e4,
            command.halt_bps,
            command.halt_window_us,
            command.halt_us,
            command.resume_auction,
        )
        state.instruments[command.symbol] = instrument
        state.books[command.symbol] = Book(command.symbol)
    else:
        if known.price_source is not command.price_source:
            change_instrument(known, command)
            show_reference(turn, known)
        else:
            change_instrument(known, command)
        instrument = known
    state.dirty["instrument"][command.symbol] = None
    watch(state)
    turn.events.append(
        InstrumentSet(
            command.symbol,
            command.name,
            command.currency,
            command.tick_e4,
            command.lot_e8,
            command.price_min_e4,
            command.price_max_e4,
            command.calendar,
            command.price_source,
            command.band_bps,
            command.fee_schedule,
        )
    )
    follow(turn, instrument, "listed" if known is None else "changed")
    return None


def follow(turn: Turn, instrument: Instrument, reason: str) -> None:
    """Bring a listed book to its calendar's phase, and say where it is."""
    calendar = turn.state.calendars[instrument.calendar]
    phase = phase_at(calendar, turn.now_us)
    is_leaving = leaves_for(instrument, phase)
    if is_leaving:
        end_call(turn, instrument)
    expire_missed(turn, instrument, calendar)
    if is_leaving:
        begin_phase(turn, instrument, phase, reason)
    else:
        turn.events.append(PhaseChanged(instrument.symbol, instrument.phase, reason))
    if instrument.phase in CALLS:
        arm_indicative(turn)


def instrument_refusal(state: State, known: Instrument | None, command: SetInstrument) -> Refused | None:
    """Whether an instrument's terms are sound, and reachable from those it has."""
    worth_e4 = notional_down_e4(command.price_min_e4, command.lot_e8)
    if (
        not command.symbol
        or is_currency(state, command.symbol)
        or command.currency == command.symbol
        or not command.currency
        or command.currency in state.instruments
        or command.fee_schedule not in state.fees
        or not instrument_bounds_hold(
            command.tick_e4, command.lot_e8, command.price_min_e4, command.price_max_e4
        )
        or worth_e4 < 1
        or not 0 < command.band_bps < BPS
        or not 0 <= command.halt_bps < BPS
        or not 0 < command.halt_window_us <= TIME_MAX_US
        or not 0 < command.halt_us <= DAY_US
        or not 0 <= command.reference_e4 <= command.price_max_e4
    ):
        return Refused(Refusal.INVALID_INSTRUMENT)
    if known is None:
        return None
    book = state.books[command.symbol]
    terms_change = known.tick_e4 != command.tick_e4 or known.lot_e8 != command.lot_e8
    if (
        known.currency != command.currency
        or known.lot_e8 % command.lot_e8
        or (terms_change and (book.bids.levels or book.asks.levels or command.symbol in state.off_book))
    ):
        return Refused(Refusal.INVALID_INSTRUMENT)
    return None


def change_instrument(known: Instrument, command: SetInstrument) -> None:
    """Give a listed instrument new terms. Its prices stay: a configured reference is for the listing alone."""
    known.name = command.name
    known.tick_e4 = command.tick_e4
    known.lot_e8 = command.lot_e8
    known.price_min_e4 = command.price_min_e4
    known.price_max_e4 = command.price_max_e4
    known.calendar = command.calendar
    known.price_source = command.price_source
    known.band_bps = command.band_bps
    known.fee_schedule = command.fee_schedule
    known.halt_bps = command.halt_bps
    known.halt_window_us = command.halt_window_us
    known.halt_us = command.halt_us
    known.resume_auction = command.resume_auction


def set_limits(turn: Turn, envelope: Envelope, command: SetLimits) -> Answer:
    """Set the venue's limits."""
    if not (
        0 < command.order_quantity_max_e8 <= QUANTITY_MAX_E8
        and 0 < command.order_value_max_e4 <= NOTIONAL_MAX_E4
        and 0 < command.open_orders_max <= COUNT_MAX
        and 0 < command.market_collar_bps < BPS
        and 0 < command.keys_per_user_max <= command.keys_max <= COUNT_MAX
        and 0 < command.key_ttl_us <= TIME_MAX_US
        and 0 < command.gtc_max_age_us <= TIME_MAX_US
    ):
        return Refused(Refusal.INVALID_LIMITS)
    turn.state.limits = Limits(
        command.order_quantity_max_e8,
        command.order_value_max_e4,
        command.open_orders_max,
        command.market_collar_bps,
        command.keys_per_user_max,
        command.keys_max,
        command.key_ttl_us,
        command.gtc_max_age_us,
    )
    turn.state.dirty["limits"]["limits"] = None
    turn.state.purge_due_us = 0  # keys may now live longer or shorter: the next command looks
    return None


def marks(turn: Turn, envelope: Envelope, command: Marks) -> Answer:
    """Take reference prices from a tape. All of them, or none when a symbol or price is unknown to us."""
    state = turn.state
    for symbol, price_e4 in command.prices:
        if symbol not in state.instruments:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        if not 0 < price_e4 <= state.instruments[symbol].price_max_e4:
            return Refused(Refusal.INVALID_PRICE)
    for symbol, price_e4 in command.prices:
        instrument = state.instruments[symbol]
        instrument.reference_e4 = price_e4
        state.dirty["instrument"][symbol] = None
        if instrument.price_source is TAPE and symbol in state.stops:
            turn.note_print(symbol, price_e4)
    return None


def halt_symbol(turn: Turn, envelope: Envelope, command: HaltSymbol) -> Answer:
    """Stop trading in a symbol; a second halt changes the reason only."""
    instrument = turn.state.instruments.get(command.symbol)
    if instrument is None:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    if instrument.is_delisted:
        return Refused(Refusal.INSTRUMENT_DELISTED)
    instrument.halted = True
    begin_phase(turn, instrument, Phase.HALTED, command.reason)
    return None


def resume_symbol(turn: Turn, envelope: Envelope, command: ResumeSymbol) -> Answer:
    """End a halt; the book goes to its calendar's phase, through a call where it opens by an auction."""
    state = turn.state
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    if not instrument.halted:
        return Refused(Refusal.SYMBOL_NOT_HALTED)
    instrument.halted = False
    phase = phase_at(state.calendars[instrument.calendar], turn.now_us)
    if phase is Phase.CONTINUOUS and instrument.resume_auction:
        begin_halt_call(turn, instrument, "resumed")
        return None
    follow(turn, instrument, "resumed")
    return None


def set_kill_switch(turn: Turn, envelope: Envelope, command: SetKillSwitch) -> Answer:
    """Turn a kill switch on, which cancels all open orders in its scope, or off."""
    state = turn.state
    key = (command.scope, command.target)
    refused = kill_target_refusal(state, command)
    if refused is not None:
        return refused
    state.dirty["kill_switch"][key] = None
    turn.events.append(KillSwitchSet(command.scope, command.target, command.on, command.reason))
    if not command.on:
        state.kill_switches.pop(key, None)
        return None
    state.kill_switches[key] = KillSwitch(command.scope, command.target, command.reason)
    if command.scope is KillScope.ACCOUNT:
        close_all(turn, state.accounts[int(command.target)], "", CloseReason.KILL_SWITCH)
    for symbol in sorted(state.books):
        if command.scope is KillScope.MARKET or (
            command.scope is KillScope.SYMBOL and symbol == command.target
        ):
            close_book(turn, state, symbol, CloseReason.KILL_SWITCH)
    return None


def kill_target_refusal(state: State, command: SetKillSwitch) -> Refused | None:
    """Whether what the switch is for exists. A switch for the market has no target: with one it would stop nothing."""
    target = command.target
    if command.scope is KillScope.MARKET and target:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    if command.scope is KillScope.SYMBOL and target not in state.instruments:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    if command.scope is KillScope.ACCOUNT and (
        len(target) > ID_DIGITS_MAX
        or not (target.isascii() and target.isdigit())
        or str(int(target)) != target
        or int(target) not in state.accounts
    ):
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    return None
