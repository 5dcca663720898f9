"""Corporate actions under four eyes: an operator proposes, another one approves or rejects (server/corporate.py)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.refusals import Refusal
from engine.units import QUANTITY_MAX_E8
from handlers.admin import REASON_MAX
from handlers.admin_audit import read_before
from handlers.call import Call
from handlers.desk_keys import decide_once, propose_once
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import NOT_BLANK, Time, TimeIn, UserId
from handlers.numbers import AmountIn, Number, quantity, scaled
from handlers.order_body import Symbol, plain_text
from handlers.request_input import read_choice, read_id, read_limit, read_time_us
from server import corporate
from server.corporate import STATUSES, CorporateAction
from server.errors import BadRequest, NotFound, RefusedAtBorder

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

ActionId = Annotated[str, Meta(pattern="^div_[1-9][0-9]{0,18}$")]
ActionStatusName = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]


class CorporateActionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/corporate-actions`: a cash dividend for whoever has shares at `record_at`, paid at `payment_at`."""

    type: Literal["CASH_DIVIDEND"]
    stock_symbol: Symbol
    amount_per_share: AmountIn
    record_at: TimeIn
    payment_at: TimeIn
    reason: Annotated[
        str, Meta(min_length=1, max_length=REASON_MAX), Meta(extra_json_schema={"pattern": NOT_BLANK})
    ]


class CorporateActionJson(Struct, frozen=True):
    """A corporate action. PROPOSED, then REJECTED, or APPROVED and at once DECLARED or REFUSED by the engine.

    `outcome` is what the ledger calls it, or the code of the refusal.
    """

    action_id: ActionId
    type: Literal["CASH_DIVIDEND"]
    stock_symbol: str
    amount_per_share: Number
    record_at: Time
    payment_at: Time
    reason: str
    status: ActionStatusName
    proposed_by: UserId
    proposed_at: Time
    decided_by: UserId | None
    decided_at: Time | None
    outcome: str | None


_body: Final = msgspec.json.Decoder(CorporateActionBody)
_CHOICES: Final[dict[str, str]] = {status: status for status in STATUSES}


async def propose(call: Call) -> Answer:
    """`POST /admin/corporate-actions`: 201, PROPOSED; nothing has happened yet."""
    body = call.decode(_body)
    per_unit_e8 = scaled(body.amount_per_share, "amount_per_share", 8)
    if per_unit_e8 is None or not 0 < per_unit_e8 <= QUANTITY_MAX_E8:
        problem = "must be above zero, with at most 8 decimals"
        raise RefusedAtBorder(Refusal.INVALID_AMOUNT, "amount_per_share", problem)
    times = {"record_at": body.record_at, "payment_at": body.payment_at}
    record_us, payment_us = (read_time_us(times, name) for name in times)
    assert record_us is not None
    assert payment_us is not None
    if payment_us < record_us:
        raise RefusedAtBorder(Refusal.INVALID_ACTION, "payment_at", "is before record_at")
    reason = plain_text(body.reason, "reason")
    if not reason.strip():
        raise BadRequest("reason", "must not be blank")
    symbol = plain_text(body.stock_symbol, "stock_symbol")
    if symbol not in call.services.runtime.state.instruments:
        raise NotFound("There is no such instrument.")

    async def carry_out(connection: PoolConnectionProxy) -> Answer:
        user_id = call.principal.user_id
        figures = (symbol, per_unit_e8, record_us, payment_us, reason)
        return success(_action_json(await corporate.propose(connection, *figures, user_id)), status=201)

    asked = ("propose corporate action", body.type, symbol, per_unit_e8, record_us, payment_us, reason)
    return await propose_once(call, asked, carry_out)


async def actions(call: Call) -> Answer:
    """`GET /admin/corporate-actions?status=&cursor=&limit=`, newest first."""
    status = read_choice(call.query, "status", _CHOICES, "")
    limit, before_id = read_limit(call.query), read_before(call)
    found = await corporate.actions(call.services.database, status, before_id, limit + 1)
    cursor = str(found[limit - 1].action_id) if len(found) > limit else None
    rows = [_action_json(each) for each in found[:limit]]
    return success(rows, meta=MetaJson(limit=limit, next_cursor=cursor))


async def approve(call: Call) -> Answer:
    """`POST /admin/corporate-actions/{id}/approve`: by another operator than proposed it; declared at once, or refused."""
    services = call.services
    action_id = read_id(call.path("action_id"), "div_")

    async def carry_out() -> Answer:
        user_id = call.principal.user_id
        approved = await corporate.approve(
            services.database, services.runtime, action_id, user_id, call.request_id
        )
        return success(_action_json(approved))

    return await decide_once(call, ("approve corporate action", action_id), carry_out)


async def reject(call: Call) -> Answer:
    """`POST /admin/corporate-actions/{id}/reject`: by another operator than proposed it."""
    action_id = read_id(call.path("action_id"), "div_")

    async def carry_out() -> Answer:
        rejected = await corporate.reject(call.services.database, action_id, call.principal.user_id)
        return success(_action_json(rejected))

    return await decide_once(call, ("reject corporate action", action_id), carry_out)


def _action_json(found: CorporateAction) -> CorporateActionJson:
    def time(moment: datetime) -> str:
        return moment.isoformat().replace("+00:00", "Z")

    return CorporateActionJson(
        action_id=f"div_{found.action_id}",
        type="CASH_DIVIDEND",
        stock_symbol=found.symbol,
        amount_per_share=quantity(found.per_unit_e8),
        record_at=time(found.record_at),
        payment_at=time(found.payment_at),
        reason=found.reason,
        status=found.status,
        proposed_by=f"usr_{found.proposed_by}",
        proposed_at=time(found.proposed_at),
        decided_by=f"usr_{found.decided_by}" if found.decided_by is not None else None,
        decided_at=time(found.decided_at) if found.decided_at is not None else None,
        outcome=found.outcome,
    )
