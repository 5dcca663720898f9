"""A process of many gates that scan by the clock and tells how long decisions took. Run by bench/gates.py.

    python -m bench.gate_load

Each line on stdin is a job (`Job` as JSON), each line on stdout what came of it (`Outcome` as JSON). The gates stay connected
between jobs. Every scan opens: the vehicle goes in, then out, at its own gate, and each passage is reported. Gates are machines of
their own, so this process is preferred to PostgreSQL and the orders' sender on its core, where the system allows it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections import deque
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec
import uvloop
from msgspec import Struct

from bench.figures import percentile
from bench.gate_server import GateToBe, Handed
from server.gate_client import GateClient
from server.gate_messages import Ack, Alive, Decision
from server.gate_simulator import now_text
from server.thread_priority import prefer_this_thread

TURN_S: Final = 0.001
CONNECT_AT_ONCE: Final = 50


class Job(Struct):
    """So many scans a second for so long; nothing is counted in the first `warm_s`."""

    rate: float
    seconds: float
    warm_s: float = 0.5
    core: int = -1


class Outcome(Struct):
    """Decisions, how many opened, and how long they took from the time at which their scan was due."""

    sent: int
    """Scans, also those of the warm-up; each has a passage reported too."""
    decisions: int
    opened: int
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    late: int
    """Scans that were due when no gate was idle."""


class Gate:
    """One gate and its vehicle."""

    __slots__ = ("client", "tag")

    def __init__(self, client: GateClient, tag: str) -> None:
        self.client = client
        self.tag = tag


class Load:
    """All gates; `idle` are those that have nothing to wait for."""

    def __init__(self, gates: list[Gate]) -> None:
        self.idle = deque(gates)
        self.latencies_s: list[float] = []
        self.opened = 0
        self.late = 0
        self.counting = False
        self._at = now_text()

    async def run(self, job: Job) -> Outcome:
        """Carry a job out."""
        self.latencies_s, self.opened, self.late = [], 0, 0
        begun_s = monotonic()
        end_s = begun_s + job.warm_s + job.seconds
        sent = 0
        while (now_s := monotonic()) < end_s:
            self.counting = now_s - begun_s >= job.warm_s
            self._at = now_text()
            due = int((now_s - begun_s) * job.rate)
            while sent < due:
                due_s = begun_s + (sent + 1) / job.rate
                sent += 1
                if self.idle:
                    self._scan(self.idle.popleft(), due_s)
                else:
                    self.late += 1
            await asyncio.sleep(TURN_S)
        self.counting = False
        await asyncio.sleep(0.5)
        ordered = sorted(self.latencies_s) or [0.0]
        return Outcome(
            sent - self.late,
            len(self.latencies_s),
            self.opened,
            len(self.latencies_s) / job.seconds,
            percentile(ordered, 0.5) * 1e3,
            percentile(ordered, 0.99) * 1e3,
            ordered[-1] * 1e3,
            self.late,
        )

    def _scan(self, gate: Gate, due_s: float) -> None:
        counting = self.counting
        answer = gate.client.report("scan", tag=gate.tag, lane=1, at=self._at)

        def decided(future: asyncio.Future[Decision | Ack | Alive]) -> None:
            decision = future.result()
            assert isinstance(decision, Decision)
            if counting:
                self.latencies_s.append(monotonic() - due_s)
                self.opened += decision.open
            passed = gate.client.report("passed", lane=1, at=self._at)
            passed.add_done_callback(lambda _: self.idle.append(gate))

        answer.add_done_callback(decided)


async def connect(handed: Handed) -> list[Gate]:
    """All gates, some at a time."""

    async def one(each: GateToBe) -> Gate:
        address = ("127.0.0.1", handed.port)
        return Gate(await GateClient.connect(address, each.gate_id, bytes.fromhex(each.secret)), each.tag)

    gates: list[Gate] = []
    for begin in range(0, len(handed.gates), CONNECT_AT_ONCE):
        gates += await asyncio.gather(*map(one, handed.gates[begin : begin + CONNECT_AT_ONCE]))
    return gates


async def serve(file: Path) -> None:
    """Jobs from stdin until its end."""
    handed = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=Handed)
    load = Load(await connect(handed))
    gc.collect()
    gc.freeze()
    gc.disable()  # a collection would be somebody's latency
    print("connected", flush=True)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        job = msgspec.json.decode(line, type=Job)
        if job.core >= 0:
            os.sched_setaffinity(0, {job.core})
        outcome = await load.run(job)
        print(msgspec.json.encode(outcome).decode(), flush=True)


def main() -> None:
    """Be the gates of the file."""
    prefer_this_thread()
    uvloop.run(serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
