"""Idempotency keys on what operators propose and decide: the same key and body have one effect and one answer.

A proposal and its key are one transaction. A decision moves money by way of the engine, so it cannot be: it is safe to
carry out again by itself, and its key is written down after it. An answer that may be another one later (503) uses no key up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from engine.events import Refused
from handlers.call import Call
from handlers.envelope import Answer, failure, of_another_call, refusal
from handlers.orders import HIT
from handlers.request_input import idempotency_key
from server.desk_keys import DeskKey, Kept
from server.errors import KerbError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Command = tuple[str | int, ...]
"""What is asked for, decoded: the operation and all that it depends on, so spelling does not matter."""

_encode: Final = msgspec.msgpack.Encoder().encode


async def propose_once(
    call: Call, command: Command, propose: Callable[[PoolConnectionProxy], Awaitable[Answer]]
) -> Answer:
    """Carry a proposal out on the connection that it is given, or repeat what its key was answered."""
    key = _key(call, command)
    database, state = call.services.database, call.services.runtime.state
    async with database.connection() as connection:
        if key is None:
            return await propose(connection)
        async with connection.transaction():
            known = await key.claim(connection, state)
            if known is not None:
                return _repeated(call, known)
            answer = await _final(call, propose(connection))
            await key.keep(connection, Kept(answer.status, answer.body))
            return answer


async def decide_once(call: Call, command: Command, decide: Callable[[], Awaitable[Answer]]) -> Answer:
    """Carry a decision out, or repeat what its key was answered. `decide` may be called again after a crash."""
    key = _key(call, command)
    if key is None:
        return await decide()
    database, state = call.services.database, call.services.runtime.state
    async with database.connection() as connection:
        known = await key.known(connection, state)
    if known is not None:
        return _repeated(call, known)
    answer = await _final(call, decide())
    async with database.connection() as connection, connection.transaction():
        if await key.claim(connection, state) is None:
            await key.keep(connection, Kept(answer.status, answer.body))
    return answer


def _key(call: Call, command: Command) -> DeskKey | None:
    key = idempotency_key(call.headers)
    if not key:
        return None
    return DeskKey(call.principal.user_id, key, blake2b(_encode(command), digest_size=16).digest())


async def _final(call: Call, carried_out: Awaitable[Answer]) -> Answer:
    """The answer, also when it is an error, unless the same call may get another one later. Raises those."""
    try:
        return await carried_out
    except KerbError as error:
        if error.retryable:
            raise
        return failure(error, call.request_id)


def _repeated(call: Call, known: Kept | Refused) -> Answer:
    if isinstance(known, Refused):
        return refusal(known, call.request_id)
    return Answer(known.status, of_another_call(known.status, known.answer, call.request_id), HIT)
