"""What must hold after every command of phases, calls and timers. Slow; part of `check_invariants`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.calendars import CALLS, is_sound
from engine.kinds import Phase, TimerKind
from engine.state import State

SAID_NOTHING = (0, 0, 0)


def broken_sessions(state: State) -> Iterator[str]:
    """Halts are what they are called, calls have the timers that end and watch them, and every timer can be found."""
    for calendar in state.calendars.values():
        if not is_sound(calendar.sessions, calendar.phases):
            yield f"calendar {calendar.calendar} is not in order"
    for symbol, instrument in state.instruments.items():
        phase = instrument.phase
        if instrument.halted is not (phase is Phase.HALTED):
            yield f"{symbol} is {phase.name}, and halted: {instrument.halted}"
        if (phase is Phase.HALT_AUCTION) is not ((TimerKind.REOPEN, symbol) in state.timer_ids):
            yield f"{symbol} is {phase.name}, and its reopening is armed or not"
        if phase in CALLS and (TimerKind.INDICATIVE, "") not in state.timer_ids:
            yield f"{symbol} is {phase.name}, and nothing watches it"
        if phase not in CALLS and instrument.indicative != SAID_NOTHING:
            yield f"{symbol} is {phase.name}, and says {instrument.indicative} of an auction"
    for (kind, target), timer_id in state.timer_ids.items():
        timer = state.timers.get(timer_id)
        if timer is None or (timer.kind, timer.target) != (kind, target):
            yield f"timer {timer_id} is not that of {kind.name} {target}"
    named = {(timer.kind, timer.target) for timer in state.timers.values()}
    if named != state.timer_ids.keys():
        yield f"{len(state.timers)} timers are armed, {len(state.timer_ids)} can be found"
