"""Candles of our own fills, but not of instruments that a tape prices."""

from __future__ import annotations

from engine.commands import Envelope, PlaceOrder
from engine.kinds import AccountKind, OrderType, PriceSource, Side, Source, TimeInForce
from feeds.candles import CandleBook
from feeds.own_candles import OwnTrades
from server.codec import Record
from server.market_types import MINUTE_US, Interval
from server.market_view import MarketView
from tests.feeds.venue import SHARE_E8, Venue


def test_fills_make_candles_at_the_time_of_their_record() -> None:
    venue = Venue()
    venue.list_instrument("OWN", 100_000)
    venue.list_instrument("TAPE", 100_000, PriceSource.TAPE)
    candles = CandleBook()
    market = MarketView()
    own_trades = OwnTrades(candles, except_symbols=frozenset({"TAPE"}))
    own_trades.follow(market)
    seller = venue.open(AccountKind.USER, dollars=0, shares={"OWN": 10, "TAPE": 10})
    buyer = venue.open(AccountKind.USER, dollars=1_000)
    for symbol in ("OWN", "TAPE"):
        for account, side in ((seller, Side.SELL), (buyer, Side.BUY)):
            order = PlaceOrder(symbol, side, OrderType.LIMIT, 3 * SHARE_E8, 100_000, TimeInForce.GTC)
            applied = venue.do(order, account)
            record = Record(applied.seq, applied.now_us, Envelope(Source.HTTP), order, applied.events)
            own_trades.take([record])
            market.listener([record])
    (candle,) = candles.candles("OWN", Interval.MINUTE_1)
    assert candle.start_us == venue.wall.now_us() // MINUTE_US * MINUTE_US
    assert (candle.open_e4, candle.volume_e8, candle.trades) == (
        100_000,
        6 * SHARE_E8,
        2,
    )  # taken, and heard of
    assert candles.candles("TAPE", Interval.MINUTE_1) == []
