"""The attacks that race, as rows of the table: duplicate requests, second writers, and readers of a server that is killed.

Each has an arena: a server with its users, in which rounds follow each other and whose books are looked at in the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Final, Protocol

from tests.torture.duplicates import DUPLICATES_A_ROUND, duplicates
from tests.torture.job import Job
from tests.torture.observed import observed
from tests.torture.writers import ATTEMPTS, writers


class Report(Protocol):
    """What a round has shown, as a text and as counts."""

    @property
    def seen(self) -> Counter[str]: ...


class Arena(Protocol):
    """Where rounds are run one after the other. Both raise AssertionError with what must not be."""

    async def round(self, number: int, random: Random) -> Report: ...

    async def finish(self) -> None: ...


ROUNDS_PER_ARENA: Final = 10


async def _rounds(
    job: Job,
    todo: Iterable[range],
    arena: Callable[[], AbstractAsyncContextManager[Arena]],
    rounds_per_arena: int = ROUNDS_PER_ARENA,
) -> None:
    """All rounds in arenas, so many in each; after one that failed the next has an arena of its own."""
    left = list(todo)
    while left:
        async with arena() as one:
            failed = False
            for numbers in left[:rounds_per_arena]:
                left.pop(0)
                with job.round(numbers) as round_:
                    report = await one.round(numbers.start, round_.random)
                    round_.text, round_.seen = str(report), report.seen
                failed = round_.failed
                if failed:
                    break
            if not failed:
                await one.finish()


async def duplicate_requests(job: Job) -> None:
    """A chunk is one round, which sends at least as many duplicates."""
    await _rounds(job, job.chunks(DUPLICATES_A_ROUND), duplicates)


async def second_writers(job: Job) -> None:
    """Attempts take turns."""
    await _rounds(job, job.chunks(1), writers, 5 * len(ATTEMPTS))


async def watched_crashes(job: Job) -> None:
    """Every other round has slow writes, where this machine lets us trace."""
    await _rounds(job, job.chunks(1), observed)
