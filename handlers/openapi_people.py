"""The documentation of the routes of users and sessions, and of the operator's."""

from __future__ import annotations

from typing import Final

from engine.refusals import Refusal
from handlers.admin import KillSwitchBody, KillSwitchJson, ReasonBody, SymbolStatusJson, UserStatusJson
from handlers.auth import GrantJson, LoggedOutJson, LoginBody, RefreshBody, RegisterBody, RegisteredJson
from handlers.field_types import UserId
from handlers.openapi_doc import SYMBOL_PATH, AsOfMeta, Doc, Example, Tag
from handlers.users import ProfileJson
from server.errors import (
    AccountDisabled,
    EmailTaken,
    InvalidCredentials,
    LastOperator,
    NotFound,
    Overloaded,
    Unauthenticated,
    WeakPassword,
)

_AAPL: Final = {"symbol": "AAPL"}
_NO_SYMBOL: Final = Example(
    name="missing",
    summary="A symbol that does not exist",
    path={"symbol": "NOPE"},
    body={"reason": "news"},
    status=404,
    code="UNKNOWN_SYMBOL",
)
_USER: Final = {"user_id": UserId}
_A_USER: Final = {"user_id": "usr_1042"}
FOUR_WORDS: Final = "a long pass phrase"

AUTH: Final = {
    "POST /api/v1/auth/register": Doc(
        operation="register",
        summary="Become a user, with an open account",
        tag=Tag.AUTH,
        about="Takes no idempotency key: sent a second time it is refused, as the address is taken. Sign in then.",
        body=RegisterBody,
        answer=RegisteredJson,
        status=201,
        database=True,
        errors=(EmailTaken, Overloaded, WeakPassword),
        examples=(
            Example(
                name="someone",
                summary="A new user",
                body={"email": "ada@example.com", "password": FOUR_WORDS, "full_name": "Ada Example"},
            ),
            Example(
                name="taken",
                summary="An address that is taken",
                given="a user",
                body={"email": "grace@example.com", "password": FOUR_WORDS, "full_name": "Grace Example"},
                status=409,
                code="EMAIL_TAKEN",
            ),
        ),
    ),
    "POST /api/v1/auth/login": Doc(
        operation="login",
        summary="Begin a session",
        tag=Tag.AUTH,
        about="The answer to a wrong password and to an unknown address is the same.",
        body=LoginBody,
        answer=GrantJson,
        database=True,
        errors=(InvalidCredentials, AccountDisabled, Overloaded),
        examples=(
            Example(
                name="someone",
                summary="Sign in",
                given="a user",
                body={"email": "grace@example.com", "password": FOUR_WORDS},
            ),
            Example(
                name="wrong",
                summary="A wrong password",
                given="a user",
                body={"email": "grace@example.com", "password": "something else"},
                status=401,
                code="INVALID_CREDENTIALS",
            ),
        ),
    ),
    "POST /api/v1/auth/refresh-token": Doc(
        operation="refresh_token",
        summary="Exchange a refresh token for a new pair",
        tag=Tag.AUTH,
        about="Each is good once. One that is used a second time ends its session.",
        body=RefreshBody,
        answer=GrantJson,
        database=True,
        errors=(Unauthenticated, AccountDisabled),
        examples=(
            Example(
                name="unknown",
                summary="One that was never given out",
                body={"refresh_token": "never-given-out"},
                status=401,
                code="UNAUTHENTICATED",
            ),
        ),
    ),
    "POST /api/v1/auth/logout": Doc(
        operation="logout",
        summary="End the session of the access token",
        tag=Tag.AUTH,
        answer=LoggedOutJson,
        database=True,
        examples=(Example(name="me", summary="The session that asks"),),
    ),
    "GET /api/v1/users/profile": Doc(
        operation="get_profile",
        summary="Who the caller is",
        tag=Tag.AUTH,
        answer=ProfileJson,
        database=True,
        errors=(NotFound,),
        examples=(Example(name="me", summary="The caller"),),
    ),
}

