"""Who makes a call: a signed-in user with an account, roles and a session."""

from __future__ import annotations

from enum import StrEnum

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


class Principal(Struct, frozen=True, gc=False):
    """A verified caller. `account_id` is 0 for a user without a trading account.

    `expires_s` is the end of the access token in wall-clock seconds; a WebSocket ends with it. `premium` decides rate limits.
    """

    user_id: int
    account_id: int
    roles: frozenset[Role]
    session_id: int
    expires_s: int
    premium: bool = False

    def has(self, role: Role) -> bool:
        """Whether the user was given this role."""
        return role in self.roles
