"""Orders that hang together: pairs that share one hold and one quantity, and what may be placed together."""

from __future__ import annotations

from typing import Any

import pytest

from engine.apply import Applied
from engine.commands import CancelOrder
from engine.events import OrderUpdated
from engine.kinds import CloseReason, OrderClass, OrderStatus, OrderType, TimeInForce
from engine.terms import Leg
from tests.engine.world import (
    BUY,
    DAY,
    DECREMENT,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    OLDEST,
    SELL,
    World,
    e4,
    e8,
    fills,
    of_kind,
    refusal,
)

BRACKET, OCO, OTO, SIMPLE = OrderClass.BRACKET, OrderClass.OCO, OrderClass.OTO, OrderClass.SIMPLE
STOP_LOSS, STOP_LIMIT, TRAILING = OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP
HELD, PENDING, PARTIAL = OrderStatus.HELD, OrderStatus.PENDING, OrderStatus.PARTIAL
FILLED, CANCELLED, REPLACED = OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REPLACED
PAIR, PARENT = CloseReason.PAIR, CloseReason.PARENT


def market(maker_ppm: int = 0, taker_ppm: int = 0) -> World:
    """The last price is 100."""
    world = World(maker_ppm=maker_ppm, taker_ppm=taker_ppm)
    for who in ("ann", "bob", "mia"):
        world.open(who, cash="100000", shares="1000")
    world.sell("mia", "1", "100")
    world.buy("bob", "1", "100")
    return world


def profit(price: str, client_id: str = "") -> Leg:
    return Leg(LIMIT, e4(price), client_order_id=client_id)


def stop(trigger: str, price: str = "", client_id: str = "") -> Leg:
    if price:
        return Leg(STOP_LIMIT, e4(price), e4(trigger), client_order_id=client_id)
    return Leg(STOP_LOSS, 0, e4(trigger), client_order_id=client_id)


def trailing(trail: str) -> Leg:
    return Leg(TRAILING, trail_e4=e4(trail))


def told(applied: Applied) -> dict[int, str]:
    """What each order's report says: status, reason, filled of quantity."""
    return {
        each.order_id: f"{each.status.name} {each.reason.name} {each.filled_e8 / 10**8:g}/{each.quantity_e8 / 10**8:g}"
        for each in of_kind(applied, OrderUpdated)
    }


def oco(
    world: World, quantity: str = "10", price: str = "110", leg: Leg | None = None, **terms: Any
) -> list[int]:
    """Ann's pair: a sale at 110, and a stop at 90; the ids of both."""
    legs = [leg or stop("90")]
    order = world.accepted(
        world.order("ann", SELL, quantity, LIMIT, price=price, order_class=OCO, legs=legs, **terms)
    )
    return [order.order_id, order.order_id + 1]


def bracket(
    world: World, quantity: str = "10", price: str | None = "99", *legs: Leg, tif: TimeInForce = GTC
) -> list[int]:
    """Ann's entry at 99 with a profit at 110 and a stop at 90; the ids of all three."""
    order = world.accepted(
        world.order(
            "ann",
            BUY,
            quantity,
            LIMIT if price else MARKET,
            tif,
            price=price or "0",
            order_class=BRACKET if len(legs) != 1 else OTO,
            legs=legs or (profit("110"), stop("90")),
        )
    )
    return [order.order_id + number for number in range(3)]


