"""Allocation against a brute force that looks at every space: never an overlap, the score and the space equal."""

from __future__ import annotations

from typing import Final

from tests.engine.parking.naive_allocation import compare
from tests.torture.job import Job

REQUESTS_PER_SEED: Final = 2_000


async def allocation(job: Job) -> None:
    """Random requests in lots of 8 to 80 spaces."""
    for numbers in job.chunks(REQUESTS_PER_SEED):
        with job.round(numbers) as one:
            spaces = one.random.randrange(8, 80)
            given = compare(one.random.randrange(1 << 60), len(numbers), spaces)
            one.text = f"{spaces} spaces, {given} of {len(numbers)} requests got one"
            one.seen["given"] += given
