"""What becomes durable together in the journal, and who waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from server.journal_errors import JournalFailed

logger = logging.getLogger("kerb.journal")

WhenDurable = Callable[[JournalFailed | None], None]
"""Called once, on the loop: with None when a record is durable, with the reason when it never will be."""


class Group:
    """Records that become durable together, the first of them since `opened_s`.

    `previous` is the group before it until that one is durable.
    """

    __slots__ = ("_waiting", "first_seq", "opened_s", "previous", "records")

    def __init__(self, first_seq: int, previous: Group | None) -> None:
        self.first_seq = first_seq
        self.opened_s = 0.0
        self.previous = previous
        self.records: list[bytes] = []
        self._waiting: list[WhenDurable] = []

    def call(self, waiter: WhenDurable) -> None:
        """Call it when the group is settled."""
        self._waiting.append(waiter)

    def settle(self, failure: JournalFailed | None) -> None:
        """Call all who wait; whatever one of them does, or fails in, the others are called, and nobody twice."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            try:
                waiter(failure)
            except Exception:
                logger.exception("who waited for the journal failed")


def settle_future(future: asyncio.Future[None], failure: JournalFailed | None) -> None:
    """Let a future be done, or fail, unless its owner has given up."""
    if future.done():
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)
