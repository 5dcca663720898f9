"""Every call that the journal's durability depends on fails once, at each place: an error, a short write, a kill.

strace makes the Nth call of one thread fail: of the journal's thread while the server trades and while it stops, of the
main thread while it starts (with a torn tail, after a clean stop, for the first time). After an error the server has
to end by itself with exit code 74; then it starts again, and everything that it had acknowledged is there once.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg

from server.data_folder import DataFolder
from server.disk import Disk
from server.exit_codes import ExitCode
from server.journal_frame import SEGMENT_START
from server.journal_reader import SegmentWindow
from server.journal_scan import JournalScan, scan_journal
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.disk import exit_code
from tests.torture.job import Job, Round, play_rounds
from tests.torture.kill import ENVIRON, Torture
from tests.torture.outage import External
from tests.torture.strace import (
    KILL,
    SHORT,
    attach,
    calls_in,
    check_strace,
    ended,
    injection,
    options,
    synced_end,
    was_injected,
)

KILLED: Final = -signal.SIGKILL
TORN_BYTES: Final = 700

VERIFIED_EVERY: Final = 5
"""Rounds after which all rows are compared with the whole journal; after each the books are asked for through the API."""

RUN: Final = {
    "KERB_JOURNAL__SEGMENT_BYTES": "65536",  # the smallest: two of them are a short run
    "PYTHONDONTWRITEBYTECODE": "1",  # compiled modules are renamed, too
}


class When(Enum):
    """What the server is doing."""

    TRADING = "trading"
    STOPPING = "stopping"
    START_TORN = "starting after a kill, with a torn tail"
    START_CLEAN = "starting after a clean stop"
    FIRST_START = "starting for the first time"


SHORT_RUN: Final[dict[When, dict[str, int]]] = {
    When.TRADING: {"pwrite64": 34, "fdatasync": 34, "fallocate": 2, "rename": 2, "fsync": 2},
    When.STOPPING: {"pwrite64": 1, "fdatasync": 1, "rename": 1, "fsync": 1},
    When.START_TORN: {"pwrite64": 2, "fdatasync": 3, "rename": 1, "fsync": 4, "unlink": 1},
    When.START_CLEAN: {"fdatasync": 1, "fsync": 4, "unlink": 2},
    When.FIRST_START: {"pwrite64": 4, "fdatasync": 4, "fallocate": 1, "rename": 4, "fsync": 8, "unlink": 1},
}
"""How often each call is made: while trading in two segments of 64 KiB, else at most, from the beginning to the end."""

ERRORS: Final = {"pwrite64": ("EIO", "ENOSPC", SHORT, KILL)}
ERRORS_ELSE: Final = ("EIO", "ENOSPC", KILL)


@dataclass(frozen=True)
class Injection:
    """The nth `call` (from 1) fails; '' for none, which only counts."""

    when: When
    call: str = ""
    error: str = ""
    nth: int = 0

    def __str__(self) -> str:
        what = f"{self.error} at {self.call} {self.nth}" if self.call else "counted"
        return f"{what}, {self.when.value}"

    @property
    def strace(self) -> str:
        """As strace's option says it."""
        return injection(self.call, self.error, self.nth) if self.call else ""


INJECTIONS: Final = tuple(
    one
    for when, calls in SHORT_RUN.items()
    for one in (
        Injection(when),
        *(
            Injection(when, call, error, nth)
            for call, count in calls.items()
            for nth in range(1, count + 1)
            for error in ERRORS.get(call, ERRORS_ELSE)
        ),
    )
)
"""What `inject` does, in this order. Before each phase its calls are counted: another number of them fails."""


class Injector:
    """One folder and its PostgreSQL, through any number of injections."""

    def __init__(self, kerb: KerbProcess, rounds: Torture, folder: Path) -> None:
        self._kerb = kerb
        self._rounds = rounds
        self._log = folder / "strace.log"

    async def run(self, one: Injection) -> str:
        """One injection, or one count. Raises AssertionError for what is wrong; what it saw."""
        self._log.unlink(missing_ok=True)
        if one.when in (When.TRADING, When.STOPPING):
            loaded = one.when is When.TRADING
            report = await self._rounds.round_of(
                str(one), lambda kerb: self._while_running(kerb, one), expected=_code(one),
                inspect=self._nothing_early, loaded=loaded,
            )  # fmt: skip
        else:
            clean = one.when is When.START_CLEAN
            report = await self._rounds.round_of(
                str(one), _stopped if clean else _killed, lambda: self._while_starting(one),
                expected=ExitCode.OK if clean else KILLED, loaded=not one.call,
            )  # fmt: skip
        check_log(self._log, one)
        return str(report)

    async def _while_running(self, kerb: KerbProcess, one: Injection) -> int:
        """The server's exit code. Its load goes on until the call is reached, or two segments are full."""
        tracer = await attach(kerb.pid, self._log, one.strace)
        try:
            if one.when is When.STOPPING:
                return await kerb.stop()
            if not one.call:
                await self._short_run()
                return await kerb.end(signal.SIGKILL)
            return await exit_code(kerb)
        finally:
            await ended(tracer)

    async def _short_run(self) -> None:
        """Wait until the calls of two segments have been made: more of them when several records share a group."""
        expected = SHORT_RUN[When.TRADING]
        while any(count < expected.get(call, 0) for call, count in calls_in(self._log).items()):
            await asyncio.sleep(0.01)

    async def _while_starting(self, one: Injection) -> None:
        leftover = self._kerb.data_dir / DataFolder.JOURNAL_NAME / "segment-next.tmp"
        leftover.touch()  # as every load leaves it
        while one.when is When.START_TORN and not tear(self._kerb.data_dir):
            await self._go_over_to_a_new_segment()
        await start_traced(self._kerb, self._log, one)

    async def _go_over_to_a_new_segment(self) -> None:
        """The last one is full, so nothing could have been written to it: one more record is."""
        await self._kerb.start()
        async with aiohttp.ClientSession() as http:
            await self._kerb.register(http, f"torn{secrets.token_hex(4)}@example.com")
        await self._kerb.kill()

    def _nothing_early(self, scan: JournalScan, acknowledged: int) -> None:
        """What was acknowledged had been synced, as the log of the calls has it."""
        last = scan.segments[-1]
        end = synced_end(self._log, last.path)
        if end is None:
            return
        synced_seq = max(last.first_seq - 1, _last_seq_in(last.path, end))
        assert acknowledged <= synced_seq, f"{acknowledged} was acknowledged, {synced_seq} was synced"


