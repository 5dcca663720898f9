"""The contract of the Postgres double: the same is said to it and to the real server, and both must answer and hold the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server.postgres_errors import is_away
from server.watermark import (
    AnotherWriter,
    Connect,
    ForeignJournal,
    JournalBehind,
    Watermark,
    advance,
    claim,
    stored_position,
)
from sql.copy_rows import COPY_HEADER, COPY_TRAILER, lot_key_row, lot_row, state_row
from sql.queries import AGGREGATES, AGGREGATES_TOTAL
from sql.statements import INSERT_WITHDRAWAL, LOTS, LOTS_GONE, ONE_CLAIM, STATE
from tests.server.ledger_world import open_world
from tests.simulation.double_tables import KEYS, Key, Row, key_of
from tests.simulation.genesis import Genesis, History, Tables, differences
from tests.simulation.postgres_double import PostgresDouble

OURS, THEIRS = b"j" * 16, b"k" * 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW_US = 1_700_000_000_000_000


class Either:
    """A database of one of the two kinds."""

    def __init__(self, dsn: str, connect: Connect) -> None:
        self.dsn = dsn
        self.connect = connect

    def watermark(self, journal_id: bytes = OURS, after: Watermark | None = None) -> Watermark:
        """A writer; of the same folder as the one that it comes after."""
        predecessors = () if after is None else (after.instance,)
        return Watermark(self.dsn, journal_id, 1, predecessors, self.connect)


@pytest.fixture(params=["real", "double"])
def database(request: pytest.FixtureRequest) -> Either:
    if request.param == "real":
        return Either(request.getfixturevalue("database_dsn"), asyncpg.connect)
    return Either("", PostgresDouble().connect)


async def copy(connection: asyncpg.Connection, table: str, columns: tuple[str, ...], *rows: bytes) -> None:
    async def pieces() -> Any:
        yield COPY_HEADER
        yield b"".join(rows)
        yield COPY_TRAILER

    await connection.copy_to_table(table, source=pieces(), columns=columns, format="binary")


async def test_the_first_claim_starts_at_nothing_and_the_next_one_takes_over(database: Either) -> None:
    assert await stored_position(database.watermark()) == 0
    older = database.watermark()
    newer = database.watermark(after=older)
    old, applied_seq = await claim(older, first=True)
    assert applied_seq == 0
    async with old.transaction():
        await advance(old, older, 0, 7, 7)
    new, applied_seq = await claim(newer, first=True)
    assert applied_seq == 7
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as ended:
        await old.fetch("SELECT applied_seq FROM journal_position")
    assert is_away(ended.value)
    with pytest.raises(AnotherWriter):
        await claim(older, first=False)
    with pytest.raises(AnotherWriter):
        async with new.transaction():
            await advance(new, older, 7, 9, 2)
    new.terminate()


async def test_a_writer_that_is_connected_keeps_its_place(
    database: Either, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.watermark.GONE_S", 0.1)
    ours = database.watermark()
    connection, _ = await claim(ours, first=True)
    with pytest.raises(AnotherWriter, match=f"kerb-writer:{ours.instance}"):
        await claim(database.watermark(), first=True)
    async with connection.transaction():
        await advance(connection, ours, 0, 7, 7)
    await connection.close()
    other, applied_seq = await claim(database.watermark(), first=True)
    assert applied_seq == 7
    other.terminate()


async def test_who_may_not_write_is_told_why(database: Either) -> None:
    ours = database.watermark()
    connection, _ = await claim(ours, first=True)
    async with connection.transaction():
        await advance(connection, ours, 0, 7, 7)
    with pytest.raises(ForeignJournal):
        await stored_position(database.watermark(THEIRS))
    with pytest.raises(ForeignJournal):
        await claim(database.watermark(THEIRS), first=True)
    with pytest.raises(JournalBehind):
        await claim(database.watermark(after=ours), first=True, reaches=6)
    connection.terminate()


async def test_a_watermark_that_does_not_follow_moves_nothing(database: Either) -> None:
    ours = database.watermark()
    connection, _ = await claim(ours, first=True)
    for old, new in ((3, 5), (-1, 5)):
        with pytest.raises(AnotherWriter):
            async with connection.transaction():
                await advance(connection, ours, old, new, new - old)
    async with connection.transaction():
        await advance(connection, ours, 0, 5, 5)
    connection.terminate()
    assert await stored_position(database.watermark()) == 5


async def test_what_is_not_committed_nobody_sees_and_a_broken_connection_takes_it_along(
    database: Either,
) -> None:
    ours = database.watermark()
    connection, _ = await claim(ours, first=True)
    transaction = connection.transaction()
    await transaction.start()
    await advance(connection, ours, 0, 5, 5)
    assert await stored_position(database.watermark()) == 0
    await transaction.rollback()
    transaction = connection.transaction()
    await transaction.start()
    await advance(connection, ours, 0, 6, 6)
    connection.terminate()
    again, applied_seq = await claim(ours, first=False)
    assert applied_seq == 0
    again.terminate()


async def test_a_claim_waits_for_one_that_is_under_way(database: Either) -> None:
    first = await database.connect(
        database.dsn, timeout=5.0, command_timeout=5.0, server_settings={"application_name": "somebody"}
    )
    transaction = first.transaction()
    await transaction.start()
    await first.execute(ONE_CLAIM)
    claiming = asyncio.create_task(claim(database.watermark(), first=True))
    await asyncio.wait([claiming], timeout=0.1)
    assert not claiming.done()
    await transaction.commit()
    connection, _ = await claiming
    for each in (first, connection):
        each.terminate()


async def test_a_row_that_is_there_is_refused_and_the_transaction_with_it(database: Either) -> None:
    connection, _ = await claim(database.watermark(), first=True)
    row = (11, 22, 33, NOW_US)
    transaction = connection.transaction()
    await transaction.start()
    await connection.executemany(INSERT_WITHDRAWAL, [row])
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await connection.executemany(INSERT_WITHDRAWAL, [row])
    assert not is_away(refused.value)
    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await connection.execute("TRUNCATE stage_lots")
    await transaction.rollback()
    async with connection.transaction():
        await connection.executemany(INSERT_WITHDRAWAL, [row])
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.executemany(INSERT_WITHDRAWAL, [row])
    connection.terminate()


async def test_a_stage_lives_as_long_as_its_transaction_and_names_a_row_once(database: Either) -> None:
    connection, _ = await claim(database.watermark(), first=True)
    lot = lot_row(1, 2, "AAPL", 3, 4, NOW_US, 5)
    async with connection.transaction():
        await copy(connection, LOTS.table, LOTS.columns, lot)
    async with connection.transaction():
        await connection.execute(LOTS.merge)  # nothing is staged any more
        await copy(connection, LOTS.table, LOTS.columns, lot)
        await connection.execute(LOTS.merge)
        await connection.execute("TRUNCATE stage_lots")
        await copy(connection, LOTS.table, LOTS.columns, lot_row(1, 2, "AAPL", 9, 8, NOW_US, 7))
        await connection.execute(LOTS.merge)
    transaction = connection.transaction()
    await transaction.start()
    await copy(connection, LOTS.table, LOTS.columns, lot, lot)
    with pytest.raises(asyncpg.CardinalityViolationError):
        await connection.execute(LOTS.merge)
    await transaction.rollback()
    async with connection.transaction():
        await copy(connection, LOTS_GONE.table, LOTS_GONE.columns, lot_key_row(1))
        await connection.execute(LOTS_GONE.merge)
        await copy(connection, LOTS.table, LOTS.columns, lot)
        await connection.execute(LOTS.merge)
    with pytest.raises(asyncpg.UndefinedTableError):
        await connection.execute("TRUNCATE stage_of_nobody")
    connection.terminate()


async def test_a_snapshot_stays_as_it_was(database: Either) -> None:
    ours = database.watermark()
    writer, _ = await claim(ours, first=True)
    reader = await database.connect(
        database.dsn, timeout=5.0, command_timeout=5.0, server_settings={"application_name": "reader"}
    )

    async def write(key: bytes) -> None:
        async with writer.transaction():
            await copy(writer, STATE.table, STATE.columns, state_row("lot", key, b"body"))
            await writer.execute(STATE.merge)

    await write(b"\x02")
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        assert await reader.fetchval(AGGREGATES_TOTAL) == 1
        await write(b"\x01")
        assert await reader.fetchval(AGGREGATES_TOTAL) == 1
        assert [row["key"] async for row in reader.cursor(AGGREGATES, "lot", prefetch=10)] == [b"\x02"]
    assert [bytes(row["key"]) for row in await reader.fetch(AGGREGATES, "lot")] == [b"\x01", b"\x02"]
    for connection in (reader, writer):
        connection.terminate()


# ---- every table, of a venue's life


def plain(value: object) -> object:
    """As the double has it: microseconds, days since 1970, tuples."""
    if isinstance(value, datetime):
        since = value - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if isinstance(value, date):
        return (value - EPOCH.date()).days
    return tuple(value) if isinstance(value, list) else value


async def tables_of(dsn: str) -> Tables:
    """What the real one holds, without the accounts of the outside, which its schema brings."""
    connection = await asyncpg.connect(dsn)
    try:
        tables: Tables = {}
        for table in KEYS:
            rows: dict[Key, Row] = {}
            for record in await connection.fetch(f"SELECT * FROM {table}"):
                row = {
                    name: plain(value)
                    for name, value in record.items()
                    if name != "updated_at" or table == "orders"
                }
                if table != "accounts" or row["seq"]:
                    rows[key_of(table, row)] = row
            tables[table] = rows
        return tables
    finally:
        await connection.close()


async def test_the_keys_are_those_of_the_schema(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    found = {
        table: await connection.fetchval(
            "SELECT array_agg(a.attname ORDER BY k.place) FROM pg_index AS i "
            "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place) "
            "JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
            "WHERE i.indrelid = $1::regclass AND i.indisprimary",
            table,
        )
        for table in KEYS
    }
    await connection.close()
    assert found == {table: list(key) for table, key in KEYS.items()}


async def test_a_venues_life_leaves_the_same_rows_in_both(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=4)
        await world.written()
        for seed in range(6):
            world.trade_at_random(120, seed)
            await world.written()
            world.bust_at_random(4, seed)
            world.pay_dividend(1 + seed)
            await world.written()
        history = History()
        for _, data in world.runtime.journal.read(1):
            history.add(data)
    genesis = Genesis()
    genesis.learn(history)
    expected = genesis.points[history.digests[-1]].tables
    found = await tables_of(database_dsn)
    assert all(
        found[table] for table in ("orders", "executions", "candles", "realized_gains", "dividend_payments")
    )
    assert differences(found, expected) == []
