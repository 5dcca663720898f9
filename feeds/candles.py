"""One-minute candles of every symbol in memory, in integers, and coarser ones made from them on reading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from feeds.tape_csv import Ints
from server.market_types import MINUTE_US, TIME_MAX_US, Candle, DayStats, Interval, Session

MINUTES_KEPT: Final = 3 * 1_440  # three days; 56 bytes a minute and symbol, touched pages only
_EMPTY: Final = -1

# the columns of a series' ring
_MINUTE, _OPEN, _HIGH, _LOW, _CLOSE, _VOLUME, _TRADES = range(7)


class _Series:
    """One symbol's minutes: the newest as plain integers, those before it in a ring indexed by minute."""

    __slots__ = ("close", "day", "dirty", "high", "low", "minute", "open", "ring", "trades", "volume", "zone")

    def __init__(self, minutes_kept: int, zone: tzinfo) -> None:
        self.ring: Ints = np.zeros((minutes_kept, 7), dtype=np.int64)
        self.ring[:, _MINUTE] = _EMPTY
        self.zone = zone
        self.day = _Day()
        self.dirty: set[int] = set()
        self.minute = _EMPTY
        self.open = self.high = self.low = self.close = self.volume = self.trades = 0

    def merge(
        self, minute: int, opened: int, high: int, low: int, close: int, volume: int, trades: int
    ) -> bool:
        """Adds trades of one minute, all of them later than what the minute already has. False: too old to keep."""
        if minute == self.minute:
            if high > self.high:
                self.high = high
            if low < self.low:
                self.low = low
            self.close = close
            self.volume += volume
            self.trades += trades
        elif minute > self.minute:
            self.store_newest()
            self.minute, self.open, self.high, self.low = minute, opened, high, low
            self.close, self.volume, self.trades = close, volume, trades
            if len(self.dirty) > len(self.ring):  # nobody takes them: forget what the ring has forgotten
                self.dirty = {kept for kept in self.dirty if minute - kept < len(self.ring)}
        elif not self._merge_late(minute, (opened, high, low, close, volume, trades)):
            return False
        self.dirty.add(minute)
        return True

    def _merge_late(self, minute: int, bar: tuple[int, int, int, int, int, int]) -> bool:
        """A minute before the newest one: a late print, or candles loaded from storage."""
        if self.minute - minute >= len(self.ring):
            return False
        row = self.ring[minute % len(self.ring)]
        if row[_MINUTE] != minute:
            row[:] = (minute, *bar)
        else:
            row[_HIGH] = max(int(row[_HIGH]), bar[1])
            row[_LOW] = min(int(row[_LOW]), bar[2])
            row[_CLOSE] = bar[3]
            row[_VOLUME] += bar[4]
            row[_TRADES] += bar[5]
        return True

    def store_newest(self) -> None:
        """Copies the newest minute into the ring, where reading finds it."""
        if self.minute != _EMPTY:
            self.ring[self.minute % len(self.ring)] = (
                self.minute,
                self.open,
                self.high,
                self.low,
                self.close,
                self.volume,
                self.trades,
            )

    def put(self, minute: int, bar: tuple[int, ...] | None) -> None:
        """Replaces a minute that is kept; None takes it away. The newest one that is left is the newest."""
        self.store_newest()
        row = self.ring[minute % len(self.ring)]
        if self.minute - minute >= len(self.ring) or (bar is None and row[_MINUTE] != minute):
            return
        row[:] = (_EMPTY,) * 7 if bar is None else (minute, *bar)
        newest = self.ring[int(self.ring[:, _MINUTE].argmax())].tolist()
        self.minute, self.open, self.high, self.low, self.close, self.volume, self.trades = newest
        self.dirty.add(minute)

    def rows(self, start_us: int, end_us: int, sessions: Sequence[Session] | None) -> Ints:
        """The minutes that start in [start_us, end_us) and in a session, oldest first, as rows of the ring."""
        self.store_newest()
        minutes = self.ring[:, _MINUTE]
        first = max(-(-start_us // MINUTE_US), self.minute - len(self.ring) + 1, 0)
        wanted = (minutes >= first) & (minutes < -(-end_us // MINUTE_US))
        if sessions is not None:
            open_now = np.zeros(len(minutes), dtype=bool)
            for open_us, close_us in sessions:
                open_now |= (minutes * MINUTE_US >= open_us) & (minutes * MINUTE_US < close_us)
            wanted &= open_now
        chosen = self.ring[wanted]
        return chosen[np.argsort(chosen[:, _MINUTE], kind="stable")]


class _Day:
    """The running figures of one local calendar day."""

    __slots__ = ("end_us", "high", "last", "low", "open", "previous_close", "start_us", "trades", "volume")

    def __init__(self) -> None:
        self.start_us = self.end_us = 0
        self.open = self.high = self.low = self.last = self.volume = self.trades = self.previous_close = 0

    def merge(self, opened: int, high: int, low: int, last: int, volume: int, trades: int) -> None:
        """Adds trades of this day, all of them later than what the day already has."""
        if self.trades == 0:
            self.open, self.high, self.low = opened, high, low
        else:
            self.high = max(self.high, high)
            self.low = min(self.low, low)
        self.last = last
        self.volume += volume
        self.trades += trades

    def recount(self, rows: Ints) -> None:
        """Takes the day's figures from its minutes."""
        self.open = self.high = self.low = self.last = self.volume = self.trades = 0
        if len(rows):
            high, low = int(rows[:, _HIGH].max()), int(rows[:, _LOW].min())
            volume, trades = int(rows[:, _VOLUME].sum()), int(rows[:, _TRADES].sum())
            self.merge(int(rows[0, _OPEN]), high, low, int(rows[-1, _CLOSE]), volume, trades)

    def turn(self, start_us: int, end_us: int) -> None:
        """Begins another day; the last price becomes the previous close."""
        if self.last:
            self.previous_close = self.last
        self.start_us, self.end_us = start_us, end_us
        self.open = self.high = self.low = self.last = self.volume = self.trades = 0


class CandleBook:
    """Builds candles from trades, one at a time or in numpy batches, and reads them at any interval.

    Symbols are numbered by `register` in the order of their registration. Memory is bounded by `minutes_kept` per
    symbol; what is older is only where `take_dirty` brought it.
    """

    def __init__(self, *, minutes_kept: int = MINUTES_KEPT) -> None:
        """Keeps the newest `minutes_kept` (at least 2) minutes of every symbol."""
        if minutes_kept < 2:
            raise ValueError("a candle book keeps at least two minutes")
        self._minutes_kept = minutes_kept
        self._series: list[_Series] = []
        self._numbers: dict[str, int] = {}
        self._symbols: list[str] = []
        self._regular_sessions: dict[str, Sequence[Session]] = {}
        self.too_old = 0
        """Batches of trades refused because their minute is no longer kept."""

    def register(self, symbol: str, *, zone: tzinfo = UTC) -> int:
        """Gives a symbol its number; `zone` says where its calendar days begin. Again for the same symbol: the same."""
        number = self._numbers.get(symbol)
        if number is None:
            number = self._numbers[symbol] = len(self._series)
            self._symbols.append(symbol)
            self._series.append(_Series(self._minutes_kept, zone))
        return number

    def number_of(self, symbol: str) -> int | None:
        """The number of a registered symbol."""
        return self._numbers.get(symbol)

    def add(self, number: int, time_us: int, price_e4: int, quantity_e8: int) -> None:
        """Adds one trade. A late one counts in its own minute, as if it were the minute's last."""
        self._merge(number, time_us // MINUTE_US, (price_e4, price_e4, price_e4, price_e4, quantity_e8, 1))

    def take_back(self, number: int, time_us: int, quantity_e8: int) -> None:
        """Takes a busted trade's volume out of its minute and day; `put` sees to the prices, which need the other trades."""
        series, minute = self._series[number], time_us // MINUTE_US
        series.store_newest()
        row = series.ring[minute % len(series.ring)]
        if row[_MINUTE] != minute:
            return
        row[_VOLUME] = max(int(row[_VOLUME]) - quantity_e8, 0)
        row[_TRADES] = max(int(row[_TRADES]) - 1, 0)
        if minute == series.minute:
            series.volume, series.trades = int(row[_VOLUME]), int(row[_TRADES])
        series.dirty.add(minute)
        if series.day.start_us <= time_us < series.day.end_us:
            series.day.volume = max(series.day.volume - quantity_e8, 0)

    def put(self, symbol: str, start_us: int, candle: Candle | None) -> None:
        """Replaces one minute of a registered symbol, as far as it is kept; None when nothing traded in it after all."""
        series = self._series[self._numbers[symbol]]
        bar = None if candle is None else msgspec.structs.astuple(candle)[1:]
        series.put(start_us // MINUTE_US, bar)
        if series.day.start_us <= start_us < series.day.end_us:
            series.day.recount(series.rows(series.day.start_us, series.day.end_us, None))

    def add_batch(self, numbers: Ints, time_us: Ints, price_e4: Ints, quantity_e8: Ints) -> None:
        """Adds trades in order of time, as columns of one length: the same result as `add` on each."""
        if len(numbers) == 0:
            return
        minutes = time_us // MINUTE_US
        first_minute = int(minutes.min())
        span = int(minutes.max()) - first_minute + 1
        keys = numbers * span + (minutes - first_minute)
        if len(self._series) * span <= np.iinfo(np.int16).max:
            keys = keys.astype(np.int16)  # numpy sorts 16 bits by radix, several times faster
        self._merge_sorted(np.argsort(keys, kind="stable"), keys, span, first_minute, price_e4, quantity_e8)

    def add_symbol_batch(self, number: int, time_us: Ints, price_e4: Ints, quantity_e8: Ints) -> None:
        """Adds trades of one symbol, in order."""
        self.add_batch(np.full(len(time_us), number, dtype=np.int64), time_us, price_e4, quantity_e8)

    def _merge_sorted(
        self,
        order: NDArray[np.intp],
        keys: NDArray[np.signedinteger],
        span: int,
        first_minute: int,
        price_e4: Ints,
        quantity_e8: Ints,
    ) -> None:
        """Reduces trades that are sorted by symbol and minute to one bar each, and merges the bars."""
        keys = keys[order]
        prices = price_e4[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        ends = np.append(starts[1:], len(keys))
        bars = zip(
            keys[starts].tolist(),
            prices[starts].tolist(),
            np.maximum.reduceat(prices, starts).tolist(),
            np.minimum.reduceat(prices, starts).tolist(),
            prices[ends - 1].tolist(),
            np.add.reduceat(quantity_e8[order], starts).tolist(),
            (ends - starts).tolist(),
            strict=True,
        )
        for key, *bar in bars:
            number, offset = divmod(key, span)
            self._merge(number, first_minute + offset, tuple(bar))

    def _merge(self, number: int, minute: int, bar: tuple[int, ...]) -> None:
        series = self._series[number]
        if not series.merge(minute, *bar):
            self.too_old += 1
            return
        day = series.day
        start_us = minute * MINUTE_US
        if start_us >= day.end_us:
            day.turn(*_local_day(start_us, series.zone))
        if start_us >= day.start_us:
            day.merge(*bar)

    def load(self, symbol: str, candles: Sequence[Candle]) -> None:
        """Takes back stored one-minute candles, oldest first, before any trade; they are not dirty."""
        number = self.register(symbol)
        for candle in candles:
            self._merge(
                number,
                candle.start_us // MINUTE_US,
                (
                    candle.open_e4,
                    candle.high_e4,
                    candle.low_e4,
                    candle.close_e4,
                    candle.volume_e8,
                    candle.trades,
                ),
            )
        self._series[number].dirty.clear()

    def take_dirty(self, symbol: str) -> list[Candle]:
        """The one-minute candles that changed since the last call, oldest first, as they are now."""
        number = self._numbers.get(symbol)
        if number is None or not self._series[number].dirty:
            return []
        series = self._series[number]
        series.store_newest()
        minutes = np.array(sorted(series.dirty), dtype=np.int64)
        series.dirty.clear()
        rows = series.ring[minutes % len(series.ring)]
        return _as_candles(
            rows[rows[:, _MINUTE] == minutes], rows[rows[:, _MINUTE] == minutes][:, _MINUTE] * MINUTE_US
        )

    def mark_dirty(self, symbol: str, candles: Sequence[Candle]) -> None:
        """Gives back candles that could not be stored; those that are still in memory will be taken again."""
        number = self._numbers[symbol]
        self._series[number].dirty.update(candle.start_us // MINUTE_US for candle in candles)

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
        """See CandleSource. Intraday candles start on multiples of the interval, daily ones on the local midnight."""
        number = self._numbers.get(symbol)
        if number is None:
            return []
        series = self._series[number]
        rows = series.rows(start_us, end_us, sessions)
        if len(rows) == 0:
            return []
        if interval is Interval.DAY_1:
            midnights = _midnights(int(rows[0, _MINUTE]), int(rows[-1, _MINUTE]), series.zone)
            starts = midnights[np.searchsorted(midnights, rows[:, _MINUTE] * MINUTE_US, side="right") - 1]
        else:
            starts = rows[:, _MINUTE] // interval.minutes * (interval.minutes * MINUTE_US)
        found = _as_candles(*_coarser(rows, starts))
        return found if limit is None else found[max(len(found) - limit, 0) :]

    def set_regular_sessions(self, symbol: str, sessions: Sequence[Session]) -> None:
        """Say which windows are a symbol's regular hours; before that all hours are."""
        self._regular_sessions[symbol] = sessions

    def regular_sessions(self, symbol: str) -> Sequence[Session] | None:
        """See CandleSource."""
        return self._regular_sessions.get(symbol)

    def zone(self, symbol: str) -> tzinfo:
        """See CandleSource."""
        number = self._numbers.get(symbol)
        return UTC if number is None else self._series[number].zone

    def day_stats(self, symbol: str) -> DayStats | None:
        """See CandleSource."""
        number = self._numbers.get(symbol)
        if number is None:
            return None
        day = self._series[number].day
        if day.trades == 0:
            return None
        return DayStats(
            day.start_us,
            day.open,
            day.high,
            day.low,
            day.last,
            day.volume,
            day.trades,
            day.previous_close,
        )


def _coarser(rows: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """Joins neighbouring rows that have the same start; returns the joined rows and their starts."""
    first = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    last = np.append(first[1:], len(rows)) - 1
    joined = rows[first]
    joined[:, _HIGH] = np.maximum.reduceat(rows[:, _HIGH], first)
    joined[:, _LOW] = np.minimum.reduceat(rows[:, _LOW], first)
    joined[:, _CLOSE] = rows[last, _CLOSE]
    joined[:, _VOLUME] = np.add.reduceat(rows[:, _VOLUME], first)
    joined[:, _TRADES] = np.add.reduceat(rows[:, _TRADES], first)
    return joined, starts[first]


def _as_candles(rows: Ints, starts: Ints) -> list[Candle]:
    return [Candle(start, *row[1:]) for start, row in zip(starts.tolist(), rows.tolist(), strict=True)]


def _local_day(time_us: int, zone: tzinfo) -> Session:
    """Start and end of the local calendar day that has this moment."""
    today = datetime.fromtimestamp(time_us // 1_000_000, zone).replace(hour=0, minute=0, second=0, fold=0)
    tomorrow = (today + timedelta(days=1)).replace(fold=0)
    return int(today.timestamp()) * 1_000_000, int(tomorrow.timestamp()) * 1_000_000


def _midnights(first_minute: int, last_minute: int, zone: tzinfo) -> Ints:
    """The local midnights from the first minute's day to the last minute's day."""
    start_us, next_us = _local_day(first_minute * MINUTE_US, zone)
    found = [start_us]
    while next_us <= last_minute * MINUTE_US:
        start_us, next_us = _local_day(next_us, zone)
        found.append(start_us)
    return np.array(found, dtype=np.int64)
