"""Two attacks on the stream while orders flow over HTTP: clients that stop reading, and thousands that return at once.

`stalled`: one follower of each account stops reading. Those clients must cost the others nothing, be closed with 4408, and
when they come back have no hole in their private streams. `returning`: all followers lose their connections at the same
moment and come back with `resume_from`. Afterwards the notes of every follower must be what the journal says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from bench.figures import report
from bench.order_load import cpu_s
from tests.torture.job import Job
from tests.torture.stream_notes import SLOW_CONSUMER, Ask, Drop, Report, Stall, Wake
from tests.torture.streams import Attack, Shape, attack

STALLED: Final = Shape(
    accounts=500,
    each=2,
    watchers=9_000,
    symbols=10,
    rate=1_000,
    job_s=35,
    calm_s=10,
    stall_s=13,
    receive_bytes=16_384,
)
RETURNING: Final = Shape(
    accounts=500, each=10, watchers=0, symbols=10, rate=1_000, job_s=20, calm_s=5, return_s=10
)

TICK_P99_MUST_MS: Final = 100.0
ORDER_P99_MUST_MS: Final = 10.0
GROWTH_MAX_MB: Final = 250.0
"""What the server may grow by from the moment when all are connected: the memory of private events fills, and no more."""

POLL_S: Final = 0.5
"""Not more often: with 10 000 sockets `/metrics` takes the server 30 ms."""


@dataclass
class Part:
    """One part of an attack: its length, the server's share of a core, and what the clients saw in it."""

    seconds: float = 0.0
    core: float = 0.0
    clients: Report = field(default_factory=Report)

    def __str__(self) -> str:
        seen = self.clients
        return (
            f"{self.seconds:.1f} s, server {self.core:.2f} of a core, {seen.frames / self.seconds:.0f} frames/s; "
            f"age of quotes p50 {seen.p50_ms:.0f} ms, p99 {seen.p99_ms:.0f} ms, at most {seen.max_ms:.0f} ms"
        )


class Timeline:
    """The parts of an attack, one after the other."""

    def __init__(self, one: Attack) -> None:
        self.attack = one
        self.parts: dict[str, Part] = {}

    @asynccontextmanager
    async def part(self, name: str) -> AsyncIterator[None]:
        """Measure a block, and ask what the clients saw in it."""
        part = self.parts[name] = Part()
        pid = self.attack.kerb.pid
        await self.attack.clients(Ask())
        used_s, begun_s = cpu_s(pid), time.monotonic()
        yield
        part.clients = await self.attack.clients(Ask())
        part.seconds = time.monotonic() - begun_s
        part.core = (cpu_s(pid) - used_s) / part.seconds
        print(f"{name}: {part}", flush=True)


@dataclass
class Result:
    """What an attack came to. `events`: private events told, each once and as the journal has it."""

    attack: Attack
    connecting_s: float
    clients: Report
    events: int
    parts: dict[str, Part]

    @property
    def grown_mb(self) -> float:
        """How much the server grew at most from the moment when all were connected."""
        return self.attack.memory.most - self.attack.memory.connected

    @property
    def order_p99_ms(self) -> float:
        """Of the orders, in the worst of the load's jobs."""
        return max(outcome.p99_ms for outcome in self.attack.outcomes)

    def __str__(self) -> str:
        shape, memory = self.attack.shape, self.attack.memory
        closes = self.clients.closes_stalled, self.clients.closes_others
        orders = ", ".join(
            f"{sum(one.statuses.values())} at {one.rate:.0f}/s p50 {one.p50_ms:.1f} p99 {one.p99_ms:.1f} max {one.max_ms:.0f} ms"
            for one in self.attack.outcomes
        )
        return (
            f"{shape.sockets} sockets ({shape.followers} followers of {shape.accounts} accounts) x {shape.symbols} symbols, "
            f"connected in {self.connecting_s:.1f} s; {self.events} private events told, each once and as the journal has it; "
            f"{self.clients.resumed} resumed; connections that ended, by code (0: by the client): of stalled ones {closes[0]}, "
            f"of others {closes[1]}; RSS {memory.start:.0f} MB at the start, {memory.connected:.0f} connected, "
            f"{memory.most:.0f} at most, {memory.end:.0f} at the end; orders {orders}"
        )


