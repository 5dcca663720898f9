"""Checks Postgres against the journal: the same records must give its rows and, from the first on, the engine's state."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import Final

import asyncpg
from msgspec import Struct

from engine.state import State
from engine.state_hash import state_hash
from server.data_folder import DataFolder
from server.disk import Disk
from server.journal_errors import JournalError
from server.journal_reader import Segment, read_records
from server.journal_scan import scan_journal
from server.progress import Progress
from server.recovery import StateUnreadable, load_state
from server.replay import Diverged, replay
from server.verify import Finding
from server.verify_rows import RowsOfJournal, rows_of_journal

CHECK: Final = "journal = engine state"
CHUNK_RECORDS: Final = 2_048
"""Whose rows are in memory at a time."""


class Compared(Struct, frozen=True):
    """What is wrong, and the records (from, up to) whose rows were compared; 0 and 0 where there is no journal."""

    findings: list[Finding]
    first_seq: int = 0
    last_seq: int = 0

    def __str__(self) -> str:
        if not self.first_seq:
            return "no journal to compare the rows with"
        return f"rows of records {self.first_seq} to {self.last_seq} compared with the journal"


async def verify_journal(dsn: str, data_dir: Path) -> Compared:
    """Read the journal of `data_dir` up to the watermark, compare the rows that its records left behind and, if it is kept
    from record 1, the `state_hash` of its replay. One snapshot, also of a database that is written on. Changes nothing.

    Nothing to compare, and so no finding, where there is no journal. Raises what asyncpg raises.
    """
    journal_id = DataFolder.journal_id_in(data_dir)
    if journal_id is None:
        return Compared([])
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "kerb-verify", "jit": "off"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _verify(dsn, connection, data_dir / DataFolder.JOURNAL_NAME, journal_id)
    finally:
        await connection.close()


async def _verify(dsn: str, connection: asyncpg.Connection, folder: Path, journal_id: bytes) -> Compared:
    snapshot = await connection.fetchval("SELECT pg_export_snapshot()")  # before load_state opens a savepoint
    try:
        stored, applied_seq = await load_state(connection)
    except StateUnreadable as error:
        return Compared([Finding(CHECK, "engine_state", str(error))])
    try:
        scan = scan_journal(Disk(), folder, journal_id, applied_seq, up_to_seq=applied_seq)
    except JournalError as error:
        return Compared([Finding(CHECK, str(folder), str(error))])
    if not scan.segments or not applied_seq:
        return Compared([])
    first_seq = scan.segments[0].first_seq
    async with rows_of_journal(dsn, connection, snapshot, first_seq, stored) as rows:
        findings: list[Finding] = []
        try:
            replayed = await _pass(rows, scan.segments, first_seq, applied_seq)
        except (JournalError, Diverged) as error:
            findings.append(Finding(CHECK, str(folder), str(error)))
        else:
            await rows.finish(connection)
            live, again = state_hash(stored), state_hash(replayed) if replayed else ""
            if replayed and live != again:
                problem = f"replayed from its start the journal gives {again}, PostgreSQL holds {live}"
                findings.append(Finding(CHECK, f"sequence {applied_seq}", problem))
        findings += [finding for found in rows.findings.values() for finding in found]
    return Compared(findings, first_seq, applied_seq)


async def _pass(
    rows: RowsOfJournal, segments: tuple[Segment, ...], first_seq: int, last_seq: int
) -> State | None:
    """Compare the rows of all records; the state that they give, None when the first ones are not kept any more."""
    state = State() if first_seq == 1 else None
    records = read_records(Disk(), segments, first_seq, last_seq)
    passing = rows.passing(takewhile(lambda record: record[0] <= last_seq, records))
    progress = Progress("comparing the journal")
    done = 0
    while count := _take(state, islice(passing, CHUNK_RECORDS)):
        await rows.compare()
        done += count
        progress(done, last_seq - first_seq + 1)
    progress.finish()
    return state


def _take(state: State | None, records: Iterator[tuple[int, bytes]]) -> int:
    """How many records there were; they are applied to the state."""
    return sum(1 for _ in records) if state is None else replay(state, records)
