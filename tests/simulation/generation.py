"""One process of a simulated life: it recovers from what it finds, has to find all that was told, trades, and leaves moments to die at."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from unittest.mock import patch

from msgspec.structs import replace

from config.loading import load_settings
from config.settings import Settings
from engine.apply import ENGINE_VERSION, Applied
from engine.invariants import check_invariants
from engine.state_hash import state_hash
from server.codec import Record, decode_record, encode_record
from server.core import Core, recover_core
from server.data_folder import DataFolder
from server.exit_codes import ExitCode
from server.journal import Journal
from server.lifecycle import Lifecycle
from server.postgres_errors import is_away
from server.service_manager import ServiceManager
from server.watermark import Watermark
from tests.simulation.genesis import Genesis, History, Tables, differences
from tests.simulation.lying_disk import Crash, LyingDisk
from tests.simulation.postgres_double import PostgresDouble
from tests.simulation.readers import Cursors, Readers
from tests.simulation.traffic import Traffic, VirtualClock
from tests.simulation.weather import RoughWeather, Weather
from tests.simulation.world_loop import SteppedWriter, Strand, WorldLoop

ROOT: Final = Path("/kerb")
SYNCS: Final = ("fdatasync", "fsync_dir")
OTHER_MOMENTS: Final = 0.05
"""Share of the calls between two syncs before which a process may die too."""

SHORT_TURNS_MAX: Final = 2
"""Who trades no longer is there to recover: most of its own moments are left out."""

STORMS_MAX: Final = 8
HOUR_US: Final = 3_600_000_000
PATIENCE_S: Final = 3_600.0
"""Virtual; more than all the timeouts that the storms of one generation can bring."""

HEARD_S: Final = 1.0
"""Virtual; after so long a failure of the disk has ended the process."""

_SETTINGS: Final = load_settings("test", None, {}).settings


@dataclass
class Moment:
    """What a process leaves behind that dies now. `told_seq` is the highest sequence that anybody had been told of.

    `history` has all that was ever appended, also what nobody was told of; it is complete when the process has ended.
    """

    disk: LyingDisk
    postgres: PostgresDouble
    told_seq: int
    crash: Crash
    what: str
    history: History
    last_us: int
    cursors: Cursors = field(default_factory=dict)
    tables: Tables = field(default_factory=dict)
    """What Postgres held then, whatever the next process does to it."""


class Troubles:
    """A disk that fails once, at a call that the seed chooses, with an error or by taking less than it was given."""

    def __init__(self, random: Random) -> None:
        self.kind = random.choice(("none", "none", "sync", "error", "short"))
        self.countdown = random.randint(1, 30 if self.kind == "sync" else 120)
        self.number = random.choice((errno.EIO, errno.ENOSPC))
        self.happened = False

    def install(self, disk: LyingDisk) -> None:
        """From now on."""
        if self.kind in ("error", "sync"):
            disk.fails = self._fails
        elif self.kind == "short":
            disk.takes = self._takes

    def _fails(self, call: str) -> int:
        if self.kind == "sync" and call != "fdatasync":
            return 0
        self.countdown -= 1
        if self.countdown:
            return 0
        self.happened = True
        return self.number

    def _takes(self, size_bytes: int) -> int:
        self.countdown -= 3
        if self.countdown > 0 or self.happened:
            return size_bytes
        self.happened = True
        return size_bytes // 2


def settings_of(random: Random) -> Settings:
    """Small segments, a memory that is sometimes too small, and a write-behind that is sometimes quick and sometimes slow."""
    journal = replace(
        _SETTINGS.journal,
        segment_bytes=random.choice((8_192, 16_384, 32_768)),
        retention_hours=0,
        tail_records=random.choice((1, 50, 1_000)),
    )
    write_behind = replace(
        _SETTINGS.write_behind,
        interval_ms=random.choice((1, 5, 50)),
        batch_records_max=random.choice((1, 8, 4_096)),
    )
    return replace(_SETTINGS, journal=journal, write_behind=write_behind)


class Generation:
    """`turns` of trade after the recovery. `moments` are the deaths that are to be tried, `history` what it had appended."""

    def __init__(
        self,
        found: Moment,
        random: Random,
        genesis: Genesis,
        note: Callable[[str], None],
        *,
        turns: int,
        shuffled: bool,
        with_readers: bool,
        prunes: bool,
        troubles: Troubles | None,
    ) -> None:
        self.found = found
        self.random = random
        self.genesis = genesis
        self.note = note
        self.turns = turns
        self.troubles = troubles
        self.disk = found.disk
        self.postgres = found.postgres
        self.history = found.history
        self.told_seq = found.told_seq
        self.moments: list[Moment] = []
        self.told: list[Applied] = []
        self.seen: Counter[str] = Counter()
        self.core: Core | None = None
        self.with_readers = with_readers
        self.prunes = prunes
        self.readers: Readers | None = None
        self.loop = WorldLoop(random, shuffled=shuffled)

    def run(self) -> None:
        """Live and end. Raises AssertionError for whatever must not be."""
        loop, disk, random = self.loop, self.disk, self.random
        disk.pause, disk.before, disk.now_s = loop.give_way, self._before, loop.time
        if self.troubles is not None:
            self.troubles.install(disk)
        rough = random.random() < (0.6 if self.turns > SHORT_TURNS_MAX else 0.1)
        self.postgres.weather = RoughWeather(random, STORMS_MAX) if rough else Weather()
        self.postgres.trace = self.note
        with (
            patch("server.journal.monotonic", loop.time),
            patch("secrets.token_bytes", random.randbytes),
            patch("secrets.token_hex", lambda size: random.randbytes(size).hex()),
        ):
            try:
                loop.run_until_complete(self._live())
                self._remember_the_rest()
                if self.turns > SHORT_TURNS_MAX:
                    self.moments.append(self._moment(Crash.KILL, "end"))
                self.moments.append(self._moment(Crash.POWER, "end"))
            finally:
                disk.before = _ignore
                loop.abandon()
        assert not loop.faults, loop.faults
        self._check_what_was_told()

    # ---- its course

    async def _live(self) -> None:
        random = self.random
        settings = settings_of(random)
        lifecycle = Lifecycle(ServiceManager({}), settings.http.shutdown_s)
        jump_us = random.choice((-HOUR_US, 0, 1_000_000, HOUR_US))
        clock = VirtualClock(self.loop, self.found.last_us + jump_us)
        try:
            core = await self._start(settings, clock, lifecycle)
        except OSError:
            assert self._failed, "a start failed though the disk did not"
            return
        self.core = core
        core.runtime.add_listener(self._durable)
        self._check_recovered(core)
        traffic = Traffic(core, self._acknowledged)
        if self.prunes:
            self.loop.call_later(random.choice((0.005, 0.03, 0.1)), self._prune, core.runtime.journal)
        ticking = self.loop.create_task(lifecycle.run("simulated"))
        if self.with_readers:
            self.readers = Readers(core, settings.stream, clock, self.found.cursors, self._told_of, random)
            await asyncio.gather(traffic.trade(self.turns, random), self.readers.look(self.turns))
        else:
            await traffic.trade(self.turns, random)
        if not await core.write_behind.drain(PATIENCE_S):
            assert self._failed, core.write_behind.refused or lifecycle.reason
        if self._failed and not lifecycle.exit_code:
            await asyncio.sleep(HEARD_S)
        if self.readers is not None:
            await self.readers.settle()
            self.readers.leave()
        ticking.cancel()
        if random.random() < 0.1:
            await lifecycle.stop()
            self.seen["clean ends"] += 1
        wanted = ExitCode.JOURNAL_IO if self._failed else ExitCode.OK
        assert lifecycle.exit_code is wanted, f"{lifecycle.exit_code!r} {lifecycle.reason}"

    @property
    def _failed(self) -> bool:
        """Whether the disk has failed."""
        return self.troubles is not None and self.troubles.happened

    async def _start(self, settings: Settings, clock: VirtualClock, lifecycle: Lifecycle) -> Core:
        """As Kerb starts; again when Postgres was away."""
        started: list[str] = []
        while True:
            folder = DataFolder(ROOT, -1, self.disk)
            watermark = Watermark(
                "", folder.journal_id(), ENGINE_VERSION, tuple(started), self.postgres.connect
            )
            started.append(watermark.instance)
            writer = SteppedWriter(self.loop)
            try:
                return await recover_core(folder, watermark, settings, clock, lifecycle, self.disk, writer)
            except Exception as error:
                if not is_away(error) or self._failed:
                    raise
                await lifecycle.stop()
                self.seen["starts without a database"] += 1

    def _prune(self, journal: Journal) -> None:
        """What Postgres has got goes, in a thread beside the loop; after a while more of it."""

        def prune() -> None:
            try:
                self.seen["segments pruned"] += len(journal.prune(self.loop.time() + 1.0))
            except OSError:
                if not self._failed:
                    raise
            self.loop.call_later(0.05, self._prune, journal)

        Strand(self.loop).run(prune)

    def _acknowledged(self, applied: Applied) -> None:
        self.told.append(applied)
        self._told_of(applied.seq)

    def _told_of(self, seq: int) -> None:
        self.told_seq = max(self.told_seq, seq)
        self.note(f"told {seq}")

    def _durable(self, records: Sequence[Record]) -> None:
        for record in records:
            self.history.add(encode_record(record))

    def _remember_the_rest(self) -> None:
        """What was appended and never became durable."""
        if self.core is not None:
            journal = self.core.runtime.journal
            for data in journal._tail.records(len(self.history.records) + 1, journal.appended_seq):
                self.history.add(data)

    # ---- its deaths

    def _before(self, call: str, name: str) -> None:
        """The disk is about to do something."""
        self.note(f"{call} {name} at {self.loop.time():.6f}")
        is_sync = call in SYNCS
        self.seen["syncs"] += is_sync
        if is_sync or self.random.random() < OTHER_MOMENTS:
            if self.turns <= SHORT_TURNS_MAX and self.random.random() < 0.7:
                return
            crash = Crash.KILL if self.random.random() < 0.15 else Crash.POWER
            self.moments.append(self._moment(crash, f"{call} {name}"))
            if is_sync and self.turns > SHORT_TURNS_MAX:
                self.moments.append(self._moment(Crash.POWER, f"{call} {name}"))

    def _moment(self, crash: Crash, what: str) -> Moment:
        disk = self.disk.after(crash, self.random)
        postgres = self.postgres.after_crash(self.random)
        last_us = self.core.state.last_us if self.core is not None else self.found.last_us
        moment = Moment(disk, postgres, self.told_seq, crash, what, self.history, last_us, self.found.cursors)
        moment.tables = dict(postgres.tables)
        if self.readers is not None:
            moment.cursors = self.readers.cursors()
            moment.told_seq = max(moment.told_seq, self.readers.seen_seq())
        return moment

    # ---- what must be

    def _check_recovered(self, core: Core) -> None:
        """All that was told is there, nothing else than what was appended, and the state is what it leads to."""
        history, journal = self.found.history, core.runtime.journal
        last_seq = journal.durable_seq
        self._check_rows(core.recovered_from)
        assert last_seq >= self.found.told_seq, f"{self.found.told_seq} was told of, {last_seq} is there"
        assert last_seq <= len(history.records), f"{last_seq} is there, {len(history.records)} was appended"
        found = [data for _, data in journal.read(journal.first_seq)]
        assert found == history.records[journal.first_seq - 1 : last_seq], (
            "the records are not those that were written"
        )
        assert state_hash(core.state) == self.genesis.points[history.digests[last_seq]].state_hash
        problems = check_invariants(core.state)
        assert not problems, problems
        self.history = history.up_to(last_seq)
        self.note(f"recovered {core.recovered_from} and {last_seq}, {state_hash(core.state)}")

    def _check_rows(self, seq: int) -> None:
        """Postgres holds exactly what the records up to a sequence lead to."""
        expected = self.genesis.points[self.found.history.digests[seq]].tables
        problems = differences(self.postgres.tables, expected)
        assert not problems, f"at {seq}: {problems[:5]}"

    def _check_what_was_told(self) -> None:
        for applied in self.told:
            if not applied.duplicate:
                record = decode_record(self.history.records[applied.seq - 1])
                assert (record.events, record.now_us) == (applied.events, applied.now_us), (
                    f"told of {applied.seq}"
                )
        self.seen["acknowledgements"] += len(self.told)
        if self.readers is not None:
            self.genesis.learn(self.history)
            self.readers.check(self.history, self.genesis, whole=not self._failed)
            self.seen["messages and GETs"] += self.readers.looks


def _ignore(call: str, name: str) -> None:
    """Nobody looks any more."""
