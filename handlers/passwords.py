"""Passwords: changing one's own, and setting a new one by a letter when it is forgotten."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from handlers.auth import EMAIL_MAX, TYPED_PASSWORD_MAX
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import Confidential
from server.errors import BadRequest
from server.password_rules import LENGTH_MAX, LENGTH_MIN

NewPassword = Annotated[str, Meta(min_length=LENGTH_MIN, max_length=LENGTH_MAX)]


class ChangeBody(Confidential, frozen=True, forbid_unknown_fields=True):
    """`POST /auth/change-password`."""

    current_password: Annotated[str, Meta(max_length=TYPED_PASSWORD_MAX)]
    new_password: NewPassword


class ForgotBody(Confidential, frozen=True, forbid_unknown_fields=True):
    """`POST /auth/forgot-password`."""

    email: Annotated[str, Meta(max_length=EMAIL_MAX, extra_json_schema={"pattern": r"^[^\u0000]*$"})]


class ResetBody(Confidential, frozen=True, forbid_unknown_fields=True):
    """`POST /auth/reset-password`. `token` is what the letter gave."""

    token: Annotated[str, Meta(min_length=1, max_length=200)]
    new_password: NewPassword


class ChangedJson(Struct, frozen=True):
    """The new password is in force. Other sessions have ended."""

    changed: bool = True


class ForgottenJson(Struct, frozen=True):
    """If a user has this address, a letter is on its way; nothing else is told."""

    accepted: bool = True


_change = msgspec.json.Decoder(ChangeBody)
_forgot = msgspec.json.Decoder(ForgotBody)
_reset = msgspec.json.Decoder(ResetBody)


async def change(call: Call) -> Answer:
    """`POST /auth/change-password`: ends the caller's other sessions. 422 WRONG_PASSWORD, WEAK_PASSWORD."""
    body = call.decode(_change)
    await call.services.auth.password_changes.change(
        call.principal, body.current_password, body.new_password, address=call.request.remote or ""
    )
    return success(ChangedJson())


async def forgot(call: Call) -> Answer:
    """`POST /auth/forgot-password`: 202 for every address."""
    body = call.decode(_forgot)
    if "\0" in body.email:
        raise BadRequest("email", "must not contain control characters")
    call.services.auth.password_changes.forgot(body.email)
    return success(ForgottenJson(), status=202)


async def reset(call: Call) -> Answer:
    """`POST /auth/reset-password`: ends all of the user's sessions and API keys. 422 RESET_TOKEN_INVALID, WEAK_PASSWORD."""
    body = call.decode(_reset)
    await call.services.auth.password_changes.reset(body.token, body.new_password)
    return success(ChangedJson())
