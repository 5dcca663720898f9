"""Replacing stops, pairs, parents and legs: what can be changed, what is kept, and the links."""

from __future__ import annotations

from typing import Any

import pytest

from engine.apply import Applied
from engine.commands import CancelOrder, PlaceOrder, ReplaceOrder
from engine.events import OrderUpdated
from engine.kinds import OrderType
from engine.refusals import Refusal
from engine.terms import Terms
from tests.engine.test_links import (
    HELD,
    OCO,
    PENDING,
    STOP_LIMIT,
    STOP_LOSS,
    TRAILING,
    bracket,
    market,
    oco,
    stop,
    told,
)
from tests.engine.world import BUY, GTC, LIMIT, SELL, World, e4, e8, of_kind, refusal


def replaced(world: World, order_id: int, **change: int) -> Applied:
    return world.do(
        ReplaceOrder(
            order_id,
            change.get("quantity_e8", 0),
            change.get("price_e4", 0),
            "",
            change.get("stop_e4", 0),
            change.get("trail_e4", 0),
            change.get("trail_ppm", 0),
        ),
        "ann",
    )


# which of a simple SELL stop at 95, or LIMIT, and the change | the answer
REPLACES: list[tuple[OrderType, dict[str, int], str]] = [
    (STOP_LOSS, {"stop_e4": e4("96")}, "accepted"),
    (STOP_LOSS, {"stop_e4": e4("95")}, "INVALID_REPLACE"),
    (STOP_LOSS, {"stop_e4": e4("100")}, "STOP_PRICE_REACHED"),
    (STOP_LOSS, {"stop_e4": e4("95") + 1}, "INVALID_TICK_SIZE"),
    (STOP_LOSS, {"stop_e4": 1}, "INVALID_PRICE"),
    (STOP_LOSS, {"price_e4": e4("94")}, "INVALID_REPLACE"),
    (STOP_LOSS, {"trail_e4": e4("1")}, "INVALID_TERMS"),
    (STOP_LOSS, {"quantity_e8": e8("5")}, "accepted"),
    (STOP_LOSS, {"quantity_e8": e8("1001")}, "INSUFFICIENT_SHARES"),
    (STOP_LIMIT, {"price_e4": e4("93")}, "accepted"),
    (STOP_LIMIT, {"price_e4": e4("60")}, "PRICE_OUT_OF_BAND"),
    (TRAILING, {"trail_e4": e4("4")}, "accepted"),
    (TRAILING, {"trail_ppm": 40_000}, "accepted"),
    (TRAILING, {"trail_e4": e4("5")}, "INVALID_REPLACE"),
    (TRAILING, {"trail_e4": e4("4"), "trail_ppm": 40_000}, "INVALID_TERMS"),
    (TRAILING, {"stop_e4": e4("96")}, "INVALID_TERMS"),
    (LIMIT, {"stop_e4": e4("96")}, "INVALID_TERMS"),
]


@pytest.mark.parametrize(("order_type", "change", "answer"), REPLACES)
def test_what_of_a_stop_can_be_replaced(order_type: OrderType, change: dict[str, int], answer: str) -> None:
    world = market()
    terms: dict[str, Any] = {"trail": "5"} if order_type is TRAILING else {"stop": "95"}
    if order_type is LIMIT:
        terms = {}
    price = "94" if order_type is STOP_LIMIT else "110" if order_type is LIMIT else "0"
    old = world.accepted(world.order("ann", SELL, "10", order_type, price=price, **terms))
    applied = replaced(world, old.order_id, **change)
    assert refusal(applied) == answer
    if applied.refused is None:
        new = world.accepted(applied)
        assert (new.replaces_id, new.status) == (old.order_id, HELD)
        assert told(applied)[old.order_id].startswith("REPLACED")
        assert list(world.state.stops["AAPL"].armed) == [new.order_id]


def test_a_trailing_stop_keeps_its_extreme_when_its_trail_changes() -> None:
    world = market()
    old = world.accepted(world.order("ann", SELL, "10", TRAILING, trail="5"))
    world.sell("mia", "1", "108")
    world.buy("bob", "1", "108")
    new = world.accepted(replaced(world, old.order_id, trail_ppm=100_000))
    assert new.special is not None
    assert (new.special.extreme_e4, new.special.trigger_e4) == (e4("108"), e4("97.2"))
    assert (new.special.terms.trail_e4, new.special.terms.trail_ppm) == (0, 100_000)


