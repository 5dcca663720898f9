"""Levels, queues and the best price of one side of a book."""

from __future__ import annotations

import pytest

from engine.book import Book, BookSide
from engine.kinds import OrderType, SelfTradePrevention, Side, TimeInForce
from engine.orders import Order

BUY, SELL = Side.BUY, Side.SELL


def order(order_id: int, price_e4: int, quantity_e8: int = 10, side: Side = SELL) -> Order:
    return Order(
        order_id,
        7,
        "AAPL",
        side,
        OrderType.LIMIT,
        TimeInForce.DAY,
        quantity_e8,
        price_e4,
        price_e4,
        0,
        0,
        1,
        1,
        "",
        SelfTradePrevention.CANCEL_NEWEST,
        0,
        False,
        order_id,
    )


def queue(side: BookSide, price_e4: int) -> list[int]:
    """Order ids at a price, in their order, read forwards; the way back must agree."""
    level = side.levels[price_e4 * side.sign]
    forwards, at = [], level.first
    while at is not None:
        forwards.append(at.order_id)
        at = at.after
    backwards, at = [], level.last
    while at is not None:
        backwards.append(at.order_id)
        at = at.before
    assert forwards == backwards[::-1]
    return forwards


@pytest.mark.parametrize(("side", "best"), [(BUY, 103), (SELL, 101)])
def test_the_best_bid_is_the_highest_and_the_best_ask_the_lowest(side: Side, best: int) -> None:
    book_side = BookSide("AAPL", side)
    for order_id, price_e4 in enumerate((102, 101, 103)):
        book_side.add(order(order_id, price_e4, side=side))
    level = book_side.best()
    assert level is not None
    assert level.price_e4 == best


def test_an_empty_side_has_no_best() -> None:
    assert BookSide("AAPL", BUY).best() is None


@pytest.mark.parametrize(
    ("removed", "left"), [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])], ids=["first", "middle", "last"]
)
def test_an_order_leaves_its_queue_from_any_place(removed: int, left: list[int]) -> None:
    side = BookSide("AAPL", SELL)
    orders = {order_id: order(order_id, 100) for order_id in (1, 2, 3)}
    for each in orders.values():
        side.add(each)
    side.remove(orders[removed])
    assert queue(side, 100) == left
    assert repr(side) == "<BookSide SELL 20@100x2>"
    assert (orders[removed].level, orders[removed].before, orders[removed].after) == (None, None, None)


def test_a_level_goes_with_its_last_order_and_may_come_back() -> None:
    side = BookSide("AAPL", SELL)
    first, second = order(1, 100), order(2, 101)
    side.add(first)
    side.add(second)
    side.remove(first)
    assert side.best() is second.level
    side.add(first)
    assert side.best() is first.level
    side.remove(first)
    side.remove(second)
    assert side.best() is None
    assert repr(side) == "<BookSide SELL empty>"


def test_a_price_that_comes_and_goes_is_remembered_once() -> None:
    side = BookSide("AAPL", SELL)
    side.add(order(0, 90))
    for order_id in range(1, 1_000):
        passing = order(order_id, 100)
        side.add(passing)
        side.remove(passing)
    assert len(side._heap) == 2


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_smaller_order_takes_the_place_of_another(place: int) -> None:
    side = BookSide("AAPL", SELL)
    orders = {order_id: order(order_id, 100) for order_id in (1, 2, 3)}
    for each in orders.values():
        side.add(each)
    side.swap(orders[place], order(9, 100, 4))
    assert queue(side, 100) == [9 if order_id == place else order_id for order_id in (1, 2, 3)]
    assert repr(side) == "<BookSide SELL 24@100x3>"


def test_an_order_that_is_not_in_the_book_cannot_leave_it() -> None:
    with pytest.raises(ValueError, match="order 5 is not in the book"):
        BookSide("AAPL", SELL).remove(order(5, 100))
    with pytest.raises(ValueError, match="order 5 is not in the book"):
        BookSide("AAPL", SELL).swap(order(5, 100), order(6, 100))


def test_a_book_shows_both_sides() -> None:
    book = Book("AAPL")
    book.side(BUY).add(order(1, 99, side=BUY))
    book.opposite(BUY).add(order(2, 101))
    assert repr(book) == "<Book AAPL <BookSide BUY 10@99x1> <BookSide SELL 10@101x1>>"
    assert repr(order(1, 99)) == "<Order 1 SELL 10/10 AAPL at 99 PENDING>"
