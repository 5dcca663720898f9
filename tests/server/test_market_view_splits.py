"""What the market view shows of shares that were split, or renamed: also between the engine's turn and the durable record, and after a restart."""

from __future__ import annotations

from engine.commands import Envelope, FireTimer
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.kinds import Source
from engine.units import MINUTE_US
from server.codec import Record
from server.market_types import Candle
from server.market_view import MarketView
from server.split_candles import in_new_shares, splits_of
from tests.engine.split_world import market, split
from tests.engine.world import World, e4, e8


def traded() -> World:
    """A trade at 91."""
    world = market()
    world.sell("ann", "2", "91")
    world.buy("cal", "2", "91")
    return world


def test_the_old_price_is_not_shown_for_new_shares_before_the_split_is_durable() -> None:
    world, view = traded(), MarketView()
    view.seed(world.state, now_us=world.now_us)
    assert view.last_e4("AAPL") == e4("91")
    events = split(world, 2, 1)
    assert view.last_e4("AAPL") == 0  # who asks takes the reference
    command, envelope = FireTimer(1), Envelope(Source.TIMER)
    view.listener([Record(world.state.seq, world.now_us, envelope, command, tuple(events))])
    assert view.last_e4("AAPL") == e4("45.5")
    quote = view.quote("AAPL")
    assert quote is not None
    assert (quote.price_e4, quote.previous_close_e4, quote.change_e4) == (e4("45.5"), e4("45"), e4("0.5"))


def test_after_a_restart_prices_are_shown_also_of_what_was_split_and_then_renamed() -> None:
    world = traded()
    split(world, 2, 1)
    effective_us = (world.now_us // MINUTE_US + 1) * MINUTE_US
    world.do(DeclareAction(8, ActionKind.SYMBOL_CHANGE, "AAPL", effective_us, new_symbol="APPL"))
    world.advance(effective_us)
    view = MarketView()
    view.seed(world.state, now_us=world.now_us)
    assert view.last_e4("APPL") == e4("45.5")
    assert splits_of(world.state, "AAPL") == [(MINUTE_US, 2, 1)]


def test_candles_of_before_are_in_new_shares_and_those_of_after_stay() -> None:
    before = Candle(0, e4("90"), e4("93"), e4("87"), e4("91"), e8("2"), 3)
    after = Candle(MINUTE_US, e4("30"), e4("31"), e4("29"), e4("30"), e8("6"), 1)
    shown = in_new_shares([before, after], [(MINUTE_US, 3, 1)])
    assert shown == [Candle(0, e4("30"), e4("31"), e4("29"), 303_333, e8("6"), 3), after]
