"""Changing and resetting passwords. Either ends the user's sessions: whoever knew the old password is out.

A reset begins with an e-mail. Its token is random, stored as a hash, good once and for a short time; what is answered
to the one who asks is the same for every address, and takes no longer when a user has it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from config.settings import AuthSettings, MailSettings
from server.api_keys import ApiKeys
from server.auth_passwords import Passwords
from server.auth_secrets import RESET, hash_of, new_secret
from server.auth_sessions import Sessions
from server.database import Database
from server.errors import KerbError, Overloaded, ResetTokenInvalid, WrongPassword
from server.login_throttle import LoginThrottle
from server.mail import Letter, Mailer
from server.password_rules import check_password
from server.principal import Principal
from server.rate_limits import HOUR_S, Rate, RateLimiter
from sql import credentials, users

LETTERS_PER_HOUR: Final = 5
"""To one address; more is accepted and not sent, or the form could be used to bury somebody in mail."""

REQUESTS_MAX: Final = 200
"""Requests whose e-mail address is being looked up."""

LETTER: Final = """Somebody, hopefully you, asked to set a new password for {email}.

{what_to_do}

It works once, for {minutes} minutes. If it was not you, do nothing: your password stays as it is.
"""

log = logging.getLogger("kerb.auth")


class PasswordChanges:
    """What `Auth` does about passwords beside checking them."""

    def __init__(
        self,
        settings: AuthSettings,
        mail: MailSettings,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        api_keys: ApiKeys,
        throttle: LoginThrottle,
        mailer: Mailer,
        letters: RateLimiter,
    ) -> None:
        self._reset_ttl_s = settings.reset_ttl_s
        self._reset_url = mail.reset_url
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._api_keys = api_keys
        self._throttle = throttle
        self._mailer = mailer
        self._letters = letters
        self._requests: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Stop; requests that are being looked up are dropped."""
        for task in self._requests:
            task.cancel()
        self._mailer.close()

    async def change(self, principal: Principal, current: str, new: str, *, address: str) -> None:
        """Set a new password and end the user's other sessions.

        Raises WrongPassword, WeakPassword, TooManyRequests, Overloaded, DatabaseUnavailable.
        """
        row = await self._database.fetchrow(credentials.CREDENTIAL_OF, principal.user_id)
        if row is None:
            raise WrongPassword
        check_password(new, row["email"])
        self._throttle.begin(row["email"], address)
        try:
            matches = await self._passwords.check(current, row["password_hash"])
        except Overloaded:
            self._throttle.undecided(row["email"], address)
            raise
        if not matches:
            raise WrongPassword
        self._throttle.succeeded(row["email"], address)
        hashed = await self._passwords.hash(new)
        changed = await self._database.fetchrow(
            credentials.REPLACE_HASH, principal.user_id, hashed, row["password_hash"]
        )
        if changed is None:
            raise WrongPassword  # it was changed by another call meanwhile
        await self._sessions.end_all_of_user(
            principal.user_id, "PASSWORD_CHANGED", except_session=principal.session_id
        )
        log.info("user %d changed the password", principal.user_id)

    def forgot(self, email: str) -> None:
        """Send a reset to this address if a user has it, in the background: nothing is told apart by time."""
        if len(self._requests) >= REQUESTS_MAX:
            raise Overloaded
        task = asyncio.get_running_loop().create_task(self._begin_reset(email), name="password reset")
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def reset(self, token: str, new: str) -> None:
        """Set a new password by a token that came by e-mail; ends all of the user's sessions and API keys.

        Raises ResetTokenInvalid, WeakPassword (which leaves the token good), Overloaded, DatabaseUnavailable.
        """
        token_hash = hash_of(token)
        owner = await self._database.fetchrow(credentials.RESET_OWNER, token_hash)
        if owner is None:
            raise ResetTokenInvalid
        check_password(new, owner["email"])
        hashed = await self._passwords.hash(new)
        async with self._database.connection() as connection, connection.transaction():
            user_id = await connection.fetchval(credentials.USE_RESET, token_hash)
            if user_id is None:
                raise ResetTokenInvalid
            await connection.execute(credentials.STORE_HASH, user_id, hashed)
            await connection.execute(credentials.FORGET_RESETS, user_id)
        await self._sessions.end_all_of_user(user_id, "PASSWORD_RESET")
        await self._api_keys.revoke_all(user_id)
        self._throttle.accounts_forgive(owner["email"])
        log.info("user %d reset the password", user_id)

    async def _begin_reset(self, email: str) -> None:
        try:
            row = await self._database.fetchrow(users.USER_FOR_LOGIN, email)
            rate = Rate(LETTERS_PER_HOUR, HOUR_S)
            if row is None or self._letters.take(row["user_id"], rate).retry_after_s:
                return
            token, token_hash = new_secret(RESET)
            async with self._database.connection() as connection, connection.transaction():
                stored: str = await connection.fetchval(credentials.EMAIL_OF, row["user_id"])
                await connection.execute(credentials.FORGET_RESETS, row["user_id"])
                await connection.execute(
                    credentials.INSERT_RESET, token_hash, row["user_id"], float(self._reset_ttl_s)
                )
        except KerbError as error:
            log.warning("a password reset was not begun: %s", error.code)
            return
        self._mailer.send(Letter(stored, "Set a new password", self._letter(stored, token)))

    def _letter(self, email: str, token: str) -> str:
        if self._reset_url:
            what_to_do = f"Open this page:\n{self._reset_url.replace('{token}', token)}"
        else:
            what_to_do = f"Give this code to the app:\n{token}"
        return LETTER.format(email=email, what_to_do=what_to_do, minutes=max(1, self._reset_ttl_s // 60))
