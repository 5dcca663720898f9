"""The caller's sessions: where somebody is signed in, and how to end that."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import Time
from handlers.order_json import time_text
from handlers.request_input import read_id
from server.errors import NotFound
from server.history import microseconds

SessionId = Annotated[str, Meta(pattern="^ses_[1-9][0-9]{0,18}$")]


class SessionJson(Struct, frozen=True):
    """A live session. `current` is the one that asks."""

    session_id: SessionId
    created_at: Time
    refreshed_at: Time
    address: str
    user_agent: str
    current: bool


class EndedJson(Struct, frozen=True):
    """A session that has ended."""

    session_id: SessionId
    revoked: bool = True


class EndedCountJson(Struct, frozen=True):
    """How many other sessions have ended."""

    revoked: int


async def sessions(call: Call) -> Answer:
    """`GET /auth/sessions`, newest first."""
    principal = call.principal
    return success(
        [
            SessionJson(
                session_id=f"ses_{session.session_id}",
                created_at=_text(session.created_at),
                refreshed_at=_text(session.refreshed_at),
                address=session.address,
                user_agent=session.user_agent,
                current=session.session_id == principal.session_id,
            )
            for session in await call.services.auth.sessions.of_user(principal.user_id)
        ]
    )


async def revoke(call: Call) -> Answer:
    """`DELETE /auth/sessions/{id}`: its tokens are refused from now on, its sockets are closed with 4401."""
    session_id = read_id(call.path("session_id"), "ses_")
    ended = await call.services.auth.sessions.end_of_user(call.principal.user_id, session_id, "REVOKED")
    if not ended:
        raise NotFound
    return success(EndedJson(f"ses_{session_id}"))


async def revoke_others(call: Call) -> Answer:
    """`DELETE /auth/sessions`: ends all of the caller's sessions but the one that asks."""
    principal = call.principal
    count = await call.services.auth.sessions.end_all_of_user(
        principal.user_id, "REVOKED", except_session=principal.session_id
    )
    return success(EndedCountJson(count))


def _text(at: datetime) -> str:
    return time_text(microseconds(at))
