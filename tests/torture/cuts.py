"""PostgreSQL killed and its connections cut under load, a third of the times exactly at a COMMIT: rows equal the journal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from tests.e2e.load import Outcome
from tests.server.reachable_folder import reachable_folder
from tests.torture.job import Job, Round, play_rounds
from tests.torture.outage import External, How
from tests.torture.proxy import Link, Moment, PostgresRelay
from tests.torture.trading import Trading, trading

POLL_S: Final = 0.02
WAIT_MAX_S: Final = 60.0


class Fault(Enum):
    """What happens in a round."""

    CUT = "all connections cut"
    RESTART = "PostgreSQL killed"
    SLICE = "messages in pieces of 1 to 50 bytes, then cut"
    DELAY = "every message delayed by up to 20 ms, then cut"
    HANG = "nothing flows for a while, then cut"
    REFUSE = "cut, and nobody gets in for a while"
    COMMIT_CUT = "cut at COMMIT"
    COMMIT_RESTART = "PostgreSQL killed at COMMIT"
    COMMIT_KILL = "server killed at COMMIT"


AT_COMMIT: Final = tuple(
    (fault, moment)
    for fault in (Fault.COMMIT_CUT, Fault.COMMIT_RESTART, Fault.COMMIT_KILL)
    for moment in Moment
)
ELSEWHERE: Final = (
    *(Fault.CUT, Fault.RESTART, Fault.SLICE, Fault.DELAY, Fault.HANG, Fault.REFUSE, Fault.RESTART),
)


@dataclass(frozen=True)
class Cut:
    """A round's fault, and the moment of those at a COMMIT."""

    fault: Fault
    moment: Moment | None = None

    def __str__(self) -> str:
        return f"{self.fault.value} {self.moment.value}" if self.moment else self.fault.value


def cut_of(number: int) -> Cut:
    """Every third round is at a COMMIT; all faults and moments take turns."""
    turn, place = divmod(number, 3)
    if place == 0:
        return Cut(*AT_COMMIT[turn % len(AT_COMMIT)])
    return Cut(ELSEWHERE[(2 * turn + place - 1) % len(ELSEWHERE)])


class Cuts:
    """One server, one PostgreSQL and the relay between them."""

    def __init__(self, world: Trading, external: External, relay: PostgresRelay) -> None:
        self._world = world
        self._kerb = world.kerb
        self._external = external
        self._relay = relay
        self._happenings: dict[Fault, Callable[[Random], Awaitable[None]]] = {
            Fault.CUT: self._cut,
            Fault.RESTART: self._restart,
            Fault.SLICE: self._slice,
            Fault.DELAY: self._delay,
            Fault.HANG: self._hang,
            Fault.REFUSE: self._refuse,
        }

    async def round(self, number: int, one: Round) -> None:
        """One fault under load; then everything that was acknowledged is there once, and rows equal the journal."""
        what, random = cut_of(number), one.random
        load = self._world.load(random, keyed_percent=100, calm=True)
        begun_s, commits = time.monotonic(), self._relay.commits
        await asyncio.sleep(random.uniform(0.1, 0.4))
        if what.moment is None:
            await self._happenings[what.fault](random)
        else:
            await self._at_commit(what)
        if what.fault is Fault.COMMIT_KILL:
            await load.ended()
            await self._kerb.kill()
            await self._kerb.start()
            self._world.lead_to(self._kerb.url)
        else:
            await self._next_commit()
            await self._world.stop(load)
            assert load.count(Outcome.IN_DOUBT) == 0
        await self._drained()
        tally = await self._world.check(load)
        one.text = (
            f"{what}: {tally.acknowledged} acknowledged, {tally.refused} refused, {tally.not_taken} answered 503, "
            f"{tally.whole} of those in doubt whole, {tally.absent} absent; {self._relay.commits - commits} commits "
            f"in {time.monotonic() - begun_s:.1f} s"
        )
        one.seen.update({"at COMMIT": int(what.moment is not None), what.fault.value: 1})
        one.seen.update({"acknowledged": tally.acknowledged})

    async def _at_commit(self, cut: Cut) -> None:
        assert cut.moment is not None
        self._relay.arm(cut.moment, lambda link: self._happen(cut.fault, link))
        async with asyncio.timeout(WAIT_MAX_S):
            await self._relay.reached.wait()
        if cut.fault is Fault.COMMIT_RESTART:
            await self._external.bring_back(How.KILLED)

    def _happen(self, fault: Fault, link: Link) -> None:
        if fault is Fault.COMMIT_KILL:
            os.kill(self._kerb.pid, signal.SIGKILL)
        elif fault is Fault.COMMIT_RESTART:
            self._external.kill()
        else:
            link.cut()

    async def _cut(self, random: Random) -> None:
        assert self._relay.cut() > 0

    async def _restart(self, random: Random) -> None:
        self._external.kill()
        await asyncio.sleep(random.uniform(0, 0.3))
        await self._external.bring_back(How.KILLED)

    async def _slice(self, random: Random) -> None:
        self._relay.slice_max = 50
        await asyncio.sleep(random.uniform(0.2, 0.6))
        await self._cut_and_behave()

    async def _delay(self, random: Random) -> None:
        self._relay.delay_max_s = 0.02
        await asyncio.sleep(random.uniform(0.2, 0.6))
        await self._cut_and_behave()

    async def _hang(self, random: Random) -> None:
        self._relay.flowing.clear()
        await asyncio.sleep(random.uniform(0.2, 0.6))
        await self._cut_and_behave()

    async def _refuse(self, random: Random) -> None:
        self._relay.away = True
        assert self._relay.cut() > 0
        refused = self._relay.refused
        async with asyncio.timeout(WAIT_MAX_S):
            while self._relay.refused == refused:
                await asyncio.sleep(POLL_S)
        self._relay.behave()

    async def _cut_and_behave(self) -> None:
        """Cut first: what was held up is lost."""
        self._relay.cut()
        self._relay.behave()

    async def _next_commit(self) -> None:
        """The write-behind goes on by itself."""
        commits = self._relay.commits
        async with asyncio.timeout(WAIT_MAX_S):
            while self._relay.commits == commits:
                await asyncio.sleep(POLL_S)

    async def _drained(self) -> None:
        """Everything is in PostgreSQL."""
        async with asyncio.timeout(WAIT_MAX_S):
            while await lag_records(self._world) > 0:
                await asyncio.sleep(POLL_S)


async def lag_records(world: Trading) -> int:
    """How many records PostgreSQL has still to get."""
    reply = await world.kerb.anonymous(world.http)("GET", "/metrics", root=True)
    found = re.search(rb"^kerb_write_behind_lag_records (\S+)$", reply.body, re.MULTILINE)
    assert found is not None, reply
    return int(float(found[1]))


@asynccontextmanager
async def cutting(random: Random) -> AsyncIterator[Cuts]:
    """A server, its own PostgreSQL, and a relay between them."""
    with reachable_folder() as folder:
        external = External(folder / "external")
        relay = PostgresRelay(await external.start(), random)
        try:
            async with (
                relay.listening(relay.socket_in(folder)),
                trading(KERB_DATABASE_URL=relay.dsn(folder)) as world,
            ):
                yield Cuts(world, external, relay)
        finally:
            await external.stop()


async def cut(job: Job) -> None:
    """Rounds of faults."""
    await play_rounds(job, cutting, Cuts.round)
