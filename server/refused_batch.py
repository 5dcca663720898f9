"""Finds what Postgres refuses in a batch, by writing parts of it in transactions that are rolled back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from server.batch_writer import Batch, ReadRecords, encode_changes, project, write_latest, write_rows
from server.postgres_errors import is_away

if TYPE_CHECKING:
    import asyncpg

Probe = Callable[[int], Awaitable[None]]
"""Writes the first n parts; raises when they are refused."""


async def find_refused(connection: asyncpg.Connection, batch: Batch, read: ReadRecords) -> str:
    """Name the first record, or the aggregate, that cannot be written. In words, for the alarm."""

    async def write_records(count: int) -> None:
        rows = await project(batch.applied_seq, batch.applied_seq + count, read)
        await write_rows(connection, rows, staged=False)

    async def write_changes(count: int) -> None:
        await write_latest(
            connection, await encode_changes(batch.last_seq, batch.changes[:count]), staged=False
        )

    everything = f"sequences {batch.applied_seq + 1} to {batch.last_seq} are refused together"
    try:
        record = await _first_refused(connection, write_records, batch.last_seq - batch.applied_seq)
        if record:
            return f"sequence {batch.applied_seq + record} is refused"
        change = await _first_refused(connection, write_changes, len(batch.changes))
    except Exception as error:
        if not is_away(error):
            raise
        return everything
    if change:
        kind, key, _ = batch.changes[change - 1]
        return f"{kind} {key!r} at sequence {batch.last_seq} is refused"
    return everything


async def _first_refused(connection: asyncpg.Connection, probe: Probe, count: int) -> int:
    """The smallest number of parts that is refused; 0 when all are taken."""
    if not count or await _taken(connection, probe, count):
        return 0
    taken, refused = 0, count
    while refused - taken > 1:
        middle = (taken + refused) // 2
        if await _taken(connection, probe, middle):
            taken = middle
        else:
            refused = middle
    return refused


async def _taken(connection: asyncpg.Connection, probe: Probe, count: int) -> bool:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await probe(count)
    except Exception as error:
        if is_away(error):
            raise
        return False
    else:
        return True
    finally:
        await transaction.rollback()
