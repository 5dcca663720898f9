"""Recovery's first half: the engine's state as it stands in Postgres at the watermark, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from engine.aggregates import KINDS, rebuild
from engine.state import State
from server.progress import Progress
from sql.queries import AGGREGATES, AGGREGATES_TOTAL, APPLIED_SEQ
from sql.state_rows import load_aggregate

if TYPE_CHECKING:
    import asyncpg

PREFETCH_ROWS: Final = 2_000
"""Rows of the cursor in memory at a time."""


class StateUnreadable(Exception):
    """A row of `engine_state` is not what this version of the engine writes, or the clock's row disagrees."""


async def load_state(connection: asyncpg.Connection) -> tuple[State, int]:
    """The state at `applied_seq`, with everything derived rebuilt; an empty state at 0 on the first start.

    All rows come from one snapshot. Raises `StateUnreadable`, naming the row, and what asyncpg raises.
    """
    state = State()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        applied_seq = await connection.fetchval(APPLIED_SEQ)
        total = await connection.fetchval(AGGREGATES_TOTAL)
        progress = Progress("loading the engine's state")
        done = 0
        for kind in KINDS:
            async for row in connection.cursor(AGGREGATES, kind, prefetch=PREFETCH_ROWS):
                try:
                    load_aggregate(state, kind, row["key"], row["body"])
                except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
                    raise StateUnreadable(f"engine_state {kind} {row['key'].hex()}: {error!r}") from error
                done += 1
                progress(done, total)
        progress.finish()
    rebuild(state)
    if state.seq != (applied_seq or 0):
        raise StateUnreadable(f"the clock stands at {state.seq}, the watermark at {applied_seq}")
    return state, state.seq
