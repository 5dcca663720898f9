"""The risk rules, a table for each: every row changes one thing from the row before it."""

from __future__ import annotations

import pytest

from engine.commands import TransferIn
from engine.kinds import RiskMode, RiskRule, Side
from tests.engine.risk_world import BLOCK, FLAG, OFF, RiskWorld, outcome
from tests.engine.world import (
    BUY,
    SELL,
    e4,
    e8,
    refusal,
    stock,
)

# -- document 001, rule 1

# day trades on days, the sale's day, cash, is what is sold today's purchase, market maker, mode | outcome
PDT_ROWS = [
    ((0, 0, 0), 0, "20000", True, False, BLOCK, "PDT_VIOLATION"),
    ((0, 0, 0), 0, "20000", True, False, FLAG, "accepted + PDT_VIOLATION FLAG"),
    ((0, 0, 0), 0, "20000", True, False, OFF, "accepted"),
    ((0, 0), 0, "20000", True, False, BLOCK, "accepted"),
    ((0, 0, 0), 0, "25000", True, False, BLOCK, "accepted"),
    ((0, 0, 0), 0, "24990", True, False, BLOCK, "PDT_VIOLATION"),
    ((0, 0, 0), 0, "24990", False, False, BLOCK, "accepted"),
    ((0, 0, 0), 0, "24990", True, True, BLOCK, "accepted"),
    ((0, 1, 2), 4, "20000", True, False, BLOCK, "PDT_VIOLATION"),
    (
        (0, 1, 2),
        7,
        "20000",
        True,
        False,
        BLOCK,
        "accepted",
    ),  # Monday: the first was five business days before
    ((1, 1, 2), 7, "20000", True, False, BLOCK, "PDT_VIOLATION"),
    ((1, 1, 2), 8, "20000", True, False, BLOCK, "accepted"),
]


@pytest.mark.parametrize(("days", "today", "cash", "bought", "maker", "mode", "expected"), PDT_ROWS)
def test_pdt_violation(
    days: tuple[int, ...], today: int, cash: str, bought: bool, maker: bool, mode: RiskMode, expected: str
) -> None:
    """A fourth day trade within five business days under 25 000 (FINRA 4210(f)(8)(B))."""
    world = RiskWorld()
    world.rule(RiskRule.PDT_VIOLATION, mode)
    world.open("other", cash="100000", shares="100")
    world.open("ann", cash=str(int(cash) - 1_000), shares="10", maker=maker)  # 10 shares at 100
    for number, day in enumerate(days):
        if number == 0 or day != days[number - 1]:
            world.go_to_day(day)
        world.sell("other", "1", "100")
        world.buy("ann", "1", "100")
        world.buy("other", "1", "100")
        world.sell("ann", "1", "100")
    if today != days[-1]:
        world.go_to_day(today)
    if bought:
        world.sell("other", "1", "100")
        world.buy("ann", "1", "100")
    assert outcome(world.place("ann", SELL, "1", "100")) == expected


def test_selling_twice_what_was_bought_once_is_one_day_trade() -> None:
    world = RiskWorld()
    world.rule(RiskRule.PDT_VIOLATION)
    world.open("other", cash="1000", shares="100")
    world.open("ann", cash="1000")
    world.sell("other", "4", "100")
    world.buy("ann", "4", "100")
    world.buy("other", "4", "100")
    for _ in range(4):
        world.sell("ann", "1", "100")
    window = world.state.risk_windows[world.ids["ann"]]
    assert [count for _, _, count in window.day_trades] == [1]


def test_open_sales_of_todays_purchases_count_as_day_trades() -> None:
    """Else an account could place any number of them before the first one fills."""
    symbols = ("AAPL", "BETA", "CETA", "DELT")
    world = RiskWorld([stock(symbol) for symbol in symbols])
    world.rule(RiskRule.PDT_VIOLATION)
    world.open("mm", cash="10000", maker=True)
    world.open("ann", cash="10000")
    for symbol in symbols:
        world.do(TransferIn(world.ids["mm"], symbol, e8("10"), 0))
        world.quote("mm", [], [("1", "100")], symbol)
        world.accepted(world.place("ann", BUY, "1", "100", symbol=symbol))
    outcomes = [refusal(world.place("ann", SELL, "1", "110", symbol=symbol)) for symbol in symbols]
    assert outcomes == ["accepted", "accepted", "accepted", "PDT_VIOLATION"]


# -- document 001, rule 2

