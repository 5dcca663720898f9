"""Orders a second over HTTP on the full path, against a bare aiohttp POST handler under the same load.

    python -m bench.http_orders [SECONDS A ROUND]

Full path: authentication, rate limit, decoding, risk, ledger, matching, a journal with a real fdatasync, fan-out, and
the write-behind into the embedded PostgreSQL. 64 connections, each with one order in flight; the bare server gets the
very same requests. Where other programs share the core, rates say little: so the ratio is also taken of the processor
time that each server spends on a request, and the smaller one counts. Then the latency at half of that rate, with orders sent by the clock.
"""

from __future__ import annotations

import asyncio
import sys
from statistics import median
from typing import Final

import uvloop

from bench.figures import median_ratio, report
from bench.order_load import OrderLoad, cpu_s, order_load

ROUNDS: Final = 5
CONNECTIONS: Final = 64
SECONDS: Final = 4.0
MUST_RATIO: Final = 0.4
AIM_RATIO: Final = 0.5
AIM_PER_S: Final = 10_000
MUST_P99_MS: Final = 10.0


async def throughput(load: OrderLoad, seconds: float) -> float:
    """Interleaved rounds of the bare server and Kerb; returns Kerb's median rate."""
    bare: list[float] = []
    full: list[float] = []
    cpu_us: list[float] = []
    bare_cpu_us: list[float] = []
    p99_ms: list[float] = []
    for _ in range(ROUNDS):
        used_s = cpu_s(load.bare_pid)
        outcome = await load.send(load.bare_port, connections=CONNECTIONS, seconds=seconds)
        bare_cpu_us.append((cpu_s(load.bare_pid) - used_s) / outcome.answered * 1e6)
        bare.append(outcome.rate)
        placed, used_s = await load.placed(), cpu_s(load.kerb.pid)
        outcome = await load.send(load.kerb_port, connections=CONNECTIONS, seconds=seconds)
        used_s, placed = cpu_s(load.kerb.pid) - used_s, await load.placed() - placed
        assert placed >= sum(outcome.statuses.values()), "orders were answered that were not placed"
        full.append(outcome.rate)
        p99_ms.append(outcome.p99_ms)
        cpu_us.append(used_s / placed * 1e6)
        await load.drained()
    value, ratio = median(full), median_ratio(full, bare)
    report(
        "http_orders",
        value,
        "orders/s",
        aim=AIM_PER_S,
        peer=median(bare),
        ratio=ratio,
        cpu_us_per_order=median(cpu_us),
        peer_cpu_us=median(bare_cpu_us),
        p99_ms=median(p99_ms),
        connections=CONNECTIONS,
    )
    cpu_ratio = median_ratio(bare_cpu_us, cpu_us)
    report(
        "http_orders_ratio",
        min(ratio, cpu_ratio),
        "of_bare_post",
        must=MUST_RATIO,
        aim=AIM_RATIO,
        by_rate=ratio,
        by_cpu=cpu_ratio,
    )
    return value


async def latency_at_half(load: OrderLoad, rate: float, seconds: float) -> None:
    """Latency with orders sent by the clock at half of the maximum."""
    half = rate / 2
    outcomes = []
    for _ in range(ROUNDS):
        outcomes.append(await load.send(load.kerb_port, connections=CONNECTIONS, seconds=seconds, rate=half))
        await load.drained()
    report(
        "http_orders_p99_at_half",
        median(outcome.p99_ms for outcome in outcomes),
        "ms",
        must=MUST_P99_MS,
        lower_is_better=True,
        p50_ms=median(outcome.p50_ms for outcome in outcomes),
        max_ms=max(outcome.max_ms for outcome in outcomes),
        offered=half,
        reached=median(outcome.rate for outcome in outcomes),
    )


async def measure(seconds: float) -> None:
    """Both, on one running server."""
    async with order_load() as load:
        rate = await throughput(load, seconds)
        await latency_at_half(load, rate, seconds)


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(seconds))


if __name__ == "__main__":
    main()
