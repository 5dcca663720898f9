"""Whatever comes: rules that only flag change nothing but the reports, and rules that block keep every invariant."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from engine.apply import Applied, apply
from engine.commands import AnyCommand, Envelope, LinkAccount, SetKycTier, SetRiskRule
from engine.events import RiskViolated
from engine.invariants import check_invariants
from engine.kinds import RiskMode, RiskRule, Source
from engine.risk_figures import FIGURES
from engine.state import State
from engine.state_hash import state_hash
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands, Step

COMMANDS = 4_000
TIGHT: dict[RiskRule, tuple[int, ...]] = {
    RiskRule.FAT_FINGER: (10**9, 10**9),
    RiskRule.ORDER_RATE_LIMIT: (2, 20),
    RiskRule.RAPID_TRADING: (20, 60_000_000),
    RiskRule.UNUSUAL_VOLUME: (2, 5),
    RiskRule.PENNY_STOCK_ALERT: (10**5, 10**6),
    RiskRule.POSITION_LIMIT: (10**10, 10**10),
    RiskRule.KYC_LIMIT: (0, 10**8, 10**9),
    RiskRule.DAILY_LOSS_LIMIT: (1,),
    RiskRule.PDT_VIOLATION: (1, 5, 10**12),
    RiskRule.WASH_TRADE: (),
}
"""Figures at which a small random venue breaks every rule."""


def settings(state: State, mode: RiskMode, at: int) -> list[AnyCommand]:
    """Ten rules, and for two accounts of the opening a tier and a group."""
    rules: list[AnyCommand] = [SetRiskRule(rule, mode, TIGHT[rule]) for rule in FIGURES]
    accounts = list(state.accounts)
    linked: list[AnyCommand] = [LinkAccount(accounts[n], "family", "") for n in (0, 4)]
    tiers: list[AnyCommand] = [SetKycTier(account_id, at % 4) for account_id in accounts[4:]]
    return [*rules, *linked, *tiers]


class Engines:
    """One engine without rules and one that has them in some mode, told the same."""

    def __init__(self, mode: RiskMode) -> None:
        self.naive = NaiveExchange()
        self.plain, self.ruled = State(), State()
        self.mode = mode
        self.reported: Counter[str] = Counter()

    def set_rules(self, now_us: int) -> None:
        """The same commands for both, so both count the same; in the plain one all rules are off."""
        pairs = zip(settings(self.plain, RiskMode.OFF, 1), settings(self.ruled, self.mode, 1), strict=True)
        for off, on in pairs:
            envelope = Envelope(Source.CONFIG)
            self.naive.apply(envelope, off, now_us)
            assert apply(self.plain, envelope, off, now_us).refused is None
            assert apply(self.ruled, envelope, on, now_us).refused is None

    def step(self, step: Step) -> tuple[Applied, Applied]:
        envelope, command, now_us = step
        self.naive.apply(envelope, command, now_us)
        plain = apply(self.plain, envelope, command, now_us)
        ruled = apply(self.ruled, envelope, command, now_us)
        for event in ruled.events:
            if isinstance(event, RiskViolated):
                self.reported[event.rule.name] += 1
        return plain, ruled


@pytest.mark.parametrize("seed", range(3))
def test_rules_that_flag_change_no_event_of_an_order(seed: int) -> None:
    engines = Engines(RiskMode.FLAG)
    commands = RandomCommands(seed, engines.naive)
    for count, step in enumerate(commands.steps(COMMANDS)):
        if count == 30:
            engines.set_rules(step[2])
        plain, ruled = engines.step(step)
        assert plain.answer == tuple(event for event in ruled.answer if not isinstance(event, RiskViolated))
        assert plain.events == tuple(event for event in ruled.events if not isinstance(event, RiskViolated))
        assert engines.plain.risk_windows == {}
        if count % 50 == 0:
            assert check_invariants(engines.ruled) == []
    assert engines.reported.keys() == {rule.name for rule in RiskRule}


@pytest.mark.parametrize("seed", range(2))
def test_rules_that_block_keep_the_books_in_order(seed: int) -> None:
    """The two engines part; the ruled one alone is checked, rebuilt from its rows now and then."""
    engines = Engines(RiskMode.BLOCK)
    commands = RandomCommands(seed, engines.naive)
    random = Random(seed)
    traded: Counter[str] = Counter()
    mirror = Mirror(engines.ruled)
    for count, step in enumerate(commands.steps(COMMANDS)):
        if count == 30:
            engines.set_rules(step[2])
        _, ruled = engines.step(step)
        if ruled.refused is not None:
            traded[ruled.refused.refusal.name] += 1
        if count % 20 == 0:
            assert check_invariants(engines.ruled) == []
            mirror.cut(engines.ruled)
            assert mirror.rows == all_rows(engines.ruled)
        if random.random() < 0.005:
            before = state_hash(engines.ruled)
            mirror.cut(engines.ruled)
            engines.ruled = restored(all_rows(engines.ruled))
            assert state_hash(engines.ruled) == before
            assert check_invariants(engines.ruled) == []
    blocked = {rule.name for rule in RiskRule} & traded.keys()
    assert blocked >= {"FAT_FINGER", "ORDER_RATE_LIMIT", "POSITION_LIMIT", "UNUSUAL_VOLUME"}


def test_a_refusal_by_a_rule_takes_nothing() -> None:
    """With every rule at its tightest and blocking, a refused order leaves the state as it was but for the clock."""
    engines = Engines(RiskMode.BLOCK)
    commands = RandomCommands(7, engines.naive)
    seen = 0
    for count, step in enumerate(commands.steps(1_500)):
        if count == 30:
            engines.set_rules(step[2])
        rows = all_rows(engines.ruled) if count > 30 and not step[0].key else None
        _, applied = engines.step(step)
        if (
            rows is None
            or applied.refused is None
            or applied.refused.refusal.name not in RiskRule.__members__
        ):
            continue
        after = all_rows(engines.ruled)
        unchanged = set(rows) - {"clock", "key", "client_order_id"}
        assert {kind for kind in unchanged if rows[kind] != after[kind]} == set()
        seen += 1
    assert seen > 20
