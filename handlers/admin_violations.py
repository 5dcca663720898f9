"""Violations of risk rules: what there are, and what the risk desk decides on them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.kinds import RiskRule
from handlers.admin_audit import read_before
from handlers.call import Call
from handlers.desk_keys import decide_once
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import NOT_BLANK, names
from handlers.order_body import plain_text
from handlers.orders_read import SYMBOL_MAX
from handlers.request_input import read_choice, read_id, read_limit, read_text
from handlers.violation_json import reviewed_json
from server import risk_desk
from server.errors import BadRequest
from server.risk_desk import DECISIONS, STATUSES

NOTE_MAX: Final = 1_000

DecisionIn = Annotated[str, Meta(extra_json_schema={"enum": list(DECISIONS)})]
RuleQuery = Annotated[str, Meta(extra_json_schema=names(RiskRule))]


class ReviewBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/risk/violations/{id}/review`: ESCALATED leaves the last word to somebody else."""

    decision: DecisionIn
    note: Annotated[
        str, Meta(min_length=1, max_length=NOTE_MAX), Meta(extra_json_schema={"pattern": NOT_BLANK})
    ]


_body: Final = msgspec.json.Decoder(ReviewBody)
_STATUSES: Final = {status: status for status in STATUSES}
_RULES: Final[dict[str, tuple[RiskRule, ...]]] = {rule.name: (rule,) for rule in RiskRule}


async def violations(call: Call) -> Answer:
    """`GET /admin/risk/violations?rule=&status=&account_id=&user_id=&symbol=&cursor=&limit=`, newest first."""
    query, services = call.query, call.services
    state = services.runtime.state
    account_id = read_id(query["account_id"], "acc_") if "account_id" in query else 0
    if "user_id" in query:
        owned_id = state.account_by_user.get(read_id(query["user_id"], "usr_"), -1)
        account_id = owned_id if account_id in (0, owned_id) else -1
    limit, seq = read_limit(query), state.seq
    found = await risk_desk.violations(
        services.database,
        services.write_behind,
        account_id=account_id,
        symbol=read_text(query, "symbol", most=SYMBOL_MAX) or "",
        rules=read_choice(query, "rule", _RULES, ()),
        status=read_choice(query, "status", _STATUSES, ""),
        before_id=read_before(call),
        limit=limit + 1,
    )
    cursor = str(found[limit - 1].event.violation_id) if len(found) > limit else None
    rows = [reviewed_json(state, each) for each in found[:limit]]
    return success(rows, meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=cursor))


async def review(call: Call) -> Answer:
    """`POST /admin/risk/violations/{id}/review`: once, and once more when it was escalated."""
    body = call.decode(_body)
    violation_id = read_id(call.path("violation_id"), "vio_")
    if body.decision not in DECISIONS:
        raise BadRequest("decision", f"must be one of {', '.join(DECISIONS)}")
    note = plain_text(body.note, "note")
    if not note.strip():
        raise BadRequest("note", "must not be blank")
    services = call.services

    async def carry_out() -> Answer:
        reviewed = await risk_desk.review(
            services.database,
            services.write_behind,
            violation_id,
            call.principal.user_id,
            body.decision,
            note,
        )
        return success(reviewed_json(services.runtime.state, reviewed))

    return await decide_once(call, ("review violation", violation_id, body.decision, note), carry_out)
