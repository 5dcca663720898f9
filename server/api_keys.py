"""API keys: for programs, which cannot sign in. A key is shown once, stored as a hash, and has scopes, limits and an end.

All live keys are in memory, found by their hash, so a key works while Postgres is away, and a revoked one stops at once.
A key trades in its owner's name and never operates: of the owner's roles it has those that own an account.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from server.auth_sessions import Sessions
from server.database import Database
from server.errors import AccountDisabled, NotFound, TokenExpired, TooManyApiKeys, Unauthenticated
from server.principal import KEY_ROLES, Principal, Role, Scope
from server.standing import Change, Standing
from sql import credentials

PREFIX: Final = "kerb_"
KEY_BYTES: Final = 32
KEY_LENGTH_MAX: Final = 128
HINT_LENGTH: Final = 4
PER_USER_MAX: Final = 20
NEVER_S: Final = 2**52


class ApiKey(Struct, frozen=True):
    """A live key, without the key. `hint` is its end."""

    key_id: int
    user_id: int
    name: str
    hint: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class _Live(Struct):
    """A key in memory. `used_s` is the wall-clock time of its last use, 0 for none that is not written yet."""

    key: ApiKey
    roles: frozenset[Role]
    premium: bool
    principal: Principal
    used_s: float = 0.0


class ApiKeys:
    """All live keys. `account_of` finds a user's account in the engine, 0 for none."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        account_of: Callable[[int], int],
        clock_s: Callable[[], float],
        standing: Standing,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._account_of = account_of
        self._clock_s = clock_s
        self._standing = standing
        self._by_hash: dict[bytes, _Live] = {}
        self._hashes: dict[int, bytes] = {}

    def __repr__(self) -> str:
        return f"<ApiKeys live={len(self._by_hash)}>"

    def __len__(self) -> int:
        """How many are live."""
        return len(self._by_hash)

    async def load(self) -> None:
        """Read all live keys. Raises DatabaseUnavailable."""
        for row in await self._database.fetch(credentials.LIVE_API_KEYS):
            self._remember(row["key_hash"], _key(row), row["roles"], row["premium"])

    def verify(self, text: str) -> Principal:
        """The caller behind a key. Raises Unauthenticated, TokenExpired for a key whose time is over, or AccountDisabled."""
        live = self._by_hash.get(_hash(text)) if len(text) <= KEY_LENGTH_MAX else None
        if live is None:
            raise Unauthenticated("The API key is not valid.")
        now_s = self._clock_s()
        if now_s >= live.principal.expires_s:
            self._forget(live.key.key_id)
            raise TokenExpired
        if self._standing.is_disabled(live.key.user_id):
            raise AccountDisabled
        if not live.principal.account_id:
            live.principal = self._principal(live.key, live.roles, live.premium)
        live.used_s = now_s
        return live.principal

    def owner_of(self, key_id: int) -> int | None:
        """Whose live key it is; None when it is none."""
        digest = self._hashes.get(key_id)
        return None if digest is None else self._by_hash[digest].key.user_id

    def of_user(self, user_id: int) -> list[ApiKey]:
        """A user's live keys, newest first."""
        now_s = self._clock_s()
        return [
            _used(live)
            for live in reversed(self._by_hash.values())
            if live.key.user_id == user_id and live.principal.expires_s > now_s
        ]

    async def create(
        self, user_id: int, name: str, scopes: Collection[Scope], expires_at: datetime | None
    ) -> tuple[str, ApiKey]:
        """Make a key: its text, which is never to be had again, and what is kept. Raises TooManyApiKeys."""
        text = PREFIX + secrets.token_urlsafe(KEY_BYTES)
        digest, hint = _hash(text), text[-HINT_LENGTH:]
        async with self._database.connection() as connection, connection.transaction():
            user = await connection.fetchrow(credentials.LOCK_USER, user_id)
            row = await connection.fetchrow(
                credentials.INSERT_API_KEY,
                *(user_id, name, digest, hint, sorted(scopes), expires_at, PER_USER_MAX),
            )
        if user is None or row is None:
            raise TooManyApiKeys(PER_USER_MAX)
        key = ApiKey(
            row["key_id"], user_id, name, hint, frozenset(scopes), row["created_at"], expires_at, None
        )
        self._remember(digest, key, user["roles"], user["premium"])
        return text, key

    async def revoke(self, user_id: int, key_id: int) -> ApiKey:
        """End one of a user's keys, at once, with the sockets that were opened with it. Raises NotFound."""
        digest = self._hashes.get(key_id)
        if digest is None or self._by_hash[digest].key.user_id != user_id:
            raise NotFound
        key = _used(self._by_hash[digest])
        self._forget(key_id)
        self._sessions.end_in_memory(-key_id)
        await self._sessions.write(credentials.REVOKE_API_KEY, key_id, user_id)
        return key

    async def revoke_all(self, user_id: int) -> int:
        """End all of a user's keys; how many there were."""
        keys = self.of_user(user_id)
        for key in keys:
            await self.revoke(user_id, key.key_id)
        return len(keys)

    def set_roles(self, change: Change) -> None:
        """Let a user's keys be what their owner is by now."""
        for live in self._by_hash.values():
            if live.key.user_id == change.user_id:
                live.roles, live.premium = change.roles & KEY_ROLES, change.premium
                live.principal = self._principal(live.key, live.roles, live.premium)

    async def write_uses(self) -> None:
        """Write when keys were last used. Raises DatabaseUnavailable; nothing is forgotten then."""
        used = [(live.key.key_id, live.used_s) for live in self._by_hash.values() if live.used_s]
        if not used:
            return
        times = [datetime.fromtimestamp(used_s, UTC) for _, used_s in used]
        await self._database.execute(credentials.TOUCH_API_KEYS, [key_id for key_id, _ in used], times)
        for key_id, used_s in used:
            digest = self._hashes.get(key_id)
            if digest is not None:
                live = self._by_hash[digest]
                live.key = _used(live)
                if live.used_s == used_s:
                    live.used_s = 0.0

    def _remember(self, digest: bytes, key: ApiKey, roles: Collection[str], premium: bool) -> None:
        owned = KEY_ROLES & {Role(role) for role in roles}
        self._by_hash[digest] = _Live(key, owned, premium, self._principal(key, owned, premium))
        self._hashes[key.key_id] = digest

    def _forget(self, key_id: int) -> None:
        del self._by_hash[self._hashes.pop(key_id)]

    def _principal(self, key: ApiKey, roles: frozenset[Role], premium: bool) -> Principal:
        return Principal(
            user_id=key.user_id,
            account_id=self._account_of(key.user_id),
            roles=roles,
            session_id=-key.key_id,
            expires_s=NEVER_S if key.expires_at is None else int(key.expires_at.timestamp()),
            premium=premium,
            scopes=key.scopes,
            key_id=key.key_id,
        )


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _used(live: _Live) -> ApiKey:
    """The key with its last use, also one that is not written yet."""
    key = live.key
    last = datetime.fromtimestamp(live.used_s, UTC) if live.used_s else key.last_used_at
    return ApiKey(
        *(key.key_id, key.user_id, key.name, key.hint, key.scopes, key.created_at, key.expires_at), last
    )


def _key(row: Any) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        user_id=row["user_id"],
        name=row["name"],
        hint=row["hint"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
    )
