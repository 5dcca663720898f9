"""Legs: what their parent's fills arm, what that holds, and what ends them."""

from __future__ import annotations

import pytest

from engine.commands import CancelAll, CancelOrder, Deposit, RequestWithdrawal
from engine.events import Traded
from tests.engine.mirror import all_rows, restored
from tests.engine.test_links import (
    BRACKET,
    HELD,
    PENDING,
    bracket,
    market,
    oco,
    profit,
    stop,
    told,
    trailing,
)
from tests.engine.world import BUY, IOC, LIMIT, SELL, e4, e8, fills, of_kind, refusal


def test_legs_wait_hold_nothing_and_cannot_fire() -> None:
    world = market()
    world.open("dan", cash="1000")
    order = world.accepted(
        world.order(
            "dan", BUY, "10", LIMIT, price="90", order_class=BRACKET, legs=[profit("110"), stop("95")]
        )
    )
    assert world.cash("dan") == ("1000", "900")
    world.buy("mia", "5", "94")
    assert fills(world.place("bob", SELL, "1", "94")) == ["1@94"]
    assert world.of_order(order.order_id + 2).status is HELD
    assert world.book()[1] == []


def test_each_fill_of_the_parent_arms_so_much() -> None:
    world = market()
    entry, first, second = bracket(world)
    applied = world.place("bob", SELL, "4", "99")
    assert (told(applied)[entry], told(applied)[first]) == ("PARTIAL NONE 4/10", "PENDING NONE 0/4")
    assert told(applied)[second] == "HELD NONE 0/4"
    assert world.shares("ann") == ("1004", "4")
    assert world.book()[1] == ["4@110"]
    ahead = world.sell("mia", "1", "110")
    applied = world.place("bob", SELL, "6", "99")
    assert (told(applied)[first], told(applied)[second]) == ("PENDING NONE 0/10", "HELD NONE 0/10")
    assert world.book()[1] == ["11@110x2"]
    (trade,) = of_kind(world.place("bob", BUY, "1", "110"), Traded)
    assert trade.sell_order_id == ahead.order_id  # what grew went to the end of its queue


def test_a_leg_that_traded_grows_by_what_its_parent_filled_since() -> None:
    world = market()
    _, first, second = bracket(world)
    world.place("bob", SELL, "4", "99")
    world.place("bob", BUY, "3", "110")
    applied = world.place("bob", SELL, "6", "99")
    assert (told(applied)[first], told(applied)[second]) == ("PARTIAL NONE 3/10", "HELD NONE 0/7")
    assert world.shares("ann") == ("1007", "7")


def test_a_pair_that_has_ended_is_not_armed_again() -> None:
    world = market()
    _, first, second = bracket(world)
    world.place("bob", SELL, "4", "99")
    world.place("bob", BUY, "4", "110")
    applied = world.place("bob", SELL, "6", "99")
    assert first not in told(applied)
    assert second not in told(applied)
    assert world.shares("ann") == ("1006", "0")


def test_a_parent_that_takes_at_once_has_its_legs_armed_in_the_same_command() -> None:
    world = market()
    world.sell("mia", "6", "99")
    entry, first, second = bracket(world, "10", "99", tif=IOC)
    assert entry not in world.state.orders
    assert (world.of_order(first).status, world.of_order(first).quantity_e8) == (PENDING, e8("6"))
    assert (world.of_order(second).status, world.of_order(second).quantity_e8) == (HELD, e8("6"))


def test_a_stop_does_not_see_the_prints_of_the_command_that_filled_its_parent() -> None:
    """The entry sweeps 99, 100 and 101; a stop at 100.5 is below the price of then, and trails from there."""
    world = market()
    for price in ("99", "100", "101"):
        world.sell("mia", "1", price)
    _, _, second = bracket(world, "3", None, profit("110"), stop("100.5"), tif=IOC)
    assert world.of_order(second).status is HELD
    for price in ("102", "103"):
        world.sell("mia", "1", price)
    _, _, trailed = bracket(world, "2", None, profit("110"), trailing("0.5"), tif=IOC)
    special = world.of_order(trailed).special
    assert special is not None
    assert (special.extreme_e4, special.trigger_e4) == (e4("103"), e4("102.5"))


def test_a_stop_that_the_reference_has_reached_fires_when_it_is_armed() -> None:
    world = market()
    world.buy("mia", "20", "98")
    world.sell("mia", "5", "99")
    entry, first, second = bracket(world, "5", "99", profit("110"), stop("99.5"))
    assert world.shares("ann") == ("1000", "0")
    assert not {entry, first, second} & world.state.orders.keys()


