"""Sessions of users: which there are, and how they end, at once, on HTTP and on open sockets.

What ends a session ends it in memory first. Postgres is told afterwards; while it is away the change waits here and is
written when it is back (a crash before that loses the change, as the answer's promise is about this process's memory).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from server.auth_tokens import AccessTokens
from server.database import Database
from server.errors import DatabaseUnavailable, Overloaded
from sql import credentials, users

PENDING_MAX: Final = 100_000
"""Changes that wait for Postgres; one more is refused."""

log = logging.getLogger("kerb.auth")


class StoredSession(Struct, frozen=True):
    """A live session: where it began, and when it was last refreshed."""

    session_id: int
    address: str
    user_agent: str
    created_at: datetime
    refreshed_at: datetime


class Sessions:
    """Ends sessions. `clock_s` is wall-clock time."""

    def __init__(
        self, database: Database, tokens: Callable[[], AccessTokens], clock_s: Callable[[], float]
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock_s = clock_s
        self._listeners: list[Callable[[int], None]] = []
        self._pending: dict[tuple[str, tuple[Any, ...]], None] = {}

    def __repr__(self) -> str:
        return f"<Sessions pending={len(self._pending)}>"

    @property
    def pending(self) -> int:
        """Changes that wait for Postgres."""
        return len(self._pending)

    def add_listener(self, callback: Callable[[int], None]) -> None:
        """`callback(session_id)` is called whenever a session ends, so that its sockets can be closed."""
        self._listeners.append(callback)

    async def of_user(self, user_id: int) -> list[StoredSession]:
        """A user's live sessions, newest first. Raises DatabaseUnavailable."""
        rows = await self._database.fetch(credentials.SESSIONS_OF, user_id)
        tokens = self._tokens()
        return [StoredSession(**dict(row)) for row in rows if not tokens.is_revoked(row["session_id"])]

    def end_in_memory(self, session_id: int) -> None:
        """Refuse its access tokens from now on and close its sockets."""
        self._tokens().revoke(session_id)
        for listener in self._listeners:
            listener(session_id)

    async def end(self, session_id: int, reason: str) -> None:
        """End a session, whoever's it is: the caller knows why it may."""
        self.end_in_memory(session_id)
        await self.write(users.REVOKE_SESSION, session_id, reason)

    async def end_of_user(self, user_id: int, session_id: int, reason: str) -> bool:
        """End one of a user's sessions. False when the user has no such live session.

        Raises DatabaseUnavailable when Postgres is away and memory does not know whose it is.
        """
        tokens = self._tokens()
        if tokens.is_revoked(session_id):
            return False
        if tokens.owner_of(session_id) == user_id:
            await self.end(session_id, reason)
            return True
        if await self._database.fetchrow(credentials.REVOKE_SESSION_OF, session_id, user_id, reason) is None:
            return False
        self.end_in_memory(session_id)
        return True

    async def end_all_of_user(self, user_id: int, reason: str, *, except_session: int = 0) -> int:
        """End all of a user's sessions but one; how many are known to have ended.

        While Postgres is away every token that was issued until now is refused instead.
        """
        query, arguments = credentials.REVOKE_SESSIONS_OF, (user_id, reason, except_session)
        try:
            rows = await self._database.fetch(query, *arguments, math.inf)
        except DatabaseUnavailable:
            known = self._tokens().revoke_user(user_id, except_session=except_session)
            self._keep(query, (*arguments, self._clock_s()))
        else:
            known = [row["session_id"] for row in rows]
        for session_id in known:
            self.end_in_memory(session_id)
        return len(known)

    async def write(self, query: str, *arguments: Any) -> None:
        """Run a statement that ends something; it waits here while Postgres is away."""
        try:
            await self._database.execute(query, *arguments)
        except DatabaseUnavailable:
            self._keep(query, arguments)

    def _keep(self, query: str, arguments: tuple[Any, ...]) -> None:
        if len(self._pending) >= PENDING_MAX:
            raise Overloaded
        self._pending[query, arguments] = None
        log.warning("Postgres is away: %d ended sessions and keys wait to be written", len(self._pending))

    async def write_pending(self) -> None:
        """Write what waits. Raises DatabaseUnavailable; what is left waits on."""
        for query, arguments in list(self._pending):
            for row in await self._database.fetch(query, *arguments):
                self.end_in_memory(row["session_id"])
            self._pending.pop((query, arguments), None)
