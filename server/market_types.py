"""What market data looks like to its readers: candles, quotes, prints, and where to ask for them.

Prices are integers in 1/10 000 of the currency (`_e4`), quantities in 1e-8 of a unit (`_e8`), times in microseconds
since the epoch UTC (`_us`). Zero in a price means "none yet".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from enum import Enum
from typing import Protocol

import msgspec

MINUTE_US = 60_000_000
TIME_MAX_US = 2**62

Session = tuple[int, int]
"""A trading window: (open_us, close_us), the close excluded."""


class Interval(Enum):
    """How much time one candle covers; the value is the name clients use."""

    MINUTE_1 = "1m"
    MINUTE_5 = "5m"
    MINUTE_15 = "15m"
    HOUR_1 = "1h"
    DAY_1 = "1d"

    @property
    def minutes(self) -> int:
        """Length in minutes; a day is the local calendar day, nominally 1 440."""
        return _MINUTES[self]


_MINUTES = {
    Interval.MINUTE_1: 1,
    Interval.MINUTE_5: 5,
    Interval.MINUTE_15: 15,
    Interval.HOUR_1: 60,
    Interval.DAY_1: 1_440,
}


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One bar of an interval that had at least one trade."""

    start_us: int
    open_e4: int
    high_e4: int
    low_e4: int
    close_e4: int
    volume_e8: int
    trades: int


class DayStats(msgspec.Struct, frozen=True, gc=False):
    """An instrument's local calendar day so far."""

    day_start_us: int
    open_e4: int
    high_e4: int
    low_e4: int
    last_e4: int
    volume_e8: int
    trades: int
    previous_close_e4: int


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The latest state of one symbol, as a client sees it.

    `change_e4` is price less previous close and 0 while either is unknown. `stale`: the source has stopped or is late.
    `version` grows by at least one with every visible change of the symbol.
    """

    symbol: str
    price_e4: int
    bid_e4: int
    ask_e4: int
    bid_size_e8: int
    ask_size_e8: int
    change_e4: int
    volume_e8: int
    open_e4: int
    high_e4: int
    low_e4: int
    previous_close_e4: int
    timestamp_us: int
    stale: bool
    version: int

    @property
    def change_bps(self) -> int:
        """The change in basis points of the previous close, halves away from zero; 0 while that is unknown."""
        if self.previous_close_e4 <= 0:
            return 0
        size = (abs(self.change_e4) * 20_000 + self.previous_close_e4) // (2 * self.previous_close_e4)
        return size if self.change_e4 >= 0 else -size


class TradePrint(msgspec.Struct, frozen=True, gc=False):
    """One trade as the tape or our own book printed it; `exchange` is the tape's code, empty for our own."""

    symbol: str
    time_us: int
    price_e4: int
    quantity_e8: int
    exchange: str = ""


class CandleSource(Protocol):
    """Where handlers read candles and day statistics. Unknown symbols answer with nothing, not with an error."""

    def candles(
        self,
        symbol: str,
        interval: Interval,
        *,
        start_us: int = 0,
        end_us: int = TIME_MAX_US,
        sessions: Sequence[Session] | None = None,
        limit: int | None = None,
    ) -> list[Candle]:
        """Candles that start in [start_us, end_us), oldest first; the newest `limit` of them.

        With `sessions` only minutes inside one of those windows count. Only minutes still in memory are there.
        """
        ...

    def regular_sessions(self, symbol: str) -> Sequence[Session] | None:
        """The windows that a chart shows unless extended hours are asked for; None: all hours are regular."""
        ...

    def zone(self, symbol: str) -> tzinfo:
        """Where the symbol's calendar days begin."""
        ...

    def day_stats(self, symbol: str) -> DayStats | None:
        """The current local day's figures; None before the first trade."""
        ...


class QuoteSource(Protocol):
    """Where handlers and the fan-out read the latest quote."""

    def quote(self, symbol: str) -> Quote | None:
        """The latest state; None for a symbol the source does not carry."""
        ...
