"""The server or PostgreSQL stopped for a while (SIGSTOP) under load, and woken up again: nothing is lost, nobody is cut off."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from random import Random
from typing import Final

from server.postgres_process import processes_in
from tests.e2e.load import Outcome
from tests.torture.job import Job, Round, play_rounds
from tests.torture.trading import Trading, trading

VERIFIED_EVERY: Final = 5


class Who(Enum):
    """Who is stopped."""

    SERVER = "the server"
    POSTGRES = "PostgreSQL"
    BOTH = "both"
    FLICKER = "the server, again and again"


class Freeze:
    """One server whose processes are stopped."""

    def __init__(self, world: Trading) -> None:
        self._world = world
        self._data = (world.kerb.data_dir / "postgres" / "data").resolve()

    async def round(self, number: int, one: Round) -> None:
        """They take turns."""
        who, random = list(Who)[number % len(Who)], one.random
        load = self._world.load(random, keyed_percent=100, calm=True)
        await asyncio.sleep(random.uniform(0.1, 0.3))
        stopped_s = random.uniform(0.5, 2.0)
        if who is Who.FLICKER:
            for _ in range(40):
                await self._stop_for(random.uniform(0.001, 0.03), [self._world.kerb.pid])
                await asyncio.sleep(random.uniform(0, 0.02))
        else:
            await self._stop_for(stopped_s, self._pids(who))
        await self._world.more(load)
        await self._world.stop(load)
        assert load.count(Outcome.IN_DOUBT) == 0
        tally = await self._world.check(load)
        one.text = f"{who.value} stopped: {tally.acknowledged} acknowledged, {tally.not_taken} answered 503"
        one.seen.update({who.value: 1, "acknowledged": tally.acknowledged, "answered 503": tally.not_taken})

    def _pids(self, who: Who) -> list[int]:
        server = [self._world.kerb.pid] if who is not Who.POSTGRES else []
        return [*server, *(processes_in(self._data) if who is not Who.SERVER else [])]

    async def _stop_for(self, seconds: float, pids: list[int]) -> None:
        """SIGSTOP, wait, SIGCONT."""
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def freezing(random: Random) -> AsyncIterator[Freeze]:
    """A server with its own PostgreSQL."""
    async with trading(verified_every=VERIFIED_EVERY) as world:
        yield Freeze(world)


async def freeze(job: Job) -> None:
    """Rounds of stopping and waking up."""
    await play_rounds(job, freezing, Freeze.round)