# class, entry type, time in force, legs | the answer
FORMS: list[tuple[OrderClass, OrderType, TimeInForce, list[Leg], str]] = [
    (OCO, LIMIT, GTC, [stop("110")], "accepted"),
    (OCO, LIMIT, GTC, [stop("110", "111")], "accepted"),
    (OCO, LIMIT, GTC, [trailing("5")], "accepted"),
    (OCO, LIMIT, DAY, [stop("110")], "accepted"),
    (OCO, LIMIT, IOC, [stop("110")], "INVALID_TERMS time_in_force"),
    (OCO, LIMIT, FOK, [stop("110")], "INVALID_TERMS time_in_force"),
    (OCO, MARKET, IOC, [stop("110")], "INVALID_TERMS order_class"),
    (OCO, LIMIT, GTC, [], "INVALID_TERMS order_class"),
    (OCO, LIMIT, GTC, [profit("110")], "INVALID_TERMS order_class"),
    (OCO, LIMIT, GTC, [stop("110"), stop("111")], "INVALID_TERMS order_class"),
    (OCO, LIMIT, GTC, [stop("100")], "STOP_PRICE_REACHED"),
    (OCO, LIMIT, GTC, [stop("110.005")], "INVALID_TICK_SIZE"),
    (OCO, LIMIT, GTC, [stop("110", "150")], "PRICE_OUT_OF_BAND"),
    (BRACKET, LIMIT, GTC, [profit("110"), stop("90")], "accepted"),
    (BRACKET, LIMIT, IOC, [profit("110"), stop("90")], "accepted"),
    (BRACKET, MARKET, IOC, [profit("110"), stop("90")], "accepted"),
    (BRACKET, LIMIT, GTC, [stop("90"), profit("110")], "INVALID_TERMS order_class"),
    (BRACKET, LIMIT, GTC, [profit("110")], "INVALID_TERMS order_class"),
    (BRACKET, LIMIT, GTC, [profit("110"), profit("90")], "INVALID_TERMS order_class"),
    (BRACKET, LIMIT, GTC, [profit("110"), stop("101")], "accepted"),  # looked at when it is armed
    (BRACKET, LIMIT, GTC, [profit("110.005"), stop("90")], "INVALID_TICK_SIZE"),
    (BRACKET, LIMIT, GTC, [profit("79"), stop("90")], "PRICE_OUT_OF_BAND"),
    (BRACKET, LIMIT, GTC, [profit("110"), Leg(TRAILING)], "INVALID_TERMS trail_e4"),
    (BRACKET, LIMIT, GTC, [profit("110", "a"), stop("90", "", "a")], "DUPLICATE_CLIENT_ORDER_ID"),
    (BRACKET, LIMIT, GTC, [profit("110", "a"), stop("90", "", "b")], "accepted"),
    (OTO, LIMIT, GTC, [profit("110")], "accepted"),
    (OTO, LIMIT, GTC, [trailing("5")], "accepted"),
    (OTO, LIMIT, GTC, [profit("110"), stop("90")], "INVALID_TERMS order_class"),
    (SIMPLE, LIMIT, GTC, [stop("90")], "INVALID_TERMS order_class"),
]


@pytest.mark.parametrize(("order_class", "order_type", "tif", "legs", "answer"), FORMS)
def test_what_is_accepted(
    order_class: OrderClass, order_type: OrderType, tif: TimeInForce, legs: list[Leg], answer: str
) -> None:
    world = market()
    price = "99" if order_type is LIMIT else "0"
    applied = world.order("ann", BUY, "1", order_type, tif, price=price, order_class=order_class, legs=legs)
    refused = applied.refused
    named = f" {refused.detail[0][0]}" if refused and refused.refusal.name == "INVALID_TERMS" else ""
    assert refusal(applied) + named == answer


def test_ids_and_links() -> None:
    world = market()
    ids = bracket(world)
    parent, first, second = (world.of_order(each) for each in ids)
    assert parent.special is not None
    assert first.special is not None
    assert second.special is not None
    assert parent.special.children == (first.order_id, second.order_id)
    assert first.special.parent_id == second.special.parent_id == parent.order_id
    assert first.special.group_id == second.special.group_id == parent.order_id + 3
    assert (first.side, first.status, first.special.planned_e8) == (SELL, HELD, e8("10"))
    limit_id, stop_id = oco(world)
    limit, stopped = world.of_order(limit_id), world.of_order(stop_id)
    assert limit.special is not None
    assert stopped.special is not None
    assert limit.special.group_id == stopped.special.group_id == limit_id + 2
    assert (limit.special.parent_id, limit.special.children, limit.special.order_class) == (0, (), OCO)


@pytest.mark.parametrize(("tif", "of_legs"), [(DAY, DAY), (GTC, GTC), (IOC, GTC), (FOK, GTC)])
def test_the_time_in_force_of_legs(tif: TimeInForce, of_legs: TimeInForce) -> None:
    world = market()
    world.sell("mia", "10", "99")
    _, first, second = bracket(world, "10", "99", tif=tif)
    assert {world.of_order(each).time_in_force for each in (first, second)} == {of_legs}


# -- one hold


def test_a_pair_of_sells_holds_its_units_once() -> None:
    world = market()
    oco(world, "1000")
    assert world.shares("ann") == ("1000", "1000")
    assert refusal(world.order("ann", SELL, "0.01", LIMIT, price="110")) == "INSUFFICIENT_SHARES"
    world.cancel_all("ann")
    assert world.shares("ann") == ("1000", "0")


# limit of the order, stop leg | what is held: the higher of both limits; one unit for the second rounding
HOLDS = [
    ("95", stop("105"), "1102.5001"),  # the collar above 105 is 110.25
    ("95", stop("105", "106"), "1060.0001"),
    ("95", trailing("5"), "1102.5001"),
]


