"""Tape candles in Postgres: changed ones are upserted, a lost database delays them, a new run of the day replaces them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from feeds.candles import CandleBook
from feeds.tape_history import TapeHistory
from server.database import Database
from server.market_types import MINUTE_US, Candle, Interval

NOON_US = 1_381_334_400_000_000
DAY_US = 1_440 * MINUTE_US


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = Database(database_dsn, pool_min=1, pool_max=2)
    await database.open()
    yield database
    await database.close()


def book_of(*trades: tuple[int, int, int]) -> CandleBook:
    book = CandleBook()
    number = book.register("AIG")
    for time_us, price_e4, quantity_e8 in trades:
        book.add(number, time_us, price_e4, quantity_e8)
    return book


async def stored(database: Database) -> list[Candle]:
    book = CandleBook()
    rows = await database.fetch("SELECT count(*) FROM candles WHERE symbol <> 'AIG'")
    assert rows[0][0] == 0
    await TapeHistory(database, book, ["AIG"]).load(before_us=NOON_US + 365 * DAY_US)
    return book.candles("AIG", Interval.MINUTE_1)


async def test_changed_candles_are_written_and_read_back(database: Database) -> None:
    book = book_of((NOON_US, 477_000, 5), (NOON_US + MINUTE_US, 477_100, 7))
    history = TapeHistory(database, book, ["AIG"])
    assert await history.store()
    assert await stored(database) == book.candles("AIG", Interval.MINUTE_1)
    book.add(0, NOON_US + MINUTE_US, 470_000, 2**62)
    assert await history.store()
    assert (await stored(database))[1] == Candle(
        NOON_US + MINUTE_US, 477_100, 477_100, 470_000, 470_000, 2**62 + 7, 2
    )


async def test_a_database_that_is_away_delays_the_candles_and_says_so_once(
    database_dsn: str, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    book = book_of((NOON_US, 477_000, 5))
    away = Database("postgresql://nobody@127.0.0.1:1/none", pool_min=1, pool_max=1)
    history = TapeHistory(away, book, ["AIG"])
    for _ in range(12):
        assert not await history.store()
    assert caplog.messages == ["candles of AIG wait for the database"]
    assert await TapeHistory(database, book, ["AIG"]).store()
    assert len(await stored(database)) == 1


async def test_a_new_run_of_the_day_forgets_what_the_earlier_one_stored(database: Database) -> None:
    await TapeHistory(database, book_of((NOON_US - DAY_US, 1, 1), (NOON_US, 2, 2)), ["AIG"]).store()
    book = CandleBook()
    assert await TapeHistory(database, book, ["AIG"]).load(before_us=NOON_US) == 1
    assert [candle.open_e4 for candle in book.candles("AIG", Interval.MINUTE_1)] == [1]
    assert book.take_dirty("AIG") == []
    assert [candle.open_e4 for candle in await stored(database)] == [1]


async def test_stopping_writes_once_more(database: Database) -> None:
    book = book_of((NOON_US, 477_000, 5))
    history = TapeHistory(database, book, ["AIG"], interval_s=60)
    history.stop()
    await history.run()
    assert len(await stored(database)) == 1
