"""Candles from Postgres and from memory are one series, and the same as if memory had kept them all."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from feeds.candles import CandleBook
from feeds.tape_history import UPSERT
from server.candle_history import candles_of_any_age
from server.database import Database
from server.history import moment
from server.market_types import MINUTE_US, Candle, Interval

DAY_US = 1_440 * MINUTE_US
NOW_US = int(datetime(2025, 3, 12, 15, 30, tzinfo=UTC).timestamp()) * 1_000_000
"""Three days after the clocks changed in New York."""


def random_minutes(days: int) -> list[Candle]:
    dice = Random(7)
    minutes = sorted(dice.sample(range(NOW_US // MINUTE_US - days * 1_440, NOW_US // MINUTE_US), days * 60))
    candles = []
    for minute in minutes:
        low = dice.randrange(900_000, 1_000_000)
        high = low + dice.randrange(10_000)
        opened, close = dice.randrange(low, high + 1), dice.randrange(low, high + 1)
        candles.append(Candle(minute * MINUTE_US, opened, high, low, close, dice.randrange(10**9), 3))
    return candles


async def store(database: Database, candles: list[Candle]) -> None:
    columns = list(zip(*([getattr(c, f) for f in Candle.__struct_fields__] for c in candles), strict=True))
    await database.execute(UPSERT, "AAPL", [moment(start) for start in columns[0]], *map(list, columns[1:]))


@pytest.mark.parametrize("interval", list(Interval))
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("America/New_York")], ids=str)
@pytest.mark.parametrize("in_sessions", [False, True])
async def test_old_and_new_candles_join_without_a_seam(
    database_dsn: str, interval: Interval, zone: tzinfo, in_sessions: bool
) -> None:
    database = Database(database_dsn, pool_min=1, pool_max=1)
    await database.open()
    minutes = random_minutes(days=12)
    everything, memory = CandleBook(minutes_kept=13 * 1_440), CandleBook()
    for book in (everything, memory):
        book.register("AAPL", zone=zone)
    everything.load("AAPL", minutes)
    memory.load("AAPL", [candle for candle in minutes if candle.start_us >= NOW_US - 3 * DAY_US])
    await store(database, [candle for candle in minutes if candle.start_us < NOW_US - DAY_US])
    sessions = None
    if in_sessions:
        first_day = NOW_US // DAY_US - 13
        sessions = [
            ((first_day + d) * DAY_US + 10**10, (first_day + d) * DAY_US + 5 * 10**10) for d in range(13)
        ]
    for start_us, limit in ((0, 10**6), (NOW_US - 5 * DAY_US, 10**6), (NOW_US - DAY_US, 10**6), (0, 40)):
        expected = everything.candles(
            "AAPL", interval, start_us=start_us, end_us=NOW_US, sessions=sessions, limit=limit
        )
        found = await candles_of_any_age(
            database,
            memory,
            "AAPL",
            interval,
            start_us=start_us,
            end_us=NOW_US,
            sessions=sessions,
            limit=limit,
        )
        assert found == expected
        assert all(earlier.start_us < later.start_us for earlier, later in pairwise(found))
    assert len(everything.candles("AAPL", interval)) > len(memory.candles("AAPL", interval)) > 0
    await database.close()
