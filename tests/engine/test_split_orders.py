"""What a forward split does to open orders, one row a rule; a reverse split cancels them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.commands import (
    MassQuote,
)
from engine.events import OrderUpdated
from engine.kinds import (
    CloseReason,
    LotMethod,
    OrderClass,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from engine.terms import Leg, Terms
from tests.engine.split_world import kinds, market, order_command, split
from tests.engine.world import BUY, DAY, GTC, LIMIT, SELL, e4, e8, refusal, stock

STOP_LOSS, STOP_LIMIT = OrderType.STOP_LOSS, OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP


ENDED = "ended"
# side, type, price, time in force, terms | quantity, price and trigger after 3 for 1 (the price is 90, then 30)
ADJUSTED: list[tuple[Side, OrderType, str, TimeInForce, Terms | None, tuple[str, str, str] | str]] = [
    (BUY, LIMIT, "80", GTC, None, ("6", "26.66", "0")),
    (BUY, LIMIT, "80", GTC, Terms(do_not_reduce=True), ("6", "26.66", "0")),
    (BUY, LIMIT, "80", DAY, None, ENDED),
    (BUY, LIMIT, "2.99", GTC, None, ENDED),
    (BUY, LIMIT, "3", GTC, None, ("6", "1", "0")),
    (SELL, LIMIT, "100", GTC, None, ("6", "33.34", "0")),
    (SELL, LIMIT, "100", DAY, None, ENDED),
    (SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("80")), ("6", "0", "26.66")),
    (SELL, STOP_LOSS, "", DAY, Terms(stop_e4=e4("80")), ENDED),
    (SELL, STOP_LIMIT, "79", GTC, Terms(stop_e4=e4("80")), ("6", "26.34", "26.66")),
    (BUY, STOP_LOSS, "", GTC, Terms(stop_e4=e4("100")), ("6", "0", "33.34")),
    (BUY, STOP_LIMIT, "101", GTC, Terms(stop_e4=e4("100")), ("6", "33.66", "33.34")),
    (SELL, TRAILING_STOP, "", GTC, Terms(trail_e4=e4("5")), ("6", "0", "28.33")),
    (BUY, TRAILING_STOP, "", GTC, Terms(trail_e4=e4("5")), ("6", "0", "31.67")),
    (SELL, TRAILING_STOP, "", GTC, Terms(trail_ppm=100_000), ("6", "0", "27")),
]  # fmt: skip


@pytest.mark.parametrize(("side", "order_type", "price", "tif", "terms", "expected"), ADJUSTED)
def test_a_forward_split_adjusts_good_till_cancelled_orders(
    side: Side,
    order_type: OrderType,
    price: str,
    tif: TimeInForce,
    terms: Terms | None,
    expected: tuple[str, str, str] | str,
) -> None:
    world = market()
    command = order_command(side, order_type, price, tif, terms)
    placed = world.accepted(world.do(command, "ann"))
    events = split(world, 3, 1)
    (report,) = [each for each in kinds(events, OrderUpdated) if each.order_id == placed.order_id]
    if expected == ENDED:
        assert (report.status, report.reason) == (OrderStatus.CANCELLED, CloseReason.CORPORATE_ACTION)
        assert world.cash("ann") == ("10000", "0")
        assert world.shares("ann") == ("30", "0")
        return
    trigger_e4 = report.special.trigger_e4 if report.special is not None else 0
    assert (report.quantity_e8, report.price_e4, trigger_e4) == (
        e8(expected[0]),
        e4(expected[1]),
        e4(expected[2]),
    )
    assert report.status is placed.status
    assert report.hold_e4 <= placed.hold_e4
    assert world.shares("ann") == ("30", "6" if side is SELL else "0")


def test_a_reverse_split_cancels_all_orders_and_quotes() -> None:
    world = market()
    world.open("mm", cash="10000", shares="10", maker=True)
    world.quote("mm", [("1", "85")], [("1", "95")])
    world.buy("ann", "1", "80", GTC)
    world.do(order_command(SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("70"))), "ann")
    events = split(world, 1, 2)
    assert world.state.orders == {}
    reasons = {each.reason for each in kinds(events, OrderUpdated)}
    assert reasons == {CloseReason.CORPORATE_ACTION}
    assert world.cash("ann") == ("10000", "0")
    assert (
        refusal(world.do(MassQuote("AAPL", ((e4("170"), e8("1")),), ((e4("190"), e8("1")),)), "mm"))
        == "accepted"
    )


def test_what_is_filled_stays_and_what_is_left_is_adjusted() -> None:
    """Ann buys 4 at 90, gets 1 of the old shares, and waits for 6 new ones at 45."""
    world = market()
    placed = world.buy("ann", "4", "90", GTC)
    world.sell("bob", "1", "90")
    split(world, 2, 1)
    adjusted = world.of_order(placed)
    assert (adjusted.quantity_e8, adjusted.filled_e8, adjusted.status) == (
        e8("7"),
        e8("1"),
        OrderStatus.PARTIAL,
    )
    assert world.cash("ann") == ("9910", "270")
    world.sell("bob", "4", "45")
    world.sell("ann", "2", "46")
    (report,) = [each for each in [world.of_order(placed)] if each.filled_e8 == e8("5")]
    assert world.cash("ann") == ("9730", "90")
    assert report.leaves_e8 == e8("2")


def test_orders_keep_their_place_in_time_where_two_levels_become_one() -> None:
    world = market()
    first = world.buy("ann", "1", "80.01", GTC)
    second = world.buy("cal", "1", "80.02", GTC)
    third = world.buy("bob", "1", "80", GTC)
    split(world, 10, 1)
    assert world.book()[0] == ["30@8x3"]
    level = world.of_order(first).level
    assert level is not None
    queue = [level.first, level.first and level.first.after, level.last]
    assert [each and each.order_id for each in queue] == [first.order_id, second.order_id, third.order_id]


def test_an_iceberg_shows_as_many_slices_as_before() -> None:
    world = market()
    placed = world.accepted(world.order("ann", SELL, "10", LIMIT, GTC, price="100", display="3"))
    world.buy("cal", "1", "100")
    split(world, 3, 2)
    order_now = world.of_order(placed)
    assert order_now.special is not None
    assert order_now.special.terms.display_e8 == e8("5")
    assert order_now.special.shown_e8 == e8("3")
    assert order_now.leaves_e8 == e8("13")
    assert world.book()[1] == ["3@66.67"]


def test_a_pair_stays_a_pair_and_holds_once() -> None:
    world = market()
    pair = world.order(
        "ann", SELL, "5", LIMIT, GTC, price="100", order_class=OrderClass.OCO,
        legs=[Leg(STOP_LOSS, stop_e4=e4("80"))],
    )  # fmt: skip
    placed = world.accepted(pair)
    split(world, 3, 2)
    assert world.shares("ann") == ("15", "7")
    stop_id = max(world.state.orders)
    world.buy("cal", "7", "66.67")
    assert world.state.orders == {}
    assert placed.order_id != stop_id
    assert world.shares("ann") == ("8", "0")


def test_legs_that_wait_for_their_parent_are_for_what_it_will_fill() -> None:
    world = market()
    bracket = world.order(
        "cal", BUY, "3", LIMIT, GTC, price="80", order_class=OrderClass.BRACKET,
        legs=[Leg(LIMIT, price_e4=e4("100")), Leg(STOP_LOSS, stop_e4=e4("70"))],
    )  # fmt: skip
    parent = world.accepted(bracket)
    split(world, 2, 1)
    legs = [each for each in world.state.orders.values() if each.order_id != parent.order_id]
    assert [each.quantity_e8 for each in legs] == [e8("6"), e8("6")]
    world.sell("ann", "4", "40")
    assert [each.quantity_e8 for each in legs] == [e8("4"), e8("4")]
    world.sell("ann", "2", "40")
    assert [each.quantity_e8 for each in legs] == [e8("6"), e8("6")]
    assert world.shares("cal") == ("6", "6")


def test_a_lot_that_an_order_names_is_named_for_as_many_new_shares() -> None:
    world = market()
    (lot_id,) = world.account("ann").positions["AAPL"].lots
    terms = Terms(lot_method=LotMethod.SPECIFIC, lots=((lot_id, e8("4")),))
    placed = world.accepted(
        world.do(replace(order_command(SELL, LIMIT, "100", GTC, terms), quantity_e8=e8("4")), "ann")
    )
    world.buy("cal", "1", "100")
    split(world, 2, 1)
    special = world.of_order(placed).special
    assert special is not None
    assert special.terms.lots == ((lot_id, e8("1")), (lot_id, e8("6")))
    world.buy("cal", "6", "50")
    assert placed.order_id not in world.state.orders


def test_a_stop_that_rounding_reaches_fires() -> None:
    """Under a price of 90.04: with a thousand new shares for one, a stop at 90.03 is at 0.09 like the price, one at 89.99 is not."""
    world = market(stock(lot="1", low="0.01", tick="0.0001"))
    world.buy("cal", "1", "90.04")
    world.sell("ann", "1", "90.04")
    stop, lower = [
        world.accepted(world.do(order_command(SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4(at))), "ann"))
        for at in ("90.03", "89.99")
    ]
    split(world, 1000, 1)
    assert world.statuses[stop.order_id] is OrderStatus.CANCELLED  # it found no buyer
    assert world.of_order(lower).status is OrderStatus.HELD
