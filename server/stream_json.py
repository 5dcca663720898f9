"""Streamed market data as JSON: a fragment for each quote, trade, book and candle, and the frames that join them.

A fragment is made once for each change and kept where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec

from engine.kinds import Side
from server.candle_streams import CandleSeries, ToldCandle
from server.decimal_text import cash_text, percent_text, quantity_text
from server.depth_log import BookLevel, DepthLog, DepthStep
from server.parking_view import LotView
from server.stream_changes import candles_after, steps_after, trades_after
from server.symbol_view import MarketTrade, SymbolView, imbalance_side
from server.ws_frames import text_frame

_SIDES: Final = {int(Side.BUY): '"BUY"', int(Side.SELL): '"SELL"'}


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()


def _price(value_e4: int) -> str:
    return cash_text(value_e4) if value_e4 else "null"


def quote_fragment(view: SymbolView) -> bytes:
    """A quote as one JSON object. Prices that do not exist yet are null; `timestamp` is epoch milliseconds."""
    quote = view.quote()
    return (
        f'{{"symbol":{_text(quote.symbol)},"price":{_price(quote.price_e4)}'
        f',"change":{cash_text(quote.change_e4)},"change_percentage":{percent_text(quote.change_bps)}'
        f',"volume":{quantity_text(quote.volume_e8)}'
        f',"bid":{_price(quote.bid_e4)},"ask":{_price(quote.ask_e4)}'
        f',"bid_size":{quantity_text(quote.bid_size_e8)},"ask_size":{quantity_text(quote.ask_size_e8)}'
        f',"timestamp":{quote.timestamp_us // 1000},"stale":{"true" if quote.stale else "false"}'
        f',"v":{quote.version}}}'
    ).encode()


def trade_fragment(trade: MarketTrade) -> bytes:
    """A trade as one JSON object. `n` counts the symbol's trades since the server started, without gaps."""
    trade_id = f'"trd_{trade.trade_id}"' if trade.trade_id else "null"
    busted = ',"busted":true' if trade.corrected_at else ""
    return (
        f'{{"symbol":{_text(trade.symbol)},"n":{trade.number or "null"},"trade_id":{trade_id}'
        f',"price":{cash_text(trade.price_e4)},"quantity":{quantity_text(trade.quantity_e8)}'
        f',"taker_side":{_SIDES.get(trade.taker_side, "null")},"timestamp":{trade.time_us // 1000}{busted}}}'
    ).encode()


def depth_fragment(step: DepthStep) -> bytes:
    """A step of a book, or the whole of it, as one JSON object."""
    since = "" if step.is_snapshot else f',"prev_seq":{step.prev_seq}'
    return (
        f'{{"symbol":{_text(step.symbol)},"type":"{"snapshot" if step.is_snapshot else "delta"}"{since}'
        f',"seq":{step.seq},"bids":[{_levels(step.bids)}],"asks":[{_levels(step.asks)}]'
        f',"checksum":{step.checksum}}}'
    ).encode()


def _levels(levels: Iterable[BookLevel]) -> str:
    return ",".join(
        f"[{cash_text(price_e4)},{quantity_text(quantity_e8)},{orders}]"
        for price_e4, quantity_e8, orders in levels
    )


def candle_fragment(told: ToldCandle) -> bytes:
    """A candle as one JSON object; `start` is epoch milliseconds."""
    candle = told.candle
    return (
        f'{{"symbol":{_text(told.symbol)},"interval":"{told.interval}","start":{candle.start_us // 1000}'
        f',"open":{cash_text(candle.open_e4)},"high":{cash_text(candle.high_e4)}'
        f',"low":{cash_text(candle.low_e4)},"close":{cash_text(candle.close_e4)}'
        f',"volume":{quantity_text(candle.volume_e8)},"trades":{candle.trades}'
        f',"closed":{"true" if told.closed else "false"}}}'
    ).encode()


def auction_fragment(view: SymbolView) -> bytes:
    """A book's phase, and in a call what its auction would do, as one JSON object."""
    price_e4, volume_e8, imbalance_e8 = view.auction
    return (
        f'{{"symbol":{_text(view.symbol)},"phase":"{view.phase.name}","indicative_price":{_price(price_e4)}'
        f',"paired_volume":{quantity_text(volume_e8)},"imbalance":{quantity_text(abs(imbalance_e8))}'
        f',"imbalance_side":{_SIDES.get(imbalance_side(imbalance_e8), "null")}'
        f',"timestamp":{view.auction_us // 1000}}}'
    ).encode()


