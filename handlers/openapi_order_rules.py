"""What the types of an order cannot say about several members together, as JSON schema: handlers/order_command.py holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from handlers.dialect_orders import DialectOrderBody
from handlers.dialect_trade_body import WORDS, PlaceTradeBody, TradeStopLoss
from handlers.order_terms import OrderBody, OrderTerms, ReplaceBody, StopLoss

Schema = dict[str, Any]

_CHANGING: Final = ("quantity", "price", "stop_price", "trail_amount", "trail_percent")


def _given(*names: str) -> Schema:
    return {"properties": {name: {"not": {"type": "null"}} for name in names}, "required": list(names)}


def _absent(*names: str) -> Schema:
    return {"properties": {name: {"type": "null"} for name in names}}


def _is(name: str, *values: str) -> Schema:
    return {"properties": {name: {"enum": list(values)}}, "required": [name]}


def _when(condition: Schema, then: Schema, otherwise: Schema) -> Schema:
    return {"if": condition, "then": then, "else": otherwise}


def _one_of(*names: str) -> Schema:
    return {
        "oneOf": [
            {"allOf": [_given(name), _absent(*(other for other in names if other != name))]} for name in names
        ]
    }


def _shared(words: Mapping[str, str]) -> list[Schema]:
    """The rules that are the same in every dialect."""
    quantity, notional, lots = (words.get(name, name) for name in ("quantity", "notional", "lots"))
    method, order_class = words.get("lot_method", "lot_method"), words.get("order_class", "order_class")
    profit, loss = words.get("take_profit", "take_profit"), words.get("stop_loss", "stop_loss")
    lots_named = {"properties": {lots: {"minItems": 1}}}
    return [
        _one_of(quantity, notional),
        _when(
            _is(method, "SPECIFIC"),
            {"allOf": [_given(lots), lots_named]},
            {"properties": {lots: {"maxItems": 0}}},
        ),
        _when(_is(order_class, "BRACKET"), _given(profit, loss), {}),
        _when(_is(order_class, "OCO"), {"allOf": [_given(loss), _absent(profit)]}, {}),
        _when(_is(order_class, "OTO"), _one_of(profit, loss), {}),
        _when(_is(order_class, "BRACKET", "OCO", "OTO"), {}, _absent(profit, loss)),
    ]


def _order(order_type: str) -> Schema:
    return {
        "allOf": [
            _when(_is(order_type, "LIMIT", "STOP_LIMIT"), _given("price"), _absent("price")),
            _when(_is(order_type, "STOP_LOSS", "STOP_LIMIT"), _given("stop_price"), _absent("stop_price")),
            _when(
                _is(order_type, "TRAILING_STOP"),
                _one_of("trail_amount", "trail_percent"),
                _absent("trail_amount", "trail_percent"),
            ),
            _when(_is("time_in_force", "GTD"), _given("expires_at"), _absent("expires_at")),
            *_shared({}),
        ]
    }


def _stop_loss(stop: str, price: str, amount: str, percent: str) -> Schema:
    return {
        "allOf": [
            _one_of(stop, amount, percent),
            _when(_given(stop), {}, _absent(price)),
        ]
    }


def _trade() -> Schema:
    trails = ("trailAmount", "trailPercent")
    trailing = {"anyOf": [_given(name) for name in trails]}
    alone = {"allOf": [_one_of(*trails), _absent("pricePerShare", "stopPrice")]}
    return {"allOf": [_when(trailing, alone, {}), *_shared(WORDS)]}


def _replacement() -> Schema:
    nothing = {
        name: {"const": getattr(_NOTHING, name)} for name in ("post_only", "extended_hours", "order_class")
    }
    absent = [name for name in OrderTerms.__struct_fields__ if name not in (*nothing, *_CHANGING)]
    return {
        "allOf": [
            {"anyOf": [_given(name) for name in _CHANGING]},
            {"properties": nothing},
            _absent(*absent),
            _when(_given("trail_amount"), _absent("trail_percent"), {}),
        ]
    }


_NOTHING: Final = OrderTerms()

ORDER_RULES: Final[dict[type[Struct], Schema]] = {
    OrderBody: _order("order_type"),
    DialectOrderBody: _order("type"),
    PlaceTradeBody: _trade(),
    ReplaceBody: _replacement(),
    StopLoss: _stop_loss("stop_price", "price", "trail_amount", "trail_percent"),
    TradeStopLoss: _stop_loss("stopPrice", "price", "trailAmount", "trailPercent"),
}
