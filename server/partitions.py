"""Keeps the monthly partitions of the tables that grow for ever ahead of time; rows that came earlier move over."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import asyncpg

from engine.units import HOUR_US, SECOND_US
from server.postgres_errors import is_away
from sql.partitioning import (
    ATTACH,
    COPY_SHAPE,
    EXISTING,
    IS_PARTITIONED,
    LOCK_TIMEOUT,
    MOVE_ROWS,
    PARTITIONED,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("kerb.partitions")

MONTHS_AHEAD: Final = 3


class Partitions:
    """Looks at most once an hour of market time, and whenever that time leaps."""

    def __init__(self) -> None:
        self._looked_us: int | None = None

    async def keep_ahead(self, connection: asyncpg.Connection, now_us: int) -> None:
        """Make this month's partitions and those of the months ahead where they are missing.

        A table that somebody else has locked is left for the next look; so is everything when the database is away.
        """
        if self._looked_us is not None and abs(now_us - self._looked_us) < HOUR_US:
            return
        self._looked_us = now_us
        try:
            await make_partitions(connection, datetime.fromtimestamp(now_us / SECOND_US, UTC))
        except asyncpg.LockNotAvailableError:
            logger.warning("a partitioned table is locked: its partitions are made later")
        except Exception as error:
            if not is_away(error):
                raise
            self._looked_us = None
            logger.info("partitions are made later: %r", error)


async def make_partitions(connection: asyncpg.Connection, now: datetime) -> list[str]:
    """The names of the partitions made, each in a transaction of its own with the rows that were in DEFAULT."""
    made = []
    existing = {row["name"] for row in await connection.fetch(EXISTING)}
    for table, column in PARTITIONED:
        if not await connection.fetchval(IS_PARTITIONED, table):
            continue
        for start, end in months(now):
            name = f"{table}_{start:%Y_%m}"
            if name not in existing:
                await _make(connection, table, column, name, start, end)
                made.append(name)
    if made:
        logger.info("made %d partitions, from %s to %s", len(made), made[0], made[-1])
    return made


def months(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """(first moment, first moment after) of this month and the months ahead, UTC."""
    year, month = now.year, now.month
    for _ in range(MONTHS_AHEAD + 1):
        start = datetime(year, month, 1, tzinfo=UTC)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        yield start, datetime(year, month, 1, tzinfo=UTC)


async def _make(
    connection: asyncpg.Connection, table: str, column: str, name: str, start: datetime, end: datetime
) -> None:
    """Build the partition beside the table, move the rows over, attach it: DEFAULT has none of them left by then."""
    names = {
        "table": table,
        "column": column,
        "name": name,
        "start": start.isoformat(),
        "end": end.isoformat(),
    }
    async with connection.transaction():
        await connection.execute(LOCK_TIMEOUT)
        for statement in (COPY_SHAPE, MOVE_ROWS, ATTACH):
            await connection.execute(statement.format(**names))
    logger.debug("made partition %s", name)
