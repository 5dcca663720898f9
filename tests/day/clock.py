"""The day's clock: it stands while anybody does something, and goes on to what is due next when everybody waits for a time.

So a day takes as long as what happens in it, whatever the machine does beside, and every moment of it is known exactly.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any, Final

NUMBER_NS: Final = struct.Struct("<q")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STUCK_S: Final = 120.0
"""Of real time; nothing that is due at one moment takes so long, a start of the server included."""


class DayClock:
    """Virtual time in seconds since the day's start; the server reads it from `path` (tests/torture/clock_seam). `woken` is how
    many do something now.

    Each life is a coroutine that does something and then waits with `at`. A life may wait for what other lives do at the
    same time, but not for what they do later.
    """

    def __init__(self, path: Path, start: datetime) -> None:
        self.path = path
        self.start = start
        self.now_s = 0
        self.woken = 0
        self._due: list[tuple[int, int, asyncio.Future[None]]] = []
        self._places = count()
        self._busy = 0
        self._all_wait = asyncio.Event()
        self._failure: BaseException | None = None
        self.move(0)

    def __repr__(self) -> str:
        return f"<DayClock {self.now.isoformat()} busy={self._busy} due={len(self._due)}>"

    @property
    def now(self) -> datetime:
        """What it shows."""
        return self.start + timedelta(seconds=self.now_s)

    def move(self, to_s: int) -> None:
        """It shows another time from now on, as one write of eight bytes."""
        self.now_s = to_s
        number = NUMBER_NS.pack((self.now - EPOCH) // timedelta(microseconds=1) * 1_000)
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(fd, number, 0)
        finally:
            os.close(fd)

    async def at(self, second: int) -> None:
        """Wait until then; a time that is over is now."""
        if second <= self.now_s:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._due, (second, next(self._places), woken))
        self._waits()
        await woken

    async def run(
        self,
        lives: Sequence[Coroutine[Any, Any, None]],
        end_s: int,
        *,
        meanwhile: Callable[[], Awaitable[None]],
        between: Callable[[], Awaitable[None]],
    ) -> None:
        """Live until the end. Raises what a life raises.

        `meanwhile` is awaited at each new time, beside what is done then; `between` before the next time, while everybody waits.
        """
        self._busy = len(lives)
        tasks = [asyncio.ensure_future(life) for life in lives]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            while True:
                await self._settled()
                await between()
                if not self._due or self._due[0][0] > end_s:
                    break
                self._wake()
                await meanwhile()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.move(end_s)

    async def _settled(self) -> None:
        """Until everybody waits. Raises what a life has raised, and TimeoutError when somebody is stuck."""
        async with asyncio.timeout(STUCK_S):
            await self._all_wait.wait()
        if self._failure is not None:
            raise self._failure

    def _wake(self) -> None:
        """Go on to what is due next."""
        self._all_wait.clear()
        self.move(self._due[0][0])
        self.woken = 0
        while self._due and self._due[0][0] == self.now_s:
            self._busy += 1
            self.woken += 1
            heappop(self._due)[2].set_result(None)

    def _ended(self, life: asyncio.Future[None]) -> None:
        if not life.cancelled() and life.exception() is not None:
            self._failure = self._failure or life.exception()
            self._all_wait.set()
        self._waits()

    def _waits(self) -> None:
        """One less does something."""
        self._busy -= 1
        if self._busy <= 0:
            self._all_wait.set()