def parking_fragment(view: LotView, since: int) -> bytes:
    """A car park with the parts that changed after `since` (-1: all) as one JSON object."""
    parts = ",".join(
        f'{{"floor":{_text(floor)},"type":"{kind.name}","vehicles":{part.vehicles},"spaces":{part.spaces}}}'
        for (floor, kind), part in view.parts_after(since)
    )
    return (
        f'{{"lot_id":{_text(view.lot_id)},"seq":{view.seq},"inside":{view.inside},"capacity":{view.capacity}'
        f',"parts":[{parts}],"timestamp":{view.time_us // 1000}}}'
    ).encode()


def quotes_message(fragments: Iterable[bytes]) -> bytes:
    """A message of the `quotes` channel."""
    return b'{"channel":"quotes","data":[' + b",".join(fragments) + b"]}"


def trades_message(fragments: Iterable[bytes]) -> bytes:
    """A message of the `trades` channel, oldest first."""
    return b'{"channel":"trades","data":[' + b",".join(fragments) + b"]}"


def depth_message(fragments: Iterable[bytes]) -> bytes:
    """A message of the `depth` channel."""
    return b'{"channel":"depth","data":[' + b",".join(fragments) + b"]}"


def candles_message(fragments: Iterable[bytes]) -> bytes:
    """A message of the `candles` channel."""
    return b'{"channel":"candles","data":[' + b",".join(fragments) + b"]}"


def auctions_message(fragments: Iterable[bytes]) -> bytes:
    """A message of the `auctions` channel."""
    return b'{"channel":"auctions","data":[' + b",".join(fragments) + b"]}"


def parking_message(fragments: Iterable[bytes]) -> bytes:
    """A message of the `parking` channel."""
    return b'{"channel":"parking","data":[' + b",".join(fragments) + b"]}"


def quotes_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The quotes that changed after `since` (-1: all) as one frame; empty when there are none."""
    fragments = []
    for view in views:
        if view.changed_at > since:
            fragment = view.fragment
            if fragment is None:
                fragment = view.fragment = quote_fragment(view)
            fragments.append(fragment)
    return text_frame(quotes_message(fragments)) if fragments else b""


def trades_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The trades after `since` that are still remembered as one frame; empty when there are none."""
    fragments = []
    for trade in trades_after(views, since):
        fragment = trade.fragment
        if fragment is None:
            fragment = trade.fragment = trade_fragment(trade)
        fragments.append(fragment)
    return text_frame(trades_message(fragments)) if fragments else b""


def depth_frame(logs: tuple[DepthLog, ...], since: int) -> bytes:
    """What changed in these books after `since` (-1: the whole books) as one frame; empty when nothing did."""
    fragments = [depth_fragment(step) for step in steps_after(logs, since)]
    return text_frame(depth_message(fragments)) if fragments else b""


def candles_frame(series: tuple[CandleSeries, ...], since: int) -> bytes:
    """The candles that changed after `since` (-1: the newest of each series) as one frame; empty when none did."""
    fragments = []
    for told in candles_after(series, since):
        fragment = told.fragment
        if fragment is None:
            fragment = told.fragment = candle_fragment(told)
        fragments.append(fragment)
    return text_frame(candles_message(fragments)) if fragments else b""


def auctions_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The phases and indications that changed after `since` (-1: all) as one frame; empty when none did."""
    fragments = [auction_fragment(view) for view in views if view.auction_at > since]
    return text_frame(auctions_message(fragments)) if fragments else b""


def parking_frame(lots: tuple[LotView, ...], since: int) -> bytes:
    """The car parks that changed after `since` (-1: all) as one frame; empty when none did."""
    fragments = [parking_fragment(view, since) for view in lots if view.changed_at > since]
    return text_frame(parking_message(fragments)) if fragments else b""


JSON_FRAMES: Final[dict[str, Callable[[tuple[Any, ...], int], bytes]]] = {
    "quotes": quotes_frame,
    "trades": trades_frame,
    "depth": depth_frame,
    "candles": candles_frame,
    "auctions": auctions_frame,
    "parking": parking_frame,
}
"""Public channel → what makes its frame."""
