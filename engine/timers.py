"""Timers: what becomes due. The runtime fires each by a command of its own, in (due, id) order."""

from __future__ import annotations

from heapq import heappop, heappush

from engine.kinds import TimerKind
from engine.state import State, Timer
from engine.turn import Turn


def add_timer(turn: Turn, due_us: int, kind: TimerKind, target: str) -> int:
    """Arm a timer; returns its id."""
    timer = Timer(turn.new_id(), due_us, kind, target)
    turn.state.timers[timer.timer_id] = timer
    turn.state.dirty["timer"][timer.timer_id] = None
    heappush(turn.state.timer_heap, (due_us, timer.timer_id))
    return timer.timer_id


def drop_timer(state: State, timer: Timer) -> None:
    """Disarm a timer; its place in the heap goes lazily."""
    del state.timers[timer.timer_id]
    state.dirty["timer"][timer.timer_id] = None


def next_timer(state: State) -> Timer | None:
    """The timer that is due first, by (due, id)."""
    heap = state.timer_heap
    while heap:
        timer = state.timers.get(heap[0][1])
        if timer is not None:
            return timer
        heappop(heap)
    return None
