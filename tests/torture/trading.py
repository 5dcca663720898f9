"""A server under load through many rounds: what its traders were told is compared with the books after each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import aiohttp

from tests.e2e.load import Load, Outcome, Requests, Trader, make_traders, numbers
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.aftermath import Account, Aftermath, Tally
from tests.torture.kill import ENVIRON, TRADERS

RATE: Final = 400
"""Requests a second: the journal stays short, and rows are soon compared."""

MORE: Final = 50
WAIT_MAX_S: Final = 60.0
POLL_S: Final = 0.02


class Trading:
    """One server and its traders. Every `verified_every`-th check compares all rows with the whole journal."""

    def __init__(self, kerb: KerbProcess, http: aiohttp.ClientSession, *, verified_every: int = 1) -> None:
        self.kerb = kerb
        self.http = http
        self.traders: list[Trader] = []
        self._verified_every = verified_every
        self._numbers = numbers()
        self._checks = 0
        self._accounts: list[Account] = []
        self._load: Load | None = None

    async def prepare(self) -> None:
        """Register everybody."""
        self.traders = await make_traders(self.kerb, self.http, TRADERS)
        self._accounts = [Account(trader) for trader in self.traders]
        for account in self._accounts:
            await account.begin()

    def lead_to(self, url: str) -> None:
        """Where the traders send to from now on."""
        for trader in self.traders:
            trader.client.base = url

    def load(self, random: Random, *, keyed_percent: int = 70, calm: bool = False) -> Load:
        """A load that has begun."""
        make = Requests(
            random.randrange(1 << 30), f"t{self._checks}", self._numbers, keyed_percent, calm=calm
        )
        load = Load(self.http, self.traders, make)
        load.start()
        load.pace(RATE)
        self._load = load
        return load

    def abandon(self) -> None:
        """End what a round that failed has left."""
        if self._load is not None:
            self._load.abandon()

    async def more(self, load: Load) -> None:
        """Wait until orders have gone on. Raises TimeoutError when they do not."""
        done = load.count(Outcome.DONE)
        async with asyncio.timeout(WAIT_MAX_S):
            while load.count(Outcome.DONE) < done + MORE:
                await asyncio.sleep(POLL_S)

    async def stop(self, load: Load) -> None:
        """End a load that has met no fault: no connection was lost, every answer came."""
        await load.stop()
        assert load.connections_lost == 0, f"{load.connections_lost} connections to the server were lost"

    async def check(self, load: Load) -> Tally:
        """What was acknowledged is there once, the rest whole or absent; the books are right."""
        assert load.faults == []
        tally = await Aftermath(self.http, self._accounts).check(load.requests)
        self._checks += 1
        if self._checks % self._verified_every == 0:
            await self.kerb.verify()
        return tally


@asynccontextmanager
async def trading(*, verified_every: int = 1, **environ: str) -> AsyncIterator[Trading]:
    """A server in a folder of its own, ready for the first round."""
    with reachable_folder() as folder:
        async with (
            running_kerb(folder / "kerb", **ENVIRON | environ) as kerb,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        ):
            world = Trading(kerb, http, verified_every=verified_every)
            await world.prepare()
            try:
                yield world
            finally:
                world.abandon()
