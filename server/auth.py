"""Who may come in: registration, login, refresh with rotation, logout, and the check of access tokens and API keys.

Users live in Postgres by ordinary SQL; a verified access token goes on working while Postgres is away. Refresh
tokens are random, stored as hashes, good for one use; a second use revokes the session they descend from, without a
grace period: a client that lost the answer signs in again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, Protocol

import asyncpg
import msgspec
from msgspec import Struct

from config.settings import AuthSettings, MailSettings
from engine.kinds import AccountKind
from server.api_keys import PREFIX, ApiKeys
from server.auth_passwords import Passwords
from server.auth_secrets import REFRESH, hash_of, new_secret
from server.auth_sessions import Sessions
from server.auth_tokens import AccessTokens
from server.database import Database
from server.errors import (
    AccountDisabled,
    DatabaseUnavailable,
    EmailTaken,
    InvalidCredentials,
    Overloaded,
    Unauthenticated,
)
from server.login_throttle import Failures, LoginThrottle
from server.mail import Mailer
from server.outbox import OPEN_ACCOUNT, AccountToOpen, Outbox
from server.password_change import PasswordChanges
from server.password_rules import check_password
from server.principal import Principal, Role
from server.rate_limits import RateLimiter
from server.standing import ASK_EVERY_S, Standing
from server.ws_frames import CloseCode
from sql import credentials, users

USER_AGENT_MAX: Final = 200
LETTERS_MAX: Final = 10_000
"""Users whose letters of the last hour are counted."""

WRITE_USES_EVERY: Final = 30
TIDY_EVERY: Final = 7_200
"""In turns of `ASK_EVERY_S`."""

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


class Sockets(Protocol):
    """Who closes open sockets: the hub."""

    def close_session(self, session_id: int) -> None:
        """Those of a session."""

    def close_user(
        self, user_id: int, code: CloseCode, reason: str, *, unless: Callable[[Principal], bool] = ...
    ) -> None:
        """Those of a user, but for callers that are spared."""


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
        *,
        disabled_users: Callable[[], Iterable[int]] = tuple,
        mail: MailSettings,
        mailer: Mailer,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._account_of = account_of
        self._highest_user_id = highest_user_id
        self._disabled_users = disabled_users
        self._refresh_ttl_s = settings.refresh_ttl_s
        self._tending: asyncio.Task[None] | None = None
        self._sockets: Sockets | None = None
        self.logins = 0
        self.logins_refused = 0
        self.refresh_reused = 0
        self.mailer = mailer
        self.standing = Standing(database, ttl_s=settings.access_ttl_s)
        self.tokens = AccessTokens(
            secret, ttl_s=settings.access_ttl_s, cache_max=settings.auth_cache_max, standing=self.standing
        )
        self.passwords = Passwords(
            rounds=settings.bcrypt_rounds,
            threads=settings.bcrypt_threads,
            queue_max=settings.bcrypt_queue_max,
        )
        self.throttle = LoginThrottle(
            Failures(free=settings.login_failures_account, wait_max_s=settings.login_wait_max_s),
            Failures(free=settings.login_failures_address, wait_max_s=settings.login_wait_max_s),
        )
        self.sessions = Sessions(database, lambda: self.tokens, time.time)
        self.api_keys = ApiKeys(database, self.sessions, account_of, time.time, self.standing)
        self.password_changes = PasswordChanges(
            *(settings, mail, database, self.passwords, self.sessions, self.api_keys, self.throttle, mailer),
            letters=RateLimiter(buckets_max=LETTERS_MAX, clock_ns=time.monotonic_ns),
        )

    async def start(self) -> None:
        """Load the sessions whose tokens may be alive but are not to be accepted. Raises DatabaseUnavailable.

        New users get ids above every user that the engine knows: a journal that was adopted by a new database has
        accounts whose users are gone, and nobody may inherit them.
        """
        await self._database.execute(users.KEEP_USER_IDS_ABOVE, self._highest_user_id())
        for row in await self._database.fetch(users.REVOKED_SESSIONS, float(self.tokens.ttl_s)):
            self.tokens.revoke(row["session_id"])
        self.standing.disable(self._disabled_users())
        await self.standing.load()
        await self.api_keys.load()
        if self._tending is None:
            self._tending = asyncio.get_running_loop().create_task(self._tend(), name="sign-in")

    def close(self) -> None:
        """Stop the threads that hash passwords and send mail, and what is done in the background."""
        if self._tending is not None:
            self._tending.cancel()
        self.password_changes.close()
        self.passwords.close()

    def verify(self, token: str) -> Principal:
        """The caller behind an access token or an API key. Raises Unauthenticated, TokenExpired or AccountDisabled."""
        if token.startswith(PREFIX):
            return self.api_keys.verify(token)
        return self.tokens.verify(token)

    def check(self, principal: Principal) -> None:
        """A verified caller may have been sent away since. Raises Unauthenticated, TokenExpired or AccountDisabled."""
        self.standing.check(principal)
        if self.tokens.is_revoked(principal.session_id):
            raise Unauthenticated

    def tell(self, sockets: Sockets) -> None:
        """Have open sockets closed when those who opened them are sent away."""
        self._sockets = sockets
        self.sessions.add_listener(sockets.close_session)

    async def set_disabled(self, user_id: int, is_disabled: bool) -> None:
        """Send a user away: sessions end for good, keys rest, sockets are closed; or let the user sign in again."""
        if is_disabled == self.standing.is_disabled(user_id):
            return
        if not is_disabled:
            await self.sessions.end_all_of_user(user_id, "DISABLED")  # a crash may have come between
            self.standing.enable(user_id)
            return
        self.standing.disable((user_id,))
        self.tokens.verify_again(user_id)
        if self._sockets is not None:
            self._sockets.close_user(user_id, CloseCode.NOT_ALLOWED, "the account is disabled")
        await self.sessions.end_all_of_user(user_id, "DISABLED")

    async def take_role_changes(self) -> None:
        """Apply what PostgreSQL says of users' roles to tokens, keys and sockets. Raises DatabaseUnavailable."""
        for change in await self.standing.changes():
            self.tokens.verify_again(change.user_id)
            self.api_keys.set_roles(change)
            if self._sockets is not None:
                self._sockets.close_user(
                    change.user_id, CloseCode.NOT_AUTHENTICATED, "the roles have changed", unless=change.fits
                )

    async def register(self, user: NewUser) -> RegisteredUser:
        """Make a user and open the account. Raises WeakPassword, EmailTaken, Overloaded, DatabaseUnavailable.

        User and outbox row are one transaction: if the account cannot be opened now, the outbox does it later.
        """
        check_password(user.password, user.email)
        hashed = await self.passwords.hash(user.password)
        market_maker = Role.MARKET_MAKER in user.roles
        to_open = AccountToOpen(
            kind=AccountKind.MARKET_MAKER if market_maker else AccountKind.USER,
            currency=user.currency,
            kyc_tier=2 if user.verified else 0,
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
                    to_open.kyc_tier,
                )
                outbox_id: int = await connection.fetchval(
                    users.INSERT_OUTBOX, OPEN_ACCOUNT, user_id, msgspec.json.encode(to_open).decode()
                )
        except asyncpg.UniqueViolationError:
            raise EmailTaken from None
        account_id = await self._outbox.open_account(outbox_id, user_id, to_open)
        return RegisteredUser(user_id, account_id)

    async def login(self, email: str, password: str, *, address: str, user_agent: str) -> Grant:
        """Begin a session. Raises InvalidCredentials (after the same time for an unknown e-mail address), and
        TooManyRequests when this account or address has guessed too often.
        """
        self.throttle.begin(email, address)
        try:
            row = await self._database.fetchrow(users.USER_FOR_LOGIN, email)
            matches = await self.passwords.check(password, row["password_hash"] if row else None)
        except (DatabaseUnavailable, Overloaded):
            self.throttle.undecided(email, address)
            raise
        if row is None or not matches:
            self.logins_refused += 1
            log.info("login refused from %s", address)
            raise InvalidCredentials
        refresh_token, refresh_hash = new_secret(REFRESH)
        async with self._database.connection() as connection, connection.transaction():
            stored = (row["user_id"], row["password_hash"])
            if await connection.fetchrow(credentials.LOGIN_WITH, *stored) is None:
                raise InvalidCredentials  # the password was changed a moment ago
            session_id: int = await connection.fetchval(
                users.INSERT_SESSION, row["user_id"], address, user_agent[:USER_AGENT_MAX]
            )
            await connection.execute(
                users.INSERT_REFRESH, refresh_hash, session_id, float(self._refresh_ttl_s)
            )
        self.throttle.succeeded(email, address)
        self.logins += 1
        return self._grant(row, session_id, refresh_token)

    async def refresh(self, refresh_token: str) -> Grant:
        """Exchange a refresh token for a new pair. A token that was used before ends its session.

        Raises Unauthenticated.
        """
        if self.sessions.pending:  # ended while Postgres was away: it must know before it is asked
            await self.sessions.write_pending()
        used_hash = hash_of(refresh_token)
        new_token, new_hash = new_secret(REFRESH)
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
        if reused is not None and not self.tokens.is_revoked(reused):
            self.refresh_reused += 1
            log.warning("a refresh token of session %d was used twice: the session is revoked", reused)
            await self.sessions.end(reused, "REFRESH_TOKEN_REUSED")
        raise Unauthenticated(_REFRESH_REFUSED)

    async def profile(self, user_id: int) -> StoredProfile | None:
        """What is kept about a user. Raises DatabaseUnavailable."""
        row = await self._database.fetchrow(users.USER_PROFILE, user_id)
        return msgspec.convert(dict(row), StoredProfile) if row is not None else None

    async def logout(self, principal: Principal) -> None:
        """End the caller's session, at once."""
        await self.sessions.end(principal.session_id, "LOGOUT")

    async def _tend(self) -> None:
        """Ask whose roles have changed, write what had to wait for Postgres, and delete what is long over."""
        turn = 0
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            turn += 1
            try:
                await self.take_role_changes()
                await self.sessions.write_pending()
                if turn % WRITE_USES_EVERY == 0:
                    await self.api_keys.write_uses()
                if turn % TIDY_EVERY == 0:
                    for statement in credentials.TIDY:
                        await self._database.execute(statement)
            except DatabaseUnavailable:
                continue

    def _grant(self, row: Any, session_id: int, refresh_token: str) -> Grant:
        """The tokens of a session. Raises AccountDisabled."""
        user_id: int = row["user_id"]
        if self.standing.is_disabled(user_id):
            raise AccountDisabled
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
