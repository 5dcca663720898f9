"""A hub with a market of two symbols that the test moves by durable events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from config.settings import Settings, StreamSettings
from engine.events import BalanceChanged, OrderUpdated
from feeds.candles import CandleBook
from server.candle_streams import CandleStreams
from server.fan_out import Hub
from server.live_values import LiveValue
from server.market_view import MarketView
from server.outlet import Outlet
from server.principal import Principal, Role
from server.private_channels import Told
from server.private_streams import EncodeEvent
from server.wire import Wire
from tests.server.market_records import durable, listing, trade

Connect = Callable[[], Any]
"""Connects a client: gives its outlet in the hub and the client's end."""


class HandClock:
    """Wall time that the test moves."""

    def __init__(self) -> None:
        self.us = 1_700_000_000_000_000

    def now_us(self) -> int:
        return self.us


class Market:
    """A hub with two symbols, and what happens to them."""

    def __init__(self, settings: StreamSettings) -> None:
        self.clock = HandClock()
        self.view = MarketView()
        encoders: dict[type[Told], EncodeEvent] = {OrderUpdated: encode_order, BalanceChanged: encode_balance}
        self.candles = CandleBook()
        streams = CandleStreams(self.view, self.candles, self.clock.now_us)
        self.values: dict[int, LiveValue] = {}
        self.hub = Hub(self.view, settings, encoders, {}, self.clock, streams, self.value)
        self.seq = 0
        self.happens(listing("AAPL"), listing("TSLA"))

    def value(self, account_id: int, _: Wire) -> LiveValue | None:
        return self.values.get(account_id)

    def happens(self, *events: Any) -> int:
        self.seq += 1
        records = [durable(self.seq, *events)]
        self.view.listener(records)
        self.hub.listener(records)
        return self.seq

    def follow(self, outlet: Outlet, *symbols: str, interval_ms: int = 100, trades: bool = False) -> None:
        views = {symbol: self.view.symbols[symbol] for symbol in symbols}
        self.hub.follow_market(outlet, {"quotes": views, "trades": views if trades else {}}, interval_ms)


def encode_order(event: Any) -> bytes:
    return b'{"order_id":"ord_%d","status":"%b"}' % (event.order_id, event.status.name.encode())


def encode_balance(event: Any) -> bytes:
    return b'{"balance":%d}' % (event.cash_e4 // 10_000)


def changed(settings: Settings, **changes: Any) -> StreamSettings:
    return msgspec.structs.replace(settings.stream, **changes)


async def until(condition: Callable[[], object]) -> None:
    """Come back when the condition holds; at most 10 s."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def sign_in(market: Market, outlet: Outlet, account_id: int, *, expires_s: int = 2_000_000_000) -> None:
    roles = frozenset({Role.TRADER})
    assert market.hub.sign_in(outlet, Principal(account_id + 1_000, account_id, roles, account_id, expires_s))


async def fill(market: Market, outlet: Outlet, cents: int) -> None:
    """Write more than the kernel takes for a client that does not read, then change a quote that it follows."""
    market.follow(outlet, "AAPL", interval_ms=100)
    filler = b"\x82\x7e\x10\x00" + bytes(4_096)  # a binary frame of 4 KiB
    for _ in range(64):
        outlet.write(filler)
    market.happens(trade("AAPL", cents, 1))
    await until(lambda: outlet.stuck_since)
