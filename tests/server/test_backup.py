"""A backup holds everything, an operator's round trip comes back to any record, and what is damaged is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from msgspec import structs

from config.settings import Settings
from engine.commands import AdjustCash, OpenAccount, SetRiskRule
from engine.events import AccountOpened, Posted
from engine.kinds import AccountKind, RiskMode, RiskRule
from engine.state import State
from engine.state_hash import state_hash
from server.backup import backup
from server.backup_manifest import BackupError, read_manifest
from server.data_folder import DataFolder, DataFolderDamaged
from server.disk import Disk
from server.journal_reader import read_records
from server.journal_scan import scan_journal
from server.journal_segments import SEGMENT_MIN_BYTES
from server.operations import verify
from server.replay import replay
from server.restore import Restored, Until, restore
from sql.backups import MADE_BY_PEOPLE, MADE_BY_THE_JOURNAL, TABLES
from tests.server.ledger_world import UNIT_E8, World
from tests.server.test_verify_rows import world_of

ADJUSTMENT = "account_id, amount_e4, reason, status, proposed_by, decided_by, outcome"


def open_account(account_id: int) -> str:
    return f"('OPEN_ACCOUNT', 7000, '{{}}', now(), 'acc_{account_id}')"


class Venue:
    """A Kerb that trades on while it is backed up. `marks` are (sequence, state hash, time) at some moments."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world = world
        self.settings = settings
        self.folder = settings.data_dir.with_name("backup")
        self.marks: list[tuple[int, str, int]] = []

    async def trade(self, seed: int) -> None:
        for _ in range(3):  # three groups
            self.world.trade_at_random(60, seed)
            await self.world.runtime.wait_durable(self.world.state.seq)
        state = self.world.state
        self.marks.append((state.seq, state_hash(state), state.last_us))

    async def back_up(self) -> None:
        await self.world.written()
        await backup(self.settings, self.folder)


@pytest.fixture
async def venue(database_dsn: str, settings: Settings) -> AsyncIterator[Venue]:
    of = structs.replace(settings, database_url=database_dsn)
    async with world_of(database_dsn, settings.data_dir, SEGMENT_MIN_BYTES) as world:
        with DataFolder.own(settings.data_dir):
            world.found(traders=4)
            world.submit(SetRiskRule(RiskRule.FAT_FINGER, RiskMode.FLAG, (7 * UNIT_E8, 10**12)))
            yield Venue(world, of)


@pytest.fixture
def target(settings: Settings, empty_database_dsn: str) -> Settings:
    return structs.replace(
        settings, data_dir=settings.data_dir.with_name("restored"), database_url=empty_database_dsn
    )


def replayed(data_dir: Path, seq: int) -> str:
    """The state that a folder's journal gives at a sequence."""
    journal_id = DataFolder.journal_id_in(data_dir)
    assert journal_id is not None
    scan = scan_journal(Disk(), data_dir / "journal", journal_id, seq, up_to_seq=seq)
    state = State()
    replay(state, read_records(Disk(), scan.segments, 1, seq))
    return state_hash(state)


async def restored(target: Settings, folder: Path, until: Until) -> Restored:
    """Restored and verified; the whole journal is in Postgres."""
    done = await restore(target, folder, until)
    verdict = await verify(target)
    assert verdict.findings == []
    assert (verdict.compared.last_seq, verdict.compared.state) == (done.end.seq, done.state)
    return done


async def test_a_moment_between_two_backups_comes_back(venue: Venue, target: Settings) -> None:
    await venue.trade(1)
    await venue.back_up()
    await venue.trade(2)
    venue.world.clock_leap(7)
    await venue.trade(3)
    await venue.back_up()
    seq, state, last_us = venue.marks[1]
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=last_us, seconds=3)
    done = await restored(target, venue.folder, moment)
    assert (done.end.seq, done.state, done.end.us) == (seq, state, last_us)
    assert replayed(venue.settings.data_dir, seq) == state
    assert done.rows is not None
    assert done.rows.applied_seq == venue.marks[0][0]
    assert done.people.applied_seq == venue.marks[2][0]


async def test_a_sequence_in_the_middle_of_a_group_before_the_first_dump_comes_back(
    venue: Venue, target: Settings
) -> None:
    await venue.trade(1)
    await venue.back_up()
    seq = venue.marks[0][0] - 70
    done = await restored(target, venue.folder, seq)
    assert (done.end.seq, done.rows) == (seq, None)
    assert done.journal_id != read_manifest(venue.folder).journal_id
    assert done.state == replayed(venue.settings.data_dir, seq)


