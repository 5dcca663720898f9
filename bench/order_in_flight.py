"""How long one order over HTTP takes when it is the only one, until it is durable and answered; beside it what it cannot beat.

    python -m bench.order_in_flight

One keep-alive connection, the next order is sent when the last one is answered. The ceiling is a POST to the bare
aiohttp server on the same core plus a bare pwrite and fdatasync of 4 KiB on the same disk, all three interleaved.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import uvloop

from bench.figures import median_ratio, report
from bench.order_load import OrderLoad, order_load

ROUNDS: Final = 5
ORDERS: Final = 800
SYNCS: Final = 300
SETTLE_S: Final = 0.5
"""After a load the disk is still busy with PostgreSQL's files for a moment."""
BLOCK: Final = bytes(4096)
MUST_MS: Final = 1.0
AIM_MS: Final = 0.5


def sync_ms(path: Path) -> float:
    """The median of a pwrite and fdatasync of one block into a file that is there already."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, BLOCK * SYNCS, 0)
    os.fsync(fd)
    took = []
    for number in range(SYNCS):
        begun = perf_counter()
        os.pwrite(fd, BLOCK, number * len(BLOCK))
        os.fdatasync(fd)
        took.append((perf_counter() - begun) * 1e3)
    os.close(fd)
    return median(took)


async def in_flight(load: OrderLoad, port: int) -> tuple[float, float]:
    """Median and 99th percentile of one call at a time, in milliseconds."""
    outcome = await load.send(port, connections=1, seconds=30, count=ORDERS, warm_s=0.1)
    return outcome.p50_ms, outcome.p99_ms


async def measure() -> None:
    """Interleaved rounds on one running server."""
    orders: list[float] = []
    worst: list[float] = []
    posts: list[float] = []
    syncs: list[float] = []
    async with order_load() as load:
        for _ in range(ROUNDS):
            p50_ms, p99_ms = await in_flight(load, load.kerb_port)
            orders.append(p50_ms)
            worst.append(p99_ms)
            await load.drained()
            posts.append((await in_flight(load, load.bare_port))[0])
            await asyncio.sleep(SETTLE_S)
            syncs.append(await asyncio.to_thread(sync_ms, load.folder / "bare"))
    ceilings = [post + sync for post, sync in zip(posts, syncs, strict=True)]
    report(
        "order_in_flight_p50",
        median(orders),
        "ms",
        must=MUST_MS,
        aim=AIM_MS,
        lower_is_better=True,
        peer=median(ceilings),
        ratio=median_ratio(orders, ceilings),
        p99_ms=median(worst),
        bare_post_ms=median(posts),
        bare_sync_ms=median(syncs),
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure())
