"""Finding what Postgres refuses, and leaving nothing behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import asyncpg

from server.batch_writer import Batch
from server.codec import Record, decode_record
from server.refused_batch import find_refused
from server.watermark import claim
from sql.state_rows import cut_state
from tests.server.ledger_world import World, open_world


async def unwritten(world: World) -> tuple[asyncpg.Connection, Batch]:
    """Some orders that Postgres has not got, and a connection that could write them."""
    world.found(traders=2)
    await world.written()
    await world.write_behind.close()
    for units in (1, 2, 7, 3):
        world.buy(world.account_ids[0], "AAPL", 900_000, units)
    await world.runtime.wait_durable(world.state.seq)
    cut = cut_state(world.state, world.write_behind.applied_seq)
    batch = Batch(world.write_behind.applied_seq, cut.seq, cut.changes)
    connection, _ = await claim(world.write_behind._watermark, first=True)
    return connection, batch


async def find(world: World, connection: asyncpg.Connection, batch: Batch) -> str:
    def read(after: int, up_to: int, limit: int) -> Sequence[Record]:
        return [decode_record(data) for data in world.runtime.journal.records_after(after, up_to, limit)]

    found = await find_refused(connection, batch, read)
    assert await connection.fetchval("SELECT max(seq) FROM orders") is None
    await connection.close()
    return found


async def test_a_record_is_named(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        connection, batch = await unwritten(world)
        await connection.execute("ALTER TABLE orders ADD CHECK (quantity_e8 < 700000000)")
        assert await find(world, connection, batch) == f"sequence {batch.last_seq - 1} is refused"


async def test_an_aggregate_is_named(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        connection, batch = await unwritten(world)
        await connection.execute("ALTER TABLE wallets ADD CHECK (held_e4 = 0) NOT VALID")
        account_id = world.account_ids[0]
        expected = f"account {account_id} at sequence {batch.last_seq} is refused"
        assert await find(world, connection, batch) == expected


async def test_what_is_refused_only_as_a_whole_is_named_as_a_range(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        connection, batch = await unwritten(world)
        found = await find(world, connection, batch)
        assert found == f"sequences {batch.applied_seq + 1} to {batch.last_seq} are refused together"
