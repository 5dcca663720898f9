"""The replay: due rows only, bounded commands, stale at the end, the recorded day's figures at any speed."""

from __future__ import annotations

import asyncio
import itertools
import logging
from pathlib import Path

import pytest

from engine.commands import AnyCommand, Marks, MassQuote, PlaceOrder
from engine.kinds import AccountKind, OrderType, PriceSource, Side, TimeInForce
from feeds.candles import CandleBook
from feeds.desk import Desk
from feeds.last_value import LastValueTable
from feeds.maker_quotes import MakerQuotes
from feeds.market_clock import MarketClock
from feeds.replay import LEAD_US, PRINTS_MAX, Replay, regular_session, start_us
from feeds.tape_file import TapeError
from server.errors import ShuttingDown
from server.market_types import Interval, Quote, TradePrint
from tests.feeds.conftest import MakeTape
from tests.feeds.venue import SHARE_E8, Venue

MIDNIGHT_US = 1_381_291_200_000_000
TURN_US = 20_000


class Screen:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.quotes: list[Quote] = []
        self.prints: list[TradePrint] = []

    def update_tape(self, quote: Quote) -> None:
        self.quotes.append(quote)

    def add_print(self, trade: TradePrint) -> None:
        self.prints.append(trade)


class Stage:
    """A replay of AIG on a small venue, its clock turned by hand."""

    def __init__(self, trade_path: Path, *, base_us: int, speed: int = 1, shares: int = 100_000) -> None:
        self.venue = Venue()
        self.venue.wall.time_us = base_us
        self.venue.list_instrument("AIG", 477_000, PriceSource.TAPE)
        account = self.venue.open(AccountKind.MARKET_MAKER, dollars=50_000_000, shares={"AIG": shares})
        self.candles = CandleBook()
        self.screen = Screen()
        self.clock = MarketClock(self.venue.wall, base_us=base_us, speed=speed)
        elapsed_us = self.venue.wall.elapsed_us
        desk = Desk("tape maker", self.venue.submit, elapsed_us, account_id=account)
        self.replay = Replay(
            trade_path,
            clock=self.clock,
            elapsed_us=elapsed_us,
            table=LastValueTable(self.candles),
            view=self.screen,
            marks=Desk("marks", self.venue.submit, elapsed_us),
            maker=MakerQuotes("AIG", desk, self.venue.state, elapsed_us),
        )

    async def play(self, turns: int) -> None:
        for _ in range(turns):
            await self.replay.step()
            self.venue.wall.pass_us(TURN_US)

    def times_of(self, kind: type[AnyCommand]) -> list[int]:
        return [time_us for time_us, command in self.venue.commands if isinstance(command, kind)]


TRADES = "\n".join(
    f"{ms},{price},100,N,0,0" for ms, price in [(1_000, 477_000), (2_000, 477_100), (63_000, 476_900)]
)
QUOTES = """\
900,476900,300,0,0,N,1,0
900,0,0,477200,200,N,1,0
1950,477000,300,0,0,Q,1,0
1950,0,0,477100,200,Q,1,0
"""


@pytest.fixture
def day(make_tape: MakeTape) -> Path:
    make_tape("aig_20131009_quote.zip", QUOTES)
    return make_tape("aig_20131009_trade.zip", TRADES)


async def test_only_what_is_due_by_the_market_clock_is_shown(day: Path) -> None:
    stage = Stage(day, base_us=MIDNIGHT_US + 950_000)
    await stage.play(2)
    (quote,) = stage.screen.quotes
    assert (quote.bid_e4, quote.ask_e4, quote.price_e4) == (476_900, 477_200, 0)
    await stage.play(10)
    assert stage.screen.quotes[-1].price_e4 == 477_000
    assert stage.screen.prints == [TradePrint("AIG", MIDNIGHT_US + 1_000_000, 477_000, 100 * SHARE_E8, "N")]