@pytest.mark.parametrize(("price", "leg", "held"), HOLDS)
def test_a_pair_of_buys_holds_the_dearer(price: str, leg: Leg, held: str) -> None:
    world = market()
    applied = world.order("ann", BUY, "10", LIMIT, price=price, order_class=OCO, legs=[leg])
    assert world.cash("ann")[1] == held
    reports = of_kind(applied, OrderUpdated)
    assert [report.hold_e4 for report in reports] == [e4(held), 0]
    world.cancel_all("ann")
    assert world.cash("ann")[1] == "0"


def test_the_hold_of_a_pair_with_fees_covers_whatever_fills() -> None:
    """Odd lots at odd rates: parts of both legs fill, and the account never lacks a cent (the world's invariants)."""
    world = market(maker_ppm=333, taker_ppm=777)
    world.open("dan", cash="1106.34")
    applied = world.order(
        "dan", BUY, "10", LIMIT, price="99.97", order_class=OCO, legs=[stop("105", "110.25")]
    )
    assert refusal(applied) == "accepted"
    world.sell("mia", "3.33", "99.97")
    world.sell("mia", "3.33", "105")
    world.buy("bob", "0.01", "105")
    world.sell("mia", "20", "110.25")
    assert world.cash("dan")[1] == "0"
    assert world.shares("dan") == ("10", "0")


# -- one quantity


def test_a_fill_of_one_shrinks_the_other_at_once() -> None:
    world = market()
    limit_id, stop_id = oco(world)
    applied = world.place("bob", BUY, "4", "110")
    assert told(applied)[limit_id] == "PARTIAL NONE 4/10"
    assert told(applied)[stop_id] == "HELD NONE 0/6"
    assert world.shares("ann") == ("996", "6")
    applied = world.place("bob", BUY, "6", "110")
    assert (told(applied)[limit_id], told(applied)[stop_id]) == ("FILLED NONE 10/10", "CANCELLED PAIR 0/0")
    assert world.shares("ann") == ("990", "0")
    assert world.state.groups == {}


def test_a_fired_stop_takes_what_it_sells_off_the_other() -> None:
    world = market()
    limit_id, stop_id = oco(world, price="105", leg=stop("90", "88"))
    world.buy("mia", "5", "90")
    applied = world.place("bob", SELL, "1", "90")
    assert (told(applied)[stop_id], told(applied)[limit_id]) == ("PARTIAL NONE 4/10", "PENDING NONE 0/6")
    assert world.book()[1] == ["6@88", "6@105"]
    applied = world.place("bob", BUY, "20", "105", IOC)
    assert fills(applied) == ["6@88"]
    assert told(applied)[limit_id] == "CANCELLED PAIR 0/0"


def test_a_fok_order_sees_a_pair_once() -> None:
    world = market()
    oco(world, price="105", leg=stop("90", "88"))
    world.buy("mia", "1", "90")
    world.place("bob", SELL, "1", "90")
    assert world.book()[1] == ["10@88", "10@105"]
    assert refusal(world.place("bob", BUY, "10.01", "105", FOK)) == "FILL_OR_KILL"
    assert fills(world.place("bob", BUY, "10", "105", FOK)) == ["10@88"]


def test_a_stop_that_its_pair_ended_on_the_way_does_not_fire() -> None:
    """Bob's sweep fills Ann's limit and its print would reach her stop: there is nothing left of it."""
    world = market()
    applied = world.order("ann", BUY, "5", LIMIT, price="95", order_class=OCO, legs=[stop("105")])
    limit_id = world.accepted(applied).order_id
    world.sell("mia", "9", "106")
    world.place("bob", SELL, "5", "95")
    assert limit_id not in world.state.orders
    assert fills(world.place("bob", BUY, "1", "106")) == ["1@106"]


@pytest.mark.parametrize("which", [0, 1])
def test_cancelling_one_cancels_the_other(which: int) -> None:
    world = market()
    ids = oco(world)
    applied = world.do(CancelOrder(ids[which]), "ann")
    assert told(applied)[ids[which]] == "CANCELLED USER 0/10"
    assert told(applied)[ids[1 - which]] == "CANCELLED PAIR 0/10"
    assert world.shares("ann") == ("1000", "0")


def test_what_self_trade_prevention_takes_off_one_it_takes_off_the_other() -> None:
    world = market()
    limit_id, stop_id = oco(world)
    applied = world.place("ann", BUY, "4", "110", GTC, policy=DECREMENT)
    assert (told(applied)[limit_id], told(applied)[stop_id]) == ("PENDING NONE 0/6", "HELD NONE 0/6")
    assert world.shares("ann")[1] == "6"
    applied = world.place("ann", BUY, "4", "110", IOC, policy=OLDEST)
    assert (told(applied)[limit_id], told(applied)[stop_id]) == (
        "CANCELLED SELF_TRADE 0/6",
        "CANCELLED PAIR 0/6",
    )
