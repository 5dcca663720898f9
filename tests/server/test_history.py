"""An account's history over real rows: complete, in pages, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from engine.commands import Deposit, RequestWithdrawal, SettleWithdrawal
from engine.events import OrderUpdated, WithdrawalRequested
from engine.kinds import LotMethod, OrderClass, OrderStatus, OrderType, Side
from engine.terms import Special, Terms
from handlers.order_json import encode_order
from server.database import Database
from server.errors import BadRequest, DatabaseUnavailable
from server.history import END_US, History, microseconds, moment
from sql.copy_rows import COPY_HEADER, COPY_TRAILER, ORDER_COLUMNS, order_row
from sql.entries import EntryKind, Liquidity
from tests.server.ledger_world import START_US, UNIT_E8, World, open_world


class Past:
    """A world and the history over its database."""

    def __init__(self, world: World, history: History) -> None:
        self.world = world
        self.history = history
        self.buyer, self.seller = world.account_ids

    async def durable(self) -> None:
        """What has been submitted may be shown from now on."""
        await self.world.runtime.wait_durable(self.world.state.seq)

    def order(self, place: str, account_id: int, units: int, price_e4: int = 1_000_000) -> OrderUpdated:
        (order,) = getattr(self.world, place)(account_id, "AAPL", price_e4, units).answer
        assert isinstance(order, OrderUpdated)
        return order


@pytest.fixture
async def past(database_dsn: str, tmp_path: Path) -> AsyncIterator[Past]:
    database = Database(database_dsn, pool_min=1, pool_max=2)
    await database.open()
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=2)
        yield Past(world, History(database, world.write_behind))
    await database.close()


async def test_an_order_is_there_as_soon_as_it_is_durable(past: Past) -> None:
    placed = past.order("buy", past.buyer, 3)
    await past.durable()
    assert await past.history.order(past.buyer, placed.order_id) == placed


async def test_an_order_is_as_its_last_report(past: Past) -> None:
    resting = past.order("sell", past.seller, 5)
    past.order("buy", past.buyer, 2)
    await past.world.written()
    found = await past.history.order(past.seller, resting.order_id)
    assert found == past.world.state.orders[resting.order_id].snapshot()
    assert found.status is OrderStatus.PARTIAL


async def test_a_closed_order_keeps_its_terms(past: Past, database_dsn: str) -> None:
    order = past.order("buy", past.buyer, 3)
    terms = Terms(stop_e4=1_000_000, expires_us=START_US, lot_method=LotMethod.SPECIFIC, lots=((7, 10**8),))
    special = Special(terms, OrderClass.OTO, children=(8, 9), trigger_e4=990_000, triggered_us=START_US + 1)
    stop = replace(order, order_id=order.order_id + 1, order_type=OrderType.STOP_LOSS, special=special)
    await past.world.written()  # and the month's partition is there
    rows = BytesIO(COPY_HEADER + order_row(stop, 1) + COPY_TRAILER)
    connection = await asyncpg.connect(database_dsn)
    await connection.copy_to_table("orders", source=rows, columns=ORDER_COLUMNS, format="binary")
    fired = "SELECT special->>'stop_e4' FROM orders WHERE special->>'triggered_us' IS NOT NULL"
    assert await connection.fetchval(fired) == "1000000"
    await connection.close()
    found = await past.history.order(past.buyer, stop.order_id)
    assert found == stop
    assert encode_order(found) == encode_order(stop)


async def test_somebody_elses_order_is_like_none(past: Past) -> None:
    order = past.order("buy", past.buyer, 3)
    past.order("sell", past.seller, 3)
    await past.world.written()
    assert await past.history.order(past.seller, order.order_id) is None
    assert await past.history.executions(past.seller, order.order_id) == []
    assert await past.history.order(past.buyer, 2**70) is None
    assert await past.history.order(past.buyer, -1) is None


async def test_executions_name_both_sides_of_a_fill(past: Past) -> None:
    resting = past.order("sell", past.seller, 2)
    taking = past.order("buy", past.buyer, 2)
    await past.world.written()
    (sold,) = await past.history.executions(past.seller, resting.order_id)
    (bought,) = await past.history.executions(past.buyer, taking.order_id)
    assert (sold.side, sold.liquidity) == (Side.SELL, Liquidity.MAKER)
    assert (bought.side, bought.liquidity) == (Side.BUY, Liquidity.TAKER)
    assert sold.execution_id == bought.execution_id + 1
    assert sold.notional_e4 == bought.notional_e4 == 2_000_000
    assert (sold.fee_e4, bought.fee_e4) == (2_000, 5_000)
    assert sold.executed_us == bought.executed_us == taking.updated_us


async def test_orders_come_in_pages_newest_first(past: Past) -> None:
    ids = [past.order("buy", past.buyer, 1, 900_000).order_id for _ in range(7)]
    await past.durable()
    seen: list[int] = []
    cursor = None
    for expected in (3, 3, 1):
        page = await past.history.orders(past.buyer, cursor=cursor, limit=3)
        assert len(page.items) == expected
        seen += [order.order_id for order in page.items]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == ids[::-1]


async def test_orders_are_filtered(past: Past) -> None:
    first = past.order("buy", past.buyer, 1, 900_000)
    past.order("sell", past.seller, 2)
    filled = past.order("buy", past.buyer, 2)
    history, buyer = past.history, past.buyer
    await past.durable()
    filled_page = await history.orders(buyer, statuses={OrderStatus.FILLED})
    assert [order.order_id for order in filled_page.items] == [filled.order_id]
    assert (await history.orders(buyer, symbol="TSLA")).items == []
    early = await history.orders(buyer, to_us=filled.created_us)
    assert [order.order_id for order in early.items] == [first.order_id]
    late = await history.orders(buyer, from_us=filled.created_us)
    assert [order.order_id for order in late.items] == [filled.order_id]


async def test_the_statement_adds_up_to_the_cash(past: Past) -> None:
    past.order("sell", past.seller, 3)
    buy = past.order("buy", past.buyer, 3)
    past.world.submit(Deposit(5_000, "CARD"), past.buyer)
    requested = past.world.submit(RequestWithdrawal(70_000), past.buyer).answer[0]
    assert isinstance(requested, WithdrawalRequested)
    past.world.submit(SettleWithdrawal(requested.withdrawal_id, paid=True))
    await past.durable()
    page = await past.history.transactions(past.buyer)
    assert [(each.kind, each.amount_e4) for each in page.items] == [
        (EntryKind.WITHDRAWAL, -70_000),
        (EntryKind.DEPOSIT, 5_000),
        (EntryKind.FEE, -7_500),
        (EntryKind.BUY, -3_000_000),
        (EntryKind.DEPOSIT, 10**12),
    ]
    running = 0
    for each in reversed(page.items):
        running += each.amount_e4
        assert each.balance_after_e4 == running
        assert each.currency == "USD"
    assert running == past.world.state.accounts[past.buyer].cash_e4
    assert page.items[2].reference_id == page.items[3].reference_id == f"ord_{buy.order_id}"
    assert page.items[1].reference_id == "CARD"
    assert page.items[0].reference_id == f"wdr_{requested.withdrawal_id}"
    assert page.items[4].created_us > START_US


async def test_every_line_of_the_statement_is_found_by_its_id(past: Past) -> None:
    past.order("sell", past.seller, 3)
    past.order("buy", past.buyer, 3)
    await past.durable()
    for account_id, other in ((past.buyer, past.seller), (past.seller, past.buyer)):
        items = (await past.history.transactions(account_id)).items
        assert len({each.transaction_id for each in items}) == len(items) == 3
        for each in items:
            assert await past.history.transaction(account_id, each.transaction_id) == each
            assert await past.history.transaction(other, each.transaction_id) is None
    for unknown in ("txn_1", "txn_", "ord_5", "txn_9999999999999999999", "txn_1_fee_fee", "'; DROP TABLE"):
        assert await past.history.transaction(past.buyer, unknown) is None


async def test_the_statement_comes_in_pages_and_by_kind(past: Past) -> None:
    for amount_e4 in range(1, 6):
        past.world.submit(Deposit(amount_e4, "CARD"), past.buyer)
    await past.durable()
    first = await past.history.transactions(past.buyer, limit=4)
    assert [each.amount_e4 for each in first.items] == [5, 4, 3, 2]
    second = await past.history.transactions(past.buyer, limit=4, cursor=first.next_cursor)
    assert [each.amount_e4 for each in second.items] == [1, 10**12]
    assert second.next_cursor is None
    assert (await past.history.transactions(past.buyer, kinds={EntryKind.FEE})).items == []


@pytest.mark.parametrize("cursor", ["", "x", "1-", "-1", "1;2", "1-2-3", "٣"])
async def test_a_made_up_cursor_is_refused(past: Past, cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        await past.history.transactions(past.buyer, cursor=cursor)
    with pytest.raises(BadRequest, match="cursor"):
        await past.history.orders(past.buyer, cursor=cursor)


async def test_without_the_write_behind_there_is_no_history(past: Past) -> None:
    await past.world.write_behind.close()
    past.order("buy", past.buyer, 1)
    await past.durable()
    with pytest.raises(DatabaseUnavailable):
        await past.history.orders(past.buyer)


def test_times_are_exact() -> None:
    assert microseconds(moment(START_US + 1)) == START_US + 1
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert microseconds(moment(10**30)) == END_US
    assert microseconds(moment(-5)) == 0
    assert UNIT_E8 == 10**8
