"""Simulated crashes with a disk that lies: at every sync index of every life, and the recovery that has to follow each."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests.simulation.life import Life
from tests.torture.job import Job
from tests.torture.spread import spread

CRASHES_PER_LIFE: Final = 200


async def simulate(job: Job) -> None:
    """Lives of 200 crashes. `python -m tests.simulation SEED` runs one again and prints its trace."""
    await spread(job, CRASHES_PER_LIFE, crashes)


def crashes(seed: str, count: int) -> Counter[str]:
    """One life; what happened in it."""
    life = Life(seed)
    life.run(count)
    return life.seen


async def readers(job: Job) -> None:
    """The same with clients of private streams, GETs and the public market: no observation is later taken back."""
    await spread(job, CRASHES_PER_LIFE, crashes_with_readers)


def crashes_with_readers(seed: str, count: int) -> Counter[str]:
    """One life with readers; what happened in it."""
    life = Life(seed, with_readers=True)
    life.run(count)
    return life.seen
