"""TRAILING_STOP: the trail, what moves it, how it rounds, what it holds."""

from __future__ import annotations

from typing import Any

import pytest

from engine.commands import HaltSymbol, Marks, ResumeSymbol
from engine.events import OrderUpdated
from engine.kinds import OrderStatus, OrderType, PriceSource, Side
from tests.engine.mirror import all_rows, restored
from tests.engine.world import BUY, SELL, World, e4, of_kind, refusal, stock

TRAILING = OrderType.TRAILING_STOP


def taped(**listing: Any) -> World:
    """An instrument that a tape prices, at 100; Ann has cash and shares."""
    world = World(listings=[stock(source=PriceSource.TAPE, **listing)])
    world.open("ann", cash="100000", shares="100")
    return world


def mark(world: World, price: str) -> list[OrderUpdated]:
    return of_kind(world.do(Marks((("AAPL", e4(price)),))), OrderUpdated)


# what differs from a SELL that trails by 5 | the answer
FORMS: list[tuple[dict[str, Any], str]] = [
    ({}, "accepted"),
    ({"trail": "0"}, "INVALID_TERMS trail_e4"),
    ({"trail": "-1"}, "INVALID_TERMS trail_e4"),
    ({"trail": "0.005"}, "INVALID_TICK_SIZE"),
    ({"trail": "0.01"}, "accepted"),
    ({"trail": "99"}, "accepted"),
    ({"trail": "99.01"}, "INVALID_PRICE"),  # the trigger would be below the lowest price
    ({"trail": "100001"}, "INVALID_TERMS trail_e4"),
    ({"trail_ppm": 1}, "INVALID_TERMS trail_e4"),
    ({"trail": "0", "trail_ppm": 1}, "accepted"),
    ({"trail": "0", "trail_ppm": -1}, "INVALID_TERMS trail_ppm"),
    ({"trail": "0", "trail_ppm": 500_000}, "accepted"),
    ({"trail": "0", "trail_ppm": 500_001}, "INVALID_TERMS trail_ppm"),
    ({"stop": "95"}, "INVALID_TERMS stop_e4"),
    ({"price": "95"}, "INVALID_PRICE"),
    ({"side": BUY}, "accepted"),
    ({"side": BUY, "trail": "99900"}, "accepted"),
    ({"side": BUY, "trail": "99900.01"}, "INVALID_PRICE"),
]


@pytest.mark.parametrize(("change", "answer"), FORMS)
def test_what_is_accepted(change: dict[str, Any], answer: str) -> None:
    world = taped()
    asked: dict[str, Any] = {"side": SELL, "trail": "5", **change}
    applied = world.order("ann", asked.pop("side"), "0.1", TRAILING, **asked)
    refused = applied.refused
    named = f" {refused.detail[0][0]}" if refused and refused.refusal.name == "INVALID_TERMS" else ""
    assert refusal(applied) + named == answer


# side, trail, reference | trigger at acceptance
TRIGGERS: list[tuple[Side, dict[str, Any], str, str]] = [
    (SELL, {"trail": "5"}, "100", "95"),
    (BUY, {"trail": "5"}, "100", "105"),
    (SELL, {"trail_ppm": 50_000}, "100", "95"),
    (BUY, {"trail_ppm": 50_000}, "100", "105"),
    (SELL, {"trail": "5"}, "100.0055", "95"),  # a mark need not be on the tick: away from the price
    (BUY, {"trail": "5"}, "100.0055", "105.01"),
    (SELL, {"trail_ppm": 1}, "100", "99.99"),
    (BUY, {"trail_ppm": 1}, "100", "100.01"),
    (SELL, {"trail_ppm": 33_333}, "99.99", "96.65"),  # 96.6570 exactly
    (BUY, {"trail_ppm": 33_333}, "99.99", "103.33"),  # 103.3229 exactly
]


@pytest.mark.parametrize(("side", "trail", "reference", "trigger"), TRIGGERS)
def test_the_first_trigger(side: Side, trail: dict[str, Any], reference: str, trigger: str) -> None:
    world = taped(reference=reference)
    order = world.accepted(world.order("ann", side, "1", TRAILING, **trail))
    assert order.special is not None
    assert (order.special.extreme_e4, order.special.trigger_e4) == (e4(reference), e4(trigger))


def test_the_limit_is_the_collar_around_the_first_trigger_and_stays() -> None:
    world = taped()
    order = world.accepted(world.order("ann", BUY, "10", TRAILING, trail="5"))
    assert (order.limit_e4, order.hold_e4) == (e4("110.25"), e4("1102.5"))
    (moved,) = mark(world, "90")
    assert (moved.limit_e4, moved.hold_e4) == (e4("110.25"), e4("1102.5"))


