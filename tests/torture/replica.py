"""A second engine that has only ever been given the journal, from record 1 on: what every recovered state must equal."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from engine.state import State
from engine.state_hash import state_hash
from server.data_folder import DataFolder
from server.disk import Disk
from server.journal_reader import read_records
from server.journal_scan import JournalScan, scan_journal
from server.recovery import load_state
from server.replay import replay


class Replica:
    """Reads the journal of a folder whose Kerb is dead, and changes nothing on disk."""

    def __init__(self, data_dir: Path) -> None:
        self.state = State()
        self._data_dir = data_dir
        self._disk = Disk()

    def catch_up(self) -> JournalScan:
        """Replay what has been added to the journal. Raises what a damaged journal or another outcome raises."""
        scan = self._scan(0)
        self._replay(scan, self.state)
        return scan

    async def recovered(self, dsn: str) -> int:
        """Recover as a start does, from PostgreSQL and the journal after it; the number of records replayed.

        Raises AssertionError when the state is not the replica's.
        """
        connection = await asyncpg.connect(dsn)
        try:
            state, applied_seq = await load_state(connection)
        finally:
            await connection.close()
        scan = self._scan(applied_seq)
        assert self.state.seq == scan.last_seq, "catch up first"
        self._replay(scan, state)
        assert state_hash(state) == state_hash(self.state), f"recovered from {applied_seq} to {scan.last_seq}"
        return scan.last_seq - applied_seq

    def _scan(self, known_durable_seq: int) -> JournalScan:
        journal_id = DataFolder.journal_id_in(self._data_dir)
        assert journal_id is not None
        folder = self._data_dir / DataFolder.JOURNAL_NAME
        scan = scan_journal(self._disk, folder, journal_id, known_durable_seq)
        assert scan.segments[0].first_seq == 1, "the journal no longer begins at record 1"
        return scan

    def _replay(self, scan: JournalScan, state: State) -> None:
        replay(state, read_records(self._disk, scan.segments, state.seq + 1, scan.last_seq))
        assert state.seq == scan.last_seq
