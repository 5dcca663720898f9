"""The engine and a reference written separately say the same for 300 000 random commands over all that docs/orders.md has.

All invariants hold. Now and then the engine is thrown away and rebuilt from the rows that
its `dirty` marks have made: it goes on with the same hash and the same events. And everything has really happened.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.engine.both_exchanges import run
from tests.engine.happenings import missing
from tests.engine.random_orders import FEATURES

SEEDS = range(12)
COMMANDS_PER_SEED = 25_000
CHECKED_EVERY = 10
"""`python -m tests.torture orders` checks all invariants after every command, of ten million."""


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What has been seen of all seeds that have run."""
    return Counter()


@pytest.mark.parametrize("seed", SEEDS)
def test_engine_and_naive_exchange_give_the_same_events(seed: int, seen: Counter[str]) -> None:
    happened = run(seed, COMMANDS_PER_SEED, checked_every=CHECKED_EVERY)
    assert happened["Traded"] > COMMANDS_PER_SEED // 20
    assert happened["Refused"] < COMMANDS_PER_SEED // 2
    seen += happened
    seen["seeds"] += 1


def test_everything_has_happened(seen: Counter[str]) -> None:
    """Each type, change of status, reason, refusal and phase, and what follows from one another; it needs all seeds."""
    while seen["seeds"] < len(SEEDS):
        seen += run(100 + seen["seeds"], COMMANDS_PER_SEED // 5)
        seen["seeds"] += 1
    assert missing(seen, FEATURES) == []
