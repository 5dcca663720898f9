"""Start and stop: what was started is stopped in the opposite order, within a deadline, whatever ends the run.

A first SIGTERM or SIGINT drains, a second one ends at once. A fatal fault ends with its own exit code.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from server.exit_codes import ExitCode
from server.journal_errors import JournalFailed
from server.service_manager import ServiceManager

logger = logging.getLogger("kerb.lifecycle")

T = TypeVar("T")
Stop = Callable[[], Awaitable[None] | None]

TICK_S: Final = 0.1
GRACE_S: Final = 1.0
"""What every part gets to stop, even when the deadline has passed."""


class Lifecycle:
    """Runs until a signal or a fault; knows what to stop, and in which order."""

    def __init__(self, manager: ServiceManager, deadline_s: float) -> None:
        self._manager = manager
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
        """A signal: the first drains, the second ends at once."""
        if self._ended.is_set():
            logger.warning("second signal: ending at once")
            os._exit(ExitCode.INTERRUPTED)
        logger.info("stopping: draining for up to %g s", self._deadline_s)
        self._ended.set()

    async def start(self, build: Coroutine[Any, Any, T]) -> T | None:
        """Run what starts the parts, listening for signals from now on; None when one came before that was done."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
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
