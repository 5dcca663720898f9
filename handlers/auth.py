"""Registration, login, refresh, logout."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from config.settings import Mode
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import NOT_BLANK, AccountId, Confidential, KycStatus, RoleName, UserId
from handlers.order_body import plain_text
from server.auth import Grant, NewUser
from server.errors import BadRequest
from server.password_rules import LENGTH_MAX, LENGTH_MIN

TYPED_PASSWORD_MAX: Final = 256
"""What is compared with a stored password may be longer than what is taken as a new one."""

EMAIL_MAX: Final = 254

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}")


def _form(pattern: str) -> Meta:
    """The form of a text as the documents say it; what refuses another one, and says why, is the handler."""
    return Meta(extra_json_schema={"pattern": f"^{pattern}$"})


FullName = Annotated[str, Meta(min_length=1, max_length=200), _form(NOT_BLANK)]
Phone = Annotated[str, _form(PHONE.pattern)]


class RegisterBody(Confidential, frozen=True, forbid_unknown_fields=True):
    """`POST /auth/register`."""

    email: Annotated[str, Meta(max_length=EMAIL_MAX), _form(_EMAIL.pattern)]
    password: Annotated[str, Meta(min_length=LENGTH_MIN, max_length=LENGTH_MAX)]
    full_name: FullName
    phone: Phone | None = None


class LoginBody(Confidential, frozen=True, forbid_unknown_fields=True):
    """`POST /auth/login`."""

    email: Annotated[str, Meta(max_length=EMAIL_MAX), _form(r"[^\u0000]*")]
    password: Annotated[str, Meta(max_length=TYPED_PASSWORD_MAX)]


class RefreshBody(Confidential, frozen=True, forbid_unknown_fields=True):
    """`POST /auth/refresh-token`."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class RegisteredJson(Struct, frozen=True):
    """A new user. Paper money is verified at once; real money begins with KYC."""

    user_id: UserId
    email: str
    full_name: str
    account_id: AccountId
    kyc_status: KycStatus
    kyc_tier: int
    email_verified: bool


class GrantJson(Confidential, frozen=True):
    """Tokens of a session. `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user_id: UserId
    roles: tuple[RoleName, ...]


class LoggedOutJson(Struct, frozen=True):
    """The session has ended."""

    logged_out: bool = True


_register = msgspec.json.Decoder(RegisterBody)
_login = msgspec.json.Decoder(LoginBody)
_refresh = msgspec.json.Decoder(RefreshBody)


def check_profile(full_name: str, phone: str | None) -> None:
    """What a user says of themselves. Raises BadRequest."""
    if phone is not None and PHONE.fullmatch(phone) is None:
        raise BadRequest("phone", "is not a telephone number")
    plain_text(full_name, "full_name")
    if not full_name.strip():
        raise BadRequest("full_name", "must not be blank")


async def register(call: Call) -> Answer:
    """Make a user with an open account. 409 EMAIL_TAKEN, 422 WEAK_PASSWORD."""
    body = call.decode(_register)
    if _EMAIL.fullmatch(body.email) is None:
        raise BadRequest("email", "is not an e-mail address")
    check_profile(body.full_name, body.phone)
    verified = call.services.settings.mode is not Mode.PRODUCTION
    registered = await call.services.auth.register(
        NewUser(body.email, body.password, body.full_name, body.phone, verified=verified)
    )
    return success(
        RegisteredJson(
            user_id=f"usr_{registered.user_id}",
            email=body.email,
            full_name=body.full_name,
            account_id=f"acc_{registered.account_id}",
            kyc_status="VERIFIED" if verified else "PENDING",
            kyc_tier=2 if verified else 0,
            email_verified=verified,
        ),
        status=201,
    )


async def login(call: Call) -> Answer:
    """Begin a session. 401 INVALID_CREDENTIALS, whatever of the two was wrong."""
    body = call.decode(_login)
    if "\0" in body.email:
        raise BadRequest("email", "must not contain control characters")
    grant = await call.services.auth.login(
        body.email,
        body.password,
        address=call.request.remote or "",
        user_agent=_printable(call.request.headers.get("User-Agent", "")),
    )
    return success(_grant_json(grant))


async def refresh(call: Call) -> Answer:
    """Exchange a refresh token for a new pair; each is good once."""
    body = call.decode(_refresh)
    return success(_grant_json(await call.services.auth.refresh(body.refresh_token)))


async def logout(call: Call) -> Answer:
    """End the session of the access token that this was called with."""
    await call.services.auth.logout(call.principal)
    return success(LoggedOutJson())


def _grant_json(grant: Grant) -> GrantJson:
    return GrantJson(
        grant.access_token,
        grant.refresh_token,
        "Bearer",
        grant.expires_in,
        f"usr_{grant.user_id}",
        grant.roles,
    )


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
