"""Icebergs: the level shows a slice, matching meets a slice at a time, the next one comes after all that waits."""

from __future__ import annotations

from typing import Any

import pytest

from engine.events import OrderUpdated, Traded
from engine.kinds import CloseReason, OrderStatus, OrderType, SelfTradePrevention, TimeInForce
from tests.engine.mirror import all_rows, restored
from tests.engine.test_auction import OPENS, in_call
from tests.engine.world import (
    BUY,
    DAY,
    DECREMENT,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    NEWEST,
    OLDEST,
    SELL,
    World,
    e8,
    fills,
    of_kind,
    refusal,
    shown,
)


def market() -> World:
    world = World()
    for who in ("ann", "bob", "mia"):
        world.open(who, cash="1000000", shares="1000")
    return world


def iceberg(
    world: World, who: str = "ann", quantity: str = "10", display: str = "3", price: str = "100"
) -> OrderUpdated:
    return world.accepted(world.order(who, SELL, quantity, LIMIT, price=price, display=display))


# what differs from an iceberg of 10 that shows 3 | the answer
FORMS: list[tuple[dict[str, Any], str]] = [
    ({}, "accepted"),
    ({"display": "0.01", "quantity": "1"}, "accepted"),
    ({"display": "0.01", "quantity": "1.01"}, "INVALID_TERMS"),  # more than a hundred slices
    ({"display": "9.99"}, "accepted"),
    ({"display": "10"}, "INVALID_TERMS"),
    ({"display": "11"}, "INVALID_TERMS"),
    ({"display": "-1"}, "INVALID_TERMS"),
    ({"display": "0.005"}, "INVALID_TERMS"),
    ({"time_in_force": DAY}, "accepted"),
    ({"time_in_force": TimeInForce.GTD, "expires_us": 10**9}, "accepted"),
    ({"time_in_force": IOC}, "INVALID_TERMS"),
    ({"time_in_force": FOK}, "INVALID_TERMS"),
    ({"order_type": MARKET, "price": "0", "time_in_force": DAY}, "INVALID_TERMS"),
    ({"order_type": OrderType.STOP_LIMIT, "stop": "95"}, "INVALID_TERMS"),
]


@pytest.mark.parametrize(("change", "answer"), FORMS)
def test_what_is_accepted(change: dict[str, Any], answer: str) -> None:
    world = market()
    asked: dict[str, Any] = {"order_type": LIMIT, "quantity": "10", "display": "3", "price": "100", **change}
    applied = world.order("ann", SELL, asked.pop("quantity"), asked.pop("order_type"), **asked)
    assert refusal(applied) == answer
    if applied.refused is not None:
        assert applied.refused.detail[0][0] == "display_e8"


# what is bought, one order after the other | the fills, what the level shows after each
SLICES = [
    ("2", ["2@100"], "1@100"),
    ("1", ["1@100"], "3@100"),
    ("3", ["3@100"], "3@100"),
    ("3", ["3@100"], "1@100"),
    ("1", ["1@100"], ""),
]


def test_the_level_shows_what_is_left_of_the_slice_and_then_the_next() -> None:
    world = market()
    order = iceberg(world)
    assert world.book()[1] == ["3@100"]
    for quantity, expected, left in SLICES:
        applied = world.place("bob", BUY, quantity, "100")
        assert fills(applied) == expected
        assert world.book()[1] == ([left] if left else [])
    assert order.order_id not in world.state.orders


def test_an_order_that_takes_more_than_a_slice_meets_the_next_after_all_others() -> None:
    world = market()
    mine = iceberg(world)
    other = world.sell("mia", "4", "100")
    applied = world.place("bob", BUY, "9", "100")
    sold = [(trade.sell_order_id, shown(trade.quantity_e8, 10**8)) for trade in of_kind(applied, Traded)]
    assert sold == [(mine.order_id, "3"), (other.order_id, "4"), (mine.order_id, "2")]
    assert world.book()[1] == ["1@100"]
    trades = of_kind(applied, Traded)
    assert world.of_order(mine).priority == trades[0].trade_id + 2


def test_a_slice_that_is_not_gone_keeps_its_place() -> None:
    world = market()
    mine = iceberg(world)
    world.sell("mia", "4", "100")
    world.buy("bob", "1", "100")
    (trade,) = of_kind(world.place("bob", BUY, "1", "100"), Traded)
    assert trade.sell_order_id == mine.order_id


def test_on_arrival_it_trades_with_all_it_has_and_shows_a_slice_of_the_rest() -> None:
    world = market()
    world.buy("bob", "8", "100")
    order = iceberg(world)
    assert (order.filled_e8, order.status) == (e8("8"), OrderStatus.PARTIAL)
    assert world.book()[1] == ["2@100"]
    assert order.special is not None
    assert order.special.shown_e8 == e8("2")


def test_the_report_of_one_that_ended_shows_nothing() -> None:
    world = market()
    order = world.accepted(world.cancel("ann", iceberg(world)))
    assert order.special is not None
    assert order.special.shown_e8 == 0
    assert world.book() == ([], [])
    assert world.shares("ann") == ("1000", "0")


