"""Makes a new Kerb of a backup, as of its end or of any record in it.

1. check: every file's SHA-256, every frame of the journal; nothing is written before
2. the journal up to that record, under an id of its own                       (server/restored_journal.py)
3. PostgreSQL: what people wrote from the first dump after the record, what the journal makes from the last dump before it,
   or from nothing where the journal goes back to record 1                     (sql/backups.py)
4. the rest of the rows: Kerb's own recovery and write-behind, as at any start
5. what people had said about those rows; then the folder counts as whole
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from msgspec import Struct

from config.settings import Settings
from engine.state_hash import state_hash
from engine.units import IDS_PER_SEQ
from server import migrations
from server.backup_manifest import BackupError, Dump, Manifest, check_files, read_manifest
from server.clock import WallClock
from server.core import open_core
from server.data_folder import DataFolder
from server.database_server import open_database_server
from server.journal_frame import JOURNAL_ID_BYTES
from server.lifecycle import Lifecycle
from server.postgres_tools import load, load_rows
from server.restored_journal import Chain, End, open_chain, write_journal
from server.service_manager import ServiceManager
from sql import backups

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Until = int | datetime | None
"""A sequence, a moment of the market's clock, or everything that the backup holds."""


class Restored(Struct, frozen=True):
    """What was made: up to which record, and where the rows came from. `rows` is None where all were made from the journal."""

    end: End
    journal_id: str
    people: Dump
    rows: Dump | None
    state: str

    def __str__(self) -> str:
        rows = "made from record 1 on" if self.rows is None else f"from the dump at {self.rows.applied_seq}"
        return (
            f"restored up to record {self.end.seq} of {_moment(self.end.us)}, as journal {self.journal_id}\n"
            f"users and what they wrote: as of {_moment(self.people.taken_us)}\n"
            f"rows of the journal: {rows}, the rest replayed; the engine's state is {self.state}"
        )


class _Plan(Struct, frozen=True):
    """What is taken from where."""

    chain: Chain
    end: End
    people: Dump
    rows: Dump | None


async def restore(settings: Settings, folder: Path, until: Until) -> Restored:
    """Restore into `settings.data_dir`, which must be missing or empty, as must be the database where `database_url` is set.

    Raises BackupError with nothing written when the backup is damaged or does not reach there, and what
    server/start_faults.py lists.
    """
    target = settings.data_dir
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty: restore into a folder of its own")
    manifest = read_manifest(folder)
    await asyncio.to_thread(check_files, folder, manifest)
    plan = await asyncio.to_thread(_plan, folder, manifest, until)
    journal_id = secrets.token_bytes(JOURNAL_ID_BYTES)
    with DataFolder.own(target) as owned:
        owned.begin_restoring()
        owned.name_journal(journal_id)
        await asyncio.to_thread(
            write_journal,
            plan.chain,
            plan.end.seq,
            owned.journal_folder,
            journal_id,
            settings.journal.segment_bytes,
        )
        _bring_files(folder, manifest, target)
    listing = target / "restore-rows.list"
    async with open_database_server(settings) as dsn:
        await _bring_rows(dsn, folder, plan, journal_id, listing)
    state = await _make_the_rest(settings)
    listing.unlink(missing_ok=True)
    DataFolder.end_restoring(target)
    return Restored(plan.end, journal_id.hex(), plan.people, plan.rows, state)


# ---- what is taken from where


def _plan(folder: Path, manifest: Manifest, until: Until) -> _Plan:
    chain, end = _find_end(folder, manifest, until)
    before = [dump for dump in manifest.dumps if chain.first_seq - 1 <= dump.applied_seq <= end.seq]
    after = [dump for dump in manifest.dumps if dump.applied_seq >= end.seq]
    rows = before[-1] if before else None
    if rows is None and chain.first_seq > 1:
        raise BackupError(
            f"record {end.seq} lies before the first dump at {manifest.dumps[0].applied_seq}, and the journal in the backup "
            f"begins at {chain.first_seq}: nothing is known of the time before"
        )
    people = after[0] if after else manifest.dumps[-1]
    if rows is not None and rows.schema != people.schema:
        people = rows  # an older schema's rows do not fit into a newer one's tables
    return _Plan(chain, end, people, rows)