async def test_what_people_wrote_is_kept_and_what_the_engine_had_done_for_them_is_to_be_done_again(
    venue: Venue, target: Settings
) -> None:
    world = venue.world
    await venue.trade(1)
    await venue.back_up()
    await venue.trade(2)
    opened = world.submit(OpenAccount(7_000, AccountKind.USER, "USD")).answer[0]
    posted = world.submit(AdjustCash(world.account_ids[0], 5, "adj_1")).answer[0]
    assert isinstance(opened, AccountOpened)
    assert isinstance(posted, Posted)
    await world.written()
    connection = await asyncpg.connect(venue.settings.database_url)
    account = world.account_ids[0]
    for statement in (
        "INSERT INTO users (user_id, email, password_hash, full_name) OVERRIDING SYSTEM VALUE VALUES (7000, 'a@b.c', 'x', 'A')",
        f"INSERT INTO outbox (kind, user_id, body, done_at, outcome) VALUES {open_account(opened.account_id)}",
        f"INSERT INTO cash_adjustments ({ADJUSTMENT}) VALUES ({account}, 5, 'r', 'POSTED', 1, 2, 'txn_{posted.txn_id}')",
        "UPDATE risk_violations SET status = 'DISMISSED', reviewed_by = 1, reviewed_at = now(), note = 'seen'",
        "UPDATE notifications SET read_at = now()",
    ):
        assert not (await connection.execute(statement)).endswith(" 0"), statement
    await connection.close()
    await venue.back_up()
    await restored(target, venue.folder, venue.marks[1][0])
    connection = await asyncpg.connect(target.database_url)
    assert await connection.fetchval("SELECT email FROM users WHERE user_id = 7000") == "a@b.c"
    assert await connection.fetchval("SELECT done_at IS NULL AND outcome IS NULL FROM outbox")
    assert await connection.fetchval("SELECT status FROM cash_adjustments") == "APPROVED"
    assert await connection.fetchval("SELECT array_agg(DISTINCT status) FROM risk_violations") == [
        "DISMISSED"
    ]
    assert await connection.fetchval("SELECT count(*) FROM notifications WHERE read_at IS NULL") == 0
    assert not [row for row in await connection.fetch(TABLES) if row["name"].startswith("restore_")]
    await connection.close()


async def test_a_second_run_copies_what_is_new_and_leaves_the_rest(venue: Venue) -> None:
    await venue.trade(1)
    await venue.back_up()
    before = {path: path.stat().st_mtime_ns for path in venue.folder.rglob("*.kj")}
    await venue.trade(2)
    done = await backup(venue.settings, venue.folder, keep=1)
    after = {path: path.stat().st_mtime_ns for path in venue.folder.rglob("*.kj")}
    kept = before.keys() & after.keys()
    assert len(kept) >= len(before) - 1  # the one that was being written
    assert all(before[path] == after[path] for path in kept)
    assert done.new_segments == len(after) - len(kept)
    assert len(list((venue.folder / "database").iterdir())) == len(done.manifest.dumps) == 1
    assert done.manifest.segments[-1].last_seq >= venue.marks[0][0]
    assert not done.gap


async def test_records_that_were_pruned_before_they_were_copied_are_a_gap_that_is_said(
    venue: Venue, target: Settings
) -> None:
    await venue.trade(1)
    await venue.back_up()
    held = read_manifest(venue.folder).segments[-1]
    await venue.trade(2)
    await venue.world.written()
    removed = venue.world.runtime.journal.prune(9e9)
    assert removed
    done = await backup(venue.settings, venue.folder)
    assert f"records {held.first_seq} to" in done.gap or f"records {held.last_seq + 1} to" in done.gap
    assert len(done.manifest.chains()) == 2
    back = await restored(target, venue.folder, None)
    assert (back.end.seq, back.state) == venue.marks[1][:2]


HARMS = [
    # the file, what is done to it, the problem
    ("journal/*.kj", "flip", "is not what the backup wrote"),
    ("journal/*.kj", "remove", "is missing"),
    ("database/*.dump", "flip", "is not what the backup wrote"),
    ("manifest.json", "flip", "manifest.json is damaged"),
    ("manifest.json", "remove", "holds no backup"),
]


async def test_a_damaged_backup_is_refused_and_nothing_is_written(venue: Venue, target: Settings) -> None:
    await venue.trade(1)
    await venue.back_up()
    for pattern, what, problem in HARMS:
        path = min(venue.folder.glob(pattern))
        sound = path.read_bytes()
        path.unlink()
        if what == "flip":
            path.write_bytes(
                sound[: len(sound) // 2] + bytes([sound[len(sound) // 2] ^ 1]) + sound[len(sound) // 2 + 1 :]
            )
        with pytest.raises(BackupError, match=problem):
            await restore(target, venue.folder, None)
        path.write_bytes(sound)
    assert not target.data_dir.exists()


async def test_what_cannot_be_restored_says_what_could(venue: Venue, target: Settings) -> None:
    await venue.trade(1)
    await venue.back_up()
    last = read_manifest(venue.folder).segments[-1].last_seq
    for until in (last + 1, datetime(2001, 1, 1, tzinfo=UTC)):
        with pytest.raises(BackupError, match=f"which holds the records 1 to {last}$"):
            await restore(target, venue.folder, until)
    target.data_dir.mkdir()
    (target.data_dir / "something").touch()
    with pytest.raises(BackupError, match="is not empty"):
        await restore(target, venue.folder, None)


async def test_a_folder_of_something_else_is_no_place_for_a_backup(venue: Venue, tmp_path: Path) -> None:
    await venue.trade(1)
    (tmp_path / "letters").mkdir()
    with pytest.raises(BackupError, match="no part of a backup"):
        await backup(venue.settings, tmp_path)
    await venue.back_up()
    with pytest.raises(BackupError, match="holds no journal"):
        await backup(structs.replace(venue.settings, data_dir=tmp_path / "nowhere"), venue.folder)


async def test_a_restore_that_was_cut_off_is_no_data_folder(tmp_path: Path) -> None:
    with DataFolder.own(tmp_path) as owned:
        owned.begin_restoring()
        owned.journal_id()
        (tmp_path / "restore-unfinished").write_text("1\n")
        with pytest.raises(DataFolderDamaged, match="was not finished"):
            owned.journal_id()
        DataFolder.end_restoring(tmp_path)
        owned.journal_id()


async def test_every_table_is_made_by_the_journal_or_by_people(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    names = {row["name"] for row in await connection.fetch(TABLES)}
    await connection.close()
    assert names == MADE_BY_THE_JOURNAL | MADE_BY_PEOPLE, "sql/backups.py has to say of a table who writes it"
    assert not MADE_BY_THE_JOURNAL & MADE_BY_PEOPLE
