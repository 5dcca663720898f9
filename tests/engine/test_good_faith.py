"""Good faith: selling what unsettled money bought, what three times of it mean, and what a bust takes back."""

from __future__ import annotations

from random import Random

import pytest

from engine.commands import (
    AdjustCash,
    CancelAll,
    PlaceOrder,
    RequestWithdrawal,
    SetFees,
    SetKycTier,
    SettleWithdrawal,
)
from engine.events import BalanceChanged, GoodFaithViolated, OrderUpdated, SettlementDue, Traded
from engine.kinds import CloseReason, OrderClass, OrderStatus, OrderType
from engine.refusals import Refusal
from engine.settlement import (
    SETTLED_ONLY_US,
    VIOLATIONS_MAX,
    VIOLATIONS_WINDOW_US,
    buying_power_e4,
)
from engine.state_hash import state_hash
from engine.terms import Leg
from engine.units import DAY_US
from tests.engine.bust_facts import facts_of
from tests.engine.mirror import all_rows, restored
from tests.engine.settlement_world import (
    figures,
    msft_world,
    pass_time,
    sell,
    trade,
    violations,
    world_of,
)
from tests.engine.world import BUY, GTC, IOC, SELL, World, e4, e8, of_kind, refusal


def test_selling_what_unsettled_money_bought_is_a_violation() -> None:
    world = msft_world()
    sell(world, "bob", "2")
    trade(world, "bob", BUY, "1")
    applied = trade(world, "bob", SELL, "1")
    (violation,) = of_kind(applied, GoodFaithViolated)
    (fill,) = of_kind(applied, Traded)
    assert violation == GoodFaithViolated(world.ids["bob"], fill.sell_order_id, fill.trade_id, 1, 0)


def test_once_the_money_has_settled_it_is_none() -> None:
    world = msft_world()
    sell(world, "bob", "2")
    trade(world, "bob", BUY, "1")
    pass_time(world, DAY_US)
    assert violations(trade(world, "bob", SELL, "1")) == []


def test_what_settled_money_bought_may_be_sold_at_once() -> None:
    world = msft_world()
    assert violations(trade(world, "ann", BUY, "1")) == []
    sell(world, "bob", "2")
    assert violations(trade(world, "ann", SELL, "1")) == []
    assert figures(world, "ann") == ("999", "100", "899")


def test_an_order_is_one_violation_however_many_fills_it_has() -> None:
    world = msft_world()
    sell(world, "bob", "5")
    trade(world, "bob", BUY, "2")
    world.cancel_all("mm")
    order = world.accepted(world.place("bob", SELL, "2", "90", GTC, symbol="MSFT"))
    assert order.is_open
    counts = [violations(world.place("ann", BUY, "1", "90", IOC, symbol="MSFT")) for _ in range(2)]
    assert counts == [[1], []]


def three_violations(world: World) -> None:
    for _ in range(VIOLATIONS_MAX):
        sell(world, "bob", "2")
        trade(world, "bob", BUY, "1")
        trade(world, "bob", SELL, "1")


def test_three_in_twelve_months_mean_settled_cash_only_for_ninety_days() -> None:
    world = msft_world()
    three_violations(world)
    until_us = world.now_us + SETTLED_ONLY_US
    assert world.account("bob").settled_only_until_us == until_us
    refused = trade(world, "bob", BUY, "1").refused
    assert refused is not None
    assert refused.refusal is Refusal.UNSETTLED_FUNDS
    assert dict(refused.detail) == {
        "required_e4": e4("101"),
        "settled_e4": 0,
        "settled_only_until_us": until_us,
    }
    assert buying_power_e4(world.account("bob"), world.now_us) == 0
    assert refusal(trade(world, "bob", BUY, "100")) == "INSUFFICIENT_FUNDS"
    pass_time(world, DAY_US)
    assert trade(world, "bob", BUY, "1").refused is None
    applied = world.place("bob", SELL, "9", "100", IOC)
    told = next(each for each in of_kind(applied, BalanceChanged) if each.account_id == world.ids["bob"])
    assert (told.unsettled_e4, told.settled_only) == (e4("900"), True)
    pass_time(world, until_us - 3)
    sell(world, "bob", "9")
    assert refusal(world.place("bob", BUY, "17", "101", IOC)) == "UNSETTLED_FUNDS"  # the microsecond before
    assert refusal(world.place("bob", BUY, "17", "101", IOC)) == "accepted"


@pytest.mark.parametrize(
    ("restricted", "status"), [(False, OrderStatus.PENDING), (True, OrderStatus.CANCELLED)]
)
def test_a_leg_that_buys_needs_settled_cash_then_too(restricted: bool, status: OrderStatus) -> None:
    """Its parent sells, and what that brings is not settled."""
    world = msft_world()
    if restricted:
        three_violations(world)
    leg = Leg(OrderType.LIMIT, price_e4=e4("90"))
    sale = PlaceOrder(
        "AAPL", SELL, OrderType.LIMIT, e8("100"), e4("100"), GTC, order_class=OrderClass.OTO, legs=(leg,)
    )
    applied = world.do(sale, "bob")
    reports = [each for each in of_kind(applied, OrderUpdated) if each.account_id == world.ids["bob"]]
    (bought,) = [each for each in reports if each.side is BUY]
    assert bought.status is status
    assert bought.reason is (CloseReason.NOT_COVERED if restricted else CloseReason.NONE)


