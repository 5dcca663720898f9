"""Cash adjustments under four eyes: an operator proposes, another one approves or rejects (server/adjustments.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from engine.refusals import Refusal
from engine.units import CASH_SCALE, CASH_TOTAL_MAX_E4
from handlers.admin import REASON_MAX
from handlers.admin_audit import read_before
from handlers.call import Call
from handlers.desk_keys import decide_once, propose_once
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import NOT_BLANK, AccountId, Time, UserId
from handlers.numbers import Number, cash, read_amount_e4
from handlers.order_body import plain_text
from handlers.request_input import read_choice, read_id, read_limit
from server import adjustments as adjusting
from server.adjustments import STATUSES, Adjustment
from server.errors import BadRequest, NotFound, RefusedAtBorder

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

SignedAmountIn = Annotated[
    Raw,
    Meta(
        description="An amount of cash, not zero: above it is given, below it is taken. Read exactly.",
        extra_json_schema={
            "type": ["number", "string"],
            "minimum": -CASH_TOTAL_MAX_E4 // CASH_SCALE,
            "maximum": CASH_TOTAL_MAX_E4 // CASH_SCALE,
            "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$",
        },
    ),
]
AdjustmentId = Annotated[str, Meta(pattern="^adj_[1-9][0-9]{0,18}$")]
StatusName = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]


class AdjustmentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/adjustments`."""

    user_id: UserId
    amount: SignedAmountIn
    reason: Annotated[
        str, Meta(min_length=1, max_length=REASON_MAX), Meta(extra_json_schema={"pattern": NOT_BLANK})
    ]


class AdjustmentJson(Struct, frozen=True):
    """An adjustment. PROPOSED, then REJECTED, or APPROVED and at once POSTED or REFUSED by the engine.

    `outcome` is the transaction of one that was posted, or the code of the refusal.
    """

    adjustment_id: AdjustmentId
    account_id: AccountId
    amount: Number
    reason: str
    status: StatusName
    proposed_by: UserId
    proposed_at: Time
    decided_by: UserId | None
    decided_at: Time | None
    outcome: str | None


_body: Final = msgspec.json.Decoder(AdjustmentBody)
_CHOICES: Final[dict[str, str]] = {status: status for status in STATUSES}


async def propose(call: Call) -> Answer:
    """`POST /admin/adjustments`: 201, PROPOSED; nothing has moved yet."""
    body = call.decode(_body)
    amount_e4 = read_amount_e4(body.amount)
    if amount_e4 == 0:
        raise RefusedAtBorder(Refusal.INVALID_AMOUNT, "amount", "must not be zero")
    reason = plain_text(body.reason, "reason")
    if not reason.strip():
        raise BadRequest("reason", "must not be blank")
    owner_id = read_id(body.user_id, "usr_")
    account_id = call.services.runtime.state.account_by_user.get(owner_id)
    if account_id is None:
        raise NotFound("There is no such user.")

    async def carry_out(connection: PoolConnectionProxy) -> Answer:
        user_id = call.principal.user_id
        proposed = await adjusting.propose(connection, account_id, amount_e4, reason, user_id)
        return success(_adjustment_json(proposed), status=201)

    return await propose_once(call, ("propose adjustment", account_id, amount_e4, reason), carry_out)


async def adjustments(call: Call) -> Answer:
    """`GET /admin/adjustments?status=&cursor=&limit=`, newest first."""
    status = read_choice(call.query, "status", _CHOICES, "")
    limit, before_id = read_limit(call.query), read_before(call)
    found = await adjusting.adjustments(call.services.database, status, before_id, limit + 1)
    cursor = str(found[limit - 1].adjustment_id) if len(found) > limit else None
    rows = [_adjustment_json(each) for each in found[:limit]]
    return success(rows, meta=MetaJson(limit=limit, next_cursor=cursor))


async def approve(call: Call) -> Answer:
    """`POST /admin/adjustments/{id}/approve`: by another operator than proposed it; posted at once, or refused."""
    services = call.services
    adjustment_id = read_id(call.path("adjustment_id"), "adj_")

    async def carry_out() -> Answer:
        approved = await adjusting.approve(
            services.database,
            services.runtime,
            services.write_behind,
            adjustment_id,
            call.principal.user_id,
            call.request_id,
        )
        return success(_adjustment_json(approved))

    return await decide_once(call, ("approve adjustment", adjustment_id), carry_out)


async def reject(call: Call) -> Answer:
    """`POST /admin/adjustments/{id}/reject`: by another operator than proposed it."""
    adjustment_id = read_id(call.path("adjustment_id"), "adj_")

    async def carry_out() -> Answer:
        rejected = await adjusting.reject(call.services.database, adjustment_id, call.principal.user_id)
        return success(_adjustment_json(rejected))

    return await decide_once(call, ("reject adjustment", adjustment_id), carry_out)


def _adjustment_json(found: Adjustment) -> AdjustmentJson:
    def time(moment: Any) -> str:
        return str(moment.isoformat().replace("+00:00", "Z"))

    return AdjustmentJson(
        adjustment_id=f"adj_{found.adjustment_id}",
        account_id=f"acc_{found.account_id}",
        amount=cash(found.amount_e4),
        reason=found.reason,
        status=found.status,
        proposed_by=f"usr_{found.proposed_by}",
        proposed_at=time(found.proposed_at),
        decided_by=f"usr_{found.decided_by}" if found.decided_by is not None else None,
        decided_at=time(found.decided_at) if found.decided_at is not None else None,
        outcome=found.outcome,
    )
