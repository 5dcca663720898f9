"""The write-behind against a real journal and a real Postgres, which is cut off, refuses, and is taken over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from config.settings import WriteBehindSettings
from engine.apply import ENGINE_VERSION
from engine.commands import CancelAll
from engine.state_hash import state_hash
from server.errors import DatabaseUnavailable, Overloaded, ReadOnly
from server.exit_codes import ExitCode
from server.runtime import Gate
from server.verify import verify
from server.watermark import ForeignJournal, Watermark, claim
from tests.server.journal_disks import GatedDisk
from tests.server.ledger_world import open_world
from tests.server.postgres_proxy import CutAt, PostgresProxy


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


async def counts(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    copied = ("orders", "executions", "postings", "candles", "notifications")
    tables = (*copied, "wallets", "holdings", "lots", "withdrawals")
    found = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
    await connection.close()
    return found


async def test_what_is_recovered_is_what_was_alive(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=5)
        await world.written()
        for seed in range(10):
            world.trade_at_random(200, seed)
            await world.written()
        alive, batches = state_hash(world.state), world.write_behind.batches
    async with open_world(database_dsn, tmp_path) as again:
        assert again.write_behind.applied_seq == again.state.seq > 1_000
        assert state_hash(again.state) == alive
    assert batches >= 10
    assert all((await counts(database_dsn)).values())
    assert await verify(database_dsn) == []


async def test_what_was_not_written_comes_from_the_journal(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=3)
        await world.written()
        await world.write_behind.close()
        world.trade_at_random(3_000, seed=1)
        await world.runtime.wait_durable(world.state.seq)
        alive = state_hash(world.state)
    async with open_world(database_dsn, tmp_path) as again:
        assert again.write_behind.applied_seq < again.state.seq
        assert state_hash(again.state) == alive
        await again.written()
    assert await verify(database_dsn) == []


async def test_a_long_backlog_is_one_transaction_in_chunks(database_dsn: str, tmp_path: Path) -> None:
    settings = WriteBehindSettings(
        batch_records_max=100, interval_ms=5, backlog_soft_bytes=1 << 30, backlog_hard_bytes=1 << 31
    )
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=3)
        await world.written()
        await world.write_behind.close()
        world.trade_at_random(2_000, seed=2)
        await world.runtime.wait_durable(world.state.seq)
        last_seq = world.state.seq
    async with open_world(database_dsn, tmp_path, settings) as again:
        await again.written()
        assert again.write_behind.batches == 1
        assert again.write_behind.applied_seq == last_seq
    assert await verify(database_dsn) == []


@pytest.mark.parametrize("cut_at", [CutAt.BEFORE_COMMIT, CutAt.AFTER_COMMIT])
async def test_a_cut_at_commit_neither_doubles_nor_loses(
    database_dsn: str, tmp_path: Path, cut_at: CutAt
) -> None:
    async with PostgresProxy(database_dsn, tmp_path) as proxy, open_world(proxy.dsn, tmp_path) as world:
        world.found(traders=4)
        await world.written()
        for seed in range(5):
            proxy.cut_at = cut_at
            world.trade_at_random(150, seed)
            await until(lambda: proxy.cut_at is CutAt.NEVER)
            world.trade_at_random(150, seed + 100)
            await world.written()
        assert proxy.commits_cut == 5
        assert world.write_behind.refused is None
        assert not world.fatal
        alive = state_hash(world.state)
    assert await verify(database_dsn) == []
    async with open_world(database_dsn, tmp_path) as again:
        assert state_hash(again.state) == alive


async def test_ended_backends_are_replaced(database_dsn: str, tmp_path: Path) -> None:
    operator = await asyncpg.connect(database_dsn)
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=4)
        for seed in range(8):
            world.trade_at_random(100, seed)
            await asyncio.sleep(0.004 * seed)
            await operator.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'kerb-writer:%' AND datname = current_database()"
            )
        await world.written()
    await operator.close()
    assert await verify(database_dsn) == []


async def test_a_database_that_hangs_is_given_up_and_tried_again(
    database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.watermark.COMMAND_TIMEOUT_S", 0.3)
    monkeypatch.setattr("server.watermark.CONNECT_TIMEOUT_S", 0.3)
    async with PostgresProxy(database_dsn, tmp_path) as proxy, open_world(proxy.dsn, tmp_path) as world:
        world.found(traders=3)
        await world.written()
        proxy.flowing.clear()
        world.trade_at_random(100, seed=1)
        await until(lambda: not world.write_behind.available)
        world.trade_at_random(100, seed=2)
        proxy.flowing.set()
        await world.written()
    assert await verify(database_dsn) == []


async def test_orders_go_on_while_the_database_is_away(database_dsn: str, tmp_path: Path) -> None:
    async with PostgresProxy(database_dsn, tmp_path) as proxy, open_world(proxy.dsn, tmp_path) as world:
        world.found(traders=4)
        await world.written()
        proxy.away = True
        proxy.cut()
        for seed in range(20):
            world.trade_at_random(200, seed)
            await world.runtime.wait_durable(world.state.seq)
        await until(lambda: not world.write_behind.available)
        with pytest.raises(DatabaseUnavailable):
            await world.write_behind.barrier(0.01)
        assert world.write_behind.lag_records >= 2_000
        assert world.write_behind.lag_s > 0
        assert world.write_behind.backlog_bytes > 100_000
        proxy.away = False
        await world.written()
        assert world.write_behind.lag_records == 0
        assert world.write_behind.lag_s == 0
        assert world.write_behind.available
    assert await verify(database_dsn) == []


async def test_what_came_and_went_while_the_database_was_away_is_forgotten(
    database_dsn: str, tmp_path: Path
) -> None:
    async with PostgresProxy(database_dsn, tmp_path) as proxy, open_world(proxy.dsn, tmp_path) as world:
        world.found(traders=1)
        await world.written()
        proxy.away = True
        proxy.cut()
        (account_id,) = world.account_ids
        world.buy(account_id, "AAPL", 900_000, 1)
        await until(lambda: not world.write_behind.available)
        for _ in range(500):
            world.buy(account_id, "AAPL", 900_000, 1)
            world.submit(CancelAll(""), account_id)
        await until(lambda: len(world.state.dirty["order"]) <= 1)
        proxy.away = False
        await world.written()
    assert await verify(database_dsn) == []


async def test_what_a_batch_of_unknown_fate_wrote_is_deleted_when_it_goes(
    database_dsn: str, tmp_path: Path
) -> None:
    async with PostgresProxy(database_dsn, tmp_path) as proxy, open_world(proxy.dsn, tmp_path) as world:
        world.found(traders=1)
        await world.written()
        (account_id,) = world.account_ids
        proxy.cut_at = CutAt.AFTER_COMMIT
        proxy.away = True
        world.buy(account_id, "AAPL", 900_000, 1)
        await until(lambda: not world.write_behind.available)
        world.submit(CancelAll(""), account_id)
        attempts = proxy.refused
        await until(lambda: proxy.refused >= attempts + 2)
        proxy.away = False
        await world.written()
        alive = state_hash(world.state)
    assert await verify(database_dsn) == []
    async with open_world(database_dsn, tmp_path) as again:
        assert state_hash(again.state) == alive


async def test_a_backlog_closes_the_gate_and_a_drain_opens_it(database_dsn: str, tmp_path: Path) -> None:
    settings = WriteBehindSettings(
        batch_records_max=4_096, interval_ms=5, backlog_soft_bytes=1 << 20, backlog_hard_bytes=1 << 23
    )
    async with (
        PostgresProxy(database_dsn, tmp_path) as proxy,
        open_world(proxy.dsn, tmp_path, settings) as world,
    ):
        world.found(traders=2)
        await world.written()
        proxy.away = True
        proxy.cut()
        account_id = world.account_ids[0]

        async def trade_until(gate: Gate, trade: Callable[[], object]) -> None:
            while world.runtime.gate is not gate:
                trade()
                await world.runtime.wait_durable(world.state.seq)
                await asyncio.sleep(0)

        await trade_until(Gate.NO_NEW_ORDERS, lambda: world.buy(account_id, "AAPL", 900_000, 1))
        with pytest.raises(Overloaded):
            world.buy(account_id, "AAPL", 900_000, 1)
        await trade_until(Gate.READ_ONLY, lambda: world.submit(CancelAll(""), account_id))
        with pytest.raises(ReadOnly):
            world.submit(CancelAll(""), account_id)
        proxy.away = False
        await until(lambda: world.runtime.gate is Gate.OPEN)
        world.buy(account_id, "AAPL", 900_000, 1)
        await world.written()


async def test_a_refused_batch_makes_read_only_and_names_its_sequence(
    database_dsn: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    operator = await asyncpg.connect(database_dsn)
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=2)
        await world.written()
        await operator.execute("ALTER TABLE orders ADD CONSTRAINT small CHECK (quantity_e8 < 7 * 100000000)")
        first, second = world.account_ids
        world.buy(first, "AAPL", 900_000, 1)
        bad = world.buy(second, "AAPL", 900_000, 7)
        world.buy(first, "AAPL", 900_000, 2)
        await until(lambda: world.write_behind.refused is not None)
        assert f"sequence {bad.seq} is refused" in str(world.write_behind.refused)
        assert f"sequence {bad.seq} is refused" in caplog.text
        assert world.runtime.gate is Gate.READ_ONLY
        assert world.write_behind.applied_seq < bad.seq
        with pytest.raises(ReadOnly):
            world.buy(first, "AAPL", 900_000, 1)
        with pytest.raises(DatabaseUnavailable):
            await world.write_behind.barrier()
        alive = state_hash(world.state)
    await operator.execute("ALTER TABLE orders DROP CONSTRAINT small")
    await operator.close()
    async with open_world(database_dsn, tmp_path) as again:
        assert state_hash(again.state) == alive
        await again.written()
    assert await verify(database_dsn) == []


async def test_the_writer_that_was_taken_over_from_stops(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as old:
        old.found(traders=2)
        await old.written()
        newer, applied_seq = await claim(
            Watermark(database_dsn, bytes(range(16)), ENGINE_VERSION, [old.instance]), first=True
        )
        assert applied_seq == old.state.seq
        old.buy(old.account_ids[0], "AAPL", 900_000, 1)
        await until(lambda: bool(old.fatal))
        assert old.fatal[0][0] is ExitCode.LOCKED
        assert old.runtime.gate is Gate.READ_ONLY
        assert await newer.fetchval("SELECT applied_seq FROM journal_position") == applied_seq
        await newer.close()


async def test_a_moved_watermark_stops_the_writer(database_dsn: str, tmp_path: Path) -> None:
    operator = await asyncpg.connect(database_dsn)
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        await world.written()
        before = await operator.fetchval("SELECT count(*) FROM orders")
        await operator.execute("UPDATE journal_position SET applied_seq = applied_seq + 1")
        world.buy(world.account_ids[0], "AAPL", 900_000, 1)
        await until(lambda: bool(world.fatal))
        assert world.runtime.gate is Gate.READ_ONLY
        assert await operator.fetchval("SELECT count(*) FROM orders") == before
    await operator.close()


async def test_a_database_that_lost_batches_is_recovered_by_a_restart(
    database_dsn: str, tmp_path: Path
) -> None:
    tables = ("journal_position", "applied_ranges", "engine_state", "wallets", "orders", "postings", "lots")
    operator = await asyncpg.connect(database_dsn)
    async with PostgresProxy(database_dsn, tmp_path) as proxy, open_world(proxy.dsn, tmp_path) as world:
        world.found(traders=1)
        await world.written()
        for table in tables:
            await operator.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")
        order = world.buy(world.account_ids[0], "AAPL", 900_000, 1)
        await world.written()
        for table in tables:  # a replica that had not received the last batch takes over
            await operator.execute(f"TRUNCATE {table}")
            await operator.execute(f"INSERT INTO {table} SELECT * FROM old_{table}")
        proxy.cut()
        world.submit(CancelAll("TSLA"), world.account_ids[0])
        await until(lambda: bool(world.fatal))
        assert world.fatal[0][0] is ExitCode.DATABASE
        alive = state_hash(world.state)
        assert world.runtime.gate is Gate.READ_ONLY
    await operator.close()
    async with open_world(database_dsn, tmp_path) as again:
        await again.written()
        assert order.seq < again.state.seq
        assert state_hash(again.state) == alive
    assert await verify(database_dsn) == []


async def test_a_foreign_journal_is_refused_and_told_how_to_adopt(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        await world.written()
        with pytest.raises(ForeignJournal, match="adopt"):
            async with open_world(database_dsn, tmp_path / "other", journal_id=bytes(16)):
                pass
        world.buy(world.account_ids[0], "AAPL", 900_000, 1)
        await world.written()
        assert not world.fatal


async def test_a_barrier_is_passed_only_when_its_rows_are_there(database_dsn: str, tmp_path: Path) -> None:
    reader = await asyncpg.connect(database_dsn)
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        for n in range(20):
            applied = world.buy(world.account_ids[0], "AAPL", 900_000, 1 + n % 5)
            await world.runtime.wait_durable(applied.seq)
            await world.write_behind.barrier()
            assert await reader.fetchval("SELECT max(seq) FROM orders") == applied.seq
    await reader.close()


async def test_nothing_is_written_before_it_is_durable(database_dsn: str, tmp_path: Path) -> None:
    disk = GatedDisk()
    disk.gate.set()
    reader = await asyncpg.connect(database_dsn)
    async with open_world(database_dsn, tmp_path, disk=disk) as world:
        world.found(traders=1)
        await world.written()
        disk.gate.clear()
        durable_seq = world.state.seq
        order = world.buy(world.account_ids[0], "AAPL", 900_000, 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(world.write_behind.reached(order.seq), 0.3)
        assert await reader.fetchval("SELECT max(seq) FROM wallets") <= durable_seq
        assert await reader.fetchval("SELECT count(*) FROM orders") == 0
        disk.gate.set()
        await world.written()
        assert await reader.fetchval("SELECT count(*) FROM orders") == 1
    await reader.close()


async def test_draining_writes_everything(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=2)
        world.trade_at_random(500, seed=5)
        assert await world.write_behind.drain(20)
        assert world.write_behind.lag_records == 0


async def test_draining_gives_up_in_time(database_dsn: str, tmp_path: Path) -> None:
    async with PostgresProxy(database_dsn, tmp_path) as proxy, open_world(proxy.dsn, tmp_path) as world:
        world.found(traders=2)
        proxy.away = True
        proxy.cut()
        assert not await world.write_behind.drain(0.2)