def violate_once(world: World) -> list[int]:
    """Bob has nothing settled, sells, buys with that, and sells what he bought."""
    world.do(AdjustCash(world.ids["bob"], -world.account("bob").cash_e4, "all of it"))
    sell(world, "bob", "2")
    trade(world, "bob", BUY, "1")
    return violations(trade(world, "bob", SELL, "1"))


def test_violations_older_than_twelve_months_do_not_count() -> None:
    world = msft_world()
    assert violate_once(world) == [1]
    first_us = world.now_us
    pass_time(world, 100 * DAY_US)
    assert violate_once(world) == [2]
    pass_time(world, first_us + VIOLATIONS_WINDOW_US - 4)  # a year later, to the microsecond
    assert violate_once(world) == [2]
    assert world.account("bob").settled_only_until_us == 0


def test_a_busted_sale_takes_its_proceeds_out_of_their_day() -> None:
    world = world_of(instant_max_e4=(e4("100"),))
    applied = world.place("bob", SELL, "3", "100", IOC)
    (fill,), (due,) = of_kind(applied, Traded), of_kind(applied, SettlementDue)
    assert figures(world, "bob") == ("300", "200", "100")
    assert world.do(facts_of(fill, world.now_us, due=due)).refused is None
    assert figures(world, "bob") == ("0", "0", "0")
    assert world.state.unsettled == {}
    sell(world, "bob", "1")
    assert figures(world, "bob") == ("100", "0", "100")


def test_a_busted_purchase_makes_its_money_unsettled_again() -> None:
    world = msft_world()
    sell(world, "bob", "2")
    applied = trade(world, "bob", BUY, "1")
    (fill,), (due,) = of_kind(applied, Traded), of_kind(applied, SettlementDue)
    assert figures(world, "bob") == ("99", "99", "0")
    assert world.do(facts_of(fill, world.now_us, due=due)).refused is None
    assert figures(world, "bob") == ("200", "200", "0")
    assert world.state.funded_lots == {}


def test_a_busted_purchase_is_settled_once_its_money_has_settled() -> None:
    world = msft_world()
    sell(world, "bob", "2")
    applied = trade(world, "bob", BUY, "1")
    (fill,), (due,) = of_kind(applied, Traded), of_kind(applied, SettlementDue)
    executed_us = world.now_us
    pass_time(world, DAY_US)
    assert world.do(facts_of(fill, executed_us, due=due)).refused is None
    assert figures(world, "bob") == ("200", "0", "200")


def test_a_busted_sale_is_no_violation() -> None:
    world = msft_world()
    for _ in range(VIOLATIONS_MAX):
        sell(world, "bob", "2")
        trade(world, "bob", BUY, "1")
        applied = trade(world, "bob", SELL, "1")
    (fill,), (due,) = of_kind(applied, Traded), of_kind(applied, SettlementDue)
    assert world.account("bob").settled_only_until_us
    assert world.do(facts_of(fill, world.now_us, due=due)).refused is None
    assert world.account("bob").settled_only_until_us == 0
    assert violations(trade(world, "bob", SELL, "1")) == [
        VIOLATIONS_MAX
    ]  # what was bought is still not paid for


@pytest.mark.parametrize("seed", range(4))
def test_random_days_keep_every_rule_and_come_back_from_rows(seed: int) -> None:
    """Trades, withdrawals, busts and adjustments over weeks; the invariants hold after every command."""
    random = Random(seed)
    world = msft_world(days=2, instant_max_e4=(0, e4("50")))
    world.do(SetFees("std", 500, 1_000, ((e4("5000"), 400, 900),), order_min_e4=e4("0.1"), sell_ppb=27_800))
    world.do(SetKycTier(world.ids["ann"], 1))
    done: list[tuple[Traded, SettlementDue | None, int]] = []
    counted = 0
    for _ in range(500):
        who = random.choice(("ann", "bob"))
        dice = random.random()
        if dice < 0.7:
            side, symbol = random.choice((BUY, SELL)), random.choice(("AAPL", "MSFT"))
            price = random.choice(("99", "100", "101"))
            applied = world.place(who, side, random.choice(("0.5", "1", "4")), price, symbol=symbol)
            dues = {due.trade_id: due for due in of_kind(applied, SettlementDue)}
            done += [(fill, dues.get(fill.trade_id), world.now_us) for fill in of_kind(applied, Traded)]
            counted += len(of_kind(applied, GoodFaithViolated))
        elif dice < 0.75:
            world.do(CancelAll(""), who)
        elif dice < 0.8:
            world.do(RequestWithdrawal(random.randint(1, e4("300"))), who)
        elif dice < 0.84 and world.state.withdrawals:
            world.do(SettleWithdrawal(next(iter(world.state.withdrawals)), paid=random.random() < 0.7))
        elif dice < 0.88:
            world.do(AdjustCash(world.ids[who], random.randint(-e4("100"), e4("150")), "drill"))
        elif dice < 0.92 and done:
            fill, due, executed_us = done.pop(random.randrange(len(done)))
            world.do(facts_of(fill, executed_us, due=due))
        else:
            pass_time(world, world.now_us + random.choice((1, DAY_US // 3, DAY_US)))
            world.quote("mm", [("100", "100")], [("100", "101")])
            world.quote("mm", [("100", "100")], [("100", "101")], "MSFT")
        if random.random() < 0.05:
            again = restored(all_rows(world.state))
            assert state_hash(again) == state_hash(world.state)
            world.state = again
    assert counted > 0
    pass_time(world, world.now_us + 5 * DAY_US)
    assert (world.state.settling, world.state.unsettled, world.state.funded_lots) == ({}, {}, {})
    assert {world.account(who).unsettled_e4 for who in ("ann", "bob")} == {0}
