"""The journal replayed from its start must give what Postgres holds; what differs is found and named."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from msgspec import structs

from engine.state_hash import state_hash
from server.data_folder import DataFolder
from server.disk import Disk
from server.journal_outside import PinnedDisk
from server.journal_scan import CLEAN_MARK_NAME, scan_journal, segment_name, segment_paths
from server.verify_journal import verify_journal
from sql.queries import APPLIED_SEQ
from tests.server.ledger_world import SETTINGS, open_world


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


async def tail_world(dsn: str, folder: Path) -> tuple[int, int, str]:
    """Trades of which the last ones never reach Postgres: the watermark, the durable end, and the state there."""
    await written_world(dsn, folder)
    with DataFolder.own(folder) as owned:
        journal_id = owned.journal_id()
    slow = structs.replace(SETTINGS, interval_ms=60_000)
    async with open_world(dsn, folder, slow, journal_id=journal_id) as world:
        world.maker_id, *world.account_ids = sorted(world.state.accounts)
        for seed in (6, 7):
            world.trade_at_random(25, seed)
            await world.runtime.wait_durable(world.state.seq)
        return world.write_behind.applied_seq, world.state.seq, state_hash(world.state)


async def test_records_after_the_watermark_are_checked_too(database_dsn: str, tmp_path: Path) -> None:
    applied, durable, state = await tail_world(database_dsn, tmp_path)
    assert applied < durable
    for is_running in (True, False):
        compared = await verify_journal(database_dsn, tmp_path, is_running=is_running)
        assert compared.findings == []
        assert (compared.last_seq, compared.durable_seq, compared.state) == (applied, durable, state)


async def test_what_was_never_finished_is_said_and_is_no_finding(database_dsn: str, tmp_path: Path) -> None:
    _, durable, _ = await tail_world(database_dsn, tmp_path)
    (tmp_path / "journal" / CLEAN_MARK_NAME).unlink()
    disk = Disk()
    journal_id = DataFolder.journal_id_in(tmp_path)
    assert journal_id is not None
    scan = scan_journal(disk, tmp_path / "journal", journal_id, durable)
    with scan.segments[-1].path.open("r+b") as file:
        file.seek(scan.segments[-1].end_offset)
        file.write(b"KJFR half a frame")
    stopped = await verify_journal(database_dsn, tmp_path, is_running=False)
    assert stopped.findings == []
    assert str(stopped).endswith("17 bytes after it were never finished, the next start cuts them off")
    assert stopped.durable_seq == durable
    running = await verify_journal(database_dsn, tmp_path, is_running=True)
    assert (running.findings, running.torn) == ([], "")
    assert running.last_seq < running.durable_seq < durable  # the last group may be about to be written


async def test_damage_after_the_watermark_is_found(database_dsn: str, tmp_path: Path) -> None:
    await tail_world(database_dsn, tmp_path)
    scan_end = segment_paths(Disk(), tmp_path / "journal")[-1]
    data = bytearray(scan_end.read_bytes())
    last = data.rindex(b"KJFR")
    data[last + 200] ^= 1
    scan_end.write_bytes(data)
    (finding,) = (await verify_journal(database_dsn, tmp_path, is_running=False)).findings
    assert "journal corrupt" in finding.problem


async def test_segments_that_their_owner_removes_meanwhile_stay_readable(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    path = folder / segment_name(1)
    path.write_bytes(b"content")
    with PinnedDisk(folder) as disk:
        path.unlink()
        (folder / segment_name(2)).touch()
        fd = disk.open(path)
        assert (disk.listdir(folder), disk.size_bytes(path), disk.pread(fd, 99, 0)) == (
            [path.name],
            7,
            b"content",
        )
        disk.close(fd)
