"""Each row that is not what the journal's records left behind is found and named; none is where all are."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncpg

from engine.commands import SetInstrument
from engine.events import InstrumentSet
from engine.kinds import PriceSource
from server.data_folder import DataFolder
from server.disk import Disk
from server.journal_scan import segment_paths
from server.journal_segments import SEGMENT_MIN_BYTES
from server.verify_journal import Compared, verify_journal
from server.verify_rows import BLOCKS_AHEAD, RowStream
from tests.server.ledger_world import SYMBOLS, World, open_world

CLOSED = "(SELECT max(order_id) FROM orders WHERE status = 4 AND filled_e8 = 0)"
BOUGHT = "(SELECT max(execution_id) FROM executions WHERE side = 1 AND busted_at IS NULL)"
TOLD = "(SELECT max(notification_id) FROM notifications WHERE kind = 6)"
GAIN = "(SELECT gain_id, line FROM realized_gains ORDER BY gain_id DESC, line DESC LIMIT 1)"
OLD_CANDLE = "(symbol, start_at) = (SELECT symbol, start_at FROM candles ORDER BY volume_e8 DESC LIMIT 1)"

TAMPERINGS = [
    # what is done to the rows, the check that must find it, what it says of the row that is returned
    (f"DELETE FROM orders WHERE order_id = {CLOSED}", "orders = journal", "is missing"),
    (f"UPDATE orders SET price_e4 = price_e4 + 100 WHERE order_id = {CLOSED}", "orders = journal", "price_e4 is "),
    (f"UPDATE orders SET status = 5 WHERE order_id = {CLOSED}", "orders = journal",
     "status is 5, the journal says 4"),
    (f"UPDATE orders SET updated_at = updated_at + INTERVAL '1 hour' WHERE order_id = {CLOSED}", "orders = journal",
     "updated_at is 2023-"),
    (f"UPDATE orders SET client_order_id = 'other' WHERE order_id = {CLOSED}", "orders = journal",
     "client_order_id is other"),
    (("INSERT INTO orders SELECT o.order_id + 1, account_id, quantity_e8, price_e4, limit_e4, 0, 0, 0, 0, 0, 0, seq, "
     "created_at, updated_at, side, order_type, time_in_force, 4, reason, is_quote, symbol, client_order_id "
     f"FROM orders AS o WHERE o.order_id = {CLOSED}"), "orders = journal", "is not what any record left behind"),
    (f"UPDATE orders SET seq = seq + 1 WHERE order_id = {CLOSED}", "orders = journal", "seq is "),
    (("UPDATE orders SET updated_at = updated_at + INTERVAL '1 hour' WHERE order_id = "
     "(SELECT min(order_id) FROM orders WHERE status <= 2)"), "orders = journal", "updated_at is "),
    (f"DELETE FROM executions WHERE execution_id = {BOUGHT}", "executions = journal", "is missing"),
    (f"UPDATE executions SET executed_at = executed_at + INTERVAL '1 hour' WHERE execution_id = {BOUGHT}",
     "executions = journal", "executed_at is "),
    ("UPDATE executions SET sold_lots[1] = 7 WHERE execution_id = (SELECT min(execution_id) FROM executions WHERE side = 2)",
     "executions = journal", "sold_lots is [7, "),
    (("INSERT INTO executions SELECT order_id, execution_id + 500000, executed_at, account_id, price_e4, quantity_e8, "
     f"notional_e4, fee_e4, side, liquidity, symbol FROM executions WHERE execution_id = {BOUGHT}"),
     "executions = journal", "is not what any record left behind"),
    (("UPDATE postings SET created_at = created_at + INTERVAL '1 hour' WHERE line = 0 AND txn_id = "
     "(SELECT min(txn_id) FROM postings)"), "postings = journal", "created_at is "),
    (f"DELETE FROM notifications WHERE notification_id = {TOLD}", "notifications = journal", "is missing"),
    (f"UPDATE notifications SET amount_e4 = 7 WHERE notification_id = {TOLD}", "notifications = journal",
     "amount_e4 is 7, the journal says "),
    (("INSERT INTO notifications SELECT account_id, notification_id + 500000, created_at, order_id, reference_id, "
     f"quantity_e8, filled_e8, amount_e4, kind, side, reason, symbol FROM notifications WHERE notification_id = {TOLD}"),
     "notifications = journal", "is not what any record left behind"),
    (f"UPDATE realized_gains SET term = 2 WHERE (gain_id, line) = {GAIN}", "realized_gains = journal",
     "term is 2, the journal says 1"),
    (f"UPDATE realized_gains SET lot_id = lot_id + 1 WHERE (gain_id, line) = {GAIN}", "realized_gains = journal",
     "lot_id is "),
    (f"DELETE FROM realized_gains WHERE (gain_id, line) = {GAIN}", "realized_gains = journal", "is missing"),
    (f"UPDATE executions SET busted_at = executed_at WHERE execution_id = {BOUGHT}", "busts = journal",
     "the journal says None"),
    (("UPDATE executions SET busted_at = busted_at + INTERVAL '1 hour' WHERE execution_id = "
     "(SELECT max(execution_id) FROM executions WHERE busted_at IS NOT NULL)"), "busts = journal", "busted at "),
    (f"DELETE FROM candles WHERE {OLD_CANDLE}", "candles = executions", "are missing, the executions say {"),
    (f"UPDATE candles SET volume_e8 = volume_e8 + 1 WHERE {OLD_CANDLE}", "candles = executions", "the executions say {"),
    (("INSERT INTO candles SELECT symbol, start_at - INTERVAL '1 day', open_e4, high_e4, low_e4, close_e4, volume_e8, "
     f"trades FROM candles WHERE {OLD_CANDLE}"), "candles = executions", "the executions say nothing"),
]  # fmt: skip

KEYS = {
    "orders": "'order_id ' || order_id",
    "executions": "'%execution_id ' || execution_id || '%'",
    "postings": "'txn_id ' || txn_id || ', line ' || line",
    "notifications": "'notification_id ' || notification_id || ', account_id ' || account_id",
    "realized_gains": "'gain_id ' || gain_id || ', line ' || line",
    "candles": "'candle ' || symbol || ' ' || (start_at AT TIME ZONE 'UTC')",
}
"""Table → how the finding names its row."""


def world_of(dsn: str, folder: Path, segment_bytes: int = 1 << 20) -> AbstractAsyncContextManager[World]:
    with DataFolder.own(folder) as owned:
        journal_id = owned.journal_id()
    return open_world(dsn, folder, journal_id=journal_id, segment_bytes=segment_bytes)


async def traded(dsn: str, folder: Path, commands: int, segment_bytes: int = 1 << 20) -> None:
    """Rows of every kind, written in several batches; some are replaced by later ones."""
    async with world_of(dsn, folder, segment_bytes) as world:
        world.found(traders=4)
        for seed in range(4):
            world.trade_at_random(commands // 4, seed)
            await world.written()
        assert world.bust_at_random(10, seed=3)
        world.trade_at_random(20, seed=5)
        await world.written()


async def statement(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for each in statements:
            await connection.execute(each)
    finally:
        await connection.close()


def found(compared: Compared, check: str) -> list[tuple[str, str]]:
    return [(each.subject, each.problem) for each in compared.findings if each.check == check]


async def test_rows_as_the_journal_made_them_have_no_finding(database_dsn: str, tmp_path: Path) -> None:
    await traded(database_dsn, tmp_path, 1_200)
    assert (await verify_journal(database_dsn, tmp_path)).findings == []


async def test_each_tampering_is_found_and_names_its_row(database_dsn: str, tmp_path: Path) -> None:
    await traded(database_dsn, tmp_path, 240)
    connection = await asyncpg.connect(database_dsn)
    for tampering, check, problem in TAMPERINGS:
        words = tampering.split()
        table = words[1] if words[0] == "UPDATE" else words[2]
        await connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
        (name,) = await connection.fetch(f"{tampering} RETURNING {KEYS[table]} AS is")
        findings = found(await verify_journal(database_dsn, tmp_path), check)
        named = [says for subject, says in findings if await is_like(connection, subject, name["is"])]
        assert any(problem in says for says in named), f"{tampering}: {findings}"
        assert len(findings) <= 2, f"{tampering}: {findings}"
        await connection.execute(f"TRUNCATE {table}")
        await connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
        await connection.execute("DROP TABLE kept")
    await connection.close()
    assert (await verify_journal(database_dsn, tmp_path)).findings == []


async def is_like(connection: asyncpg.Connection, subject: str, pattern: str) -> bool:
    return bool(await connection.fetchval("SELECT $1::TEXT LIKE $2::TEXT", subject, pattern))


async def test_a_table_that_is_gone_is_a_bounded_number_of_findings(
    database_dsn: str, tmp_path: Path
) -> None:
    await traded(database_dsn, tmp_path, 800)
    await statement(database_dsn, "TRUNCATE postings, orders")
    compared = await verify_journal(database_dsn, tmp_path)
    assert len(found(compared, "postings = journal")) == 100
    assert len(found(compared, "orders = journal")) == 100


async def test_of_a_journal_that_was_pruned_what_is_kept_is_compared(
    database_dsn: str, tmp_path: Path
) -> None:
    await traded(database_dsn, tmp_path, 1_200, SEGMENT_MIN_BYTES)
    paths = segment_paths(Disk(), tmp_path / "journal")
    assert len(paths) > 2
    paths[0].unlink()
    compared = await verify_journal(database_dsn, tmp_path)
    assert compared.findings == []
    assert compared.first_seq > 1
    assert str(compared).startswith(f"rows of records {compared.first_seq} to {compared.last_seq} ")
    kept_from = compared.first_seq * 1_000_003
    await statement(database_dsn, f"DELETE FROM executions WHERE execution_id < {kept_from} AND side = 1")
    assert found(await verify_journal(database_dsn, tmp_path), "executions = journal") == []
    await statement(
        database_dsn,
        "DELETE FROM executions WHERE execution_id = "
        f"(SELECT min(execution_id) FROM executions WHERE execution_id >= {kept_from})",
    )
    ((subject, problem),) = found(await verify_journal(database_dsn, tmp_path), "executions = journal")
    assert (subject.split()[0], problem) == ("execution_id", "is missing")
    await statement(
        database_dsn,
        f"UPDATE executions SET busted_at = executed_at WHERE execution_id = {BOUGHT}",
    )
    ((subject, problem),) = found(await verify_journal(database_dsn, tmp_path), "busts = journal")
    assert problem.endswith("the journal says None")


async def test_records_from_before_there_were_notifications_ask_for_none(
    database_dsn: str, tmp_path: Path
) -> None:
    await traded(database_dsn, tmp_path, 400)
    await statement(
        database_dsn,
        "UPDATE notifications_begin SET after_seq = 200",
        "DELETE FROM notifications WHERE notification_id / 1000003 <= 200",
    )
    assert (await verify_journal(database_dsn, tmp_path)).findings == []


async def test_a_database_that_is_written_on_is_compared_as_of_one_moment(
    database_dsn: str, tmp_path: Path
) -> None:
    async with world_of(database_dsn, tmp_path) as world:
        world.found(traders=4)
        world.trade_at_random(300, seed=1)
        await world.written()
        ends = []
        for seed in range(10, 14):
            verifying = asyncio.create_task(verify_journal(database_dsn, tmp_path))
            while not verifying.done():
                world.trade_at_random(2, seed)
                await asyncio.sleep(0)
            compared = await verifying
            assert compared.findings == []
            ends.append(compared.last_seq)
            await world.written()
    assert ends == sorted(set(ends))


async def test_the_candles_of_a_tape_are_its_feeds(database_dsn: str, tmp_path: Path) -> None:
    await traded(database_dsn, tmp_path, 400)
    tape = SYMBOLS[0]
    async with world_of(database_dsn, tmp_path) as world:
        for source in (PriceSource.TAPE, PriceSource.OWN):
            terms = (100, 1_000_000, 100, 10**8, 1_000_000, "ALWAYS", source, 5_000, "standard")
            listed = world.submit(SetInstrument(tape, f"{tape} Inc", "USD", *terms))
            assert isinstance(listed.events[0], InstrumentSet)
            await world.written()
    await statement(database_dsn, "UPDATE candles SET volume_e8 = volume_e8 + 1")
    findings = found(await verify_journal(database_dsn, tmp_path), "candles = executions")
    assert findings
    assert not any(tape in subject for subject, _ in findings)


async def test_a_stream_can_be_left_before_its_end(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    stream = RowStream(connection, "SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) AS n")
    while stream._blocks.qsize() < BLOCKS_AHEAD:
        await asyncio.sleep(0)
    connection.terminate()
    await stream.close()
    assert stream._task.done()
