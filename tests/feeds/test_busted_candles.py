"""Candles without busted trades: in memory, in PostgreSQL and after a start, the same as made of the trades that stand."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from random import Random

from engine.events import TradeBusted, Traded
from engine.units import IDS_PER_SEQ
from feeds.busted_candles import BustedCandles, with_trades
from feeds.candles import CandleBook
from feeds.own_candles import OwnTrades, load_own_candles
from server.database import Database
from server.market_types import MINUTE_US, Candle, Interval
from server.market_view import MarketView
from server.symbol_view import TRADES_KEPT, MarketTrade
from tests.engine.bust_facts import facts_of
from tests.server.ledger_world import SYMBOLS, World, open_world
from tests.server.market_records import NOON_US, durable, listing, trade

NOBODY: frozenset[str] = frozenset()


class Minutes:
    """A world's market, candles and what mends them, as a start makes them."""

    def __init__(self, world: World, database: Database) -> None:
        self.world = world
        self.market, self.candles = MarketView(), CandleBook()
        self.busted = BustedCandles(database, world.write_behind, self.market, self.candles)
        self.own_trades = OwnTrades(self.candles, except_symbols=NOBODY, on_bust=self.busted.add)

    async def begin(self, database: Database) -> None:
        runtime = self.world.runtime
        stored_seq = await load_own_candles(
            database, self.candles, now_us=runtime.now_us(), except_symbols=NOBODY
        )
        await runtime.wait_durable(runtime.state.seq)
        self.own_trades.take(runtime.durable_records_with(Traded, TradeBusted, after=stored_seq))
        self.market.seed(runtime.state, now_us=runtime.now_us(), candles=self.candles)
        self.own_trades.follow(self.market)
        runtime.add_listener(self.market.listener)
        self.busted.start(runtime.durable_seq)

    async def mended(self) -> None:
        """Everything that happened is durable, heard of and mended."""
        await self.world.runtime.wait_durable(self.world.state.seq)
        async with asyncio.timeout(20):
            while len(self.busted):
                await asyncio.sleep(0.005)

    def shown(self) -> dict[str, list[Candle]]:
        return {symbol: self.candles.candles(symbol, Interval.MINUTE_1) for symbol in SYMBOLS}


def standing(world: World, busted: set[int]) -> dict[str, list[Candle]]:
    """The candles of all fills but the busted ones, made one by one."""
    book = CandleBook()
    for symbol in SYMBOLS:
        book.register(symbol)
    for fill, executed_us in world.fills:
        if fill.trade_id not in busted:
            book.add(book.register(fill.symbol), executed_us, fill.price_e4, fill.quantity_e8)
    return {symbol: book.candles(symbol, Interval.MINUTE_1) for symbol in SYMBOLS}


def bust_some(world: World, busts: int, random: Random) -> None:
    for fill, executed_us in random.sample(world.fills[-6 * busts :], busts):
        world.submit(facts_of(fill, executed_us), fill.buy_account_id)


async def test_candles_are_those_of_the_trades_that_stand(database_dsn: str, tmp_path: Path) -> None:
    random, seeds = Random(5), count()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(database_dsn, tmp_path))
        world.found(traders=4)
        database = Database(database_dsn, pool_min=1, pool_max=2)
        await database.open()
        stack.push_async_callback(database.close)
        minutes = Minutes(world, database)
        await minutes.begin(database)
        stack.push_async_callback(minutes.busted.stop)
        for _ in range(3):
            world.trade_at_random(120, seed=next(seeds))
            bust_some(world, 6, random)
            await world.runtime.wait_durable(world.state.seq)
            while len(minutes.busted):  # trading goes on while candles are mended
                world.trade_at_random(3, seed=next(seeds))
                await asyncio.sleep(0.001)
        await minutes.mended()
        busted = set(world.state.busts)
        assert len(busted) > 5
        assert minutes.shown() == standing(world, busted)
        for symbol in SYMBOLS:
            day = minutes.shown()[symbol]
            quote = minutes.market.quote(symbol)
            assert quote is not None
            assert (quote.high_e4, quote.low_e4, quote.price_e4, quote.volume_e8) == (
                max(candle.high_e4 for candle in day),
                min(candle.low_e4 for candle in day),
                day[-1].close_e4,
                sum(candle.volume_e8 for candle in day),
            )

        await world.written()
        again = Minutes(world, database)
        await again.begin(database)
        stack.push_async_callback(again.busted.stop)
        assert again.shown() == minutes.shown()
        for symbol in SYMBOLS:
            before, after = minutes.market.quote(symbol), again.market.quote(symbol)
            assert before is not None
            assert after is not None
            assert (after.open_e4, after.high_e4, after.low_e4) == (
                before.open_e4,
                before.high_e4,
                before.low_e4,
            )
            assert (after.price_e4, after.volume_e8) == (before.price_e4, before.volume_e8)