@pytest.mark.parametrize(("quantity", "answer"), [("17", "accepted"), ("17.01", "FILL_OR_KILL")])
def test_a_fok_order_sees_all_of_it(quantity: str, answer: str) -> None:
    world = market()
    iceberg(world)
    world.sell("mia", "7", "100")
    assert refusal(world.place("bob", BUY, quantity, "100", FOK)) == answer


# quantity of Bob's FOK, his own order waits behind the first slice: what is hidden comes after it
@pytest.mark.parametrize(("quantity", "answer"), [("3", "accepted"), ("4", "FILL_OR_KILL")])
def test_a_fok_order_does_not_count_what_would_come_after_its_own(quantity: str, answer: str) -> None:
    world = market()
    iceberg(world)
    world.sell("bob", "7", "100")
    assert refusal(world.place("bob", BUY, quantity, "100", FOK)) == answer
    assert refusal(world.place("bob", BUY, "6", "100", FOK, policy=OLDEST)) == "accepted"


# policy | what is left in the book of an iceberg of 10 that shows 3 when its owner buys 5 of it
MEETINGS = [
    (NEWEST, ([], ["3@100"]), e8("10")),
    (OLDEST, (["5@100"], []), 0),
    (DECREMENT, ([], ["1@100"]), e8("5")),
]


@pytest.mark.parametrize(("policy", "book", "left"), MEETINGS)
def test_self_trade_prevention_meets_the_slice_or_ends_all_of_it(
    policy: SelfTradePrevention, book: tuple[list[str], list[str]], left: int
) -> None:
    world = market()
    mine = iceberg(world)
    world.place("ann", BUY, "5", "100", GTC, policy=policy)
    assert world.book() == book
    open_order = world.state.orders.get(mine.order_id)
    assert (open_order.leaves_e8 if open_order else 0) == left


# a smaller total | what is shown: what was hidden goes first, and the place stays
@pytest.mark.parametrize(("quantity", "shows"), [("9", "2"), ("3", "2"), ("2", "1")])
def test_a_smaller_quantity_keeps_place_and_slice(quantity: str, shows: str) -> None:
    world = market()
    mine = iceberg(world)
    world.sell("mia", "4", "100")
    world.buy("bob", "1", "100")
    new = world.accepted(world.replace("ann", mine, quantity=quantity))
    assert new.special is not None
    assert new.special.shown_e8 == e8(shows)
    (trade,) = of_kind(world.place("bob", BUY, "0.5", "100"), Traded)
    assert trade.sell_order_id == new.order_id


def test_a_new_price_shows_a_new_slice() -> None:
    world = market()
    mine = iceberg(world)
    world.buy("bob", "2", "100")
    world.replace("ann", mine, price="101")
    assert world.book()[1] == ["3@101"]


def test_a_part_of_a_slice_outlives_a_restart() -> None:
    world = market()
    iceberg(world)
    world.buy("bob", "2", "100")
    world.state = restored(all_rows(world.state))
    assert world.book()[1] == ["1@100"]
    assert fills(world.place("bob", BUY, "5", "100")) == ["1@100", "3@100", "1@100"]


# what is bought in the call | what the auction leaves to see: it showed 3, and has that as long as there is so much
@pytest.mark.parametrize(
    ("quantity", "left"), [("2", ["3@100"]), ("7", ["3@100"]), ("9", ["1@100"]), ("10", [])]
)
def test_in_an_auction_all_of_it_counts_and_it_keeps_its_place(quantity: str, left: list[str]) -> None:
    world = in_call()
    mine = iceberg(world)
    priority = world.of_order(mine).priority
    world.buy("bob", quantity, "100")
    world.advance(OPENS)
    assert world.book() == ([], left)
    if left:
        assert world.of_order(mine).priority == priority
        assert fills(world.place("bob", BUY, "1", "100")) == ["1@100"]


def deep_icebergs() -> World:
    """101 icebergs of 100 slices at one price, and somebody who can buy all of them."""
    world = World()
    world.open("ann", shares="101")
    world.open("bob", cash="20000")
    for _ in range(101):
        world.order("ann", SELL, "1", LIMIT, GTC, price="100", display="0.01")
    return world


def test_a_command_meets_so_many_slices_and_no_more() -> None:
    """10 000 fills of three ids are the end, a LIMIT order's too: the bound is asked after each fill by a slice."""
    world = deep_icebergs()
    order = world.buy("bob", "101", "100", GTC)
    assert (order.status, order.reason) == (OrderStatus.CANCELLED, CloseReason.TOO_MANY_FILLS)
    assert order.filled_e8 == e8("100")
    assert world.cash("bob") == ("10000", "0")
    assert world.book() == ([], ["1@100x100"])
    again = world.buy("bob", "5", "100", GTC)
    assert (again.status, again.filled_e8) == (OrderStatus.PARTIAL, e8("1"))


def test_a_fok_order_that_would_need_more_fills_is_refused() -> None:
    world = deep_icebergs()
    assert refusal(world.place("bob", BUY, "101", "100", FOK)) == "FILL_OR_KILL"
    assert world.buy("bob", "99.99", "100", FOK).status is OrderStatus.FILLED
