"""Nothing the engine knows is lost between runs: each field of the state and of every aggregate has its place in a row."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from typing import Any, get_args

import msgspec
import pytest

from engine import state as state_module
from engine.aggregates import DERIVED, KINDS, STORED
from engine.commands import (
    AdjustCash,
    CancelAll,
    DeclareDividend,
    Deposit,
    FireTimer,
    HaltSymbol,
    PlaceOrder,
    RequestWithdrawal,
    SetFees,
    SetKillSwitch,
    SetLimits,
    SetRiskRule,
    SetSettlement,
)
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind, CorporateAction, Dividend
from engine.events import Traded
from engine.invariants import check_invariants
from engine.kinds import KillScope, OrderClass, OrderType, RiskMode, RiskRule, TimerKind
from engine.orders import Order
from engine.parking.rows import PARKING_KINDS
from engine.risk_figures import DEFAULTS
from engine.risk_state import RuleRow
from engine.settlement_state import FundedLot, SettlementRules, SettlingDay, Unsettled, Volume
from engine.state import DIRTY_KINDS, State
from engine.state_hash import state_hash
from engine.terms import Leg
from tests.engine.bust_facts import facts_of
from tests.engine.mirror import Mirror, all_rows, restored, through_msgpack
from tests.engine.world import BUY, DAY, GTC, IOC, LIMIT, SELL, World, e4, e8, fills, of_kind, stock

AGGREGATES: dict[str, type] = {
    "account": state_module.Account,
    "position": state_module.Position,
    "lot": state_module.Lot,
    "order": Order,
    "instrument": state_module.Instrument,
    "fees": state_module.FeeSchedule,
    "limits": state_module.Limits,
    "calendar": state_module.Calendar,
    "timer": state_module.Timer,
    "withdrawal": state_module.Withdrawal,
    "key": state_module.KeyRecord,
    "client_order_id": state_module.ClientOrderId,
    "kill_switch": state_module.KillSwitch,
    "group": state_module.Group,
    "risk_rule": RuleRow,
    "settlement": SettlementRules,
    "settling": SettlingDay,
    "unsettled": Unsettled,
    "funded_lot": FundedLot,
    "volume": Volume,
    "dividend": Dividend,
    "action": CorporateAction,
}
"""Kind → the class whose fields its row must hold."""

REBUILT = {
    "account": {"positions", "orders", "quotes", "leaving_e4", "buckets"},
    "position": {"lots", "dearest"},
    "order": {"level", "before", "after", "account", "position"},
}
"""Fields that `rebuild` makes from other rows."""


def field_names(aggregate: type) -> list[str]:
    if is_dataclass(aggregate):
        return [field.name for field in dataclass_fields(aggregate)]
    return list(aggregate.__struct_fields__)  # type: ignore[attr-defined]


def busy_world() -> World:
    """At least one of everything: quotes, part fills, lots, keys, client ids, a withdrawal, a halt, a kill switch, risk rules."""
    world = World(maker_ppm=500, taker_ppm=1_000, listings=[stock(), stock("MSFT")])
    for rule in (RiskRule.RAPID_TRADING, RiskRule.UNUSUAL_VOLUME, RiskRule.PDT_VIOLATION):
        world.do(SetRiskRule(rule, RiskMode.FLAG, DEFAULTS[rule]))
    world.do(SetSettlement("24x7", 2))
    world.do(SetFees("std", 500, 1_000, ((e4("100"), 400, 900),), sell_ppb=27_800))
    world.open("ann", cash="100000", shares="100")
    world.open("bob", cash="100000", shares="100")
    world.open("cal", cash="1", shares="100")
    world.open("mm", cash="100000", shares="100", maker=True)
    world.quote("mm", [("10", "99"), ("10", "98")], [("10", "101"), ("10", "102")])
    order = world.accepted(world.place("ann", BUY, "5", "99", GTC, client_id="first"))
    world.buy("bob", "5", "99", GTC)
    world.replace("ann", order, quantity="4", client_id="second")
    world.place("bob", BUY, "12", "102", client_id="mine", key="k1", digest=b"d1")
    world.place("ann", SELL, "11", "99", key="k2", digest=b"d2")
    world.place("bob", SELL, "900", "99", key="k3", digest=b"d3")
    world.accepted(world.place("ann", SELL, "3", "105", DAY))
    world.sell("bob", "1", "100")
    (fill,) = of_kind(world.place("ann", BUY, "1", "100", IOC), Traded)
    assert world.do(facts_of(fill, world.now_us)).refused is None
    stop = Leg(OrderType.STOP_LOSS, stop_e4=e4("50"))
    paired = world.order("ann", SELL, "1", LIMIT, price="140", order_class=OrderClass.OCO, legs=[stop])
    assert paired.refused is None
    world.do(DeclareDividend(7, "AAPL", e8("0.5"), world.now_us + 1, 10**14))
    world.do(FireTimer(world.state.timer_ids[TimerKind.DIVIDEND, "7"]))
    world.do(DeclareAction(8, ActionKind.SPLIT, "MSFT", 60 * 10**6, 2, 1))
    world.do(RequestWithdrawal(e4("5")), "ann")
    world.do(AdjustCash(world.ids["cal"], -world.account("cal").available_e4, "drill"))
    world.accepted(world.place("ann", BUY, "1", "100", GTC))
    world.sell("cal", "1", "100", IOC)
    world.accepted(world.place("bob", SELL, "0.5", "100", GTC))
    world.buy("cal", "0.5", "100", IOC)
    world.do(HaltSymbol("MSFT", "news"))
    world.do(SetKillSwitch(KillScope.SYMBOL, "MSFT", on=True, reason="drill"))
    world.do(SetLimits(e8("1000"), e4("1000000"), 50, 400, 20, 200, 10**9))
    return world


def test_every_field_of_the_state_is_stored_or_derived() -> None:
    fields = set(State.__slots__)
    assert fields == STORED.keys() | DERIVED
    assert not STORED.keys() & DERIVED
    assert set(STORED.values()) | {"position"} | PARKING_KINDS.keys() == KINDS.keys()


def test_every_kind_has_a_place_for_its_dirty_marks() -> None:
    assert set(DIRTY_KINDS) == KINDS.keys()


@pytest.mark.parametrize("kind", AGGREGATES)
def test_every_field_of_an_aggregate_is_in_its_row_or_rebuilt(kind: str) -> None:
    """Each stored field is changed in turn, and the row must change with it."""
    names = field_names(AGGREGATES[kind])
    stored = [name for name in names if name not in REBUILT.get(kind, set())]
    world = busy_world()
    key = next(iter(KINDS[kind].keys(world.state)))
    row = KINDS[kind].dump(world.state, key)
    assert row is not None
    assert len(row) == len(stored) == len(get_args(KINDS[kind].row_type))
    aggregate = find(world.state, kind, key)
    assert row == tuple(getattr(aggregate, name) for name in stored)


def find(state: State, kind: str, key: Any) -> Any:
    if kind == "position":
        return state.accounts[key[0]].positions[key[1]]
    if kind == "limits":
        return state.limits
    return getattr(state, {stored: field for field, stored in STORED.items()}[kind])[key]


def test_every_kind_occurs_in_the_busy_world() -> None:
    """Those of parking occur in a world of their own: tests/engine/parking/test_parking_rows.py."""
    missing = [kind for kind, rows in all_rows(busy_world().state).items() if not rows]
    assert missing == list(PARKING_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_keys_survive_msgpack_with_their_types(kind: str) -> None:
    for key, row in all_rows(busy_world().state)[kind].items():
        for value, expected in ((key, KINDS[kind].key_type), (row, KINDS[kind].row_type)):
            back = through_msgpack(value, expected)
            assert back == value
            assert repr(back) == repr(value)
        assert all(-(2**63) <= part < 2**63 for part in row if isinstance(part, int))


def test_a_rebuilt_state_is_the_same_and_goes_on_in_the_same_way() -> None:
    world = busy_world()
    rebuilt = World.__new__(World)
    rebuilt.state, rebuilt.now_us, rebuilt.ids = restored(all_rows(world.state)), world.now_us, world.ids
    rebuilt.statuses = dict(world.statuses)
    assert state_hash(rebuilt.state) == state_hash(world.state)
    assert check_invariants(rebuilt.state) == []
    assert rebuilt.book() == world.book()
    for command, who in (
        (PlaceOrder("AAPL", SELL, LIMIT, e8("25"), e4("97"), GTC), "mm"),
        (PlaceOrder("AAPL", BUY, LIMIT, e8("5"), e4("105"), GTC, "again"), "ann"),
        (PlaceOrder("AAPL", BUY, LIMIT, e8("5"), e4("105"), GTC, "second"), "ann"),
        (CancelAll(""), "ann"),
        (CancelAll(""), "mm"),
        (Deposit(1, "CARD"), "bob"),
    ):
        assert world.do(command, who).events == rebuilt.do(command, who).events
        assert state_hash(rebuilt.state) == state_hash(world.state)


def test_queues_come_back_in_the_order_of_priority() -> None:
    """Ann's replacement has the newest id and still the first place."""
    world = World()
    for who in ("ann", "bob", "cal"):
        world.open(who, cash="10000", shares="100")
    order = world.buy("ann", "10", "100")
    world.buy("bob", "10", "100")
    new = world.accepted(world.replace("ann", order, quantity="5"))
    assert new.order_id == max(world.state.orders)
    world.state = restored(all_rows(world.state))
    applied = world.place("cal", SELL, "6", "100")
    assert fills(applied) == ["5@100", "1@100"]
    first = applied.events[0]
    assert getattr(first, "buy_order_id", None) == new.order_id


