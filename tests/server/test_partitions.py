"""Partitions by month: made ahead, attached over rows that came too early, and never in the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from server.partitions import Partitions, make_partitions, months
from server.verify import verify
from sql.partitioning import PARTITIONED
from tests.server.ledger_world import START_US, open_world

START = datetime(2023, 11, 14, tzinfo=UTC)  # START_US lies on this day


@pytest.fixture
async def connection(database_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_dsn)
    yield connection
    await connection.close()


def test_months_go_over_the_end_of_a_year() -> None:
    spans = list(months(datetime(2023, 11, 30, 23, 59, tzinfo=UTC)))
    assert [(start.year, start.month) for start, _ in spans] == [(2023, 11), (2023, 12), (2024, 1), (2024, 2)]
    assert all(end == start for (_, end), (start, _) in pairwise(spans))


async def test_each_table_gets_this_month_and_three_more(connection: asyncpg.Connection) -> None:
    made = await make_partitions(connection, START)
    assert len(made) == 4 * len(PARTITIONED)
    assert "orders_2023_11" in made
    assert "candles_2024_02" in made
    assert await make_partitions(connection, START) == []


async def test_rows_that_came_before_their_partition_move_into_it(
    database_dsn: str, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.write_behind._partitions._looked_us = START_US  # it has looked already and makes none now
        world.found(traders=3)
        world.trade_at_random(200, seed=3)
        await world.written()
        early = await connection.fetchval("SELECT count(*) FROM orders_default")
        assert early > 50
        assert "orders_2023_11" in await make_partitions(connection, START)
        assert await connection.fetchval("SELECT count(*) FROM orders_default") == 0
        assert await connection.fetchval("SELECT count(*) FROM orders_2023_11") == early
        world.trade_at_random(200, seed=4)
        await world.written()
        assert await connection.fetchval("SELECT count(*) FROM orders_2023_11") > early
    assert await verify(database_dsn) == []


async def test_the_write_behind_makes_them_by_itself(
    database_dsn: str, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        await world.written()
        assert await connection.fetchval("SELECT count(*) FROM postings_2023_11") > 0


async def test_a_new_partition_has_the_indexes_of_its_table(connection: asyncpg.Connection) -> None:
    await make_partitions(connection, START)
    for name, indexes in (("orders_2023_11", 2), ("executions_2023_11", 2), ("postings_2023_11", 2)):
        found = await connection.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = $1", name)
        assert found == indexes, name


async def test_a_locked_table_is_left_for_later(
    database_dsn: str, connection: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    partitions = Partitions()
    holder = await asyncpg.connect(database_dsn)
    async with holder.transaction():
        await holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        await partitions.keep_ahead(connection, START_US)
    assert "made later" in caplog.text
    await holder.close()
    hour_us = 3_600_000_000
    await partitions.keep_ahead(connection, START_US + hour_us)
    assert await connection.fetchval("SELECT to_regclass('orders_2023_11') IS NOT NULL")
