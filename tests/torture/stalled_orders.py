"""A thousand sockets that are not read while orders flow: what that costs those who trade, and the server's memory.

Windows with and without them take turns on one server: in the first everybody reads, then a thousand followers of private
streams stop, until the server has closed them all; they come back without a hole, and the next pair begins.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from statistics import median
from typing import Final

from bench.figures import report
from bench.http_load import Outcome
from tests.torture.job import Job
from tests.torture.stream_attacks import GROWTH_MAX_MB, POLL_S
from tests.torture.stream_notes import SLOW_CONSUMER, Ask, Stall, Wake
from tests.torture.streams import MB, Attack, Shape, attack

PAIRS: Final = 7
P99_RATIO_MAX: Final = 1.1
"""What stalled sockets may cost the slowest orders. Where windows without any differ by more, from one to the next, as on a
machine that does other things, no more than that can be shown.
"""

STUCK: Final = Shape(
    accounts=500,
    each=3,
    watchers=1_000,
    symbols=10,
    rate=500,
    job_s=8.0,
    calm_s=0.0,
    receive_bytes=16_384,
    stalled=1_000,
)


class Pair:
    """A window in which everybody reads, and one in which many do not."""

    def __init__(self, free: Outcome, stuck: Outcome, grown_mb: float) -> None:
        self.free = free
        self.stuck = stuck
        self.grown_mb = grown_mb

    def __str__(self) -> str:
        return (
            f"order p50 {self.free.p50_ms:.2f} and {self.stuck.p50_ms:.2f} ms, p99 {self.free.p99_ms:.2f} without and "
            f"{self.stuck.p99_ms:.2f} ms with stalled sockets, which hold {self.grown_mb:.1f} MB"
        )


async def one_pair(one: Attack, closed_before: int) -> Pair:
    """Both windows; afterwards all are back. Raises AssertionError when one that stalled is not closed as slow."""
    shape = one.shape
    free = await one.orders(shape.job_s)
    before = one.kerb.rss_bytes
    await one.clients(Stall(shape.stalled))
    stuck = await one.orders(shape.job_s)
    grown_mb = (one.kerb.rss_bytes - before) / MB
    while await one.slow() < closed_before + shape.stalled:
        await asyncio.sleep(POLL_S)
    await one.clients(Wake())
    return Pair(free, stuck, grown_mb)


async def run(shape: Shape, pairs: int) -> tuple[list[Pair], Attack, int]:
    """Pairs of windows on one server; what was told is compared with the journal, and the books with PostgreSQL."""
    found: list[Pair] = []
    async with attack(shape) as one:
        await one.open()
        await one.orders(shape.job_s / 2)
        watching = asyncio.create_task(one.watch_memory())
        for number in range(pairs):
            pair = await one_pair(one, number * shape.stalled)
            print(f"{number + 1}/{pairs}: {pair}", flush=True)
            found.append(pair)
        watching.cancel()
        told = await one.clients(Ask())
        assert told.closes_stalled == {SLOW_CONSUMER: pairs * shape.stalled}, told
        events = await one.compare()
        await one.kerb.verify()
    return found, one, events


async def stuck(job: Job) -> None:
    """Each round is a server of its own, with its figures."""
    for number in job.todo():
        with job.round(number) as one:
            pairs, attack_, events = await run(STUCK, PAIRS)
            one.text = _judge(pairs, attack_)
            one.seen["stalled sockets closed"] += len(pairs) * STUCK.stalled
            one.seen["private events"] += events


def _judge(pairs: list[Pair], one: Attack) -> str:
    """Print the figures. Raises AssertionError when they are not good enough."""
    free_ms, stuck_ms = (
        median(pair.free.p99_ms for pair in pairs),
        median(pair.stuck.p99_ms for pair in pairs),
    )
    ratio = median(pair.stuck.p99_ms / pair.free.p99_ms for pair in pairs)
    free = [pair.free.p99_ms for pair in pairs]
    noise = median(max(a, b) / min(a, b) for a, b in pairwise(free)) if len(free) > 1 else 1.0
    grown_mb = one.memory.most - one.memory.connected
    report(
        "stuck_order_p99",
        stuck_ms,
        "ms",
        peer=free_ms,
        ratio=ratio,
        noise=noise,
        lower_is_better=True,
        stalled=one.shape.stalled,
        sockets=one.shape.sockets,
        offered=one.shape.rate,
    )
    report("stuck_growth", grown_mb, "MB", must=GROWTH_MAX_MB, lower_is_better=True, most=one.memory.most)
    assert grown_mb <= GROWTH_MAX_MB, f"the server grew by {grown_mb:.0f} MB"
    shown = ", ".join(map(str, pairs))
    assert ratio <= max(P99_RATIO_MAX, noise), f"orders took {ratio:.2f} times as long (p99): {shown}"
    return f"order p99 {free_ms:.2f} ms without, {stuck_ms:.2f} ms with them ({ratio:.2f} times, noise {noise:.2f}); grown by {grown_mb:.0f} MB"
