"""PostgreSQL is stopped, hung or killed under load: orders go on, nothing is lost, memory stays, the backlog drains."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

import aiohttp

from config.loading import load_settings
from server.embedded_postgres import EmbeddedPostgres
from server.postgres_process import processes_in
from tests.e2e.load import Kind, Load, Outcome, Requests, make_traders, numbers
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.aftermath import Account, Aftermath
from tests.torture.job import STUCK_S, Job

TRADERS: Final = 6
SAMPLE_S: Final = 0.25
DRAINED_RECORDS: Final = 2_000
"""Under load the write-behind is always a batch or so behind."""

MB: Final = 1_000_000

WARM_UP: Final = 125_000
"""Orders before an outage: the memories of records and of private events are full then."""

RATE: Final = 1_000
"""Requests a second during it."""

GROWTH_MAX_MB: Final = 50.0


class How(Enum):
    """What happens to PostgreSQL."""

    STOPPED = "stopped"
    KILLED = "killed"
    HUNG = "hung"
    THERE = "there"
    """It is not taken away: what the same load does to memory without an outage."""


@dataclass
class Outage:
    """What was measured. Times in seconds, memory in MB."""

    how: How
    away_s: float = 0.0
    orders: int = 0
    orders_while_away: int = 0
    not_taken: int = 0
    backlog_records: int = 0
    drain_s: float = 0.0
    rss_before: float = 0.0
    rss_away: float = 0.0
    rss_most: float = 0.0
    rss_after: float = 0.0
    keys_while_away: int = 0
    sampled: list[float] = field(default_factory=list)

    @property
    def orders_per_s(self) -> float:
        """Orders acknowledged in each second of the outage."""
        return self.orders_while_away / self.away_s

    @property
    def grown(self) -> float:
        """How much the server's memory grew from the last moment before the outage."""
        return self.rss_most - self.rss_before

    @property
    def each_minute(self) -> str:
        """The memory at the end of every minute without PostgreSQL."""
        step = round(60 / SAMPLE_S)
        return ", ".join(f"{rss:.0f}" for rss in self.sampled[step - 1 :: step]) or "-"

    def __str__(self) -> str:
        return (
            f"Postgres {self.how.value} for {self.away_s:.1f} s: {self.orders_while_away} orders acknowledged meanwhile "
            f"({self.orders_per_s:.0f}/s, {self.keys_while_away} with a key), {self.not_taken} answered 503, "
            f"backlog {self.backlog_records} records, drained in {self.drain_s:.1f} s under load; RSS {self.rss_before:.1f} MB, "
            f"{self.rss_away:.1f} MB while away, at most {self.rss_most:.1f} MB (+{self.grown:.1f}), "
            f"{self.rss_after:.1f} MB afterwards; each minute of it {self.each_minute}"
        )


