"""What only some orders say becomes the command that was meant, or is refused by name of the member."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.commands import PlaceOrder
from engine.kinds import LotMethod, OrderClass, OrderType, Side, TimeInForce
from engine.refusals import Refusal
from engine.terms import Leg, Terms
from handlers.order_command import whole_order
from handlers.order_terms import OrderBody
from handlers.request_input import decode_body
from server.errors import BadRequest, RefusedAtBorder

DECODER = msgspec.json.Decoder(OrderBody)
SELL: dict[str, Any] = {
    "stock_symbol": "AAPL",
    "side": "SELL",
    "order_type": "LIMIT",
    "quantity": 10,
    "price": 90,
}
STOP: dict[str, Any] = {"stock_symbol": "AAPL", "side": "SELL", "order_type": "STOP_LOSS", "quantity": 10}


def command(body: dict[str, Any]) -> PlaceOrder:
    left_out = {name: value for name, value in body.items() if value is not ...}
    return whole_order(decode_body(DECODER, msgspec.json.encode(left_out)))


def sell(order_type: OrderType, price_e4: int, terms: Terms | None, *more: Any) -> PlaceOrder:
    time_in_force = more[0] if more else TimeInForce.DAY
    return PlaceOrder("AAPL", Side.SELL, order_type, 10**9, price_e4, time_in_force, terms=terms)


@pytest.mark.parametrize(
    ("body", "order"),
    [
        (STOP | {"stop_price": "85.5"}, sell(OrderType.STOP_LOSS, 0, Terms(stop_e4=855_000))),
        (
            STOP | {"order_type": "STOP_LIMIT", "stop_price": 85, "price": 84, "time_in_force": "GTC"},
            sell(OrderType.STOP_LIMIT, 840_000, Terms(stop_e4=850_000), TimeInForce.GTC),
        ),
        (
            STOP | {"order_type": "TRAILING_STOP", "trail_amount": "1.25"},
            sell(OrderType.TRAILING_STOP, 0, Terms(trail_e4=12_500)),
        ),
        (
            STOP | {"order_type": "TRAILING_STOP", "trail_percent": "0.0001", "trail_amount": None},
            sell(OrderType.TRAILING_STOP, 0, Terms(trail_ppm=1)),
        ),
        (
            STOP | {"order_type": "TRAILING_STOP", "trail_percent": 50},
            sell(OrderType.TRAILING_STOP, 0, Terms(trail_ppm=500_000)),
        ),
        (SELL | {"post_only": True}, sell(OrderType.LIMIT, 900_000, Terms(post_only=True))),
        (SELL | {"display_quantity": "0.5"}, sell(OrderType.LIMIT, 900_000, Terms(display_e8=50_000_000))),
        (SELL | {"extended_hours": True}, sell(OrderType.LIMIT, 900_000, Terms(extended_hours=True))),
        (SELL | {"do_not_reduce": True}, sell(OrderType.LIMIT, 900_000, Terms(do_not_reduce=True))),
        (SELL | {"time_in_force": "OPG"}, sell(OrderType.LIMIT, 900_000, None, TimeInForce.OPG)),
        (SELL | {"lot_method": "FIFO"}, sell(OrderType.LIMIT, 900_000, Terms(lot_method=LotMethod.FIFO))),
        (SELL | {"lot_method": "HIFO"}, sell(OrderType.LIMIT, 900_000, Terms(lot_method=LotMethod.HIFO))),
        (
            SELL | {"lot_method": "SPECIFIC", "lots": [{"lot_id": "lot_7", "quantity": "9.5"}, {"lot_id": "lot_5", "quantity": 0.5}]},
            sell(OrderType.LIMIT, 900_000, Terms(lot_method=LotMethod.SPECIFIC, lots=((7, 950_000_000), (5, 50_000_000)))),
        ),
        (
            SELL | {"time_in_force": "GTD", "expires_at": "2025-01-31T11:00:00.000001-05:00"},
            sell(OrderType.LIMIT, 900_000, Terms(expires_us=1_738_339_200_000_001), TimeInForce.GTD),
        ),
    ],
)  # fmt: skip
def test_terms_become_the_engines(body: dict[str, Any], order: PlaceOrder) -> None:
    assert command(body) == order


def test_a_purchase_that_spells_out_the_first_lots_first_is_plain() -> None:
    assert command(SELL | {"side": "BUY", "lot_method": "FIFO"}).terms is None


def test_cash_takes_the_place_of_a_quantity() -> None:
    found = command(
        SELL | {"side": "BUY", "order_type": "MARKET", "price": ..., "quantity": ..., "notional": "500.25"}
    )
    assert (found.quantity_e8, found.terms) == (0, Terms(notional_e4=5_002_500))
    assert found.time_in_force is TimeInForce.IOC


PROFIT = {"price": 120, "client_order_id": "profit"}
LOSS = {"stop_price": 80, "price": "79.5", "client_order_id": "loss"}


@pytest.mark.parametrize(
    ("order_class", "more", "legs"),
    [
        (
            "BRACKET",
            {"take_profit": PROFIT, "stop_loss": LOSS},
            (
                Leg(OrderType.LIMIT, 1_200_000, client_order_id="profit"),
                Leg(OrderType.STOP_LIMIT, 795_000, 800_000, client_order_id="loss"),
            ),
        ),
        ("OCO", {"stop_loss": {"stop_price": 80}}, (Leg(OrderType.STOP_LOSS, stop_e4=800_000),)),
        ("OTO", {"take_profit": {"price": 120}}, (Leg(OrderType.LIMIT, 1_200_000),)),
        ("OTO", {"stop_loss": {"trail_amount": 2}}, (Leg(OrderType.TRAILING_STOP, trail_e4=20_000),)),
        ("OTO", {"stop_loss": {"trail_percent": 2.5}}, (Leg(OrderType.TRAILING_STOP, trail_ppm=25_000),)),
    ],
)
def test_orders_that_hang_together(order_class: str, more: dict[str, Any], legs: tuple[Leg, ...]) -> None:
    found = command(SELL | {"order_class": order_class} | more)
    assert (found.order_class, found.legs, found.terms) == (OrderClass[order_class], legs, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (STOP, "stop_price"),
        (STOP | {"stop_price": None}, "stop_price"),
        (STOP | {"stop_price": 85, "price": 84}, "price"),
        (STOP | {"stop_price": 85, "trail_amount": 1}, "trail_amount"),
        (STOP | {"stop_price": "low"}, "stop_price"),
        (STOP | {"stop_price": True}, "stop_price"),
        (STOP | {"stop_price": {"price": 1}}, "stop_price"),
        (STOP | {"order_type": "STOP_LIMIT", "stop_price": 85}, "price"),
        (STOP | {"order_type": "STOP_LIMIT", "price": 85}, "stop_price"),
        (STOP | {"order_type": "TRAILING_STOP"}, "trail_amount"),
        (STOP | {"order_type": "TRAILING_STOP", "trail_amount": 1, "trail_percent": 1}, "trail_percent"),
        (STOP | {"order_type": "TRAILING_STOP", "trail_amount": 1, "stop_price": 85}, "stop_price"),
        (STOP | {"order_type": "TRAILING_STOP", "trail_percent": "1%"}, "trail_percent"),
        (SELL | {"stop_price": 85}, "stop_price"),
        (SELL | {"trail_percent": 1}, "trail_percent"),
        (SELL | {"price": None}, "price"),
        (SELL | {"quantity": None}, "quantity"),
        (SELL | {"notional": 100}, "notional"),
        (SELL | {"quantity": ..., "notional": "much"}, "notional"),
        (SELL | {"display_quantity": "some"}, "display_quantity"),
        (SELL | {"time_in_force": "GTD"}, "expires_at"),
        (SELL | {"expires_at": "2030-01-01T00:00:00Z"}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": 1_738_339_200}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "tomorrow"}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "2030-01-01"}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "2030-02-30T00:00:00Z"}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "2030-01-01T23:59:60Z"}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "2030-01-01T00:00:00.0000001Z"}, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "2030-01-01T00:00:00+99:00"}, "expires_at"),
        (SELL | {"lot_method": "SPECIFIC", "lots": ["lot_7"]}, "lots[0]"),
        (SELL | {"lot_method": "SPECIFIC", "lots": [{"lot_id": "7", "quantity": 1}]}, "lots[0].lot_id"),
        (SELL | {"lot_method": "SPECIFIC", "lots": [{"lot_id": "lot_9999999999999999999", "quantity": 1}]}, "lots[0].lot_id"),
        (SELL | {"lot_method": "SPECIFIC", "lots": [{"lot_id": "lot_7", "quantity": None}]}, "lots[0].quantity"),
        (SELL | {"lot_method": "SPECIFIC", "lots": [{"lot_id": "lot_7", "quantity": 1}] * 101}, "lots"),
        (SELL | {"take_profit": {"price": 120}}, "take_profit"),
        (SELL | {"stop_loss": {"stop_price": 80}}, "stop_loss"),
        (SELL | {"order_class": "BRACKET", "take_profit": PROFIT}, "stop_loss"),
        (SELL | {"order_class": "BRACKET", "stop_loss": LOSS}, "take_profit"),
        (SELL | {"order_class": "OCO"}, "stop_loss"),
        (SELL | {"order_class": "OCO", "take_profit": PROFIT, "stop_loss": LOSS}, "take_profit"),
        (SELL | {"order_class": "OTO"}, "take_profit"),
        (SELL | {"order_class": "OTO", "take_profit": PROFIT, "stop_loss": LOSS}, "take_profit"),
        (SELL | {"order_class": "OTO", "take_profit": {}}, "take_profit.price"),
        (SELL | {"order_class": "OTO", "take_profit": {"price": None}}, "take_profit.price"),
        (SELL | {"order_class": "OTO", "take_profit": {"price": 1, "stop_price": 1}}, "take_profit.stop_price"),
        (SELL | {"order_class": "OTO", "take_profit": {"price": 1, "client_order_id": "\n"}}, "take_profit.client_order_id"),
        (SELL | {"order_class": "OCO", "stop_loss": {}}, "stop_loss.stop_price"),
        (SELL | {"order_class": "OCO", "stop_loss": {"price": 1}}, "stop_loss.stop_price"),
        (SELL | {"order_class": "OCO", "stop_loss": {"trail_amount": 1, "price": 1}}, "stop_loss.price"),
        (SELL | {"order_class": "OCO", "stop_loss": {"trail_amount": 1, "trail_percent": 1}}, "stop_loss.trail_percent"),
        (SELL | {"order_class": "OCO", "stop_loss": {"stop_price": 1, "trail_percent": 1}}, "stop_loss.trail_percent"),
        (SELL | {"order_class": "OCO", "stop_loss": 80}, "stop_loss"),
    ],
)  # fmt: skip
def test_the_member_that_is_wrong_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        command(body)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("body", "refusal", "field"),
    [
        (STOP | {"stop_price": 0}, Refusal.INVALID_PRICE, "stop_price"),
        (STOP | {"stop_price": "-1"}, Refusal.INVALID_PRICE, "stop_price"),
        (STOP | {"stop_price": 1e300}, Refusal.INVALID_PRICE, "stop_price"),
        (STOP | {"stop_price": "85.00001"}, Refusal.INVALID_TICK_SIZE, "stop_price"),
        (STOP | {"order_type": "TRAILING_STOP", "trail_amount": 0}, Refusal.INVALID_PRICE, "trail_amount"),
        (STOP | {"order_type": "TRAILING_STOP", "trail_percent": 0}, Refusal.INVALID_TERMS, "trail_percent"),
        (STOP | {"order_type": "TRAILING_STOP", "trail_percent": 50.0001}, Refusal.INVALID_TERMS, "trail_percent"),
        (STOP | {"order_type": "TRAILING_STOP", "trail_percent": 1e-5}, Refusal.INVALID_TERMS, "trail_percent"),
        (SELL | {"display_quantity": 0}, Refusal.INVALID_QUANTITY, "display_quantity"),
        (SELL | {"display_quantity": "0.000000001"}, Refusal.INVALID_LOT_SIZE, "display_quantity"),
        (SELL | {"quantity": ..., "notional": 0}, Refusal.INVALID_AMOUNT, "notional"),
        (SELL | {"quantity": ..., "notional": "0.00001"}, Refusal.INVALID_AMOUNT, "notional"),
        (SELL | {"lot_method": "SPECIFIC", "lots": [{"lot_id": "lot_7", "quantity": 0}]}, Refusal.INVALID_QUANTITY, "lots[0].quantity"),
        (SELL | {"time_in_force": "GTD", "expires_at": "9999-12-31T23:59:59-00:01"}, Refusal.INVALID_TERMS, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "1969-12-31T23:59:59Z"}, Refusal.INVALID_TERMS, "expires_at"),
        (SELL | {"time_in_force": "GTD", "expires_at": "0057-07-25T14:58:11Z"}, Refusal.INVALID_TERMS, "expires_at"),
        (SELL | {"order_class": "OTO", "take_profit": {"price": 0}}, Refusal.INVALID_PRICE, "take_profit.price"),
        (SELL | {"order_class": "OCO", "stop_loss": {"stop_price": 0}}, Refusal.INVALID_PRICE, "stop_loss.stop_price"),
    ],
)  # fmt: skip
def test_a_figure_that_cannot_be_is_refused_as_the_engine_would(
    body: dict[str, Any], refusal: Refusal, field: str
) -> None:
    with pytest.raises(RefusedAtBorder) as refused:
        command(body)
    assert (refused.value.refusal, refused.value.field) == (refusal, field)


@pytest.mark.parametrize(
    "text",
    ["2025-01-31T16:00:00Z", "2025-01-31t16:00:00.000000000z", "2025-01-31T17:00:00+01:00", "2025-02-01T00:15:00.0+08:15"],
)  # fmt: skip
def test_a_time_may_be_spelt_in_several_ways(text: str) -> None:
    found = command(SELL | {"time_in_force": "GTD", "expires_at": text})
    assert found.terms == Terms(expires_us=1_738_339_200_000_000)
