"""Price-time priority, partial fills, times in force, the market collar and self-trade prevention."""

from __future__ import annotations

import pytest

from engine.events import OrderUpdated
from engine.kinds import CloseReason, OrderStatus, SelfTradePrevention, TimeInForce
from tests.engine.world import (
    BUY,
    DAY,
    DECREMENT,
    FOK,
    GTC,
    IOC,
    NEWEST,
    OLDEST,
    SELL,
    World,
    fills,
    of_kind,
    refusal,
)


@pytest.fixture
def world() -> World:
    """Ann and Bea have cash, Cal, Dan and Eve have shares."""
    world = World()
    for who in ("ann", "bea"):
        world.open(who, cash="100000")
    for who in ("cal", "dan", "eve"):
        world.open(who, shares="1000")
    return world


def test_the_best_price_trades_first(world: World) -> None:
    world.sell("cal", "10", "100.20")
    world.sell("dan", "10", "100.10")
    world.sell("eve", "10", "100.30")
    assert fills(world.place("ann", BUY, "25", "100.30")) == ["10@100.1", "10@100.2", "5@100.3"]


def test_at_one_price_who_came_first_trades_first(world: World) -> None:
    first = world.sell("cal", "10", "100")
    second = world.sell("dan", "10", "100")
    third = world.sell("eve", "10", "100")
    bought = world.place("ann", BUY, "15", "100")
    assert fills(bought) == ["10@100", "5@100"]
    reported = {order.order_id: order.status for order in of_kind(bought, OrderUpdated)}
    assert reported[first.order_id] is OrderStatus.FILLED
    assert reported[second.order_id] is OrderStatus.PARTIAL
    assert third.order_id not in reported


def test_a_trade_happens_at_the_price_of_the_order_that_was_there(world: World) -> None:
    world.buy("ann", "10", "101")
    assert fills(world.place("cal", SELL, "10", "99")) == ["10@101"]


def test_orders_that_do_not_cross_rest(world: World) -> None:
    world.buy("ann", "10", "99")
    world.buy("bea", "5", "99")
    world.sell("cal", "7", "101")
    assert world.book() == (["15@99x2"], ["7@101"])


# side of the taker, its quantity, its price (None: MARKET), time in force | fills, status, reason, book after
TIMES_IN_FORCE = [
    ("8", "100.20", DAY, ["5@100.1", "3@100.2"], "FILLED", "NONE", ([], ["2@100.2"])),
    ("8", "100.10", DAY, ["5@100.1"], "PARTIAL", "NONE", (["3@100.1"], ["5@100.2"])),
    ("8", "100.10", GTC, ["5@100.1"], "PARTIAL", "NONE", (["3@100.1"], ["5@100.2"])),
    ("8", "100.00", GTC, [], "PENDING", "NONE", (["8@100"], ["5@100.1", "5@100.2"])),
    ("8", "100.10", IOC, ["5@100.1"], "CANCELLED", "NO_LIQUIDITY", ([], ["5@100.2"])),
    ("8", "100.00", IOC, [], "CANCELLED", "NO_LIQUIDITY", ([], ["5@100.1", "5@100.2"])),
    ("8", "100.20", FOK, ["5@100.1", "3@100.2"], "FILLED", "NONE", ([], ["2@100.2"])),
    ("8", None, DAY, ["5@100.1", "3@100.2"], "FILLED", "NONE", ([], ["2@100.2"])),
    ("11", None, DAY, ["5@100.1", "5@100.2"], "CANCELLED", "NO_LIQUIDITY", ([], [])),
    ("11", None, GTC, ["5@100.1", "5@100.2"], "CANCELLED", "NO_LIQUIDITY", ([], [])),
]


@pytest.mark.parametrize(("quantity", "price", "tif", "filled", "status", "reason", "book"), TIMES_IN_FORCE)
def test_what_a_time_in_force_does_with_the_rest(
    world: World,
    quantity: str,
    price: str | None,
    tif: TimeInForce,
    filled: list[str],
    status: str,
    reason: str,
    book: tuple[list[str], list[str]],
) -> None:
    world.sell("cal", "5", "100.10")
    world.sell("dan", "5", "100.20")
    applied = world.place("ann", BUY, quantity, price, tif)
    order = world.accepted(applied)
    assert fills(applied) == filled
    assert (order.status.name, order.reason.name) == (status, reason)
    assert world.book() == book
    if not order.is_open:
        assert order.hold_e4 == 0


