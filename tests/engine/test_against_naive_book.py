"""The engine and a reference written separately say the same for 300 000 random commands over all that docs/orders.md has.

After each command all invariants hold. Now and then the engine is thrown away and rebuilt from the rows that
its `dirty` marks have made: it goes on with the same hash and the same events.
"""

from __future__ import annotations

import pytest

from tests.engine.both_exchanges import run

SEEDS = range(12)
COMMANDS_PER_SEED = 25_000

EXPECTED_EVENTS = {
    "AccountOpened", "AccountStatusChanged", "BalanceChanged", "BookChanged", "DayEnded", "InstrumentSet",
    "KillSwitchSet", "OrderUpdated", "PhaseChanged", "Posted", "Refused", "TradeBusted", "Traded",
    "WithdrawalRequested",
    "WithdrawalSettled",
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_engine_and_naive_exchange_give_the_same_events(seed: int) -> None:
    seen = run(seed, COMMANDS_PER_SEED)
    assert set(seen) >= EXPECTED_EVENTS
    assert seen["Traded"] > COMMANDS_PER_SEED // 10
    assert seen["Refused"] < COMMANDS_PER_SEED // 2