def _find_end(folder: Path, manifest: Manifest, until: Until) -> tuple[Chain, End]:
    """The run of segments, newest first, that holds the end asked for."""
    journal_id = bytes.fromhex(manifest.journal_id)
    chains = manifest.chains()
    for copies in reversed(chains):
        first_seq, last_seq = copies[0].first_seq, copies[-1].last_seq
        if isinstance(until, int):
            if first_seq <= until <= last_seq:
                chain = open_chain(folder, copies, journal_id)
                return chain, chain.end_at(until)
            continue
        chain = open_chain(folder, copies, journal_id)
        if until is None:
            return chain, chain.end_at(last_seq)
        if (end := chain.end_before((until - _EPOCH) // timedelta(microseconds=1))) is not None:
            return chain, end
    held = ", ".join(f"{copies[0].first_seq} to {copies[-1].last_seq}" for copies in chains)
    raise BackupError(f"{until} is not in the backup, which holds the records {held}")


def _bring_files(folder: Path, manifest: Manifest, target: Path) -> None:
    for file in manifest.files:
        name = Path(file.path).stem  # without the digest of its content
        place = target / "poison" / name if name.endswith(".command") else target / name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(folder / file.path, place)
        place.chmod(0o600)


# ---- PostgreSQL


async def _bring_rows(dsn: str, folder: Path, plan: _Plan, journal_id: bytes, listing: Path) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        if found := await connection.fetch(backups.TABLES):
            raise BackupError(f"the database is not empty: it has a table {found[0]['name']}")
        await load(dsn, folder / plan.people.file.path)
        if plan.rows is not plan.people:
            await _wind_back(connection, dsn, folder, plan, listing)
        await connection.execute(backups.ADOPT, journal_id)
        await migrations.migrate(dsn)
    finally:
        await connection.close()


async def _wind_back(
    connection: asyncpg.Connection, dsn: str, folder: Path, plan: _Plan, listing: Path
) -> None:
    """Of the dump that is loaded keep what people wrote; the rows of the journal become those of an earlier moment."""
    for statement in backups.REMEMBER:
        await connection.execute(statement)
    if plan.rows is None:
        for statement in backups.FROM_THE_START:
            await connection.execute(statement)
    else:
        await connection.execute(backups.EMPTY)
        await load_rows(dsn, folder / plan.rows.file.path, backups.MADE_BY_THE_JOURNAL, listing)
    if plan.people.applied_seq > plan.end.seq:
        for statement in backups.UNDO:
            await connection.execute(statement, (plan.end.seq + 1) * IDS_PER_SEQ)
        for statement in backups.UNDO_LATER:
            await connection.execute(statement, plan.end.us)


async def _make_the_rest(settings: Settings) -> str:
    """Start Kerb's core, which recovers and writes what PostgreSQL has not got; the hash of its state."""
    lifecycle = Lifecycle(ServiceManager({}), settings.http.shutdown_s)
    try:
        core = await open_core(settings, WallClock(), lifecycle)
        core.runtime.stop()
        await core.write_behind.reached(core.state.seq)
        connection = await asyncpg.connect(core.dsn)
        try:
            if await connection.fetchval(backups.IS_REMEMBERED):
                for statement in backups.RECALL:
                    await connection.execute(statement)
        finally:
            await connection.close()
        return state_hash(core.state)
    finally:
        await lifecycle.stop()


def _moment(us: int) -> str:
    return (_EPOCH + timedelta(microseconds=us)).isoformat(sep=" ", timespec="milliseconds")
