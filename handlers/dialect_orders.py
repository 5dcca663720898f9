"""The order dialect of reference document 002: `/v1/orders` with `symbol` and `type`, over the same commands."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, field

from engine.commands import PlaceOrder
from handlers import order_body, order_terms, orders
from handlers.call import Call
from handlers.numbers import PriceInOrNull, QuantityIn, QuantityInOrNull
from handlers.order_body import ClientOrderId, NoTerms, PlainOrder, SelfTradePreventionIn, SideIn, Symbol
from handlers.order_command import reader
from handlers.order_in_session import to_place
from handlers.order_terms import OrderBody, OrderTerms
from handlers.other_words import in_other_words
from handlers.routing import CommandHandler


class PlainDialectOrder(NoTerms, frozen=True, forbid_unknown_fields=True):
    """A plain order."""

    symbol: Symbol
    side: SideIn
    quantity: QuantityIn
    type: order_body.OrderTypeIn
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: order_body.TimeInForceIn | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


class DialectOrderBody(OrderTerms, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/orders`: `OrderBody` with two other names."""

    symbol: Symbol
    side: SideIn
    type: order_terms.OrderTypeIn
    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: order_terms.TimeInForceIn | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


_WORDS: Final = {"stock_symbol": "symbol", "order_type": "type"}
_SHARED: Final = tuple(name for name in OrderBody.__struct_fields__ if name not in _WORDS)

_read: Final = reader(PlainDialectOrder, DialectOrderBody)


def _order_to_place(call: Call) -> PlaceOrder:
    body = _read(call.body)
    with in_other_words(_WORDS):
        if type(body) is PlainDialectOrder:
            return to_place(
                call,
                PlainOrder(
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
                ),
            )
        shared = {name: getattr(body, name) for name in _SHARED}
        return to_place(call, OrderBody(stock_symbol=body.symbol, order_type=body.type, **shared))


place: Final = CommandHandler(_order_to_place, orders.place.answer)
"""`POST /v1/orders`: answers as `POST /api/v1/orders` does."""
