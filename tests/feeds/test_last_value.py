"""Last values: a batch leaves what single ticks leave, quotes change versions, stale stays until something comes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feeds.candles import CandleBook
from feeds.consolidated import Best
from feeds.last_value import LastValueTable
from server.market_types import Interval, QuoteSource

NOON_US = 1_381_334_400_000_000


def table_of(*symbols: str) -> tuple[LastValueTable, CandleBook]:
    candles = CandleBook(minutes_kept=10)
    table = LastValueTable(candles)
    for symbol in symbols:
        table.register(symbol)
    return table, candles


def test_the_newest_trade_is_the_price_and_the_day_is_counted() -> None:
    table, _ = table_of("A")
    table.trade(0, NOON_US, 100, 5)
    table.trade(0, NOON_US + 1, 110, 7)
    quote = table.quote("A")
    assert quote is not None
    assert (quote.price_e4, quote.open_e4, quote.high_e4, quote.low_e4, quote.volume_e8) == (
        110,
        100,
        110,
        100,
        12,
    )
    assert (quote.timestamp_us, quote.version, quote.change_e4, quote.change_bps) == (NOON_US + 1, 2, 0, 0)


def test_change_is_measured_from_yesterdays_last_price() -> None:
    table, _ = table_of("A")
    table.trade(0, NOON_US, 476_600, 1)
    table.trade(0, NOON_US + 86_400_000_000, 470_000, 1)
    quote = table.quote("A")
    assert quote is not None
    assert (quote.previous_close_e4, quote.change_e4, quote.change_bps) == (476_600, -6_600, -138)


def test_on_the_first_day_a_close_given_beforehand_counts() -> None:
    candles = CandleBook()
    table = LastValueTable(candles)
    table.register("A", previous_close_e4=480_000)
    quote = table.quote("A")
    assert quote is not None
    assert (quote.previous_close_e4, quote.change_e4) == (480_000, 0)
    table.trade(0, NOON_US, 476_600, 1)
    quote = table.quote("A")
    assert quote is not None
    assert quote.change_e4 == -3_400
    table.trade(0, NOON_US + 86_400_000_000, 470_000, 1)
    quote = table.quote("A")
    assert quote is not None
    assert quote.previous_close_e4 == 476_600


def test_a_quote_changes_the_version_only_when_it_differs() -> None:
    table, _ = table_of("A")
    assert table.set_quote(0, NOON_US, Best(99, 1, 101, 2))
    assert not table.set_quote(0, NOON_US + 1, Best(99, 1, 101, 2))
    quote = table.quote("A")
    assert quote is not None
    assert (quote.bid_e4, quote.bid_size_e8, quote.ask_e4, quote.ask_size_e8, quote.version) == (
        99,
        1,
        101,
        2,
        1,
    )


def test_stale_values_stay_until_the_source_is_back() -> None:
    table, _ = table_of("A")
    table.trade(0, NOON_US, 100, 5)
    table.mark_stale(0)
    table.mark_stale(0)
    assert repr(table.value(0)) == "LastValue(A 100 v2, stale)"
    table.set_quote(0, NOON_US, Best())
    assert repr(table.value(0)) == "LastValue(A 100 v3)"


def test_an_unknown_symbol_has_no_quote_and_symbols_known_to_the_candles_alone_neither() -> None:
    candles = CandleBook()
    candles.register("OWN")
    source: QuoteSource = (table := LastValueTable(candles))
    assert table.register("A") == table.register("A") == 1
    assert source.quote("OWN") is None
    assert source.quote("NOPE") is None


ticks = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 200), st.integers(1, 99), st.integers(1, 9)), max_size=50
)


@given(ticks, st.integers(1, 20))
def test_batches_leave_what_single_ticks_leave(rows: list[tuple[int, int, int, int]], size: int) -> None:
    rows.sort(key=lambda row: row[1])
    single, single_candles = table_of("A", "B", "C", "D")
    batched, batched_candles = table_of("A", "B", "C", "D")
    for number, second, price, quantity in rows:
        single.trade(number, NOON_US + second * 1_000_000, price, quantity)
    for start in range(0, len(rows), size):
        columns = np.array(rows[start : start + size], dtype=np.int64).T
        batched.trades(columns[0], NOON_US + columns[1] * 1_000_000, columns[2], columns[3])
    for number, symbol in enumerate("ABCD"):
        left, right = single.value(number), batched.value(number)
        assert (left.price_e4, left.size_e8, left.time_us) == (right.price_e4, right.size_e8, right.time_us)
        assert single_candles.candles(symbol, Interval.MINUTE_1) == batched_candles.candles(
            symbol, Interval.MINUTE_1
        )
