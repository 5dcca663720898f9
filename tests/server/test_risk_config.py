"""Config's risk rules become commands: nothing while all are off, production's all, and only what differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from config.catalogue import load_catalogue
from config.loading import PROFILE_FOLDER, ConfigError, load_settings
from config.records import RiskConfig
from config.settings import RiskSettings, RuleMode
from engine.apply import apply
from engine.commands import Envelope, SetRiskRule
from engine.kinds import RiskMode, RiskRule, Source
from engine.risk_figures import DEFAULTS
from engine.state import State
from server.risk_config import NAMES, risk_differences, rule_figures


@pytest.fixture
def production() -> RiskSettings:
    return load_settings(
        "production", None, {"KERB_AUTH__JWT_SECRET": "k3RbV8tQz1LwY6nXe0PuHs5JmAd9GcFo2TiB"}
    ).settings.risk


@pytest.fixture
def off() -> RiskSettings:
    return load_settings("test", None, {}).settings.risk


def submitted(state: State, figures: RiskConfig, modes: RiskSettings) -> list[SetRiskRule]:
    commands = []
    for command in risk_differences(state, figures, modes):
        assert apply(state, Envelope(Source.CONFIG), command, 1).refused is None
        commands.append(command)
    return commands


def test_every_rule_has_a_mode_and_all_of_its_figures() -> None:
    assert {rule.name.lower() for rule in RiskRule} == set(RiskSettings.__struct_fields__)
    assert NAMES.keys() == set(RiskRule)
    assert sorted(name for names in NAMES.values() for name in names) == sorted(RiskConfig.__struct_fields__)


def test_the_figures_that_come_with_kerb_are_the_engines() -> None:
    figures = load_catalogue().risk
    assert figures == RiskConfig()
    assert {rule: rule_figures(rule, figures) for rule in RiskRule} == DEFAULTS


def test_while_all_are_off_nothing_is_submitted(off: RiskSettings) -> None:
    assert submitted(State(), RiskConfig(), off) == []


def test_production_blocks_by_every_rule_and_says_so_once(production: RiskSettings) -> None:
    state = State()
    commands = submitted(state, RiskConfig(), production)
    assert [command.rule for command in commands] == list(RiskRule)
    assert {command.mode for command in commands} == {RiskMode.BLOCK}
    assert submitted(state, RiskConfig(), production) == []


def test_only_what_differs_is_submitted_and_exceptions_stay(
    production: RiskSettings, off: RiskSettings
) -> None:
    state = State()
    submitted(state, RiskConfig(), production)
    changed = replace(RiskConfig(), rapid_orders_max=30)
    modes = replace(production, wash_trade=RuleMode.FLAG)
    assert submitted(state, changed, modes) == [
        SetRiskRule(RiskRule.RAPID_TRADING, RiskMode.BLOCK, (30, 300_000_000)),
        SetRiskRule(RiskRule.WASH_TRADE, RiskMode.FLAG, ()),
    ]
    assert len(submitted(state, changed, off)) == len(RiskRule)
    assert state.risk is None
    assert submitted(state, changed, off) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('kyc_tier_1_max = "-1"', "kyc_tier_1_max = -1: must be from 0 to"),
        ('penny_quantity_max = "0"', "penny_quantity_max = 0: must be from 1E-8 to"),
        ('daily_loss_max = "0.00001"', "daily_loss_max = 0.00001: must be from 0.0001 to"),
        ("rapid_orders_max = 0", "rapid_orders_max = '0': must be"),
        ("day_trades = 3", "day_trades: is not known; did you mean day_trades_max?"),
    ],
)
def test_figures_that_do_not_fit_are_named(tmp_path: Path, line: str, problem: str) -> None:
    for file in PROFILE_FOLDER.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    limits = (tmp_path / "limits.toml").read_text()
    (tmp_path / "limits.toml").write_text(limits[: limits.index("[risk]")] + f"[risk]\n{line}\n")
    with pytest.raises(ConfigError) as found:
        load_catalogue(tmp_path)
    assert any(each.startswith(f"limits.toml: risk.{problem}") for each in found.value.problems), (
        found.value.problems
    )
