"""The order dialect of reference document 002: `/v1/orders` with `symbol` and `type`, over the same commands."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from engine.commands import PlaceOrder
from handlers import orders
from handlers.call import Call
from handlers.numbers import PriceInOrNull, QuantityIn
from handlers.order_body import (
    ClientOrderId,
    OrderBody,
    OrderTypeIn,
    SideIn,
    Symbol,
    TimeInForceIn,
    place_order,
)
from handlers.routing import CommandHandler


class DialectOrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/orders`. `price` is required for LIMIT and not allowed for MARKET."""

    symbol: Symbol
    side: SideIn
    quantity: QuantityIn
    type: OrderTypeIn
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: TimeInForceIn | None = None
    client_order_id: ClientOrderId | None = None


_place = msgspec.json.Decoder(DialectOrderBody)


def _order_to_place(call: Call) -> PlaceOrder:
    body = call.decode(_place)
    return place_order(
        OrderBody(
            body.symbol,
            body.side,
            body.type,
            body.quantity,
            body.price,
            body.time_in_force,
            body.client_order_id,
        )
    )


place: Final = CommandHandler(_order_to_place, orders.place.answer)
"""`POST /v1/orders`: answers as `POST /api/v1/orders` does."""
