"""Risk rules between linked accounts, their modes and scopes, what is reported, and what a rule can be set to."""

from __future__ import annotations

import pytest

from engine.commands import PlaceOrder, ReplaceOrder, SetKycTier, SetRiskRule
from engine.events import RiskViolated
from engine.kinds import OrderClass, OrderStatus, OrderType, RiskMode, RiskRule, SelfTradePrevention
from engine.risk_figures import DEFAULTS, FIGURES
from engine.terms import Leg
from engine.units import IDS_PER_SEQ
from tests.engine.risk_world import BLOCK, FLAG, INHERIT, OFF, RiskWorld, outcome, violated
from tests.engine.world import (
    BUY,
    DECREMENT,
    GTC,
    LIMIT,
    NEWEST,
    OLDEST,
    SELL,
    e4,
    e8,
    fills,
    of_kind,
    refusal,
    stock,
)

# -- linked accounts

# whose order rests, are they linked, price of the incoming sale | outcome, fills
WASH_ROWS = [
    ("eve", True, "100", BLOCK, "WASH_TRADE", []),
    ("eve", True, "100", FLAG, "accepted + WASH_TRADE FLAG", ["1@100"]),
    ("eve", True, "100", OFF, "accepted", ["1@100"]),
    ("eve", False, "100", BLOCK, "accepted", ["1@100"]),
    ("eve", True, "100.01", BLOCK, "accepted", []),
    ("bob", True, "100", BLOCK, "accepted", ["1@100"]),
]


@pytest.mark.parametrize(("resting", "linked", "price", "mode", "expected", "traded"), WASH_ROWS)
def test_wash_trade(
    resting: str, linked: bool, price: str, mode: RiskMode, expected: str, traded: list[str]
) -> None:
    """Linked accounts do not trade with each other."""
    world = RiskWorld()
    world.rule(RiskRule.WASH_TRADE, mode)
    world.open("ann", shares="10")
    for who in ("eve", "bob"):
        world.open(who, cash="1000")
    if linked:
        world.link("ann", "eve")
    world.buy(resting, "1", "100")
    applied = world.place("ann", SELL, "1", price)
    assert outcome(applied) == expected
    assert fills(applied) == traded


@pytest.mark.parametrize(
    ("own_policy", "expected"),
    [(NEWEST, "accepted"), (OLDEST, "WASH_TRADE"), (DECREMENT, "WASH_TRADE")],
)
def test_what_never_comes_to_the_linked_order_is_no_wash_trade(
    own_policy: SelfTradePrevention, expected: str
) -> None:
    """Ann's own bid of 1 comes first: it ends her sale of 2, goes, or takes 1 off it."""
    world = RiskWorld()
    world.rule(RiskRule.WASH_TRADE)
    world.open("ann", cash="1000", shares="10")
    world.open("eve", cash="1000")
    world.link("ann", "eve")
    world.buy("ann", "1", "100")
    world.buy("eve", "1", "100")
    assert refusal(world.place("ann", SELL, "2", "100", policy=own_policy)) == expected


def test_an_order_that_is_filled_before_it_comes_to_the_linked_one_is_taken() -> None:
    world = RiskWorld()
    world.rule(RiskRule.WASH_TRADE)
    world.open("ann", shares="10")
    for who in ("bob", "eve"):
        world.open(who, cash="1000")
        world.buy(who, "2", "100")
    world.link("ann", "eve")
    assert refusal(world.place("ann", SELL, "2.01", "100")) == "WASH_TRADE"
    assert fills(world.place("ann", SELL, "2", "100")) == ["2@100"]


def test_a_quote_stops_at_an_order_of_a_linked_account() -> None:
    """Quotes are not judged one by one: the matching ends what would trade, and leaves the other's order alone."""
    world = RiskWorld()
    world.rule(RiskRule.WASH_TRADE)
    world.open("mm", shares="10", maker=True)
    world.open("eve", cash="1000")
    world.open("bob", cash="1000")
    world.link("mm", "eve")
    world.buy("bob", "1", "101")
    resting = world.buy("eve", "2", "100")
    applied = world.quote("mm", [], [("5", "100")])
    assert fills(applied) == ["1@101"]
    assert violated(applied) == ["WASH_TRADE BLOCK"]
    assert world.state.orders[resting.order_id].status is OrderStatus.PENDING
    assert world.book() == (["2@100"], [])


# -- modes, scopes, and what is reported


