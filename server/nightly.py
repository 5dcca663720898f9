"""Verifies once a day by itself, in a process of its own that gives way to everybody, and says what came of it.

`run.py verify` is started at `verify.at` (local time of `verify.zone`) beside the running server. The result goes to the log, to
the metrics that config/alerts.yml watches, and into `verify-last.json` of the data folder, where the next start finds it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from config.settings import Mode, Settings
from server.clock import Clock, WallClock
from server.disk import Disk
from server.verdict import Outcome
from server.verify import Finding

log = logging.getLogger("kerb.verify")

FILE_NAME: Final = "verify-last.json"
RUN: Final = Path(__file__).resolve().parents[1] / "run.py"
LOGGED_MAX: Final = 20
LIMIT_S: Final = 12 * 3_600.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Said(Struct):
    """What `run.py verify --json` prints."""

    outcome: Outcome
    findings: list[Finding]


class Verified(Struct):
    """The last verification: when it ended (seconds since the epoch, 0: never), what it found, whether it could not be done."""

    at_s: float = 0.0
    took_s: float = 0.0
    findings: int = 0
    failed: bool = False
    last_seq: int = 0


def next_us(now_us: int, at: str, zone: str) -> int:
    """The next moment after `now_us` at which it is `at` (HH:MM) there. One that a change of clocks leaves out comes an hour later."""
    hour, _, minute = at.partition(":")
    local = (_EPOCH + timedelta(microseconds=now_us)).astimezone(ZoneInfo(zone))
    for days in (0, 1, 2):
        day = (local + timedelta(days=days)).replace(
            hour=int(hour), minute=int(minute), second=0, microsecond=0, fold=0
        )
        due_us = (day.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
        if due_us > now_us:
            return due_us
    raise AssertionError("one of three days has that time")


class Nightly:
    """Starts what is due. `verified` is brought up to date; `stop` ends a verification under way."""

    def __init__(self, settings: Settings, verified: Verified, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or WallClock()
        self._path = settings.data_dir / FILE_NAME
        self._task: asyncio.Task[None] | None = None
        self._due_us = 0
        self.verified = verified
        _take(verified, _stored(self._path))
        if settings.verify.at:
            self._due_us = next_us(self._clock.now_us(), settings.verify.at, settings.verify.zone)

    def __repr__(self) -> str:
        return f"<Nightly due {self._due_us}, {self.verified!r}>"

    def tick(self) -> None:
        """Start a verification that is due, unless the last one still runs."""
        if not self._due_us or self._clock.now_us() < self._due_us:
            return
        self._due_us = next_us(self._clock.now_us(), self._settings.verify.at, self._settings.verify.zone)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.run(), name="nightly-verify")

    async def stop(self) -> None:
        """End it; the child too."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def run(self) -> None:
        """Verify now, and keep what came of it."""
        log.info("verifying the books and the journal")
        said, error = await self._verify()
        found = Verified(self._clock.now_us() / 1_000_000, failed=said is None)
        if said is None:
            log.error("the verification could not be done: %s", error)
        else:
            found.took_s, found.last_seq = said.outcome.took_s, said.outcome.last_seq
            found.findings = len(said.findings)
            for finding in said.findings[:LOGGED_MAX]:
                log.critical("the books are wrong: %s", finding)
            log.info("verified up to %d in %.1f s, %d findings", found.last_seq, found.took_s, found.findings)
        _take(self.verified, found)
        await asyncio.to_thread(Disk().replace_file, self._path, msgspec.json.encode(found))

    async def _verify(self) -> tuple[Said | None, str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("KERB_")}
        environ["KERB_DATA_DIR"] = str(self._settings.data_dir)
        if self._settings.database_url is not None:
            environ["KERB_DATABASE_URL"] = self._settings.database_url
        # Any mode will do: of the settings only these two matter to it, and production asks for secrets that it has no need of.
        command = ("verify", "--mode", Mode.DEMO.value, "--json", "--nice", "19")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(RUN), *command), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environ
        )
        try:
            async with asyncio.timeout(LIMIT_S):
                output, errors = await process.communicate()
        except (asyncio.CancelledError, TimeoutError):
            process.kill()
            await process.wait()
            raise
        try:
            return msgspec.json.decode(output, type=Said), ""
        except msgspec.MsgspecError:
            return None, errors.decode(errors="replace").strip() or f"exit code {process.returncode}"


def _stored(path: Path) -> Verified:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verified)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Verified()


def _take(verified: Verified, new: Verified) -> None:
    for name in Verified.__struct_fields__:
        setattr(verified, name, getattr(new, name))
