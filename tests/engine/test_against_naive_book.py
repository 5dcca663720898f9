"""The engine and a reference written separately say the same, event for event, for 200 000 random commands.

After each command all invariants hold. Now and then the engine is thrown away and rebuilt from the rows that
its `dirty` marks have made: it goes on with the same hash and the same events.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from engine.apply import apply
from engine.invariants import check_invariants
from engine.state import State
from engine.state_hash import state_hash
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(8)
COMMANDS_PER_SEED = 25_000

EXPECTED_EVENTS = {
    "AccountOpened", "AccountStatusChanged", "BalanceChanged", "BookChanged", "DayEnded", "InstrumentSet",
    "KillSwitchSet", "OrderUpdated", "PhaseChanged", "Posted", "Refused", "TradeBusted", "Traded",
    "WithdrawalRequested",
    "WithdrawalSettled",
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_engine_and_naive_exchange_give_the_same_events(seed: int) -> None:
    state, naive = State(), NaiveExchange()
    mirror, dice = Mirror(state), Random(seed)
    seen: Counter[str] = Counter()
    for envelope, command, now_us in RandomCommands(seed, naive).steps(COMMANDS_PER_SEED):
        expected = naive.apply(envelope, command, now_us)
        applied = apply(state, envelope, command, now_us)
        assert applied.events == expected.events, (state.seq, command)
        assert applied.answer == expected.answer, (state.seq, command)
        assert applied.duplicate == expected.duplicate, (state.seq, command)
        assert check_invariants(state) == [], (state.seq, command)
        mirror.cut(state)
        seen.update(type(event).__name__ for event in applied.events)
        if dice.random() < 1 / 2_500:
            rebuilt = restored(mirror.rows)
            assert state_hash(rebuilt) == state_hash(state)
            state, mirror = rebuilt, Mirror(rebuilt)
    assert mirror.rows == all_rows(state)
    assert lots_of(state) == naive_lots(naive)
    made = {account.account_id: account.realized_e4 for account in naive.accounts.values()}
    assert {account.account_id: account.realized_e4 for account in state.accounts.values()} == made
    assert set(seen) == EXPECTED_EVENTS
    assert seen["Traded"] > COMMANDS_PER_SEED // 10
    assert seen["Refused"] < COMMANDS_PER_SEED // 2


def lots_of(state: State) -> dict[tuple[int, str], list[list[int]]]:
    return {
        (account_id, symbol): [
            [lot.lot_id, lot.units_e8, lot.cost_e4, lot.acquired_us] for lot in position.lots.values()
        ]
        for account_id, account in state.accounts.items()
        for symbol, position in account.positions.items()
    }


def naive_lots(naive: NaiveExchange) -> dict[tuple[int, str], list[list[int]]]:
    return {
        (account_id, symbol): lots
        for account_id, account in naive.accounts.items()
        for symbol, lots in account.lots.items()
    }
