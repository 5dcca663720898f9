"""Place, cancel, cancel all and replace: answers, links, queue positions, client order ids."""

from __future__ import annotations

import pytest

from engine.commands import CancelAll, CancelOrder, ReplaceOrder, SetAccountStatus, SetFees, SetLimits
from engine.events import BalanceChanged, BookChanged, OrderUpdated, Traded
from engine.kinds import AccountStatus, CloseReason, OrderStatus, Side
from engine.units import DAY_US
from tests.engine.world import BUY, GTC, SELL, World, e4, e8, fills, of_kind, refusal, stock


@pytest.fixture
def world() -> World:
    world = World()
    world.open("ann", cash="10000", shares="100")
    world.open("bob", cash="10000", shares="100")
    return world


def test_an_accepted_order_answers_with_itself_and_reports_book_and_balance(world: World) -> None:
    applied = world.place("ann", BUY, "10", "99", GTC, client_id="mine")
    (order,) = applied.answer
    assert isinstance(order, OrderUpdated)
    assert applied.events == (
        order,
        BookChanged("AAPL", ((BUY, e4("99"), e8("10"), 1),)),
        BalanceChanged(world.ids["ann"], e4("10000"), e4("990")),
    )
    assert order.status is OrderStatus.PENDING
    assert order.hold_e4 == e4("990")
    assert (order.client_order_id, order.created_us, order.updated_us) == (
        "mine",
        world.now_us,
        world.now_us,
    )


def test_events_come_as_trades_orders_levels_balances(world: World) -> None:
    world.sell("bob", "5", "100")
    world.sell("bob", "5", "100.01")
    kinds = [type(event).__name__ for event in world.place("ann", BUY, "8", "101").events]
    assert kinds == [
        "Traded",
        "Traded",
        "OrderUpdated",
        "OrderUpdated",
        "OrderUpdated",
        "BookChanged",
        "BalanceChanged",
        "BalanceChanged",
    ]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_cancel_releases_the_hold(world: World, side: Side) -> None:
    order = world.accepted(world.place("ann", side, "10", "100"))
    cancelled = world.accepted(world.cancel("ann", order))
    assert (cancelled.status, cancelled.reason) == (OrderStatus.CANCELLED, CloseReason.USER)
    assert cancelled.hold_e4 == 0
    assert world.cash("ann") == ("10000", "0")
    assert world.shares("ann") == ("100", "0")
    assert world.book() == ([], [])


def test_cancel_of_a_part_filled_order_keeps_its_fills(world: World) -> None:
    order = world.buy("ann", "10", "100")
    world.sell("bob", "4", "100")
    cancelled = world.accepted(world.cancel("ann", order))
    assert (cancelled.status, cancelled.filled_e8, cancelled.notional_e4) == (
        OrderStatus.CANCELLED,
        e8("4"),
        e4("400"),
    )


@pytest.mark.parametrize("case", ["foreign", "unknown", "closed", "quote", "no account"])
def test_what_is_not_ones_own_open_order_cannot_be_found(world: World, case: str) -> None:
    order = world.buy("ann", "1", "99")
    order_id, who = order.order_id, "ann"
    if case == "foreign":
        who = "bob"
    elif case == "unknown":
        order_id = 12345
    elif case == "closed":
        world.cancel("ann", order)
    elif case == "quote":
        world.open("mm", cash="1000", maker=True)
        world.quote("mm", [("1", "98")], [])
        order_id, who = max(world.state.orders), "mm"
    else:
        who = "nobody"
    assert refusal(world.do(CancelOrder(order_id), who)) == "ORDER_NOT_FOUND"
    replaced = refusal(world.do(ReplaceOrder(order_id, e8("2"), 0), who))
    assert replaced == ("ACCOUNT_NOT_FOUND" if case == "no account" else "ORDER_NOT_FOUND")


