"""The order dialect of reference document 002: `/v1/orders` with `symbol` and `type`, over the same commands."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, field

from engine.commands import PlaceOrder
from handlers import orders
from handlers.call import Call
from handlers.numbers import PriceInOrNull, QuantityIn, QuantityInOrNull
from handlers.order_body import (
    ClientOrderId,
    OrderBody,
    OrderTypeIn,
    SelfTradePreventionIn,
    SideIn,
    Symbol,
    TimeInForceIn,
    ToCome,
    place_order,
)
from handlers.routing import CommandHandler
from handlers.unbuilt_orders import AnyOrderType, AnyTimeInForce, AnyToCome, reader


class DialectOrderBody(ToCome, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/orders`. `price` is required for LIMIT and not allowed for MARKET."""

    symbol: Symbol
    side: SideIn
    quantity: QuantityIn
    type: OrderTypeIn
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: TimeInForceIn | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


class AnyDialectOrder(AnyToCome, frozen=True, forbid_unknown_fields=True):
    """The same order when it says all that an order can."""

    symbol: Symbol
    side: SideIn
    order_type: AnyOrderType = field(name="type")
    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: AnyTimeInForce | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


_read: Final = reader(DialectOrderBody, AnyDialectOrder)


def _order_to_place(call: Call) -> PlaceOrder:
    body = _read(call.body)
    return place_order(
        OrderBody(
            body.symbol,
            body.side,
            body.type,
            body.quantity,
            body.price,
            body.time_in_force,
            body.client_order_id,
            body.self_trade_prevention,
            post_only=body.post_only,
            extended_hours=body.extended_hours,
        )
    )


place: Final = CommandHandler(_order_to_place, orders.place.answer)
"""`POST /v1/orders`: answers as `POST /api/v1/orders` does."""
