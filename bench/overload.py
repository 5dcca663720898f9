"""Twice what the server can do, in open loop: what it still accepts, how soon it refuses the rest, and what comes after.

    python -m bench.overload [SECONDS]

Three turns, each of them: the most it does (64 connections, one order in flight on each), twice that rate by the clock over
CONNECTIONS connections, and half of it right afterwards. Meanwhile a client cancels resting orders and reads its wallet.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from statistics import median
from time import monotonic
from typing import Final

import uvloop
from msgspec import Struct

from bench.figures import percentile, report
from bench.http_load import Outcome
from bench.order_load import CASH, OrderLoad, cpu_s, order_load
from config.loading import load_settings
from tests.handlers.small_kerb import Client

TURNS: Final = 3
CONNECTIONS: Final = 1_500
RESTING: Final = 200
PROBE_EVERY_S: Final = 0.05
_SETTINGS: Final = load_settings("demo", None, {}).settings.overload
REFUSED: Final = frozenset({"503"})


def loaded() -> AbstractAsyncContextManager[OrderLoad]:
    """A Kerb that refuses as it does by default: the harness of the tests turns that off."""
    return order_load(
        bare=False,
        KERB_OVERLOAD__TURN_MS=str(_SETTINGS.turn_ms),
        KERB_OVERLOAD__LAG_MS=str(_SETTINGS.lag_ms),
        KERB_OVERLOAD__PATIENCE_MS=str(_SETTINGS.patience_ms),
        KERB_OVERLOAD__DISK_WAIT_MS=str(_SETTINGS.disk_wait_ms),
    )


class Probe(Struct):
    """What a client met that cancelled and read under the load: latencies in milliseconds, and answers that were not 200."""

    cancels_ms: list[float]
    reads_ms: list[float]
    failed: list[int]


async def probe(client: Client, orders: list[str], until: asyncio.Task[Outcome]) -> Probe:
    """Cancel an order and read the wallet, one after the other, until the load ends."""
    probed = Probe([], [], [])
    while not until.done() and orders:
        for method, path, latencies in (
            ("DELETE", f"/orders/{orders.pop()}", probed.cancels_ms),
            ("GET", "/wallet/balance", probed.reads_ms),
        ):
            started_s = monotonic()
            reply = await client(method, path)
            latencies.append((monotonic() - started_s) * 1e3)
            if reply.status != 200:
                probed.failed.append(reply.status)
        await asyncio.sleep(PROBE_EVERY_S)
    return probed


async def resting_orders(load: OrderLoad, name: str) -> tuple[Client, list[str]]:
    """A client, and its orders far from the market."""
    client = await load.kerb.register(load.http, f"{name}@example.com", CASH)
    ids = []
    for _ in range(RESTING):
        reply = await client.place("BUY", "1", "10", stock_symbol="AAPL", time_in_force="GTC")
        ids.append(reply.data["order_id"])
    return client, ids


class Turn(Struct):
    """What came of one turn. The machine's mood changes: the most is measured before and behind."""

    before: Outcome
    twice: Outcome
    after: Outcome
    behind: Outcome
    probe: Probe
    share: float
    """Of its core that the server had while twice as many came: where others take it, nothing here is the server's."""

    @property
    def most(self) -> float:
        """Orders a second: the lower one."""
        return min(self.before.rate, self.behind.rate)

    @property
    def goodput(self) -> float:
        """Orders accepted a second while twice as many came."""
        return self.twice.statuses.get("201", 0) / self.twice.seconds


async def turn(load: OrderLoad, number: int, seconds: float) -> Turn:
    """Measure once."""
    client, orders = await resting_orders(load, f"probe{number}")
    await load.drained()
    before = await load.send(load.kerb_port, connections=64, seconds=seconds)
    await load.drained()
    worked_s, begun_s = cpu_s(load.kerb.pid), monotonic()
    sending = asyncio.create_task(
        load.send(
            load.kerb_port,
            connections=CONNECTIONS,
            seconds=seconds,
            rate=2 * before.rate,
            warm_s=1.5,
            also=REFUSED,
        )
    )
    probed = await probe(client, orders, sending)
    twice = await sending
    share = (cpu_s(load.kerb.pid) - worked_s) / (monotonic() - begun_s)
    after = await load.send(
        load.kerb_port, connections=64, seconds=seconds, rate=before.rate / 2, warm_s=0.0, also=REFUSED
    )
    await load.drained()
    behind = await load.send(load.kerb_port, connections=64, seconds=seconds)
    await load.drained()
    return Turn(before, twice, after, behind, probed, share)


def told(turns: list[Turn]) -> None:
    """Print the figures; the median of the turns."""

    def figure(
        name: str, values: list[float], unit: str, ratio: float | None = None, must: float | None = None
    ) -> None:
        report(f"overload_{name}", median(values), unit, ratio=ratio, must=must, lower_is_better=unit == "ms")

    figure("most", [each.most for each in turns], "orders/s")
    figure("offered", [2 * each.before.rate for each in turns], "orders/s")
    figure("answered", [each.twice.rate for each in turns], "answers/s")
    ratios = [each.goodput / each.most for each in turns]
    figure(
        "goodput",
        [each.goodput for each in turns],
        "orders/s",
        must=0.9 * median(each.most for each in turns),
        ratio=median(ratios),
    )
    figure("server_share", [each.share for each in turns], "cores")
    for place, name in enumerate(("p50", "p99", "max")):
        figure(f"accepted_{name}", [each.twice.by_status["201"][place] for each in turns], "ms")
        if all("503" in each.twice.by_status for each in turns):
            refused = [each.twice.by_status["503"][place] for each in turns]
            figure(f"refused_{name}", refused, "ms", must=50.0 if name == "p99" else None)
    figure("cancel_p99", [percentile(sorted(each.probe.cancels_ms), 0.99) for each in turns], "ms")
    figure("read_p99", [percentile(sorted(each.probe.reads_ms), 0.99) for each in turns], "ms")
    figure("probes_failed", [float(len(each.probe.failed)) for each in turns], "answers")
    figure("load_late", [each.twice.late_ms for each in turns], "ms")
    figure("after_p99", [each.after.p99_ms for each in turns], "ms")
    figure("after_refused", [float(each.after.statuses.get("503", 0)) for each in turns], "orders")


async def run(seconds: float) -> None:
    """Start a Kerb and load it."""
    async with loaded() as load:
        told([await turn(load, number, seconds) for number in range(TURNS)])


if __name__ == "__main__":
    uvloop.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0))
