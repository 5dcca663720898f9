"""Runs an attack's chunks in as many processes as there are cores, each chunk from a seed of its own."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.torture.job import Job, TooManyFailures

Work = Callable[[str, int], Counter[str]]
"""(seed, rounds) → what was seen; a function of a module, for another process calls it. Raises AssertionError."""


async def spread(job: Job, chunk: int, work: Work) -> None:
    """Every chunk that is still to be survived. One round that is asked for alone runs here, to be looked at."""
    chunks = list(job.chunks(chunk))
    if len(chunks) == 1:
        with job.round(chunks[0]) as one:
            quiet()
            one.seen.update(work(seed_of(job, chunks[0]), len(chunks[0])))
        return
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), initializer=quiet) as pool:
        futures = {pool.submit(work, seed_of(job, numbers), len(numbers)): numbers for numbers in chunks}
        begun_s = time.monotonic()
        try:
            for future in as_completed(futures):
                numbers, error = futures[future], future.exception()
                seconds, begun_s = time.monotonic() - begun_s, time.monotonic()
                if isinstance(error, Exception):
                    job.failed(numbers, error, seconds)
                else:
                    job.survived(numbers, seconds, f"seed {seed_of(job, numbers)!r}", future.result())
        except TooManyFailures:
            pool.shutdown(cancel_futures=True)
            raise


def seed_of(job: Job, numbers: range) -> str:
    """The seed of a chunk; it says how to run it again."""
    return f"{job.seed}.{numbers.start}"


def quiet() -> None:
    """Kerb logs what it survives; an attack has thousands of that."""
    logging.disable(logging.CRITICAL)
