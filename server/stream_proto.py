"""Streamed market data as protobuf (server/kerb.proto): the same as server/stream_json.py, in another form.

A message that is a list's only member, written down, is what the list has of it, head and all: so the frame of a channel is
the join of what was made once for each change. Figures go over as the integers that they are inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from server.candle_streams import CandleSeries, ToldCandle
from server.depth_log import BookLevel, DepthLog, DepthStep
from server.kerb_pb2 import (
    Auction,
    Candle,
    Data,
    Depth,
    DepthType,
    Level,
    ParkingOccupancy,
    ParkingPart,
    Phase,
    Portfolio,
    PortfolioEvent,
    Quote,
    Side,
    SpaceType,
    Trade,
)
from server.parking_view import LotView
from server.stream_changes import candles_after, steps_after, trades_after
from server.symbol_view import MarketTrade, SymbolView, imbalance_side
from server.ws_frames import binary_frame

UNSIGNED_MAX: Final = 2**64 - 1
"""What a field holds. Sums of quantities may be more, of what costs next to nothing: they are told as this."""


def packed_quote(view: SymbolView) -> bytes:
    """A quote, as a member of `Data.quotes`. Prices that do not exist yet are absent."""
    quote = view.quote()
    message = Quote(
        symbol=quote.symbol,
        price_e4=quote.price_e4 or None,
        change_e4=quote.change_e4,
        change_percentage_e2=quote.change_bps,
        volume_e8=min(quote.volume_e8, UNSIGNED_MAX),
        bid_e4=quote.bid_e4 or None,
        ask_e4=quote.ask_e4 or None,
        bid_size_e8=min(quote.bid_size_e8, UNSIGNED_MAX),
        ask_size_e8=min(quote.ask_size_e8, UNSIGNED_MAX),
        timestamp_ms=quote.timestamp_us // 1000,
        stale=quote.stale,
        v=quote.version,
    )
    packed: bytes = Data(quotes=(message,)).SerializeToString()
    return packed


def packed_trade(trade: MarketTrade) -> bytes:
    """A trade, as a member of `Data.trades`."""
    message = Trade(
        symbol=trade.symbol,
        n=trade.number or None,
        price_e4=trade.price_e4,
        quantity_e8=min(trade.quantity_e8, UNSIGNED_MAX),
        taker_side=cast(Side, trade.taker_side),
        timestamp_ms=trade.time_us // 1000,
        trade_id=f"trd_{trade.trade_id}" if trade.trade_id else None,
        busted=trade.busted,
    )
    packed: bytes = Data(trades=(message,)).SerializeToString()
    return packed


def packed_depth(step: DepthStep) -> bytes:
    """A step of a book, or the whole of it, as a member of `Data.depth`."""
    message = Depth(
        symbol=step.symbol,
        type=DepthType.DEPTH_TYPE_SNAPSHOT if step.is_snapshot else DepthType.DEPTH_TYPE_DELTA,
        prev_seq=None if step.is_snapshot else step.prev_seq,
        seq=step.seq,
        bids=_levels(step.bids),
        asks=_levels(step.asks),
        checksum=step.checksum,
    )
    packed: bytes = Data(depth=(message,)).SerializeToString()
    return packed


def packed_auction(view: SymbolView) -> bytes:
    """A book's phase and indication, as a member of `Data.auctions`."""
    price_e4, volume_e8, imbalance_e8 = view.auction
    message = Auction(
        symbol=view.symbol,
        phase=cast(Phase, int(view.phase)),
        indicative_price_e4=price_e4 or None,
        paired_volume_e8=min(volume_e8, UNSIGNED_MAX),
        imbalance_e8=min(abs(imbalance_e8), UNSIGNED_MAX),
        imbalance_side=cast(Side, imbalance_side(imbalance_e8)),
        timestamp_ms=view.auction_us // 1000,
    )
    packed: bytes = Data(auctions=(message,)).SerializeToString()
    return packed


