"""Keeps the tape's one-minute candles in Postgres: changed ones every few seconds, and reads them back at the start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from feeds.candles import CandleBook
from server.database import Database
from server.errors import DatabaseUnavailable
from server.market_types import Candle

logger = logging.getLogger("kerb.feeds.tape_history")

INTERVAL_S: Final = 5.0
LOG_INTERVAL_TURNS: Final = 12  # a database that is away is mentioned once a minute
LOAD_MINUTES_MAX: Final = 3 * 1_440
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

UPSERT: Final = """
INSERT INTO candles (symbol, start_at, open_e4, high_e4, low_e4, close_e4, volume_e8, trades)
SELECT $1, * FROM unnest($2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
ON CONFLICT (symbol, start_at) DO UPDATE SET
    open_e4 = EXCLUDED.open_e4, high_e4 = EXCLUDED.high_e4, low_e4 = EXCLUDED.low_e4, close_e4 = EXCLUDED.close_e4,
    volume_e8 = EXCLUDED.volume_e8, trades = EXCLUDED.trades
"""
LOAD: Final = """
SELECT start_at, open_e4, high_e4, low_e4, close_e4, volume_e8, trades
FROM candles WHERE symbol = $1 AND start_at < $2 ORDER BY start_at DESC LIMIT $3
"""
FORGET: Final = "DELETE FROM candles WHERE symbol = $1 AND start_at >= $2"


class TapeHistory:
    """Candles of the symbols whose price comes from a tape. Stored figures are absolute: writing twice is harmless."""

    def __init__(
        self,
        database: Database,
        candles: CandleBook,
        symbols: Sequence[str],
        *,
        interval_s: float = INTERVAL_S,
    ) -> None:
        """Writes every `interval_s` seconds."""
        self._database = database
        self._candles = candles
        self._symbols = tuple(symbols)
        self._interval_s = interval_s
        self._failures = 0
        self._stopping = asyncio.Event()

    def __repr__(self) -> str:
        return f"TapeHistory({', '.join(self._symbols)}, {self._failures} failures in a row)"

    async def load(self, *, before_us: int) -> int:
        """Puts stored candles into the book, which must have no trades of these symbols yet; returns how many.

        `before_us` is the midnight that the replay's day begins at: what is stored from then on comes from an earlier
        run of the same tape, is deleted, and is built again. Raises DatabaseUnavailable.
        """
        count = 0
        for symbol in self._symbols:
            before = _datetime(before_us)
            await self._database.execute(FORGET, symbol, before)
            rows = await self._database.fetch(LOAD, symbol, before, LOAD_MINUTES_MAX)
            self._candles.load(symbol, [_candle(row) for row in reversed(rows)])
            count += len(rows)
        return count

    async def run(self) -> None:
        """Stores until `stop`, and then once more."""
        while not self._stopping.is_set():
            await self.store()
            try:
                await asyncio.wait_for(self._stopping.wait(), self._interval_s)
            except TimeoutError:
                continue
        await self.store()

    def stop(self) -> None:
        """Ends `run` after a last write."""
        self._stopping.set()

    async def store(self) -> bool:
        """Writes what has changed. With Postgres away it stays changed, and False comes back: call again later."""
        for symbol in self._symbols:
            changed = self._candles.take_dirty(symbol)
            if not changed:
                continue
            try:
                await self._database.execute(UPSERT, symbol, *_columns(changed))
            except DatabaseUnavailable:
                self._candles.mark_dirty(symbol, changed)
                if self._failures % LOG_INTERVAL_TURNS == 0:
                    logger.warning("candles of %s wait for the database", symbol)
                self._failures += 1
                return False
            except BaseException:
                self._candles.mark_dirty(symbol, changed)
                raise
        self._failures = 0
        return True


def _columns(candles: Sequence[Candle]) -> tuple[list[Any], ...]:
    return (
        [_datetime(candle.start_us) for candle in candles],
        [candle.open_e4 for candle in candles],
        [candle.high_e4 for candle in candles],
        [candle.low_e4 for candle in candles],
        [candle.close_e4 for candle in candles],
        [candle.volume_e8 for candle in candles],
        [candle.trades for candle in candles],
    )


def _candle(row: Any) -> Candle:
    start_us = (row[0] - EPOCH) // timedelta(microseconds=1)
    return Candle(start_us, *row[1:])


def _datetime(time_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=time_us)
