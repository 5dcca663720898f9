"""Corporate actions under four eyes: an operator proposes, another one approves or rejects (server/corporate.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from handlers.admin_audit import read_before
from handlers.call import Call
from handlers.corporate_body import CorporateActionBody, action_json, proposed_of
from handlers.desk_keys import decide_once, propose_once
from handlers.envelope import Answer, MetaJson, success
from handlers.request_input import read_choice, read_id, read_limit
from server import corporate
from server.corporate import STATUSES
from server.errors import NotFound

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_body: Final = msgspec.json.Decoder(CorporateActionBody)
_CHOICES: Final[dict[str, str]] = {status: status for status in STATUSES}


async def propose(call: Call) -> Answer:
    """`POST /admin/corporate-actions`: 201, PROPOSED; nothing has happened yet."""
    proposed = proposed_of(call.decode(_body))
    if proposed.symbol not in call.services.runtime.state.instruments:
        raise NotFound("There is no such instrument.")

    async def carry_out(connection: PoolConnectionProxy) -> Answer:
        made = await corporate.propose(connection, proposed, call.principal.user_id)
        return success(action_json(made), status=201)

    figures = ["" if each is None else each for each in msgspec.structs.astuple(proposed)]
    return await propose_once(call, ("propose corporate action", *figures), carry_out)


async def actions(call: Call) -> Answer:
    """`GET /admin/corporate-actions?status=&cursor=&limit=`, newest first."""
    status = read_choice(call.query, "status", _CHOICES, "")
    limit, before_id = read_limit(call.query), read_before(call)
    found = await corporate.actions(call.services.database, status, before_id, limit + 1)
    cursor = str(found[limit - 1].action_id) if len(found) > limit else None
    rows = [action_json(each) for each in found[:limit]]
    return success(rows, meta=MetaJson(limit=limit, next_cursor=cursor))


def _action_id(call: Call) -> int:
    """The number of `div_7` or `act_8`: they share their numbers."""
    text = call.path("action_id")
    return read_id(text, "act_" if text.startswith("act_") else "div_")


async def approve(call: Call) -> Answer:
    """`POST /admin/corporate-actions/{id}/approve`: by another operator than proposed it; declared at once, or refused."""
    services = call.services
    action_id = _action_id(call)

    async def carry_out() -> Answer:
        user_id = call.principal.user_id
        approved = await corporate.approve(
            services.database, services.runtime, action_id, user_id, call.request_id
        )
        return success(action_json(approved))

    return await decide_once(call, ("approve corporate action", action_id), carry_out)


async def reject(call: Call) -> Answer:
    """`POST /admin/corporate-actions/{id}/reject`: by another operator than proposed it."""
    action_id = _action_id(call)

    async def carry_out() -> Answer:
        rejected = await corporate.reject(call.services.database, action_id, call.principal.user_id)
        return success(action_json(rejected))

    return await decide_once(call, ("reject corporate action", action_id), carry_out)
