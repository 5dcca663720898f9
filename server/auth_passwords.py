"""Password hashes: bcrypt over a SHA-256 pre-hash, in a few threads with a bounded queue.

bcrypt reads 72 bytes and stops at a NUL; the base64 of a SHA-256 is 44 characters without one, so every
character of a long password counts.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from server.errors import Overloaded

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords off the loop. Raises Overloaded when too many are waiting."""

    def __init__(self, *, rounds: int, threads: int, queue_max: int) -> None:
        self._rounds = rounds
        self._queue_max = queue_max + threads
        self._pending = 0
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="kerb-bcrypt")
        self._nobody = bcrypt.hashpw(_prehash("nobody's password"), bcrypt.gensalt(rounds)).decode()

    async def hash(self, password: str) -> str:
        """The text to store."""
        return await self._run(
            lambda: bcrypt.hashpw(_prehash(password), bcrypt.gensalt(self._rounds)).decode()
        )

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether the password belongs to the stored hash; with None it takes as long and is False."""
        target = (stored or self._nobody).encode()
        matches = await self._run(lambda: bcrypt.checkpw(_prehash(password), target))
        return matches and stored is not None

    def close(self) -> None:
        """Stop the threads; what is waiting is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._pending >= self._queue_max:
            raise Overloaded(retry_after_s=1.0)
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._pending -= 1


def _prehash(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode("utf-8")).digest())
