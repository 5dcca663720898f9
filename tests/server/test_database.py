"""The shared pool: a lost server is one error of ours, and comes back by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from server.database import LONG_READS_MAX, Database
from server.errors import DatabaseUnavailable, Overloaded
from tests.server.postgres_proxy import PostgresProxy


async def test_a_lost_server_is_unavailable_and_comes_back(database_dsn: str, tmp_path: Path) -> None:
    async with PostgresProxy(database_dsn, tmp_path) as proxy:
        database = Database(proxy.dsn, pool_min=1, pool_max=2)
        await database.open()
        assert await database.fetch("SELECT 1 AS one")
        proxy.away = True
        proxy.cut()
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                await database.fetchrow("SELECT 1")
        proxy.away = False
        row = await database.fetchrow("SELECT 2 AS two")
        assert row is not None
        assert row["two"] == 2
        await database.close()


async def test_a_server_that_was_never_there_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql://nobody@/none?host={tmp_path}", pool_min=1, pool_max=1)
    with pytest.raises(DatabaseUnavailable):
        await database.open()
    with pytest.raises(DatabaseUnavailable):
        await database.fetch("SELECT 1")


async def test_a_wrong_query_is_a_bug_and_not_an_outage(database_dsn: str) -> None:
    database = Database(database_dsn, pool_min=1, pool_max=1)
    await database.open()
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.execute("SELECT * FROM no_such_table")
    assert await database.execute("SELECT 1") == "SELECT 1"
    await database.close()


async def test_waiting_for_a_connection_has_an_end(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.database.ACQUIRE_TIMEOUT_S", 0.05)
    database = Database(database_dsn, pool_min=1, pool_max=1)
    await database.open()
    async with database.connection():
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(database.fetch("SELECT 1"), 5)
    await database.close()


async def test_what_reads_much_leaves_connections_to_others(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.database.ACQUIRE_TIMEOUT_S", 0.5)
    database = Database(database_dsn, pool_min=1, pool_max=LONG_READS_MAX + 1)
    await database.open()
    locker = await asyncpg.connect(database_dsn)
    try:
        await locker.execute("SELECT pg_advisory_lock(77)")
        waiting = "SELECT pg_advisory_lock_shared(77), pg_advisory_unlock_shared(77)"
        long = [asyncio.create_task(database.fetch_much(waiting)) for _ in range(LONG_READS_MAX)]
        while await locker.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < len(long):
            assert not any(each.done() for each in long)
        with pytest.raises(Overloaded):
            await database.fetch_much("SELECT 1")
        assert await database.fetch("SELECT 1")  # whoever signs in
        await locker.execute("SELECT pg_advisory_unlock(77)")
        await asyncio.gather(*long)
        assert await database.fetch_much("SELECT 1")
    finally:
        await locker.close()
        await database.close()
