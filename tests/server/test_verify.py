"""`verify` finds nothing in good books, and each check finds the row that was tampered with."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from engine.commands import SetSettlement
from engine.kinds import AccountKind, TransactionKind
from engine.state import (
    PARKING_CASH_ACCOUNT_ID,
    PARKING_DEBT_ACCOUNT_ID,
    PARKING_REVENUE_ACCOUNT_ID,
    PARKING_TAX_ACCOUNT_ID,
)
from engine.units import IDS_PER_SEQ
from server.verify import EXPECTED, verify
from sql.checks import CHECKS
from sql.mirrors import MIRRORS
from tests.server.ledger_world import open_world
from tests.server.test_parking_is_written import driver, open_lot, pass_gate

TAMPERINGS = [
    # what is done to the books, the check that must find it, what it names
    ("UPDATE postings SET amount = amount + 1 WHERE txn_id = (SELECT max(txn_id) FROM postings) AND line = 0",
     "postings sum to zero", "txn "),
    ("UPDATE postings SET balance_after = balance_after + 1 WHERE kind = 5", "running balances", "txn "),
    ("UPDATE wallets SET balance_e4 = balance_e4 + 1 WHERE account_id > 1000", "wallets = postings", "wallet "),
    ("DELETE FROM wallets WHERE account_id = 3", "wallets = postings", "wallet 3 USD"),
    ("UPDATE holdings SET units_e8 = units_e8 + 1 WHERE symbol = 'AAPL'", "holdings = postings", "AAPL"),
    ("UPDATE lots SET units_e8 = units_e8 + 1 WHERE symbol = 'AAPL'", "holdings = lots", "AAPL"),
    ("UPDATE lots SET cost_e4 = cost_e4 + 1 WHERE symbol = 'AAPL'", "holdings = lots", "AAPL"),
    ("UPDATE wallets SET held_e4 = held_e4 + 1 WHERE account_id > 1000", "held cash = open holds", "wallet "),
    ("UPDATE orders SET hold_e4 = hold_e4 + 1 WHERE status = 1 AND side = 1", "held cash = open holds", "wallet "),
    ("UPDATE withdrawals SET status = 2 WHERE status = 1", "held cash = open holds", "wallet "),
    ("UPDATE holdings SET held_e8 = held_e8 + 1 WHERE account_id > 1000", "held units = open sells", "holding "),
    ("UPDATE orders SET hold_e4 = 1 WHERE status = 4", "closed orders hold nothing", "order "),
    ("UPDATE orders SET filled_e8 = filled_e8 - 1 WHERE status = 3", "orders = executions", "order "),
    ("UPDATE orders SET fee_e4 = fee_e4 + 1 WHERE status = 3", "orders = executions", "order "),
    ("DELETE FROM executions WHERE side = 1", "orders = executions", "order "),
    ("DELETE FROM orders WHERE status = 3", "orders = executions", "order "),
    ("UPDATE orders SET status = 3 WHERE status = 4", "order status = what is filled", "order "),
    ("DELETE FROM executions WHERE side = 2", "fills have two sides", "execution "),
    ("UPDATE executions SET price_e4 = price_e4 + 1 WHERE side = 2", "fills have two sides", "execution "),
    ("UPDATE executions SET fee_e4 = fee_e4 + 1", "executions = postings", "execution "),
    ("UPDATE executions SET regulatory_e4 = 1 WHERE side = 2", "regulatory fees = postings", "execution "),
    ("UPDATE settlements SET amount_e4 = amount_e4 + 1", "settlements = executions", "execution "),
    ("UPDATE wallets SET unsettled_e4 = balance_e4 + 1", "unsettled cash = sales that settle later", "wallet "),
    ("DELETE FROM postings WHERE txn_kind = 3", "executions = postings", "execution "),
    ("DELETE FROM notifications WHERE kind = 1", "what is told = the books", "order "),
    ("UPDATE notifications SET order_id = order_id + 1 WHERE kind = 1", "what is told = the books", "order "),
    ("UPDATE notifications SET amount_e4 = amount_e4 + 1 WHERE kind = 6", "what is told = the books", "txn "),
    ("UPDATE notifications SET notification_id = notification_id + 10000000000000", "nothing beyond the watermark",
     "notifications"),
    ("UPDATE executions SET busted_at = now() WHERE busted_at IS NULL", "busted executions = bust postings", "execution "),
    ("DELETE FROM postings WHERE txn_kind = 6", "busted executions = bust postings", "execution "),
    ("UPDATE executions SET busted_at = NULL WHERE side = 2", "busts have two sides", "execution "),
    ("UPDATE executions SET sold_lots[2] = sold_lots[2] + 1 WHERE side = 2", "sold lots = what was sold", "execution "),
    ("UPDATE realized_gains SET fee_e4 = fee_e4 + 1", "realized gains = sales", "execution "),
    ("DELETE FROM realized_gains WHERE kind = 1 AND execution_id = (SELECT max(execution_id) FROM realized_gains)",
     "realized gains = sales", "execution "),
    ("UPDATE realized_gains SET proceeds_e4 = proceeds_e4 + 1", "realized gains = holdings", "holding "),
    ("UPDATE dividend_payments SET amount_e4 = amount_e4 + 1", "dividends = postings", "txn "),
    ("DELETE FROM dividend_payments", "dividends = postings", "txn "),
    ("UPDATE dividend_payments SET dividend_id = dividend_id + 1", "dividends = postings", "txn "),
    ("UPDATE action_payments SET amount_e4 = amount_e4 + 1", "cash for units = postings", "txn "),
    ("DELETE FROM action_payments", "cash for units = realized gains", "txn "),
    ("UPDATE realized_gains SET proceeds_e4 = proceeds_e4 + 1 WHERE kind = 4", "cash for units = realized gains", "txn "),
    ("UPDATE effected_actions SET cash_e4 = cash_e4 + 1", "actions = postings", "action 8"),
    ("UPDATE parking_charges SET tax_e4 = tax_e4 + 1", "receipts = postings", "txn "),
    ("UPDATE parking_charges SET owed_e4 = 0 WHERE owed_e4 > 0", "receipts = postings", "txn "),
    ("UPDATE parking_charges SET cash = true", "receipts = postings", "txn "),
    ("DELETE FROM parking_charges", "receipts = postings", "txn "),
    ("UPDATE applied_ranges SET records = records - 1", "sequence without gaps", "records 1 to"),
    ("UPDATE applied_ranges SET first_seq = 2", "sequence without gaps", "records 2 to"),
    ("UPDATE journal_position SET applied_seq = applied_seq - 1", "sequence without gaps", "journal_position"),
    ("UPDATE wallets SET seq = seq + 1000000", "nothing beyond the watermark", "wallets"),
    ("DELETE FROM engine_state WHERE kind = 'clock'", "engine state", "engine_state"),
    ("UPDATE engine_state SET body = '\\x90' WHERE kind = 'order'", "engine state", "engine_state"),
    ("DELETE FROM engine_state WHERE kind = 'withdrawal'", "engine invariants", "engine_state"),
    ("UPDATE accounts SET status = 2 WHERE kind = 1", "accounts = engine state", "accounts "),
    ("DELETE FROM wallets WHERE account_id > 1000", "wallets = engine state", "wallets "),
    ("UPDATE holdings SET realized_e4 = realized_e4 + 1", "holdings = engine state", "holdings "),
    ("UPDATE lots SET acquired_at = acquired_at + INTERVAL '1 microsecond'", "lots = engine state", "lots "),
    ("UPDATE orders SET limit_e4 = limit_e4 + 1 WHERE status = 1", "orders = engine state", "orders "),
    ("UPDATE orders SET status = 4, hold_e4 = 0 WHERE status = 1", "orders = engine state", "orders "),
    ("DELETE FROM withdrawals WHERE status = 1", "withdrawals = engine state", "withdrawals "),
    ("UPDATE instruments SET last_e4 = last_e4 + 1", "instruments = engine state", "instruments "),
]  # fmt: skip


@pytest.fixture
async def books(database_dsn: str, tmp_path: Path) -> str:
    """A database with every kind of row, open and closed."""
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=4)
        world.trade_at_random(400, seed=11)
        assert world.bust_at_random(10, seed=3)
        world.pay_dividend(7)
        world.split(8)
        world.submit(SetSettlement("ALWAYS", 2))
        world.trade_at_random(40, seed=12)
        open_lot(world)
        for user_id, cash_e4 in ((7_001, 10**6), (7_002, 1)):
            driver(world, user_id, cash_e4)
            pass_gate(world, "in", f"CAR{user_id}")
            world.clock_leap(3_600)
            pass_gate(world, "out", f"CAR{user_id}")
        await world.written()
        assert world.state.withdrawals
        assert world.state.orders
    return database_dsn


async def test_good_books_have_no_finding(books: str) -> None:
    assert await verify(books) == []


async def test_each_tampering_is_found_and_named(books: str) -> None:
    connection = await asyncpg.connect(books)
    for statement, check, subject in TAMPERINGS:
        table = statement.split()[2] if statement.startswith("DELETE") else statement.split()[1]
        await connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
        assert not (await connection.execute(statement)).endswith(" 0"), statement
        found = [finding for finding in await verify(books) if finding.check == check]
        assert any(subject in finding.subject for finding in found), f"{statement}: {found}"
        assert check in str(found[0])
        await connection.execute(f"TRUNCATE {table}")
        await connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
        await connection.execute("DROP TABLE kept")
    await connection.close()
    assert await verify(books) == []


def test_every_check_has_a_tampering() -> None:
    checks = {*CHECKS, "engine state", "engine invariants", *(f"{table} = engine state" for table in MIRRORS)}
    assert {check for _, check, _ in TAMPERINGS} == checks
    assert EXPECTED.keys() == MIRRORS.keys()


def test_the_numbers_in_the_checks_are_those_of_the_engine() -> None:
    assert f"/ {IDS_PER_SEQ} " in CHECKS["nothing beyond the watermark"]
    assert [int(kind) for kind in (AccountKind.USER, AccountKind.MARKET_MAKER)] == [1, 2]
    receipts = CHECKS["receipts = postings"]
    assert f"txn_kind = {int(TransactionKind.PARKING_CHARGE)} " in receipts
    accounts = (PARKING_REVENUE_ACCOUNT_ID, PARKING_TAX_ACCOUNT_ID, PARKING_CASH_ACCOUNT_ID)
    for account_id in (*accounts, PARKING_DEBT_ACCOUNT_ID):
        assert f"account_id = {account_id})" in receipts
