"""Start and stop: what was started is stopped in the opposite order, within a deadline, whatever ends the run.

A first SIGTERM, SIGINT or SIGHUP drains, another one after a second ends at once. A fatal fault ends with its own exit
code.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from server.clock import Stopwatch, WallClock
from server.exit_codes import ExitCode
from server.journal_errors import JournalFailed
from server.service_manager import ServiceManager

logger = logging.getLogger("kerb.lifecycle")

T = TypeVar("T")
Stop = Callable[[], Awaitable[None] | None]

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP is what a terminal sends when it is closed. Who starts with it ignored (nohup) does not want to be told."""

REPEAT_US: Final = 1_000_000
"""Signals within this time are one: a group is told as a whole, and `make` or a supervisor in it passes on what it got."""

TICK_S: Final = 0.1
GRACE_S: Final = 1.0
"""What every part gets to stop, even when the deadline has passed."""


class Lifecycle:
    """Runs until a signal or a fault; knows what to stop, and in which order."""

    def __init__(self, manager: ServiceManager, deadline_s: float, watch: Stopwatch | None = None) -> None:
        self._manager = manager
        self._watch: Stopwatch = watch or WallClock()
        self._asked_us: int | None = None
        self._deadline_s = deadline_s
        self._stops: list[tuple[str, Stop]] = []
        self._ended = asyncio.Event()
        self._ticks: list[Callable[[], None]] = []
        self._ticking: asyncio.TimerHandle | None = None
        self._alive_at_s = 0.0
        self.exit_code = ExitCode.OK
        self.reason = ""

    def on_stop(self, name: str, stop: Stop) -> None:
        """`stop` runs at the end, before what was registered earlier."""
        self._stops.append((name, stop))

    def on_tick(self, tick: Callable[[], None]) -> None:
        """`tick` runs ten times a second."""
        self._ticks.append(tick)

    def fatal(self, code: ExitCode, reason: str) -> None:
        """End now, with this exit code; the first one counts."""
        if self.exit_code is ExitCode.OK:
            self.exit_code = code
            self.reason = reason
            logger.critical("%s", reason)
        self._ended.set()

    def request_stop(self) -> None:
        """A signal: the first drains, another one ends at once, unless it is but the first one's echo."""
        now_us = self._watch.elapsed_us()
        if self._asked_us is None:
            self._asked_us = now_us
            logger.info("stopping: draining for up to %g s", self._deadline_s)
            self._ended.set()
        elif now_us - self._asked_us >= REPEAT_US:
            logger.warning("second signal: ending at once")
            os._exit(ExitCode.INTERRUPTED)

    async def start(self, build: Coroutine[Any, Any, T]) -> T | None:
        """Run what starts the parts, listening for signals from now on; None when one came before that was done."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.request_stop)
        starting = loop.create_task(build, name="start")
        ended = loop.create_task(self._ended.wait(), name="signals")
        await asyncio.wait((starting, ended), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.wait((starting,))
        return None if starting.cancelled() else starting.result()

    async def run(self, status: str) -> None:
        """Ready; then wait for the end."""
        self._manager.ready(status)
        self._tick()
        await self._ended.wait()

    async def stop(self) -> None:
        """Stop everything, last started first, until the deadline; what hangs is cut off and named."""
        self._manager.stopping()
        if self._ticking is not None:
            self._ticking.cancel()
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._deadline_s
        while self._stops:
            name, stop = self._stops.pop()
            try:
                async with asyncio.timeout_at(max(deadline_s, loop.time() + GRACE_S)):
                    stopping = stop()
                    if stopping is not None:
                        await stopping
            except TimeoutError:
                logger.error("%s did not stop in time", name)
                self.exit_code = self.exit_code or ExitCode.INTERRUPTED
            except JournalFailed as error:
                self.fatal(ExitCode.JOURNAL_IO, str(error))
            except Exception as error:  # what is left must be stopped all the same
                logger.critical("%s failed to stop", name, exc_info=error)
                self.exit_code = self.exit_code or ExitCode.INTERRUPTED

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_later(TICK_S, self._tick)
        if self._manager.watchdog_s and loop.time() - self._alive_at_s > self._manager.watchdog_s / 3:
            self._alive_at_s = loop.time()
            self._manager.alive()
        for tick in self._ticks:
            tick()
