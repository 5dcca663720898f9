"""Rounds of kill -9 under load: load, crash, look at what is on the disk, start again, and check everything."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

from config.loading import load_settings
from server.embedded_postgres import EmbeddedPostgres
from server.exit_codes import ExitCode
from server.journal_scan import JournalScan
from server.postgres_process import pid_in, processes_in, works_in
from tests.e2e.load import Load, Outcome, Requests, Trader, make_traders, numbers
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.aftermath import Account, Aftermath, Tally
from tests.torture.job import Job, Round, play_rounds
from tests.torture.ladder import Ladder
from tests.torture.replica import Replica

TRADERS: Final = 3
ENVIRON: Final = {
    "KERB_JOURNAL__SEGMENT_BYTES": "1048576",  # small, so that kills meet changes of segment too
    "KERB_IDEMPOTENCY__KEYS_PER_USER_MAX": "1000000",
}
_REPLAYED: Final = re.compile(r"state loaded at \d+, (\d+) records replayed")


class Crash(Enum):
    """How a round ends."""

    KILL = "kill -9"
    KILL_BOTH = "kill -9, Postgres too"
    KILL_DRAINING = "kill -9 in a drain"
    KILL_BEHIND = "kill -9, Postgres hung"
    STOP_AND_KILL = "stopped 1 s, then kill -9"


CRASHES: Final = (
    *(Crash.KILL, Crash.KILL_BOTH, Crash.KILL, Crash.KILL_DRAINING),
    *(Crash.KILL, Crash.KILL_BEHIND, Crash.KILL, Crash.STOP_AND_KILL),
)


@dataclass(frozen=True)
class Plan:
    """What is done in a round. After the crash come `starts_killed` starts that are killed so many seconds later."""

    crash: Crash
    load_s: float
    starts_killed: tuple[float, ...]


def plan(random: Random, round_number: int) -> Plan:
    """Crashes take turns; every fourth round has starts that are killed, too."""
    starts = 1 + random.randrange(2) if round_number % 4 == 2 else 0
    return Plan(
        CRASHES[round_number % len(CRASHES)],
        random.uniform(0.2, 1.0),
        tuple(random.uniform(0.2, 0.9) for _ in range(starts)),
    )


@dataclass
class Report:
    """What a round has shown."""

    crash: str
    load_s: float
    starts_killed: int = 0
    tally: Tally = field(default_factory=Tally)
    in_doubt: int = 0
    last_seq: int = 0
    torn: bool = False
    recovered: int = -1
    replayed: int = 0
    probed: int = 0
    start_s: float = 0.0

    def __str__(self) -> str:
        tally = self.tally
        torn = ", torn tail" if self.torn else ""
        starts = f", {self.starts_killed} starts killed" if self.starts_killed else ""
        return (
            f"{self.crash} after {self.load_s:.2f} s{starts}: {tally.acknowledged} acknowledged, {tally.refused} refused, "
            f"{self.in_doubt} in doubt ({tally.whole} orders whole, {tally.absent} absent), {tally.repeated} repeated, "
            f"{self.probed} in the queue, seq {self.last_seq}{torn}, {self.replayed} replayed, up in {self.start_s:.2f} s"
        )

    @property
    def seen(self) -> Counter[str]:
        """What the summary counts."""
        tally = self.tally
        counts = {
            self.crash: 1,
            "starts killed": self.starts_killed,
            "acknowledged": tally.acknowledged,
            "in doubt": self.in_doubt,
            "orders whole": tally.whole,
            "orders absent": tally.absent,
            "requests repeated": tally.repeated,
            "orders in queues": self.probed,
            "records replayed": max(0, self.replayed),
            "torn tails": int(self.torn),
        }
        return Counter({what: count for what, count in counts.items() if count})


class Torture:
    """One data folder and its traders, through any number of rounds."""

    def __init__(
        self, kerb: KerbProcess, http: aiohttp.ClientSession, seed: int, external_dsn: str = ""
    ) -> None:
        self._external_dsn = external_dsn
        self.verified_every = 1
        self._kerb = kerb
        self._http = http
        self._random = Random(seed)
        self._numbers = numbers()
        self._replica = Replica(kerb.data_dir)
        self._round = 0
        self._traders: list[Trader] = []
        self._accounts: list[Account] = []
        self._prober: Client

    async def prepare(self) -> None:
        """Register everybody."""
        self._traders = await make_traders(self._kerb, self._http, TRADERS)
        self._accounts = [Account(trader) for trader in self._traders]
        for account in self._accounts:
            await account.begin()
        self._prober = await self._kerb.register(self._http, "prober@example.com", "10000000")

    async def round(self, plan: Plan) -> Report:
        """One round. Raises AssertionError, or what recovery raises, when something is wrong."""
        report = Report(plan.crash.value, plan.load_s, len(plan.starts_killed))

        async def crash() -> None:
            if plan.crash is Crash.KILL_BEHIND:  # everything of this round is in the journal alone
                self._signal_postgres(signal.SIGSTOP)
            await asyncio.sleep(plan.load_s)
            await self._crash(plan.crash)

        load, ladder = await self._load_until(crash(), calm=plan.crash is Crash.KILL_BEHIND)
        await self._look_at_the_disk(report, load)
        for delay_s in plan.starts_killed:
            await killed_start(self._kerb, delay_s)
        return await self._recovered(report, load, ladder)

    async def round_of(
        self,
        name: str,
        fault: Callable[[KerbProcess], Awaitable[int]],
        repair: Callable[[], Awaitable[None] | None] = lambda: None,
        *,
        expected: int = ExitCode.JOURNAL_IO,
        loaded: bool = True,
        inspect: Callable[[JournalScan, int], None] = lambda scan, acknowledged: None,
    ) -> Report:
        """A round that ends by itself: `fault` breaks something under load (unless not `loaded`) and gives the exit code,
        which must be `expected`.

        While nobody runs `inspect` is given the journal and the highest sequence acknowledged; then comes `repair`.
        """
        report = Report(name, 0.0)

        async def crash() -> None:
            code = await fault(self._kerb)
            assert code == expected, f"exit code {code}, not {expected}\n{self._kerb.log.read_text()[-4000:]}"

        load, ladder = await self._load_until(crash(), loaded=loaded)
        inspect(*await self._look_at_the_disk(report, load))
        repairing = repair()
        if repairing is not None:
            await repairing
        return await self._recovered(report, load, ladder)

    async def _load_until(
        self, crash: Coroutine[None, None, None], *, calm: bool = False, loaded: bool = True
    ) -> tuple[Load, Ladder]:
        """Send until the server is gone. `calm`: hardly anything that needs PostgreSQL for its answer."""
        seed, percent = self._random.randrange(1 << 30), 100 if calm else 70
        make = Requests(seed, f"r{self._round}", self._numbers, percent, calm=calm)
        self._round += 1
        load = Load(self._http, self._traders, make)
        ladder = Ladder(load, make, self._traders)
        if not loaded:
            await crash
            return load, ladder
        load.start()
        building = asyncio.create_task(ladder.build())
        try:
            await crash
        except BaseException:
            load.abandon()
            building.cancel()
            raise
        await load.ended()
        await building
        assert not load.faults, load.faults
        return load, ladder

    async def _recovered(self, report: Report, load: Load, ladder: Ladder) -> Report:
        """Start again and check everything."""
        await self._start(report)
        report.tally = await Aftermath(self._http, self._accounts).check(load.requests)
        report.probed = await ladder.probe(self._prober)
        if self._round % self.verified_every == 0:
            await self._kerb.verify()
        return report

    async def _crash(self, crash: Crash) -> None:
        kerb = self._kerb
        if crash is Crash.KILL_BOTH:
            postmaster = self._postmaster()
            assert postmaster is not None
            os.kill(postmaster, signal.SIGKILL)
        elif crash is Crash.KILL_DRAINING:
            os.kill(kerb.pid, signal.SIGTERM)
            await asyncio.sleep(self._random.uniform(0, 0.05))
        elif crash is Crash.STOP_AND_KILL:
            os.kill(kerb.pid, signal.SIGSTOP)
            await asyncio.sleep(1)
            os.kill(kerb.pid, signal.SIGCONT)
            await asyncio.sleep(self._random.uniform(0, 0.3))
        await kerb.kill()
        if crash is Crash.KILL_BEHIND:
            self._signal_postgres(signal.SIGCONT)

    def _signal_postgres(self, number: signal.Signals) -> None:
        for pid in processes_in((self._kerb.data_dir / "postgres" / "data").resolve()):
            os.kill(pid, number)

    def _postmaster(self) -> int | None:
        """The pid of PostgreSQL, if it runs."""
        data = (self._kerb.data_dir / "postgres" / "data").resolve()
        pid = pid_in(data / "postmaster.pid")
        return pid if pid is not None and works_in(pid, data) else None

    async def _look_at_the_disk(self, report: Report, load: Load) -> tuple[JournalScan, int]:
        """While nobody runs: what was acknowledged is in the journal, and recovery gives what the whole journal gives.

        Returns the journal, and the highest sequence that was acknowledged.
        """
        report.in_doubt = load.count(Outcome.IN_DOUBT)
        scan = self._replica.catch_up()
        report.last_seq = scan.last_seq
        report.torn = scan.torn is not None
        acknowledged = max((sent.seq for sent in load.requests), default=0)
        assert acknowledged <= scan.last_seq, (
            f"{acknowledged} was acknowledged, the journal ends at {scan.last_seq}"
        )
        if self._external_dsn:
            report.recovered = await self._replica.recovered(self._external_dsn)
        elif (
            self._postmaster() is not None and report.crash != Crash.KILL_DRAINING.value
        ):  # there it may be stopping
            settings = load_settings("demo", None, {}).settings
            dsn = await EmbeddedPostgres(self._kerb.data_dir, settings.postgres).running_dsn()
            report.recovered = await self._replica.recovered(dsn)
        return scan, acknowledged

    async def _start(self, report: Report) -> None:
        begun_s = time.monotonic()
        await self._kerb.start()
        report.start_s = time.monotonic() - begun_s
        for trader in self._traders:
            trader.client.base = self._kerb.url
        self._prober.base = self._kerb.url
        log = self._kerb.log.read_text(encoding="utf-8")
        report.replayed = int(_REPLAYED.findall(log)[-1])


async def killed_start(kerb: KerbProcess, delay_s: float) -> None:
    """A start that is killed, wherever it is after so many seconds."""
    starting = asyncio.create_task(kerb.start())
    await asyncio.wait([starting], timeout=delay_s)
    process = kerb.process
    assert process is not None
    if process.returncode is None:
        process.kill()
    await asyncio.gather(starting, return_exceptions=True)
    await kerb.kill()


@asynccontextmanager
async def torture(
    seed: int, prepare: Callable[[Path], None] = lambda data_dir: None, **environ: str
) -> AsyncIterator[Torture]:
    """A running server in a temporary folder, with traders, ready for the first round. `prepare` is given the folder."""
    connector = aiohttp.TCPConnector(limit=0)
    with reachable_folder() as folder:
        prepare(folder / "kerb")
        async with (
            running_kerb(folder / "kerb", **ENVIRON | environ) as kerb,
            aiohttp.ClientSession(connector=connector) as http,
        ):
            rounds = Torture(kerb, http, seed)
            await rounds.prepare()
            yield rounds


async def kill(job: Job) -> None:
    """Rounds of kill -9."""

    async def play(rounds: Torture, number: int, one: Round) -> None:
        report = await rounds.round(plan(one.random, number))
        one.text, one.seen = str(report), report.seen

    await play_rounds(job, lambda random: torture(random.randrange(1 << 30)), play)
