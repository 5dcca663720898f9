"""A crowd at the gates' port: as many connections at once as this process may have, none of which says anything.

Both ends are in one process, so it is half of its file descriptors. Gates that are connected go on being served, and another one
gets in, while the crowd stands there.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from msgspec.structs import replace

from config.loading import load_settings
from engine.parking.kinds import Direction
from server.gate_client import GateClient
from tests.handlers.gate_yard import AT, GateYard, open_yard
from tests.torture.gate_attacks import STRANGER, Attacker, Tries
from tests.torture.job import Job

TRIES_PER_CHUNK: Final = 10_000
BATCH: Final = 250
"""Connections that are opened before a gate scans again."""

SCANS: Final = 500
"""While the whole crowd is there."""

SPARE: Final = 1_000
"""File descriptors that are left for all else."""

HANDSHAKE_S: Final = 45
PATIENCE_S: Final = 30


class Silent(asyncio.Protocol):
    """One of the crowd. `ended` is called when the server has ended it."""

    def __init__(self, left: Counter[str]) -> None:
        self._left = left

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has had enough."""
        self._left["ended"] += 1


def room() -> int:
    """How many connections may be there at once."""
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE) // 2


async def crowd_of(tries: int, folder: Path, *, at_once: int, handshake_s: int = HANDSHAKE_S) -> Counter[str]:
    """So many connections, `at_once` at most. Raises AssertionError when a gate is not served, or one is not in the log once."""
    settings = load_settings("test", None, {}).settings.gate
    places = replace(
        settings, connections_max=at_once, connections_per_address_max=at_once, handshake_s=handshake_s
    )
    handler, logger = Tries(), logging.getLogger("kerb.gates")
    level = logger.level
    async with open_yard(folder, places) as yard:
        yard.add_gate("there", Direction.ENTRY)
        yard.add_gate("honest", Direction.ENTRY)
        gate = await yard.connect("there")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            seen = await _stand(yard, gate, tries, at_once)
            yard.hub.faults.flush()
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
        assert sum(yard.hub.faults.counts.values()) == tries, yard.hub.faults
        assert handler.told == tries, f"{tries} connections, {handler.told} in the log"
        assert not yard.state.parking.lanes, "a lane waits for a vehicle"
    return seen


async def _stand(yard: GateYard, gate: GateClient, tries: int, at_once: int) -> Counter[str]:
    """The crowd comes, stands there and goes; what was seen, times in microseconds."""
    loop = asyncio.get_running_loop()
    left: Counter[str] = Counter()
    coming = []
    for first in range(0, tries, BATCH):
        batch = range(first, min(first + BATCH, tries))
        await asyncio.gather(*(loop.create_connection(lambda: Silent(left), *yard.address) for _ in batch))
        coming.append(await _scan(gate))
    faults = yard.hub.faults.counts
    async with asyncio.timeout(PATIENCE_S):
        while yard.hub.unproven + sum(faults.values()) < tries:  # the last ones wait to be accepted
            coming.append(await _scan(gate))
    held = yard.hub.unproven
    assert held == min(tries, at_once), f"{held} stand there"
    begun_s = perf_counter()
    await Attacker(yard, Random(0)).honest_works()
    got_in_us = int((perf_counter() - begun_s) * 1e6)
    standing = [await _scan(gate) for _ in range(SCANS if tries >= SCANS else 20)]
    async with asyncio.timeout(4 * yard.hub.settings.handshake_s + 30):
        while left["ended"] < tries:
            await gate.report("heartbeat")
            await asyncio.sleep(0.1)
    assert yard.hub.unproven == 0
    assert list(yard.hub.links) == ["there"]
    standing.sort()
    return Counter(
        {
            "connections": tries,
            "connections at once": held,
            "scan p50 us": standing[len(standing) // 2],
            "scan p99 us": standing[len(standing) * 99 // 100],
            "worst scan while they came us": max(coming),
            "another gate in and served us": got_in_us,
        }
    )


async def _scan(gate: GateClient) -> int:
    """Microseconds from a scan to its answer."""
    begun_s = perf_counter()
    decision = await gate.scan(STRANGER, AT)
    assert not decision.open
    return int((perf_counter() - begun_s) * 1e6)


async def crowd(job: Job) -> None:
    """A crowd each round."""
    for numbers in job.chunks(TRIES_PER_CHUNK):
        with job.round(numbers) as one, tempfile.TemporaryDirectory() as folder:
            one.seen.update(await crowd_of(len(numbers), Path(folder), at_once=min(len(numbers), room())))
            one.text = ", ".join(f"{name} {figure}" for name, figure in one.seen.items())
