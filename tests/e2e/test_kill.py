"""kill -9 under load, ten times: what was acknowledged is there once, what was in doubt is whole or absent."""

from __future__ import annotations

from random import Random

import pytest

from tests.torture.kill import Crash, plan, torture

ROUNDS = 10


@pytest.mark.timeout(300)
async def test_kills_under_load_lose_nothing_and_do_nothing_twice() -> None:
    random = Random()
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    random.seed(seed)
    acknowledged = in_doubt = probed = 0
    crashes = set()
    async with torture(seed) as rounds:
        for number in range(ROUNDS):
            report = await rounds.round(plan(random, number))
            print(report)
            acknowledged += report.tally.acknowledged
            in_doubt += report.in_doubt
            probed += report.probed
            crashes.add(report.crash)
    assert acknowledged > 100 * ROUNDS  # the load was one
    assert in_doubt > 0
    assert probed > ROUNDS
    assert crashes == {crash.value for crash in Crash}
