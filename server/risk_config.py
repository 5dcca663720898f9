"""The risk rules that config asks for, as commands: those that are not in force as it says. Exceptions are no part of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from config.records import RiskConfig
from config.settings import RiskSettings
from engine.commands import SetRiskRule
from engine.kinds import RiskMode, RiskRule
from engine.risk_figures import FIGURES
from engine.risk_state import EVERYBODY, RuleRow
from engine.state import State
from engine.units import CASH_SCALE, QUANTITY_SCALE, SECOND_US

NAMES: Final[dict[RiskRule, tuple[str, ...]]] = {
    RiskRule.FAT_FINGER: ("fat_finger_quantity_max", "fat_finger_value_max"),
    RiskRule.ORDER_RATE_LIMIT: ("orders_per_second_max", "orders_per_minute_max"),
    RiskRule.RAPID_TRADING: ("rapid_orders_max", "rapid_window_s"),
    RiskRule.UNUSUAL_VOLUME: ("unusual_times", "unusual_orders_min"),
    RiskRule.PENNY_STOCK_ALERT: ("penny_price_below", "penny_quantity_max"),
    RiskRule.POSITION_LIMIT: ("position_quantity_max", "position_value_max"),
    RiskRule.KYC_LIMIT: ("kyc_tier_0_max", "kyc_tier_1_max", "kyc_tier_2_max"),
    RiskRule.DAILY_LOSS_LIMIT: ("daily_loss_max",),
    RiskRule.PDT_VIOLATION: ("day_trades_max", "day_trade_days", "day_trade_equity_min"),
    RiskRule.WASH_TRADE: (),
}
"""Rule → how config calls its figures, in their order."""

_SCALES: Final = {"e4": CASH_SCALE, "e8": QUANTITY_SCALE, "us": SECOND_US}


def risk_differences(state: State, figures: RiskConfig, modes: RiskSettings) -> Iterator[SetRiskRule]:
    """What has to be submitted. A rule that is off and was never on needs nothing."""
    for rule in RiskRule:
        mode = RiskMode[getattr(modes, rule.name.lower()).name]
        wanted = rule_figures(rule, figures)
        known = state.risk_rules.get((rule, *EVERYBODY))
        if known is None:
            known = RuleRow(rule, *EVERYBODY, RiskMode.OFF, wanted)
        if (known.mode, known.figures) != (mode, wanted) and (known.mode, mode) != (
            RiskMode.OFF,
            RiskMode.OFF,
        ):
            yield SetRiskRule(rule, mode, wanted)


def rule_figures(rule: RiskRule, config: RiskConfig) -> tuple[int, ...]:
    """A rule's figures in the engine's units; config/catalogue_checks.py has seen that they fit."""
    return tuple(
        _scaled(getattr(config, name), figure.name.rpartition("_")[2])
        for name, figure in zip(NAMES[rule], FIGURES[rule], strict=True)
    )


def _scaled(value: Decimal | int, unit: str) -> int:
    return int(value * _SCALES.get(unit, 1))
