"""Splits: who has what at which cost after them, what becomes of orders and prices, and that the books stay at zero."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.action_events import ActionEffected, ActionFailed, FractionPaid
from engine.commands import (
    DeclareDividend,
    SetLotMethod,
    SetRiskRule,
)
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionStage
from engine.dividend_events import DividendPaid
from engine.events import Traded
from engine.kinds import (
    LotMethod,
    OrderType,
    RiskMode,
    RiskRule,
)
from engine.risk_figures import DEFAULTS
from engine.splits import restate_lots
from engine.state import CUSTODY_ACCOUNT_ID, ISSUERS_ACCOUNT_ID, Lot, Position, State
from engine.units import MINUTE_US
from tests.engine.bust_facts import facts_of
from tests.engine.split_world import SPLIT, WHOLE, kinds, lots, market, split
from tests.engine.world import BUY, e4, e8, of_kind, refusal, shown, stock

STOP_LOSS, STOP_LIMIT = OrderType.STOP_LOSS, OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP
# -- units, lots and cash

# new, old | ann's units and cost, bob's units and cost | cash in lieu of both | price
RATIOS = [
    (2, 1, ("20", "100"), ("6", "30"), ("0", "0"), "45"),
    (3, 2, ("15", "100"), ("4", "26.6667"), ("0", "30"), "60"),  # 4.5: the half is sold at 60
    (10, 3, ("33", "99.0001"), ("10", "30"), ("9", "0"), "27"),  # 0.33333333 at 27: 8.99999991
    (1, 2, ("5", "100"), ("1", "20"), ("0", "90"), "180"),
    (1, 10, ("1", "100"), ("0", "0"), ("0", "270"), "900"),
    (1, 7, ("1", "70.0001"), ("0", "0"), ("270", "270"), "630"),
]  # fmt: skip


@pytest.mark.parametrize(("new", "old", "ann", "bob", "cash", "price"), RATIOS)
def test_units_and_cost_and_cash_in_lieu(
    new: int, old: int, ann: tuple[str, str], bob: tuple[str, str], cash: tuple[str, str], price: str
) -> None:
    world = market()
    events = split(world, new, old)
    for who, (units, cost), paid in (("ann", ann, cash[0]), ("bob", bob, cash[1])):
        position = world.account(who).positions["AAPL"]
        assert (shown(position.units_e8, 10**8), shown(position.cost_e4, 10**4)) == (units, cost)
        assert shown(world.account(who).cash_e4 - e4("10000"), 10**4) == paid
        realized_e4 = e4(paid) - (e4("100" if who == "ann" else "30") - position.cost_e4)
        assert world.account(who).realized_e4 == position.realized_e4 == realized_e4
    (effected,) = kinds(events, ActionEffected)
    assert effected.accounts == 2
    assert effected.cash_e4 == e4(cash[0]) + e4(cash[1])
    assert effected.reference_e4 == world.state.instruments["AAPL"].reference_e4 == e4(price)
    units_e8 = sum(world.account(who).positions["AAPL"].units_e8 for who in ("ann", "bob"))
    assert effected.units_e8 == -world.state.outside[CUSTODY_ACCOUNT_ID, "AAPL"] == units_e8
    assert world.state.outside.get((ISSUERS_ACCOUNT_ID, "USD"), 0) == -effected.cash_e4
    assert world.state.actions[7].stage is ActionStage.DONE


def test_each_lot_keeps_its_cost_and_date_and_lots_sum_to_the_whole() -> None:
    """Three lots of one share, 3 for 2: 1.5, 1.5, 1.5, of which the half of the oldest is sold."""
    world = market()
    for price in ("90", "91", "92"):
        world.buy("cal", "1", price)
        world.sell("ann", "1", price)
    before = [(lot.lot_id, lot.acquired_us) for lot in world.account("cal").positions["AAPL"].lots.values()]
    events = split(world, 3, 2)
    assert lots(world, "cal") == [("1", "60"), ("1.5", "91"), ("1.5", "92")]
    after = [(lot.lot_id, lot.acquired_us) for lot in world.account("cal").positions["AAPL"].lots.values()]
    assert after == before
    paid = {event.account_id: event for event in kinds(events, FractionPaid)}[world.ids["cal"]]
    assert paid.sold_lots == ((before[0][0], e8("0.5"), e4("30"), before[0][1]),)


def test_the_account_s_method_says_which_lots_the_fraction_is_of() -> None:
    world = market()
    world.do(SetLotMethod(LotMethod.LIFO), "cal")
    for price in ("90", "91", "92"):
        world.buy("cal", "1", price)
        world.sell("ann", "1", price)
    split(world, 3, 2)
    assert lots(world, "cal") == [("1.5", "90"), ("1.5", "91"), ("1", "61.3334")]


def test_lots_of_which_nothing_is_left_give_their_cost_to_the_next_and_the_last_to_the_one_before() -> None:
    """Lots of 2, 9, 1 and 1 hundred-millionths, of which a tenth is left: 0, 1, 0 and 0."""
    state, position = State(), Position(1, "AAPL", units_e8=13, cost_e4=40)
    for lot_id, units_e8 in enumerate((2, 9, 1, 1), start=1):
        position.lots[lot_id] = state.lots[lot_id] = Lot(lot_id, 1, "AAPL", units_e8, 10, lot_id)
    restate_lots(state, position, 1, 10)
    (lot,) = position.lots.values()
    assert (lot.lot_id, lot.units_e8, lot.cost_e4, lot.acquired_us) == (2, 1, 40, 2)
    assert (position.units_e8, position.cost_e4, list(state.lots)) == (1, 40, [2])


def test_a_market_maker_s_pool_is_split_like_any_lot() -> None:
    world = market()
    world.open("mm", cash="1000", shares="5", maker=True)
    split(world, 3, 2)
    assert lots(world, "mm") == [("7", "46.6667")]
    assert world.cash("mm") == ("1030", "0")


# -- what else follows


def test_prices_and_bands_follow() -> None:
    world = market(stock(lot="1", halt_bps=1_000))
    world.buy("cal", "1", "91")
    world.sell("ann", "1", "91")
    events = split(world, 2, 1)
    instrument = world.state.instruments["AAPL"]
    assert (instrument.last_e4, instrument.reference_e4, instrument.previous_close_e4) == (
        e4("45.5"),
        e4("45"),
        e4("45"),
    )
    assert instrument.halt_reference_e4 == e4("45.5")
    (effected,) = kinds(events, ActionEffected)
    assert (effected.last_e4, effected.previous_close_e4) == (e4("45.5"), e4("45"))
    world.buy("cal", "1", "46")
    assert refusal(world.place("cal", BUY, "1", "91")) == "PRICE_OUT_OF_BAND"


def test_a_dividend_that_is_declared_pays_the_same_and_one_that_is_recorded_stays() -> None:
    world = market()
    soon_us = world.now_us + MINUTE_US // 2
    world.do(DeclareDividend(1, "AAPL", e8("0.3"), soon_us, soon_us + 5 * MINUTE_US))
    world.do(DeclareDividend(2, "AAPL", e8("0.3"), soon_us + 2 * MINUTE_US, soon_us + 6 * MINUTE_US))
    world.advance(soon_us)
    split(world, 2, 1)
    paid = kinds(world.advance(soon_us + 7 * MINUTE_US), DividendPaid)
    assert [(each.dividend_id, each.units_e8, each.amount_e4, each.restated_e8) for each in paid] == [
        (1, e8("10"), e4("3"), 0),
        (1, e8("3"), e4("0.9"), 0),
        (2, e8("20"), e4("3"), e8("0.15")),
        (2, e8("6"), e4("0.9"), e8("0.15")),
    ]


def test_a_trade_of_before_is_not_busted_and_one_of_after_is() -> None:
    world = market()
    world.sell("ann", "2", "90")
    (before,) = of_kind(world.place("cal", BUY, "2", "90"), Traded)
    before_us = world.now_us
    split(world, 2, 1)
    assert refusal(world.do(facts_of(before, before_us))) == "TRADE_BEFORE_ACTION"
    world.sell("ann", "2", "45")
    (after,) = of_kind(world.place("cal", BUY, "2", "45"), Traded)
    assert refusal(world.do(facts_of(after, world.now_us))) == "accepted"


def test_what_a_risk_rule_has_seen_follows() -> None:
    world = market()
    world.do(SetRiskRule(RiskRule.DAILY_LOSS_LIMIT, RiskMode.FLAG, DEFAULTS[RiskRule.DAILY_LOSS_LIMIT]))
    world.sell("ann", "2", "90")
    world.buy("cal", "2", "90")
    split(world, 3, 1)
    net = {who: world.state.risk_windows[world.ids[who]].days["AAPL"].net_e8 for who in ("ann", "cal")}
    assert net == {"ann": e8("-6"), "cal": e8("6")}


# -- refusals


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "accepted"),
        ({"action_id": 0}, "INVALID_ACTION"),
        ({"symbol": "NOPE"}, "UNKNOWN_SYMBOL"),
        ({"numerator": 1}, "INVALID_ACTION"),
        ({"numerator": 0}, "INVALID_ACTION"),
        ({"denominator": -1}, "INVALID_ACTION"),
        ({"numerator": 10_001}, "INVALID_ACTION"),
        ({"numerator": 100}, "INVALID_ACTION"),  # 0.90 is below the instrument's lowest price
        ({"numerator": 1, "denominator": 2_000}, "INVALID_ACTION"),  # 180 000 above its highest
        ({"effective_us": 0}, "INVALID_ACTION"),
        ({"effective_us": MINUTE_US + 1}, "INVALID_ACTION"),
        ({"effective_us": 10**18}, "INVALID_ACTION"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], outcome: str) -> None:
    whole = DeclareAction(7, SPLIT, "AAPL", MINUTE_US, 2, 1)
    assert refusal(market().do(replace(whole, **change))) == outcome


def test_without_a_price_or_beyond_the_bounds_of_the_ledger_it_is_refused() -> None:
    world = market(replace(WHOLE, reference_e4=0))
    world.state.instruments["AAPL"].reference_e4 = world.state.instruments["AAPL"].previous_close_e4 = 0
    whole = DeclareAction(7, SPLIT, "AAPL", MINUTE_US, 10, 1)
    assert refusal(world.do(whole)) == "NO_REFERENCE_PRICE"
    world = market()
    world.open("eve", shares="2000000000")
    assert refusal(world.do(whole)) == "BALANCE_LIMIT"


def test_the_same_action_is_taken_on_once_and_shares_its_ids_with_dividends() -> None:
    world = market()
    split(world, 2, 1)
    again = DeclareAction(7, SPLIT, "AAPL", 10 * MINUTE_US, 2, 1)
    assert refusal(world.do(again)) == "ACTION_EXISTS"
    late_us = 10 * MINUTE_US
    assert refusal(world.do(DeclareDividend(7, "AAPL", 1, late_us, late_us))) == "ACTION_EXISTS"
    assert refusal(world.do(DeclareDividend(8, "AAPL", 1, late_us, late_us))) == "accepted"
    assert refusal(world.do(replace(again, action_id=8))) == "ACTION_EXISTS"


def test_what_can_not_be_done_any_more_when_its_time_comes_has_failed_and_changes_nothing() -> None:
    """The first of two splits brings the price so low that the second would leave the bounds."""
    world = market()
    effective_us = MINUTE_US
    world.do(DeclareAction(7, SPLIT, "AAPL", effective_us, 50, 1))
    world.do(DeclareAction(8, SPLIT, "AAPL", effective_us, 2, 1))
    events = world.advance(effective_us)
    (failed,) = kinds(events, ActionFailed)
    assert (failed.action_id, failed.refusal.name) == (8, "INVALID_ACTION")
    assert world.state.actions[8].stage is ActionStage.FAILED
    assert world.shares("ann") == ("500", "0")
