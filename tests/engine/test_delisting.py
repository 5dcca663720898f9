"""Delisting, and another symbol: what ends, what goes on under the new name, and what is refused then."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.action_events import ActionEffected, ActionFailed
from engine.commands import (
    DeclareDividend,
    HaltSymbol,
    ResumeSymbol,
    SetKillSwitch,
    SetRiskRule,
    TransferIn,
)
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind, ActionStage
from engine.dividend_events import DividendPaid
from engine.events import AnyEvent, OrderUpdated, Traded
from engine.kinds import CloseReason, KillScope, OrderClass, OrderType, Phase, RiskMode, RiskRule
from engine.risk_figures import DEFAULTS
from engine.state import CUSTODY_ACCOUNT_ID
from engine.state_hash import state_hash
from engine.terms import Leg, Terms
from engine.units import MINUTE_US
from tests.engine.bust_facts import facts_of
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.split_world import kinds, market, order_command
from tests.engine.world import BUY, GTC, LIMIT, SELL, World, e4, e8, of_kind, refusal, stock

STOP_LOSS = OrderType.STOP_LOSS
CHANGE, DELISTING, SPLIT = ActionKind.SYMBOL_CHANGE, ActionKind.DELISTING, ActionKind.SPLIT


def effect(world: World, kind: ActionKind, new_symbol: str = "", action_id: int = 7) -> list[AnyEvent]:
    """Declare it for the next minute, and let that come."""
    effective_us = (world.now_us // MINUTE_US + 1) * MINUTE_US
    command = DeclareAction(action_id, kind, "AAPL", effective_us, new_symbol=new_symbol)
    assert refusal(world.do(command)) == "accepted"
    mirror = Mirror(world.state)
    events = world.advance(effective_us)
    mirror.cut(world.state)
    assert mirror.rows == all_rows(world.state)
    assert state_hash(restored(mirror.rows)) == state_hash(world.state)
    return events


# -- delisting


def test_a_delisting_ends_all_orders_and_the_book_for_good() -> None:
    world = market()
    world.open("mm", cash="10000", shares="10", maker=True)
    world.quote("mm", [("1", "85")], [("1", "95")])
    world.buy("ann", "1", "80", GTC)
    world.do(order_command(SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("70"))), "ann")
    events = effect(world, DELISTING)
    assert world.state.orders == {}
    assert {each.reason for each in kinds(events, OrderUpdated)} == {CloseReason.CORPORATE_ACTION}
    assert (world.shares("ann"), world.cash("ann")) == (("10", "0"), ("10000", "0"))
    instrument = world.state.instruments["AAPL"]
    assert (instrument.is_delisted, instrument.phase) == (True, Phase.CLOSED)
    assert refusal(world.place("ann", SELL, "1", "90")) == "INSTRUMENT_DELISTED"
    assert refusal(world.do(HaltSymbol("AAPL", "x"))) == "INSTRUMENT_DELISTED"
    assert refusal(world.do(ResumeSymbol("AAPL"))) == "SYMBOL_NOT_HALTED"
    again = DeclareAction(8, DELISTING, "AAPL", 10 * MINUTE_US)
    assert refusal(world.do(again)) == "INSTRUMENT_DELISTED"
    assert refusal(world.do(stock(lot="1"))) == "accepted"
    assert instrument.phase is Phase.CLOSED


def test_a_delisted_book_follows_no_calendar_any_more_and_a_halt_is_over() -> None:
    day = 10**9
    world = World(sessions=tuple((n * day, n * day + day // 2) for n in range(5)))
    world.open("ann", cash="1000", shares="10")
    world.do(HaltSymbol("AAPL", "news"))
    effect(world, DELISTING)
    told = world.advance(2 * day + 1)
    assert world.state.instruments["AAPL"].phase is Phase.CLOSED
    assert [event for event in told if getattr(event, "symbol", "") == "AAPL"] == []


def test_a_split_that_was_declared_before_a_delisting_has_failed() -> None:
    world = market()
    world.do(DeclareAction(1, SPLIT, "AAPL", 2 * MINUTE_US, 2, 1))
    effect(world, DELISTING)
    (failed,) = kinds(world.advance(2 * MINUTE_US), ActionFailed)
    assert failed.refusal.name == "INSTRUMENT_DELISTED"
    assert world.state.actions[1].stage is ActionStage.FAILED


# -- another symbol


def test_everything_goes_on_under_the_new_symbol() -> None:
    """Orders of all kinds, a part fill, lots with their ids, dates and costs; quotes end."""
    world = market()
    world.open("mm", cash="10000", shares="10", maker=True)
    world.quote("mm", [("1", "85")], [("1", "95")])
    part = world.buy("cal", "4", "90", GTC)
    world.sell("bob", "1", "90")
    day = world.buy("bob", "1", "80")
    stop = world.accepted(world.do(order_command(SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("70"))), "ann"))
    iceberg = world.accepted(world.order("ann", SELL, "3", LIMIT, GTC, price="100", display="1"))
    world.order(
        "ann", SELL, "2", LIMIT, GTC, price="110", order_class=OrderClass.OCO,
        legs=[Leg(STOP_LOSS, stop_e4=e4("60"))],
    )  # fmt: skip
    held = world.shares("ann")
    lots = [
        (each.lot_id, each.units_e8, each.cost_e4, each.acquired_us) for each in world.state.lots.values()
    ]
    events = effect(world, CHANGE, "APPL")
    assert world.book("AAPL") == ([], [])
    assert world.book("APPL") == (["3@90", "1@80"], ["1@100", "2@110"])
    assert world.shares("ann", "APPL") == held
    assert world.shares("ann", "AAPL") == ("0", "0")
    assert [
        (each.lot_id, each.units_e8, each.cost_e4, each.acquired_us) for each in world.state.lots.values()
    ] == lots
    assert {each.symbol for each in world.state.orders.values()} == {"APPL"}
    assert {each.order_id for each in (part, day, stop, iceberg)} <= world.state.orders.keys()
    assert world.state.outside[CUSTODY_ACCOUNT_ID, "AAPL"] == 0
    (effected,) = kinds(events, ActionEffected)
    assert (effected.new_symbol, effected.accounts) == ("APPL", 4)
    ended = [each for each in kinds(events, OrderUpdated) if not each.is_open]
    assert ended == []  # quotes that never traded make no report
    assert refusal(world.place("ann", SELL, "1", "90")) == "INSTRUMENT_DELISTED"
    fills = of_kind(world.place("ann", SELL, "3", "90", symbol="APPL"), Traded)
    assert [each.symbol for each in fills] == ["APPL"]
    assert part.order_id not in world.state.orders
    assert stop.order_id in world.state.stops["APPL"].armed


def test_a_stop_under_the_new_symbol_fires() -> None:
    world = market()
    stop = world.accepted(world.do(order_command(SELL, STOP_LOSS, "", GTC, Terms(stop_e4=e4("85"))), "ann"))
    effect(world, CHANGE, "APPL")
    world.place("cal", BUY, "5", "84", symbol="APPL")
    world.place("bob", SELL, "1", "84", symbol="APPL")
    assert stop.order_id not in world.state.orders


def test_what_is_to_come_is_the_new_symbol_s() -> None:
    world = market()
    late_us = 3 * MINUTE_US
    world.do(DeclareDividend(1, "AAPL", e8("0.5"), late_us, late_us))
    world.do(DeclareAction(2, SPLIT, "AAPL", 2 * MINUTE_US, 2, 1))
    effect(world, CHANGE, "APPL")
    events = world.advance(late_us + 10)
    assert world.shares("ann", "APPL") == ("20", "0")
    paid = kinds(events, DividendPaid)
    assert {(each.symbol, each.amount_e4) for each in paid} == {("APPL", e4("5")), ("APPL", e4("1.5"))}


def test_a_merger_into_it_is_one_into_the_new_symbol() -> None:
    """What is declared names what stands for the company, whatever that is called when the time comes."""
    world = market()
    world.do(replace(stock("BIG", lot="1"), reference_e4=e4("60")))
    world.do(TransferIn(world.ids["cal"], "BIG", e8("4"), e4("100")))
    world.do(DeclareAction(2, ActionKind.MERGER, "BIG", 2 * MINUTE_US, 1, 2, "AAPL"))
    effect(world, CHANGE, "APPL")
    (effected,) = kinds(world.advance(2 * MINUTE_US), ActionEffected)
    assert (effected.symbol, effected.new_symbol) == ("BIG", "APPL")
    assert world.shares("cal", "APPL") == ("2", "0")


def test_rules_switches_and_what_was_traded_today_follow() -> None:
    world = market()
    rule = RiskRule.DAILY_LOSS_LIMIT
    world.do(SetRiskRule(rule, RiskMode.FLAG, DEFAULTS[rule], symbol="AAPL"))
    world.sell("ann", "2", "90")
    world.buy("cal", "2", "90")
    world.do(SetKillSwitch(KillScope.SYMBOL, "AAPL", on=True, reason="drill"))
    effect(world, CHANGE, "APPL")
    assert list(world.state.risk_rules) == [(rule, 0, "APPL")]
    assert world.state.risk_windows[world.ids["cal"]].days["APPL"].net_e8 == e8("2")
    assert refusal(world.place("cal", BUY, "1", "80", symbol="APPL")) == "KILL_SWITCH_ON"


def test_a_halt_by_bands_ends_under_the_new_symbol() -> None:
    world = market(replace(stock(lot="1", halt_bps=100), halt_us=5 * MINUTE_US))
    world.sell("ann", "1", "90")
    world.buy("cal", "1", "90")
    world.sell("ann", "1", "95", GTC)
    world.place("cal", BUY, "1", "95", GTC)
    assert world.state.instruments["AAPL"].phase is Phase.HALT_AUCTION
    effect(world, CHANGE, "APPL")
    assert phase_of(world) == "HALT_AUCTION"
    world.advance(world.now_us + 6 * MINUTE_US)
    assert phase_of(world) == "CONTINUOUS"
    assert world.state.orders == {}


def phase_of(world: World) -> str:
    return world.state.instruments["APPL"].phase.name


def test_a_trade_of_before_is_not_busted() -> None:
    world = market()
    world.sell("ann", "2", "90")
    (before,) = of_kind(world.place("cal", BUY, "2", "90"), Traded)
    before_us = world.now_us
    effect(world, CHANGE, "APPL")
    assert refusal(world.do(facts_of(before, before_us))) == "TRADE_BEFORE_ACTION"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "accepted"),
        ({"new_symbol": ""}, "INVALID_ACTION"),
        ({"new_symbol": "AAPL"}, "INVALID_ACTION"),
        ({"new_symbol": "USD"}, "INVALID_ACTION"),
        ({"new_symbol": "W" * 33}, "INVALID_ACTION"),
        ({"new_symbol": "\x00"}, "INVALID_ACTION"),
        ({"numerator": 2}, "INVALID_ACTION"),
        ({"kind": SPLIT, "numerator": 2}, "INVALID_ACTION"),
        ({"kind": DELISTING}, "INVALID_ACTION"),
        ({"kind": DELISTING, "new_symbol": ""}, "accepted"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], outcome: str) -> None:
    whole = DeclareAction(7, CHANGE, "AAPL", MINUTE_US, new_symbol="APPL")
    assert refusal(market().do(replace(whole, **change))) == outcome
