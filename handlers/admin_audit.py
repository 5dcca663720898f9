"""What operators did, written down: a handler that changes something is wrapped, and nothing is answered before its row is kept.

The journal has every command with its user and request id in any case. When PostgreSQL is away an operator's stop must work
all the same: then the row goes to the log, loudly.
"""

from __future__ import annotations

import logging
from typing import Annotated, Final

from msgspec import Meta, Struct

from handlers.call import Call
from handlers.envelope import Answer, MetaJson, failure, success
from handlers.field_types import Time, UserId
from handlers.request_input import read_cursor, read_id, read_limit
from handlers.routing import Handler
from server import desk
from server.errors import BadRequest, DatabaseUnavailable, KerbError

log = logging.getLogger("kerb.audit")

BODY_MAX: Final = 4_096
CURSOR_DIGITS_MAX: Final = 18

AuditId = Annotated[str, Meta(pattern="^aud_[1-9][0-9]{0,18}$")]


class AuditJson(Struct, frozen=True):
    """One action: who, what (method and path), on what, with which body, what came of it, and under which request id."""

    audit_id: AuditId
    at: Time
    user_id: UserId
    action: str
    target: str
    body: str
    status: int
    request_id: str


class Audited:
    """A handler whose calls leave a row of the audit, whatever comes of them."""

    def __init__(self, handler: Handler) -> None:
        self.handler: Final = handler

    async def __call__(self, call: Call) -> Answer:
        """Carry the call out, and keep who did it."""
        try:
            answer = await self.handler(call)
        except KerbError as error:
            await _keep(call, failure(error, call.request_id).status)
            raise
        except Exception:
            await _keep(call, 500)
            raise
        await _keep(call, answer.status)
        return answer


async def _keep(call: Call, status: int) -> None:
    request = call.request
    resource = request.match_info.route.resource
    action = f"{request.method} {resource.canonical if resource is not None else request.path}"
    target = _plain(" ".join(request.match_info.values()))
    body = _plain(call.body[:BODY_MAX].decode("utf-8", "replace"))
    user_id = call.principal.user_id
    try:
        await desk.add_audit(call.services.database, user_id, action, target, body, status, call.request_id)
    except DatabaseUnavailable:
        log.critical(
            "not in the audit log: user %d, %s, %r, %r, %d, request %s",
            *(user_id, action, target, body, status, call.request_id),
        )


def _plain(text: str) -> str:
    """What PostgreSQL can keep."""
    return text.replace("\u0000", "\ufffd").encode("utf-8", "replace").decode()


async def audit(call: Call) -> Answer:
    """`GET /admin/audit?user_id=&cursor=&limit=`, newest first."""
    limit, before_id = read_limit(call.query), read_before(call)
    user_id = read_id(call.query["user_id"], "usr_") if "user_id" in call.query else 0
    found = await desk.audit(call.services.database, user_id, before_id, limit)
    rows = [
        AuditJson(
            audit_id=f"aud_{row.audit_id}",
            at=row.at.isoformat().replace("+00:00", "Z"),
            user_id=f"usr_{row.user_id}",
            action=row.action,
            target=row.target,
            body=row.body,
            status=row.status,
            request_id=row.request_id,
        )
        for row in found.items
    ]
    return success(rows, meta=MetaJson(limit=limit, next_cursor=found.next_cursor))


def read_before(call: Call) -> int | None:
    """The id that a list goes on before; None from its newest on."""
    cursor = read_cursor(call.query)
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= CURSOR_DIGITS_MAX + 1):
        raise BadRequest("cursor", "is not one that was given out")
    return min(int(cursor), 2**63 - 1)