def _code(one: Injection) -> int:
    if one.error == KILL or (one.when is When.TRADING and not one.call):
        return KILLED
    return ExitCode.JOURNAL_IO if one.call else ExitCode.OK


async def _killed(kerb: KerbProcess) -> int:
    await asyncio.sleep(0.2)
    return await kerb.end(signal.SIGKILL)


async def _stopped(kerb: KerbProcess) -> int:
    await asyncio.sleep(0.2)
    return await kerb.stop()


def check_log(log: Path, one: Injection) -> None:
    """The call was reached, or is not made so often; where nothing was to fail, `SHORT_RUN` has all that were made."""
    counted = calls_in(log)
    if one.call:
        is_reached = one.error == KILL or was_injected(log)
        assert is_reached or counted[one.call] < one.nth, log.read_text(encoding="utf-8")
        return
    expected = dict.fromkeys(counted, 0) | SHORT_RUN[one.when]
    if one.when is When.TRADING:
        assert all(counted[call] >= count for call, count in expected.items()), counted
    else:
        assert all(counted[call] <= count for call, count in expected.items()), (
            f"{one}: {counted} are made now; SHORT_RUN must say so"
        )


async def start_traced(kerb: KerbProcess, log: Path, one: Injection) -> None:
    """A start whose main thread is traced: it ends with the right code, or serves when nothing was to fail."""
    starting = kerb.start(*options(log, one.strace), "-D")
    (failure,) = await asyncio.gather(starting, return_exceptions=True)
    process = kerb.process
    assert process is not None
    if failure is None:
        await kerb.kill()
        assert not one.call or calls_in(log)[one.call] < one.nth, f"{one}: it serves all the same"
    else:
        assert process.returncode == _code(one), failure
        kerb.process = None


def tear(data_dir: Path) -> bool:
    """Put what a group that was never synced may have left after the end of the journal. False when there is no room."""
    journal_id = DataFolder.journal_id_in(data_dir)
    assert journal_id is not None
    last = scan_journal(Disk(), data_dir / DataFolder.JOURNAL_NAME, journal_id, 0).segments[-1]
    if last.end_offset + TORN_BYTES > last.header.capacity_bytes:
        return False
    fd = os.open(last.path, os.O_WRONLY)
    try:
        os.pwrite(fd, b"\x5a" * TORN_BYTES, last.end_offset)
    finally:
        os.close(fd)
    return True


def _last_seq_in(path: Path, end: int) -> int:
    """The last sequence of the frames that end at or before a byte of a segment; 0 when there is none."""
    fd = os.open(path, os.O_RDONLY)
    try:
        window = SegmentWindow(Disk(), fd)
        offset, last_seq = SEGMENT_START, 0
        while (header := window.frame_header(offset)) is not None and offset + header.size_bytes <= end:
            last_seq = header.last_seq
            offset += header.size_bytes
        return last_seq
    finally:
        os.close(fd)


class FirstStarts:
    """First starts, each in a new folder and a new database of one PostgreSQL."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self._folder = folder
        self._dsn = dsn

    async def run(self, number: int, one: Injection) -> str:
        """A first start that fails; the next one has to make everything."""
        database, log = f"first_{number}", self._folder / "strace.log"
        log.unlink(missing_ok=True)
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.execute(f"CREATE DATABASE {database}")
        finally:
            await connection.close()
        kerb = KerbProcess(
            self._folder / database,
            **ENVIRON | RUN,
            KERB_DATABASE_URL=self._dsn.replace("/kerb?", f"/{database}?"),
        )
        try:
            await start_traced(kerb, log, one)
            check_log(log, one)
            await kerb.start()
            await kerb.verify()
            return f"{one}: then it started"
        finally:
            await kerb.kill()


@asynccontextmanager
async def injector(seed: int) -> AsyncIterator[tuple[Injector, FirstStarts]]:
    """A server on a PostgreSQL of its own, whose calls are not traced."""
    with reachable_folder() as folder:
        external = External(folder / "external")
        dsn = await external.start()
        try:
            async with (
                running_kerb(folder / "kerb", **ENVIRON | RUN, KERB_DATABASE_URL=dsn) as kerb,
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
            ):
                rounds = Torture(kerb, http, seed, dsn)
                rounds.verified_every = VERIFIED_EVERY
                await rounds.prepare()
                yield Injector(kerb, rounds, folder), FirstStarts(folder, dsn)
        finally:
            await external.stop()


async def inject(job: Job) -> None:
    """All injections."""
    check_strace()

    async def play(world: tuple[Injector, FirstStarts], number: int, one: Round) -> None:
        running, first = world
        injection = INJECTIONS[number % len(INJECTIONS)]
        is_first = injection.when is When.FIRST_START
        one.text = await (first.run(number, injection) if is_first else running.run(injection))
        one.seen.update({injection.when.value: 1, injection.error or "counted": 1})

    await play_rounds(job, lambda random: injector(random.randrange(1 << 30)), play)