async def stall(line: Timeline) -> None:
    """One follower of each account stops reading, until all those are closed; then they come back."""
    one, count = line.attack, line.attack.shape.accounts
    async with line.part("some stall"):
        await one.clients(Stall(count))
        await asyncio.sleep(one.shape.stall_s)
        while True:
            others = (await one.clients(Ask(anew=False))).closes_others
            if await one.slow() >= count + others.get(SLOW_CONSUMER, 0):
                break
            await asyncio.sleep(POLL_S)
    async with line.part("they return"):
        await one.clients(Wake())


async def drop(line: Timeline) -> None:
    """All followers lose their connections, and come back."""
    async with line.part("all drop and return"):
        await line.attack.clients(Drop(line.attack.shape.return_s))


async def run(shape: Shape, *steps: Callable[[Timeline], Awaitable[None]]) -> Result:
    """Attack a server of its own, and compare what was told with the journal, and the books with PostgreSQL.

    Raises AssertionError for an event that was lost, doubled or not what it was, and for a memory without bounds.
    """
    async with attack(shape) as one:
        connecting_s = await one.open()
        line = Timeline(one)
        async with one.flow():
            await asyncio.sleep(shape.calm_s / 2)
            async with line.part("all read"):
                await asyncio.sleep(shape.calm_s)
            for step in steps:
                await step(line)
            async with line.part("all read again"):
                await asyncio.sleep(shape.calm_s)
        events = await one.compare()
        result = Result(one, connecting_s, await one.clients(Ask()), events, line.parts)
        await one.kerb.verify()
    assert result.grown_mb <= GROWTH_MAX_MB, result
    return result


async def stalled(job: Job) -> None:
    """The first attack in full, with its figures."""
    for number in job.todo():
        with job.round(number) as one:
            result = await _stalled()
            one.text = str(result)
            one.seen["private events"] = result.events


async def returning(job: Job) -> None:
    """The second attack in full, with its figures."""
    for number in job.todo():
        with job.round(number) as one:
            result = await _returning()
            one.text = str(result)
            one.seen["private events"] = result.events
            one.seen["resumed"] = result.clients.resumed


async def _stalled() -> Result:
    result = await run(STALLED, stall)
    count = STALLED.accounts
    assert result.clients.closes_stalled == {SLOW_CONSUMER: count}, result
    parts = result.parts
    worst = max((parts["some stall"], parts["they return"]), key=lambda part: part.clients.p99_ms)
    report(
        "streams_stalled_tick_p99",
        worst.clients.p99_ms,
        "ms",
        must=TICK_P99_MUST_MS,
        lower_is_better=True,
        p50_ms=worst.clients.p50_ms,
        max_ms=worst.clients.max_ms,
        before_p99_ms=parts["all read"].clients.p99_ms,
        sockets=STALLED.sockets,
        stalled=count,
        closed_4408=result.clients.closes_stalled[SLOW_CONSUMER],
        server_core=parts["some stall"].core,
        before_core=parts["all read"].core,
    )
    report(
        "streams_stalled_order_p99",
        result.order_p99_ms,
        "ms",
        must=ORDER_P99_MUST_MS,
        lower_is_better=True,
        offered=STALLED.rate,
        reached=result.attack.outcomes[0].rate,
    )
    _report_memory("streams_stalled_growth", result)
    return result


async def _returning() -> Result:
    result = await run(RETURNING, drop)
    part = result.parts["all drop and return"]
    report(
        "streams_returned",
        part.seconds,
        "s",
        clients=RETURNING.followers,
        spread_s=RETURNING.return_s,
        events=result.events,
        lost=0,
        doubled=0,
        server_core=part.core,
        tick_p99_ms=part.clients.p99_ms,
        order_p99_ms=result.order_p99_ms,
    )
    _report_memory("streams_returned_growth", result)
    return result


def _report_memory(name: str, result: Result) -> None:
    memory = result.attack.memory
    report(
        name,
        result.grown_mb,
        "MB",
        must=GROWTH_MAX_MB,
        lower_is_better=True,
        start=memory.start,
        connected=memory.connected,
        most=memory.most,
        end=memory.end,
        events=result.events,
    )