@pytest.mark.parametrize(("symbol", "left"), [("", 0), ("AAPL", 1), ("MSFT", 2)])
def test_cancel_all_takes_all_or_one_symbol(symbol: str, left: int) -> None:
    world = World(listings=[stock(), stock("MSFT")])
    world.open("ann", cash="10000", shares="10")
    world.open("bob", cash="10000")
    world.buy("ann", "1", "99")
    world.sell("ann", "1", "101")
    world.accepted(world.place("ann", BUY, "1", "99", symbol="MSFT"))
    world.buy("bob", "1", "99")
    applied = world.cancel_all("ann", symbol)
    assert len(world.account("ann").orders) == left
    assert len(world.account("bob").orders) == 1
    assert {order.reason for order in of_kind(applied, OrderUpdated)} == {CloseReason.CANCEL_ALL}
    assert applied.answer == tuple(of_kind(applied, OrderUpdated))
    assert len(applied.answer) == 3 - left


def test_cancel_all_with_nothing_open_answers_nothing(world: World) -> None:
    assert world.cancel_all("ann").answer == ()


def test_cancel_all_is_refused_for_what_does_not_exist(world: World) -> None:
    assert refusal(world.do(CancelAll(""), "nobody")) == "ACCOUNT_NOT_FOUND"
    assert refusal(world.do(CancelAll("NOPE"), "ann")) == "UNKNOWN_SYMBOL"


def test_a_disabled_account_may_still_cancel(world: World) -> None:
    world.do(SetAccountStatus(world.ids["bob"], AccountStatus.DISABLED, ""))
    assert refusal(world.cancel_all("bob")) == "accepted"


def test_a_replacement_is_linked_both_ways(world: World) -> None:
    old = world.buy("ann", "10", "99")
    applied = world.replace("ann", old, quantity="12", price="98", client_id="second")
    new = world.accepted(applied)
    (gone,) = [order for order in of_kind(applied, OrderUpdated) if order.order_id == old.order_id]
    assert (gone.status, gone.reason) == (OrderStatus.REPLACED, CloseReason.REPLACED)
    assert gone.replaced_by_id == new.order_id
    assert new.replaces_id == old.order_id
    assert (new.quantity_e8, new.price_e4, new.client_order_id) == (e8("12"), e4("98"), "second")
    assert world.book() == (["12@98"], [])
    assert world.cash("ann") == ("10000", "1176")


# new quantity, new price ("0" keeps it) | does Ann's order still come before Bob's?
PRIORITY = [
    ("8", "0", True),
    ("8", "100", True),
    ("12", "0", False),
    ("0", "99.99", None),
    ("8", "99.99", None),
]


@pytest.mark.parametrize(("quantity", "price", "keeps"), PRIORITY)
def test_only_a_pure_decrease_keeps_its_place(
    world: World, quantity: str, price: str, keeps: bool | None
) -> None:
    world.open("cal", shares="100")
    mine = world.buy("ann", "10", "100")
    world.buy("bob", "10", "100")
    world.replace("ann", mine, quantity=quantity, price=price)
    applied = world.place("cal", SELL, "1", "99")
    (trade,) = of_kind(applied, Traded)
    assert (trade.buy_account_id == world.ids["ann"]) is bool(keeps)


def test_a_place_is_kept_through_several_decreases(world: World) -> None:
    world.open("cal", shares="100")
    order = world.buy("ann", "10", "100")
    world.buy("bob", "10", "100")
    for quantity in ("9", "8", "7"):
        order = world.accepted(world.replace("ann", order, quantity=quantity))
    assert world.book() == (["17@100x2"], [])
    (trade,) = of_kind(world.place("cal", SELL, "7", "100"), Traded)
    assert trade.buy_order_id == order.order_id


def test_a_decrease_of_a_part_filled_order_counts_the_fills(world: World) -> None:
    """Of 10, 4 are filled; 7 in all leaves 3."""
    old = world.buy("ann", "10", "100")
    world.sell("bob", "4", "100")
    new = world.accepted(world.replace("ann", old, quantity="7"))
    assert (new.quantity_e8, new.filled_e8) == (e8("3"), 0)
    assert world.book() == (["3@100"], [])


