"""What the public may know of one instrument: quote, book levels, day figures, recent trades, phase."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct

from engine.action_events import ActionEffected
from engine.events import TradeBusted
from engine.kinds import Phase, PriceSource, Side
from engine.units import split_down_e8, split_price_e4
from server.book_side import BookSide
from server.depth_log import DepthLog
from server.market_types import Quote
from server.split_candles import Split

TRADES_KEPT: Final = 500
"""Recent trades kept for each instrument."""

NO_SIDE: Final = 0
"""`taker_side` of a trade from a tape that does not say who crossed."""


def imbalance_side(imbalance_e8: int) -> int:
    """The side that an auction would leave over; `NO_SIDE` when both are even."""
    if not imbalance_e8:
        return NO_SIDE
    return int(Side.BUY if imbalance_e8 > 0 else Side.SELL)


class MarketTrade(Struct, gc=False):
    """A trade as everybody may see it. `number` counts the symbol's trades since the start, without gaps; 0 for one of
    before, or too old to be remembered, which is only here because it was busted. `trade_id` is 0 for a tape's.

    `changed_at` is its place in the order of all market changes, `corrected_at` that of its bust. `fragment` is its JSON and
    `packed` its protobuf message, each made once by the fan-out when somebody wants it. Who traded is nobody's business, so
    there are no ids of theirs.
    """

    number: int
    changed_at: int
    symbol: str
    price_e4: int
    quantity_e8: int
    taker_side: int
    time_us: int
    trade_id: int = 0
    fragment: bytes | None = None
    packed: bytes | None = None
    corrected_at: int = 0

    @property
    def busted(self) -> bool:
        """Whether an operator took it back."""
        return self.corrected_at > 0


class SymbolView:
    """The public state of one instrument. Zero in a price means "none yet".

    `version` grows with every visible change of the quote; `changed_at` is that change's place in the order
    of all market changes, `traded_at` that of the newest trade or bust. `fragment` is the quote's JSON, made once
    per version by the fan-out; `packed` is its protobuf message, true of the change `packed_at`. `depth_seq` is the journal sequence of the newest change of the levels, `depth` what
    changed of them while somebody follows that. `corrections` are busted trades in the order of their busts, `day_us` is
    when the day of the day figures began, `mended_us` the minute that was last corrected for a bust, `splits` those that have taken effect, `restated_us` when units and prices became others for the last time. `auction` is what a call's
    auction would do: price_e4, volume_e8, buyers less sellers; it or the phase changed last at `auction_us`, in the order of
    all changes at `auction_at`.
    """

    __slots__ = (
        "asks",
        "auction",
        "auction_at",
        "auction_us",
        "bids",
        "changed_at",
        "corrections",
        "currency",
        "day_us",
        "depth",
        "depth_seq",
        "fragment",
        "high_e4",
        "last_e4",
        "low_e4",
        "mended_us",
        "name",
        "open_e4",
        "packed",
        "packed_at",
        "phase",
        "previous_close_e4",
        "price_source",
        "restated_us",
        "splits",
        "stale",
        "symbol",
        "tape",
        "timestamp_us",
        "trade_count",
        "traded_at",
        "trades",
        "version",
        "volume_e8",
    )

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.name = ""
        self.currency = ""
        self.price_source = PriceSource.OWN
        self.phase = Phase.CLOSED
        self.auction = (0, 0, 0)
        self.auction_at = 0
        self.auction_us = 0
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.depth_seq = 0
        self.depth = DepthLog(self)
        self.last_e4 = 0
        self.open_e4 = 0
        self.high_e4 = 0
        self.low_e4 = 0
        self.volume_e8 = 0
        self.previous_close_e4 = 0
        self.timestamp_us = 0
        self.stale = False
        self.tape = (0, 0, 0, 0)  # bid_e4, bid_size_e8, ask_e4, ask_size_e8
        self.version = 1
        self.changed_at = 0
        self.fragment: bytes | None = None
        self.packed = b""
        self.packed_at = -1
        self.trades: deque[MarketTrade] = deque(maxlen=TRADES_KEPT)
        self.trade_count = 0
        self.traded_at = 0
        self.corrections: deque[MarketTrade] = deque(maxlen=TRADES_KEPT)
        self.day_us = 0
        self.mended_us = -1
        self.splits: list[Split] = []
        self.restated_us = 0

    def __repr__(self) -> str:
        return (
            f"<SymbolView {self.symbol} v{self.version} last_e4={self.last_e4} top={self.top()}"
            f" levels={len(self.bids)}+{len(self.asks)} {self.phase.name}>"
        )

    def side(self, side: Side) -> BookSide:
        """The bids or the asks."""
        return self.bids if side is Side.BUY else self.asks

    def top(self) -> tuple[int, int, int, int]:
        """(bid_e4, bid_size_e8, ask_e4, ask_size_e8) as quoted: of our book, or of the tape."""
        if self.price_source is PriceSource.TAPE:
            return self.tape
        return (*self.bids.best(), *self.asks.best())

    def quote(self) -> Quote:
        """The latest quote."""
        bid_e4, bid_size_e8, ask_e4, ask_size_e8 = self.top()
        known = self.last_e4 > 0 and self.previous_close_e4 > 0
        return Quote(
            symbol=self.symbol,
            price_e4=self.last_e4,
            bid_e4=bid_e4,
            ask_e4=ask_e4,
            bid_size_e8=bid_size_e8,
            ask_size_e8=ask_size_e8,
            change_e4=self.last_e4 - self.previous_close_e4 if known else 0,
            volume_e8=self.volume_e8,
            open_e4=self.open_e4,
            high_e4=self.high_e4,
            low_e4=self.low_e4,
            previous_close_e4=self.previous_close_e4,
            timestamp_us=self.timestamp_us,
            stale=self.stale,
            version=self.version,
        )

    def count_trade(self, price_e4: int, quantity_e8: int) -> None:
        """Move last price and day figures by a trade of our own book."""
        self.last_e4 = price_e4
        if self.open_e4 == 0:
            self.open_e4 = self.high_e4 = self.low_e4 = price_e4
        elif price_e4 > self.high_e4:
            self.high_e4 = price_e4
        elif price_e4 < self.low_e4:
            self.low_e4 = price_e4
        self.volume_e8 += quantity_e8

    def strike_out(self, event: TradeBusted, changed_at: int) -> None:
        """Mark a busted trade, and have it told again to who was told of it. `changed_at` is the place of that."""
        trade = next((each for each in reversed(self.trades) if each.trade_id == event.trade_id), None)
        if trade is None:
            trade = MarketTrade(
                *(0, 0, event.symbol, event.price_e4, event.quantity_e8),
                *(int(event.taker_side), event.executed_us, event.trade_id),
            )
        trade.fragment = trade.packed = None
        trade.corrected_at = self.traded_at = changed_at
        self.corrections.append(trade)

    def take_back(self, event: TradeBusted) -> None:
        """Take a busted trade out of the day's volume, if it is of this day."""
        if event.executed_us >= self.day_us:
            self.volume_e8 = max(self.volume_e8 - event.quantity_e8, 0)

    def start_day(self, previous_close_e4: int, now_us: int) -> None:
        """Begin a new day: no trade yet, and yesterday's last price to compare with."""
        self.day_us = now_us
        self.previous_close_e4 = previous_close_e4
        self.open_e4 = self.high_e4 = self.low_e4 = self.volume_e8 = 0

    def restate(self, event: ActionEffected) -> None:
        """Bring prices and volume of the day to new shares. A last price that is the engine's own stays the engine's."""
        n, m = event.numerator, event.denominator
        is_own = self.price_source is PriceSource.OWN and event.last_e4 > 0
        self.last_e4 = event.last_e4 if is_own else split_price_e4(self.last_e4, n, m)
        self.open_e4 = split_price_e4(self.open_e4, n, m)
        self.high_e4 = split_price_e4(self.high_e4, n, m)
        self.low_e4 = split_price_e4(self.low_e4, n, m)
        self.volume_e8 = split_down_e8(self.volume_e8, n, m)
        self.previous_close_e4 = event.previous_close_e4
        self.splits.append((event.effective_us, n, m))

    def take_over(self, other: SymbolView) -> None:
        """Go on with the day of an instrument that had another symbol until now. Its trades and candles stay with that one."""
        self.last_e4, self.previous_close_e4 = other.last_e4, other.previous_close_e4
        self.open_e4, self.high_e4, self.low_e4 = other.open_e4, other.high_e4, other.low_e4
        self.volume_e8, self.day_us = other.volume_e8, other.day_us
        self.tape, self.stale = other.tape, other.stale
        self.splits, self.restated_us = list(other.splits), other.restated_us
