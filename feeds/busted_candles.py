"""Candles and day figures without busted trades: memory does not know who set a price, PostgreSQL does.

The volume goes at once (feeds/own_candles.py). The write-behind makes the minute's candle anew from the executions that
stand (sql/busts.py); then the minute is read back here, what has traded since is added, and the day's figures follow.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from engine.events import TradeBusted
from feeds.candles import CandleBook
from server.database import Database
from server.errors import DatabaseUnavailable
from server.market_types import MINUTE_US, Candle, Interval
from server.market_view import MarketView
from server.symbol_view import MarketTrade
from server.write_behind import WriteBehind

log = logging.getLogger("kerb.candles")

RETRY_S: Final = 1.0

# symbol, start of the minute in microseconds; how far PostgreSQL is, and the candle as it is there
STORED: Final = """
SELECT p.applied_seq, c.open_e4, c.high_e4, c.low_e4, c.close_e4, c.volume_e8, c.trades
FROM journal_position AS p
LEFT JOIN candles AS c ON c.symbol = $1 AND c.start_at = TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond'
"""


class BustedCandles:
    """Mends the minutes of busted trades, one after the other, each when the write-behind has its bust."""

    def __init__(
        self, database: Database, write_behind: WriteBehind, market: MarketView, candles: CandleBook
    ) -> None:
        self._database = database
        self._write_behind = write_behind
        self._market = market
        self._candles = candles
        self._pending: dict[tuple[str, int], int] = {}
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._first_seq = 0

    def __repr__(self) -> str:
        return f"<BustedCandles pending={len(self._pending)}>"

    def __len__(self) -> int:
        """How many minutes are not put right yet."""
        return len(self._pending)

    def add(self, event: TradeBusted, seq: int) -> None:
        """A bust of the durable record `seq`."""
        self._pending[event.symbol, event.executed_us - event.executed_us % MINUTE_US] = seq
        self._due.set()

    def start(self, durable_seq: int) -> None:
        """Begin. The market view has been told of all trades after `durable_seq`."""
        self._first_seq = durable_seq
        self._task = asyncio.create_task(self._run(), name="busted candles")

    async def stop(self) -> None:
        """Mend nothing more; the next start reads what the write-behind has mended."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            while self._pending:
                try:
                    await self._mend(*next(iter(self._pending)))
                except DatabaseUnavailable as error:
                    log.info("a busted candle is mended later: %s", error)
                    await asyncio.sleep(RETRY_S)

    async def _mend(self, symbol: str, minute_us: int) -> None:
        """Put one minute right. Raises DatabaseUnavailable. It stays pending when it was busted again meanwhile, or when
        more has traded since it was written than the market view remembers.
        """
        seq = self._pending[symbol, minute_us]
        await self._write_behind.reached(max(seq, self._first_seq))
        await self._write_behind.barrier()
        row = await self._database.fetchrow(STORED, symbol, minute_us)
        assert row is not None, "the write-behind has written"
        applied_seq, *bar = row
        later = self._market.trades_since(symbol, applied_seq)
        if later is None:
            await asyncio.sleep(RETRY_S)
            return
        if self._pending[symbol, minute_us] != seq:
            return
        del self._pending[symbol, minute_us]
        stored = None if bar[0] is None else Candle(minute_us, *bar)
        in_minute = [trade for trade in later if minute_us <= trade.time_us < minute_us + MINUTE_US]
        self._candles.put(symbol, minute_us, with_trades(stored, minute_us, in_minute))
        day_us = self._market.symbols[symbol].day_us
        day = self._candles.candles(symbol, Interval.MINUTE_1, start_us=day_us - day_us % MINUTE_US)
        self._market.mend(symbol, minute_us, day)


def with_trades(stored: Candle | None, start_us: int, later: list[MarketTrade]) -> Candle | None:
    """A minute and the trades that stand of those that came after it was stored, oldest first; None when there is none."""
    standing = [trade for trade in later if not trade.busted]
    if not standing:
        return stored
    prices = [trade.price_e4 for trade in standing]
    volume_e8 = sum(trade.quantity_e8 for trade in standing)
    if stored is None:
        stored = Candle(start_us, prices[0], prices[0], prices[0], prices[0], 0, 0)
    return Candle(
        start_us=start_us,
        open_e4=stored.open_e4,
        high_e4=max(stored.high_e4, *prices),
        low_e4=min(stored.low_e4, *prices),
        close_e4=prices[-1],
        volume_e8=stored.volume_e8 + volume_e8,
        trades=stored.trades + len(standing),
    )
