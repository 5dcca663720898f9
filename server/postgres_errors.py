"""Tells a database that is away from one that refuses: the first is waited for, the second never is."""

from __future__ import annotations

from typing import Final

import asyncpg

from server.errors import DatabaseUnavailable

AWAY_CLASSES: Final = frozenset(
    {
        "08",  # connection exception
        "25",  # invalid transaction state: read-only after a failover, idle in transaction timeout
        "40",  # transaction rollback: serialization failure, deadlock
        "53",  # insufficient resources: disk full, out of memory, too many connections
        "55",  # object not in prerequisite state: lock not available
        "57",  # operator intervention: shutdown, crash, cannot connect now, cancelled
        "58",  # system error outside PostgreSQL: I/O error
    }
)
"""Classes of SQLSTATE that another attempt can cure (PostgreSQL, appendix A)."""

_CONNECTION_ENDED: Final = (
    OSError,
    TimeoutError,
    DatabaseUnavailable,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection that broke in the middle of an answer says from then on
)


def is_away(error: BaseException) -> bool:
    """Whether the server is gone, starting, stopping, stuck or short of something, rather than refusing the data."""
    if isinstance(error, asyncpg.PostgresError):
        state: str | None = error.sqlstate
        return state is not None and state[:2] in AWAY_CLASSES
    return isinstance(error, _CONNECTION_ENDED)
