"""Cash adjustments under four eyes: one operator proposes, another one decides, and only then the engine posts.

1. `propose`: a row, PROPOSED                       nothing has moved
2. `decide`: APPROVED or REJECTED, once, by somebody else (the database says so too)
3. the engine's `AdjustCash` with the row's id as its reference and idempotency key
4. the row becomes POSTED with its transaction, or REFUSED with the engine's refusal
A crash between 2 and 4 leaves it APPROVED: approving it again looks in the ledger first and goes on from there.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.commands import AdjustCash, Envelope
from engine.events import Posted
from engine.kinds import Source
from server.database import Database
from server.four_eyes import FourEyes
from sql import desk

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from server.runtime import Runtime
    from server.write_behind import WriteBehind

STATUSES: Final = ("PROPOSED", "APPROVED", "REJECTED", "POSTED", "REFUSED")
_ID_MAX: Final = 2**63 - 1


class Adjustment(Struct, frozen=True):
    """A cash adjustment. `outcome` is the transaction (`txn_…`) of one that was posted, or the refusal's name."""

    adjustment_id: int
    account_id: int
    amount_e4: int
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    outcome: str | None

    @property
    def reference(self) -> str:
        """What the ledger calls it."""
        return f"adj_{self.adjustment_id}"


_proposals: Final = FourEyes(
    "adjustment", Adjustment, one=desk.ADJUSTMENT, decide=desk.DECIDE, finish=desk.FINISH
)


async def propose(
    connection: PoolConnectionProxy, account_id: int, amount_e4: int, reason: str, user_id: int
) -> Adjustment:
    """Write a proposal down. Raises DatabaseUnavailable, as all of these."""
    row = await connection.fetchrow(desk.PROPOSE, account_id, amount_e4, reason, user_id)
    assert row is not None
    return _proposals.of(row)


async def adjustments(database: Database, status: str, before_id: int | None, limit: int) -> list[Adjustment]:
    """The newest `limit` before an id; '' is every status."""
    before = _ID_MAX if before_id is None else before_id
    return [_proposals.of(row) for row in await database.fetch(desk.ADJUSTMENTS, status, before, limit)]


async def reject(database: Database, adjustment_id: int, user_id: int) -> Adjustment:
    """Turn a proposal down. Raises NotFound, Forbidden for the one who proposed, Conflict when another has decided, or
    the same operator otherwise.
    """
    return await _proposals.decide(database, adjustment_id, user_id, "REJECTED")


async def approve(
    database: Database,
    runtime: Runtime,
    write_behind: WriteBehind,
    adjustment_id: int,
    user_id: int,
    request_id: str,
) -> Adjustment:
    """Approve a proposal and carry it out. Raises as `reject`, and what `Runtime.submit` raises."""
    decided = await _proposals.decide(database, adjustment_id, user_id, "APPROVED")
    if decided.outcome is not None:
        return decided
    command = AdjustCash(decided.account_id, decided.amount_e4, decided.reference)
    await write_behind.barrier()
    posted = await database.fetchrow(desk.POSTED_AS, decided.account_id, decided.reference)
    if posted is not None:
        return await _proposals.finish(database, adjustment_id, "POSTED", f"txn_{posted[0]}")
    envelope = Envelope(
        Source.OPERATOR,
        0,
        decided.account_id,
        request_id,
        f"adjustment-{adjustment_id}",
        decided.reference.encode(),
    )
    applied = await runtime.execute(command, envelope)
    if applied.refused is not None:
        return await _proposals.finish(database, adjustment_id, "REFUSED", applied.refused.refusal.name)
    transaction = next(event.txn_id for event in applied.answer if isinstance(event, Posted))
    return await _proposals.finish(database, adjustment_id, "POSTED", f"txn_{transaction}")