def market_trade(number: int, price_e4: int, *, busted: bool = False) -> MarketTrade:
    return MarketTrade(number, number, "AAPL", price_e4, 10, 1, NOON_US, number, corrected_at=int(busted))


def test_what_traded_after_a_candle_was_stored_is_added_unless_it_is_busted_too() -> None:
    stored = Candle(NOON_US, 100, 110, 95, 105, 50, 5)
    later = [market_trade(1, 120), market_trade(2, 200, busted=True), market_trade(3, 90)]
    assert with_trades(stored, NOON_US, later) == Candle(NOON_US, 100, 120, 90, 90, 70, 7)
    assert with_trades(None, NOON_US, later) == Candle(NOON_US, 120, 120, 90, 90, 20, 2)
    assert with_trades(None, NOON_US, later[1:2]) is None


def test_trades_since_a_sequence_are_told_only_when_all_of_them_are_remembered() -> None:
    market = MarketView()
    market.listener([durable(1, listing("AAPL"))])
    for seq in range(2, TRADES_KEPT + 2):
        market.listener([durable(seq, trade("AAPL", 100, 1, trade_id=seq * IDS_PER_SEQ))])
    assert market.trades_since("AAPL", 1) is None
    newest = market.trades_since("AAPL", TRADES_KEPT - 1)
    assert newest is not None
    assert [each.number for each in newest] == [TRADES_KEPT - 1, TRADES_KEPT]


def test_a_minute_is_replaced_or_taken_away_and_the_day_follows() -> None:
    book = CandleBook()
    number = book.register("AAPL")
    for minute, price in enumerate((100, 130, 90)):
        book.add(number, NOON_US + minute * MINUTE_US, price, 1)
    starts = [NOON_US // MINUTE_US * MINUTE_US + minute * MINUTE_US for minute in range(3)]
    book.put("AAPL", starts[1], Candle(starts[1], 101, 105, 99, 102, 4, 2))
    stats = book.day_stats("AAPL")
    assert stats is not None
    assert (stats.open_e4, stats.high_e4, stats.low_e4, stats.last_e4) == (100, 105, 90, 90)
    assert (stats.volume_e8, stats.trades) == (6, 4)
    book.put("AAPL", starts[2], None)
    stats = book.day_stats("AAPL")
    assert stats is not None
    assert (stats.low_e4, stats.last_e4, stats.trades) == (99, 102, 3)
    book.add(number, starts[1], 103, 1)  # the newest minute that is left goes on
    assert [candle.close_e4 for candle in book.candles("AAPL", Interval.MINUTE_1)] == [100, 103]
    book.put("AAPL", starts[0], None)
    book.put("AAPL", starts[1], None)
    assert book.candles("AAPL", Interval.MINUTE_1) == []
    assert book.day_stats("AAPL") is None
    book.add(number, starts[2], 80, 1)
    (candle,) = book.candles("AAPL", Interval.MINUTE_1)
    assert (candle.open_e4, candle.high_e4, candle.trades) == (80, 80, 1)


def test_a_minute_that_is_not_kept_any_more_is_left_alone() -> None:
    book = CandleBook(minutes_kept=2)
    number = book.register("AAPL")
    start = NOON_US // MINUTE_US * MINUTE_US
    for minute in range(3):
        book.add(number, start + minute * MINUTE_US, 100 + minute, 1)
    before = book.candles("AAPL", Interval.MINUTE_1)
    book.put("AAPL", start, Candle(start, 1, 1, 1, 1, 1, 1))
    book.put("AAPL", start, None)
    assert book.candles("AAPL", Interval.MINUTE_1) == before
