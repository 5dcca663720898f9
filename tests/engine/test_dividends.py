"""Cash dividends: who gets how much when, what becomes of open orders, and that the books stay at zero."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.apply import Applied, apply
from engine.commands import (
    DeclareDividend,
    Envelope,
    FireTimer,
    OpenAccount,
    PlaceOrder,
    SetAccountStatus,
    TransferIn,
)
from engine.corporate_state import DividendStage
from engine.dividend_events import DividendPaid, DividendRecorded
from engine.dividends import PAID_AT_ONCE
from engine.events import BookChanged, OrderUpdated, Posted
from engine.kinds import (
    AccountKind,
    AccountStatus,
    CloseReason,
    OrderStatus,
    OrderType,
    Side,
    Source,
    TimeInForce,
)
from engine.state import ISSUERS_ACCOUNT_ID
from engine.state_hash import state_hash
from engine.terms import Terms
from engine.timers import next_timer
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.world import BUY, DAY, GTC, LIMIT, SELL, World, e4, e8, of_kind, refusal, stock

HOUR_US = 3600 * 10**6
STOP_LOSS, STOP_LIMIT = OrderType.STOP_LOSS, OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP


def market() -> World:
    """Ann has 10 units, bob 3.5; cal has cash and no units."""
    world = World()
    world.open("ann", cash="10000", shares="10")
    world.open("bob", cash="10000", shares="3.5")
    world.open("cal", cash="10000")
    return world


def declare(world: World, per_unit: str = "0.24", *, dividend_id: int = 7, symbol: str = "AAPL") -> Applied:
    """Recorded in an hour, paid an hour later."""
    start_us = world.now_us
    command = DeclareDividend(dividend_id, symbol, e8(per_unit), start_us + HOUR_US, start_us + 2 * HOUR_US)
    return world.do(command)


def wait(world: World, hours: int = 1) -> list[Applied]:
    """Let time pass, and what is due in it happen."""
    until_us = world.now_us + hours * HOUR_US + 10**6
    fired = []
    while (timer := next_timer(world.state)) is not None and timer.due_us <= until_us:
        world.now_us = max(world.now_us, timer.due_us - 1)
        fired.append(world.do(FireTimer(timer.timer_id)))
    world.now_us = until_us
    return fired


def test_who_has_units_at_the_record_time_is_paid_at_the_payment_time() -> None:
    """Ann sells 4 to cal before the record, and the other 6 after it."""
    world = market()
    assert refusal(declare(world)) == "accepted"
    world.buy("cal", "4", "100")
    world.sell("ann", "4", "100")
    (recorded,) = of_kind(wait(world)[0], DividendRecorded)
    assert recorded == DividendRecorded(7, "AAPL", 3, e8("13.5"), e4("3.24"))
    world.buy("cal", "6", "100")
    world.sell("ann", "6", "100")
    before = [world.cash(who) for who in ("ann", "bob", "cal")]
    assert before == [("11000", "0"), ("10000", "0"), ("9000", "0")]
    (paid,) = wait(world)
    assert [(each.units_e8, each.amount_e4) for each in of_kind(paid, DividendPaid)] == [
        (e8("6"), e4("1.44")),
        (e8("3.5"), e4("0.84")),
        (e8("4"), e4("0.96")),
    ]
    assert [world.cash(who) for who in ("ann", "bob", "cal")] == [
        ("11001.44", "0"),
        ("10000.84", "0"),
        ("9000.96", "0"),
    ]
    assert world.state.outside[ISSUERS_ACCOUNT_ID, "USD"] == -e4("3.24")
    assert {posted.reference for posted in of_kind(paid, Posted)} == {"div_7"}
    assert world.state.dividends[7].stage is DividendStage.PAID
    assert world.state.entitlements == {}
    assert next_timer(world.state) is None or "7" not in [each.target for each in world.state.timers.values()]


def test_an_amount_is_rounded_down_on_all_units_and_nothing_is_paid_of_nothing() -> None:
    world = World(listings=[stock(lot="0.0001")])
    world.open("ann", shares="0.3333")
    world.open("bob", shares="0.0001")
    declare(world, "0.123456")
    wait(world, 3)
    assert world.cash("ann") == ("0.0411", "0")  # 0.0411478…
    assert world.cash("bob") == ("0", "0")


def test_a_disabled_account_is_paid_and_its_result_counts_it() -> None:
    world = market()
    world.do(SetAccountStatus(world.ids["ann"], AccountStatus.DISABLED, "drill"))
    declare(world)
    wait(world, 3)
    assert world.account("ann").dividends_e4 == e4("2.4")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "accepted"),
        ({"dividend_id": 0}, "INVALID_ACTION"),
        ({"symbol": "NOPE"}, "UNKNOWN_SYMBOL"),
        ({"per_unit_e8": 0}, "INVALID_ACTION"),
        ({"per_unit_e8": -1}, "INVALID_ACTION"),
        ({"per_unit_e8": e8("100")}, "INVALID_ACTION"),
        ({"per_unit_e8": e8("99.99")}, "accepted"),
        ({"record_us": 5}, "INVALID_ACTION"),
        ({"payment_us": 10**9}, "INVALID_ACTION"),
        ({"payment_us": 2 * 10**9}, "accepted"),
        ({"payment_us": 10**18}, "INVALID_ACTION"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], outcome: str) -> None:
    world = market()
    whole = DeclareDividend(7, "AAPL", 1, 2 * 10**9, 3 * 10**9)
    assert refusal(world.do(replace(whole, **change))) == outcome


def test_the_same_dividend_is_taken_on_once_for_good() -> None:
    world = market()
    declare(world)
    assert refusal(declare(world)) == "ACTION_EXISTS"
    wait(world, 3)
    assert refusal(declare(world)) == "ACTION_EXISTS"
    assert refusal(declare(world, dividend_id=8)) == "accepted"
    wait(world, 3)
    assert world.account("ann").dividends_e4 == 2 * e4("2.4")


def order(
    world: World, side: Side, order_type: OrderType, price: str, tif: TimeInForce, terms: Terms | None
) -> OrderUpdated:
    """Of ann, who has cash and units; for 2."""
    price_e4 = e4(price) if price else 0
    return world.accepted(
        world.do(PlaceOrder("AAPL", side, order_type, e8("2"), price_e4, tif, terms=terms), "ann")
    )


KEPT = "kept"
# side, type, price, time in force, terms | price and trigger after a dividend of 0.245 (the reference is 100)
LOWERED: list[tuple[Side, OrderType, str, TimeInForce, Terms | None, tuple[str, str] | str]] = [
    (BUY, LIMIT, "90", GTC, None, ("89.75", "0")),
    (BUY, LIMIT, "90", DAY, None, KEPT),
    (BUY, LIMIT, "90", GTC, Terms(do_not_reduce=True), KEPT),
    (BUY, LIMIT, "90", GTC, Terms(display_e8=e8("1")), ("89.75", "0")),
    (BUY, LIMIT, "1.1", GTC, None, "ended"),
    (SELL, LIMIT, "110", GTC, None, KEPT),
    (SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("90")), ("0", "89.75")),
    (SELL, STOP_LOSS, "", DAY, Terms(stop_e4=e4("90")), KEPT),
    (SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("90"), do_not_reduce=True), KEPT),
    (SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("1.1")), "ended"),
    (SELL, STOP_LIMIT, "89", GTC, Terms(stop_e4=e4("90")), ("88.75", "89.75")),
    (SELL, TRAILING_STOP, "", GTC, Terms(trail_e4=e4("5")), ("0", "94.75")),
    (BUY, STOP_LOSS, "", GTC, Terms(stop_e4=e4("110")), KEPT),
    (BUY, STOP_LIMIT, "111", GTC, Terms(stop_e4=e4("110")), KEPT),
]  # fmt: skip


@pytest.mark.parametrize(("side", "order_type", "price", "tif", "terms", "expected"), LOWERED)
def test_a_dividend_lowers_buy_limits_and_sell_stops(
    side: Side,
    order_type: OrderType,
    price: str,
    tif: TimeInForce,
    terms: Terms | None,
    expected: tuple[str, str] | str,
) -> None:
    world = market()
    placed = order(world, side, order_type, price, tif, terms)
    declare(world, "0.245")
    recorded = wait(world)[0]
    reports = [each for each in of_kind(recorded, OrderUpdated) if each.order_id == placed.order_id]
    if expected == KEPT:
        assert reports == []
        assert world.state.orders[placed.order_id].snapshot() == placed
        return
    (report,) = reports
    if expected == "ended":
        assert (report.status, report.reason) == (OrderStatus.CANCELLED, CloseReason.CORPORATE_ACTION)
        assert world.cash("ann") == ("10000", "0")
        assert world.shares("ann") == ("10", "0")
        return
    trigger_e4 = report.special.trigger_e4 if report.special is not None else 0
    assert (report.price_e4, trigger_e4) == (e4(expected[0]), e4(expected[1]))
    assert report.status is placed.status


def test_a_lowered_buy_holds_less_and_keeps_its_place() -> None:
    """Ann was first at 90, and cal second; a day order of bob stays at 89.76."""
    world = market()
    first = world.buy("ann", "2", "90", GTC)
    world.buy("cal", "3", "90", GTC)
    world.buy("bob", "1", "89.76")
    world.buy("bob", "1", "89.75")
    declare(world, "0.24")
    recorded = wait(world)[0]
    assert world.book()[0] == ["6@89.76x3", "1@89.75"]
    assert world.cash("ann") == ("10000", "179.52")
    (changed,) = of_kind(recorded, BookChanged)
    assert {level[1] for level in changed.levels} == {e4("90"), e4("89.76")}
    level = world.state.orders[first.order_id].level
    assert level is not None
    assert level.first is world.state.orders[first.order_id]  # the oldest of all three


def test_a_lowered_stop_fires_at_its_new_price() -> None:
    world = market()
    stop = order(world, SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("95")))
    declare(world, "1")
    wait(world)
    world.buy("cal", "5", "94.5", GTC)
    world.sell("bob", "1", "94.5")
    assert stop.order_id in world.state.orders
    world.cancel_all("cal")
    world.buy("cal", "5", "94", GTC)
    applied = world.place("bob", SELL, "1", "94")
    assert stop.order_id in [each.order_id for each in of_kind(applied, OrderUpdated)]
    assert stop.order_id not in world.state.orders


def test_many_are_paid_by_the_thousand_and_a_restart_in_between_changes_nothing() -> None:
    world = World()
    people = PAID_AT_ONCE + 5
    for n in range(people):
        world.open(f"holder {n}", shares="1") if n % 400 == 0 else quick(world, n)
    declare(world, "0.5")
    mirror = Mirror(world.state)
    fired = wait(world, 1)
    assert len(fired) == 1
    mirror.cut(world.state)
    assert mirror.rows == all_rows(world.state)
    again = restored(mirror.rows)
    assert state_hash(again) == state_hash(world.state)
    world.state = again
    first, second = wait(world, 1)
    assert len(of_kind(first, DividendPaid)) == PAID_AT_ONCE
    assert len(of_kind(second, DividendPaid)) == 5
    assert world.state.outside[ISSUERS_ACCOUNT_ID, "USD"] == -people * e4("0.5")
    mirror.cut(world.state)
    assert mirror.rows == all_rows(world.state)


def quick(world: World, n: int) -> None:
    """An account with one unit, without looking at every invariant of all others."""
    world.now_us += 2
    opened = apply(
        world.state,
        Envelope(Source.OPERATOR),
        OpenAccount(100_000 + n, AccountKind.USER, "USD"),
        world.now_us - 1,
    )
    account_id = world.state.account_by_user[100_000 + n]
    given = apply(
        world.state, Envelope(Source.OPERATOR), TransferIn(account_id, "AAPL", e8("1"), 0), world.now_us
    )
    assert opened.refused is given.refused is None
