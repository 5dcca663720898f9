"""What API.md lets clients say of an order and Kerb does not carry out yet: known by name, and refused by name.

`OrderBody`, and the bodies of replacements and dialects, take these members as long as they say the default. What they do
not take is looked at again here, so an order that is taken pays nothing for it: either a member asks for what is still to
come (NOT_SUPPORTED), or it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct, field, structs

from handlers.numbers import PriceInOrNull, QuantityInOrNull, is_absent
from handlers.order_body import ClientOrderId, OrderBody, ReplaceBody, SelfTradePreventionIn, SideIn, Symbol
from handlers.request_input import decode_body
from handlers.ws_messages import IdempotencyKey, Message
from server.errors import NotSupported

AnyOrderType = Literal["MARKET", "LIMIT", "STOP_LOSS", "STOP_LIMIT", "TRAILING_STOP"]
AnyTimeInForce = Literal["DAY", "GTC", "IOC", "FOK", "GTD", "OPG", "CLS"]


class AnyToCome(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `ToCome` is to become."""

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


class AnyOrderBody(AnyToCome, frozen=True, forbid_unknown_fields=True):
    """An order as API.md has it, whole."""

    stock_symbol: Symbol
    side: SideIn
    order_type: AnyOrderType
    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: AnyTimeInForce | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


class AnyReplaceBody(AnyToCome, frozen=True, forbid_unknown_fields=True):
    """A replacement that says all that an order can."""

    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    client_order_id: ClientOrderId | None = None


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

_any_place: Final = msgspec.json.Decoder(AnyPlace)
_any_item: Final = msgspec.json.Decoder(AnyBatchItem)
_MALFORMED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)

T = TypeVar("T")


def reader(body: type[T], anything: type[Struct]) -> Callable[[bytes], T]:
    """What reads bodies of a type, and knows those that ask for what is still to come by a second, wider type.

    Raises BadRequest, or NotSupported for a body that only Kerb is not ready for.
    """
    decoder, wide = msgspec.json.Decoder(body), msgspec.json.Decoder(anything)
    decode = decoder.decode

    def read(raw: bytes) -> T:
        try:
            return decode(raw)
        except _MALFORMED:
            unbuilt = unbuilt_of(decode_body(wide, raw))
        if unbuilt is not None:
            raise NotSupported(unbuilt)
        return decode_body(decoder, raw)

    return read


read_order: Final = reader(OrderBody, AnyOrderBody)
read_replacement: Final = reader(ReplaceBody, AnyReplaceBody)


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


def unbuilt_of(body: Struct) -> str | None:
    """The first member that asks for what is still to come, as the client calls it."""
    names = {each.name: each.encode_name for each in structs.fields(body)}
    for name, built in BUILT.items():
        if name in names and getattr(body, name) not in built:
            return names[name]
    return next((names[name] for name in NUMBERS_TO_COME if not is_absent(getattr(body, name))), None)
