"""Carries into the engine what SQL has decided: outbox rows become commands, exactly once in effect.

A row may be carried out twice (a crash between the command and the mark): the row's id is the command's
idempotency key, and an account that exists already counts as done.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

from engine.commands import Envelope, OpenAccount, SetKycTier
from engine.events import AccountOpened, Refused
from engine.kinds import AccountKind, Source
from engine.refusals import Refusal
from server.database import Database
from server.errors import KerbError
from server.kyc_tiers import tell_engine
from server.runtime import Runtime
from sql import users

OPEN_ACCOUNT: Final = "OPEN_ACCOUNT"
BATCH_MAX: Final = 500
INTERVAL_S: Final = 3.0

log = logging.getLogger("kerb.outbox")


class AccountToOpen(Struct, frozen=True):
    """The body of an OPEN_ACCOUNT row."""

    kind: AccountKind
    currency: str
    kyc_tier: int = 0


class Outbox:
    """Drains the outbox at start, after each registration, and every few seconds for what was left."""

    def __init__(self, database: Database, runtime: Runtime) -> None:
        self._database = database
        self._runtime = runtime
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Carry out what is left from before, then keep doing so in the background."""
        await self.drain()
        await tell_engine(self._database, self._runtime)
        self._task = asyncio.create_task(self._run(), name="outbox")

    async def stop(self) -> None:
        """End the background task; rows that are left wait for the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def drain(self) -> int:
        """Carry out every open row; how many. Raises what the runtime and the database raise."""
        done = 0
        while True:
            rows = await self._database.fetch(users.OPEN_OUTBOX, BATCH_MAX)
            for row in rows:
                body = msgspec.json.decode(row["body"], type=AccountToOpen)
                await self.open_account(row["outbox_id"], row["user_id"], body)
            done += len(rows)
            if len(rows) < BATCH_MAX:
                return done

    async def open_account(self, outbox_id: int, user_id: int, body: AccountToOpen) -> int:
        """Open a user's account and mark the row; the account's id, once it is durable."""
        command = OpenAccount(user_id, body.kind, body.currency)
        envelope = Envelope(
            Source.OUTBOX,
            principal=user_id,
            request_id=f"outbox-{outbox_id}",
            key=f"outbox:{outbox_id}",
            digest=blake2b(msgspec.msgpack.encode(command), digest_size=16).digest(),
        )
        applied = await self._runtime.execute(command, envelope)
        answer = applied.answer[0]
        if isinstance(answer, Refused) and answer.refusal is not Refusal.ACCOUNT_EXISTS:
            log.error("outbox row %d was refused: %s", outbox_id, answer.refusal.name)
            await self._database.execute(users.OUTBOX_DONE, outbox_id, answer.refusal.name)
            return 0
        account_id = (
            answer.account_id
            if isinstance(answer, AccountOpened)
            else self._runtime.state.account_by_user[user_id]
        )
        if self._runtime.state.accounts[account_id].kyc_tier < body.kyc_tier:
            await self._runtime.execute(SetKycTier(account_id, body.kyc_tier), Envelope(Source.OUTBOX))
        await self._database.execute(users.OUTBOX_DONE, outbox_id, f"acc_{account_id}")
        return account_id

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            try:
                await self.drain()
            except KerbError as error:
                log.warning("the outbox waits: %s", error.message)
