"""The core of a running Kerb: data folder, database, journal, engine and write-behind, started and stopped in order.

1. own the data folder                                 5. claim the watermark
2. start or find PostgreSQL                            6. load the state at the watermark, replay the journal after it
3. migrate, or refuse an old schema                    7. runtime and journal take commands
4. open the journal: check it, cut a torn tail         8. the write-behind carries them into PostgreSQL

Recovery is the only way to start: the first start is the same path with nothing to load.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from config.settings import Mode, Settings
from engine.apply import ENGINE_VERSION
from server.clock import Clock, WallClock
from server.data_folder import DataFolder
from server.disk import Disk
from server.embedded_postgres import EmbeddedPostgres
from server.exit_codes import ExitCode
from server.journal import Journal
from server.lifecycle import Lifecycle
from server.migrations import MigrationError, migrate, missing_migrations
from server.poison import PoisonBox
from server.recovery import load_state
from server.replay import replay
from server.runtime import Runtime
from server.watermark import Watermark, claim, stored_position
from server.write_behind import WriteBehind
from server.writer_thread import GroupWriter

if TYPE_CHECKING:
    import asyncpg

    from engine.state import State

logger = logging.getLogger("kerb.core")

HOUR_S: Final = 3_600
PRUNE_EVERY_US: Final = 60_000_000
DRAIN_S: Final = 10.0


class Core:
    """What `open_core` has started. `recovered_from` is the sequence that came from PostgreSQL, the rest was replayed."""

    def __init__(
        self, folder: DataFolder, dsn: str, runtime: Runtime, write_behind: WriteBehind, recovered_from: int
    ) -> None:
        self.folder = folder
        self.dsn = dsn
        self.runtime = runtime
        self.write_behind = write_behind
        self.recovered_from = recovered_from

    @property
    def state(self) -> State:
        """The engine's state; read-only."""
        return self.runtime.state


async def open_core(settings: Settings, clock: Clock, lifecycle: Lifecycle) -> Core:
    """Start the core; `lifecycle.stop` ends it in the opposite order, also when this raises half way.

    Raises what server/start_faults.py lists.
    """
    folder = DataFolder.own(settings.data_dir)
    lifecycle.on_stop("the data folder", folder.close)
    dsn = await _database(settings, lifecycle)
    await _schema(dsn, settings.mode)
    watermark = Watermark(dsn, folder.journal_id(), ENGINE_VERSION, folder.earlier_writers())
    folder.note_writer(watermark.instance)
    return await recover_core(folder, watermark, settings, clock, lifecycle)


async def recover_core(
    folder: DataFolder,
    watermark: Watermark,
    settings: Settings,
    clock: Clock,
    lifecycle: Lifecycle,
    disk: Disk | None = None,
    writer: GroupWriter | None = None,
) -> Core:
    """From the fourth step on, given the folder and a database with a schema.

    `disk` and `writer` are under the journal and beside the loop; without them it is the real disk and a thread.
    """
    journal = _journal(folder, settings, await stored_position(watermark), lifecycle, disk)
    connection, applied_seq = await claim(watermark, first=True, reaches=journal.durable_seq)
    try:
        state = await _recover(connection, journal)
    except BaseException:
        connection.terminate()
        raise
    runtime = Runtime(
        state,
        journal,
        clock,
        pending_max_bytes=settings.journal.pending_max_bytes,
        poison=PoisonBox(folder.path / "poison"),
        on_fatal=lifecycle.fatal,
    )
    write_behind = WriteBehind(
        runtime, watermark, connection, applied_seq, settings.write_behind, lifecycle.fatal
    )
    journal.start(lambda error: lifecycle.fatal(ExitCode.JOURNAL_IO, f"the journal failed: {error}"), writer)
    write_behind.start()
    lifecycle.on_stop("the write-behind", lambda: _drain(write_behind, settings.http.shutdown_s))
    lifecycle.on_tick(runtime.tick)
    lifecycle.on_tick(_Pruning(journal).tick)
    return Core(folder, watermark.dsn, runtime, write_behind, applied_seq)


async def _database(settings: Settings, lifecycle: Lifecycle) -> str:
    if settings.database_url is not None:
        return settings.database_url
    postgres = EmbeddedPostgres(settings.data_dir, settings.postgres)
    dsn = await postgres.start()
    lifecycle.on_stop("PostgreSQL", postgres.stop)
    return dsn


async def _schema(dsn: str, mode: Mode) -> None:
    """Paper money and tests migrate by themselves; in production an operator does, when it suits."""
    if mode is Mode.PRODUCTION:
        if names := await missing_migrations(dsn):
            raise MigrationError(f"the schema is old: {', '.join(names)} missing; run `run.py migrate` first")
    else:
        for name in await migrate(dsn):
            logger.info("applied %s", name)


def _journal(
    folder: DataFolder, settings: Settings, applied_seq: int, lifecycle: Lifecycle, disk: Disk | None
) -> Journal:
    journal = Journal.open(
        folder.journal_folder,
        applied_seq,
        journal_id=folder.journal_id(),
        engine_version=ENGINE_VERSION,
        segment_bytes=settings.journal.segment_bytes,
        retention_s=settings.journal.retention_hours * HOUR_S,
        tail_records=settings.journal.tail_records,
        disk=disk,
    )
    lifecycle.on_stop("the journal", journal.close)
    return journal


async def _recover(connection: asyncpg.Connection, journal: Journal) -> State:
    clock = WallClock()
    started_us = clock.elapsed_us()
    state, applied_seq = await load_state(connection)
    count = replay(state, journal.read(applied_seq + 1), journal.durable_seq - applied_seq)
    seconds = (clock.elapsed_us() - started_us) / 1_000_000
    logger.info("state loaded at %d, %d records replayed after it, %.2f s", applied_seq, count, seconds)
    return state


async def _drain(write_behind: WriteBehind, shutdown_s: float) -> None:
    """Bring PostgreSQL up to date if it answers; the journal keeps what it has not got."""
    if not await write_behind.drain(min(DRAIN_S, shutdown_s / 2)):
        logger.warning("%d records stay in the journal for the next start", write_behind.lag_records)
    await write_behind.close()


class _Pruning:
    """Deletes journal segments that nobody needs, once a minute, in a thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._clock = WallClock()
        self._due_us = self._clock.elapsed_us() + PRUNE_EVERY_US
        self._running: asyncio.Future[object] | None = None

    def tick(self) -> None:
        """Start what is due, unless the last one still runs."""
        now_us = self._clock.elapsed_us()
        if now_us < self._due_us or (self._running is not None and not self._running.done()):
            return
        self._due_us = now_us + PRUNE_EVERY_US
        self._running = asyncio.get_running_loop().run_in_executor(None, self._prune)

    def _prune(self) -> None:
        for path in self._journal.prune(self._clock.now_us() / 1_000_000):
            logger.info("removed %s from the journal", path.name)
