"""Idempotency keys of the operators' desk: what was answered once is answered again, for as long as the engine's keys live.

What operators propose and decide is ordinary SQL and no command, so the engine does not know of these keys; one that the
engine does know is refused here, as keys belong to the user and not to a route (API.md, "Conventions").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.events import Refused
from engine.refusals import Refusal
from engine.state import State
from engine.units import SECOND_US
from sql import desk_keys

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_REUSED: Final = Refused(Refusal.IDEMPOTENCY_KEY_REUSED)


class Kept(Struct, frozen=True):
    """What was answered: the status and the body."""

    status: int
    answer: bytes


class DeskKey(Struct, frozen=True):
    """A key that a user has sent, with the digest of what it is to do. Its methods raise DatabaseUnavailable."""

    user_id: int
    key: str
    digest: bytes

    async def known(self, connection: PoolConnectionProxy, state: State) -> Kept | Refused | None:
        """What this key was answered, or that it was used for something else; None for a new one."""
        if (self.user_id, self.key) in state.keys:
            return _REUSED
        await connection.execute(desk_keys.FORGET, state.limits.key_ttl_us / SECOND_US)
        row = await connection.fetchrow(desk_keys.KNOWN, self.user_id, self.key)
        if row is None:
            return None
        return Kept(row["status"], row["answer"]) if row["digest"] == self.digest else _REUSED

    async def claim(self, connection: PoolConnectionProxy, state: State) -> Kept | Refused | None:
        """Take the key, in a transaction of the caller: None, and `keep` follows. Else what `known` says, or that the
        user, or all of them together, have as many keys as they may. Waits for who is taking the same key.
        """
        known = await self.known(connection, state)
        if known is not None:
            return known
        counted = await connection.fetchrow(desk_keys.COUNTED, self.user_id)
        assert counted is not None
        limits = state.limits
        if counted["mine"] >= limits.keys_per_user_max or counted["live"] >= limits.keys_max:
            return Refused(Refusal.IDEMPOTENCY_CAPACITY, (("keys_per_user_max", limits.keys_per_user_max),))
        if await connection.fetchval(desk_keys.CLAIM, self.user_id, self.key, self.digest) is not None:
            return None
        return await self.known(connection, state)

    async def keep(self, connection: PoolConnectionProxy, kept: Kept) -> None:
        """Write the answer down, once the key is taken."""
        await connection.execute(desk_keys.ANSWERED, self.user_id, self.key, kept.status, kept.answer)
