"""Trade busts under four eyes: an operator proposes to take a fill back, another approves or rejects (server/busts.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from handlers.admin import REASON_MAX
from handlers.admin_audit import read_before
from handlers.call import Call
from handlers.desk_keys import decide_once, propose_once
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import NOT_BLANK, ExecutionId, Time, UserId
from handlers.order_body import plain_text
from handlers.request_input import read_choice, read_id, read_limit
from server import busts as busting
from server.busts import STATUSES, Bust
from server.errors import BadRequest

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

BustId = Annotated[str, Meta(pattern="^bst_[1-9][0-9]{0,18}$")]
BustStatusName = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]


class BustBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/trades/{id}/bust`."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=REASON_MAX), Meta(extra_json_schema={"pattern": NOT_BLANK})
    ]


class BustJson(Struct, frozen=True):
    """A proposal to bust a trade. PROPOSED, then REJECTED, or APPROVED and at once BUSTED or REFUSED by the engine.

    `outcome` is the transaction of one that was carried out, or the code of the refusal.
    """

    bust_id: BustId
    buy_execution_id: ExecutionId
    sell_execution_id: ExecutionId
    reason: str
    status: BustStatusName
    proposed_by: UserId
    proposed_at: Time
    decided_by: UserId | None
    decided_at: Time | None
    outcome: str | None


_body: Final = msgspec.json.Decoder(BustBody)
_CHOICES: Final[dict[str, str]] = {status: status for status in STATUSES}


async def propose(call: Call) -> Answer:
    """`POST /admin/trades/{id}/bust`: 201, PROPOSED; nothing has moved yet. The id is either side's execution."""
    body = call.decode(_body)
    reason = plain_text(body.reason, "reason")
    if not reason.strip():
        raise BadRequest("reason", "must not be blank")
    execution_id = read_id(call.path("execution_id"), "exe_")

    async def carry_out(connection: PoolConnectionProxy) -> Answer:
        write_behind, user_id = call.services.write_behind, call.principal.user_id
        proposed = await busting.propose(connection, write_behind, execution_id, reason, user_id)
        return success(_bust_json(proposed), status=201)

    return await propose_once(call, ("propose bust", execution_id, reason), carry_out)


async def busts(call: Call) -> Answer:
    """`GET /admin/busts?status=&cursor=&limit=`, newest first."""
    status = read_choice(call.query, "status", _CHOICES, "")
    limit, before_id = read_limit(call.query), read_before(call)
    found = await busting.busts(call.services.database, status, before_id, limit + 1)
    cursor = str(found[limit - 1].bust_id) if len(found) > limit else None
    return success(
        [_bust_json(each) for each in found[:limit]], meta=MetaJson(limit=limit, next_cursor=cursor)
    )


async def approve(call: Call) -> Answer:
    """`POST /admin/busts/{id}/approve`: by another operator than proposed it; carried out at once, or refused."""
    services = call.services
    bust_id = read_id(call.path("bust_id"), "bst_")

    async def carry_out() -> Answer:
        approved = await busting.approve(
            services.database,
            services.runtime,
            services.write_behind,
            bust_id,
            call.principal.user_id,
            call.request_id,
        )
        return success(_bust_json(approved))

    return await decide_once(call, ("approve bust", bust_id), carry_out)


async def reject(call: Call) -> Answer:
    """`POST /admin/busts/{id}/reject`: by another operator than proposed it."""
    bust_id = read_id(call.path("bust_id"), "bst_")

    async def carry_out() -> Answer:
        rejected = await busting.reject(call.services.database, bust_id, call.principal.user_id)
        return success(_bust_json(rejected))

    return await decide_once(call, ("reject bust", bust_id), carry_out)


def _bust_json(found: Bust) -> BustJson:
    def time(moment: Any) -> str:
        return str(moment.isoformat().replace("+00:00", "Z"))

    return BustJson(
        bust_id=f"bst_{found.bust_id}",
        buy_execution_id=f"exe_{found.trade_id}",
        sell_execution_id=f"exe_{found.trade_id + 1}",
        reason=found.reason,
        status=found.status,
        proposed_by=f"usr_{found.proposed_by}",
        proposed_at=time(found.proposed_at),
        decided_by=f"usr_{found.decided_by}" if found.decided_by is not None else None,
        decided_at=time(found.decided_at) if found.decided_at is not None else None,
        outcome=found.outcome,
    )
