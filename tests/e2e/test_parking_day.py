"""A morning in a small car park, with a gate cut off and a kill -9 (a whole day of a large one: `python -m tests.torture day`)."""

from __future__ import annotations

from random import Random

import pytest

from tests.day.plan import MORNING, STARTS
from tests.torture.day import live_a_day


@pytest.mark.timeout(200)
async def test_after_a_morning_with_a_kill_all_that_happened_is_in_the_books_once(database_dsn: str) -> None:
    seed = Random().randrange(1 << 30)
    print(f"seed {seed}")
    day = await live_a_day(MORNING, STARTS[0], 1, Random(seed), KERB_DATABASE_URL=database_dsn)
    print(dict(day.seen))
    assert day.kills == 1
    assert day.seen["stays"] > 4
    assert day.seen["bookings"] > 4
    assert day.seen["charges"] > 4
