"""A Postgres in memory for the simulation, behind asyncpg's interface: the one double of the project.

It knows the statements of recovery and of the write-behind alone. tests/simulation/test_postgres_double.py says the same to it and to
the real one, and compares every table. `Weather` decides how long everything takes, and what fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Self, cast

import asyncpg

from sql import statements
from sql.copy_rows import COPY_HEADER, COPY_TRAILER
from tests.simulation.double_statements import STATEMENTS
from tests.simulation.double_tables import KEYS, STAGES, Key, Row, key_of, read_rows, upsert_of
from tests.simulation.weather import COMMIT, Fate, Weather

if TYPE_CHECKING:
    from server.watermark import Connect

Change = dict[Key, Row | None]


class PostgresDouble:
    """The server. `tables` is what is committed: a commit puts new dicts there and changes none, so that a copy is cheap."""

    def __init__(self, weather: Weather | None = None) -> None:
        self.weather = weather or Weather()
        self.tables: dict[str, dict[Key, Row]] = {table: {} for table in KEYS}
        self.sessions: list[DoubleConnection] = []
        self.in_doubt: list[DoubleConnection] = []
        self.trace: Callable[[str], None] = lambda text: None
        self._pids = 0

    def __repr__(self) -> str:
        return f"<PostgresDouble at {self.applied_seq}, {len(self.sessions)} sessions>"

    @property
    def applied_seq(self) -> int:
        """The watermark."""
        return sum(int(row["applied_seq"]) for row in self.tables["journal_position"].values())

    def after_crash(self, random: Random, weather: Weather | None = None) -> PostgresDouble:
        """What the next process finds: a COMMIT that was under way was carried out, or not."""
        found = PostgresDouble(weather)
        found.tables = dict(self.tables)
        for session in self.in_doubt:
            if random.random() < 0.5:
                session.apply_to(found.tables)
        return found

    def drop_sessions(self) -> None:
        """The server restarts: every session is gone, what it had not committed with it."""
        for session in list(self.sessions):
            session.end()

    @property
    def connect(self) -> Connect:
        """In the place of `asyncpg.connect`."""
        return cast("Connect", self._connect)

    async def _connect(
        self,
        dsn: str,
        *,
        timeout: float,
        command_timeout: float,
        server_settings: dict[str, str],
    ) -> DoubleConnection:
        await pass_time(self.weather.delay_s())
        if self.weather.refuses():
            raise ConnectionRefusedError("the double refuses connections")
        self._pids += 1
        return DoubleConnection(self, self._pids, server_settings["application_name"], command_timeout)


async def pass_time(seconds: float) -> None:
    """Wait, or go on at once."""
    if seconds:
        await asyncio.sleep(seconds)


class DoubleConnection:
    """A session, as asyncpg shows it. Its transaction is a layer of changed rows over what is committed."""

    def __init__(self, server: PostgresDouble, pid: int, name: str, timeout_s: float) -> None:
        self.server = server
        self.pid = pid
        self.name = name
        self.changes: dict[str, Change] = {}
        self.stages: dict[str, list[Row]] = {}
        self.locks: set[str] = set()
        self.in_transaction = False
        self.is_ended = False
        self._is_aborted = False
        self._is_cut = False
        self._timeout_s = timeout_s
        self._snapshot: dict[str, dict[Key, Row]] | None = None
        server.sessions.append(self)

    # ---- asyncpg's interface

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        return await self._say(sql, lambda: self._answer(sql, arguments))

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        return next(iter(await self.fetch(sql, *arguments)), None)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        row = await self.fetchrow(sql, *arguments)
        return None if row is None else next(iter(row.values()))

    async def execute(self, sql: str, *arguments: Any) -> str:
        await self._say(sql, lambda: self._answer(sql, arguments))
        return "DONE"

    async def executemany(self, sql: str, arguments: Sequence[tuple[Any, ...]]) -> None:
        def all_of_them() -> list[Row]:
            for each in arguments:
                self._answer(sql, each)
            return []

        await self._say(sql, all_of_them)

    async def copy_to_table(
        self, table: str, *, source: AsyncIterator[bytes], columns: tuple[str, ...], **form: str
    ) -> str:
        data = b"".join([piece async for piece in source])
        assert form == {"format": "binary"}
        assert data.startswith(COPY_HEADER)
        assert data.endswith(COPY_TRAILER)

        def copied() -> list[Row]:
            rows = read_rows(table, columns, data[len(COPY_HEADER) : -len(COPY_TRAILER)])
            if table in STAGES:
                self.stages.setdefault(table, []).extend(rows)
            else:
                for row in rows:
                    self.insert(table, row)
            return []

        await self._say(f"COPY {table}", copied)
        return "COPY"

    def cursor(self, sql: str, *arguments: Any, prefetch: int) -> AsyncIterator[Row]:
        return self._rows(sql, arguments)

    async def _rows(self, sql: str, arguments: tuple[Any, ...]) -> AsyncIterator[Row]:
        for row in await self.fetch(sql, *arguments):
            yield row

    def transaction(self, *, isolation: str = "", readonly: bool = False) -> DoubleTransaction:
        return DoubleTransaction(self, is_snapshot=bool(isolation))

    def terminate(self) -> None:
        self._is_cut = True
        if self in self.server.in_doubt or self.is_ended:
            return
        linger_s = self.server.weather.delay_s()
        if linger_s:  # until the server notices
            asyncio.get_running_loop().call_later(linger_s, self.end)
        else:
            self.end()

    async def close(self) -> None:
        self.terminate()

    # ---- transactions

    async def begin(self, *, is_snapshot: bool) -> None:
        def begun() -> list[Row]:
            self.in_transaction = True
            self._snapshot = dict(self.server.tables) if is_snapshot else None
            return []

        await self._say("BEGIN", begun)

    async def end_transaction(self, statement: str) -> None:
        if self._is_cut:
            raise asyncpg.InterfaceError("connection is closed")

        def ended() -> list[Row]:
            if statement == COMMIT and not self._is_aborted:
                self.apply_to(self.server.tables)
                self.server.trace(f"pg {self.pid} commits at {self.server.applied_seq}")
            self._forget()
            return []

        await self._say(statement, ended)

    def apply_to(self, tables: dict[str, dict[Key, Row]]) -> None:
        """Commit what this transaction has changed."""
        for table, change in self.changes.items():
            rows = dict(tables[table])
            for key, row in change.items():
                if row is None:
                    rows.pop(key, None)
                else:
                    rows[key] = row
            tables[table] = rows

    def _forget(self) -> None:
        self.changes = {}
        self.stages = {}
        self.locks.clear()
        self.in_transaction = self._is_aborted = False
        self._snapshot = None

    def end(self) -> None:
        """The server ends the session."""
        self.is_ended = True
        self._forget()
        for sessions in (self.server.sessions, self.server.in_doubt):
            if self in sessions:
                sessions.remove(self)

    # ---- one statement

    async def _say(self, statement: str, work: Callable[[], list[Row]]) -> list[Row]:
        if self._is_cut:
            raise asyncpg.InterfaceError("connection is closed")
        weather = self.server.weather
        await pass_time(weather.delay_s())
        fate = weather.fate(statement)
        if fate is not Fate.DONE:
            self.server.trace(f"pg {self.pid} {fate.name} {statement[:20]!r}")
        if self.is_ended or fate is Fate.CUT_BEFORE:
            raise self._cut()
        if fate is Fate.FULL:
            self._is_aborted = self.in_transaction
            raise asyncpg.DiskFullError("the double is full")
        if fate is Fate.CUT_MEANWHILE and statement == COMMIT:
            self.server.in_doubt.append(self)
            asyncio.get_running_loop().call_later(weather.delay_s() or 0.001, self._later, work)
            raise self._cut()
        if fate is Fate.HANGS:
            await asyncio.sleep(self._timeout_s)
            raise TimeoutError
        await self._wait_for_locks(statement)
        rows = self._carry_out(statement, work)
        await pass_time(weather.delay_s())
        if fate is not Fate.DONE or self not in self.server.sessions:
            raise self._cut()
        return rows

    def _carry_out(self, statement: str, work: Callable[[], list[Row]]) -> list[Row]:
        if self._is_aborted and statement not in (COMMIT, "ROLLBACK"):
            raise asyncpg.InFailedSQLTransactionError("the transaction is aborted")
        try:
            rows = work()
        except asyncpg.PostgresError:
            self._is_aborted = self.in_transaction
            raise
        if not self.in_transaction and self.changes:
            self.apply_to(self.server.tables)
            self._forget()
        return rows

    def _later(self, work: Callable[[], list[Row]]) -> None:
        """The COMMIT that was under way when the connection broke, unless the session was ended before."""
        if not self.is_ended:
            work()
            self.end()

    def _cut(self) -> Exception:
        self._is_cut = True
        return asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    async def _wait_for_locks(self, statement: str) -> None:
        lock = LOCKS.get(statement)
        while lock and any(lock in other.locks for other in self.server.sessions if other is not self):
            await asyncio.sleep(0.001)
            if self.is_ended:
                raise self._cut()
        if lock and self.in_transaction:
            self.locks.add(lock)

    # ---- rows, as this session sees them

    def get(self, table: str, key: Key) -> Row | None:
        """A row by its key."""
        change = self.changes.get(table)
        if change is not None and key in change:
            return change[key]
        return (self._snapshot or self.server.tables)[table].get(key)

    def rows(self, table: str) -> Iterator[Row]:
        """All rows, in no order."""
        change = self.changes.get(table, {})
        for key, row in (self._snapshot or self.server.tables)[table].items():
            if key not in change:
                yield row
        yield from (row for row in change.values() if row is not None)

    def put(self, table: str, row: Row) -> None:
        """Insert or replace."""
        self.changes.setdefault(table, {})[key_of(table, row)] = row

    def insert(self, table: str, row: Row) -> None:
        """Raises as Postgres does when the key is there."""
        if self.get(table, key_of(table, row)) is not None:
            raise asyncpg.UniqueViolationError(f"{table} {key_of(table, row)} is there")
        self.put(table, row)

    def delete(self, table: str, key: Key) -> None:
        """Nothing where no such row is."""
        self.changes.setdefault(table, {})[key] = None

    def _answer(self, sql: str, arguments: tuple[Any, ...]) -> list[Row]:
        known = STATEMENTS.get(sql)
        if known is not None:
            return known(self, *arguments)
        if sql.startswith("TRUNCATE "):
            for stage in sql.removeprefix("TRUNCATE ").split(", "):
                if stage not in STAGES:
                    raise asyncpg.UndefinedTableError(f"there is no {stage}")
                self.stages.pop(stage, None)
            return []
        for merge in sql.split(";"):
            if merge in STATEMENTS:
                STATEMENTS[merge](self)
            else:
                self._merge(merge)
        return []

    def _merge(self, sql: str) -> None:
        upsert = upsert_of(sql)
        seen = set()
        for row in self.stages.get(upsert.stage, ()):
            key = key_of(upsert.table, row)
            if key in seen:
                raise asyncpg.CardinalityViolationError(f"{upsert.table} {key} is staged twice")
            seen.add(key)
            old = self.get(upsert.table, key)
            self.put(upsert.table, row if old is None else upsert.merged(old, row))


class DoubleTransaction:
    """As asyncpg's."""

    def __init__(self, session: DoubleConnection, *, is_snapshot: bool) -> None:
        self._session = session
        self._is_snapshot = is_snapshot

    async def start(self) -> None:
        await self._session.begin(is_snapshot=self._is_snapshot)

    async def commit(self) -> None:
        await self._session.end_transaction(COMMIT)

    async def rollback(self) -> None:
        await self._session.end_transaction("ROLLBACK")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self.commit() if kind is None else self.rollback())


LOCKS = {
    statements.ONE_CLAIM: "claim",
    statements.LOCK_POSITION: "position",
    statements.OWN_POSITION: "position",
    statements.ADVANCE: "position",
}
"""What a statement waits for, and keeps to the end of its transaction."""
