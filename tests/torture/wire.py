"""Connections between clients and the server cut, reset, bitten off in the middle of a request or an answer, sliced and delayed.

Whatever becomes of a connection: what was answered is there once, what was not is there as a whole or not at all, and the
same key again gives one effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from random import Random
from typing import Final

from tests.e2e.load import Outcome
from tests.torture.job import Job, Round, play_rounds
from tests.torture.proxy import Relay, Side
from tests.torture.trading import Trading, trading

VERIFIED_EVERY: Final = 10
REQUEST_BYTES: Final = 1_500
"""About what a client sends in a few requests."""


class Fault(Enum):
    """What happens to the connections."""

    CUT = "cut"
    RESET = "reset"
    BITE_REQUEST = "cut within a request"
    BITE_ANSWER = "cut within an answer"
    HANG = "held up, then cut"
    SLICE = "in pieces of 1 to 7 bytes"
    DELAY = "delayed by up to 20 ms"


class Wire:
    """One server and the relay before it."""

    def __init__(self, world: Trading, relay: Relay, url: str) -> None:
        self._world = world
        self._relay = relay
        self._url = url

    async def round(self, number: int, one: Round) -> None:
        """One fault under load; faults take turns."""
        fault, random = list(Fault)[number % len(Fault)], one.random
        self._world.lead_to(self._url)
        load = self._world.load(random)
        await asyncio.sleep(random.uniform(0.1, 0.5))
        connections = len(self._relay.links)
        if fault in (Fault.SLICE, Fault.DELAY):
            await self._slow(fault, random)
            await self._world.stop(load)
        else:
            await self._cut(fault, random)
            await load.ended()
        self._relay.behave()
        self._world.lead_to(self._world.kerb.url)
        doubtful = load.count(Outcome.IN_DOUBT)
        tally = await self._world.check(load)
        one.text = (
            f"{connections} connections {fault.value}: {tally.acknowledged} acknowledged, {doubtful} in doubt "
            f"({tally.whole} orders whole, {tally.absent} absent), {tally.repeated} repeated"
        )
        one.seen.update({fault.value: 1, "acknowledged": tally.acknowledged, "in doubt": doubtful})
        one.seen.update({"orders whole": tally.whole, "orders absent": tally.absent})

    async def _slow(self, fault: Fault, random: Random) -> None:
        if fault is Fault.SLICE:
            self._relay.slice_max = 7
        else:
            self._relay.delay_max_s = 0.02
        await asyncio.sleep(random.uniform(0.3, 0.8))

    async def _cut(self, fault: Fault, random: Random) -> None:
        """From now on every connection is lost, until no client tries any more."""
        if fault in (Fault.BITE_REQUEST, Fault.BITE_ANSWER):
            self._relay.bite = (Side.CLIENT if fault is Fault.BITE_REQUEST else Side.SERVER, REQUEST_BYTES)
            return
        if fault is Fault.HANG:
            self._relay.flowing.clear()
            await asyncio.sleep(random.uniform(0.1, 0.4))
        assert self._relay.cut(reset=fault is Fault.RESET) > 0
        self._relay.away = True


@asynccontextmanager
async def wired(random: Random) -> AsyncIterator[Wire]:
    """A server, and a relay before it."""
    async with trading(verified_every=VERIFIED_EVERY) as world:
        host, _, port = world.kerb.url.removeprefix("http://").partition(":")
        relay = Relay((host, int(port)), random)
        async with relay.listening((host, 0)) as server:
            yield Wire(world, relay, f"http://{host}:{server.sockets[0].getsockname()[1]}")


async def wire(job: Job) -> None:
    """Rounds of faults."""
    await play_rounds(job, wired, Wire.round)
