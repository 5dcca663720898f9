"""Claiming the watermark: one writer has it alone, the newest of a data folder, and only for its own journal."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from server.watermark import (
    AnotherWriter,
    ForeignJournal,
    JournalBehind,
    Watermark,
    advance,
    claim,
    stored_position,
)
from sql.statements import ONE_CLAIM

JOURNAL_ID = b"j" * 16


def watermark(dsn: str, journal_id: bytes = JOURNAL_ID, *, after: Watermark | None = None) -> Watermark:
    """A writer; of the same data folder as the one `after` which it comes, and which is dead then."""
    return Watermark(dsn, journal_id, 1, [after.instance] if after is not None else ())


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that is still connected at the second look is alive."""
    monkeypatch.setattr("server.watermark.GONE_S", 0.01)


async def position(connection: asyncpg.Connection) -> tuple[int, str]:
    row = await connection.fetchrow("SELECT applied_seq, owner_instance FROM journal_position")
    assert row is not None
    return row["applied_seq"], row["owner_instance"]


async def test_the_first_claim_starts_at_nothing(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    connection, applied_seq = await claim(ours, first=True)
    assert applied_seq == 0
    assert await position(connection) == (0, ours.instance)
    await connection.close()


async def test_advancing_is_part_of_the_transaction(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    connection, _ = await claim(ours, first=True)
    async with connection.transaction():
        await advance(connection, ours, 0, 5, 5)
    undone = connection.transaction()
    await undone.start()
    await advance(connection, ours, 5, 9, 4)
    await undone.rollback()
    assert await position(connection) == (5, ours.instance)
    async with connection.transaction():
        await advance(connection, ours, 5, 1_000_007, 1_000_002)
    ranges = await connection.fetch(
        "SELECT first_seq, last_seq, records, batches FROM applied_ranges ORDER BY bucket"
    )
    assert [tuple(row) for row in ranges] == [(1, 1_000_007, 1_000_007, 2)]
    await connection.close()


async def test_a_watermark_that_moved_is_another_writer(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    connection, _ = await claim(ours, first=True)
    for old in (1, -1):
        with pytest.raises(AnotherWriter):
            async with connection.transaction():
                await advance(connection, ours, old, 5, 5)
    await connection.execute("UPDATE journal_position SET owner_instance = 'somebody'")
    with pytest.raises(AnotherWriter):
        async with connection.transaction():
            await advance(connection, ours, 0, 5, 5)
    await connection.close()


async def test_records_that_do_not_follow_are_another_writer(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    connection, _ = await claim(ours, first=True)
    async with connection.transaction():
        await advance(connection, ours, 0, 5, 5)
    await connection.execute("UPDATE applied_ranges SET last_seq = 4")
    with pytest.raises(AnotherWriter, match="does not end at 5"):
        async with connection.transaction():
            await advance(connection, ours, 5, 6, 1)
    await connection.close()


async def test_a_claim_ends_the_backends_of_the_writer_before(database_dsn: str) -> None:
    older = watermark(database_dsn)
    old, _ = await claim(older, first=True)
    transaction = old.transaction()
    await transaction.start()
    await advance(old, older, 0, 5, 5)
    newer = watermark(database_dsn, after=older)
    connection, applied_seq = await claim(newer, first=True)
    assert applied_seq == 0
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await transaction.commit()
    assert await position(connection) == (0, newer.instance)
    old.terminate()
    with pytest.raises(AnotherWriter, match=newer.instance):
        await claim(older, first=False)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_claiming_again_finds_what_was_committed(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    lost, _ = await claim(ours, first=True)
    async with lost.transaction():
        await advance(lost, ours, 0, 5, 5)
    connection, applied_seq = await claim(ours, first=False)
    assert applied_seq == 5
    lost.terminate()
    await connection.close()


async def test_a_copy_that_is_behind_does_not_take_over(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    connection, _ = await claim(ours, first=True)
    async with connection.transaction():
        await advance(connection, ours, 0, 5, 5)
    connection.terminate()
    copy = watermark(database_dsn)
    assert await stored_position(copy) == 5
    with pytest.raises(JournalBehind, match="ends at sequence 4, the database holds 5"):
        await claim(copy, first=True, reaches=4)
    again, applied_seq = await claim(ours, first=False)
    assert applied_seq == 5
    async with again.transaction():
        await advance(again, ours, 5, 6, 1)
    await again.close()


async def test_who_has_lost_the_connection_ends_no_other_writer(database_dsn: str) -> None:
    older = watermark(database_dsn)
    newer = watermark(database_dsn, after=older)
    old, _ = await claim(older, first=True)
    connection, _ = await claim(newer, first=True)
    await connection.execute("UPDATE journal_position SET owner_instance = $1", older.instance)
    old.terminate()
    again, _ = await claim(older, first=False)  # as if it came between the new one's claim and its lock
    assert await connection.fetchval("SELECT 1") == 1
    await again.close()
    await connection.close()


async def test_who_is_connected_is_alive_and_keeps_its_place(database_dsn: str, hasty: None) -> None:
    """A copy of the data folder has the same journal, and does not know the original's owner for a dead one."""
    ours = watermark(database_dsn)
    connection, _ = await claim(ours, first=True)
    with pytest.raises(AnotherWriter, match=f"kerb-writer:{ours.instance} holds the database"):
        await claim(watermark(database_dsn), first=True)
    async with connection.transaction():
        await advance(connection, ours, 0, 5, 5)
    assert await position(connection) == (5, ours.instance)
    await connection.close()


async def test_who_has_just_died_is_waited_for(database_dsn: str) -> None:
    connection, _ = await claim(watermark(database_dsn), first=True)
    claiming = asyncio.create_task(claim(watermark(database_dsn), first=True))
    looker = await asyncpg.connect(database_dsn)
    while not await looker.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kerb-claimant:%' "
        "AND datname = current_database() AND query = 'SELECT pg_stat_clear_snapshot()'"
    ):
        assert not claiming.done()
    connection.terminate()
    newer, _ = await claiming
    assert await newer.fetchval("SELECT 1") == 1
    await newer.close()
    await looker.close()


async def test_of_two_that_claim_at_once_one_is_left(database_dsn: str, hasty: None) -> None:
    older = watermark(database_dsn)
    first, _ = await claim(older, first=True)
    blocker = await asyncpg.connect(database_dsn)
    blocked = blocker.transaction()
    await blocked.start()
    await blocker.execute(ONE_CLAIM)
    claims = [asyncio.create_task(claim(watermark(database_dsn, after=older), first=True)) for _ in range(2)]
    while (
        await blocker.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        < 2
    ):
        assert not any(one.done() for one in claims), claims
    assert await first.fetchval("SELECT 1") == 1, "who has to wait ends nobody yet"
    await blocked.rollback()
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    (alive,) = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert isinstance(refused, AnotherWriter)
    assert (await position(alive[0]))[0] == 0
    await alive[0].close()
    first.terminate()
    await blocker.close()


async def test_a_foreign_journal_is_refused_and_its_writer_left_alone(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    connection, _ = await claim(ours, first=True)
    with pytest.raises(ForeignJournal, match=f"belongs to journal {JOURNAL_ID.hex()}"):
        await claim(watermark(database_dsn, b"k" * 16), first=True)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_a_watermark_that_is_gone_is_not_made_again(database_dsn: str) -> None:
    ours = watermark(database_dsn)
    connection, _ = await claim(ours, first=True)
    await connection.execute("DELETE FROM journal_position")
    with pytest.raises(AnotherWriter, match="gone"):
        await claim(ours, first=False)
    await connection.close()
