"""What schemathesis needs to know of Kerb: how to sign in. Loaded by it, in a process of its own."""

from __future__ import annotations

import os
from typing import Any, Final

import requests
import schemathesis
from schemathesis import AuthContext, Case

REFRESH_S = 5
"""A session is used for so long: some operations end it."""


@schemathesis.auth(refresh_interval=REFRESH_S)
class Login:
    """Signs in as the user that the environment names."""

    def get(self, case: Case[Any], context: AuthContext) -> str:
        """An access token."""
        login = {"email": os.environ["CONTRACT_EMAIL"], "password": os.environ["CONTRACT_PASSWORD"]}
        url = os.environ["CONTRACT_URL"] + "/api/v1/auth/login"
        data = requests.post(url, json=login, timeout=30).json()["data"]
        own_ids.add(data["user_id"])
        token: str = data["access_token"]
        return token

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
        """Put the token where the operation wants it."""
        case.headers["Authorization"] = f"Bearer {data}"


own_ids: Final[set[str]] = set()
"""Who signs in here."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """An operator may disable itself where another is left, and then nobody signs in here any more: it takes an id that
    nobody has.
    """
    if case.operation.path.endswith("/disable") and case.path_parameters.get("user_id") in own_ids:
        case.path_parameters["user_id"] = "usr_1"


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """The body with whole numbers written as such: 90.0 is an integer to a JSON schema, not to the decoder, as the
    document says.
    """
    return _whole(body)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
