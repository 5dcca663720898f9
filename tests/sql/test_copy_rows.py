"""Packed rows: their columns, their extremes, and the order in which the tables expect them."""

from __future__ import annotations

import pytest

from sql import copy_rows
from sql.copy_rows import (
    BIGINT_MAX,
    CANDLE_COLUMNS,
    HOLDING_COLUMNS,
    LOT_COLUMNS,
    POSTING_COLUMNS,
    WALLET_COLUMNS,
    candle_row,
    client_text_field,
    holding_row,
    lot_row,
    posting_head,
    posting_row,
    posting_tail,
    saturated,
    text_field,
    wallet_row,
)
from sql.statements import CopyTarget
from tests.sql.copy_decoder import decode


def test_a_wallet_keeps_its_extremes() -> None:
    row = decode(WALLET_COLUMNS, wallet_row(BIGINT_MAX, "USD", -BIGINT_MAX, 0, 7, 5))
    assert row == {
        "account_id": BIGINT_MAX,
        "balance_e4": -BIGINT_MAX,
        "held_e4": 0,
        "unsettled_e4": 5,
        "seq": 7,
        "currency": "USD",
    }


def test_a_holding_that_realized_too_much_stops_at_the_end() -> None:
    row = decode(HOLDING_COLUMNS, holding_row(1, "AAPL", 2, 3, 4, -(10**30), 5))
    assert row["realized_e4"] == -BIGINT_MAX
    assert row["symbol"] == "AAPL"


def test_a_candle_of_too_much_volume_stops_at_the_end() -> None:
    row = decode(CANDLE_COLUMNS, candle_row("ÄÖ", 0, 1, 2, 3, 4, 10**20, 5))
    assert (row["volume_e8"], row["symbol"]) == (BIGINT_MAX, "ÄÖ")


def test_a_lot_keeps_its_time_to_the_microsecond() -> None:
    row = decode(LOT_COLUMNS, lot_row(9, 1, "AAPL", 2, 3, 946_684_800_000_001, 4))
    assert row["acquired_at"] == 1


def test_a_posting_without_a_balance_is_null() -> None:
    head, tail = posting_head(5, 946_684_800_000_000), posting_tail(2, 0, 3, "USD")
    row = decode(POSTING_COLUMNS, posting_row(head, 3, 5, 0, -1, None, tail, client_text_field("why")))
    assert list(row.values()) == [5, 0, 3, 5, 0, -1, None, 2, 0, 3, "USD", "why"]


@pytest.mark.parametrize("text", ["", "a", "ÄÖÜ", "🚗" * 300])
def test_texts_are_counted_in_bytes(text: str) -> None:
    field = client_text_field(text)
    assert field == text_field(text)
    assert int.from_bytes(field[:4], "big") == len(field) - 4 == len(text.encode())


def test_a_figure_that_postgres_cannot_hold_is_an_error_and_never_wraps() -> None:
    with pytest.raises(Exception, match=r"int too large|out of range|format requires"):
        wallet_row(1, "USD", BIGINT_MAX + 1, 0, 7)
    assert saturated(BIGINT_MAX + 1) == BIGINT_MAX
    assert saturated(-5) == -5


LATER = {"executions": {"busted_at"}}
"""Columns that are empty when a row is written."""


async def test_every_copy_target_has_the_columns_of_its_table(database_dsn: str) -> None:
    import asyncpg

    from sql import statements

    connection = await asyncpg.connect(database_dsn)
    await connection.execute(statements.CREATE_STAGES)
    targets = [target for target in vars(statements).values() if isinstance(target, CopyTarget)]
    assert len(targets) >= 12
    for target in targets:
        rows = await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0", target.table
        )
        columns = {row["attname"] for row in rows} - LATER.get(target.table, set())
        assert sorted(columns) == sorted(target.columns), target.table
        if target.merge:
            await connection.execute(target.merge)
    await connection.close()
    assert copy_rows.COPY_HEADER.startswith(b"PGCOPY")
