"""A violation of a risk rule as an event. Its id comes from the far end of the command's ids, so that no order, trade or
timer has another id because a rule was on.
"""

from __future__ import annotations

from engine.events import RiskViolated
from engine.kinds import RiskMode, RiskRule, Side
from engine.turn import Turn
from engine.units import ID_MAX, IDS_PER_SEQ

Figures = tuple[tuple[str, int], ...]


def bounded(figure: int) -> int:
    """A figure as a BIGINT holds it: what a position is worth at a mad limit may be beyond."""
    return max(min(figure, ID_MAX), -ID_MAX)


def violate(
    turn: Turn,
    rule: RiskRule,
    mode: RiskMode,
    account_id: int,
    symbol: str,
    order_id: int,
    side: Side,
    quantity_e8: int,
    price_e4: int,
    figures: Figures,
) -> None:
    """Have the command report a violation. `order_id` is 0 for an order that was refused: it never was one."""
    before = sum([type(event) is RiskViolated for event in turn.events])
    violation_id = turn.seq * IDS_PER_SEQ + IDS_PER_SEQ - 1 - before
    turn.events.append(
        RiskViolated(
            violation_id,
            rule,
            mode,
            account_id,
            symbol,
            order_id,
            side,
            quantity_e8,
            price_e4,
            figures,
            turn.now_us,
        )
    )