class External:
    """A PostgreSQL that is not Kerb's to look after."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = self._new()

    async def start(self) -> str:
        """Its DSN."""
        return await self._server.start()

    async def stop(self) -> None:
        """Stop it for good."""
        await self._server.stop()

    async def take_away(self, how: How) -> None:
        """From now on it does not answer."""
        if how is How.THERE:
            return
        if how is How.STOPPED:
            await self._server.stop()
        elif how is How.KILLED:
            self.kill()
        else:
            self._signal(signal.SIGSTOP)

    def kill(self) -> None:
        """kill -9 of all its processes, at once; `bring_back` starts it again."""
        watcher = self._server._watcher
        assert watcher is not None
        watcher.cancel()
        self._signal(signal.SIGKILL)

    async def bring_back(self, how: How) -> None:
        """It answers again, at the same address."""
        if how is How.THERE:
            return
        if how is How.HUNG:
            self._signal(signal.SIGCONT)
            return
        await self._server.stop()
        self._server = self._new()
        await self._server.start()

    def _new(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self._folder, load_settings("demo", None, {}).settings.postgres)

    def _signal(self, number: signal.Signals) -> None:
        for pid in processes_in((self._folder / "postgres" / "data").resolve()):
            os.kill(pid, number)


class Trial:
    """One outage of one server under load."""

    def __init__(self, kerb: KerbProcess, http: aiohttp.ClientSession, external: External) -> None:
        self._kerb = kerb
        self._http = http
        self._external = external

    async def run(self, how: How, away_s: float, *, warm_up: int, rate: int, keyed_percent: int) -> Outage:
        """Warm up with so many orders, take the database away and bring it back, drain, and check everything."""
        outage = Outage(how)
        traders = await make_traders(self._kerb, self._http, TRADERS)
        accounts = [Account(trader) for trader in traders]
        for account in accounts:
            await account.begin()
        make = Requests(1, "o", numbers(), keyed_percent, calm=True)
        load = Load(self._http, traders, make, http_workers=1, batch=20)
        load.start()
        while load.count(Outcome.DONE) < warm_up:
            await asyncio.sleep(SAMPLE_S)
        load.pace(rate)
        while await self._lag_records() > DRAINED_RECORDS:
            await asyncio.sleep(SAMPLE_S)
        await self._away(outage, load, traders[0].client, away_s)
        begun_s = time.monotonic()
        await self._external.bring_back(how)
        while await self._lag_records() > DRAINED_RECORDS:
            outage.rss_most = max(outage.rss_most, self._kerb.rss_bytes / MB)
            await asyncio.sleep(SAMPLE_S)
        outage.drain_s = time.monotonic() - begun_s
        await self._kerb.verify()  # beside a server that goes on trading
        await load.stop()
        outage.rss_after = self._kerb.rss_bytes / MB
        assert load.connections_lost == 0, f"{load.connections_lost} connections were lost"
        assert load.faults == []
        outage.orders = sum(sent.kind is Kind.PLACE for sent in load.requests)
        await Aftermath(self._http, accounts).check(load.requests)
        await self._kerb.verify()
        return outage

    async def _away(self, outage: Outage, load: Load, client: Client, away_s: float) -> None:
        """The outage itself: what is sent meanwhile is counted, and every sort of call is tried."""
        first = len(load.requests)
        outage.rss_before = self._kerb.rss_bytes / MB
        begun_s = time.monotonic()
        await self._external.take_away(outage.how)
        trying = asyncio.create_task(self._try_calls(client, away=outage.how is not How.THERE))
        while time.monotonic() - begun_s < away_s or not trying.done():
            outage.rss_most = max(outage.rss_most, self._kerb.rss_bytes / MB)
            outage.sampled.append(self._kerb.rss_bytes / MB)
            await asyncio.sleep(SAMPLE_S)
        outage.away_s = time.monotonic() - begun_s
        outage.rss_away = outage.rss_most
        outage.backlog_records = await self._lag_records()
        meanwhile = load.requests[first:]
        placed = [sent for sent in meanwhile if sent.kind is Kind.PLACE and sent.outcome is Outcome.DONE]
        outage.orders_while_away = len(placed)
        outage.keys_while_away = sum(bool(sent.key) for sent in meanwhile)
        outage.not_taken = sum(sent.outcome is Outcome.NOT_TAKEN for sent in meanwhile)
        await trying

    async def _try_calls(self, client: Client, *, away: bool) -> None:
        """What the engine answers goes on for whoever is signed in; what PostgreSQL answers is 503 and may be retried."""
        assert (await client("GET", "/wallet/balance")).status == 200
        assert (await client("GET", "/orders?status=PENDING")).status == 200
        assert (await client("GET", "/stocks/AIG/depth")).status == 200
        assert (await self._kerb.anonymous(self._http)("GET", "/healthz", root=True)).status == 200
        if not away:
            return
        anonymous = self._kerb.anonymous(self._http)
        login = {"email": "load0@example.com", "password": client.password}
        refused = await asyncio.gather(
            client("GET", "/orders/history"),
            client("GET", "/wallet/transactions"),
            anonymous("POST", "/auth/login", login),
        )
        for reply in refused:
            assert (reply.status, reply.error["retryable"]) == (503, True), reply
            assert "Retry-After" in reply.headers, reply

    async def _lag_records(self) -> int:
        reply = await self._kerb.anonymous(self._http)("GET", "/metrics", root=True)
        found = re.search(rb"^kerb_write_behind_lag_records (\S+)$", reply.body, re.MULTILINE)
        assert found is not None, reply
        return int(float(found[1]))


@asynccontextmanager
async def trial(**environ: str) -> AsyncIterator[Trial]:
    """A server on a PostgreSQL of its own that can be taken away."""
    with reachable_folder() as folder:
        external = External(folder / "external")
        dsn = await external.start()
        try:
            async with (
                running_kerb(folder / "kerb", KERB_DATABASE_URL=dsn, **environ) as kerb,
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
            ):
                yield Trial(kerb, http, external)
        finally:
            await external.stop()


async def outage(job: Job) -> None:
    """PostgreSQL stopped for as many minutes as are asked, under load.

    Without idempotency keys: those are remembered up to a cap of their own (`idempotency.keys_max`), PostgreSQL or not.
    """
    job.stuck_s = STUCK_S + 10 * 60 * job.asked
    for minutes in job.chunks(job.asked):
        await _measured(job, minutes, How.STOPPED, len(minutes) * 60.0, keyed_percent=0)


async def outages(job: Job) -> None:
    """A minute of each other way, and one with PostgreSQL there, to compare."""
    ways = (How.KILLED, How.HUNG, How.THERE)
    for number in job.todo():
        await _measured(job, range(number, number + 1), ways[number % len(ways)], 60.0, keyed_percent=10)


async def _measured(job: Job, numbers: range, how: How, away_s: float, *, keyed_percent: int) -> None:
    """One outage, and what it did to memory."""
    with job.round(numbers) as one:
        async with trial() as at_risk:
            result = await at_risk.run(how, away_s, warm_up=WARM_UP, rate=RATE, keyed_percent=10)
        one.text = str(result)
        one.seen.update(
            {
                f"orders, {how.value}": result.orders_while_away,
                f"answered 503, {how.value}": result.not_taken,
                f"kB grown, {how.value}": round(result.grown * 1_000),
                f"s of draining, {how.value}": round(result.drain_s),
            }
        )
        assert result.grown <= GROWTH_MAX_MB, result
