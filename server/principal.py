"""Who makes a call: a signed-in user with an account, roles and a session."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Role(StrEnum):
    """What a user may do. `trader` is what registration gives."""

    TRADER = "trader"
    MARKET_MAKER = "market_maker"
    SUPPORT = "support"
    RISK = "risk"
    PARKING_OPERATOR = "parking_operator"
    GATE = "gate"
    ADMIN = "admin"


KEY_ROLES: Final = frozenset({Role.TRADER, Role.MARKET_MAKER})
"""What an API key's owner must be, and all that a key can be."""


class Scope(StrEnum):
    """What an API key may be used for. A signed-in session needs none."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"


class Principal(Struct, frozen=True, gc=False):
    """A verified caller. `account_id` is 0 for a user without a trading account.

    `expires_s` is the end of the access token in wall-clock seconds; a WebSocket ends with it. `premium` decides rate limits.
    A caller with an API key has the key's id in `key_id` and may do no more than its `scopes` say; its `session_id` is the
    negative of that id, so that whatever ends sessions ends keys too.
    """

    user_id: int
    account_id: int
    roles: frozenset[Role]
    session_id: int
    expires_s: int
    premium: bool = False
    scopes: frozenset[Scope] | None = None
    key_id: int = 0

    def has(self, role: Role) -> bool:
        """Whether the user was given this role."""
        return role in self.roles
