"""How much of the journal may wait for Postgres before Kerb takes less: first no new orders, then nothing."""

from __future__ import annotations

from typing import Final

from server.runtime import Gate

REOPEN: Final = 0.8
"""A limit that was passed is over when the backlog has fallen to this part of it, so the gate does not flutter."""


class Backlog:
    """Decides the runtime's gate. Limits are bytes of journal on disk."""

    def __init__(self, soft_bytes: int, hard_bytes: int) -> None:
        self._soft_bytes = soft_bytes
        self._hard_bytes = max(soft_bytes, hard_bytes)
        self._gate = Gate.OPEN

    def __repr__(self) -> str:
        return f"<Backlog {self._gate.name}, soft {self._soft_bytes}, hard {self._hard_bytes}>"

    def gate(self, backlog_bytes: int) -> Gate:
        """The gate for a backlog, given the one before."""
        hard = self._hard_bytes * (REOPEN if self._gate is Gate.READ_ONLY else 1)
        soft = self._soft_bytes * (REOPEN if self._gate is not Gate.OPEN else 1)
        if backlog_bytes > hard:
            self._gate = Gate.READ_ONLY
        elif backlog_bytes > soft:
            self._gate = Gate.NO_NEW_ORDERS
        else:
            self._gate = Gate.OPEN
        return self._gate
