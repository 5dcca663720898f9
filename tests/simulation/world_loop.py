"""An event loop whose time is virtual and whose order is seeded, and threads that run only when it says so.

Time stands still while anything can run; then it leaps to the next timer. What is ready runs in an order that the seed
chooses, as far as asyncio promises none: callbacks of one turn that were scheduled one after the other stay in that order unless
`shuffled`.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Final

from greenlet import GreenletExit, getcurrent, greenlet

from server.journal_group import Group

STEPS_MAX: Final = 2_000_000
"""A world that has done so much without an end never ends."""

SLOW_S: Final = 0.1
"""As long as a call of the disk may take."""


class Stuck(AssertionError):
    """Nothing can run any more, and somebody still waits."""


class Strand:
    """What would be a thread: runs when the loop lets it, until it gives way or waits."""

    __slots__ = ("_greenlet", "is_waiting", "loop")

    def __init__(self, loop: WorldLoop) -> None:
        self.loop = loop
        self.is_waiting = False
        self._greenlet: greenlet | None = None

    def run(self, body: Callable[[], None]) -> None:
        """Begin as soon as the loop lets it."""
        self._greenlet = greenlet(body)
        self.loop.strands.append(self)

    def go_on(self) -> None:
        """From the loop: until it gives way."""
        assert self._greenlet is not None
        self._greenlet.switch()
        if self._greenlet.dead:
            self.loop.strands.remove(self)

    def give_way(self) -> None:
        """From the body: let others run."""
        assert self._greenlet is not None
        assert self._greenlet.parent is not None
        self._greenlet.parent.switch()

    def kill(self) -> None:
        """It never goes on."""
        if self._greenlet is not None and not self._greenlet.dead:
            self._greenlet.throw(GreenletExit)


class SteppedWriter(Strand):
    """The journal's writer as a strand (server/writer_thread.py, `GroupWriter`)."""

    __slots__ = ("_groups",)

    def __init__(self, loop: WorldLoop) -> None:
        super().__init__(loop)
        self._groups: deque[Group | None] = deque()

    def start(self, body: Callable[[], None]) -> None:
        self.run(body)

    def put(self, group: Group | None, /) -> None:
        self._groups.append(group)
        self.is_waiting = False

    def get(self) -> Group | None:
        while not self._groups:
            self.is_waiting = True
            self.give_way()
        return self._groups.popleft()

    def join(self) -> None:
        while self in self.loop.strands:
            self.go_on()


class WorldLoop(asyncio.BaseEventLoop):
    """`turns_while_writing` is how many callbacks run, on average, before a strand gets its next turn."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool

    def __init__(self, random: Random, *, shuffled: bool = False) -> None:
        super().__init__()
        self.random = random
        self.shuffled = shuffled
        self.strands: list[Strand] = []
        self.faults: list[str] = []
        self.share_of_strands = random.choice((0.05, 0.3, 0.6, 0.9))
        self._now_s = 0.0
        self._steps = 0
        self.set_exception_handler(self._fault)

    def time(self) -> float:
        return self._now_s

    def give_way(self) -> None:
        """From anywhere: whoever is no part of the loop lets it run."""
        current = getcurrent()
        if current.parent is not None:
            current.parent.switch()

    def _fault(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "was destroyed" not in context["message"]:
            self.faults.append(f"{context['message']}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is left out when its time comes."""

    def _write_to_self(self) -> None:
        """Nobody sleeps that would have to be woken."""

    def _run_once(self) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise Stuck("a world without an end")
        ready, random = self._ready, self.random
        strands = [strand for strand in self.strands if not strand.is_waiting]
        if strands and (random.random() < self.share_of_strands if ready else not self._timer_comes_first()):
            random.choice(strands).go_on()
            return
        if not ready:
            self._wake()
        if not ready:
            if not self._stopping:
                raise Stuck("everybody waits and nothing will happen")
            return
        if self.shuffled and len(ready) > 1:
            ready.rotate(-random.randrange(len(ready)))
        handle = ready.popleft()
        if not handle.cancelled():
            handle._run()

    def _timer_comes_first(self) -> bool:
        """Whether time passes although a strand could go on: its disk is slow."""
        while self._scheduled and self._scheduled[0].cancelled():
            heapq.heappop(self._scheduled)
        soon = self._scheduled and self._scheduled[0].when() < self._now_s + SLOW_S
        return bool(soon) and self.random.random() < 0.1

    def _wake(self) -> None:
        """Leap to the next timer, and make all ready that are due then."""
        scheduled = self._scheduled
        while scheduled and (not self._ready or scheduled[0].when() <= self._now_s):
            timer = heapq.heappop(scheduled)
            if not timer.cancelled():
                self._now_s = max(self._now_s, timer.when())
                self._ready.append(timer)

    def abandon(self) -> None:
        """The process is gone: strands stop where they are, tasks are cancelled."""
        for strand in self.strands:
            strand.kill()
        self.strands.clear()
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._ready.clear()
        self._scheduled.clear()
        self.close()
