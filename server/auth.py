"""Who may come in: registration, login, refresh with rotation, logout, and the check of access tokens.

Users live in Postgres by ordinary SQL; a verified access token goes on working while Postgres is away. Refresh
tokens are random, stored as hashes, good for one use; a second use revokes the session they descend from.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from config.settings import AuthSettings
from engine.kinds import AccountKind
from server.auth_passwords import Passwords
from server.auth_tokens import AccessTokens
from server.database import Database
from server.errors import EmailTaken, InvalidCredentials, Unauthenticated
from server.outbox import OPEN_ACCOUNT, AccountToOpen, Outbox
from server.principal import Principal, Role
from sql import users

REFRESH_BYTES: Final = 32
USER_AGENT_MAX: Final = 200
_REFRESH_REFUSED: Final = "The refresh token is not valid. Sign in again."

log = logging.getLogger("kerb.auth")


class NewUser(Struct, frozen=True):
    """What registration takes; the handler has checked its form. `verified`: paper money needs no KYC."""

    email: str
    password: str
    full_name: str
    phone: str | None = None
    roles: tuple[Role, ...] = (Role.TRADER,)
    verified: bool = False
    currency: str = "USD"

    def __repr__(self) -> str:
        return f"NewUser(email={self.email!r})"


class RegisteredUser(Struct, frozen=True):
    """A user that now exists, with an open account."""

    user_id: int
    account_id: int


class StoredProfile(Struct, frozen=True):
    """What is kept about a user, without credentials."""

    user_id: int
    email: str
    full_name: str
    phone: str | None
    roles: tuple[str, ...]
    email_verified: bool
    kyc_status: str
    kyc_tier: int
    created_at: datetime
    last_login_at: datetime | None


class Grant(Struct, frozen=True):
    """What a login or a refresh gives."""

    access_token: str
    refresh_token: str
    expires_in: int
    user_id: int
    roles: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Grant(user_id={self.user_id})"


class Auth:
    """Sign-in. `account_of` finds a user's account in the engine (0 for none), `highest_user_id` the last it knows."""

    def __init__(
        self,
        settings: AuthSettings,
        secret: str,
        database: Database,
        outbox: Outbox,
        account_of: Callable[[int], int],
        highest_user_id: Callable[[], int] = lambda: 0,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._account_of = account_of
        self._highest_user_id = highest_user_id
        self._refresh_ttl_s = settings.refresh_ttl_s
        self._revocation_listeners: list[Callable[[int], None]] = []
        self.tokens = AccessTokens(secret, ttl_s=settings.access_ttl_s, cache_max=settings.auth_cache_max)
        self.passwords = Passwords(
            rounds=settings.bcrypt_rounds,
            threads=settings.bcrypt_threads,
            queue_max=settings.bcrypt_queue_max,
        )

    async def start(self) -> None:
        """Load the sessions whose tokens may be alive but are not to be accepted. Raises DatabaseUnavailable.

        New users get ids above every user that the engine knows: a journal that was adopted by a new database has
        accounts whose users are gone, and nobody may inherit them.
        """
        await self._database.execute(users.KEEP_USER_IDS_ABOVE, self._highest_user_id())
        for row in await self._database.fetch(users.REVOKED_SESSIONS, float(self.tokens.ttl_s)):
            self.tokens.revoke(row["session_id"])

    def close(self) -> None:
        """Stop the threads that hash passwords."""
        self.passwords.close()

    def verify(self, token: str) -> Principal:
        """The caller behind an access token. Raises Unauthenticated or TokenExpired."""
        return self.tokens.verify(token)

    def add_revocation_listener(self, callback: Callable[[int], None]) -> None:
        """`callback(session_id)` is called whenever a session ends, so that its sockets can be closed."""
        self._revocation_listeners.append(callback)

    async def register(self, user: NewUser) -> RegisteredUser:
        """Make a user and open the account. Raises EmailTaken, Overloaded, DatabaseUnavailable.

        User and outbox row are one transaction: if the account cannot be opened now, the outbox does it later.
        """
        hashed = await self.passwords.hash(user.password)
        market_maker = Role.MARKET_MAKER in user.roles
        to_open = AccountToOpen(
            kind=AccountKind.MARKET_MAKER if market_maker else AccountKind.USER, currency=user.currency
        )
        try:
            async with self._database.connection() as connection, connection.transaction():
                user_id: int = await connection.fetchval(
                    users.INSERT_USER,
                    user.email,
                    hashed,
                    user.full_name,
                    user.phone,
                    [role.value for role in user.roles],
                    user.verified,
                    "VERIFIED" if user.verified else "PENDING",
                    2 if user.verified else 0,
                )
                outbox_id: int = await connection.fetchval(
                    users.INSERT_OUTBOX, OPEN_ACCOUNT, user_id, msgspec.json.encode(to_open).decode()
                )
        except asyncpg.UniqueViolationError:
            raise EmailTaken from None
        account_id = await self._outbox.open_account(outbox_id, user_id, to_open)
        return RegisteredUser(user_id, account_id)

    async def login(self, email: str, password: str, *, address: str, user_agent: str) -> Grant:
        """Begin a session. Raises InvalidCredentials (after the same time for an unknown e-mail address)."""
        row = await self._database.fetchrow(users.USER_FOR_LOGIN, email)
        if not await self.passwords.check(password, row["password_hash"] if row else None) or row is None:
            log.info("login refused from %s", address)
            raise InvalidCredentials
        refresh_token, refresh_hash = _new_refresh_token()
        async with self._database.connection() as connection, connection.transaction():
            session_id: int = await connection.fetchval(
                users.INSERT_SESSION, row["user_id"], address, user_agent[:USER_AGENT_MAX]
            )
            await connection.execute(
                users.INSERT_REFRESH, refresh_hash, session_id, float(self._refresh_ttl_s)
            )
            await connection.execute(users.TOUCH_LOGIN, row["user_id"])
        return self._grant(row, session_id, refresh_token)

    async def refresh(self, refresh_token: str) -> Grant:
        """Exchange a refresh token for a new pair. A token that was used before ends its session.

        Raises Unauthenticated.
        """
        used_hash = _hash(refresh_token)
        new_token, new_hash = _new_refresh_token()
        async with self._database.connection() as connection:
            async with connection.transaction():
                row = await connection.fetchrow(users.USE_REFRESH, used_hash)
                if row is not None:
                    await connection.execute(
                        users.INSERT_REFRESH, new_hash, row["session_id"], float(self._refresh_ttl_s)
                    )
                    await connection.execute(users.TOUCH_SESSION, row["session_id"])
            reused = None if row else await connection.fetchval(users.SESSION_OF_USED_REFRESH, used_hash)
        if row is not None:
            return self._grant(row, row["session_id"], new_token)
        if reused is not None:
            log.warning("a refresh token of session %d was used twice: the session is revoked", reused)
            await self.revoke_session(reused, "REFRESH_TOKEN_REUSED")
        raise Unauthenticated(_REFRESH_REFUSED)

    async def profile(self, user_id: int) -> StoredProfile | None:
        """What is kept about a user. Raises DatabaseUnavailable."""
        row = await self._database.fetchrow(users.USER_PROFILE, user_id)
        return msgspec.convert(dict(row), StoredProfile) if row is not None else None

    async def logout(self, principal: Principal) -> None:
        """End the caller's session, at once."""
        await self.revoke_session(principal.session_id, "LOGOUT")

    async def revoke_session(self, session_id: int, reason: str) -> None:
        """End a session: its access tokens are refused from now on, its refresh tokens are dead."""
        self.tokens.revoke(session_id)
        for listener in self._revocation_listeners:
            listener(session_id)
        await self._database.execute(users.REVOKE_SESSION, session_id, reason)

    def _grant(self, row: Any, session_id: int, refresh_token: str) -> Grant:
        user_id: int = row["user_id"]
        roles = frozenset(Role(role) for role in row["roles"])
        access_token = self.tokens.issue(
            user_id=user_id,
            account_id=self._account_of(user_id),
            roles=roles,
            session_id=session_id,
            premium=row["premium"],
        )
        return Grant(
            access_token,
            refresh_token,
            self.tokens.ttl_s,
            user_id,
            tuple(sorted(role.value for role in roles)),
        )


def _new_refresh_token() -> tuple[str, bytes]:
    token = secrets.token_urlsafe(REFRESH_BYTES)
    return token, _hash(token)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8")).digest()
