"""Candles of the instruments whose price our own trades make: stored ones at the start, then from durable fills."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.commands import BustTrade
from engine.events import TradeBusted, Traded
from feeds.candles import CandleBook
from server.codec import Record
from server.database import Database
from server.market_types import Candle

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


def own_trades_listener(
    candles: CandleBook,
    *,
    except_symbols: frozenset[str],
    on_bust: Callable[[TradeBusted, int], None] | None = None,
) -> Callable[[Iterable[Record]], None]:
    """A listener for `Runtime.add_listener`. `except_symbols` are those whose candles a tape makes. A bust's volume is taken
    back; `on_bust` is told of it, and of the sequence of its record, to see to the prices.
    """

    def listener(records: Iterable[Record]) -> None:
        for record in records:
            for event in record.events:
                # `isinstance` of an event that is something else costs ten times as much.
                if type(event) is Traded and event.symbol not in except_symbols:
                    number = candles.register(event.symbol)
                    candles.add(number, record.now_us, event.price_e4, event.quantity_e8)
            if type(record.command) is BustTrade:
                take_back(record)

    def take_back(record: Record) -> None:
        for event in record.events:
            if type(event) is TradeBusted and event.symbol not in except_symbols:
                candles.take_back(candles.register(event.symbol), event.executed_us, event.quantity_e8)
                if on_bust is not None:
                    on_bust(event, record.seq)

    return listener
