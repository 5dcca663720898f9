"""The JSON of streamed market data: one fragment for each quote and trade, and the messages that join them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from engine.kinds import Side
from server.candle_streams import ToldCandle
from server.decimal_text import cash_text, percent_text, quantity_text
from server.depth_log import BookLevel, DepthStep
from server.symbol_view import MarketTrade, SymbolView

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
    return (
        f'{{"symbol":{_text(trade.symbol)},"n":{trade.number}'
        f',"price":{cash_text(trade.price_e4)},"quantity":{quantity_text(trade.quantity_e8)}'
        f',"taker_side":{_SIDES.get(trade.taker_side, "null")},"timestamp":{trade.time_us // 1000}}}'
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
