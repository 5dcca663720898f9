"""The engine's state as rows: every field is mapped, every aggregate comes back, every change is written."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import msgpack
from msgspec.structs import replace

from engine.aggregates import DERIVED, DERIVED_FIELDS, KINDS, STORED, rebuild
from engine.apply import apply
from engine.commands import (
    AnyCommand,
    CancelAll,
    DeclareDividend,
    Deposit,
    Envelope,
    FireTimer,
    OpenAccount,
    PlaceOrder,
    RequestWithdrawal,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetKillSwitch,
    SetLimits,
    SetRiskRule,
    SetSettlement,
    TransferIn,
)
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.events import AccountOpened, AnyEvent, Traded
from engine.kinds import (
    AccountKind,
    KillScope,
    OrderClass,
    OrderType,
    PriceSource,
    RiskMode,
    RiskRule,
    Side,
    Source,
    TimeInForce,
    TimerKind,
)
from engine.orders import Order
from engine.parking.rows import PARKING_KINDS
from engine.risk_figures import DEFAULTS
from engine.rows import row_of
from engine.state import DIRTY_KINDS, State
from engine.state_hash import state_hash
from engine.terms import Leg
from engine.units import IDS_PER_SEQ, MINUTE_US
from sql.state_rows import (
    LatestRows,
    cut_state,
    decode_row,
    forget_unseen,
    load_aggregate,
    merge_back,
)
from tests.engine.bust_facts import facts_of
from tests.engine.parking.busy_parking import busy_parking

NOW_US = 1_700_000_000_000_000
UNIT_E8 = 10**8


class Engine:
    """An engine, and what a database would hold of it."""

    def __init__(self) -> None:
        self.state = State()
        self.stored: dict[tuple[str, bytes], bytes] = {}
        self.applied_seq = 0
        self.events: tuple[AnyEvent, ...] = ()

    def do(self, command: AnyCommand, account_id: int = 0, key: str = "") -> tuple[object, ...]:
        envelope = Envelope(Source.HTTP, account_id or 1, account_id, "", key, b"d" if key else b"")
        applied = apply(self.state, envelope, command, NOW_US + self.state.seq)
        assert applied.refused is None, applied.refused
        self.events = applied.events
        return applied.answer

    def write(self) -> None:
        cut = cut_state(self.state, self.applied_seq)
        for kind, key, row in cut.changes:
            stored_key = (kind, msgpack.encode(key))
            if row is None:
                self.stored.pop(stored_key, None)
            else:
                self.stored[stored_key] = msgpack.encode(row)
        self.applied_seq = cut.seq

    def read(self) -> State:
        state = State()
        for kind in KINDS:
            for (stored_kind, key), body in sorted(self.stored.items()):
                if stored_kind == kind:
                    load_aggregate(state, kind, key, body)
        rebuild(state)
        return state


@pytest.fixture
def engine() -> Engine:
    """At least one aggregate of each kind."""
    engine = Engine()
    engine.do(SetLimits(10**15, 10**14, 100, 500, 100, 1_000, 86_400_000_000))
    engine.do(SetCalendar("ALWAYS", ((1, 10**16),)))
    for rule in (RiskRule.RAPID_TRADING, RiskRule.UNUSUAL_VOLUME, RiskRule.PDT_VIOLATION):
        engine.do(SetRiskRule(rule, RiskMode.FLAG, DEFAULTS[rule]))
    engine.do(SetFees("standard", 1_000, 2_000, ((1, 900, 1_900),)))
    terms = (100, 10**6, 100, 10**8, 10**6, "ALWAYS", PriceSource.OWN, 5_000, "standard")
    engine.do(SetInstrument("AAPL", "Apple", "USD", *terms))
    engine.do(SetInstrument("TSLA", "Tesla", "USD", *terms))
    for user_id in (1_001, 1_002):
        opened = engine.do(OpenAccount(user_id, AccountKind.USER, "USD"))[0]
        assert isinstance(opened, AccountOpened)
        engine.do(Deposit(10**10, "CARD"), opened.account_id)
        engine.do(TransferIn(opened.account_id, "AAPL", 100 * UNIT_E8, 10**8))
    first, second = engine.state.accounts
    buy = PlaceOrder("AAPL", Side.BUY, OrderType.LIMIT, 3 * UNIT_E8, 10**6, TimeInForce.GTC, "mine")
    sell = PlaceOrder("AAPL", Side.SELL, OrderType.LIMIT, 2 * UNIT_E8, 10**6, TimeInForce.GTC)
    engine.do(buy, first, "key-1")
    engine.do(sell, second, "key-2")
    (fill,) = (event for event in engine.events if isinstance(event, Traded))
    stop = Leg(OrderType.STOP_LOSS, stop_e4=900_000)
    pair = replace(sell, price_e4=1_100_000, order_class=OrderClass.OCO, legs=(stop,))
    engine.do(pair, second)
    settle_later(engine, second)
    engine.do(DeclareDividend(7, "AAPL", 10**6, NOW_US + engine.state.seq, NOW_US * 2))
    engine.do(FireTimer(engine.state.timer_ids[TimerKind.DIVIDEND, "7"]))
    engine.do(DeclareAction(8, ActionKind.SPLIT, "TSLA", NOW_US * 2 // MINUTE_US * MINUTE_US, 2, 1))
    engine.do(RequestWithdrawal(5_000), first)
    engine.do(SetKillSwitch(KillScope.SYMBOL, "TSLA", on=True, reason="test"))
    engine.do(facts_of(fill, NOW_US + fill.trade_id // IDS_PER_SEQ - 1))
    return engine


def cancel_all(engine: Engine) -> None:
    for account_id in list(engine.state.accounts):
        engine.do(CancelAll(""), account_id)


def settle_later(engine: Engine, other: int) -> None:
    """Somebody who has only shares sells one, and buys for a part of what that brings before it has settled."""
    engine.do(SetSettlement("ALWAYS", 1))
    opened = engine.do(OpenAccount(1_003, AccountKind.USER, "USD"))[0]
    assert isinstance(opened, AccountOpened)
    engine.do(TransferIn(opened.account_id, "TSLA", UNIT_E8, 10**6))
    engine.do(TransferIn(other, "TSLA", UNIT_E8, 10**6))
    for side, units_e8 in ((Side.BUY, UNIT_E8), (Side.SELL, UNIT_E8 // 2)):
        sides = (side, Side.SELL if side is Side.BUY else Side.BUY)
        for account_id, each in zip((other, opened.account_id), sides, strict=True):
            order = PlaceOrder("TSLA", each, OrderType.LIMIT, units_e8, 10**6, TimeInForce.GTC)
            engine.do(order, account_id)


def test_every_field_of_the_state_is_stored_or_derived() -> None:
    assert STORED.keys() | DERIVED == set(State.__slots__)
    assert not STORED.keys() & DERIVED
    assert {*STORED.values(), *PARKING_KINDS, "position"} == KINDS.keys()  # positions hang on their accounts


def test_every_kind_has_its_place_among_the_changes() -> None:
    assert set(DIRTY_KINDS) == KINDS.keys()


def test_every_kind_is_written_and_comes_back(engine: Engine) -> None:
    engine.write()
    assert {kind for kind, _ in engine.stored} == KINDS.keys() - PARKING_KINDS.keys()
    assert state_hash(engine.read()) == state_hash(engine.state)


def test_each_aggregate_comes_back_as_it_was_typed(engine: Engine) -> None:
    for kind, each in KINDS.items():
        for key in each.keys(engine.state):
            row = each.dump(engine.state, key)
            assert decode_row(kind, msgpack.encode(key), msgpack.encode(row)) == (key, row)


def test_only_what_changed_is_cut(engine: Engine) -> None:
    engine.write()
    first = next(iter(engine.state.accounts))
    engine.do(Deposit(1, "CARD"), first)
    cut = cut_state(engine.state, engine.applied_seq)
    assert {(kind, key) for kind, key, _ in cut.changes} == {
        ("clock", "clock"),
        ("account", first),
        ("outside", (1, "USD")),
    }


def test_the_changes_of_a_cut_are_a_sequence(engine: Engine) -> None:
    changes = cut_state(engine.state, 0).changes
    each = list(changes)
    assert len(changes) == len(each) > 4
    assert [changes[at] for at in range(len(each))] == each
    assert list(changes[1:-1]) == each[1:-1]
    changes.clear()
    assert not changes


def test_a_cut_is_of_its_sequence_however_far_the_engine_goes_on(engine: Engine) -> None:
    engine.write()
    first = next(iter(engine.state.accounts))
    engine.do(Deposit(1, "CARD"), first)
    cash_e4 = engine.state.accounts[first].cash_e4
    cut = cut_state(engine.state, engine.applied_seq)
    engine.do(Deposit(1, "CARD"), first)
    (row,) = (row for kind, _, row in cut.changes if kind == "account")
    assert row is not None
    assert cash_e4 in row
    assert cut.seq == engine.state.seq - 1


def test_what_is_gone_is_deleted(engine: Engine) -> None:
    engine.write()
    assert any(kind == "order" for kind, _ in engine.stored)
    cancel_all(engine)
    engine.write()
    assert not any(kind == "order" for kind, _ in engine.stored)
    assert state_hash(engine.read()) == state_hash(engine.state)


def test_a_cut_that_was_not_written_is_merged_back(engine: Engine) -> None:
    lost = cut_state(engine.state, 0)
    cancel_all(engine)
    merge_back(engine.state, lost)
    engine.write()
    assert state_hash(engine.read()) == state_hash(engine.state)


def test_what_came_and_went_since_the_watermark_leaves_no_trace(engine: Engine) -> None:
    cancel_all(engine)
    assert engine.state.dirty["order"]
    forget_unseen(engine.state, 0)
    assert not engine.state.dirty["order"]


def test_what_came_and_went_at_a_car_park_leaves_no_trace_either() -> None:
    """A lane's timer is armed by a scan and dropped by the passage; a stay may be as short."""
    world = busy_parking()
    state = world.state
    cut_state(state, 0)
    applied_seq = state.seq
    world.enter("EVE1")
    world.leave("EVE1")
    gone = {kind: list(state.dirty[kind]) for kind in ("stay", "timer")}
    assert all(gone.values())
    assert not any(key in state.parking.stays for key in gone["stay"])
    forget_unseen(state, state.seq)
    assert {kind: list(state.dirty[kind]) for kind in gone} == gone, "the database may know them"
    forget_unseen(state, applied_seq)
    assert not state.dirty["stay"]
    assert not state.dirty["timer"].keys() - state.timers.keys()


