"""What the owners of two orders are told on the `orders` channel when their fill is taken back (engine/bust.py)."""

from __future__ import annotations

from msgspec import Struct

from engine.events import OrderUpdated, TradeBusted
from engine.kinds import Side
from sql.entries import Liquidity


class OrderBusted(Struct, frozen=True, gc=False):
    """An order as it stays, and the fill of it that was busted. `bust_id` is the transaction that gave everything back."""

    order: OrderUpdated
    execution_id: int
    bust_id: int
    quantity_e8: int
    price_e4: int
    notional_e4: int
    fee_e4: int
    liquidity: Liquidity
    executed_us: int
    busted_us: int


def busted_orders(event: TradeBusted, busted_us: int) -> list[OrderBusted]:
    """The buyer's and the seller's; a journal of engine version 2 has no reports of their orders, so they get nothing."""
    sides = (
        (event.buy_order, event.trade_id, event.buy_fee_e4, Side.BUY),
        (event.sell_order, event.trade_id + 1, event.sell_fee_e4, Side.SELL),
    )
    return [
        OrderBusted(
            order=order,
            execution_id=execution_id,
            bust_id=event.bust_id,
            quantity_e8=event.quantity_e8,
            price_e4=event.price_e4,
            notional_e4=event.notional_e4,
            fee_e4=fee_e4,
            liquidity=Liquidity.TAKER if event.taker_side is side else Liquidity.MAKER,
            executed_us=event.executed_us,
            busted_us=busted_us,
        )
        for order, execution_id, fee_e4, side in sides
        if order is not None
    ]
