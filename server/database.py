"""The pool of connections that requests share, and the one place where a lost database becomes our own error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from server.errors import DatabaseUnavailable, Overloaded
from server.metrics import Durations
from server.postgres_errors import is_away

if TYPE_CHECKING:
    from asyncpg import Record
    from asyncpg.pool import PoolConnectionProxy

ACQUIRE_TIMEOUT_S: Final = 2.0
STATEMENT_TIMEOUT_MS: Final = 8_000
COMMAND_TIMEOUT_S: Final = 10.0  # longer: the server's own timeout leaves the connection usable
LONG_READS_MAX: Final = 2
"""So many statements that read much run at a time: whoever signs in finds a connection."""


class Database:
    """A pool for the low-rate SQL: users, sessions, the outbox, history. The write-behind has its own connection."""

    def __init__(self, dsn: str, *, pool_min: int, pool_max: int) -> None:
        self._dsn = dsn
        self._pool_min = pool_min
        self._pool_max = pool_max
        self._pool: asyncpg.Pool | None = None
        self._long_reads = asyncio.Semaphore(LONG_READS_MAX)
        self.queries = Durations()

    async def open(self) -> None:
        """Connect; from then on lost connections are replaced when they are needed. Raises DatabaseUnavailable."""
        try:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=self._pool_min,
                max_size=self._pool_max,
                command_timeout=COMMAND_TIMEOUT_S,
                server_settings={"application_name": "kerb", "statement_timeout": str(STATEMENT_TIMEOUT_MS)},
            )
        except Exception as error:
            if is_away(error):
                raise DatabaseUnavailable from error
            raise

    async def close(self) -> None:
        """Close all connections; calls that still run are cut off."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PoolConnectionProxy]:
        """A connection for the length of the block. Raises DatabaseUnavailable when the server is away."""
        if self._pool is None:
            raise DatabaseUnavailable
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                yield connection
        except Exception as error:
            if is_away(error):
                raise DatabaseUnavailable from error
            raise

    async def fetch(self, query: str, *arguments: Any) -> Sequence[Record]:
        """All rows. Raises DatabaseUnavailable."""
        started_s = perf_counter()
        try:
            async with self.connection() as connection:
                return await connection.fetch(query, *arguments)
        finally:
            self.queries.took(perf_counter() - started_s)

    async def fetch_much(self, query: str, *arguments: Any) -> Sequence[Record]:
        """As `fetch`, for what reads much and may take seconds. Raises Overloaded where too many of these run for too long."""
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                await self._long_reads.acquire()
        except TimeoutError:
            raise Overloaded(message="Too many reports are being made, try again.") from None
        try:
            return await self.fetch(query, *arguments)
        finally:
            self._long_reads.release()

    async def fetchrow(self, query: str, *arguments: Any) -> Record | None:
        """The first row, if there is one. Raises DatabaseUnavailable."""
        started_s = perf_counter()
        try:
            async with self.connection() as connection:
                return await connection.fetchrow(query, *arguments)
        finally:
            self.queries.took(perf_counter() - started_s)

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run a statement; its command tag. Raises DatabaseUnavailable."""
        started_s = perf_counter()
        try:
            async with self.connection() as connection:
                return await connection.execute(query, *arguments)
        finally:
            self.queries.took(perf_counter() - started_s)
