"""Loading the engine's state from Postgres: all of it at one sequence, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from engine.invariants import check_invariants
from engine.orders import Level, Order
from engine.state import State
from engine.state_hash import state_hash
from server.recovery import StateUnreadable, load_state
from tests.server.ledger_world import open_world


@pytest.fixture
async def connection(database_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_dsn)
    yield connection
    await connection.close()


async def test_the_first_start_has_nothing_to_load(connection: asyncpg.Connection) -> None:
    state, applied_seq = await load_state(connection)
    assert applied_seq == 0
    assert state_hash(state) == state_hash(State())


async def test_the_loaded_state_is_whole_and_has_no_changes(
    database_dsn: str, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=5)
        world.trade_at_random(600, seed=8)
        await world.written()
        alive = state_hash(world.state)
        queues = {
            symbol: [order.order_id for level in book.bids.best_first() for order in queue(level)]
            for symbol, book in world.state.books.items()
        }
        seq = world.state.seq
    state, applied_seq = await load_state(connection)
    assert applied_seq == seq
    assert state_hash(state) == alive
    assert check_invariants(state) == []
    assert not any(state.dirty.values())
    assert {
        symbol: [order.order_id for level in book.bids.best_first() for order in queue(level)]
        for symbol, book in state.books.items()
    } == queues


def queue(level: Level) -> list[Order]:
    orders = []
    order = level.first
    while order is not None:
        orders.append(order)
        order = order.after
    return orders


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE engine_state SET body = '\\x90' WHERE kind = 'account'", "engine_state account"),
        ("UPDATE engine_state SET body = '\\xc1' WHERE kind = 'lot'", "engine_state lot"),
        ("UPDATE engine_state SET key = '\\xc0' WHERE kind = 'clock'", "engine_state clock"),
        ("DELETE FROM engine_state WHERE kind = 'clock'", "the clock stands at 0"),
        ("UPDATE journal_position SET applied_seq = applied_seq + 1", "the watermark at"),
    ],
)
async def test_damage_is_named_and_nothing_is_loaded(
    database_dsn: str, tmp_path: Path, connection: asyncpg.Connection, damage: str, named: str
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        await world.written()
    await connection.execute(damage)
    with pytest.raises(StateUnreadable, match=named):
        await load_state(connection)
