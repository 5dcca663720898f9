"""What happened at gates, as PostgreSQL has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.parking.gate_kinds import CredentialKind, GateOrder, Way
from engine.parking.kinds import DecisionReason, FindingKind
from server.database import Database
from server.errors import BadRequest
from server.history import Page, microseconds
from server.write_behind import WriteBehind
from sql.access_log import ENTRIES, Entry

if TYPE_CHECKING:
    from asyncpg import Record

_ID_MAX: Final = 2**63 - 1
_CURSOR: Final = re.compile(r"[0-9]{1,19}")

KINDS: Final[dict[str, int]] = {each.name: int(each) for each in Entry}

_WORDS: Final = {
    Entry.DECISION: DecisionReason,
    Entry.PASSED: Way,
    Entry.PASSED_OFFLINE: Way,
    Entry.FINDING: FindingKind,
    Entry.ORDER: GateOrder,
}
"""Kind of a row → what its `reason` is one of."""


class AccessEntry(Struct, frozen=True):
    """A row of the access log. `reason` is the name of why, which way or which, '' where there is none."""

    entry_id: int
    logged_us: int
    said_us: int
    kind: str
    reason: str
    gate: str
    lane: int
    vehicle_id: int
    operator_id: int
    credential: str
    what: str
    space: str


def reason_name(kind: Entry, reason: int) -> str:
    """The name of why, which way or which; '' where there is none."""
    words = _WORDS.get(kind)
    return "" if words is None else words(reason).name


async def entries(
    database: Database,
    write_behind: WriteBehind,
    *,
    vehicles: Sequence[int] | None = None,
    gate: str = "",
    gates: Sequence[str] | None = None,
    kind: str = "",
    cursor: str | None = None,
    limit: int = 100,
) -> Page[AccessEntry]:
    """Newest first; of these vehicles and gates alone, None: all. Raises `BadRequest` for a bad cursor, and `DatabaseUnavailable`."""
    if cursor is not None and _CURSOR.fullmatch(cursor) is None:
        raise BadRequest("cursor", "is not one that was given out")
    before = min(int(cursor), _ID_MAX) if cursor is not None else _ID_MAX
    await write_behind.barrier()
    wanted = None if vehicles is None else list(vehicles)
    rows = await database.fetch(ENTRIES, before, wanted, gate, KINDS.get(kind, 0), limit + 1, gates)
    found = [_entry_of(row) for row in rows[:limit]]
    return Page(found, str(found[-1].entry_id) if len(rows) > limit else None)


def _entry_of(row: Record) -> AccessEntry:
    kind = Entry(row["kind"])
    return AccessEntry(
        row["entry_id"],
        microseconds(row["logged_at"]),
        microseconds(row["said_at"]),
        kind.name,
        reason_name(kind, row["reason"]),
        row["gate_id"],
        row["lane"],
        row["vehicle_id"],
        row["operator_id"],
        CredentialKind(row["credential"]).name if row["credential"] else "",
        row["what"],
        row["space"],
    )