def test_all_rules_are_told_and_the_first_that_blocks_is_the_refusal() -> None:
    world = RiskWorld([stock(reference="4", band_bps=9_000)])
    world.open("ann", cash="100000")
    world.rule(RiskRule.FAT_FINGER, FLAG, (e8("1"), e4("1000000")))
    world.rule(RiskRule.PENNY_STOCK_ALERT, BLOCK)
    world.rule(RiskRule.POSITION_LIMIT, BLOCK, (e8("1"), e4("1000000")))
    applied = world.place("ann", BUY, "10001", "4")
    assert outcome(applied) == ("PENNY_STOCK_ALERT + FAT_FINGER FLAG + POSITION_LIMIT BLOCK")
    assert len(applied.answer) == 1
    assert not world.account("ann").orders
    last_id = (world.state.seq + 1) * IDS_PER_SEQ - 1
    reported = of_kind(applied, RiskViolated)
    assert [event.violation_id for event in reported] == [last_id, last_id - 1, last_id - 2]
    assert {event.order_id for event in reported} == {0}
    assert applied.refused is not None
    assert (
        applied.refused.detail == reported[1].figures == (("price_e4", e4("4")), ("quantity_e8", e8("10001")))
    )


def test_a_flagged_order_is_named() -> None:
    world = RiskWorld()
    world.open("ann", cash="100000")
    world.rule(RiskRule.FAT_FINGER, FLAG, (e8("1"), e4("1000000")))
    applied = world.place("ann", BUY, "2", "50")
    (event,) = of_kind(applied, RiskViolated)
    order = world.accepted(applied)
    assert (event.order_id, event.account_id, event.symbol) == (order.order_id, world.ids["ann"], "AAPL")
    assert (event.side, event.quantity_e8, event.price_e4) == (BUY, e8("2"), e4("50"))
    assert event.figures == (("quantity_e8", e8("2")), ("value_e4", e4("100")))


def test_an_order_that_is_refused_for_another_reason_is_not_judged() -> None:
    world = RiskWorld()
    world.open("ann", cash="10")
    world.rule(RiskRule.FAT_FINGER, BLOCK, (1, 1))
    assert outcome(world.place("ann", BUY, "2", "50")) == "INSUFFICIENT_FUNDS"


# rows that are set: (who, symbol, mode, quantity_max) | what ann's order of 5 AAPL meets
SCOPE_ROWS = [
    ((("", "", BLOCK, "4"),), "FAT_FINGER"),
    ((("", "", BLOCK, "4"), ("", "AAPL", BLOCK, "5")), "accepted"),
    ((("", "", BLOCK, "4"), ("", "AAPL", BLOCK, "5"), ("ann", "", BLOCK, "4")), "FAT_FINGER"),
    (
        (("", "", BLOCK, "4"), ("", "AAPL", BLOCK, "5"), ("ann", "", BLOCK, "4"), ("ann", "AAPL", OFF, "4")),
        "accepted",
    ),
    ((("", "MSFT", BLOCK, "4"),), "accepted"),
    ((("bob", "", BLOCK, "4"),), "accepted"),
    ((("ann", "", BLOCK, "4"),), "FAT_FINGER"),
    ((("ann", "", BLOCK, "4"), ("ann", "", INHERIT, "4")), "accepted"),
    ((("", "", OFF, "4"),), "accepted"),
]


@pytest.mark.parametrize(("rows", "expected"), SCOPE_ROWS)
def test_the_narrowest_scope_counts(rows: tuple[tuple[str, str, RiskMode, str], ...], expected: str) -> None:
    world = RiskWorld([stock(), stock("MSFT")])
    world.open("ann", cash="1000")
    world.open("bob", cash="1000")
    for who, symbol, mode, quantity in rows:
        figures = (e8(quantity), e4("1000000"))
        applied = world.rule(RiskRule.FAT_FINGER, mode, figures, who=who, symbol=symbol)
        assert refusal(applied) == "accepted"
    assert refusal(world.place("ann", BUY, "5", "100")) == expected


def test_nothing_is_remembered_of_accounts_for_which_no_rule_is_on() -> None:
    world = RiskWorld()
    world.open("ann", cash="1000", shares="10")
    world.open("bob", cash="1000", shares="10")
    world.sell("ann", "1", "100")
    world.buy("bob", "1", "100")
    assert world.state.risk is None
    assert world.state.risk_windows == {}
    world.rule(RiskRule.RAPID_TRADING, FLAG, who="ann")
    world.rule(RiskRule.PDT_VIOLATION, FLAG, who="ann")
    world.sell("ann", "1", "100")
    world.buy("bob", "1", "100")
    assert world.state.risk_windows.keys() == {world.ids["ann"]}
    world.rule(RiskRule.RAPID_TRADING, INHERIT, who="ann")
    world.rule(RiskRule.PDT_VIOLATION, INHERIT, who="ann")
    assert world.state.risk is None


