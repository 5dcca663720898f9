"""The command that busts a fill, from what the fill said."""

from __future__ import annotations

from engine.commands import BustTrade
from engine.events import OrderUpdated, SettlementDue, Traded


def facts_of(
    fill: Traded,
    executed_us: int,
    operator_id: int = 1_001,
    reason: str = "a fat finger",
    *,
    buy_order: OrderUpdated | None = None,
    sell_order: OrderUpdated | None = None,
    due: SettlementDue | None = None,
) -> BustTrade:
    """The facts of a fill as its executions have them, and the last reports of its orders."""
    return BustTrade(
        trade_id=fill.trade_id,
        executed_us=executed_us,
        symbol=fill.symbol,
        price_e4=fill.price_e4,
        quantity_e8=fill.quantity_e8,
        notional_e4=fill.notional_e4,
        taker_side=fill.taker_side,
        buy_order_id=fill.buy_order_id,
        buy_account_id=fill.buy_account_id,
        buy_fee_e4=fill.buy_fee_e4,
        sell_order_id=fill.sell_order_id,
        sell_account_id=fill.sell_account_id,
        sell_fee_e4=fill.sell_fee_e4,
        sold_lots=fill.sell_lots,
        operator_id=operator_id,
        reason=reason,
        buy_order=buy_order,
        sell_order=sell_order,
        sell_regulatory_e4=fill.sell_regulatory_e4,
        market=due.market if due is not None else "",
        settlement_day=due.settlement_day if due is not None else 0,
    )
