"""Checks the journal from its start: the same records must give the state that PostgreSQL holds at its watermark."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import asyncpg

from engine.state import State
from engine.state_hash import state_hash
from server.data_folder import DataFolder
from server.disk import Disk
from server.journal_errors import JournalError
from server.journal_reader import read_records
from server.journal_scan import scan_journal
from server.recovery import StateUnreadable, load_state
from server.replay import Diverged, replay
from server.verify import Finding

CHECK = "journal = engine state"


async def verify_journal(dsn: str, data_dir: Path) -> list[Finding]:
    """Replay the journal of `data_dir` from record 1 up to the watermark and compare `state_hash`. Changes nothing.

    Nothing to compare, and so no finding, where there is no journal or its start has been pruned.
    """
    journal_id = DataFolder.journal_id_in(data_dir)
    if journal_id is None:
        return []
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "kerb-verify"})
    try:
        stored, applied_seq = await load_state(connection)
    except StateUnreadable as error:
        return [Finding(CHECK, "engine_state", str(error))]
    finally:
        await connection.close()
    disk = Disk()
    folder = data_dir / DataFolder.JOURNAL_NAME
    try:
        scan = scan_journal(disk, folder, journal_id, applied_seq, up_to_seq=applied_seq)
        if not scan.segments or scan.segments[0].first_seq > 1:
            return []
        state = State()
        records = read_records(disk, scan.segments, 1, applied_seq)
        replay(state, takewhile(lambda record: record[0] <= applied_seq, records), applied_seq)
    except (JournalError, Diverged) as error:
        return [Finding(CHECK, str(folder), str(error))]
    live, replayed = state_hash(stored), state_hash(state)
    if live != replayed:
        problem = f"replayed from its start the journal gives {replayed}, PostgreSQL holds {live}"
        return [Finding(CHECK, f"sequence {applied_seq}", problem)]
    return []
