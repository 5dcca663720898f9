"""The last-value table: price, quote and day of every symbol, fed tick by tick or in numpy batches."""

from __future__ import annotations

from datetime import UTC, tzinfo

import numpy as np

from feeds.candles import CandleBook
from feeds.consolidated import Best
from feeds.tape_csv import Ints
from server.market_types import Quote


class LastValue:
    """One symbol's latest trade and quote; 0 in a price means none yet. `version` grows with every change."""

    __slots__ = ("best", "previous_close_e4", "price_e4", "size_e8", "stale", "symbol", "time_us", "version")

    def __init__(self, symbol: str, previous_close_e4: int) -> None:
        self.symbol = symbol
        self.previous_close_e4 = previous_close_e4
        self.price_e4 = self.size_e8 = self.time_us = self.version = 0
        self.best = Best()
        self.stale = False

    def __repr__(self) -> str:
        stale = ", stale" if self.stale else ""
        return f"LastValue({self.symbol} {self.price_e4} v{self.version}{stale})"


class LastValueTable:
    """Satisfies QuoteSource. Trades go on to the candles, which number the symbols for both.

    A batch touches each symbol's entry once, however many ticks the batch has for it: that is the conflation.
    """

    def __init__(self, candles: CandleBook) -> None:
        self._candles = candles
        self._values: dict[int, LastValue] = {}
        self._numbers: dict[str, int] = {}

    def register(self, symbol: str, *, zone: tzinfo = UTC, previous_close_e4: int = 0) -> int:
        """Gives a symbol its number, here and in the candles; the same number for the same symbol.

        `previous_close_e4` counts until the candles have seen a day end.
        """
        number = self._candles.register(symbol, zone=zone)
        if number not in self._values:
            self._values[number] = LastValue(symbol, previous_close_e4)
            self._numbers[symbol] = number
        return number

    def value(self, number: int) -> LastValue:
        """The symbol's entry; KeyError for a number that was not registered here."""
        return self._values[number]

    def trade(self, number: int, time_us: int, price_e4: int, quantity_e8: int) -> None:
        """Takes one trade."""
        value = self._values[number]
        value.price_e4 = price_e4
        value.size_e8 = quantity_e8
        value.time_us = time_us
        value.version += 1
        value.stale = False
        self._candles.add(number, time_us, price_e4, quantity_e8)

    def trades(self, numbers: Ints, time_us: Ints, price_e4: Ints, quantity_e8: Ints) -> None:
        """Takes trades in order of time, as columns of one length: the same values as `trade` on each."""
        count = len(numbers)
        if count == 0:
            return
        newest = np.full(int(numbers.max()) + 1, -1, dtype=np.int64)
        newest[numbers] = np.arange(count)  # numpy keeps the last of repeated indices
        touched = np.flatnonzero(newest >= 0)
        rows = newest[touched]
        values = self._values
        latest = zip(
            touched.tolist(),
            price_e4[rows].tolist(),
            quantity_e8[rows].tolist(),
            time_us[rows].tolist(),
            strict=True,
        )
        for number, price, size, moment in latest:
            value = values[number]
            value.price_e4 = price
            value.size_e8 = size
            value.time_us = moment
            value.version += 1
            value.stale = False
        self._candles.add_batch(numbers, time_us, price_e4, quantity_e8)

    def set_quote(self, number: int, time_us: int, best: Best) -> bool:
        """Takes a consolidated quote; says whether anything changed."""
        value = self._values[number]
        if value.best == best and not value.stale:
            return False
        value.best = best
        value.time_us = max(value.time_us, time_us)
        value.version += 1
        value.stale = False
        return True

    def mark_stale(self, number: int) -> None:
        """Says that the source has stopped: the last values stay, marked."""
        value = self._values[number]
        if not value.stale:
            value.stale = True
            value.version += 1

    def quote(self, symbol: str) -> Quote | None:
        """The latest state with the local day's figures; None for a symbol that was not registered."""
        number = self._numbers.get(symbol)
        if number is None:
            return None
        value = self._values[number]
        best = value.best
        day = self._candles.day_stats(symbol)
        previous_e4 = (day.previous_close_e4 if day is not None else 0) or value.previous_close_e4
        return Quote(
            symbol=symbol,
            price_e4=value.price_e4,
            bid_e4=best.bid_e4,
            ask_e4=best.ask_e4,
            bid_size_e8=best.bid_size_e8,
            ask_size_e8=best.ask_size_e8,
            change_e4=value.price_e4 - previous_e4 if previous_e4 and value.price_e4 else 0,
            volume_e8=day.volume_e8 if day is not None else 0,
            open_e4=day.open_e4 if day is not None else 0,
            high_e4=day.high_e4 if day is not None else 0,
            low_e4=day.low_e4 if day is not None else 0,
            previous_close_e4=previous_e4,
            timestamp_us=value.time_us,
            stale=value.stale,
            version=value.version,
        )
