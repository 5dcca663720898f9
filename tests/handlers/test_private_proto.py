"""Private channels as protobuf say what they say as JSON, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import BalanceChanged, OrderUpdated, RiskViolated
from engine.kinds import (
    AccountKind,
    CloseReason,
    LotMethod,
    OrderClass,
    OrderStatus,
    OrderType,
    RiskMode,
    RiskRule,
    Side,
    TimeInForce,
)
from engine.parking.booking_events import BookingSet
from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import BookingStatus, DecisionReason, Feature, SpaceType
from engine.state import Account, State
from engine.terms import Special, Terms
from engine.units import CASH_TOTAL_MAX_E4, PRICE_MAX_E4, QUANTITY_MAX_E8, notional_down_e4
from handlers.balance_json import BalanceEncoder
from handlers.booking_stream import BookingEncoder, BookingPacker
from handlers.busted_order_json import encode_busted_order
from handlers.envelope import encoded
from handlers.gate_stream import GateEntryEncoder, GateEntryPacker
from handlers.notifications import NotificationEncoder
from handlers.numbers import ZERO, cash, quantity
from handlers.order_json import encode_order
from handlers.private_proto import (
    HELD,
    SIGNED_MAX,
    BalancePacker,
    NotificationPacker,
    ViolationPacker,
    packed_busted_order,
    packed_order,
    packed_portfolio,
)
from handlers.valuation import HoldingJson, PortfolioJson
from handlers.violation_json import ViolationEncoder, figure_texts
from server import kerb_pb2
from server.busted_orders import OrderBusted
from server.gate_stream import GATES, GateEntry
from server.notification_text import KINDS, Severity, Topic
from server.private_channels import BALANCE, NOTIFICATIONS, ORDERS, RISK, Told
from server.private_streams import PrivateStreams, Remembered
from server.stream_proto import portfolio_frame
from sql.access_log import Entry, LogEntry
from sql.entries import Liquidity
from sql.notifications import Notification, NotificationKind
from tests.handlers.small_kerb import SmallKerb
from tests.server.proto_reader import exact_json, messages_of

ACCOUNT = 9 << 20
STATE = State()
STATE.accounts[ACCOUNT] = Account(ACCOUNT, 1_000, AccountKind.USER, "EUR")
STREAMS = PrivateStreams(
    {
        OrderUpdated: encode_order,
        OrderBusted: encode_busted_order,
        BalanceChanged: BalanceEncoder(STATE),
        Notification: NotificationEncoder(STATE),
        RiskViolated: ViolationEncoder(STATE),
        BookingSet: BookingEncoder(STATE),
        GateEntry: GateEntryEncoder(STATE),
    },
    {
        OrderUpdated: packed_order,
        OrderBusted: packed_busted_order,
        BalanceChanged: BalancePacker(STATE),
        Notification: NotificationPacker(STATE),
        RiskViolated: ViolationPacker(STATE),
        BookingSet: BookingPacker(STATE),
        GateEntry: GateEntryPacker(STATE),
    },
    10,
)

symbols = st.from_regex(r"[A-Z0-9.\-]{1,16}", fullmatch=True)
ids = st.integers(1, 2**63 - 1)
links = st.just(0) | ids
amounts = st.integers(0, CASH_TOTAL_MAX_E4)
signed = st.integers(-CASH_TOTAL_MAX_E4, CASH_TOTAL_MAX_E4)
times = st.integers(0, 253_402_300_799_999_999)


figures_or_none = st.just(0) | st.integers(1, QUANTITY_MAX_E8)
prices_or_none = st.just(0) | st.integers(1, PRICE_MAX_E4)
times_or_none = st.just(0) | times.filter(bool)
specials = st.builds(
    Special,
    st.builds(
        Terms,
        *(
            prices_or_none,
            prices_or_none,
            st.integers(0, 500_000),
            figures_or_none,
            st.booleans(),
            times_or_none,
        ),
        *(st.booleans(), amounts, st.none() | st.sampled_from(LotMethod)),
        st.lists(st.tuples(ids, st.integers(1, QUANTITY_MAX_E8)), max_size=3).map(tuple),
    ),
    *(
        st.sampled_from(OrderClass),
        links,
        st.just(0) | st.integers(3, 2**63 - 1),
        st.lists(ids, max_size=2).map(tuple),
        figures_or_none,
        st.booleans(),
    ),
    *(prices_or_none, prices_or_none, times_or_none, figures_or_none),
)
PRICED = (OrderType.LIMIT, OrderType.STOP_LIMIT)


@st.composite
def orders(draw: st.DrawFn) -> OrderUpdated:
    quantity_e8 = draw(st.integers(1, QUANTITY_MAX_E8))
    filled_e8 = draw(st.just(0) | st.integers(1, quantity_e8))
    price_e4 = draw(st.integers(1, PRICE_MAX_E4))
    created_us = draw(times)
    order_type = draw(st.sampled_from(OrderType))
    return OrderUpdated(
        draw(ids), ACCOUNT, draw(symbols), draw(st.sampled_from(Side)), order_type,
        draw(st.sampled_from(TimeInForce)), quantity_e8, price_e4 if order_type in PRICED else 0, min(price_e4, CASH_TOTAL_MAX_E4 * 10**8 // quantity_e8),
        filled_e8, notional_down_e4(price_e4, filled_e8), draw(amounts), draw(amounts),
        draw(st.sampled_from(OrderStatus)), draw(st.sampled_from(CloseReason)), created_us,
        draw(st.just(created_us) | times), draw(st.text(max_size=8)), draw(links), draw(links), draw(st.booleans()), draw(st.none() | specials),
    )  # fmt: skip


OF_ORDERS = [kind for kind in NotificationKind if KINDS[kind].topic is Topic.ORDERS]
OTHERS = [kind for kind in NotificationKind if KINDS[kind].topic is not Topic.ORDERS]
notes = st.builds(
    Notification,
    ids,
    st.just(ACCOUNT),
    times,
    st.sampled_from(OTHERS),
    reference_id=links,
    symbol=st.just("") | symbols,
    quantity_e8=st.integers(0, QUANTITY_MAX_E8),
    amount_e4=signed,
) | st.builds(
    Notification,
    ids,
    st.just(ACCOUNT),
    times,
    st.sampled_from(OF_ORDERS),
    ids,
    side=st.sampled_from(Side),
    symbol=symbols,
    quantity_e8=st.integers(1, QUANTITY_MAX_E8),
    filled_e8=st.integers(0, 1_000).map(lambda units: units * 10**8),
    amount_e4=amounts,
    reason=st.sampled_from(CloseReason),
)
seqs = st.integers(0, 2**53)


def both(channel: str, seq: int, prev_seq: int, event: Told, more: bool) -> list[Any]:
    """What is told of an event in both forms."""
    entry = Remembered(seq, prev_seq, event, None, more)
    text = STREAMS._frame(channel, entry)
    (told,) = messages_of(STREAMS._packers[type(event)](entry))
    return [exact_json(text[text.index(b'{"channel') :]), told]


@given(seqs, seqs, orders(), st.booleans())
def test_orders_are_the_same(seq: int, prev_seq: int, order: OrderUpdated, more: bool) -> None:
    text, packed = both(ORDERS, seq, prev_seq, order, more)
    assert packed == text


busts = st.builds(
    OrderBusted,
    orders(),
    *(ids, ids, st.integers(1, QUANTITY_MAX_E8), st.integers(1, PRICE_MAX_E4), amounts, amounts),
    *(st.sampled_from(Liquidity), times, times),
)


@given(seqs, seqs, busts, st.booleans())
def test_busted_orders_are_the_same(seq: int, prev_seq: int, bust: OrderBusted, more: bool) -> None:
    text, packed = both(ORDERS, seq, prev_seq, bust, more)
    assert packed == text
    order = exact_json(encode_order(bust.order))
    assert {name: value for name, value in text["data"].items() if name != "bust"} == order


@given(seqs, seqs, st.builds(BalanceChanged, st.just(ACCOUNT), signed, amounts), st.booleans())
def test_balances_are_the_same(seq: int, prev_seq: int, balance: BalanceChanged, more: bool) -> None:
    text, packed = both(BALANCE, seq, prev_seq, balance, more)
    assert packed == text


violations = st.builds(
    RiskViolated,
    ids,
    st.sampled_from(RiskRule),
    st.sampled_from((RiskMode.FLAG, RiskMode.BLOCK)),
    st.just(ACCOUNT),
    symbols,
    links,
    st.sampled_from(Side),
    st.integers(1, QUANTITY_MAX_E8),
    st.integers(1, PRICE_MAX_E4),
    st.dictionaries(
        st.sampled_from(("quantity_e8", "value_e4", "orders", "counterparty_id", "trade_id")), ids
    ).map(lambda figures: tuple(figures.items())),
    times,
)


@given(seqs, seqs, violations, st.booleans())
def test_violations_are_the_same(seq: int, prev_seq: int, violation: RiskViolated, more: bool) -> None:
    """Figures, whose names differ from rule to rule, are pairs of name and text."""
    text, packed = both(RISK, seq, prev_seq, violation, more)
    figures = {each["name"]: each["value"] for each in packed["data"].pop("figures")}
    assert figures == dict(figure_texts(violation.figures))
    told = text["data"].pop("figures")
    assert {name: Decimal(value) for name, value in figures.items() if "_" not in value} == {
        name: value for name, value in told.items() if not isinstance(value, str)
    }
    assert packed == text


@given(seqs, seqs, notes, st.booleans())
def test_notifications_are_the_same(seq: int, prev_seq: int, note: Notification, more: bool) -> None:
    text, packed = both(NOTIFICATIONS, seq, prev_seq, note, more)
    assert packed == text


whole_entries = st.builds(
    LogEntry,
    kind=st.just(Entry.DECISION),
    gate=st.just("in"),
    said_us=st.just(-1) | times,
    n=links,
    vehicle_id=links,
    lane=st.integers(0, 64),
    reason=st.sampled_from(DecisionReason),
    credential=st.just(0) | st.sampled_from(CredentialKind),
    what=st.text(max_size=8),
    space=st.sampled_from(("", "B2-014")),
) | st.builds(
    LogEntry,
    kind=st.sampled_from((Entry.CONNECTED, Entry.LOST, Entry.ORDER)),
    gate=st.sampled_from(("in", "")),
    operator_id=links,
    reason=st.integers(1, 4),
    what=st.text(max_size=8),
)
gate_entries = st.builds(GateEntry, links, st.just("P1"), times, whole_entries, links, links)


@given(seqs, seqs, gate_entries, st.booleans())
def test_gate_entries_are_the_same(seq: int, prev_seq: int, told: GateEntry, more: bool) -> None:
    text, packed = both(GATES, seq, prev_seq, told, more)
    assert packed == text


figures = st.integers(-(SIGNED_MAX // 100), SIGNED_MAX // 100).map(lambda figure: figure * 100)
numbers = {"e8": figures.map(quantity), "e4": figures.map(cash), "e2": figures.map(cash)}
"""A percentage has two decimals, as such an amount of cash has."""


def records(message: Any, **more: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Every figure that a message has, as a member of its JSON record."""
    named = (field.name.rpartition("_") for field in message.DESCRIPTOR.fields)
    return {name: numbers[suffix] for name, _, suffix in named if suffix in numbers} | more


