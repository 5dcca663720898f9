"""Timers: what becomes due. The runtime fires each by a command of its own, in (due, id) order.

Corporate actions come before all else that is due with them: a book that opens at that minute opens with the new shares.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

from engine.kinds import TimerKind
from engine.state import State, Timer
from engine.turn import Turn
from engine.units import SECOND_US


def add_timer(turn: Turn, due_us: int, kind: TimerKind, target: str) -> int:
    """Arm a timer; returns its id."""
    timer = Timer(turn.new_id(), due_us, kind, target)
    turn.state.timers[timer.timer_id] = timer
    turn.state.dirty["timer"][timer.timer_id] = None
    turn.state.timer_ids[kind, target] = timer.timer_id
    heappush(turn.state.timer_heap, place_of(timer))
    return timer.timer_id


def place_of(timer: Timer) -> tuple[int, bool, int]:
    """Its place in the heap: when it is due, whether others that are due then come before it, its id."""
    return (timer.due_us, timer.kind is not TimerKind.CORPORATE_ACTION, timer.timer_id)


DEAD_MAX: Final = 1_024
"""Places of disarmed timers that the heap may have beyond as many as there are timers."""

SWEPT_MAX: Final = 20_000
"""With more timers the heap is never made anew: that would be a pause. The dead places go when they are due."""


def drop_timer(state: State, timer: Timer) -> None:
    """Disarm a timer; its place in the heap goes lazily."""
    del state.timers[timer.timer_id]
    if state.timer_ids.get((timer.kind, timer.target)) == timer.timer_id:
        del state.timer_ids[timer.kind, timer.target]
    state.dirty["timer"][timer.timer_id] = None
    heap, timers = state.timer_heap, state.timers
    if len(heap) > 2 * len(timers) + DEAD_MAX and len(timers) <= SWEPT_MAX:
        heap[:] = map(place_of, timers.values())
        heapify(heap)


def drop_timer_of(state: State, kind: TimerKind, target: str) -> None:
    """Disarm the timer of a kind and target, if there is one. Such a kind has one timer a target."""
    timer_id = state.timer_ids.get((kind, target))
    if timer_id is not None:
        drop_timer(state, state.timers[timer_id])


def arm_indicative(turn: Turn) -> None:
    """Have the calls looked at a second from now, and every second from then on; one timer serves them all."""
    if (TimerKind.INDICATIVE, "") not in turn.state.timer_ids:
        add_timer(turn, turn.now_us + SECOND_US, TimerKind.INDICATIVE, "")


def next_timer(state: State) -> Timer | None:
    """The timer that is due first."""
    heap = state.timer_heap
    while heap:
        timer = state.timers.get(heap[0][2])
        if timer is not None:
            return timer
        heappop(heap)
    return None
