"""The caller's API keys: made, listed, revoked. Only a signed-in session may; a key cannot make another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import NOT_BLANK, Time
from handlers.order_body import plain_text
from handlers.order_json import time_text
from handlers.request_input import read_id
from server.api_keys import ApiKey
from server.errors import BadRequest
from server.history import microseconds
from server.principal import Scope

NAME_MAX: Final = 64
DAYS_MAX: Final = 3_650

KeyId = Annotated[str, Meta(pattern="^key_[1-9][0-9]{0,18}$")]
ScopeName = Annotated[str, Meta(extra_json_schema={"enum": [scope.value for scope in Scope]})]


class ApiKeyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /auth/api-keys`. Without `expires_in_days` the key lives until it is revoked."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX, extra_json_schema={"pattern": NOT_BLANK})]
    scopes: Annotated[
        tuple[Scope, ...], Meta(min_length=1, max_length=len(Scope), extra_json_schema={"uniqueItems": True})
    ]
    expires_in_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None


class ApiKeyJson(Struct, frozen=True):
    """A key. `hint` is its last characters; `last_used_at` is null until it was used."""

    key_id: KeyId
    name: str
    hint: str
    scopes: tuple[ScopeName, ...]
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None


class NewApiKeyJson(ApiKeyJson, frozen=True, kw_only=True):
    """A new key. `api_key` is shown here and never again."""

    api_key: str

    def __repr__(self) -> str:
        return f"<NewApiKeyJson {self.key_id}>"


class RevokedKeyJson(Struct, frozen=True):
    """A key that is good no more."""

    key_id: KeyId
    revoked: bool = True


_body = msgspec.json.Decoder(ApiKeyBody)


async def create(call: Call) -> Answer:
    """`POST /auth/api-keys`: 201 with the key. 409 TOO_MANY_API_KEYS."""
    body = call.decode(_body)
    name = plain_text(body.name, "name")
    if not name.strip():
        raise BadRequest("name", "must not be blank")
    if len(set(body.scopes)) != len(body.scopes):
        raise BadRequest("scopes", "must not repeat")
    expires_at = None
    if body.expires_in_days is not None:
        expires_at = datetime.now(UTC) + timedelta(days=body.expires_in_days)
    text, key = await call.services.auth.api_keys.create(
        call.principal.user_id, name, body.scopes, expires_at
    )
    return success(NewApiKeyJson(**_fields(key), api_key=text), status=201)


async def keys(call: Call) -> Answer:
    """`GET /auth/api-keys`, newest first."""
    found = call.services.auth.api_keys.of_user(call.principal.user_id)
    return success([ApiKeyJson(**_fields(key)) for key in found])


async def revoke(call: Call) -> Answer:
    """`DELETE /auth/api-keys/{id}`: it is refused from now on, and sockets opened with it are closed with 4401."""
    key_id = read_id(call.path("key_id"), "key_")
    await call.services.auth.api_keys.revoke(call.principal.user_id, key_id)
    return success(RevokedKeyJson(f"key_{key_id}"))


def _text(at: datetime) -> str:
    return time_text(microseconds(at))


def _fields(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": f"key_{key.key_id}",
        "name": key.name,
        "hint": key.hint,
        "scopes": tuple(scope.value for scope in Scope if scope in key.scopes),
        "created_at": _text(key.created_at),
        "expires_at": _text(key.expires_at) if key.expires_at else None,
        "last_used_at": _text(key.last_used_at) if key.last_used_at else None,
    }
