"""What the types of an order cannot say about several members together, as JSON schema: handlers/order_command.py holds it.

Said as alternatives, each with its members, rather than as conditions upon conditions: whoever makes requests from the schema must
be able to unfold it. What it does not say (lots without SPECIFIC, an OCO that is no LIMIT, a
replacement of what cannot be replaced) the engine refuses with 422.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from handlers.dialect_orders import DialectOrderBody
from handlers.dialect_trade_body import WORDS, PlaceTradeBody, TradeStopLoss
from handlers.order_terms import OrderBody, ReplaceBody, StopLoss

Schema = dict[str, Any]

_CHANGING: Final = ("quantity", "price", "stop_price", "trail_amount", "trail_percent")


def _given(*names: str) -> Schema:
    return {"properties": {name: {"not": {"type": "null"}} for name in names}, "required": list(names)}


def _absent(*names: str) -> Schema:
    return {"properties": {name: {"type": "null"} for name in names}}


def _when(condition: Schema, then: Schema, otherwise: Schema) -> Schema:
    return {"if": condition, "then": then, "else": otherwise}


def _with(given: tuple[str, ...], absent: tuple[str, ...], **consts: str) -> Schema:
    """Members that are there, members that are not, and members that say one thing."""
    properties = {name: {"const": value} for name, value in consts.items()}
    return {
        "properties": properties | _given(*given)["properties"] | _absent(*absent)["properties"],
        "required": [*consts, *given],
    }


def _one_of(*names: str) -> Schema:
    return {"anyOf": [_with((name,), tuple(other for other in names if other != name)) for name in names]}


def _classes(words: Mapping[str, str]) -> Schema:
    """Which legs an order of a class has. SIMPLE need not be said."""
    of, profit, loss = (words.get(name, name) for name in ("order_class", "take_profit", "stop_loss"))
    simple = _with((), (profit, loss), **{of: "SIMPLE"})
    return {
        "anyOf": [
            simple | {"required": []},
            _with((profit, loss), (), **{of: "BRACKET"}),
            _with((loss,), (profit,), **{of: "OCO"}),
            _with((loss,), (profit,), **{of: "OTO"}),
            _with((profit,), (loss,), **{of: "OTO"}),
        ]
    }


def _order(order_type: str) -> Schema:
    prices = ("price", "stop_price", "trail_amount", "trail_percent")

    def of(name: str, *given: str) -> Schema:
        absent = tuple([each for each in prices if each not in given])
        return _with(given, absent, **{order_type: name})

    types = [
        of("MARKET"),
        of("LIMIT", "price"),
        of("STOP_LOSS", "stop_price"),
        of("STOP_LIMIT", "price", "stop_price"),
        of("TRAILING_STOP", "trail_amount"),
        of("TRAILING_STOP", "trail_percent"),
    ]
    dated = _with(("expires_at",), (), time_in_force="GTD")
    undated = {"properties": {"time_in_force": {"not": {"const": "GTD"}}, "expires_at": {"type": "null"}}}
    return {
        "allOf": [
            {"anyOf": types},
            {"anyOf": [dated, undated]},
            _one_of("quantity", "notional"),
            _classes({}),
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
    amount = [WORDS.get(name, name) for name in ("quantity", "notional")]
    return {"allOf": [_when(trailing, alone, {}), _one_of(*amount), _classes(WORDS)]}


def _replacement() -> Schema:
    return {
        "allOf": [
            {"anyOf": [_given(name) for name in _CHANGING]},
            {"anyOf": [_absent("trail_amount"), _absent("trail_percent")]},
        ]
    }


ORDER_RULES: Final[dict[type[Struct], Schema]] = {
    OrderBody: _order("order_type"),
    DialectOrderBody: _order("type"),
    PlaceTradeBody: _trade(),
    ReplaceBody: _replacement(),
    StopLoss: _stop_loss("stop_price", "price", "trail_amount", "trail_percent"),
    TradeStopLoss: _stop_loss("stopPrice", "price", "trailAmount", "trailPercent"),
}
