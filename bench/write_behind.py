"""How far PostgreSQL is behind while orders come in at a steady rate, and how long it takes to catch up.

    python -m bench.write_behind [SECONDS]

Orders are sent by the clock over HTTP to a real server with the embedded PostgreSQL; the lag is read ten times a second
from its metrics: how long the oldest record that PostgreSQL has not got yet has been waiting.
"""

from __future__ import annotations

import asyncio
import re
import sys
from time import monotonic
from typing import Final

import uvloop

from bench.figures import percentile, report
from bench.order_load import OrderLoad, cpu_s, order_load

RATES: Final = (5_000, 8_000)
"""The rate of the must, and that of the aim."""

SECONDS: Final = 12.0
CONNECTIONS: Final = 64
LAG_MAX_S: Final = 2.0
EVERY_S: Final = 0.1
_LAG_S = re.compile(r"^kerb_write_behind_lag_seconds ([\d.e+-]+)$", re.MULTILINE)


async def watch(load: OrderLoad, lags_s: list[float]) -> None:
    """Read the lag until cancelled."""
    while True:
        lags_s.append(await load.metric(_LAG_S))
        await asyncio.sleep(EVERY_S)


async def steady(load: OrderLoad, rate: int, seconds: float) -> None:
    """One rate."""
    lags_s: list[float] = []
    placed, used_s = await load.placed(), cpu_s(load.kerb.pid)
    watching = asyncio.create_task(watch(load, lags_s))
    outcome = await load.send(load.kerb_port, connections=CONNECTIONS, seconds=seconds, rate=rate)
    watching.cancel()
    ended_s = monotonic()
    await load.drained()
    caught_up_s = monotonic() - ended_s
    used_s, placed = cpu_s(load.kerb.pid) - used_s, await load.placed() - placed
    lags_s.sort()
    kept_up = outcome.rate >= 0.98 * rate
    report(
        f"write_behind_lag_at_{rate}",
        lags_s[-1],
        "s_max",
        must=LAG_MAX_S if rate == RATES[0] else None,
        aim=LAG_MAX_S,
        valid=kept_up,
        lower_is_better=True,
        p50_s=percentile(lags_s, 0.5),
        offered=rate,
        reached=outcome.rate,
        kept_up="yes" if kept_up else "no",
        catch_up_s=caught_up_s,
        cpu_us_per_order=used_s / placed * 1e6,
        p99_ms=outcome.p99_ms,
    )


async def measure(seconds: float) -> None:
    """Both rates on one running server."""
    async with order_load(bare=False) as load:
        for rate in RATES:
            await steady(load, rate, seconds)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
