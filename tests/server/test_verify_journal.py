"""The journal replayed from its start must give what Postgres holds; what differs is found and named."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from server.data_folder import DataFolder
from server.disk import Disk
from server.journal_scan import segment_paths
from server.verify_journal import verify_journal
from sql.queries import APPLIED_SEQ
from tests.server.ledger_world import open_world


async def written_world(dsn: str, folder: Path) -> None:
    with DataFolder.own(folder) as owned:
        journal_id = owned.journal_id()
    async with open_world(dsn, folder, journal_id=journal_id) as world:
        world.found(traders=3)
        world.trade_at_random(300, seed=4)
        await world.written()


async def applied_seq(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(APPLIED_SEQ))
    finally:
        await connection.close()


async def test_the_journal_gives_the_state_in_the_database(database_dsn: str, tmp_path: Path) -> None:
    await written_world(database_dsn, tmp_path)
    compared = await verify_journal(database_dsn, tmp_path)
    assert compared.findings == []
    assert (compared.first_seq, compared.last_seq) == (1, await applied_seq(database_dsn))


async def test_a_row_of_the_state_that_is_wrong_is_found(database_dsn: str, tmp_path: Path) -> None:
    await written_world(database_dsn, tmp_path)
    connection = await asyncpg.connect(database_dsn)
    gone = await connection.fetch(
        "DELETE FROM engine_state WHERE ctid = (SELECT ctid FROM engine_state WHERE kind = 'key' LIMIT 1) RETURNING 1"
    )
    await connection.close()
    (finding,) = (await verify_journal(database_dsn, tmp_path)).findings
    assert len(gone) == 1
    assert "replayed from its start the journal gives" in finding.problem


async def test_damage_in_the_journal_is_found(database_dsn: str, tmp_path: Path) -> None:
    await written_world(database_dsn, tmp_path)
    path = segment_paths(Disk(), tmp_path / "journal")[0]
    with path.open("r+b") as file:
        file.seek(4096 + 300)
        byte = file.read(1)
        file.seek(4096 + 300)
        file.write(bytes([byte[0] ^ 1]))
    (finding,) = (await verify_journal(database_dsn, tmp_path)).findings
    assert "journal corrupt" in finding.problem


async def test_without_a_journal_there_is_nothing_to_compare(database_dsn: str, tmp_path: Path) -> None:
    compared = await verify_journal(database_dsn, tmp_path)
    assert (compared.findings, compared.first_seq) == ([], 0)
    assert str(compared) == "no journal to compare the rows with"