# the marks, one after the other, and what a SELL that trails by 5 says after each: extreme/trigger, or that it fired
PATH = [
    ("100", ""),
    ("99", ""),
    ("95.01", ""),
    ("104", "104/99"),
    ("103", ""),
    ("99.01", ""),
    ("104", ""),
    ("104.01", "104.01/99.01"),
    ("99.01", "fired"),
    ("90", ""),
]


def test_a_sell_follows_the_price_up_and_never_down() -> None:
    world = taped()
    world.order("ann", SELL, "10", TRAILING, trail="5")
    assert [(price, told(mark(world, price))) for price, _ in PATH] == PATH


def test_a_buy_follows_the_price_down_and_never_up() -> None:
    """The mirror image: each price of the path as far below 100 as it was above."""
    world = taped()
    world.order("ann", BUY, "10", TRAILING, trail="5")
    expected = [("90", "90/95"), ("94.99", ""), ("89.99", "89.99/94.99"), ("94.98", ""), ("94.99", "fired")]
    assert [(price, told(mark(world, price))) for price, _ in expected] == expected


def told(reports: list[OrderUpdated]) -> str:
    if not reports:
        return ""
    (report,) = reports
    special = report.special
    assert special is not None
    if report.status is not OrderStatus.HELD:
        return "fired"
    return f"{special.extreme_e4 / 10_000:g}/{special.trigger_e4 / 10_000:g}"


def test_an_extreme_may_move_where_the_trigger_stays_on_its_tick() -> None:
    world = taped(tick="1")
    world.order("ann", SELL, "10", TRAILING, trail_ppm=50_000)
    (report,) = mark(world, "100.5")
    assert report.special is not None
    assert (report.special.extreme_e4, report.special.trigger_e4) == (e4("100.5"), e4("95"))
    assert report.updated_us == world.now_us


def test_our_own_trades_move_it_where_they_make_the_price() -> None:
    world = World()
    for who in ("ann", "bob", "mia"):
        world.open(who, cash="100000", shares="100")
    order = world.accepted(world.order("ann", SELL, "10", TRAILING, trail="5"))
    world.sell("mia", "1", "104")
    world.sell("mia", "1", "106")
    applied = world.place("bob", BUY, "2", "106")
    (report,) = [each for each in of_kind(applied, OrderUpdated) if each.order_id == order.order_id]
    assert told([report]) == "106/101"


def test_each_print_moves_first_and_marks_then_also_within_one_command() -> None:
    """A sweep down through 99, 98 and 94: the extreme stays at 100, and 95 is reached on the way."""
    world = World()
    for who in ("ann", "bob", "mia"):
        world.open(who, cash="100000", shares="100")
    world.sell("mia", "1", "100")
    world.buy("bob", "1", "100")
    order = world.accepted(world.order("ann", SELL, "10", TRAILING, trail="5"))
    for price in ("99", "98", "94", "93"):
        world.buy("mia", "1", price)
    applied = world.place("bob", SELL, "3", "94")
    (report,) = [each for each in of_kind(applied, OrderUpdated) if each.order_id == order.order_id]
    assert report.special is not None
    assert report.special.extreme_e4 == e4("100")
    assert report.filled_e8 == 10**8


def test_while_nothing_fires_nothing_trails() -> None:
    world = taped()
    world.order("ann", SELL, "10", TRAILING, trail="5")
    world.do(HaltSymbol("AAPL", "news"))
    assert mark(world, "120") == []
    assert mark(world, "110") == []
    assert told(of_kind(world.do(ResumeSymbol("AAPL")), OrderUpdated)) == "110/105"


def test_the_marks_of_a_trailing_stop_outlive_a_restart() -> None:
    world = taped()
    world.order("ann", SELL, "10", TRAILING, trail="5")
    mark(world, "104")
    world.state = restored(all_rows(world.state))
    assert told(mark(world, "103")) == ""
    assert told(mark(world, "105")) == "105/100"
    assert told(mark(world, "100")) == "fired"


def test_many_trailing_stops_are_moved_by_the_prices_that_beat_their_own_extreme() -> None:
    world = taped()
    ids = []
    for price in ("100", "104", "102"):
        mark(world, price)
        ids.append(world.accepted(world.order("ann", SELL, "1", TRAILING, trail="50")).order_id)
    assert [each.order_id for each in mark(world, "103")] == [ids[2]]
    assert [each.order_id for each in mark(world, "106")] == ids
