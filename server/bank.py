"""A simulated bank: pays out withdrawals that the engine holds, and reports the outcome as a command.

The engine's open withdrawals are the bank's queue: what was not answered before a crash is found there at
the next start, and answering one twice changes nothing (the second answer is refused).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from engine.commands import Envelope, RequestWithdrawal, SettleWithdrawal
from engine.events import WithdrawalRequested
from engine.kinds import Source
from server.errors import Overloaded, ReadOnly, ShuttingDown

if TYPE_CHECKING:
    from server.codec import Record
    from server.runtime import Runtime

RETRY_S: Final = 1.0

log = logging.getLogger("kerb.bank")


class Bank:
    """Pays every withdrawal `delay_s` after it has become durable; `retry_s` later when Kerb takes no commands."""

    def __init__(self, runtime: Runtime, *, delay_s: float = 0.0, retry_s: float = RETRY_S) -> None:
        self._runtime = runtime
        self._retry_s = retry_s
        self._delay_s = delay_s
        self._requested: asyncio.Queue[int] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Bank waiting={self._requested.qsize()}>"

    def start(self) -> None:
        """Take up the withdrawals that are still open, and every new one from now on."""
        for withdrawal_id in self._runtime.state.withdrawals:
            self._requested.put_nowait(withdrawal_id)
        self._runtime.add_listener(self._on_records)
        self._task = asyncio.create_task(self._run(), name="bank")

    async def stop(self) -> None:
        """Pay nothing more; what is open is taken up at the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _on_records(self, records: Sequence[Record]) -> None:
        for record in records:
            if type(record.command) is RequestWithdrawal:
                for event in record.events:
                    if type(event) is WithdrawalRequested:
                        self._requested.put_nowait(event.withdrawal_id)

    async def _run(self) -> None:
        while True:
            withdrawal_id = await self._requested.get()
            await asyncio.sleep(self._delay_s)
            await self._settle(withdrawal_id)

    async def _settle(self, withdrawal_id: int) -> None:
        command = SettleWithdrawal(withdrawal_id, paid=True)
        envelope = Envelope(Source.BANK, request_id=f"bank-{withdrawal_id}")
        while True:
            try:
                await self._runtime.execute(command, envelope)
            except (Overloaded, ReadOnly):
                await asyncio.sleep(self._retry_s)
            except ShuttingDown:
                log.info("withdrawal %d waits for the next start", withdrawal_id)
                return
            else:
                return