async def test_the_maker_stands_at_the_tapes_best_prices(day: Path) -> None:
    stage = Stage(day, base_us=MIDNIGHT_US + 1_000_000)
    await stage.play(70)
    book = stage.venue.state.books["AIG"]
    assert max(level.price_e4 for level in book.bids.levels.values()) == 477_000
    assert min(level.price_e4 for level in book.asks.levels.values()) == 477_100
    assert stage.venue.of_type(MassQuote)[-1].bids[0] == (477_000, 300 * SHARE_E8)
    assert stage.venue.of_type(MassQuote)[-1].asks[0] == (477_100, 200 * SHARE_E8)
    assert len(stage.venue.of_type(MassQuote)[-1].bids) == 5


async def test_the_mark_is_the_last_trade_and_comes_before_the_first_quote(day: Path) -> None:
    stage = Stage(day, base_us=MIDNIGHT_US + 1_001_000)
    await stage.play(5)
    assert [type(command) for _, command in stage.venue.commands] == [Marks, MassQuote]
    assert stage.venue.of_type(Marks) == [Marks((("AIG", 477_000),))]
    assert stage.venue.state.instruments["AIG"].reference_e4 == 477_000


async def test_before_the_first_trade_the_mark_is_the_middle(day: Path) -> None:
    stage = Stage(day, base_us=MIDNIGHT_US + 950_000)
    await stage.play(1)
    assert stage.venue.of_type(Marks) == [Marks((("AIG", 477_050),))]


