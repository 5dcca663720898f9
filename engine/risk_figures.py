"""The numbers that the risk rules are set with: their names with units, what they are by default, and their bounds."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.kinds import RiskRule
from engine.units import (
    CASH_SCALE,
    DAY_US,
    MINUTE_US,
    NOTIONAL_MAX_E4,
    PRICE_MAX_E4,
    QUANTITY_MAX_E8,
    QUANTITY_SCALE,
    SECOND_US,
)

ORDERS_KEPT_MAX: Final = 1_000
"""No rule looks back at more orders of an account."""

KYC_TIER_MAX: Final = 3
"""The highest tier, which has no limit."""


class Figure(NamedTuple):
    """A number that a rule is set with: its name with its unit, what it is by default, its bounds."""

    name: str
    default: int
    least: int
    most: int


FIGURES: Final[dict[RiskRule, tuple[Figure, ...]]] = {
    RiskRule.FAT_FINGER: (
        Figure("quantity_max_e8", 100_000 * QUANTITY_SCALE, 1, QUANTITY_MAX_E8),
        Figure("value_max_e4", 5_000_000 * CASH_SCALE, 1, NOTIONAL_MAX_E4),
    ),
    RiskRule.ORDER_RATE_LIMIT: (
        Figure("per_second_max", 10, 1, ORDERS_KEPT_MAX),
        Figure("per_minute_max", 120, 1, ORDERS_KEPT_MAX),
    ),
    RiskRule.RAPID_TRADING: (
        Figure("orders_max", 50, 1, ORDERS_KEPT_MAX),
        Figure("window_us", 5 * MINUTE_US, SECOND_US, DAY_US),
    ),
    RiskRule.UNUSUAL_VOLUME: (Figure("times", 10, 2, 1_000), Figure("orders_min", 5, 1, 32)),
    RiskRule.PENNY_STOCK_ALERT: (
        Figure("price_below_e4", 5 * CASH_SCALE, 1, PRICE_MAX_E4),
        Figure("quantity_max_e8", 10_000 * QUANTITY_SCALE, 1, QUANTITY_MAX_E8),
    ),
    RiskRule.POSITION_LIMIT: (
        Figure("quantity_max_e8", 1_000_000 * QUANTITY_SCALE, 1, QUANTITY_MAX_E8),
        Figure("value_max_e4", 10_000_000 * CASH_SCALE, 1, NOTIONAL_MAX_E4),
    ),
    RiskRule.KYC_LIMIT: (
        Figure("tier_0_max_e4", 0, 0, NOTIONAL_MAX_E4),
        Figure("tier_1_max_e4", 1_000 * CASH_SCALE, 0, NOTIONAL_MAX_E4),
        Figure("tier_2_max_e4", 50_000 * CASH_SCALE, 0, NOTIONAL_MAX_E4),
    ),
    RiskRule.DAILY_LOSS_LIMIT: (Figure("loss_max_e4", 100_000 * CASH_SCALE, 1, NOTIONAL_MAX_E4),),
    RiskRule.PDT_VIOLATION: (
        Figure("day_trades_max", 3, 1, 100),
        Figure("days", 5, 1, 5),
        Figure("equity_min_e4", 25_000 * CASH_SCALE, 1, NOTIONAL_MAX_E4),
    ),
    RiskRule.WASH_TRADE: (),
}
"""Rule → its figures, in the order in which a row has them."""


DEFAULTS: Final = {rule: tuple([figure.default for figure in figures]) for rule, figures in FIGURES.items()}
"""Rule → what its figures are by default."""


def figures_fit(rule: RiskRule, figures: tuple[int, ...]) -> bool:
    """Whether these are the figures of a rule, each within its bounds."""
    known = FIGURES[rule]
    return len(figures) == len(known) and all(
        figure.least <= value <= figure.most for figure, value in zip(known, figures, strict=True)
    )
