"""The simulated market: it trades, its books are deep, its inventory bounded, and it is the same for the same seed."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict

import pytest

from engine import risk
from engine.commands import (
    AnyCommand,
    Envelope,
    FireTimer,
    HaltSymbol,
    MassQuote,
    PlaceOrder,
    ResumeSymbol,
)
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.events import Traded
from engine.kinds import AccountKind, OrderType, PriceSource, Side, Source, TimeInForce, TimerKind
from engine.units import MINUTE_US
from feeds.simulator import Simulator
from server.errors import ShuttingDown
from tests.feeds.venue import SHARE_E8, Venue

SYMBOLS = {"AAA": 2_275_000, "BBB": 477_000, "CCC": 15_000}
TURN_US = 50_000


def make(seed: int = 7, maker_shares: int = 50_000) -> tuple[Venue, Simulator]:
    venue = Venue()
    for symbol, reference_e4 in SYMBOLS.items():
        venue.list_instrument(symbol, reference_e4)
    venue.list_instrument("TAPE", 500_000, PriceSource.TAPE)
    shares = dict.fromkeys(SYMBOLS, maker_shares) if maker_shares else {}
    makers = [venue.open(AccountKind.MARKET_MAKER, dollars=50_000_000, shares=shares) for _ in range(2)]
    traders = [venue.open(AccountKind.USER, dollars=1_000_000) for _ in range(3)]
    simulator = Simulator(
        venue.state, venue.submit, venue.wall.elapsed_us, makers=makers, traders=traders, seed=seed
    )
    return venue, simulator


def play(venue: Venue, simulator: Simulator, seconds: int) -> None:
    for _ in range(seconds * 1_000_000 // TURN_US):
        simulator.step()
        venue.wall.pass_us(TURN_US)


def test_every_instrument_of_our_own_price_has_five_levels_a_side_within_a_second() -> None:
    venue, simulator = make()
    play(venue, simulator, 1)
    for symbol in SYMBOLS:
        assert len(venue.state.books[symbol].bids.levels) >= 5
        assert len(venue.state.books[symbol].asks.levels) >= 5
    assert not venue.state.books["TAPE"].bids.levels


def test_each_instrument_is_quoted_by_one_command_at_most_twice_a_second() -> None:
    venue, simulator = make()
    play(venue, simulator, 20)
    times: dict[str, list[int]] = defaultdict(list)
    for time_us, command in venue.commands:
        if isinstance(command, MassQuote):
            times[command.symbol].append(time_us)
    for symbol in SYMBOLS:
        assert min(later - earlier for earlier, later in itertools.pairwise(times[symbol])) >= 500_000


def test_instruments_trade_every_few_seconds_and_prices_move() -> None:
    venue, simulator = make()
    play(venue, simulator, 120)
    prices: dict[str, list[int]] = defaultdict(list)
    for event in venue.events:
        if isinstance(event, Traded):
            prices[event.symbol].append(event.price_e4)
    for symbol in SYMBOLS:
        assert len(prices[symbol]) >= 120 // 5
    assert len(set(prices["AAA"])) > 5


def test_the_same_seed_gives_the_same_commands_and_another_seed_others() -> None:
    def commands(seed: int) -> list[tuple[int, AnyCommand]]:
        venue, simulator = make(seed)
        play(venue, simulator, 10)
        return venue.commands

    assert commands(7) == commands(7)
    assert commands(7) != commands(8)


def test_a_maker_that_somebody_keeps_hitting_leans_away_and_stops_at_its_bound() -> None:
    venue, simulator = make()
    seller = venue.open(AccountKind.USER, dollars=0, shares={"BBB": 500_000})
    maker = next(maker for maker in simulator.makers if maker.instrument.symbol == "BBB")
    for _ in range(120):
        simulator.step()
        venue.do(PlaceOrder("BBB", Side.SELL, OrderType.MARKET, 3_000 * SHARE_E8, 0, TimeInForce.IOC), seller)
        venue.wall.pass_us(500_000)
    bids, asks = maker.ladders()
    assert bids == ()
    assert asks[0][0] < maker.fair.price_e4
    assert 0 < maker.inventory_e8 < 60 * 630 * SHARE_E8


def test_makers_without_shares_quote_bids_and_nothing_is_refused() -> None:
    venue, simulator = make(maker_shares=0)
    simulator.traders.clear()
    play(venue, simulator, 3)
    assert simulator.refused == 0
    assert all(venue.state.books[symbol].bids.levels for symbol in SYMBOLS)
    assert not any(venue.state.books[symbol].asks.levels for symbol in SYMBOLS)


def test_a_halt_is_survived_and_the_book_fills_again() -> None:
    venue, simulator = make()
    play(venue, simulator, 2)
    venue.do(HaltSymbol("AAA", "news"))
    play(venue, simulator, 20)
    assert simulator.refused > 0
    sent = len([command for command in venue.of_type(MassQuote) if command.symbol == "AAA"])
    venue.do(ResumeSymbol("AAA"))
    play(venue, simulator, 40)
    assert len([command for command in venue.of_type(MassQuote) if command.symbol == "AAA"]) > sent + 10


def test_a_price_that_somebody_moved_far_away_draws_the_maker_inside_the_band() -> None:
    venue, simulator = make()
    venue.state.instruments["AAA"].last_e4 = 4_000_000
    play(venue, simulator, 1)
    maker = next(maker for maker in simulator.makers if maker.instrument.symbol == "AAA")
    assert venue.state.books["AAA"].bids.levels
    assert maker.quotes.desk.refused == 0


def test_a_simulator_needs_a_maker() -> None:
    venue = Venue()
    with pytest.raises(ValueError, match="market maker"):
        Simulator(venue.state, venue.submit, venue.wall.elapsed_us, makers=[], traders=[], seed=1)


async def test_it_runs_until_it_is_stopped() -> None:
    venue, simulator = make()
    running = asyncio.create_task(simulator.run())
    while not venue.commands:
        await asyncio.sleep(0)
    simulator.stop()
    await running


async def test_it_ends_by_itself_when_the_runtime_shuts_down() -> None:
    venue, simulator = make()
    venue.failure = ShuttingDown()
    await simulator.run()


def test_makers_quote_around_the_new_price_after_a_split() -> None:
    """Ten new shares for one: within two seconds both sides stand within a few percent of a tenth of the price."""
    venue, simulator = make()
    play(venue, simulator, 5)
    now_us = venue.state.last_us
    effective_us = (now_us // MINUTE_US + 1) * MINUTE_US
    venue.submit(DeclareAction(1, ActionKind.SPLIT, "AAA", effective_us, 10, 1), Envelope(Source.OPERATOR))
    timer_id = venue.state.timer_ids[TimerKind.CORPORATE_ACTION, "1"]
    venue.wall.pass_us(MINUTE_US)
    venue.submit(FireTimer(timer_id), Envelope(Source.TIMER))
    price_e4 = risk.reference_e4(venue.state.instruments["AAA"])
    assert price_e4 < 300_000
    play(venue, simulator, 2)
    book = venue.state.books["AAA"]
    bid, ask = book.bids.best(), book.asks.best()
    assert bid is not None
    assert ask is not None
    assert price_e4 * 95 // 100 < bid.price_e4 < ask.price_e4 < price_e4 * 105 // 100
