"""What a client sends for an order, and the engine command it means: shared by HTTP and WebSocket."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct, field

from engine.commands import PlaceOrder, ReplaceOrder
from engine.kinds import OrderType, SelfTradePrevention, Side, TimeInForce
from engine.refusals import Refusal
from handlers.field_types import PRINTABLE
from handlers.numbers import (
    PriceInOrNull,
    QuantityIn,
    QuantityInOrNull,
    is_absent,
    read_price_e4,
    read_quantity_e8,
)
from server.errors import BadRequest, NotSupported, RefusedAtBorder

CLIENT_ORDER_ID_MAX: Final = 64
SYMBOL_MAX: Final = 32


_SIDES: Final = {name: Side[name] for name in ("BUY", "SELL")}
_ORDER_TYPES: Final = {name: OrderType[name] for name in ("MARKET", "LIMIT")}
_TIMES_IN_FORCE: Final = {name: TimeInForce[name] for name in ("DAY", "GTC", "IOC", "FOK")}
_SELF_TRADE: Final = {
    name: SelfTradePrevention[name] for name in ("CANCEL_NEWEST", "CANCEL_OLDEST", "DECREMENT")
}
# Literals, not enums: a look-up by an enum member runs Python code, and an order has four of them.
SideIn = Literal["BUY", "SELL"]
OrderTypeIn = Literal["MARKET", "LIMIT"]
TimeInForceIn = Literal["DAY", "GTC", "IOC", "FOK"]
SelfTradePreventionIn = Literal["CANCEL_NEWEST", "CANCEL_OLDEST", "DECREMENT"]

_PLAIN: Final = Meta(extra_json_schema={"pattern": PRINTABLE})
Symbol = Annotated[str, Meta(min_length=1, max_length=SYMBOL_MAX), _PLAIN]
NotYet = Annotated[bool, Meta(extra_json_schema={"enum": [False]})]
ClientOrderId = Annotated[str, Meta(max_length=CLIENT_ORDER_ID_MAX), _PLAIN]


class ToCome(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Members that are taken when they say the default: what else they can say is still to come, and refused with
    NOT_SUPPORTED (handlers/unbuilt_orders.py).
    """

    post_only: NotYet = False
    extended_hours: NotYet = False
    order_class: Literal["SIMPLE"] = "SIMPLE"
    lot_method: Literal["FIFO"] = "FIFO"
    notional: None = None
    stop_price: None = None
    trail_amount: None = None
    trail_percent: None = None
    display_quantity: None = None
    expires_at: None = None
    lots: None = None
    take_profit: None = None
    stop_loss: None = None


class OrderBody(ToCome, frozen=True, forbid_unknown_fields=True):
    """`POST /orders`. `price` is required for LIMIT and not allowed for MARKET."""

    stock_symbol: Symbol
    side: SideIn
    order_type: OrderTypeIn
    quantity: QuantityIn
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: TimeInForceIn | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


class ReplaceBody(ToCome, frozen=True, forbid_unknown_fields=True):
    """`PATCH /orders/{id}`. `quantity` is the new total, fills included; what is left out stays as it is."""

    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    client_order_id: ClientOrderId | None = None


def plain_text(text: str, field: str) -> str:
    """The text, if every character can be printed (so: no NUL, no control characters, no lone surrogates)."""
    if not text.isprintable():
        raise BadRequest(field, "must not contain control characters")
    return text


def place_order(body: OrderBody) -> PlaceOrder:
    """The command of a decoded body. Raises BadRequest (shape), RefusedAtBorder (figures) or NotSupported."""
    if body.post_only or body.extended_hours:
        raise _not_yet(body)
    order_type = _ORDER_TYPES[body.order_type]
    has_price = not is_absent(body.price)
    if order_type is OrderType.LIMIT:
        if not has_price:
            raise BadRequest("price", "is required for a LIMIT order")
        price_e4 = read_price_e4(body.price)
        time_in_force = body.time_in_force or "DAY"
    else:
        if has_price:
            raise BadRequest("price", "is not allowed for a MARKET order")
        price_e4 = 0
        time_in_force = body.time_in_force or "IOC"
    return PlaceOrder(
        plain_text(body.stock_symbol, "stock_symbol"),
        _SIDES[body.side],
        order_type,
        read_quantity_e8(body.quantity),
        price_e4,
        _TIMES_IN_FORCE[time_in_force],
        plain_text(body.client_order_id, "client_order_id") if body.client_order_id else "",
        _SELF_TRADE[body.self_trade_prevention],
    )


def _not_yet(body: ToCome) -> NotSupported:
    """Of those members whose type alone does not say it, the one that is not what it must be."""
    return NotSupported("post_only" if body.post_only else "extended_hours")


def replace_order(order_id: int, body: ReplaceBody) -> ReplaceOrder:
    """The command that replaces an open order. At least one of quantity and price must be given. Raises as `place_order`."""
    if body.post_only or body.extended_hours:
        raise _not_yet(body)
    if is_absent(body.quantity) and is_absent(body.price):
        raise BadRequest("quantity", "give a new quantity, a new price or both")
    return ReplaceOrder(
        order_id,
        0
        if is_absent(body.quantity)
        else _given(read_quantity_e8(body.quantity), "quantity", Refusal.INVALID_QUANTITY),
        0 if is_absent(body.price) else _given(read_price_e4(body.price), "price", Refusal.INVALID_PRICE),
        plain_text(body.client_order_id, "client_order_id") if body.client_order_id else "",
    )


def _given(value: int, field: str, refusal: Refusal) -> int:
    """A figure of a replacement: 0 means "unchanged" to the engine, so it is refused here, as the engine would."""
    if value <= 0:
        raise RefusedAtBorder(refusal, field, "must be above zero")
    return value
