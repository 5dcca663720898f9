"""Bit flips at or below the known durable sequence, and every byte cut of the last group, on journals of many seeds."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests.simulation.byte_damage import cut_everywhere, flip_bits
from tests.torture.job import Job
from tests.torture.spread import spread

FLIPS_PER_CHUNK: Final = 500
"""And one last group that is cut at every byte."""


async def bytes_(job: Job) -> None:
    """Rounds are flips; each chunk of them cuts another journal everywhere."""
    await spread(job, FLIPS_PER_CHUNK, damage)


def damage(seed: str, flips: int) -> Counter[str]:
    """Cuts and flips of one seed."""
    return cut_everywhere(seed) + flip_bits(seed, flips)
