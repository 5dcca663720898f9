"""The way to a server that dies: a request is sent again with its key until it is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count
from typing import Any, Final

import aiohttp

from tests.day.books import CENT_E4, Driver
from tests.handlers.small_kerb import Client, Reply

AGAIN_S: Final = 0.05


class Line:
    """`up` is set while there is a server. `seen` counts what was answered at last, and what had to be sent again."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.seen: Counter[str] = Counter()
        self._keys = count(1)

    async def call(self, client: Client, method: str, path: str, body: Any = None) -> Reply:
        """Ask until there is an answer; the key says that it is the same request."""
        headers = {"X-Idempotency-Key": f"day-{next(self._keys)}"}
        while True:
            await self.up.wait()
            try:
                reply = await client(method, path, body, headers=headers)
            except (aiohttp.ClientError, ConnectionError):
                self.seen["requests cut off"] += 1
            else:
                if reply.status != 503:
                    self.seen["requests"] += 1
                    self.seen["requests repeated"] += reply.headers.get("Idempotency-Hit") == "true"
                    return reply
                self.seen["answered 503"] += 1
            await asyncio.sleep(AGAIN_S)

    async def deposit(self, driver: Driver, cents: int) -> None:
        """Pay in."""
        body = {"amount": f"{cents / 100:.2f}", "payment_method": "CARD"}
        reply = await self.call(driver.client, "POST", "/wallet/deposit", body)
        assert reply.status == 201, reply
        driver.deposited_e4 += cents * CENT_E4
