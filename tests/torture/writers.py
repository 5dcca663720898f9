"""Second writers: one Kerb holds a journal and its database and trades, others try to take them.

Whatever the attempt, afterwards one process serves, all others have ended with a code that says why, and every order that
anybody was told of is known to the one that serves: so who loses has acknowledged nothing that is not kept.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

from config.loading import load_settings
from server.embedded_postgres import EmbeddedPostgres
from server.exit_codes import ExitCode
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess
from tests.server.reachable_folder import reachable_folder

BEFORE: Final = 5
"""Orders that are acknowledged in a round before anybody tries anything."""

PAUSE_S: Final = 0.005
GIVES_UP_S: Final = 20.0
"""Within this time whoever has lost has ended."""

LOCKED, FOREIGN = ExitCode.LOCKED, ExitCode.FOREIGN_JOURNAL


class Attempt(Enum):
    """How somebody tries to become a second writer, and the codes of those who do not succeed."""

    SAME_FOLDER = ("a second start on the folder", (LOCKED,))
    LOCK_FILE = ("a start after the lock file was deleted", (LOCKED,))
    LOCK_FILE_OF_A_COPY = ("a start on a copy of the folder, taken now", (LOCKED, FOREIGN))
    STALE_COPY = ("a start on a copy of the folder, taken before", (LOCKED, FOREIGN))
    OTHER_JOURNAL = ("a start of another journal on the database", (FOREIGN,))
    WHILE_STOPPED = ("a start on a copy while the holder is stopped", (LOCKED, FOREIGN))
    TWO_AFTER_A_KILL = ("two starts at once on the folder of a killed holder", (LOCKED,))
    COPY_AFTER_A_KILL = ("two starts at once, on a killed holder's folder and on a copy", (LOCKED, FOREIGN))

    @property
    def what(self) -> str:
        """In words."""
        return str(self.value[0])

    @property
    def codes(self) -> tuple[ExitCode, ...]:
        """How a loser may end."""
        codes: tuple[ExitCode, ...] = self.value[1]
        return codes


ATTEMPTS: Final = tuple(Attempt)


@dataclass
class Report:
    """What a round has shown. `acknowledged`: orders, by whomever, all of them kept."""

    attempt: Attempt
    acknowledged: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    taken_over: bool = False

    @property
    def seen(self) -> Counter[str]:
        """The counts for the summary."""
        refused = sum(self.codes.values())
        return Counter({"refused": refused, "orders acknowledged and kept": self.acknowledged})

    def __str__(self) -> str:
        ended = ", ".join(f"{times} {name}" for name, times in self.codes.items())
        took = ", who held it ended" if self.taken_over else ""
        return f"{self.attempt.what}: {ended or 'nobody'} refused{took}; {self.acknowledged} orders acknowledged and kept"


class Trickle:
    """Orders one after the other until the server does not answer; the ids of those that it has acknowledged."""

    def __init__(self, client: Client, numbers: count[int]) -> None:
        self.acknowledged: list[str] = []
        self._client = client
        self._numbers = numbers
        self._stopping = False
        self._enough = asyncio.Event()
        self._task = asyncio.create_task(self._send())

    async def warm(self) -> None:
        """A few orders are acknowledged."""
        waiting = asyncio.create_task(self._enough.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        assert self._enough.is_set(), "the holder takes no orders"

    async def stop(self) -> None:
        """Send nothing more; what is under way is waited for."""
        self._stopping = True
        await self._task

    async def _send(self) -> None:
        try:
            while not self._stopping:
                client_id = f"t{next(self._numbers)}"
                reply = await self._client.place("BUY", "1", "190.00", client_order_id=client_id)
                if reply.status != 201:
                    assert reply.status == 503, reply
                    return
                self.acknowledged.append(reply.data["order_id"])
                if len(self.acknowledged) == BEFORE:
                    self._enough.set()
                await asyncio.sleep(PAUSE_S)
        except (aiohttp.ClientError, OSError):
            return


class Writers:
    """One database, who holds it, and those who try."""

    def __init__(self, folder: Path, dsn: str, http: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._environ = {
            "KERB_DATABASE_URL": dsn,
            "KERB_JOURNAL__SEGMENT_BYTES": "262144",
            "KERB_LOG__LEVEL": "WARNING",
        }
        self._http = http
        self._numbers = count(1)
        self._folders = count(1)
        self._stale = folder / "stale"
        self._client: Client
        self.holder = self._kerb(folder / "kerb-0")
        self._others: list[KerbProcess] = []

    def _kerb(self, data_dir: Path) -> KerbProcess:
        return KerbProcess(data_dir, **self._environ)

    async def prepare(self) -> None:
        """Start the holder; its trader has cash for every order of every round."""
        await self.holder.start()
        self._client = await self.holder.register(self._http, "writer@example.com", "80000000")
        self._copy(self._stale)

    async def round(self, number: int, random: Random) -> Report:
        """The next attempt in turn. Raises AssertionError when two write, or what was acknowledged is not kept."""
        return await self.attempt(ATTEMPTS[number % len(ATTEMPTS)])

    async def attempt(self, attempt: Attempt) -> Report:
        """One attempt."""
        report = Report(attempt)
        before = self.holder
        trickle = Trickle(self._client, self._numbers)
        await trickle.warm()
        self._others = await self._contenders(attempt)
        outcomes = await asyncio.gather(*(self._outcome(other) for other in self._others))
        if attempt is Attempt.WHILE_STOPPED:
            os.kill(before.pid, signal.SIGCONT)
        for other, code in zip(self._others, outcomes, strict=True):
            if code is not None:
                assert code in attempt.codes, f"{attempt.what}: {other} ended with {code}\n{_log(other)}"
                report.codes[ExitCode(code).name] += 1
        await self._settle(report, trickle, before)
        return report

    async def _settle(self, report: Report, trickle: Trickle, before: KerbProcess) -> None:
        """One serves; it knows every order that was acknowledged."""
        serving = [other for other in self._others if other.url]
        if serving and before.process is not None:
            report.taken_over = True
            assert before.process is not None
            async with asyncio.timeout(GIVES_UP_S):
                await asyncio.wait({asyncio.create_task(before.process.wait())})
            code = before.process.returncode
            assert code in (ExitCode.LOCKED, ExitCode.FOREIGN_JOURNAL), f"{before} ended with {code}"
        await trickle.stop()
        assert len(serving) == (before.process is None or report.taken_over), (
            f"{len(serving)} serve: {serving}"
        )
        if serving:
            self.holder = serving[0]
            self._client.base = self.holder.url
        again = Trickle(self._client, self._numbers)
        await again.warm()
        await again.stop()
        acknowledged = [*trickle.acknowledged, *again.acknowledged]
        report.acknowledged = len(acknowledged)
        await self._check_kept(acknowledged)
        assert (await self._client("DELETE", "/orders")).status == 200
        for other in self._others:
            if other is not self.holder and other.data_dir not in (self.holder.data_dir, before.data_dir):
                shutil.rmtree(other.data_dir, ignore_errors=True)

    async def _contenders(self, attempt: Attempt) -> list[KerbProcess]:
        """Those who are to be started."""
        held = self.holder.data_dir
        match attempt:
            case Attempt.SAME_FOLDER:
                return [self._kerb(held)]
            case Attempt.LOCK_FILE:
                (held / "owner.pid").unlink(missing_ok=True)
                return [self._kerb(held)]
            case Attempt.LOCK_FILE_OF_A_COPY:
                copy = self._copy(self._new_folder())
                (copy / "owner.pid").unlink(missing_ok=True)
                return [self._kerb(copy)]
            case Attempt.STALE_COPY:
                copy = self._new_folder()
                shutil.copytree(self._stale, copy)
                return [self._kerb(copy)]
            case Attempt.OTHER_JOURNAL:
                return [self._kerb(self._new_folder())]
            case Attempt.WHILE_STOPPED:
                os.kill(self.holder.pid, signal.SIGSTOP)
                return [self._kerb(self._copy(self._new_folder()))]
            case Attempt.TWO_AFTER_A_KILL:
                await self.holder.kill()
                return [self._kerb(held), self._kerb(held)]
            case Attempt.COPY_AFTER_A_KILL:
                await self.holder.kill()
                return [self._kerb(held), self._kerb(self._copy(self._new_folder()))]

    def _new_folder(self) -> Path:
        return self._folder / f"kerb-{next(self._folders)}"

    def _copy(self, target: Path) -> Path:
        return Path(shutil.copytree(self.holder.data_dir, target, symlinks=True))

    async def _outcome(self, kerb: KerbProcess) -> int | None:
        """The exit code of a start, None when it serves."""
        try:
            await kerb.start()
        except AssertionError:
            assert kerb.process is not None
            return kerb.process.returncode
        return None

    async def _check_kept(self, acknowledged: list[str]) -> None:
        """All of these orders are known, and none twice."""
        wanted = set(acknowledged)
        assert len(wanted) == len(acknowledged), "an order id was given out twice"
        known: Counter[str] = Counter()
        cursor = ""
        while wanted - set(known):
            path = "/orders/history?limit=500" + (f"&cursor={cursor}" if cursor else "")
            reply = await self._client("GET", path)
            assert reply.status == 200, reply
            known.update(order["order_id"] for order in reply.data)
            cursor = reply.meta.get("next_cursor") or ""
            if not cursor:
                break
        lost = sorted(wanted - set(known))
        assert not lost, f"{len(lost)} of {len(wanted)} acknowledged orders are lost, first {lost[0]}"
        assert set(known.values()) == {1}, "an order stands in the history twice"

    async def finish(self) -> None:
        """The books of whoever holds it now are right."""
        await self.holder.verify()

    async def end(self) -> None:
        """Nobody runs any more."""
        for kerb in (self.holder, *self._others):
            if kerb.process is not None and kerb.process.returncode is None:
                os.kill(kerb.pid, signal.SIGCONT)
                await kerb.kill()


def _log(kerb: KerbProcess) -> str:
    return kerb.log.read_text(encoding="utf-8")[-3000:]


@asynccontextmanager
async def held(folder: Path, dsn: str) -> AsyncIterator[Writers]:
    """A holder of an empty database, ready for the first round."""
    async with aiohttp.ClientSession() as http:
        one = Writers(folder, dsn, http)
        try:
            await one.prepare()
            yield one
        finally:
            await one.end()


@asynccontextmanager
async def writers() -> AsyncIterator[Writers]:
    """The same with a database of its own."""
    with reachable_folder() as folder:
        postgres = EmbeddedPostgres(folder / "database", load_settings("test", None, {}).settings.postgres)
        dsn = await postgres.start()
        try:
            async with held(folder, dsn) as one:
                yield one
        finally:
            await postgres.stop()
