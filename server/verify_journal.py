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
from server.journal_outside import PinnedDisk, durable_end
from server.journal_progress import ScanProgress
from server.journal_reader import Segment, read_records
from server.journal_scan import JournalScan, scan_journal
from server.progress import Progress
from server.recovery import StateUnreadable, load_state
from server.replay import Diverged, replay
from server.verify import Finding
from server.verify_rows import rows_of_journal

CHECK: Final = "journal = engine state"
CHUNK_RECORDS: Final = 2_048
"""Whose rows are in memory at a time."""


class Compared(Struct, frozen=True):
    """What is wrong, and what was read: records (from, up to) whose rows were compared, 0 and 0 where there is no journal.

    The hash chain holds up to `durable_seq`, and the engine's state there is `state`; `torn` says that the end of the
    journal was never written to its end, which a crash explains and the next start cuts off.
    """

    findings: list[Finding]
    first_seq: int = 0
    last_seq: int = 0
    durable_seq: int = 0
    state: str = ""
    torn: str = ""

    def __str__(self) -> str:
        if not self.first_seq:
            return "no journal to compare the rows with"
        text = f"rows of records {self.first_seq} to {self.last_seq} compared with the journal"
        if self.state:
            text += f", which is whole up to {self.durable_seq}; the engine's state there is {self.state}"
        return text + self.torn


async def verify_journal(dsn: str, data_dir: Path, *, is_running: bool = True) -> Compared:
    """Read the journal of `data_dir` up to the watermark, compare the rows that its records left behind and, if it is kept
    from record 1, the `state_hash` of its replay; then the records after the watermark: the state in Postgres and the one
    replayed from the start must take them alike. One snapshot, also of a database that is written on. Changes nothing.

    `is_running`: somebody may be writing it, so what is not known to be durable is left alone. Nothing to compare, and so
    no finding, where there is no journal. Raises what asyncpg raises.
    """
    journal_id = DataFolder.journal_id_in(data_dir)
    if journal_id is None:
        return Compared([])
    folder = data_dir / DataFolder.JOURNAL_NAME
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "kerb-verify", "jit": "off"})
    try:
        # The snapshot first: what it has was durable before, so the segments that are pinned then hold it.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval(
                "SELECT pg_export_snapshot()"
            )  # before load_state opens a savepoint
            with PinnedDisk(folder) as disk:
                return await _Verification(dsn, connection, snapshot, disk, folder, journal_id).run(
                    is_running
                )
    finally:
        await connection.close()


class _Verification:
    """One comparison, in one snapshot of the database and one of the journal's folder."""

    def __init__(
        self,
        dsn: str,
        connection: asyncpg.Connection,
        snapshot: str,
        disk: Disk,
        folder: Path,
        journal_id: bytes,
    ) -> None:
        self._dsn = dsn
        self._connection = connection
        self._snapshot = snapshot
        self._disk = disk
        self._folder = folder
        self._journal_id = journal_id
        self._findings: list[Finding] = []

    async def run(self, is_running: bool) -> Compared:
        try:
            stored, applied_seq = await load_state(self._connection)
        except StateUnreadable as error:
            return Compared([Finding(CHECK, "engine_state", str(error))])
        try:
            scan = self._scan(applied_seq, is_running)
        except JournalError as error:
            return Compared([Finding(CHECK, str(self._folder), str(error))])
        if not scan.segments or not scan.last_seq:
            return Compared([])
        first_seq, tail = scan.segments[0].first_seq, Compared([])
        try:
            replayed = await self._rows(stored, scan.segments, first_seq, applied_seq)
            self._same(stored, replayed, applied_seq)
            tail = self._tail(stored, replayed, scan, applied_seq)
        except (JournalError, Diverged) as error:
            self._findings.append(Finding(CHECK, str(self._folder), str(error)))
        return Compared(self._findings, first_seq, applied_seq, tail.durable_seq, tail.state, tail.torn)

    def _scan(self, applied_seq: int, is_running: bool) -> JournalScan:
        """Every frame, of a journal that is written on those known to be durable."""
        up_to_seq = (
            durable_end(self._disk, self._folder, self._journal_id, applied_seq) if is_running else None
        )
        return scan_journal(
            self._disk, self._folder, self._journal_id, applied_seq, ScanProgress(), up_to_seq=up_to_seq
        )

    async def _rows(
        self, stored: State, segments: tuple[Segment, ...], first_seq: int, last_seq: int
    ) -> State | None:
        """Compare the rows of all records up to the watermark; the state that they give if the first one is kept."""
        async with rows_of_journal(self._dsn, self._connection, self._snapshot, first_seq, stored) as rows:
            try:
                state = State() if first_seq == 1 else None
                records = read_records(self._disk, segments, first_seq, last_seq)
                passing = rows.passing(takewhile(lambda record: record[0] <= last_seq, records))
                progress = Progress("comparing the journal")
                done = 0
                while count := _take(state, islice(passing, CHUNK_RECORDS)):
                    await rows.compare()
                    done += count
                    progress(done, last_seq - first_seq + 1)
                progress.finish()
                await rows.finish(self._connection)
            finally:
                self._findings += rows.findings.all()
        return state

    def _same(self, stored: State, replayed: State | None, seq: int) -> None:
        if replayed is None:
            return
        live, again = state_hash(stored), state_hash(replayed)
        if live != again:
            problem = f"replayed from its start the journal gives {again}, PostgreSQL holds {live}"
            self._findings.append(Finding(CHECK, f"sequence {seq}", problem))

    def _tail(self, stored: State, replayed: State | None, scan: JournalScan, applied_seq: int) -> Compared:
        """The records that Postgres has not got yet: recovery would apply them to its state."""
        found = len(self._findings)
        for state in (stored, replayed):
            if state is not None:
                records = read_records(self._disk, scan.segments, applied_seq + 1, scan.last_seq)
                replay(state, records, scan.last_seq - applied_seq)
        if found == 0 and scan.last_seq > applied_seq:
            self._same(stored, replayed, scan.last_seq)
        torn = ""
        if scan.torn is not None:
            size = scan.torn.end - scan.torn.offset
            torn = f"; {size} bytes after it were never finished, the next start cuts them off"
        return Compared([], durable_seq=scan.last_seq, state=state_hash(stored), torn=torn)


def _take(state: State | None, records: Iterator[tuple[int, bytes]]) -> int:
    """How many records there were; they are applied to the state."""
    return sum(1 for _ in records) if state is None else replay(state, records)