@pytest.mark.parametrize(("quantity", "price"), [("11", "100.20"), ("6", "100.10"), ("11", None)])
def test_fill_or_kill_trades_nothing_when_it_cannot_fill(
    world: World, quantity: str, price: str | None
) -> None:
    world.sell("cal", "5", "100.10")
    world.sell("dan", "5", "100.20")
    before = world.cash("ann")
    refused = world.place("ann", BUY, quantity, price, FOK)
    assert refusal(refused) == "FILL_OR_KILL"
    assert world.cash("ann") == before
    assert world.book() == ([], ["5@100.1", "5@100.2"])


def test_a_market_order_stops_at_the_collar(world: World) -> None:
    """The reference is 100 and the collar 5 %: nothing above 105 is bought, whatever is offered."""
    world.sell("cal", "5", "104.99")
    world.sell("dan", "5", "105")
    world.sell("eve", "5", "105.01")
    applied = world.place("ann", BUY, "15", None)
    assert fills(applied) == ["5@104.99", "5@105"]
    assert world.accepted(applied).limit_e4 == 1_050_000
    assert world.accepted(applied).status is OrderStatus.CANCELLED


# policy of the taker, its quantity | fills, taker status and quantity, own resting order status and quantity, asks after
SELF_TRADES = [
    (NEWEST, "8", [], "CANCELLED", "8", "PENDING", "5", ["5@100", "9@101"]),
    (OLDEST, "8", ["8@101"], "FILLED", "8", "CANCELLED", "5", ["1@101"]),
    (DECREMENT, "8", ["3@101"], "FILLED", "3", "CANCELLED", "5", ["6@101"]),
    (DECREMENT, "5", [], "CANCELLED", "5", "CANCELLED", "5", ["9@101"]),
    (DECREMENT, "2", [], "CANCELLED", "2", "PENDING", "3", ["3@100", "9@101"]),
]


@pytest.mark.parametrize(
    ("policy", "quantity", "filled", "status", "size", "own_status", "own_size", "asks"), SELF_TRADES
)
def test_an_account_never_trades_with_itself(
    policy: SelfTradePrevention,
    quantity: str,
    filled: list[str],
    status: str,
    size: str,
    own_status: str,
    own_size: str,
    asks: list[str],
) -> None:
    world = World()
    world.open("ann", cash="10000", shares="100")
    world.open("cal", shares="100")
    own = world.sell("ann", "5", "100")
    world.sell("cal", "9", "101")
    applied = world.place("ann", BUY, quantity, "101", policy=policy)
    taker = world.accepted(applied)
    reports = {order.order_id: order for order in of_kind(applied, OrderUpdated)}
    resting = reports.get(own.order_id, own)
    assert fills(applied) == filled
    assert (taker.status.name, taker.quantity_e8) == (status, int(size) * 10**8)
    assert (resting.status.name, resting.quantity_e8) == (own_status, int(own_size) * 10**8)
    assert world.book()[1] == asks
    for order in (taker, resting):
        if order.status is OrderStatus.CANCELLED:
            assert order.reason is CloseReason.SELF_TRADE


@pytest.mark.parametrize(
    ("policy", "outcome"), [(NEWEST, "FILL_OR_KILL"), (DECREMENT, "FILL_OR_KILL"), (OLDEST, "accepted")]
)
def test_fill_or_kill_counts_no_orders_of_its_own_account(policy: SelfTradePrevention, outcome: str) -> None:
    world = World()
    world.open("ann", cash="10000", shares="100")
    world.open("cal", shares="100")
    world.sell("ann", "5", "100")
    world.sell("cal", "9", "101")
    assert refusal(world.place("ann", BUY, "9", "101", FOK, policy=policy)) == outcome


def test_the_last_price_is_that_of_the_last_fill(world: World) -> None:
    world.sell("cal", "5", "100.10")
    world.sell("dan", "5", "100.20")
    world.buy("ann", "7", "100.20")
    assert world.state.instruments["AAPL"].last_e4 == 1_002_000
