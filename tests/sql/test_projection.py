"""Records become rows: what is kept of each event, without a database."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.commands import CancelAll, Envelope
from engine.events import AnyEvent, BookChanged, OrderUpdated, Posted, Traded
from engine.kinds import (
    CloseReason,
    OrderStatus,
    OrderType,
    Side,
    Source,
    TimeInForce,
    TransactionKind,
)
from engine.state import BANK_ACCOUNT_ID, FEES_ACCOUNT_ID
from engine.units import IDS_PER_SEQ
from server.codec import Record
from sql.copy_rows import CANDLE_COLUMNS, EXECUTION_COLUMNS, PG_EPOCH_US, POSTING_COLUMNS
from sql.entries import EntryKind, Liquidity
from sql.projection import ENTRY_OF_TRANSACTION, Rows
from tests.sql.copy_decoder import Value, decode

NOW_US = 1_700_000_000_123_456
BUYER, SELLER = 5 * IDS_PER_SEQ, 6 * IDS_PER_SEQ
TRADE_ID = 70 * IDS_PER_SEQ + 1


def record(seq: int, *events: AnyEvent) -> Record:
    return Record(seq, NOW_US + seq, Envelope(Source.HTTP), CancelAll(""), events)


def order(order_id: int, status: OrderStatus = OrderStatus.PENDING) -> OrderUpdated:
    return OrderUpdated(
        order_id, BUYER, "AAPL", Side.BUY, OrderType.LIMIT, TimeInForce.GTC, 10**8, 100, 100, 0, 0, 0, 101,
        status, CloseReason.NONE, NOW_US, NOW_US, "", 0, 0, False,
    )  # fmt: skip


TRADE = Traded(
    TRADE_ID, "AAPL", "USD", 2_000_000, 3 * 10**8, 6_000_000, Side.BUY,
    70 * IDS_PER_SEQ, BUYER, 15_000, 900_000, 3 * 10**8,
    60 * IDS_PER_SEQ, SELLER, 6_000, 5_994_000, 0,
)  # fmt: skip


def postings(rows: Rows) -> list[dict[str, Value]]:
    return [decode(POSTING_COLUMNS, row) for row in rows.postings]


def rows_of(event: AnyEvent, seq: int = 70) -> Rows:
    rows = Rows(seq)
    rows.add(record(seq, event))
    return rows


def test_the_last_report_of_an_order_counts() -> None:
    rows = Rows(7)
    rows.add(record(7, order(7 * IDS_PER_SEQ)))
    rows.add(record(8, order(7 * IDS_PER_SEQ, OrderStatus.CANCELLED)))
    alone = Rows(8)
    alone.add(record(8, order(7 * IDS_PER_SEQ, OrderStatus.CANCELLED)))
    assert rows.new_orders() == alone.older_orders()
    assert rows.record_count == 2


def test_an_order_of_earlier_records_replaces_its_row() -> None:
    rows = Rows(7)
    rows.add(record(7, order(6 * IDS_PER_SEQ), order(7 * IDS_PER_SEQ)))
    assert (len(rows.new_orders()), len(rows.older_orders())) == (1, 1)


def test_a_fill_has_postings_that_sum_to_zero_per_asset() -> None:
    rows = rows_of(TRADE)
    sums = {"USD": 0, "AAPL": 0}
    for line in postings(rows):
        sums[str(line["asset"])] += int(line["amount"] or 0)
    assert sums == {"USD": 0, "AAPL": 0}
    assert len(rows.postings) == 7
    assert len(rows.executions) == 2


def test_the_balance_before_the_fee_is_derived() -> None:
    statement = {
        (line["account_id"], line["kind"]): (line["amount"], line["balance_after"])
        for line in postings(rows_of(TRADE))
        if line["kind"]
    }
    assert statement == {
        (BUYER, EntryKind.BUY): (-6_000_000, 915_000),
        (BUYER, EntryKind.FEE): (-15_000, 900_000),
        (SELLER, EntryKind.SELL): (6_000_000, 6_000_000),
        (SELLER, EntryKind.FEE): (-6_000, 5_994_000),
    }


def test_the_lines_of_a_fill_are_numbered_once_each() -> None:
    lines = postings(rows_of(TRADE))
    assert sorted(int(line["line"] or 0) for line in lines) == list(range(7))
    assert {line["txn_id"] for line in lines} == {TRADE_ID}
    assert {line["created_at"] for line in lines} == {NOW_US + 70 - PG_EPOCH_US}


def test_the_outside_has_no_statement_and_no_balance() -> None:
    (fees,) = (line for line in postings(rows_of(TRADE)) if line["account_id"] == FEES_ACCOUNT_ID)
    assert (fees["amount"], fees["kind"], fees["balance_after"]) == (21_000, EntryKind.NONE, None)


def test_a_fee_of_nothing_leaves_no_line() -> None:
    free = rows_of(replace(TRADE, buy_fee_e4=0, sell_fee_e4=0))
    kinds = [line["kind"] for line in postings(free)]
    assert kinds == [EntryKind.BUY, EntryKind.SELL, EntryKind.NONE, EntryKind.NONE]


@pytest.mark.parametrize(
    ("taker", "buyer_is", "seller_is"),
    [(Side.BUY, Liquidity.TAKER, Liquidity.MAKER), (Side.SELL, Liquidity.MAKER, Liquidity.TAKER)],
)
def test_the_taker_is_who_came_last(taker: Side, buyer_is: Liquidity, seller_is: Liquidity) -> None:
    rows = rows_of(replace(TRADE, taker_side=taker))
    bought, sold = (decode(EXECUTION_COLUMNS, row) for row in rows.executions)
    assert (bought["side"], bought["liquidity"], bought["fee_e4"]) == (Side.BUY, buyer_is, 15_000)
    assert (sold["side"], sold["liquidity"], sold["fee_e4"]) == (Side.SELL, seller_is, 6_000)
    assert sold["execution_id"] == TRADE_ID + 1


def test_a_deposit_is_one_line_of_the_statement() -> None:
    moves = ((BUYER, "USD", 500, 1_500), (BANK_ACCOUNT_ID, "USD", -500, -1_500))
    ours, banks = postings(rows_of(Posted(9 * IDS_PER_SEQ, TransactionKind.DEPOSIT, "CARD", moves), seq=9))
    assert (ours["kind"], ours["amount"], ours["balance_after"]) == (EntryKind.DEPOSIT, 500, 1_500)
    assert (banks["kind"], banks["amount"], banks["balance_after"]) == (EntryKind.NONE, -500, None)
    assert ours["reference"] == banks["reference"] == "CARD"


def test_every_kind_of_transaction_has_its_entry() -> None:
    assert {*ENTRY_OF_TRANSACTION, TransactionKind.TRADE, TransactionKind.BUST} == set(TransactionKind)


def test_a_minute_of_fills_is_one_candle() -> None:
    rows = Rows(1)
    for seq, price_e4 in enumerate((500, 700, 300, 400), start=1):
        rows.add(record(seq, replace(TRADE, price_e4=price_e4, trade_id=seq * IDS_PER_SEQ)))
    (candle,) = (decode(CANDLE_COLUMNS, row) for row in rows.candles())
    assert candle == {
        "symbol": "AAPL",
        "start_at": NOW_US - NOW_US % 60_000_000 - PG_EPOCH_US,
        "open_e4": 500,
        "high_e4": 700,
        "low_e4": 300,
        "close_e4": 400,
        "volume_e8": 12 * 10**8,
        "trades": 4,
    }


def test_our_fills_in_an_instrument_priced_by_a_tape_make_no_candle() -> None:
    rows = Rows(70, frozenset({"AAPL"}))
    rows.add(record(70, TRADE))
    assert (rows.candles(), len(rows.executions)) == ([], 2)


def test_records_must_follow_each_other() -> None:
    rows = Rows(7)
    with pytest.raises(ValueError, match="8 does not follow 6"):
        rows.add(record(8))
    rows.add(record(7, BookChanged("AAPL", ())))
    with pytest.raises(ValueError, match="7 does not follow 7"):
        rows.add(record(7))
