"""The risk desk: violations of risk rules as they are kept, and their reviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from engine.events import RiskViolated
from engine.kinds import RiskMode, RiskRule, Side
from server.database import Database
from server.errors import Conflict, NotFound
from server.history import microseconds
from sql import risk as queries

if TYPE_CHECKING:
    from server.write_behind import WriteBehind

STATUSES: Final = ("OPEN", "DISMISSED", "CONFIRMED", "ESCALATED")
DECISIONS: Final = STATUSES[1:]
_ID_MAX: Final = 2**63 - 1
_figures: Final = msgspec.json.Decoder(tuple[tuple[str, int], ...]).decode


class Reviewed(Struct, frozen=True, gc=False):
    """A violation and what was made of it. `status` is OPEN until somebody has decided."""

    event: RiskViolated
    status: str = STATUSES[0]
    reviewed_by: int | None = None
    reviewed_at: datetime | None = None
    note: str | None = None


async def violations(
    database: Database,
    write_behind: WriteBehind,
    *,
    account_id: int,
    symbol: str,
    rules: Sequence[RiskRule],
    status: str,
    before_id: int | None,
    limit: int,
) -> list[Reviewed]:
    """The newest `limit` before an id, with all that was durable when it was asked. Raises DatabaseUnavailable."""
    await write_behind.barrier()
    before = _ID_MAX if before_id is None else before_id
    numbers = [int(rule) for rule in rules]
    rows = await database.fetch(queries.VIOLATIONS, account_id, symbol, numbers, status, before, limit)
    return [_reviewed(row) for row in rows]


async def review(
    database: Database,
    write_behind: WriteBehind,
    violation_id: int,
    user_id: int,
    decision: str,
    note: str,
) -> Reviewed:
    """Decide on a violation. Raises NotFound, and Conflict when somebody has decided otherwise."""
    await write_behind.barrier()
    row = await database.fetchrow(queries.REVIEW, violation_id, user_id, decision, note)
    if row is not None:
        return _reviewed(row)
    row = await database.fetchrow(queries.VIOLATION, violation_id)
    if row is None:
        raise NotFound("There is no such violation.")
    if (row["status"], row["reviewed_by"], row["note"]) == (decision, user_id, note):
        return _reviewed(row)
    raise Conflict(f"The violation is {row['status']} already.")


def _reviewed(row: Any) -> Reviewed:
    event = RiskViolated(
        row["violation_id"],
        RiskRule(row["rule"]),
        RiskMode(row["mode"]),
        row["account_id"],
        row["symbol"],
        row["order_id"],
        Side(row["side"]),
        row["quantity_e8"],
        row["price_e4"],
        _figures(row["figures"]),
        microseconds(row["at"]),
    )
    return Reviewed(event, row["status"], row["reviewed_by"], row["reviewed_at"], row["note"])
