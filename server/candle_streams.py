"""Candles as a stream: of each followed symbol and interval the running one when it changes, and each once it is closed.

What a candle is comes from the candle source, which the feeds keep; here is only who wants to know, what was told, and
when a candle is over. All that is followed is looked at in turn, within `ROUND_MS`, and a look at what has not changed
costs two comparisons.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from time import perf_counter
from typing import Final

from msgspec import Struct, structs

from server.market_types import MINUTE_US, Candle, CandleSource, Interval
from server.market_view import MarketView
from server.symbol_view import SymbolView

ROUND_MS: Final = 50
"""In so long everything that is followed is looked at, half of the quickest cadence."""

TURN_MAX_S: Final = 0.001
"""What one turn may cost; with more to look at, a round takes longer."""

CANDLES_KEPT: Final = 64
"""Told candles of one series that are remembered for who is late."""


class ToldCandle(Struct, gc=False):
    """A candle as it was told last. `changed_at` is the place of that in the order of all market changes."""

    changed_at: int
    symbol: str
    interval: str
    candle: Candle
    closed: bool
    fragment: bytes | None = None
    packed: bytes | None = None


class CandleSeries:
    """One symbol at one interval. `told` are its newest candles, oldest first."""

    __slots__ = ("_checked_at", "_streams", "changed_at", "ends_us", "followers", "interval", "told", "view")

    def __init__(self, streams: CandleStreams, view: SymbolView, interval: Interval) -> None:
        self._streams = streams
        self.view = view
        self.interval = interval
        self.told: deque[ToldCandle] = deque(maxlen=CANDLES_KEPT)
        self.changed_at = 0
        self.ends_us = 0
        self.followers = 0
        self._checked_at = -1

    def __repr__(self) -> str:
        return f"<CandleSeries {self.name} followers={self.followers} told={len(self.told)}>"

    @property
    def name(self) -> str:
        """What a client's subscription is called: symbol and interval."""
        return f"{self.view.symbol} {self.interval.value}"

    def join(self, changes: int) -> None:
        """One more follower. The first one has the series looked at now."""
        self.followers += 1
        if self.followers == 1:
            self._streams.add(self)
            self.look()

    def leave(self) -> None:
        """One follower less; with the last one the series is forgotten."""
        self.followers -= 1
        if not self.followers:
            self._streams.forget(self)

    def since(self, since: int) -> Iterator[ToldCandle]:
        """What was told after a place in the order of all changes, oldest first; for -1 only the newest candle."""
        if since < 0:
            return iter(self.told and (self.told[-1],))
        newest_first = takewhile(lambda told: told.changed_at > since, reversed(self.told))
        return reversed(list(newest_first))

    def look(self) -> None:
        """Find out whether the running candle has changed or is over."""
        now_us = self._streams.now_us()
        moved_at = max(self.view.traded_at, self.view.changed_at)
        newest = self.told[-1] if self.told else None
        is_over = newest is not None and not newest.closed and now_us >= self.ends_us
        if moved_at == self._checked_at and not is_over:
            return
        self._checked_at = moved_at
        symbol, interval, source = self.view.symbol, self.interval, self._streams.source
        if newest is None:
            found = source.candles(symbol, interval, limit=1)
        else:
            found = source.candles(symbol, interval, start_us=newest.candle.start_us)
        if (
            newest is not None
            and newest.candle.start_us <= self.view.mended_us < self.ends_us
            and (not found or found[0].start_us != newest.candle.start_us)
        ):  # every trade that it was made of was busted
            self._tell(structs.replace(newest.candle, volume_e8=0, trades=0), closed=True)
        for place, candle in enumerate(found):
            closed = place + 1 < len(found) or now_us >= self._end_us(candle)
            self._tell(candle, closed)

    def _tell(self, candle: Candle, closed: bool) -> None:
        newest = self.told[-1] if self.told else None
        if newest is not None and newest.candle.start_us == candle.start_us:
            if (newest.candle, newest.closed) == (candle, closed):
                return
            self.told.pop()
        self.changed_at = self._streams.next_change()
        self.told.append(ToldCandle(self.changed_at, self.view.symbol, self.interval.value, candle, closed))
        self.ends_us = self._end_us(candle)

    def _end_us(self, candle: Candle) -> int:
        """When a candle is over: after its minutes, or at the next local midnight."""
        if self.interval is not Interval.DAY_1:
            return candle.start_us + self.interval.minutes * MINUTE_US
        zone = self._streams.source.zone(self.view.symbol)
        noon = datetime.fromtimestamp(candle.start_us // 1_000_000, zone).replace(hour=12)
        midnight = (noon + timedelta(days=1)).replace(hour=0, minute=0, second=0, fold=0)
        return int(midnight.timestamp()) * 1_000_000


class CandleStreams:
    """All series that somebody follows. `now_us` is the market's time."""

    def __init__(self, market: MarketView, source: CandleSource, now_us: Callable[[], int]) -> None:
        self._market = market
        self.source = source
        self.now_us = now_us
        self._series: dict[str, CandleSeries] = {}
        self._round: deque[CandleSeries] = deque()

    def __len__(self) -> int:
        return len(self._series)

    def series(self, view: SymbolView, interval: Interval) -> CandleSeries:
        """The series of a symbol and an interval; kept once somebody joins it."""
        return self._series.get(f"{view.symbol} {interval.value}") or CandleSeries(self, view, interval)

    def add(self, series: CandleSeries) -> None:
        """Somebody follows it."""
        self._series[series.name] = series
        self._round.append(series)

    def forget(self, series: CandleSeries) -> None:
        """Nobody follows it any more."""
        del self._series[series.name]
        self._round.remove(series)

    def next_change(self) -> int:
        """A place in the order of all market changes."""
        self._market.changes += 1
        return self._market.changes

    def turn(self, slot_ms: int) -> None:
        """Look at some of the series, so that `ROUND_MS` are enough for all: at least one, and not for long."""
        if not self._round:
            return
        ends_s = perf_counter() + TURN_MAX_S
        for _ in range(-(-len(self._round) * slot_ms // ROUND_MS)):
            series = self._round.popleft()
            self._round.append(series)
            series.look()
            if perf_counter() > ends_s:
                return