def test_what_the_database_knows_is_not_forgotten(engine: Engine) -> None:
    engine.write()
    order_ids = set(engine.state.orders)
    cancel_all(engine)
    forget_unseen(engine.state, engine.applied_seq)
    assert set(engine.state.dirty["order"]) == order_ids


def test_changes_are_mirrored_in_the_readable_tables(engine: Engine) -> None:
    cut = cut_state(engine.state, 0)
    rows = LatestRows(cut.seq)
    rows.add(cut.changes)
    assert len(rows.state) + len(rows.state_gone) == len(cut.changes)
    assert (len(rows.wallets), len(rows.holdings), len(rows.instruments)) == (5, 6, 2)
    assert len(rows.lots) == len(engine.state.lots)


def test_a_damaged_row_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"Expected `array`|malformed"):
        load_aggregate(State(), "account", msgpack.encode(1), b"\x90")
    with pytest.raises(ValueError, match=r"Expected `array`|malformed"):
        load_aggregate(State(), "account", msgpack.encode(1), b"\xc1")


def test_a_row_from_before_its_last_fields_existed_has_their_defaults(engine: Engine) -> None:
    """Orders of engine version 3 said nothing of their terms."""
    order_id = next(iter(engine.state.orders))
    key, row = msgpack.encode(order_id), KINDS["order"].dump(engine.state, order_id)
    assert row is not None
    kept = row_of(Order, DERIVED_FIELDS[Order]).fields.index("special")
    older = (order_id, (*row[:kept], *KINDS["order"].defaults[kept - len(row) :]))
    assert decode_row("order", key, msgpack.encode(row[:kept])) == older
    with pytest.raises(msgspec.ValidationError, match="Expected `array` of length"):
        decode_row("order", key, msgpack.encode(row[:10]))