async def test_at_the_end_the_last_values_stay_marked_stale_and_the_maker_goes_on(
    day: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kerb")
    stage = Stage(day, base_us=MIDNIGHT_US, speed=1_000)
    await stage.play(10)
    quote = stage.screen.quotes[-1]
    assert (quote.price_e4, quote.stale, quote.bid_e4, quote.ask_e4) == (476_900, True, 477_000, 477_100)
    assert stage.replay.is_finished
    assert any("3 rows, 0 bad, 0 suspicious; quotes: 4 rows" in message for message in caplog.messages)
    sent = len(stage.times_of(MassQuote))
    buyer = stage.venue.open(AccountKind.USER, dollars=100_000)
    stage.venue.do(PlaceOrder("AIG", Side.BUY, OrderType.MARKET, 50 * SHARE_E8, 0, TimeInForce.IOC), buyer)
    await stage.play(50)
    assert len(stage.times_of(MassQuote)) == sent + 1


async def test_without_a_quote_file_the_maker_stands_a_tick_around_the_last_trade(
    make_tape: MakeTape,
) -> None:
    stage = Stage(make_tape("aig_20131009_trade.zip", TRADES), base_us=MIDNIGHT_US + 1_000_000)
    await stage.play(5)
    (command,) = stage.venue.of_type(MassQuote)
    assert (command.bids[0][0], command.asks[0][0]) == (476_900, 477_100)


async def test_a_turn_with_many_trades_shows_the_newest_one_by_one(make_tape: MakeTape) -> None:
    text = "".join(f"1000,{470_000 + step * 100},1,N,0,0\n" for step in range(1_000))
    stage = Stage(make_tape("aig_20131009_trade.zip", text), base_us=MIDNIGHT_US + 2_000_000)
    await stage.play(1)
    newest = [470_000 + step * 100 for step in range(1_000 - PRINTS_MAX, 1_000)]
    assert [trade.price_e4 for trade in stage.screen.prints] == newest
    (candle,) = stage.candles.candles("AIG", Interval.MINUTE_1)
    assert candle.trades == 1_000


async def test_what_lies_before_the_start_is_in_the_candles_but_not_printed(day: Path) -> None:
    stage = Stage(day, base_us=MIDNIGHT_US + 60_000_000)
    await stage.replay.catch_up()
    assert [candle.trades for candle in stage.candles.candles("AIG", Interval.MINUTE_1)] == [2]
    assert stage.screen.prints == []
    assert stage.screen.quotes[-1].price_e4 == 477_100
    assert stage.venue.commands == []


async def test_run_lets_a_paused_clock_pass_and_stops_when_told(day: Path) -> None:
    stage = Stage(day, base_us=MIDNIGHT_US + 1_000_000)
    stage.clock.pause()
    running = asyncio.create_task(stage.replay.run())
    while not stage.venue.commands:
        await asyncio.sleep(0.001)
        stage.venue.wall.pass_us(TURN_US)
    stage.replay.stop()
    await running
    assert not stage.clock.is_paused


async def test_run_ends_when_the_runtime_shuts_down(day: Path) -> None:
    stage = Stage(day, base_us=MIDNIGHT_US + 1_500_000)
    stage.venue.failure = ShuttingDown()
    await stage.replay.run()
    assert stage.venue.commands == []


async def test_a_damaged_file_ends_the_replay_with_a_message_and_stale_values(
    make_tape: MakeTape, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_tape("aig_20131009_trade.zip", TRADES)
    path.write_bytes(b"no zip")
    stage = Stage(path, base_us=MIDNIGHT_US)
    running = asyncio.create_task(stage.replay.run())
    while not stage.replay.is_finished:
        await asyncio.sleep(0)
    stage.replay.stop()
    await running
    assert any("not a zip" in message for message in caplog.messages)
    assert stage.screen.quotes[-1].stale


def test_it_starts_a_few_minutes_before_the_session_or_at_the_first_row(day: Path) -> None:
    opens_us, closes_us = regular_session(day)
    assert (opens_us - MIDNIGHT_US, closes_us - MIDNIGHT_US) == (34_200_000_000, 57_600_000_000)
    assert start_us(day) == opens_us - LEAD_US
    assert start_us(day, from_first_row=True) == MIDNIGHT_US + 900_000


def test_a_file_that_is_not_there_is_a_tape_error(tmp_path: Path) -> None:
    with pytest.raises(TapeError):
        start_us(tmp_path / "aig_20131009_trade.zip", from_first_row=True)


async def test_the_recorded_day_at_full_speed(aig_trades: Path) -> None:
    first_us = start_us(aig_trades, from_first_row=True)
    stage = Stage(aig_trades, base_us=first_us, speed=1_000)
    while not stage.replay.is_finished:
        await stage.play(1)
    day = stage.candles.candles("AIG", Interval.DAY_1)[0]
    assert (day.open_e4, day.high_e4, day.low_e4, day.close_e4) == (479_900, 482_200, 471_800, 477_000)
    assert (day.volume_e8, day.trades) == (10_371_011 * SHARE_E8, 52_008)
    session = regular_session(aig_trades)
    assert len(stage.candles.candles("AIG", Interval.MINUTE_1, sessions=[session])) == 390
    assert all(quote.bid_e4 <= quote.ask_e4 for quote in stage.screen.quotes)
    assert stage.screen.quotes[-1].stale
    marks, quotes = stage.times_of(Marks), stage.times_of(MassQuote)
    assert len(marks) > 30
    assert min(later - earlier for earlier, later in itertools.pairwise(marks)) >= 1_000_000
    assert len(quotes) > 60
    assert min(later - earlier for earlier, later in itertools.pairwise(quotes)) >= 500_000


async def test_a_restart_in_the_middle_of_the_day_comes_to_the_same_candles(aig_trades: Path) -> None:
    noon_us = MIDNIGHT_US + 12 * 3_600_000_000
    stage = Stage(aig_trades, base_us=noon_us, speed=1_000)
    await stage.replay.catch_up()
    assert stage.candles.candles("AIG", Interval.MINUTE_1)[-1].start_us == noon_us - 60_000_000
    await stage.play(30)
    found = stage.candles.candles("AIG", Interval.MINUTE_1, sessions=[regular_session(aig_trades)])
    assert (found[0].open_e4, found[0].volume_e8, found[0].trades) == (476_800, 141_774 * SHARE_E8, 99)
    assert stage.screen.quotes[-1].timestamp_us > noon_us
