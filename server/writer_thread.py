"""The thread that writes the journal's groups, one at a time, and the one place where a group passes over to it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from server.journal_group import Group
from server.thread_priority import prefer_this_thread


class GroupWriter(Protocol):
    """Who runs the journal's writer beside the loop: a thread, or a scheduler that decides when it goes on."""

    def start(self, body: Callable[[], None]) -> None:
        """Run `body`, which calls `get` until that gives None."""
        ...

    def put(self, group: Group | None, /) -> None:
        """From the loop: the next group, or the word to stop."""
        ...

    def get(self) -> Group | None:
        """From the body: wait for the next group."""
        ...

    def join(self) -> None:
        """From the loop: the body has ended when this returns."""
        ...


class WriterThread:
    """A thread of its own, preferred to others: everybody who is to be answered waits for it."""

    __slots__ = ("_groups", "_thread", "get", "put")

    def __init__(self) -> None:
        self._groups: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.put: Callable[[Group | None], None] = self._groups.put
        self.get: Callable[[], Group | None] = self._groups.get

    def start(self, body: Callable[[], None]) -> None:
        """Begin; ends with the process at the latest."""

        def run() -> None:
            prefer_this_thread()
            body()

        self._thread = threading.Thread(target=run, name="journal", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the body."""
        if self._thread is not None:
            self._thread.join()
