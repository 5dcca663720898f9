"""Post-only orders never take, and orders for an amount of money buy what it pays."""

from __future__ import annotations

from typing import Any

import pytest

from engine.commands import HaltSymbol
from engine.kinds import OrderStatus, OrderType, Side, TimeInForce
from tests.engine.test_auction import in_call
from tests.engine.world import BUY, DAY, FOK, GTC, IOC, LIMIT, MARKET, SELL, World, e8, fills, refusal, stock


def market() -> World:
    world = World()
    for who in ("ann", "bob", "mia"):
        world.open(who, cash="1000000", shares="1000")
    return world


# what differs from a post-only bid at 99 with an offer at 100 in the book | the answer
POST_ONLY: list[tuple[dict[str, Any], str]] = [
    ({}, "accepted"),
    ({"price": "99.99"}, "accepted"),
    ({"price": "100"}, "POST_ONLY_WOULD_TAKE"),
    ({"price": "101"}, "POST_ONLY_WOULD_TAKE"),
    ({"who": "mia", "price": "100"}, "POST_ONLY_WOULD_TAKE"),  # also one's own
    ({"time_in_force": DAY}, "accepted"),
    ({"time_in_force": IOC}, "INVALID_TERMS"),
    ({"time_in_force": FOK}, "INVALID_TERMS"),
    ({"order_type": MARKET, "price": "0", "time_in_force": DAY}, "INVALID_TERMS"),
    ({"order_type": OrderType.STOP_LIMIT, "price": "106", "stop": "105"}, "INVALID_TERMS"),
    ({"quantity": "1000000"}, "INSUFFICIENT_FUNDS"),
]


@pytest.mark.parametrize(("change", "answer"), POST_ONLY)
def test_a_post_only_order_never_takes(change: dict[str, Any], answer: str) -> None:
    world = market()
    world.sell("mia", "5", "100")
    asked: dict[str, Any] = {"who": "ann", "quantity": "5", "order_type": LIMIT, "price": "99", **change}
    applied = world.order(
        asked.pop("who"), BUY, asked.pop("quantity"), asked.pop("order_type"), post_only=True, **asked
    )
    assert refusal(applied) == answer
    assert fills(applied) == []


def test_a_post_only_sell_looks_at_the_bids() -> None:
    world = market()
    world.buy("mia", "5", "100")
    for price, answer in (("100", "POST_ONLY_WOULD_TAKE"), ("100.01", "accepted")):
        assert refusal(world.order("ann", SELL, "5", LIMIT, price=price, post_only=True)) == answer


def test_a_replacement_of_a_post_only_order_does_not_take_either() -> None:
    world = market()
    world.sell("mia", "5", "100")
    order = world.accepted(world.order("ann", BUY, "5", LIMIT, price="99", post_only=True))
    assert refusal(world.replace("ann", order, price="100")) == "POST_ONLY_WOULD_TAKE"
    new = world.accepted(world.replace("ann", order, price="99.5"))
    assert refusal(world.replace("ann", new, quantity="4")) == "accepted"


def test_where_orders_are_collected_it_rests_like_others() -> None:
    world = in_call()
    world.sell("bob", "5", "100")
    order = world.accepted(world.order("ann", BUY, "5", LIMIT, price="101", post_only=True))
    assert order.status is OrderStatus.PENDING


# type, side, price, notional, time in force | quantity, or the refusal. The book: 2 at 100, 3 at 101, and bids 2 at 99, 3 at 98
NOTIONALS: list[tuple[OrderType, Side, str, str, TimeInForce, str]] = [
    (LIMIT, BUY, "100", "1000", GTC, "10"),
    (LIMIT, BUY, "100", "1000.9999", GTC, "10"),
    (LIMIT, BUY, "100", "1001", GTC, "10.01"),
    (LIMIT, BUY, "100", "0.9999", GTC, "NOTIONAL_TOO_SMALL"),
    (LIMIT, BUY, "100", "1", GTC, "0.01"),
    (LIMIT, SELL, "103", "1030", GTC, "10"),
    (LIMIT, BUY, "100.005", "1000", GTC, "INVALID_TICK_SIZE"),
    (LIMIT, BUY, "100", "-1", GTC, "INVALID_TERMS"),
    (MARKET, BUY, "0", "200", IOC, "2"),
    (MARKET, BUY, "0", "201", IOC, "2"),
    (MARKET, BUY, "0", "201.01", IOC, "2.01"),
    (MARKET, BUY, "0", "503", IOC, "5"),
    (MARKET, BUY, "0", "503", FOK, "5"),
    (MARKET, BUY, "0", "608", DAY, "6"),  # beyond the book at the collar, 105
    (MARKET, BUY, "0", "607.99", DAY, "5.99"),
    (MARKET, SELL, "0", "492", IOC, "5"),
    (MARKET, SELL, "0", "587", IOC, "6"),  # at the collar, 95
    (MARKET, BUY, "0", "0.99", IOC, "NOTIONAL_TOO_SMALL"),
    (MARKET, BUY, "0", "200", GTC, "INVALID_TERMS"),
]


@pytest.mark.parametrize(("order_type", "side", "price", "notional", "tif", "answer"), NOTIONALS)
def test_an_amount_of_money_is_so_many_units(
    order_type: OrderType, side: Side, price: str, notional: str, tif: TimeInForce, answer: str
) -> None:
    world = market()
    for quantity, ask, bid in (("2", "100", "99"), ("3", "101", "98")):
        world.sell("mia", quantity, ask)
        world.buy("mia", quantity, bid)
    applied = world.order("ann", side, "0", order_type, tif, price=price, notional=notional)
    if applied.refused is not None:
        assert refusal(applied) == answer
    else:
        assert world.accepted(applied).quantity_e8 == e8(answer)


def test_a_quantity_and_an_amount_are_one_too_many() -> None:
    world = market()
    assert refusal(world.order("ann", BUY, "1", LIMIT, price="100", notional="100")) == "INVALID_TERMS"
    stop = world.order("ann", BUY, "0", OrderType.STOP_LOSS, stop="105", notional="100")
    assert refusal(stop) == "INVALID_TERMS"


def test_an_amount_needs_a_reference_where_the_order_has_no_price() -> None:
    world = World(listings=[stock(reference="0")])
    world.open("ann", cash="1000")
    assert refusal(world.order("ann", BUY, "0", MARKET, IOC, notional="100")) == "NO_REFERENCE_PRICE"


def test_the_size_that_an_amount_comes_to_is_checked_like_any_other() -> None:
    world = market()
    assert (
        refusal(world.order("ann", BUY, "0", LIMIT, price="100", notional="1000001")) == "INSUFFICIENT_FUNDS"
    )
    world.do(HaltSymbol("AAPL", "news"))
    assert refusal(world.order("ann", BUY, "0", LIMIT, price="100", notional="100")) == "SYMBOL_HALTED"
