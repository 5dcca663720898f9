"""What a client of public channels has not been told yet, whatever form it gets it in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from server.candle_streams import CandleSeries, ToldCandle
from server.depth_log import DepthLog, DepthStep
from server.symbol_view import MarketTrade, SymbolView


def trades_after(views: tuple[SymbolView, ...], since: int) -> list[MarketTrade]:
    """The trades after `since` that are still remembered, oldest first; then those of before that were busted since."""
    trades: list[MarketTrade] = []
    corrections: list[MarketTrade] = []
    for view in views:
        if view.traded_at > since:
            trades += takewhile(lambda trade: trade.changed_at > since, reversed(view.trades))
            if view.corrections:
                newest_first = takewhile(lambda trade: trade.corrected_at > since, reversed(view.corrections))
                corrections += [trade for trade in newest_first if trade.changed_at <= since]
    trades.sort(key=lambda trade: trade.changed_at)
    if corrections:
        trades += sorted(corrections, key=lambda trade: trade.corrected_at)
    return trades


def steps_after(logs: tuple[DepthLog, ...], since: int) -> Iterator[DepthStep]:
    """What changed in these books after `since` (-1: the whole books)."""
    for log in logs:
        if since < log.changed_at or since < log.forgotten_at:
            step = log.step(since)
            if step is not None:
                yield step


def candles_after(series: tuple[CandleSeries, ...], since: int) -> Iterator[ToldCandle]:
    """The candles that changed after `since` (-1: the newest of each series)."""
    for one in series:
        if one.changed_at > since:
            yield from one.since(since)
