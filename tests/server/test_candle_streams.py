"""The running candle when it changes and each closed one, over real sockets, on a clock that the test moves."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from server.market_types import MINUTE_US, Interval
from server.stream_json import candles_frame
from tests.server.market_records import trade
from tests.server.stream_client import StreamClient
from tests.server.stream_market import Connect, Market


def at(market: Market, us: int) -> None:
    market.clock.us = us


def trades(market: Market, cents: int, units: int = 1) -> None:
    """A trade of AAPL now: its candle first, as the feeds have it, then the event."""
    number = market.candles.register("AAPL")
    market.candles.add(number, market.clock.us, cents * 100, units * 100_000_000)
    market.happens(trade("AAPL", cents, units))


def follow(market: Market, outlet: Any, *intervals: Interval, interval_ms: int = 100) -> None:
    view = market.view.symbols["AAPL"]
    series = [market.hub.candles.series(view, interval) for interval in intervals]
    market.hub.follow_market(outlet, {"candles": {one.name: one for one in series}}, interval_ms)


async def candle(client: StreamClient) -> dict[str, Any]:
    message = await client.json()
    assert message["channel"] == "candles"
    (found,) = message["data"]
    return dict(found)


async def test_the_running_candle_comes_first_and_whenever_it_changed_and_once_more_closed(
    market: Market, connect: Connect
) -> None:
    start = 1_700_000_040_000_000
    at(market, start + 1)
    trades(market, 10_000)
    outlet, client = await connect()
    follow(market, outlet, Interval.MINUTE_1)
    snapshot = await candle(client)
    trades(market, 10_200, 2)
    trades(market, 9_900)
    running = await candle(client)
    at(market, start + MINUTE_US)
    closed = await candle(client)

    assert snapshot == {
        "symbol": "AAPL", "interval": "1m", "start": start // 1_000, "open": 100, "high": 100, "low": 100,
        "close": 100, "volume": 1, "trades": 1, "closed": False,
    }  # fmt: skip
    assert running == snapshot | {"high": 102, "low": 99, "close": 99, "volume": 4, "trades": 3}
    assert closed == running | {"closed": True}


async def test_a_trade_of_the_next_minute_closes_the_one_before(market: Market, connect: Connect) -> None:
    start = 1_700_000_040_000_000
    at(market, start)
    trades(market, 10_000)
    outlet, client = await connect()
    follow(market, outlet, Interval.MINUTE_1)
    await client.json()
    at(market, start + 2 * MINUTE_US + 7)
    trades(market, 10_100)
    told: list[tuple[int, bool]] = []
    while len(told) < 2:
        told += [(found["start"], found["closed"]) for found in (await client.json())["data"]]

    assert told == [(start // 1_000, True), ((start + 2 * MINUTE_US) // 1_000, False)]


async def test_intervals_of_one_symbol_are_told_together_and_a_day_ends_at_the_local_midnight(
    market: Market, connect: Connect
) -> None:
    zone = ZoneInfo("America/New_York")
    market.candles.register("AAPL", zone=zone)
    at(market, 1_699_160_400_000_000)  # 2023-11-05 01:00 in New York, a day of 25 hours
    trades(market, 10_000)
    outlet, client = await connect()
    follow(market, outlet, Interval.DAY_1, Interval.HOUR_1)
    snapshot = {found["interval"]: found for found in (await client.json())["data"]}
    assert snapshot["1d"]["start"] == 1_699_156_800_000
    hour = 3_600_000_000
    at(market, 1_699_156_800_000_000 + 24 * hour)
    assert ((await candle(client))["interval"]) == "1h"
    at(market, 1_699_156_800_000_000 + 25 * hour)
    ended = await candle(client)

    assert (ended["interval"], ended["closed"]) == ("1d", True)


async def test_a_client_that_is_late_gets_each_candle_as_it_is_now(market: Market, connect: Connect) -> None:
    at(market, 1_700_000_040_000_000)
    trades(market, 10_000)
    outlet, _ = await connect()
    follow(market, outlet, Interval.MINUTE_1, interval_ms=1_000)
    since = market.view.changes
    (series,) = outlet.follows["candles"].values()
    for _ in range(3):
        trades(market, 10_300)
        series.look()
        at(market, market.clock.us + MINUTE_US)
        series.look()

    assert [(told.candle.trades, told.closed) for told in series.since(since)] == [
        (2, True),
        (1, True),
        (1, True),
    ]
    assert candles_frame((series,), market.view.changes) == b""


async def test_what_nobody_follows_is_not_looked_at(market: Market, connect: Connect) -> None:
    (first, _), (second, _) = await connect(), await connect()
    for outlet in (first, second):
        follow(market, outlet, Interval.MINUTE_1, Interval.MINUTE_5)
    assert len(market.hub.candles) == 2
    market.hub.unfollow_market(first, {"candles": ["AAPL 1m", "AAPL 5m"]})
    assert len(market.hub.candles) == 2
    market.hub.unfollow_market(second, {"candles": ["AAPL 1m"]})
    assert len(market.hub.candles) == 1
    market.hub.unfollow_market(second, {"candles": ["AAPL 5m"]})
    assert len(market.hub.candles) == 0