# rule, mode, figures, who, symbol | outcome
SETTING_ROWS = [
    (RiskRule.RAPID_TRADING, BLOCK, (50, 300_000_000), 0, "", "accepted"),
    (RiskRule.RAPID_TRADING, BLOCK, (50,), 0, "", "INVALID_RISK_RULE"),
    (RiskRule.RAPID_TRADING, BLOCK, (0, 300_000_000), 0, "", "INVALID_RISK_RULE"),
    (RiskRule.RAPID_TRADING, BLOCK, (1_001, 300_000_000), 0, "", "INVALID_RISK_RULE"),
    (RiskRule.RAPID_TRADING, BLOCK, (50, 300_000_000), 77, "", "ACCOUNT_NOT_FOUND"),
    (RiskRule.RAPID_TRADING, BLOCK, (50, 300_000_000), 0, "NOPE", "UNKNOWN_SYMBOL"),
    (RiskRule.RAPID_TRADING, INHERIT, (), 0, "", "accepted"),
    (RiskRule.WASH_TRADE, BLOCK, (), 0, "", "accepted"),
    (RiskRule.WASH_TRADE, BLOCK, (), 0, "AAPL", "INVALID_RISK_RULE"),
]


@pytest.mark.parametrize(("rule", "mode", "figures", "account_id", "symbol", "expected"), SETTING_ROWS)
def test_what_a_rule_can_be_set_to(
    rule: RiskRule, mode: RiskMode, figures: tuple[int, ...], account_id: int, symbol: str, expected: str
) -> None:
    world = RiskWorld()
    assert refusal(world.do(SetRiskRule(rule, mode, figures, account_id, symbol))) == expected


def test_tiers_and_groups_are_checked() -> None:
    world = RiskWorld()
    world.open("ann")
    assert refusal(world.do(SetKycTier(77, 1))) == "ACCOUNT_NOT_FOUND"
    assert refusal(world.do(SetKycTier(world.ids["ann"], 4))) == "INVALID_RISK_RULE"
    world.link("ann")
    assert world.account("ann").link_group == "case-7"
    world.link("ann", group="")
    assert world.account("ann").link_group == ""


def test_the_default_figures_fit() -> None:
    assert DEFAULTS.keys() == FIGURES.keys() == set(RiskRule)
    assert all(figure.least <= figure.default <= figure.most for each in FIGURES.values() for figure in each)


def test_a_market_maker_is_judged_order_by_order_only() -> None:
    """Its quotes are its trade: only what it places as an order is counted."""
    world = RiskWorld()
    world.rule(RiskRule.RAPID_TRADING, BLOCK, (1, 300_000_000))
    world.open("mm", cash="10000", shares="10", maker=True)
    for _ in range(5):
        assert refusal(world.quote("mm", [("1", "99")], [("1", "101")])) == "accepted"
    world.do(PlaceOrder("AAPL", BUY, LIMIT, e8("1"), e4("90"), GTC), "mm")
    assert refusal(world.place("mm", BUY, "1", "90")) == "RAPID_TRADING"
    assert refusal(world.do(ReplaceOrder(1, 1, 1), "mm")) == "ORDER_NOT_FOUND"


def test_the_first_rule_refuses_whatever_scope_it_was_set_for() -> None:
    world = RiskWorld()
    world.open("ann", cash="1000")
    world.rule(RiskRule.POSITION_LIMIT, BLOCK, (1, 1))
    world.rule(RiskRule.FAT_FINGER, BLOCK, (1, 1), who="ann")
    assert outcome(world.place("ann", BUY, "1", "100")) == "FAT_FINGER + POSITION_LIMIT BLOCK"


def test_of_a_pair_of_purchases_the_dearer_counts() -> None:
    """One of the two is to trade: 10 at 90 or, once it is at 105, 10 at 110."""
    world = RiskWorld()
    world.open("ann", cash="100000")
    leg = Leg(OrderType.STOP_LIMIT, e4("110"), e4("105"))
    world.rule(RiskRule.KYC_LIMIT, BLOCK, (e4("2000"), 0, 0))
    pair = PlaceOrder("AAPL", BUY, LIMIT, e8("10"), e4("90"), GTC, order_class=OrderClass.OCO, legs=(leg,))
    assert refusal(world.do(pair, "ann")) == "accepted"
    assert refusal(world.place("ann", BUY, "9.01", "100")) == "KYC_LIMIT"
    assert refusal(world.place("ann", BUY, "9", "100")) == "accepted"
