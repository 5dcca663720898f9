"""The documentation of the routes of passwords, sessions and API keys."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from handlers.api_keys import ApiKeyBody, ApiKeyJson, KeyId, NewApiKeyJson, RevokedKeyJson
from handlers.openapi_doc import Doc, Example, Link, Tag
from handlers.openapi_people import AUTH, FOUR_WORDS
from handlers.passwords import ChangeBody, ChangedJson, ForgotBody, ForgottenJson, ResetBody
from handlers.sessions import EndedCountJson, EndedJson, SessionId, SessionJson
from server.errors import (
    NotFound,
    Overloaded,
    ResetTokenInvalid,
    TooManyApiKeys,
    WeakPassword,
    WrongPassword,
)

SESSIONS: Final = {
    "POST /api/v1/auth/forgot-password": Doc(
        operation="forgot_password",
        summary="Ask for a letter to set a new password",
        tag=Tag.AUTH,
        about="The answer is the same for every address, whether a user has it or not.",
        body=ForgotBody,
        answer=ForgottenJson,
        status=202,
        errors=(Overloaded,),
        examples=(Example(name="someone", summary="Any address", body={"email": "grace@example.com"}),),
    ),
    "POST /api/v1/auth/reset-password": Doc(
        operation="reset_password",
        summary="Set a new password with what the letter gave",
        tag=Tag.AUTH,
        about="Ends all of the user's sessions and API keys.",
        body=ResetBody,
        answer=ChangedJson,
        database=True,
        errors=(ResetTokenInvalid, WeakPassword, Overloaded),
        examples=(
            Example(
                name="unknown",
                summary="A token that was never given out",
                body={"token": "never-given-out", "new_password": FOUR_WORDS},
                status=422,
                code="RESET_TOKEN_INVALID",
            ),
        ),
    ),
    "POST /api/v1/auth/change-password": Doc(
        operation="change_password",
        summary="Change the password",
        tag=Tag.AUTH,
        about="Ends the caller's other sessions.",
        body=ChangeBody,
        answer=ChangedJson,
        database=True,
        errors=(WrongPassword, WeakPassword, Overloaded),
        examples=(
            Example(
                name="wrong",
                summary="The present password is wrong",
                body={"current_password": "something else", "new_password": FOUR_WORDS},
                status=422,
                code="WRONG_PASSWORD",
            ),
        ),
    ),
    "GET /api/v1/auth/sessions": Doc(
        operation="list_sessions",
        summary="Where the caller is signed in, newest first",
        tag=Tag.AUTH,
        answer=list[SessionJson],
        database=True,
        examples=(Example(name="mine", summary="Those of the caller"),),
    ),
    "POST /api/v1/auth/sessions": replace(AUTH["POST /api/v1/auth/login"], operation="create_session"),
    "DELETE /api/v1/auth/sessions": Doc(
        operation="end_other_sessions",
        summary="End all other sessions",
        tag=Tag.AUTH,
        answer=EndedCountJson,
        database=True,
        examples=(Example(name="others", summary="All but the one that asks"),),
    ),
    "DELETE /api/v1/auth/sessions/{session_id}": Doc(
        operation="end_session",
        summary="End a session",
        tag=Tag.AUTH,
        about="Its tokens are refused from now on, its sockets are closed.",
        answer=EndedJson,
        path={"session_id": SessionId},
        database=True,
        errors=(NotFound,),
        examples=(
            Example(
                name="own", summary="One of the caller's", given="a session", path={"session_id": "ses_7"}
            ),
            Example(
                name="missing",
                summary="One that is not yours, or was never",
                path={"session_id": "ses_987654321"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "GET /api/v1/auth/api-keys": Doc(
        operation="list_api_keys",
        summary="API keys, newest first",
        tag=Tag.AUTH,
        answer=list[ApiKeyJson],
        examples=(Example(name="mine", summary="Those of the caller", given="an API key"),),
    ),
    "POST /api/v1/auth/api-keys": Doc(
        operation="create_api_key",
        summary="Make an API key",
        tag=Tag.AUTH,
        about="The key is shown here and never again. Only a signed-in session may make one.",
        body=ApiKeyBody,
        answer=NewApiKeyJson,
        status=201,
        database=True,
        errors=(TooManyApiKeys,),
        links=(Link("revoke_api_key", "key_id", "/data/key_id"),),
        examples=(
            Example(
                name="reader",
                summary="One that can only read, for ninety days",
                body={"name": "reports", "scopes": ["read"], "expires_in_days": 90},
            ),
        ),
    ),
    "DELETE /api/v1/auth/api-keys/{key_id}": Doc(
        operation="revoke_api_key",
        summary="Revoke an API key",
        tag=Tag.AUTH,
        about="It is refused from now on, and sockets that were opened with it are closed.",
        answer=RevokedKeyJson,
        path={"key_id": KeyId},
        database=True,
        errors=(NotFound,),
        examples=(
            Example(name="own", summary="One of the caller's", given="an API key", path={"key_id": "key_7"}),
            Example(
                name="missing",
                summary="One that is not yours, or was never",
                path={"key_id": "key_987654321"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
}