def test_dirty_marks_name_all_that_changed() -> None:
    """Rows kept up to date from the marks alone equal the rows of the whole state after every kind of change."""
    world = busy_world()
    mirror = Mirror(world.state)
    order = world.sell("ann", "2", "104")
    for change in (
        lambda: world.buy("bob", "1", "104"),
        lambda: world.replace("ann", order, quantity="1.5"),
        lambda: world.cancel_all("ann"),
        lambda: world.quote("mm", [], [("3", "110")]),
        lambda: world.do(SetKillSwitch(KillScope.SYMBOL, "MSFT", on=False, reason="")),
    ):
        change()
        mirror.cut(world.state)
        assert mirror.rows == all_rows(world.state)


def test_the_hash_sees_every_row_and_the_order_of_a_queue() -> None:
    world = busy_world()
    before = state_hash(world.state)
    order = next(iter(world.state.orders.values()))
    order.priority += 1
    assert state_hash(world.state) != before
    order.priority -= 1
    assert state_hash(world.state) == before
    world.state.outside[1, "USD"] += 1
    assert state_hash(world.state) != before


def test_what_is_written_can_be_read_by_type() -> None:
    with pytest.raises(msgspec.ValidationError):
        through_msgpack(("AAPL", "x", 3), KINDS["fees"].row_type)