def test_a_take_profit_that_can_trade_does_so_when_it_is_armed() -> None:
    world = market()
    world.buy("mia", "2", "98")
    _, first, second = bracket(world, "5", "99", profit("98"), stop("90"))
    applied = world.place("bob", SELL, "5", "99")
    assert fills(applied) == ["5@99"] or fills(applied) == ["5@99", "2@98"]
    assert told(applied)[second] == "HELD NONE 0/3"
    assert told(applied)[first] == "PARTIAL NONE 2/5"


def test_a_parent_that_ends_without_a_fill_ends_its_legs_and_one_with_a_fill_leaves_them() -> None:
    world = market()
    ids = bracket(world)
    applied = world.do(CancelOrder(ids[0]), "ann")
    assert [told(applied)[each] for each in ids] == [
        "CANCELLED USER 0/10",
        "CANCELLED PARENT 0/10",
        "CANCELLED PARENT 0/10",
    ]
    ids = bracket(world)
    world.place("bob", SELL, "4", "99")
    assert list(told(world.do(CancelOrder(ids[0]), "ann"))) == [ids[0]]
    assert world.shares("ann") == ("1004", "4")


@pytest.mark.parametrize("which", [1, 2])
def test_cancelling_a_leg_that_waits_cancels_the_pair_and_leaves_the_parent(which: int) -> None:
    world = market()
    ids = bracket(world)
    applied = world.do(CancelOrder(ids[which]), "ann")
    assert told(applied) == {ids[which]: "CANCELLED USER 0/10", ids[3 - which]: "CANCELLED PAIR 0/10"}
    assert fills(world.place("bob", SELL, "10", "99")) == ["10@99"]
    assert world.shares("ann") == ("1010", "0")


def test_a_buy_leg_must_be_covered_when_it_is_armed_and_when_it_grows() -> None:
    """Dan sells 10 at 101 and would buy back at 111 at worst: the proceeds cover it only with what he has besides."""
    for cash, after_first, after_second in (
        ("101", "HELD NONE 0/4", "HELD NONE 0/10"),
        ("45", "HELD NONE 0/4", "CANCELLED PAIR 0/10"),
        ("30", "CANCELLED PAIR 0/4", ""),
    ):
        world = market()
        world.open("dan", cash=cash, shares="10")
        legs = [profit("90"), stop("105", "111")]
        order = world.accepted(
            world.order("dan", SELL, "10", LIMIT, price="101", order_class=BRACKET, legs=legs)
        )
        applied = world.place("bob", BUY, "4", "101")
        assert told(applied)[order.order_id + 2] == after_first
        applied = world.place("bob", BUY, "6", "101")
        assert told(applied).get(order.order_id + 2, "") == after_second
        if after_second.startswith("CANCELLED"):
            assert told(applied)[order.order_id + 1] == "CANCELLED NOT_COVERED 0/10"


def test_cancel_all_takes_parents_and_legs() -> None:
    world = market()
    bracket(world)
    bracket(world, "5", "98")
    world.place("bob", SELL, "4", "99")
    oco(world)
    world.do(CancelAll(""), "ann")
    assert not world.account("ann").orders
    assert world.state.groups == {}
    assert world.state.off_book == {}
    assert world.shares("ann") == ("1004", "0")


def test_units_that_a_leg_holds_cannot_be_sold_and_cash_cannot_be_withdrawn() -> None:
    world = market()
    world.open("dan", cash="1000")
    order = world.accepted(
        world.order(
            "dan", BUY, "10", LIMIT, price="100", order_class=BRACKET, legs=[profit("110"), stop("90")]
        )
    )
    world.place("bob", SELL, "10", "100")
    assert order.order_id not in world.state.orders
    assert refusal(world.order("dan", SELL, "1", LIMIT, price="105")) == "INSUFFICIENT_SHARES"
    assert refusal(world.do(RequestWithdrawal(1), "dan")) == "INSUFFICIENT_FUNDS"
    world.do(Deposit(1, "CARD"), "dan")


@pytest.mark.parametrize("fill", ["0", "4"])
def test_links_outlive_a_restart(fill: str) -> None:
    world = market()
    _, first, second = bracket(world)
    oco(world)
    if fill != "0":
        world.place("bob", SELL, fill, "99")
    world.state = restored(all_rows(world.state))
    applied = world.place("bob", SELL, "6", "99")
    assert told(applied)[first].endswith("0/6" if fill == "0" else "0/10")
    assert fills(world.place("bob", BUY, "3", "110")) == ["3@110"]
    assert world.of_order(second).status is HELD
