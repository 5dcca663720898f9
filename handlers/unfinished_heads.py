"""Connections whose next request has begun and whose head has not ended: they have so long, then they are closed.

Only a head that comes in pieces is noted, which those of ordinary clients do not; one timer serves all of them. So a
call costs nothing here, and an attacker who opens connections cannot keep them for the price of a byte each.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

SWEEP_S: Final = 1.0
"""What is overdue is looked for at most so often."""


class Connection(Protocol):
    """What may be late."""

    def head_overdue(self) -> None:
        """The time is over; the head may have ended meanwhile."""


class UnfinishedHeads:
    """When each began, the oldest first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self._loop: Final = loop
        self._timeout_s: Final = timeout_s
        self._began_s: Final[dict[Connection, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, connection: Connection) -> None:
        """A head has begun. That it ended is not told: `head_overdue` finds it out."""
        self._began_s.pop(connection, None)
        self._began_s[connection] = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_s, self._sweep)

    def forget(self, connection: Connection) -> None:
        """The connection is gone."""
        self._began_s.pop(connection, None)

    def close(self) -> None:
        """No timer is left behind."""
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self) -> None:
        now_s = self._loop.time()
        overdue = []
        for connection, began_s in self._began_s.items():
            if began_s + self._timeout_s > now_s:
                break
            overdue.append(connection)
        for connection in overdue:
            del self._began_s[connection]
            connection.head_overdue()
        self._timer = None
        for began_s in self._began_s.values():  # the oldest alone
            self._timer = self._loop.call_at(max(began_s + self._timeout_s, now_s + SWEEP_S), self._sweep)
            break
