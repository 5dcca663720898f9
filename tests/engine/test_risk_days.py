"""Risk rules that look at a trading day: what a KYC tier may buy, and what may be lost."""

from __future__ import annotations

import pytest

from engine.commands import Marks, SetKycTier
from engine.events import Traded
from engine.kinds import PriceSource, RiskRule, Side
from engine.risk_rules import day_result_e4
from tests.engine.bust_facts import facts_of
from tests.engine.risk_world import BLOCK, RiskWorld
from tests.engine.world import (
    BUY,
    SELL,
    e4,
    of_kind,
    refusal,
    stock,
)

# tier, bought, open purchases, this one's quantity at 100 | outcome
KYC_ROWS = [
    (0, "0", "0", "0.01", "KYC_LIMIT"),
    (1, "0", "0", "0.01", "accepted"),
    (1, "0", "0", "10", "accepted"),
    (1, "0", "0", "10.01", "KYC_LIMIT"),
    (1, "4", "0", "6", "accepted"),
    (1, "4", "0", "6.01", "KYC_LIMIT"),
    (1, "4", "2", "4", "accepted"),
    (1, "4", "2", "4.01", "KYC_LIMIT"),
    (2, "4", "2", "494", "accepted"),
    (2, "4", "2", "494.01", "KYC_LIMIT"),
    (3, "4", "2", "494.01", "accepted"),
]


@pytest.mark.parametrize(("tier", "bought", "ordered", "quantity", "expected"), KYC_ROWS)
def test_what_a_kyc_tier_may_buy_in_a_day(
    tier: int, bought: str, ordered: str, quantity: str, expected: str
) -> None:
    """1 000 and 50 000 a day, then without limit (document 001, KYC tiers)."""
    world = RiskWorld()
    world.open("other", cash="0", shares="1000")
    world.open("ann", cash="200000")
    world.do(SetKycTier(world.ids["ann"], 3))
    world.rule(RiskRule.KYC_LIMIT)
    if bought != "0":
        world.sell("other", bought, "100")
        world.buy("ann", bought, "100")
    if ordered != "0":
        world.buy("ann", ordered, "100")
    world.do(SetKycTier(world.ids["ann"], tier))
    assert refusal(world.place("ann", BUY, quantity, "100")) == expected
    assert refusal(world.place("ann", SELL, "1", "100")) == (
        "accepted" if bought != "0" else "INSUFFICIENT_SHARES"
    )


def test_the_next_day_has_its_own_purchases() -> None:
    world = RiskWorld()
    world.rule(RiskRule.KYC_LIMIT)
    world.open("other", shares="1000")
    world.open("ann", cash="200000")
    world.do(SetKycTier(world.ids["ann"], 1))
    world.sell("other", "10", "100")
    world.buy("ann", "10", "100")
    assert refusal(world.place("ann", BUY, "1", "100")) == "KYC_LIMIT"
    world.go_to_day(0, hour=19)
    assert refusal(world.place("ann", BUY, "1", "100")) == "KYC_LIMIT"
    world.go_to_day(1)
    assert refusal(world.place("ann", BUY, "1", "100")) == "accepted"


# mark of today, what was bought at 100 today, side | outcome
LOSS_ROWS = [
    ("96", "0", BUY, "accepted"),  # 100 shares, 100 yesterday: -400
    ("95", "0", BUY, "DAILY_LOSS_LIMIT"),
    ("95", "0", SELL, "accepted"),
    ("96", "24", BUY, "accepted"),
    ("96", "25", BUY, "DAILY_LOSS_LIMIT"),
]


@pytest.mark.parametrize(("mark", "bought", "side", "expected"), LOSS_ROWS)
def test_a_loss_of_the_day_ends_its_purchases(mark: str, bought: str, side: Side, expected: str) -> None:
    """500 a day: shares held over night against the previous close, today's against what was paid."""
    world = RiskWorld([stock(source=PriceSource.TAPE)])
    world.rule(RiskRule.DAILY_LOSS_LIMIT, BLOCK, (e4("500"),))
    world.open("other", shares="1000")
    world.open("ann", cash="200000", shares="100")
    world.go_to_day(1)
    if bought != "0":
        world.sell("other", bought, "100")
        world.buy("ann", bought, "100")
    world.do(Marks((("AAPL", e4(mark)),)))
    assert refusal(world.place("ann", side, "1", mark)) == expected
    world.go_to_day(2)
    assert refusal(world.place("ann", BUY, "1", mark)) == "accepted"


def test_the_days_result_has_what_was_sold_and_paid_in_it() -> None:
    world = RiskWorld([stock(source=PriceSource.TAPE)])
    world.rule(RiskRule.DAILY_LOSS_LIMIT)
    world.open("other", cash="10000", shares="1000")
    world.open("ann", cash="10000", shares="10")
    world.sell("other", "5", "99")
    world.buy("ann", "5", "99")  # 5 at 99, worth 100: +5
    world.buy("other", "12", "98")
    world.sell("ann", "12", "98")  # 12 worth 100 at 98: -24
    account = world.account("ann")
    window = world.state.risk_windows[account.account_id]
    assert day_result_e4(world.state, account, window, world.now_us) == e4("-19")


def test_a_replacement_is_counted_once_in_what_a_tier_may_buy() -> None:
    world = RiskWorld()
    world.open("ann", cash="200000")
    world.do(SetKycTier(world.ids["ann"], 1))
    world.rule(RiskRule.KYC_LIMIT)
    order = world.buy("ann", "9", "100")
    order = world.accepted(world.replace("ann", order, quantity="10"))
    assert refusal(world.replace("ann", order, quantity="10.01")) == "KYC_LIMIT"


def test_a_busted_fill_is_no_purchase_and_no_loss() -> None:
    world = RiskWorld()
    world.open("other", cash="5000", shares="1000")
    world.open("ann", cash="200000")
    world.do(SetKycTier(world.ids["ann"], 1))
    world.rule(RiskRule.KYC_LIMIT)
    world.rule(RiskRule.DAILY_LOSS_LIMIT)
    world.sell("other", "10", "95")
    (fill,) = of_kind(world.place("ann", BUY, "10", "100"), Traded)
    account = world.account("ann")
    window = world.state.risk_windows[account.account_id]
    assert day_result_e4(world.state, account, window, world.now_us) == 0  # the last trade is the mark
    assert refusal(world.place("ann", BUY, "1", "95")) == "KYC_LIMIT"
    assert refusal(world.do(facts_of(fill, world.now_us - 1))) == "accepted"
    assert refusal(world.place("ann", BUY, "10", "95")) == "accepted"
    assert day_result_e4(world.state, account, window, world.now_us) == 0
    other = world.account("other")
    theirs = world.state.risk_windows[other.account_id]
    assert theirs.days["AAPL"].net_e4 == theirs.days["AAPL"].net_e8 == 0
