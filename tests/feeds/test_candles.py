"""Candles: one trade at a time, in batches, at every interval, bounded, and the recorded AIG day's figures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.candles import CandleBook
from feeds.trade_file import TradeFile
from server.market_types import MINUTE_US, Candle, CandleSource, DayStats, Interval

NEW_YORK = ZoneInfo("America/New_York")
NOON_US = int(datetime(2013, 10, 9, 12, tzinfo=UTC).timestamp()) * 1_000_000
SHARE = 10**8


def at(hour: int, minute: int, second: int = 0) -> int:
    """A moment of 2013-10-09 in New York."""
    return int(datetime(2013, 10, 9, hour, minute, second, tzinfo=NEW_YORK).timestamp()) * 1_000_000


def test_one_minute_has_first_highest_lowest_last_sum_and_count() -> None:
    book = CandleBook()
    number = book.register("AIG")
    for second, price, shares in [(0, 100, 5), (10, 130, 1), (20, 90, 2), (59, 110, 3)]:
        book.add(number, NOON_US + second * 1_000_000, price, shares * SHARE)
    assert book.candles("AIG", Interval.MINUTE_1) == [Candle(NOON_US, 100, 130, 90, 110, 11 * SHARE, 4)]


def test_minutes_without_trades_have_no_candle() -> None:
    book = CandleBook()
    number = book.register("AIG")
    book.add(number, NOON_US, 100, 1)
    book.add(number, NOON_US + 5 * MINUTE_US, 120, 1)
    assert [candle.start_us for candle in book.candles("AIG", Interval.MINUTE_1)] == [
        NOON_US,
        NOON_US + 5 * MINUTE_US,
    ]


def test_a_late_trade_counts_in_its_own_minute() -> None:
    book = CandleBook()
    number = book.register("AIG")
    book.add(number, NOON_US, 100, 1)
    book.add(number, NOON_US + 2 * MINUTE_US, 120, 1)
    book.add(number, NOON_US + 1, 95, 4)  # its minute exists
    book.add(number, NOON_US + MINUTE_US, 97, 7)  # its minute does not
    assert book.candles("AIG", Interval.MINUTE_1) == [
        Candle(NOON_US, 100, 100, 95, 95, 5, 2),
        Candle(NOON_US + MINUTE_US, 97, 97, 97, 97, 7, 1),
        Candle(NOON_US + 2 * MINUTE_US, 120, 120, 120, 120, 1, 1),
    ]


@pytest.mark.parametrize(
    ("interval", "starts"),
    [
        (Interval.MINUTE_5, [at(9, 30), at(9, 35), at(10, 0)]),
        (Interval.MINUTE_15, [at(9, 30), at(10, 0)]),
        (Interval.HOUR_1, [at(9, 0), at(10, 0)]),
        (Interval.DAY_1, [at(0, 0)]),
    ],
)
def test_coarser_intervals_join_the_minutes(interval: Interval, starts: list[int]) -> None:
    book = CandleBook()
    number = book.register("AIG", zone=NEW_YORK)
    for minute, price in [(31, 100), (34, 105), (36, 95), (60, 99)]:
        book.add(number, at(9, 0) + minute * MINUTE_US, price, 2)
    found = book.candles("AIG", interval)
    assert [candle.start_us for candle in found] == starts
    assert (found[0].open_e4, found[-1].close_e4) == (100, 99)
    assert max(candle.high_e4 for candle in found) == 105
    assert min(candle.low_e4 for candle in found) == 95
    assert sum(candle.volume_e8 for candle in found) == 8
    assert sum(candle.trades for candle in found) == 4


def test_daily_candles_begin_at_local_midnight_also_on_the_day_the_clocks_change() -> None:
    book = CandleBook(minutes_kept=4 * 1_440)
    number = book.register("X", zone=NEW_YORK)
    days = [datetime(2013, 11, day, tzinfo=NEW_YORK) for day in (2, 3, 4)]  # the 3rd has 25 hours
    for midnight in days:
        start_us = int(midnight.timestamp()) * 1_000_000
        book.add(number, start_us, 10, 1)
        book.add(number, start_us + 1_439 * MINUTE_US, 11, 1)
    book.add(number, int(days[2].timestamp()) * 1_000_000 - 1, 12, 1)  # the 25th hour
    found = book.candles("X", Interval.DAY_1)
    assert [candle.start_us for candle in found] == [int(day.timestamp()) * 1_000_000 for day in days]
    assert [candle.trades for candle in found] == [2, 3, 2]


def test_start_end_and_limit_choose_the_newest_inside_the_range() -> None:
    book = CandleBook()
    number = book.register("AIG")
    for minute in range(10):
        book.add(number, NOON_US + minute * MINUTE_US, 100 + minute, 1)
    found = book.candles(
        "AIG", Interval.MINUTE_1, start_us=NOON_US + MINUTE_US, end_us=NOON_US + 8 * MINUTE_US, limit=3
    )
    assert [candle.open_e4 for candle in found] == [105, 106, 107]
    assert book.candles("AIG", Interval.MINUTE_1, limit=0) == []


def test_sessions_leave_out_what_is_before_the_open_and_from_the_close_on() -> None:
    book = CandleBook()
    number = book.register("AIG", zone=NEW_YORK)
    for price, moment in enumerate([at(9, 29, 59), at(9, 30), at(15, 59, 59), at(16, 0)], start=1):
        book.add(number, moment, price, 1)
    found = book.candles("AIG", Interval.DAY_1, sessions=[(at(9, 30), at(16, 0))])
    assert [(candle.open_e4, candle.close_e4, candle.trades) for candle in found] == [(2, 3, 2)]


def test_only_the_newest_minutes_are_kept() -> None:
    book = CandleBook(minutes_kept=3)
    number = book.register("AIG")
    for minute in range(10):
        book.add(number, NOON_US + minute * MINUTE_US, 100 + minute, 1)
    assert [candle.open_e4 for candle in book.candles("AIG", Interval.MINUTE_1)] == [107, 108, 109]
    book.add(number, NOON_US, 1, 1)
    assert book.too_old == 1
    assert len(book.candles("AIG", Interval.MINUTE_1)) == 3
    assert len(book.take_dirty("AIG")) == 3


def test_a_gap_longer_than_what_is_kept_leaves_no_old_minute_behind() -> None:
    book = CandleBook(minutes_kept=3)
    number = book.register("AIG")
    for minute in (0, 1, 2, 101):
        book.add(number, NOON_US + minute * MINUTE_US, 100 + minute, 1)
    assert [candle.open_e4 for candle in book.candles("AIG", Interval.MINUTE_1)] == [201]


trades = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 8 * 60), st.integers(1, 50), st.integers(1, 5)), max_size=60
)


@given(trades, st.integers(1, 20))
def test_batches_of_any_size_give_what_single_trades_give(
    rows: list[tuple[int, int, int, int]], batch_size: int
) -> None:
    rows = sorted(rows, key=lambda row: row[1])
    single, batched = CandleBook(minutes_kept=5), CandleBook(minutes_kept=5)
    for symbol in ("A", "B", "C"):
        single.register(symbol)
        batched.register(symbol)
    for number, second, price, quantity in rows:
        single.add(number, NOON_US + second * 1_000_000, price, quantity)
    for start in range(0, len(rows), batch_size):
        columns = np.array(rows[start : start + batch_size], dtype=np.int64).T
        batched.add_batch(columns[0], NOON_US + columns[1] * 1_000_000, columns[2], columns[3])
    for symbol in ("A", "B", "C"):
        for interval in Interval:
            assert batched.candles(symbol, interval) == single.candles(symbol, interval)
        assert batched.day_stats(symbol) == single.day_stats(symbol)
        assert batched.take_dirty(symbol) == single.take_dirty(symbol)


def test_day_stats_turn_at_local_midnight_and_remember_the_close() -> None:
    book = CandleBook()
    number = book.register("AIG", zone=NEW_YORK)
    assert book.day_stats("AIG") is None
    book.add(number, at(9, 30), 100, 1)
    book.add(number, at(19, 0), 90, 2)
    assert book.day_stats("AIG") == DayStats(at(0, 0), 100, 100, 90, 90, 3, 2, 0)
    tomorrow = at(0, 0) + 24 * 60 * MINUTE_US
    book.add(number, tomorrow, 95, 4)
    assert book.day_stats("AIG") == DayStats(tomorrow, 95, 95, 95, 95, 4, 1, 90)


def test_dirty_minutes_are_taken_once_and_again_after_a_change_or_a_failure() -> None:
    book = CandleBook()
    number = book.register("AIG")
    book.add(number, NOON_US, 100, 1)
    first = book.take_dirty("AIG")
    assert first == [Candle(NOON_US, 100, 100, 100, 100, 1, 1)]
    assert book.take_dirty("AIG") == []
    book.add(number, NOON_US + 1, 101, 1)
    book.mark_dirty("AIG", first)
    assert book.take_dirty("AIG") == [Candle(NOON_US, 100, 101, 100, 101, 2, 2)]


def test_loaded_candles_are_there_and_not_dirty() -> None:
    stored = [
        Candle(NOON_US, 100, 130, 90, 110, 11, 4),
        Candle(NOON_US + MINUTE_US, 111, 112, 110, 112, 3, 2),
    ]
    book = CandleBook()
    book.load("AIG", stored)
    assert book.candles("AIG", Interval.MINUTE_1) == stored
    assert book.take_dirty("AIG") == []


def test_unknown_symbols_have_nothing() -> None:
    source: CandleSource = CandleBook()
    assert source.candles("NOPE", Interval.MINUTE_1) == []
    assert source.day_stats("NOPE") is None


@pytest.fixture(scope="module")
def book(aig_trades: Path) -> CandleBook:
    """The candles of the recorded day."""
    book = CandleBook()
    number = book.register("AIG", zone=NEW_YORK)
    for rows in TradeFile(aig_trades).chunks():
        book.add_symbol_batch(number, rows.time_us, rows.price_e4, rows.quantity_e8)
    return book


class TestRecordedDay:
    """Every figure that the data's README gives for the trades of AIG on 2013-10-09."""

    SESSIONS = ((at(9, 30), at(16, 0)),)

    def test_whole_day(self, book: CandleBook) -> None:
        day = Candle(at(0, 0), 479_900, 482_200, 471_800, 477_000, 10_371_011 * SHARE, 52_008)
        assert book.candles("AIG", Interval.DAY_1) == [day]
        assert book.day_stats("AIG") == DayStats(
            at(0, 0), 479_900, 482_200, 471_800, 477_000, 10_371_011 * SHARE, 52_008, 0
        )

    def test_regular_session(self, book: CandleBook) -> None:
        day = Candle(at(0, 0), 476_800, 480_700, 471_800, 477_300, 9_996_256 * SHARE, 51_887)
        assert book.candles("AIG", Interval.DAY_1, sessions=self.SESSIONS) == [day]

    def test_first_and_last_of_390_minutes(self, book: CandleBook) -> None:
        minutes = book.candles("AIG", Interval.MINUTE_1, sessions=self.SESSIONS)
        assert len(minutes) == 390
        assert minutes[0] == Candle(at(9, 30), 476_800, 476_900, 476_200, 476_600, 141_774 * SHARE, 99)
        assert (minutes[-1].start_us, minutes[-1].volume_e8) == (at(15, 59), 101_689 * SHARE)
        last = minutes[-1]
        assert (last.open_e4, last.high_e4, last.low_e4, last.close_e4) == (
            477_400,
            477_500,
            476_900,
            477_300,
        )

    def test_one_trade_at_a_time_gives_the_same(self, book: CandleBook, aig_trades: Path) -> None:
        single = CandleBook()
        number = single.register("AIG", zone=NEW_YORK)
        for rows in TradeFile(aig_trades, block_bytes=70_000).chunks():
            columns = (rows.time_us.tolist(), rows.price_e4.tolist(), rows.quantity_e8.tolist())
            for time_us, price_e4, quantity_e8 in zip(*columns, strict=True):
                single.add(number, time_us, price_e4, quantity_e8)
        assert single.candles("AIG", Interval.MINUTE_1) == book.candles("AIG", Interval.MINUTE_1)
