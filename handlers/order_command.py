"""From an order's body to the engine command it means: shared by HTTP, WebSocket and the dialects.

Decided here is which member needs or excludes which other: a 400 that names it. What an instrument, a session or the money
allows is the engine's to decide (docs/orders.md). A plain order is read by its own narrow type, and passes none of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec import Raw, structs

from engine.commands import PlaceOrder, ReplaceOrder
from engine.kinds import LotMethod, OrderClass, OrderType, SelfTradePrevention, Side, TimeInForce
from engine.refusals import Refusal
from engine.terms import NO_TERMS, Leg, Terms
from engine.units import TIME_MAX_US
from handlers.numbers import (
    is_absent,
    read_amount_e4,
    read_percent_ppm,
    read_price_e4,
    read_quantity_e8,
)
from handlers.order_body import NoTerms, PlainOrder, PlainReplacement, plain_text
from handlers.order_terms import OrderBody, OrderTerms, ReplaceBody, StopLoss
from handlers.request_input import decode_body, moment_us, read_id
from server.errors import BadRequest, NotFound, RefusedAtBorder

MARKET: Final = OrderType.MARKET
LIMIT: Final = OrderType.LIMIT

_SIDES: Final = {each.name: each for each in Side}
_ORDER_TYPES: Final = {each.name: each for each in OrderType}
_TIMES_IN_FORCE: Final = {each.name: each for each in TimeInForce}
_SELF_TRADE: Final = {each.name: each for each in SelfTradePrevention}
_PRICED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPPED: Final = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LIMIT})
_LEGS: Final[dict[OrderClass, tuple[bool, bool]]] = {
    OrderClass.SIMPLE: (False, False),
    OrderClass.BRACKET: (True, True),
    OrderClass.OCO: (False, True),
}
"""Class → whether it has a take-profit and a stop-loss. OTO has one of the two."""

MALFORMED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)

P = TypeVar("P")
W = TypeVar("W")


def reader(plain: type[P], whole: type[W]) -> Callable[[bytes], P | W]:
    """What reads bodies by a narrow type first, and by a wide one what that does not take. Raises BadRequest."""
    decode_plain, decoder = msgspec.json.Decoder(plain).decode, msgspec.json.Decoder(whole)

    def read(raw: bytes) -> P | W:
        try:
            return decode_plain(raw)
        except MALFORMED:
            return decode_body(decoder, raw)

    return read


read_order: Final = reader(PlainOrder, OrderBody)
read_replacement: Final = reader(PlainReplacement, ReplaceBody)


def order_of(body: PlainOrder | OrderBody) -> PlaceOrder:
    """The command of a decoded body. Raises BadRequest (shape) or RefusedAtBorder (figures)."""
    if type(body) is not PlainOrder or body.post_only or body.extended_hours:
        return _with_terms(body)
    price, time_in_force = body.price, body.time_in_force
    if body.order_type == "LIMIT":
        if is_absent(price):
            raise BadRequest("price", "is required for a LIMIT order")
        order_type, price_e4 = LIMIT, read_price_e4(price)
    else:
        if not is_absent(price):
            raise BadRequest("price", "is not allowed for a MARKET order")
        if time_in_force == "GTC":
            raise _market_gtc()
        order_type, price_e4 = MARKET, 0
        time_in_force = time_in_force or "IOC"
    return PlaceOrder(
        plain_text(body.stock_symbol, "stock_symbol"),
        _SIDES[body.side],
        order_type,
        read_quantity_e8(body.quantity),
        price_e4,
        _TIMES_IN_FORCE[time_in_force or "DAY"],
        plain_text(body.client_order_id, "client_order_id") if body.client_order_id else "",
        _SELF_TRADE[body.self_trade_prevention],
    )


def _market_gtc() -> RefusedAtBorder:
    """A market order never rests, so it cannot be good till cancelled (docs/orders.md, "Time in force")."""
    return RefusedAtBorder(Refusal.INVALID_TERMS, "time_in_force", "GTC is not for a MARKET order")


def _with_terms(body: PlainOrder | OrderBody) -> PlaceOrder:
    """The command of a body that is not plain."""
    if isinstance(body, PlainOrder):
        body = OrderBody(**{name: getattr(body, name) for name in _SAID_BY_BOTH})
    return whole_order(body)


_SAID_BY_BOTH: Final = (
    *(name for name in PlainOrder.__struct_fields__ if name not in NoTerms.__struct_fields__),
    "post_only",
    "extended_hours",
)


def whole_order(body: OrderBody) -> PlaceOrder:
    """The command of a body that may say everything. Raises BadRequest or RefusedAtBorder."""
    order_type = _ORDER_TYPES[body.order_type]
    _check_members(body, order_type)
    is_market = order_type is OrderType.MARKET
    if is_market and body.time_in_force == "GTC":
        raise _market_gtc()
    has_notional = not is_absent(body.notional)
    if has_notional and not is_absent(body.quantity):
        raise BadRequest("notional", "is not allowed together with quantity")
    if not has_notional and is_absent(body.quantity):
        raise BadRequest("quantity", "is required, or a notional")
    order_class = OrderClass[body.order_class]
    terms = _terms(body)
    return PlaceOrder(
        plain_text(body.stock_symbol, "stock_symbol"),
        _SIDES[body.side],
        order_type,
        0 if has_notional else read_quantity_e8(body.quantity),
        read_price_e4(body.price) if order_type in _PRICED else 0,
        _TIMES_IN_FORCE[body.time_in_force or ("IOC" if is_market else "DAY")],
        _own_id(body.client_order_id, "client_order_id"),
        _SELF_TRADE[body.self_trade_prevention],
        None if terms == NO_TERMS else terms,
        order_class,
        _legs(body, order_class),
    )


class _Stopped(Protocol):
    """An order, or a leg of one."""

    @property
    def price(self) -> Raw: ...
    @property
    def stop_price(self) -> Raw: ...
    @property
    def trail_amount(self) -> Raw: ...
    @property
    def trail_percent(self) -> Raw: ...


def _check_members(body: _Stopped, order_type: OrderType) -> None:
    """Raises BadRequest where a member is missing that the type needs, or there that it does not take."""
    for name, types in (("price", _PRICED), ("stop_price", _STOPPED)):
        if is_absent(getattr(body, name)):
            if order_type in types:
                raise BadRequest(name, f"is required for a {order_type.name} order")
        elif order_type not in types:
            raise BadRequest(name, f"is not allowed for a {order_type.name} order")
    trails = [name for name in ("trail_amount", "trail_percent") if not is_absent(getattr(body, name))]
    if order_type is not OrderType.TRAILING_STOP:
        if trails:
            raise BadRequest(trails[0], f"is not allowed for a {order_type.name} order")
    elif len(trails) != 1:
        raise BadRequest(
            "trail_percent" if trails else "trail_amount", "give one of trail_amount and trail_percent"
        )


def _terms(body: OrderBody) -> Terms:
    if (body.time_in_force == "GTD") != (body.expires_at is not None):
        raise BadRequest(
            "expires_at",
            "is required for GTD" if body.expires_at is None else "is for time_in_force GTD alone",
        )
    return Terms(
        stop_e4=_price(body.stop_price, "stop_price"),
        trail_e4=_price(body.trail_amount, "trail_amount"),
        trail_ppm=_percent(body.trail_percent, "trail_percent"),
        display_e8=_quantity(body.display_quantity, "display_quantity"),
        post_only=body.post_only,
        expires_us=_expires_us(body),
        extended_hours=body.extended_hours,
        notional_e4=_amount(body.notional, "notional"),
        lot_method=_lot_method(body),
        lots=_lots(body),
        do_not_reduce=body.do_not_reduce,
    )


def _expires_us(body: OrderBody) -> int:
    """0 for none. What no calendar can write, or lies before all of them, is a time that the rules refuse."""
    if body.expires_at is None:
        return 0
    expires_us = moment_us(body.expires_at, "expires_at")
    if not 0 < expires_us < TIME_MAX_US:
        raise RefusedAtBorder(Refusal.INVALID_TERMS, "expires_at", "is out of range")
    return expires_us


def _lot_method(body: OrderBody) -> LotMethod | None:
    """FIFO says nothing of a purchase, and clients that spell out defaults say it."""
    if body.lot_method is None or (body.lot_method == "FIFO" and body.side == "BUY"):
        return None
    return LotMethod[body.lot_method]


def _lots(body: OrderBody) -> tuple[tuple[int, int], ...]:
    found = []
    for place, each in enumerate(body.lots or ()):
        try:
            lot_id = read_id(each.lot_id, "lot_")
        except NotFound:
            raise BadRequest(f"lots[{place}].lot_id", "is not the id of a lot") from None
        name = f"lots[{place}].quantity"
        found.append(
            (lot_id, _above_zero(read_quantity_e8(each.quantity, name), name, Refusal.INVALID_QUANTITY))
        )
    return tuple(found)


def _legs(body: OrderBody, order_class: OrderClass) -> tuple[Leg, ...]:
    take_profit, stop_loss = body.take_profit, body.stop_loss
    given = (take_profit is not None, stop_loss is not None)
    if order_class is OrderClass.OTO:
        if sum(given) != 1:
            raise BadRequest("take_profit", "give one of take_profit and stop_loss with order_class OTO")
    else:
        for name, is_given, wanted in zip(
            ("take_profit", "stop_loss"), given, _LEGS[order_class], strict=True
        ):
            if is_given is not wanted:
                problem = "is required for" if wanted else "is not allowed for"
                raise BadRequest(name, f"{problem} order_class {order_class.name}")
    legs = []
    if take_profit is not None:
        name = "take_profit.price"
        price_e4 = _above_zero(read_price_e4(take_profit.price, name), name, Refusal.INVALID_PRICE)
        own_id = _own_id(take_profit.client_order_id, "take_profit.client_order_id")
        legs.append(Leg(OrderType.LIMIT, price_e4, client_order_id=own_id))
    if stop_loss is not None:
        legs.append(_stop_leg(stop_loss))
    return tuple(legs)


def _stop_leg(body: StopLoss) -> Leg:
    if is_absent(body.stop_price):
        order_type = OrderType.TRAILING_STOP
        if is_absent(body.trail_amount) and is_absent(body.trail_percent):
            raise BadRequest("stop_loss.stop_price", "give a stop_price, a trail_amount or a trail_percent")
    else:
        order_type = OrderType.STOP_LOSS if is_absent(body.price) else OrderType.STOP_LIMIT
    try:
        _check_members(body, order_type)
    except BadRequest as wrong:
        raise BadRequest(f"stop_loss.{wrong.field}", wrong.problem) from None
    return Leg(
        order_type,
        _price(body.price, "stop_loss.price"),
        _price(body.stop_price, "stop_loss.stop_price"),
        _price(body.trail_amount, "stop_loss.trail_amount"),
        _percent(body.trail_percent, "stop_loss.trail_percent"),
        _own_id(body.client_order_id, "stop_loss.client_order_id"),
    )


_CHANGING: Final = ("stop_price", "trail_amount", "trail_percent")


def replacement_of(order_id: int, body: PlainReplacement | ReplaceBody) -> ReplaceOrder:
    """The command that replaces an open order. At least one figure must be given. Raises BadRequest or RefusedAtBorder."""
    if isinstance(body, ReplaceBody):
        _refuse_fixed(body)
        if not (is_absent(body.trail_amount) or is_absent(body.trail_percent)):
            raise BadRequest("trail_percent", "is not allowed together with trail_amount")
        stop_e4 = _price(body.stop_price, "stop_price")
        trail_e4 = _price(body.trail_amount, "trail_amount")
        trail_ppm = _percent(body.trail_percent, "trail_percent")
    else:
        if body.post_only or body.extended_hours:
            raise _fixed("post_only" if body.post_only else "extended_hours")
        stop_e4 = trail_e4 = trail_ppm = 0
    quantity_e8, price_e4 = _quantity(body.quantity, "quantity"), _price(body.price, "price")
    if not (quantity_e8 or price_e4 or stop_e4 or trail_e4 or trail_ppm):
        raise BadRequest("quantity", "give a new quantity, price, stop or trail")
    own_id = _own_id(body.client_order_id, "client_order_id")
    return ReplaceOrder(order_id, quantity_e8, price_e4, own_id, stop_e4, trail_e4, trail_ppm)


def _refuse_fixed(body: ReplaceBody) -> None:
    """Refuse what a replacement cannot change, unless it says nothing."""
    for name in OrderTerms.__struct_fields__:
        value = getattr(body, name)
        if name not in _CHANGING and not (
            is_absent(value) if isinstance(value, Raw) else value == _SAYS_NOTHING[name]
        ):
            raise _fixed(name)


_SAYS_NOTHING: Final = structs.asdict(OrderTerms())


def _fixed(name: str) -> RefusedAtBorder:
    return RefusedAtBorder(Refusal.INVALID_REPLACE, name, "cannot be changed: cancel, and place a new order")


def _price(raw: Raw, field: str) -> int:
    """A price above zero; 0 when it is left out, which is what 0 means to the engine."""
    return 0 if is_absent(raw) else _above_zero(read_price_e4(raw, field), field, Refusal.INVALID_PRICE)


def _quantity(raw: Raw, field: str) -> int:
    return 0 if is_absent(raw) else _above_zero(read_quantity_e8(raw, field), field, Refusal.INVALID_QUANTITY)


def _amount(raw: Raw, field: str) -> int:
    return 0 if is_absent(raw) else _above_zero(read_amount_e4(raw, field), field, Refusal.INVALID_AMOUNT)


def _percent(raw: Raw, field: str) -> int:
    return 0 if is_absent(raw) else _above_zero(read_percent_ppm(raw, field), field, Refusal.INVALID_TERMS)


def _above_zero(value: int, field: str, refusal: Refusal) -> int:
    """Zero means "not said" to the engine, so it is refused here, as the engine would."""
    if value <= 0:
        raise RefusedAtBorder(refusal, field, "must be above zero")
    return value


def _own_id(text: str | None, field: str) -> str:
    return plain_text(text, field) if text else ""