ADMIN: Final = {
    "POST /api/v1/admin/instruments/{symbol}/halt": Doc(
        operation="halt_instrument",
        summary="Halt trading in an instrument",
        tag=Tag.ADMIN,
        about="Resting orders stay and can be cancelled.",
        body=ReasonBody,
        body_optional=True,
        answer=SymbolStatusJson,
        meta=AsOfMeta,
        path=SYMBOL_PATH,
        command=True,
        in_path=True,
        refusals=(Refusal.UNKNOWN_SYMBOL,),
        examples=(
            Example(name="halt", summary="For a reason", path=_AAPL, body={"reason": "news pending"}),
            _NO_SYMBOL,
        ),
    ),
    "POST /api/v1/admin/instruments/{symbol}/resume": Doc(
        operation="resume_instrument",
        summary="Resume trading in an instrument",
        tag=Tag.ADMIN,
        body=ReasonBody,
        body_optional=True,
        answer=SymbolStatusJson,
        meta=AsOfMeta,
        path=SYMBOL_PATH,
        command=True,
        in_path=True,
        refusals=(Refusal.UNKNOWN_SYMBOL, Refusal.SYMBOL_NOT_HALTED),
        examples=(
            Example(name="resume", summary="After a halt", given="a halted instrument", path=_AAPL),
            _NO_SYMBOL,
        ),
    ),
    "POST /api/v1/admin/kill-switch": Doc(
        operation="set_kill_switch",
        summary="Stop or allow new orders",
        tag=Tag.ADMIN,
        about="On cancels what is open in its scope and refuses new orders. `target` is a symbol or an account's id;"
        " none for the market.",
        body=KillSwitchBody,
        answer=KillSwitchJson,
        meta=AsOfMeta,
        command=True,
        in_path=True,
        refusals=(Refusal.UNKNOWN_SYMBOL, Refusal.ACCOUNT_NOT_FOUND),
        errors=(NotFound,),
        examples=(
            Example(
                name="symbol",
                summary="For one symbol",
                body={"scope": "SYMBOL", "on": True, "target": "TSLA", "reason": "drill"},
            ),
            Example(name="market_off", summary="Off, for all", body={"scope": "MARKET", "on": False}),
            Example(
                name="missing",
                summary="An account that does not exist",
                body={"scope": "ACCOUNT", "on": True, "target": "acc_5"},
                status=404,
                code="ACCOUNT_NOT_FOUND",
            ),
        ),
    ),
    "POST /api/v1/admin/users/{user_id}/disable": Doc(
        operation="disable_user",
        summary="Disable a user's account",
        tag=Tag.ADMIN,
        about="Cancels what is open. Ends the user's sessions and closes sockets with 4403; sign-in, tokens and API keys are "
        "refused with 403 ACCOUNT_DISABLED from now on. Keys are good again once the user is enabled. The last operator who "
        "is not disabled is refused: 409 LAST_OPERATOR.",
        body=ReasonBody,
        body_optional=True,
        answer=UserStatusJson,
        meta=AsOfMeta,
        path=_USER,
        command=True,
        in_path=True,
        refusals=(Refusal.ACCOUNT_NOT_FOUND,),
        database=True,
        errors=(NotFound, LastOperator),
        examples=(
            Example(
                name="user", summary="A user", given="a user", path=_A_USER, body={"reason": "asked for"}
            ),
            Example(
                name="missing",
                summary="One that does not exist",
                path={"user_id": "usr_5"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "POST /api/v1/admin/users/{user_id}/enable": Doc(
        operation="enable_user",
        summary="Enable a user's account again",
        tag=Tag.ADMIN,
        about="API keys are good again; sessions of before stay ended.",
        body=ReasonBody,
        body_optional=True,
        answer=UserStatusJson,
        meta=AsOfMeta,
        path=_USER,
        command=True,
        in_path=True,
        refusals=(Refusal.ACCOUNT_NOT_FOUND,),
        errors=(NotFound,),
        examples=(Example(name="user", summary="A user", given="a user", path=_A_USER),),
    ),
}
