"""Corporate actions under four eyes (server/four_eyes.py), and the dividends of an account.

1. `propose`: a row, PROPOSED                       nothing has happened
2. `approve`: APPROVED, by somebody else
3. the engine's `DeclareDividend` or `DeclareAction`, with the row's id: it takes each on once
4. the row becomes DECLARED, or REFUSED with the engine's refusal
5. what takes effect at a time is shown as EFFECTED then, or FAILED
A crash between 2 and 4 leaves it APPROVED: the engine knows whether it has it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.commands import AnyCommand, DeclareDividend, Envelope
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.kinds import Source
from server.database import Database
from server.errors import BadRequest
from server.four_eyes import FourEyes
from server.history import microseconds, moment
from sql import corporate_actions as queries
from sql.dividends import PAYMENTS

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from server.runtime import Runtime
    from server.write_behind import WriteBehind

STATUSES: Final = ("PROPOSED", "APPROVED", "REJECTED", "DECLARED", "REFUSED", "EFFECTED", "FAILED")
CASH_DIVIDEND: Final = "CASH_DIVIDEND"
_ID_MAX: Final = 2**63 - 1


class Proposed(Struct, frozen=True):
    """What an operator proposes. A dividend has a rate, a record and a payment; all else takes effect at a time.

    `kind` is CASH_DIVIDEND or the name of an `ActionKind`.
    """

    kind: str
    symbol: str
    reason: str
    per_unit_e8: int | None = None
    record_us: int | None = None
    payment_us: int | None = None
    effective_us: int | None = None
    numerator: int | None = None
    denominator: int | None = None
    new_symbol: str | None = None
    cash_e8: int | None = None


class CorporateAction(Struct, frozen=True):
    """A proposal. `outcome` is the refusal's name of one that was refused, or failed, else what the ledger calls it."""

    action_id: int
    kind: str
    symbol: str
    per_unit_e8: int | None
    record_at: datetime | None
    payment_at: datetime | None
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    outcome: str | None
    effective_at: datetime | None
    numerator: int | None
    denominator: int | None
    new_symbol: str | None
    cash_e8: int | None

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return f"div_{self.action_id}" if self.kind == CASH_DIVIDEND else f"act_{self.action_id}"


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


async def propose(connection: PoolConnectionProxy, proposed: Proposed, user_id: int) -> CorporateAction:
    """Write a corporate action down. Raises DatabaseUnavailable, as all of these."""
    row = await connection.fetchrow(
        queries.PROPOSE,
        proposed.kind,
        proposed.symbol,
        proposed.per_unit_e8,
        _moment(proposed.record_us),
        _moment(proposed.payment_us),
        _moment(proposed.effective_us),
        proposed.numerator,
        proposed.denominator,
        proposed.new_symbol,
        proposed.cash_e8,
        proposed.reason,
        user_id,
    )
    return _proposals.of(row)


def _moment(time_us: int | None) -> datetime | None:
    return None if time_us is None else moment(time_us)


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
    if action_id in runtime.state.dividends or action_id in runtime.state.actions:
        await runtime.wait_durable(runtime.state.seq)
        return await _proposals.finish(database, action_id, "DECLARED", decided.name)
    applied = await runtime.execute(_command(decided), Envelope(Source.OPERATOR, 0, 0, request_id))
    if applied.refused is not None:
        return await _proposals.finish(database, action_id, "REFUSED", applied.refused.refusal.name)
    return await _proposals.finish(database, action_id, "DECLARED", decided.name)


def _command(decided: CorporateAction) -> AnyCommand:
    """What the engine is asked for."""
    if decided.kind == CASH_DIVIDEND:
        assert decided.per_unit_e8 is not None
        assert decided.record_at is not None
        assert decided.payment_at is not None
        record_us, payment_us = microseconds(decided.record_at), microseconds(decided.payment_at)
        return DeclareDividend(decided.action_id, decided.symbol, decided.per_unit_e8, record_us, payment_us)
    assert decided.effective_at is not None
    return DeclareAction(
        decided.action_id,
        ActionKind[decided.kind],
        decided.symbol,
        microseconds(decided.effective_at),
        decided.numerator or 1,
        decided.denominator or 1,
        decided.new_symbol or "",
        decided.cash_e8 or 0,
    )


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
        PAYMENTS, account_id, before, symbol, moment(from_us), moment(to_us), limit + 1
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
