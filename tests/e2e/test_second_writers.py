"""The attacks of tests/torture/writers.py and duplicates.py in small."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.torture.duplicates import Size, duplicates
from tests.torture.writers import Attempt, held


async def test_a_copy_does_not_take_the_place_of_a_server_that_is_stopped(
    database_dsn: str, tmp_path: Path
) -> None:
    """What it is sent meanwhile is acknowledged when it goes on, and kept."""
    async with held(tmp_path, database_dsn) as one:
        report = await one.attempt(Attempt.WHILE_STOPPED)
        await one.finish()
    assert (dict(report.codes), report.taken_over) == ({"LOCKED": 1}, False)


async def test_duplicates_at_once_and_across_a_crash_have_one_effect_and_one_answer(
    database_dsn: str,
) -> None:
    async with duplicates(KERB_DATABASE_URL=database_dsn) as one:
        tally = await one.round(0, Random(1), Size(keys=200, before=3, after=2))
        await one.finish()
    assert tally.hits > tally.keys
    assert tally.altered >= tally.keys