# sizes before, this one, mode | outcome
UNUSUAL_ROWS = [
    (("1", "1", "1", "1", "1"), "10.01", BLOCK, "UNUSUAL_VOLUME"),
    (("1", "1", "1", "1", "1"), "10.01", FLAG, "accepted + UNUSUAL_VOLUME FLAG"),
    (("1", "1", "1", "1", "1"), "10.01", OFF, "accepted"),
    (("1", "1", "1", "1", "1"), "10", BLOCK, "accepted"),
    (("1", "1", "1", "1"), "10.01", BLOCK, "accepted"),  # four orders make no average yet
    (("1", "1", "1", "1", "2"), "10.01", BLOCK, "accepted"),
    (("1", "1", "1", "1", "2"), "12.01", BLOCK, "UNUSUAL_VOLUME"),
]


@pytest.mark.parametrize(("sizes", "size", "mode", "expected"), UNUSUAL_ROWS)
def test_unusual_volume(sizes: tuple[str, ...], size: str, mode: RiskMode, expected: str) -> None:
    """More than ten times the account's average order."""
    world = RiskWorld()
    world.rule(RiskRule.UNUSUAL_VOLUME, mode)
    world.open("ann", cash="100000")
    for each in sizes:
        world.buy("ann", each, "50")
    assert outcome(world.place("ann", BUY, size, "50")) == expected


def test_the_average_is_of_accepted_orders_and_stays_small() -> None:
    world = RiskWorld()
    world.rule(RiskRule.UNUSUAL_VOLUME)
    world.open("ann", cash="1000000")
    for _ in range(5):
        world.buy("ann", "1", "50")
    for _ in range(3):
        assert refusal(world.place("ann", BUY, "100", "50")) == "UNUSUAL_VOLUME"
    for _ in range(200):
        world.buy("ann", "1", "50")
    window = world.state.risk_windows[world.ids["ann"]]
    assert window.sizes_count <= 64
    assert window.sizes_e8 == e8("1") * window.sizes_count


# -- document 001, rule 3

# orders before, seconds between the first and this one, mode | outcome
RAPID_ROWS = [
    (50, 299, BLOCK, "RAPID_TRADING"),
    (50, 299, FLAG, "accepted + RAPID_TRADING FLAG"),
    (50, 299, OFF, "accepted"),
    (49, 299, BLOCK, "accepted"),
    (50, 300, BLOCK, "accepted"),
]


@pytest.mark.parametrize(("before", "seconds", "mode", "expected"), RAPID_ROWS)
def test_rapid_trading(before: int, seconds: int, mode: RiskMode, expected: str) -> None:
    """More than fifty orders in five minutes: the fifty-first is one too many."""
    world = RiskWorld()
    world.rule(RiskRule.RAPID_TRADING, mode)
    world.open("ann", cash="100000")
    began_us = world.now_us
    for _ in range(before):
        world.buy("ann", "1", "50")
    world.now_us = began_us + seconds * 1_000_000
    assert outcome(world.place("ann", BUY, "1", "50")) == expected


def test_a_replacement_counts_as_an_order_and_a_smaller_one_does_not() -> None:
    world = RiskWorld()
    world.rule(RiskRule.RAPID_TRADING, BLOCK, (2, 300_000_000))
    world.open("ann", cash="100000")
    order = world.buy("ann", "5", "50")
    order = world.accepted(world.replace("ann", order, quantity="6"))
    order = world.accepted(world.replace("ann", order, quantity="4"))
    assert outcome(world.replace("ann", order, quantity="7")) == "RAPID_TRADING"
    assert world.account("ann").orders.keys() == {order.order_id}


# -- document 001, rule 4

# price, quantity, side, mode | outcome
PENNY_ROWS = [
    ("4.99", "10001", BUY, BLOCK, "PENNY_STOCK_ALERT"),
    ("4.99", "10001", BUY, FLAG, "accepted + PENNY_STOCK_ALERT FLAG"),
    ("4.99", "10001", BUY, OFF, "accepted"),
    ("4.99", "10000", BUY, BLOCK, "accepted"),
    ("5", "10001", BUY, BLOCK, "accepted"),
    (None, "10001", BUY, BLOCK, "PENNY_STOCK_ALERT"),  # the market's price is 4
    (None, "10001", SELL, BLOCK, "PENNY_STOCK_ALERT"),
]


@pytest.mark.parametrize(("price", "quantity", "side", "mode", "expected"), PENNY_ROWS)
def test_penny_stock_alert(
    price: str | None, quantity: str, side: Side, mode: RiskMode, expected: str
) -> None:
    """A price under 5 and more than 10 000 units."""
    world = RiskWorld([stock(reference="4", band_bps=9_000)])
    world.rule(RiskRule.PENNY_STOCK_ALERT, mode)
    world.open("ann", cash="100000", shares="20000")
    assert outcome(world.place("ann", side, quantity, price)) == expected


# -- the others

