"""Candles of any age: the last days from memory, those before from Postgres, joined at a local midnight.

Memory keeps three days (feeds/candles.py). What is older than two whole days is asked of the `candles` table, which has
one-minute candles of own trades (the write-behind) and of tapes (feeds/tape_history.py), and is made coarser there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from server.database import Database
from server.history import microseconds, moment
from server.market_types import Candle, CandleSource, Interval, Session
from server.split_candles import Split, in_new_shares
from sql.candles import CANDLES

MEMORY_DAYS: Final = 2
"""Whole days before today that memory is asked for; it keeps one more, and the write-behind may lag by as much."""


async def candles_of_any_age(
    database: Database,
    memory: CandleSource,
    symbol: str,
    interval: Interval,
    *,
    start_us: int,
    end_us: int,
    sessions: Sequence[Session] | None,
    limit: int,
    splits: Sequence[Split] = (),
) -> list[Candle]:
    """In new shares, where there were splits. Candles that start in [start_us, end_us), oldest first, the newest `limit` of them; see CandleSource.

    `end_us` is the present. Raises DatabaseUnavailable when Postgres is needed and away.
    """
    zone = memory.zone(symbol)
    boundary_us = max(start_us, _midnight_us(end_us, zone))
    recent = memory.candles(
        symbol, interval, start_us=boundary_us, end_us=end_us, sessions=sessions, limit=limit
    )
    missing = limit - len(recent)
    if boundary_us <= start_us or not missing:
        return in_new_shares(recent, splits)
    windows = [(start_us, boundary_us)]
    if sessions is not None:
        windows = [(max(opens, start_us), min(closes, boundary_us)) for opens, closes in sessions]
    windows = [(opens, closes) for opens, closes in windows if opens < closes]
    rows = await database.fetch(
        CANDLES,
        *(symbol, interval is Interval.DAY_1, timedelta(minutes=interval.minutes), str(zone), missing),
        *([moment(opens) for opens, _ in windows], [moment(closes) for _, closes in windows]),
        interval.minutes + 60,  # a day on which the clocks are put back is longer
    )
    older = [Candle(microseconds(row[0]), *tuple(row)[1:]) for row in reversed(rows)]
    return in_new_shares(older + recent, splits)


def _midnight_us(end_us: int, zone: tzinfo) -> int:
    """The local midnight that began the oldest day which memory is asked for."""
    day = datetime.fromtimestamp(end_us / 1_000_000, zone) - timedelta(days=MEMORY_DAYS)
    return microseconds(day.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC))
