"""What has become of users since their tokens were made: who is disabled, and whose roles are others by now.

An access token carries its user's roles and lives for an hour; a key's owner may change while the key is in memory.
Whoever is not let in any more is refused from the moment that this is known here:
1. disabled: the engine says so (`SetAccountStatus`); the operator's route tells, and at start the accounts do
2. other roles: PostgreSQL says so (`run.py roles` is another process); it is asked every `ASK_EVERY_S`
A token with the roles of before has expired: its refresh gives one with those of now.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from engine.kinds import AccountStatus
from engine.state import State
from server.database import Database
from server.errors import AccountDisabled, TokenExpired
from server.principal import KEY_ROLES, Principal, Role
from sql import users

ASK_EVERY_S: Final = 0.5

LATE_COMMIT: Final = timedelta(seconds=10)
"""A change is stamped before it is committed: those stamped so long before the newest one are asked for again."""


def disabled_users(state: State) -> list[int]:
    """Whom operators have disabled, as the engine knows."""
    return [each.user_id for each in state.accounts.values() if each.status is AccountStatus.DISABLED]


class Change(Struct, frozen=True):
    """A user's roles from now on."""

    user_id: int
    roles: frozenset[Role]
    premium: bool

    def fits(self, principal: Principal) -> bool:
        """Whether the caller came in with these roles; a key has those of them that a key can have."""
        return principal.roles == (self.roles if principal.scopes is None else self.roles & KEY_ROLES)


class Standing:
    """Asked whenever a token is verified that is not remembered, so a call costs nothing more."""

    __slots__ = ("_changes", "_database", "_disabled", "_seen", "_since", "_ttl")

    def __init__(self, database: Database, *, ttl_s: int) -> None:
        self._database = database
        self._ttl = timedelta(seconds=ttl_s)
        self._disabled: set[int] = set()
        self._changes: dict[int, Change] = {}
        self._seen: dict[int, datetime] = {}
        self._since = datetime.fromtimestamp(0, UTC)

    def __repr__(self) -> str:
        return f"<Standing disabled={len(self._disabled)} changed={len(self._changes)}>"

    def check(self, principal: Principal) -> None:
        """Raises AccountDisabled, or TokenExpired for a token with roles of before."""
        if principal.user_id in self._disabled:
            raise AccountDisabled
        change = self._changes.get(principal.user_id)
        if change is not None and not change.fits(principal):
            raise TokenExpired

    def is_disabled(self, user_id: int) -> bool:
        """Whether an operator has disabled the user."""
        return user_id in self._disabled

    def disable(self, user_ids: Iterable[int]) -> None:
        """Refuse these users from now on."""
        self._disabled.update(user_ids)

    def enable(self, user_id: int) -> None:
        """Let a user in again."""
        self._disabled.discard(user_id)

    async def load(self) -> None:
        """Read the changes during the life of a token. Raises DatabaseUnavailable."""
        self._since = datetime.now(UTC) - self._ttl
        await self.changes()

    async def changes(self) -> list[Change]:
        """What has changed since it was asked for the last time. Raises DatabaseUnavailable."""
        rows = await self._database.fetch(users.ROLES_CHANGED, self._since)
        found = []
        for row in rows:
            user_id, at = row["user_id"], row["roles_changed_at"]
            if self._seen.get(user_id) == at:
                continue
            self._seen[user_id] = at
            self._since = max(self._since, at - LATE_COMMIT)
            change = Change(user_id, frozenset(Role(role) for role in row["roles"]), row["premium"])
            self._changes[user_id] = change
            found.append(change)
        if found:
            self._forget_old()
        return found

    def _forget_old(self) -> None:
        """Tokens that were made before these changes are over."""
        oldest = datetime.now(UTC) - self._ttl - LATE_COMMIT
        for user_id in [user_id for user_id, at in self._seen.items() if at < oldest]:
            del self._seen[user_id], self._changes[user_id]
