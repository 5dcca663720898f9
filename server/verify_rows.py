"""Compares rows in Postgres with the journal's records: projected as the write-behind does it, and byte for byte.

A record's rows stand in the order of the journal, and so are they read: those of a few thousand records at a time, however
many there are. Rows that agree, as nearly all do, are never taken apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from engine.events import InstrumentSet
from engine.kinds import PriceSource
from engine.state import State
from engine.units import MINUTE_US
from server.codec import decode_record, mark_of
from server.verify import FINDINGS_MAX, Findings
from server.verify_rare import RareRows
from sql.compared import BUSTED, CANDLES, COMPARED, ComparedTable, row_end
from sql.copy_rows import COPY_HEADER
from sql.projection import Rows

BLOCKS_AHEAD: Final = 16
"""What Postgres may have sent of a table before it is compared: about a mebibyte."""

_INSTRUMENT_MARK: Final = mark_of(InstrumentSet)


class RowStream:
    """The rows of one table, as the bytes of a binary COPY, in the order of the journal; read forward only."""

    def __init__(self, connection: asyncpg.Connection, query: str) -> None:
        self._room = asyncio.Semaphore(BLOCKS_AHEAD)
        self._blocks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._data = b""
        self._at = 0
        self._ended = False
        self._task = asyncio.create_task(self._copy(connection, query))

    def __repr__(self) -> str:
        return f"<RowStream {len(self._data) - self._at} bytes ahead>"

    async def _copy(self, connection: asyncpg.Connection, query: str) -> None:
        try:
            await connection.copy_from_query(query, output=self._take, format="binary")
        finally:
            self._blocks.put_nowait(None)

    async def _take(self, block: bytes) -> None:
        await self._room.acquire()
        self._blocks.put_nowait(block.removeprefix(COPY_HEADER))

    async def _more(self) -> bool:
        """Wait for more bytes; False at the end. Raises what the copying raised."""
        if self._ended:
            return False
        block = await self._blocks.get()
        if block is None:
            self._ended = True
            await self._task
            return False
        self._room.release()
        self._data = self._data[self._at :] + block
        self._at = 0
        return True

    async def skip(self, wanted: bytes) -> bool:
        """Pass these bytes if they are what comes next."""
        while len(self._data) - self._at < len(wanted) and await self._more():
            pass
        if not self._data.startswith(wanted, self._at):
            return False
        self._at += len(wanted)
        return True

    async def rows(self, table: ComparedTable, before: int) -> list[bytes]:
        """The next rows, as far as their position lies before this one."""
        rows: list[bytes] = []
        while (row := await self._row()) is not None and table.position_of(row) < before:
            self._at += len(row)
            rows.append(row)
        return rows

    async def rest(self, rows_max: int) -> list[bytes]:
        """At most so many of the next rows."""
        rows: list[bytes] = []
        while len(rows) < rows_max and (row := await self._row()) is not None:
            self._at += len(row)
            rows.append(row)
        return rows

    async def _row(self) -> bytes | None:
        """The next row, without passing it; None at the end."""
        try:
            while not (end := row_end(self._data, self._at)):
                if not await self._more():
                    return None
        except EOFError:
            return None
        return self._data[self._at : end]

    async def close(self) -> None:
        """Read no further."""
        self._task.cancel()
        await asyncio.wait((self._task,))


class RowsOfJournal:
    """Takes the journal's records from `first_seq` on and finds what is wrong with the rows that they left behind.

    `state` is the one that Postgres holds: it says who is a market maker. `begun_after` is the sequence after which a
    table's rows are the journal's.
    """

    def __init__(
        self,
        streams: Mapping[str, RowStream],
        rare: RareRows,
        first_seq: int,
        state: State,
        begun_after: Mapping[str, int],
        findings: Findings,
    ) -> None:
        self.findings = findings
        self._streams = streams
        self._rare = rare
        self._first_seq = first_seq
        self._first_us = 0
        self._accounts = state.accounts
        self._symbols = frozenset(state.instruments)
        self._tapes = {
            each.symbol for each in state.instruments.values() if each.price_source is PriceSource.TAPE
        }
        self._marks: dict[tuple[int, int], int] = {}
        self._begun_after = begun_after
        self._rows = self._rows_from(first_seq)

    def __repr__(self) -> str:
        return f"<RowsOfJournal from {self._first_seq}: {self._rows}>"

    def _rows_from(self, seq: int) -> Rows:
        # Every symbol counts as a tape's, so that no candles are made: they are compared with the executions.
        return Rows(seq, self._symbols, self._accounts)

    def passing(self, records: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The same records, each projected in passing."""
        for seq, data in records:
            record = decode_record(data)
            self._rows.add(record)
            self._first_us = self._first_us or record.now_us
            if _INSTRUMENT_MARK in data:
                self._tapes |= {
                    event.symbol
                    for event in record.events
                    if isinstance(event, InstrumentSet) and event.price_source is PriceSource.TAPE
                }
            yield seq, data

    async def compare(self) -> None:
        """Compare the rows of what has passed since the last call."""
        rows, self._rows = self._rows, self._rows_from(self._rows.last_seq + 1)
        await self._rare.compare(rows)
        self._marks |= {(order_id, execution_id): us for order_id, execution_id, us in rows.bust_marks}
        for table in COMPARED:
            wanted = table.rows_of(rows)
            after_seq = self._begun_after[table.name]
            if rows.first_seq <= after_seq:
                begin = (after_seq + 1) * table.ids_per_seq
                wanted = [row for row in wanted if table.position_of(row) >= begin]
            stream = self._streams[table.name]
            if table.is_replaced or not await stream.skip(b"".join(wanted)):
                found = await stream.rows(table, (rows.last_seq + 1) * table.ids_per_seq)
                self._differ(table, wanted, found)

    async def finish(self, connection: asyncpg.Connection) -> None:
        """Compare what stands behind the last record's rows, which fills are busted, and the candles."""
        for table in COMPARED:
            self._differ(table, (), await self._streams[table.name].rest(FINDINGS_MAX))
        await self._rare.finish(connection, self._first_us)
        rows = await connection.fetch(BUSTED)
        busted = {(row["order_id"], row["execution_id"]): row["busted_us"] for row in rows}
        for key in sorted(self._marks.keys() | busted.keys()):
            wanted, found = self._marks.get(key), busted.get(key)
            is_older = (
                self._first_seq > 1 and wanted is None and found is not None and found <= self._first_us
            )
            if wanted != found and not is_older:
                problem = f"busted at {found} us, the journal says {wanted}"
                self.findings.add("busts = journal", f"order_id {key[0]}, execution_id {key[1]}", problem)
        # The minute in which a pruned journal begins is not known whole.
        since_us = self._first_us - self._first_us % MINUTE_US + MINUTE_US if self._first_seq > 1 else 0
        for row in await connection.fetch(f"{CANDLES} LIMIT {FINDINGS_MAX}", sorted(self._tapes), since_us):
            self.findings.add("candles = executions", row["subject"], row["problem"])

    def _differ(self, table: ComparedTable, wanted: Sequence[bytes], found: Sequence[bytes]) -> None:
        """Say what is wrong where the rows found are not those wanted."""
        known, seen = set(wanted), set(found)
        check = f"{table.name} = journal"
        lacking = {table.subject(row): row for row in wanted if row not in seen}
        for row in found:
            if row in known:
                continue
            subject = table.subject(row)
            right = lacking.pop(subject, None)
            problem = "is not what any record left behind" if right is None else table.difference(row, right)
            self.findings.add(check, subject, problem)
        for subject, row in lacking.items():
            if table.is_replaced is None or not table.is_replaced(row):
                self.findings.add(check, subject, "is missing")


@asynccontextmanager
async def rows_of_journal(
    dsn: str, connection: asyncpg.Connection, snapshot: str, first_seq: int, state: State
) -> AsyncIterator[RowsOfJournal]:
    """Reads each compared table over a connection of its own, all in the snapshot that `connection` has exported."""
    begun_after = {
        table.name: (await connection.fetchval(table.begin) or 0) if table.begin else 0 for table in COMPARED
    }
    connections: list[asyncpg.Connection] = []
    streams: dict[str, RowStream] = {}
    settings = {"application_name": "kerb-verify", "jit": "off", "work_mem": "32MB"}
    try:
        for table in COMPARED:
            reader = await asyncpg.connect(dsn, server_settings=settings)
            connections.append(reader)
            await reader.execute(
                f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot}'"
            )
            begin_seq = max(first_seq, begun_after[table.name] + 1)
            streams[table.name] = RowStream(reader, table.query(begin_seq))
        findings = Findings()
        rare = await RareRows.open(connection, first_seq, findings.add)
        yield RowsOfJournal(streams, rare, first_seq, state, begun_after, findings)
    finally:
        for reader in connections:
            reader.terminate()
        for stream in streams.values():
            await stream.close()