holdings = st.builds(HoldingJson, **records(kerb_pb2.Holding, symbol=symbols, name=st.text(max_size=20)))
portfolios = st.builds(
    PortfolioJson,
    **records(kerb_pb2.Portfolio, currency=st.just("EUR"), holdings=st.lists(holdings, max_size=2)),
)


@given(seqs, portfolios)
def test_portfolios_are_the_same(seq: int, worth: PortfolioJson) -> None:
    frame = portfolio_frame(seq, packed_portfolio(worth))
    assert frame[0] == 0x82
    head = 2 if frame[1] < 126 else 4
    (told,) = messages_of(frame[head:])
    assert told == {"channel": "portfolio", "seq": seq, "data": exact_json(bytes(encoded(worth)))}


def test_a_figure_that_64_bits_do_not_hold_is_the_closest_that_they_do() -> None:
    holding: dict[str, Any] = dict.fromkeys(HoldingJson.__struct_fields__, ZERO)
    holding |= {
        "quantity": quantity(2**70),
        "available_quantity": quantity(-(2**70)),
        "symbol": "A",
        "name": "A",
    }
    worth: dict[str, Any] = dict.fromkeys(PortfolioJson.__struct_fields__, ZERO)
    worth |= {"currency": "USD", "holdings": [HoldingJson(**holding)]}
    packed = packed_portfolio(PortfolioJson(**worth))
    (told,) = kerb_pb2.Portfolio.FromString(packed).holdings
    assert (told.quantity_e8, told.available_quantity_e8) == (SIGNED_MAX, -SIGNED_MAX)


