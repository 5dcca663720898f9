"""What API.md lets clients say of an order and Kerb does not carry out yet: known by name, and refused by name.

`OrderBody` takes these members as long as they say the default. What it does not take is looked at again here, so an
order that is taken pays nothing for it: either a member asks for what is still to come (NOT_SUPPORTED), or it is wrong.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct, field

from handlers.numbers import PriceInOrNull, QuantityInOrNull, is_absent
from handlers.order_body import ClientOrderId, OrderBody, SelfTradePreventionIn, SideIn, Symbol
from handlers.request_input import decode_body
from handlers.ws_messages import IdempotencyKey, Message
from server.errors import NotSupported


class AnyOrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An order as API.md has it, whole."""

    stock_symbol: Symbol
    side: SideIn
    order_type: Literal["MARKET", "LIMIT", "STOP_LOSS", "STOP_LIMIT", "TRAILING_STOP"]
    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: Literal["DAY", "GTC", "IOC", "FOK", "GTD", "OPG", "CLS"] | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"
    post_only: bool = False
    extended_hours: bool = False
    order_class: Literal["SIMPLE", "BRACKET", "OCO", "OTO"] = "SIMPLE"
    lot_method: Literal["FIFO", "LIFO", "HIFO", "SPECIFIC"] = "FIFO"
    notional: Raw = field(default_factory=Raw)
    stop_price: Raw = field(default_factory=Raw)
    trail_amount: Raw = field(default_factory=Raw)
    trail_percent: Raw = field(default_factory=Raw)
    display_quantity: Raw = field(default_factory=Raw)
    expires_at: str | None = None
    lots: list[Any] | None = None
    take_profit: dict[str, Any] | None = None
    stop_loss: dict[str, Any] | None = None


class AnyPlace(Message, frozen=True, tag="order.place", kw_only=True):
    """A WebSocket message with such an order."""

    order: AnyOrderBody
    idempotency_key: IdempotencyKey | None = None


class AnyBatchItem(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An item of a batch with such an order."""

    place: AnyOrderBody
    idempotency_key: IdempotencyKey | None = None


BUILT: Final[dict[str, tuple[object, ...]]] = {
    "order_type": ("MARKET", "LIMIT"),
    "time_in_force": ("DAY", "GTC", "IOC", "FOK", None),
    "post_only": (False,),
    "extended_hours": (False,),
    "order_class": ("SIMPLE",),
    "lot_method": ("FIFO",),
    "expires_at": (None,),
    "lots": (None,),
    "take_profit": (None,),
    "stop_loss": (None,),
}
"""Member → what of it is built."""

NUMBERS_TO_COME: Final = ("notional", "stop_price", "trail_amount", "trail_percent", "display_quantity")

_order: Final = msgspec.json.Decoder(OrderBody)
_any_order: Final = msgspec.json.Decoder(AnyOrderBody)
_any_place: Final = msgspec.json.Decoder(AnyPlace)
_any_item: Final = msgspec.json.Decoder(AnyBatchItem)
_MALFORMED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)


def read_order(raw: bytes) -> OrderBody:
    """The body of an order. Raises BadRequest, or NotSupported for one that only Kerb is not ready for."""
    try:
        return _order.decode(raw)
    except _MALFORMED:
        unbuilt = unbuilt_of(decode_body(_any_order, raw))
    if unbuilt is not None:
        raise NotSupported(unbuilt)
    return decode_body(_order, raw)


def unbuilt_in_message(data: bytes) -> str | None:
    """The member that asks for what is still to come, in an `order.place` that could not be read; None if it is wrong."""
    try:
        return unbuilt_of(_any_place.decode(data).order)
    except _MALFORMED:
        return None


def unbuilt_in_item(item: Raw) -> str | None:
    """The same of an item of a batch."""
    try:
        return unbuilt_of(_any_item.decode(item).place)
    except _MALFORMED:
        return None


def unbuilt_of(body: AnyOrderBody) -> str | None:
    """The first member that asks for what is still to come."""
    for name, built in BUILT.items():
        if getattr(body, name) not in built:
            return name
    return next((name for name in NUMBERS_TO_COME if not is_absent(getattr(body, name))), None)
