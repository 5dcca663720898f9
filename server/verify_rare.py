"""Compares the tables whose rows records write one by one with the journal: sql/rare_rows.py says which.

A row's id says which record made it, so the rows are read once and in the order of the journal. A change that a later record
made is there already when the row is read; it is kept in memory until that record has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import asyncpg

from engine.units import IDS_PER_SEQ
from sql.projection import Rows
from sql.rare_rows import RARE, SETTLED_DAYS, Made, RareTable, Values

if TYPE_CHECKING:
    from asyncpg.cursor import Cursor

FETCH_ROWS: Final = 500

Report = Callable[[str, str, str], None]
"""(check, subject, problem)"""


class _Table:
    """One table, read forward. `unsettled` are tails of rows that no record that has passed explains, or the other way round."""

    def __init__(self, table: RareTable, cursor: Cursor, report: Report) -> None:
        self.table = table
        self._cursor = cursor
        self._report = report
        self._ahead: list[Made] = []
        self._ended = False
        self._found: dict[int, Values] = {}
        self._wanted: dict[int, Values] = {}

    def __repr__(self) -> str:
        return f"<{self.table.name}: {len(self._found)} changed rows ahead of the journal>"

    async def _before(self, row_id: int | None) -> dict[int, Made]:
        """The next rows with ids below this one; None: at most so many of those that are left."""
        taken: dict[int, Made] = {}
        while True:
            for place, row in enumerate(self._ahead):
                if row_id is not None and row.row_id >= row_id:
                    del self._ahead[:place]
                    return taken
                taken[row.row_id] = row
            self._ahead = []
            if self._ended or (row_id is None and taken):
                return taken
            rows = await self._cursor.fetch(FETCH_ROWS)
            self._ended = len(rows) < FETCH_ROWS
            self._ahead = [self.table.made_of(tuple(row.values())) for row in rows]

    async def compare(self, rows: Rows) -> None:
        """The rows that these records made, and what they changed."""
        found = await self._before((rows.last_seq + 1) * IDS_PER_SEQ)
        for wanted in self.table.made(rows):
            row = found.pop(wanted.row_id, None)
            if row is None:
                self._differs(wanted.row_id, "is missing")
                continue
            if row.head != wanted.head:
                self._differs(row.row_id, self.table.difference(row._replace(tail=wanted.tail), wanted))
            if row.tail != wanted.tail:
                self._found[row.row_id] = row.tail
        for row_id in found:
            self._differs(row_id, "is not what any record left behind")
        for row_id, tail in self.table.changed(rows):
            if self._found.get(row_id) == tail:
                del self._found[row_id]
                self._wanted.pop(row_id, None)
            else:
                self._wanted[row_id] = tail

    async def finish(self, connection: asyncpg.Connection) -> None:
        """What stands behind the last record's rows, and the changes that rows and records do not agree about."""
        for row_id in await self._before(None):
            self._differs(row_id, "is not what any record left behind")
        in_doubt = sorted(self._found.keys() | self._wanted.keys())
        for row in await connection.fetch(self.table.query_some, in_doubt):
            found = self.table.made_of(tuple(row.values()))
            wanted = self._wanted.get(found.row_id)
            if wanted is None:
                tail = ", ".join(
                    f"{name} is {is_}" for (name, _), is_ in zip(self.table.tail, found.tail, strict=True)
                )
                self._differs(found.row_id, f"{tail}: no record says so")
            elif wanted != found.tail:
                self._differs(found.row_id, self.table.difference(found, found._replace(tail=wanted)))

    def _differs(self, row_id: int, problem: str) -> None:
        self._report(f"{self.table.name} = journal", f"{self.table.key} {row_id}", problem)


class RareRows:
    """All of these tables, over the one connection that holds the snapshot. `report` is told of what is wrong."""

    def __init__(self, tables: list[_Table], report: Report, first_seq: int) -> None:
        self._tables = tables
        self._report = report
        self._first_seq = first_seq
        self._days: dict[tuple[str, int], int] = {}

    def __repr__(self) -> str:
        return f"<RareRows {self._tables}>"

    @classmethod
    async def open(cls, connection: asyncpg.Connection, first_seq: int, report: Report) -> RareRows:
        """Reads on as the journal passes; `connection` is in a transaction, and nobody else uses it meanwhile."""
        tables = []
        for table in RARE:
            cursor = await connection.cursor(table.query, first_seq * IDS_PER_SEQ)
            tables.append(_Table(table, cursor, report))
        return cls(tables, report, first_seq)

    async def compare(self, rows: Rows) -> None:
        """What these records left behind."""
        for table in self._tables:
            await table.compare(rows)
        self._days |= {(market, day): settled_us for market, day, settled_us in rows.settled_days}

    async def finish(self, connection: asyncpg.Connection, first_us: int) -> None:
        """All records have passed; `first_us` is the time of the first."""
        for table in self._tables:
            await table.finish(connection)
        rows = await connection.fetch(SETTLED_DAYS)
        found = {(row["market"], row["day"]): row["settled_us"] for row in rows}
        for key in sorted(self._days.keys() | found.keys()):
            wanted, settled_us = self._days.get(key), found.get(key)
            is_older = (
                self._first_seq > 1 and wanted is None and settled_us is not None and settled_us <= first_us
            )
            if wanted != settled_us and not is_older:
                problem = f"settled at {settled_us} us, the journal says {wanted}"
                self._report("settled_days = journal", f"market {key[0]}, day {key[1]}", problem)