def _levels(levels: Iterable[BookLevel]) -> list[Level]:
    return [
        Level(price_e4=price_e4, quantity_e8=min(quantity_e8, UNSIGNED_MAX), orders=orders)
        for price_e4, quantity_e8, orders in levels
    ]


def packed_candle(told: ToldCandle) -> bytes:
    """A candle, as a member of `Data.candles`."""
    candle = told.candle
    message = Candle(
        symbol=told.symbol,
        interval=told.interval,
        start_ms=candle.start_us // 1000,
        open_e4=candle.open_e4,
        high_e4=candle.high_e4,
        low_e4=candle.low_e4,
        close_e4=candle.close_e4,
        volume_e8=min(candle.volume_e8, UNSIGNED_MAX),
        trades=candle.trades,
        closed=told.closed,
    )
    packed: bytes = Data(candles=(message,)).SerializeToString()
    return packed


def portfolio_frame(seq: int, packed: bytes) -> bytes:
    """What an account is worth, a `Portfolio` from the state at `seq`, as a frame."""
    event = PortfolioEvent(seq=seq, data=Portfolio.FromString(packed))
    return binary_frame(Data(portfolio=(event,)).SerializeToString())


def quotes_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The quotes that changed after `since` (-1: all) as one frame; empty when there are none."""
    packed = []
    for view in views:
        changed_at = view.changed_at
        if changed_at > since:
            if view.packed_at != changed_at:
                view.packed, view.packed_at = packed_quote(view), changed_at
            packed.append(view.packed)
    return _frame(packed)


def trades_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The trades after `since` that are still remembered as one frame; empty when there are none."""
    packed = []
    for trade in trades_after(views, since):
        one = trade.packed
        if one is None:
            one = trade.packed = packed_trade(trade)
        packed.append(one)
    return _frame(packed)


def depth_frame(logs: tuple[DepthLog, ...], since: int) -> bytes:
    """What changed in these books after `since` (-1: the whole books) as one frame; empty when nothing did."""
    return _frame([packed_depth(step) for step in steps_after(logs, since)])


def candles_frame(series: tuple[CandleSeries, ...], since: int) -> bytes:
    """The candles that changed after `since` (-1: the newest of each series) as one frame; empty when none did."""
    packed = []
    for told in candles_after(series, since):
        one = told.packed
        if one is None:
            one = told.packed = packed_candle(told)
        packed.append(one)
    return _frame(packed)


def auctions_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The phases and indications that changed after `since` (-1: all) as one frame; empty when none did."""
    return _frame([packed_auction(view) for view in views if view.auction_at > since])


def packed_parking(view: LotView, since: int) -> bytes:
    """A car park with the parts that changed after `since` (-1: all), as a member of `Data.parking`."""
    parts = [
        ParkingPart(floor=floor, type=cast(SpaceType, kind), vehicles=part.vehicles, spaces=part.spaces)
        for (floor, kind), part in view.parts_after(since)
    ]
    message = ParkingOccupancy(
        lot_id=view.lot_id,
        seq=view.seq,
        inside=view.inside,
        capacity=view.capacity,
        parts=parts,
        timestamp_ms=view.time_us // 1000,
    )
    packed: bytes = Data(parking=(message,)).SerializeToString()
    return packed


def parking_frame(lots: tuple[LotView, ...], since: int) -> bytes:
    """The car parks that changed after `since` (-1: all) as one frame; empty when none did."""
    return _frame([packed_parking(view, since) for view in lots if view.changed_at > since])


def _frame(packed: list[bytes]) -> bytes:
    return binary_frame(b"".join(packed)) if packed else b""


PROTO_FRAMES: Final[dict[str, Callable[[tuple[Any, ...], int], bytes]]] = {
    "quotes": quotes_frame,
    "trades": trades_frame,
    "depth": depth_frame,
    "candles": candles_frame,
    "auctions": auctions_frame,
    "parking": parking_frame,
}
"""Public channel → what makes its frame."""