REPLACE_REFUSALS = [
    ("10", "0", "INVALID_REPLACE"),  # nothing changes
    ("0", "0", "INVALID_REPLACE"),
    ("0", "100", "INVALID_REPLACE"),
    ("4", "0", "INVALID_REPLACE"),  # 4 are filled already
    ("3", "99", "INVALID_REPLACE"),
    ("-1", "0", "INVALID_QUANTITY"),
    ("9.001", "0", "INVALID_LOT_SIZE"),
    ("0", "100.001", "INVALID_TICK_SIZE"),
    ("0", "-1", "INVALID_PRICE"),
    ("0", "120.01", "PRICE_OUT_OF_BAND"),
    ("1000", "0", "INSUFFICIENT_FUNDS"),
]


@pytest.mark.parametrize(("quantity", "price", "outcome"), REPLACE_REFUSALS)
def test_a_refused_replacement_leaves_the_order_as_it_was(
    world: World, quantity: str, price: str, outcome: str
) -> None:
    order = world.buy("ann", "10", "100")
    world.sell("bob", "4", "100")
    before = world.cash("ann"), world.book()
    assert refusal(world.replace("ann", order, quantity=quantity, price=price)) == outcome
    assert (world.cash("ann"), world.book()) == before
    assert order.order_id in world.state.orders


@pytest.mark.parametrize(("quantity", "outcome"), [("100", "accepted"), ("100.01", "INSUFFICIENT_SHARES")])
def test_a_replacement_may_use_what_the_old_order_held(world: World, quantity: str, outcome: str) -> None:
    """All of Ann's shares are promised to the order she replaces."""
    order = world.sell("ann", "60", "105")
    assert refusal(world.replace("ann", order, quantity=quantity, price="104")) == outcome


def test_a_replacement_may_trade_at_once(world: World) -> None:
    world.sell("bob", "5", "100")
    order = world.buy("ann", "10", "99")
    applied = world.replace("ann", order, price="100")
    assert fills(applied) == ["5@100"]
    assert world.accepted(applied).status is OrderStatus.PARTIAL


def test_a_decrease_is_never_refused_for_what_the_market_did(world: World) -> None:
    """Limits and the band came down after the order was accepted: less of it is still welcome, more is not."""
    order = world.buy("ann", "10", "100")
    world.do(SetLimits(e8("1"), e4("1"), 10, 500, 10, 100, 1_000))
    assert refusal(world.replace("ann", order, quantity="11")) == "ORDER_TOO_LARGE"
    assert refusal(world.replace("ann", order, quantity="9")) == "accepted"


def test_a_replacement_keeps_the_fees_of_its_acceptance(world: World) -> None:
    order = world.buy("ann", "10", "100")
    world.do(SetFees("std", 5_000, 5_000))
    new = world.accepted(world.replace("ann", order, quantity="8"))
    assert new.hold_e4 == e4("800")


def test_client_order_ids_are_unique_while_open_and_for_a_day_after(world: World) -> None:
    order = world.accepted(world.place("ann", BUY, "1", "99", client_id="a"))
    assert refusal(world.place("ann", BUY, "1", "99", client_id="a")) == "DUPLICATE_CLIENT_ORDER_ID"
    assert refusal(world.place("bob", BUY, "1", "99", client_id="a")) == "accepted"
    other = world.buy("ann", "1", "98")
    assert refusal(world.replace("ann", other, quantity="2", client_id="a")) == "DUPLICATE_CLIENT_ORDER_ID"
    world.cancel("ann", order)
    assert refusal(world.place("ann", BUY, "1", "99", client_id="a")) == "DUPLICATE_CLIENT_ORDER_ID"
    world.now_us += DAY_US
    assert refusal(world.place("ann", BUY, "1", "99", client_id="a")) == "accepted"
    world.now_us += 3 * DAY_US
    assert refusal(world.place("ann", BUY, "1", "99", client_id="a")) == "DUPLICATE_CLIENT_ORDER_ID"


def test_a_refused_order_does_not_use_its_client_order_id_up(world: World) -> None:
    assert refusal(world.place("ann", BUY, "1000", "99", client_id="a")) == "INSUFFICIENT_FUNDS"
    assert refusal(world.place("ann", BUY, "1", "99", client_id="a")) == "accepted"
