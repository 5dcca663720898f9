"""Replays of many seeds, each in two processes whose hashes of strings differ: what they write and come to must not."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from typing import Final

from tests.torture.job import ROOT, Job
from tests.torture.spread import seed_of

SEEDS_PER_CHUNK: Final = 25
HASH_SEEDS: Final = ("1", "2")


async def replays(job: Job) -> None:
    """Rounds are seeds; `python -m tests.simulation.replays SEED 1` runs a chunk's first one again."""
    for numbers in job.chunks(SEEDS_PER_CHUNK):
        with job.round(numbers) as one:
            seed = seed_of(job, numbers)
            lines = await asyncio.gather(*(_lines(seed, len(numbers), hash_seed) for hash_seed in HASH_SEEDS))
            for first, second in zip(*lines, strict=True):
                assert _told(first) == _told(second), f"two hash seeds, two histories:\n{first}\n{second}"
            one.seen = Counter({"replays": len(HASH_SEEDS) * len(numbers)})
            one.seen["records"] = sum(int(line.split(" records ")[0].rpartition(" ")[2]) for line in lines[0])


def _told(line: str) -> str:
    """All but how much was replayed: that depends on how quick Postgres was."""
    return line.partition(",")[0]


async def _lines(seed: str, count: int, hash_seed: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.simulation.replays", seed, str(count)),
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    assert process.returncode == 0, f"seed {seed}, hash seed {hash_seed}:\n{complaint.decode()[-4_000:]}"
    return said.decode().splitlines()