def test_a_fired_stop_limit_is_replaced_like_a_limit_order_and_its_stop_is_past() -> None:
    world = market()
    old = world.accepted(world.order("ann", SELL, "10", STOP_LIMIT, price="94", stop="95"))
    world.buy("mia", "1", "95")
    world.place("bob", SELL, "1", "95")
    assert refusal(replaced(world, old.order_id, stop_e4=e4("93"))) == "INVALID_REPLACE"
    new = world.accepted(replaced(world, old.order_id, price_e4=e4("96")))
    assert (new.status, world.book()[1]) == (PENDING, ["10@96"])


@pytest.mark.parametrize("which", [0, 1])
def test_the_quantity_of_a_pair_cannot_be_changed_its_prices_can(which: int) -> None:
    world = market()
    ids = oco(world)
    assert refusal(replaced(world, ids[which], quantity_e8=e8("5"))) == "INVALID_REPLACE"
    change = {"price_e4": e4("108")} if which == 0 else {"stop_e4": e4("92")}
    new = world.accepted(replaced(world, ids[which], **change))
    assert world.shares("ann")[1] == "10"
    applied = world.do(CancelOrder(new.order_id), "ann")
    assert told(applied)[ids[1 - which]] == "CANCELLED PAIR 0/10"
    assert world.shares("ann")[1] == "0"


@pytest.mark.parametrize(("cash", "answer"), [("1123.5001", "accepted"), ("1123.5", "INSUFFICIENT_FUNDS")])
def test_a_pair_of_buys_holds_anew_when_one_of_it_is_replaced(cash: str, answer: str) -> None:
    world = market()
    world.ids["cal"] = world.ids["ann"]
    world.open("ann", cash=cash)
    applied = world.order("ann", BUY, "10", LIMIT, price="95", order_class=OCO, legs=[stop("105")])
    limit_id = world.accepted(applied).order_id
    applied = replaced(world, limit_id + 1, stop_e4=e4("107"))
    assert refusal(applied) == answer
    assert world.cash("ann")[1] == ("1123.5001" if answer == "accepted" else "1102.5001")
    if answer == "accepted":
        assert {each.order_id: each.hold_e4 for each in of_kind(applied, OrderUpdated)}[limit_id] == e4(cash)


def test_a_replaced_parent_takes_its_legs_along() -> None:
    world = market()
    ids = bracket(world)
    applied = replaced(world, ids[0], quantity_e8=e8("12"), price_e4=e4("98"))
    new = world.accepted(applied)
    assert told(applied)[ids[1]] == "HELD NONE 0/12"
    leg = world.of_order(ids[1])
    assert leg.special is not None
    assert (leg.special.parent_id, leg.special.planned_e8) == (new.order_id, e8("12"))
    applied = world.place("bob", SELL, "5", "98")
    assert told(applied)[ids[1]] == "PENDING NONE 0/5"
    newer = world.accepted(replaced(world, new.order_id, quantity_e8=e8("8")))
    assert world.of_order(ids[2]).special is not None
    assert [special.planned_e8 for each in ids[1:] if (special := world.of_order(each).special)] == [
        e8("8")
    ] * 2
    applied = world.place("bob", SELL, "3", "98")
    assert told(applied)[newer.order_id] == "FILLED NONE 3/3"
    assert told(applied)[ids[2]] == "HELD NONE 0/8"


def test_a_replaced_leg_is_armed_in_the_place_of_the_old() -> None:
    world = market()
    ids = bracket(world)
    applied = replaced(world, ids[2], stop_e4=e4("94"))
    new = world.accepted(applied)
    parent = world.of_order(ids[0]).special
    assert parent is not None
    assert parent.children == (ids[1], new.order_id)
    applied = world.place("bob", SELL, "10", "99")
    assert told(applied)[new.order_id] == "HELD NONE 0/10"
    assert list(world.state.stops["AAPL"].armed) == [new.order_id]


def test_an_iceberg_does_not_grow_beyond_a_hundred_slices() -> None:
    """One order that met it would trade slice by slice: a command makes so many ids and no more."""
    world = World()
    world.open("ann", cash="1000000")
    order = world.accepted(
        world.do(
            PlaceOrder("AAPL", BUY, LIMIT, e8("100"), e4("99"), GTC, terms=Terms(display_e8=e8("1"))), "ann"
        )
    )
    refused = world.replace("ann", order, quantity="101").refused
    assert refused is not None
    assert refused.refusal is Refusal.INVALID_TERMS
    grown = world.accepted(world.replace("ann", order, quantity="99", price="98"))
    assert world.replace("ann", grown, quantity="100").refused is None
