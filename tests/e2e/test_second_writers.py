"""The attacks of tests/torture/writers.py and duplicates.py in small."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import asyncpg
import pytest

from server.exit_codes import ExitCode
from tests.kerb_process import KerbProcess
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


async def test_who_loses_the_database_while_it_starts_says_so_with_its_exit_code(
    database_dsn: str, tmp_path: Path
) -> None:
    """The demo's users cannot be made, so it is still starting when it finds that somebody has taken the database over."""
    kerb = KerbProcess(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn)
    operator, other = [await asyncpg.connect(database_dsn) for _ in range(2)]
    async with other.transaction():
        await other.execute("LOCK TABLE users IN SHARE MODE")
        starting = asyncio.create_task(kerb.start())
        while not starting.done():
            await operator.execute("UPDATE journal_position SET owner_instance = 'somebody'")
    for connection in (operator, other):
        await connection.close()
    with pytest.raises(AssertionError, match=f"exit code {ExitCode.LOCKED.value}"):
        await starting