# rule, its figures, side, quantity, price | outcome
ORDER_ROWS = [
    (RiskRule.FAT_FINGER, (e8("5"), e4("600")), BUY, "5", "100", "accepted"),
    (RiskRule.FAT_FINGER, (e8("5"), e4("600")), BUY, "5.01", "100", "FAT_FINGER"),
    (RiskRule.FAT_FINGER, (e8("6"), e4("600")), BUY, "5.01", "100", "accepted"),
    (RiskRule.FAT_FINGER, (e8("6"), e4("500")), BUY, "5.01", "100", "FAT_FINGER"),
    (RiskRule.FAT_FINGER, (e8("6"), e4("500")), SELL, "5.01", "100", "FAT_FINGER"),
    (RiskRule.POSITION_LIMIT, (e8("20"), e4("9000")), BUY, "5", "100", "accepted"),  # has 10, 5 are ordered
    (RiskRule.POSITION_LIMIT, (e8("20"), e4("9000")), BUY, "5.01", "100", "POSITION_LIMIT"),
    (RiskRule.POSITION_LIMIT, (e8("20"), e4("9000")), SELL, "5.01", "100", "accepted"),
    (RiskRule.POSITION_LIMIT, (e8("30"), e4("2000")), BUY, "5", "100", "accepted"),
    (RiskRule.POSITION_LIMIT, (e8("30"), e4("1999")), BUY, "5", "100", "POSITION_LIMIT"),
]


@pytest.mark.parametrize(("rule", "figures", "side", "quantity", "price", "expected"), ORDER_ROWS)
def test_limits_of_an_order_and_of_a_position(
    rule: RiskRule, figures: tuple[int, ...], side: Side, quantity: str, price: str, expected: str
) -> None:
    world = RiskWorld()
    world.open("ann", cash="10000", shares="10")
    world.buy("ann", "5", "90")
    world.rule(rule, BLOCK, figures)
    applied = world.place("ann", side, quantity, price)
    assert outcome(applied) == expected


def test_a_replacement_is_judged_without_the_order_that_it_replaces() -> None:
    world = RiskWorld()
    world.open("ann", cash="10000")
    world.rule(RiskRule.POSITION_LIMIT, BLOCK, (e8("20"), e4("9000")))
    order = world.buy("ann", "15", "90")
    order = world.accepted(world.replace("ann", order, quantity="20"))
    assert refusal(world.replace("ann", order, quantity="20.01")) == "POSITION_LIMIT"
    assert refusal(world.place("ann", BUY, "0.01", "90")) == "POSITION_LIMIT"


# orders sent, seconds they took, then this one | outcome
RATE_ROWS = [
    (2, 0.9, "accepted"),
    (3, 0.9, "ORDER_RATE_LIMIT"),
    (3, 1.0, "accepted"),
    (5, 59.0, "ORDER_RATE_LIMIT"),
    (5, 60.0, "accepted"),
]


@pytest.mark.parametrize(("before", "seconds", "expected"), RATE_ROWS)
def test_orders_a_second_and_a_minute(before: int, seconds: float, expected: str) -> None:
    """Three a second, five a minute. The first ones come evenly before the last two thirds of the time."""
    world = RiskWorld()
    world.rule(RiskRule.ORDER_RATE_LIMIT, BLOCK, (3, 5))
    world.open("ann", cash="100000")
    began_us = world.now_us
    for number in range(before):
        world.now_us = began_us + number * round(seconds * 1_000_000) // max(before, 5)
        world.buy("ann", "1", "50")
    world.now_us = began_us + round(seconds * 1_000_000)
    assert refusal(world.place("ann", BUY, "1", "50")) == expected


def test_a_throttled_order_keeps_no_idempotency_key() -> None:
    """The same key works once there is room again."""
    world = RiskWorld()
    world.rule(RiskRule.ORDER_RATE_LIMIT, BLOCK, (1, 100))
    world.open("ann", cash="100000")
    world.buy("ann", "1", "50")
    assert refusal(world.place("ann", BUY, "1", "50", key="k", digest=b"d")) == "ORDER_RATE_LIMIT"
    world.later(1)
    assert refusal(world.place("ann", BUY, "1", "50", key="k", digest=b"d")) == "accepted"


def test_only_as_many_times_are_kept_as_the_rules_look_back_at() -> None:
    world = RiskWorld()
    world.open("ann", cash="200000")
    world.rule(RiskRule.RAPID_TRADING, FLAG)
    for _ in range(120):
        world.cancel("ann", world.buy("ann", "1", "50"))
    window = world.state.risk_windows[world.ids["ann"]]
    assert len(window.orders_us) == 50
    world.later(300)
    world.buy("ann", "1", "50")
    assert list(window.orders_us) == [world.now_us]
