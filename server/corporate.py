"""Corporate actions under four eyes (server/four_eyes.py), and the dividends of an account.

1. `propose`: a row, PROPOSED                       nothing has happened
2. `approve`: APPROVED, by somebody else
3. the engine's `DeclareDividend`, with the row's id: it takes each on once
4. the row becomes DECLARED, or REFUSED with the engine's refusal
A crash between 2 and 4 leaves it APPROVED: the engine knows whether it has it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.commands import DeclareDividend, Envelope
from engine.kinds import Source
from server.database import Database
from server.errors import BadRequest
from server.four_eyes import FourEyes
from server.history import microseconds, moment
from sql import dividends as queries

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from server.runtime import Runtime
    from server.write_behind import WriteBehind

STATUSES: Final = ("PROPOSED", "APPROVED", "REJECTED", "DECLARED", "REFUSED")
_ID_MAX: Final = 2**63 - 1


class CorporateAction(Struct, frozen=True):
    """A proposal. `outcome` is the refusal's name of one that was refused, else what the ledger calls it."""

    action_id: int
    kind: str
    symbol: str
    per_unit_e8: int
    record_at: datetime
    payment_at: datetime
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    outcome: str | None


class PaidDividend(Struct, frozen=True):
    """What an account got for its units of a symbol. The rate and the record time are None where the table lacks them."""

    txn_id: int
    dividend_id: int
    symbol: str
    units_e8: int
    amount_e4: int
    paid_us: int
    per_unit_e8: int | None
    record_us: int | None


_proposals: Final = FourEyes(
    "corporate action", CorporateAction, one=queries.ACTION, decide=queries.DECIDE, finish=queries.FINISH
)


async def propose(
    connection: PoolConnectionProxy,
    symbol: str,
    per_unit_e8: int,
    record_us: int,
    payment_us: int,
    reason: str,
    user_id: int,
) -> CorporateAction:
    """Write a cash dividend down. Raises DatabaseUnavailable, as all of these."""
    row = await connection.fetchrow(
        queries.PROPOSE, symbol, per_unit_e8, moment(record_us), moment(payment_us), reason, user_id
    )
    return _proposals.of(row)


async def actions(
    database: Database, status: str, before_id: int | None, limit: int
) -> list[CorporateAction]:
    """The newest `limit` before an id; '' is every status."""
    before = _ID_MAX if before_id is None else before_id
    return [_proposals.of(row) for row in await database.fetch(queries.ACTIONS, status, before, limit)]


async def reject(database: Database, action_id: int, user_id: int) -> CorporateAction:
    """Turn a proposal down. Raises as `FourEyes.decide`."""
    return await _proposals.decide(database, action_id, user_id, "REJECTED")


async def approve(
    database: Database, runtime: Runtime, action_id: int, user_id: int, request_id: str
) -> CorporateAction:
    """Approve a proposal and have the engine take it on. Raises as `reject`, and what `Runtime.submit` raises."""
    decided = await _proposals.decide(database, action_id, user_id, "APPROVED")
    if decided.outcome is not None:
        return decided
    name = f"div_{action_id}"
    if action_id in runtime.state.dividends:
        await runtime.wait_durable(runtime.state.seq)
        return await _proposals.finish(database, action_id, "DECLARED", name)
    command = DeclareDividend(
        action_id,
        decided.symbol,
        decided.per_unit_e8,
        microseconds(decided.record_at),
        microseconds(decided.payment_at),
    )
    applied = await runtime.execute(command, Envelope(Source.OPERATOR, 0, 0, request_id))
    if applied.refused is not None:
        return await _proposals.finish(database, action_id, "REFUSED", applied.refused.refusal.name)
    return await _proposals.finish(database, action_id, "DECLARED", name)


async def paid_dividends(
    database: Database,
    write_behind: WriteBehind,
    account_id: int,
    *,
    symbol: str,
    from_us: int,
    to_us: int,
    cursor: str | None,
    limit: int,
) -> tuple[list[PaidDividend], str | None]:
    """What an account got, newest first, and the cursor of what comes after. Raises `BadRequest` for a bad cursor."""
    if cursor is not None and not (
        cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(_ID_MAX))
    ):
        raise BadRequest("cursor", "is not one that was given out")
    before = _ID_MAX if cursor is None else min(int(cursor), _ID_MAX)
    await write_behind.barrier()
    rows = await database.fetch(
        queries.PAYMENTS, account_id, before, symbol, moment(from_us), moment(to_us), limit + 1
    )
    found = [
        PaidDividend(
            row["txn_id"],
            row["dividend_id"],
            row["symbol"],
            row["units_e8"],
            row["amount_e4"],
            microseconds(row["paid_at"]),
            row["per_unit_e8"],
            microseconds(row["record_at"]) if row["record_at"] is not None else None,
        )
        for row in rows[:limit]
    ]
    return found, str(found[-1].txn_id) if len(rows) > limit else None
