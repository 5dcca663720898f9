"""Two drivers, one space, the same moment (a thousand rounds more are `python -m tests.torture last_space`)."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from tests.handlers.small_kerb import SmallKerb
from tests.torture.last_space import CASH, Rivalry

ROUNDS = 100


async def test_of_two_who_want_the_last_space_one_has_it_and_the_other_s_money_is_untouched(
    small: SmallKerb,
) -> None:
    seed = Random().randrange(1 << 30)
    print(f"seed {seed}")
    random = Random(seed)
    now = datetime.fromtimestamp(small.services.runtime.now_us() / 1e6, UTC)
    drivers = [await small.trader(name, cash=CASH) for name in ("ann", "bob")]
    rivalry = await Rivalry.begin(await small.admin(), drivers, now)
    for number in range(ROUNDS):
        await rivalry.race(number, random)
    assert sum(rival.wins for rival in rivalry.rivals) == ROUNDS
    assert min(rival.wins for rival in rivalry.rivals) > 0
