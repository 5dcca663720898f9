"""From a gate's scan to its durable decision: 1 000 gates connected, 1 000 scans a second, alone and beside 1 000 orders a second.

    python -m bench.gates [SECONDS A ROUND]

The whole server with its journal, PostgreSQL and write-behind; every scan opens, and every vehicle passes, which is another line a
scan. A scan counts from the time at which it was due. Rounds with and without orders over HTTP are interleaved.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from statistics import median
from typing import Any, Final

import msgspec
import uvloop

from bench.figures import median_ratio, report
from bench.gate_load import Job, Outcome
from bench.order_load import LOAD_CORE, OrderLoad, cpu_s, order_load
from tests.kerb_process import ROOT

ROUNDS: Final = 5
SECONDS: Final = 4.0
GATES: Final = 1_000
SCANS_PER_S: Final = 1_000.0
ORDERS_PER_S: Final = 1_000.0
CONNECTIONS: Final = 64
MUST_P99_MS: Final = 5.0
CONNECT_TIMEOUT_S: Final = 60.0


class Gates:
    """The process of the gates."""

    def __init__(self, process: Process, core: int) -> None:
        self._process = process
        self._core = core

    async def scan(self, seconds: float) -> Outcome:
        """One round. Raises AssertionError when a scan did not open, or the rate was not reached."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(Job(SCANS_PER_S, seconds, core=self._core)) + b"\n")
        line = await self._process.stdout.readline()
        assert line, "the gates have ended"
        outcome = msgspec.json.decode(line, type=Outcome)
        assert outcome.opened == outcome.decisions > 0, outcome
        return outcome


async def start_gates(stack: AsyncExitStack, load: OrderLoad) -> Gates:
    """Connect all gates."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.gate_load", str(load.folder / "gates.json")),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
    )

    async def end() -> None:
        if process.returncode is None:
            process.kill()
        await process.wait()

    stack.push_async_callback(end)
    assert process.stdout is not None
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        assert await process.stdout.readline() == b"connected\n"
    return Gates(process, LOAD_CORE if load.cores else -1)


async def measure(seconds: float) -> None:
    """Rounds with and without orders beside."""
    environ = {"KERB_GATE__CONNECTIONS_PER_ADDRESS_MAX": "2000", "KERB_GATE__CONNECTIONS_MAX": "2000"}
    async with AsyncExitStack() as stack:
        load = await stack.enter_async_context(
            order_load(
                bare=False, program=("-m", "bench.gate_server", str(GATES), "{folder}/gates.json"), **environ
            )
        )
        gates = await start_gates(stack, load)
        alone: list[Outcome] = []
        beside: list[Outcome] = []
        orders: list[float] = []
        cpu_us: list[float] = []
        for _ in range(ROUNDS):
            used_s = cpu_s(load.kerb.pid)
            alone.append(await gates.scan(seconds))
            cpu_us.append((cpu_s(load.kerb.pid) - used_s) / max(alone[-1].sent, 1) * 1e6)
            await load.drained()
            ordering = asyncio.ensure_future(
                load.send(load.kerb_port, connections=CONNECTIONS, seconds=seconds + 0.5, rate=ORDERS_PER_S)
            )
            beside.append(await gates.scan(seconds))
            orders.append((await ordering).rate)
            await load.drained()
    alone_p99, beside_p99 = [each.p99_ms for each in alone], [each.p99_ms for each in beside]
    report(
        "gate_scan_p99",
        median(beside_p99),
        "ms",
        must=MUST_P99_MS,
        lower_is_better=True,
        peer=median(alone_p99),
        ratio=median_ratio(beside_p99, alone_p99),
        **figures(beside),
        orders_per_s=median(orders),
    )
    report(
        "gate_scan_p99_alone",
        median(alone_p99),
        "ms",
        must=MUST_P99_MS,
        lower_is_better=True,
        **figures(alone),
        cpu_us_per_scan=median(cpu_us),
    )


def figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """What else there is to say of rounds."""
    return {
        "p50_ms": median(each.p50_ms for each in outcomes),
        "max_ms": max(each.max_ms for each in outcomes),
        "scans_per_s": median(each.rate for each in outcomes),
        "late": sum(each.late for each in outcomes),
        "gates": GATES,
    }


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(seconds))


if __name__ == "__main__":
    main()