@pytest.mark.parametrize(
    ("kinds", "packed", "prefix"),
    [
        (Side, kerb_pb2.Side, "SIDE_"),
        (OrderType, kerb_pb2.OrderType, "ORDER_TYPE_"),
        (TimeInForce, kerb_pb2.TimeInForce, "TIME_IN_FORCE_"),
        (OrderStatus, kerb_pb2.OrderStatus, "ORDER_STATUS_"),
        (CloseReason, kerb_pb2.CloseReason, "CLOSE_REASON_"),
        (NotificationKind, kerb_pb2.NotificationKind, "NOTIFICATION_KIND_"),
        (Liquidity, kerb_pb2.Liquidity, "LIQUIDITY_"),
        (OrderClass, kerb_pb2.OrderClass, "ORDER_CLASS_"),
        (LotMethod, kerb_pb2.LotMethod, "LOT_METHOD_"),
        (BookingStatus, kerb_pb2.BookingStatus, "BOOKING_STATUS_"),
        (SpaceType, kerb_pb2.SpaceType, "SPACE_TYPE_"),
        (Feature, kerb_pb2.Feature, "FEATURE_"),
        (Entry, kerb_pb2.GateEntryKind, "GATE_ENTRY_KIND_"),
        (CredentialKind, kerb_pb2.GateCredential, "GATE_CREDENTIAL_"),
    ],
)
def test_a_vocabulary_has_the_numbers_of_the_engine(kinds: type[Enum], packed: Any, prefix: str) -> None:
    names = {
        name.removeprefix(prefix): number
        for name, number in packed.items()
        if number or name.endswith(("_NONE", "_SIMPLE"))
    }
    assert names == {member.name: HELD if member.name == "HELD" else member.value for member in kinds}


@pytest.mark.parametrize(("kinds", "packed"), [(Topic, kerb_pb2.Topic), (Severity, kerb_pb2.Severity)])
def test_a_vocabulary_of_words_is_whole(kinds: type[Enum], packed: Any) -> None:
    prefix = f"{kinds.__name__.upper()}_"
    assert {name.removeprefix(prefix) for name, number in packed.items() if number} == {
        member.value for member in kinds
    }


async def test_every_private_channel_has_both_forms(small: SmallKerb) -> None:
    private = small.services.hub.private
    assert set(private._packers) == set(private._encoders) == set(get_args(Told))
