"""Candles of the instruments whose price our own trades make: stored ones at the start, then from durable fills."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.events import TradeBusted, Traded
from feeds.candles import CandleBook
from server.codec import Record
from server.database import Database
from server.market_types import Candle
from server.market_view import MarketView

LOAD_DAYS: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

LOAD: Final = """
SELECT symbol, (extract(epoch FROM start_at) * 1000000)::bigint AS start_us,
       open_e4, high_e4, low_e4, close_e4, volume_e8, trades
FROM candles WHERE start_at >= $1 AND symbol <> ALL($2::text[]) ORDER BY symbol, start_at
"""
APPLIED_SEQ: Final = "SELECT applied_seq FROM journal_position"


async def load_own_candles(
    database: Database, candles: CandleBook, *, now_us: int, except_symbols: frozenset[str]
) -> int:
    """Put the stored candles of the last days into the book, which must have none of these symbols yet.

    Returns the sequence up to which fills are in them: later ones come from the journal. Raises DatabaseUnavailable.
    """
    since = _EPOCH + timedelta(microseconds=now_us) - timedelta(days=LOAD_DAYS)
    by_symbol: dict[str, list[Candle]] = {}
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        applied_seq: int = await connection.fetchval(APPLIED_SEQ) or 0
        for row in await connection.fetch(LOAD, since, list(except_symbols)):
            symbol, *bar = row.values()
            by_symbol.setdefault(symbol, []).append(Candle(*bar))
    for symbol, stored in by_symbol.items():
        candles.load(symbol, stored)
    return applied_seq


class OwnTrades:
    """Puts our own fills into the candles. `except_symbols` are those whose candles a tape makes. A bust's volume is taken
    back; `on_bust` is told of it, and of the sequence of its record, to see to the prices.
    """

    def __init__(
        self,
        candles: CandleBook,
        *,
        except_symbols: frozenset[str],
        on_bust: Callable[[TradeBusted, int], None] | None = None,
    ) -> None:
        self._candles = candles
        self._except_symbols = except_symbols
        self._on_bust = on_bust

    def take(self, records: Iterable[Record]) -> None:
        """Records of the journal."""
        for record in records:
            for event in record.events:
                if type(event) is Traded:
                    self._on_traded(event, record)
                elif type(event) is TradeBusted:
                    self._on_busted(event, record)

    def follow(self, market: MarketView) -> None:
        """Take what becomes durable from now on from the market's view, which looks at each event anyhow."""
        market.also(Traded, self._on_traded)
        market.also(TradeBusted, self._on_busted)

    def _on_traded(self, event: Traded, record: Record) -> None:
        symbol = event.symbol
        if symbol not in self._except_symbols:
            candles = self._candles
            candles.add(candles.register(symbol), record.now_us, event.price_e4, event.quantity_e8)

    def _on_busted(self, event: TradeBusted, record: Record) -> None:
        if event.symbol not in self._except_symbols:
            number = self._candles.register(event.symbol)
            self._candles.take_back(number, event.executed_us, event.quantity_e8)
            if self._on_bust is not None:
                self._on_bust(event, record.seq)
