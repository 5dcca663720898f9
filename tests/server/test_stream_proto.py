"""Market data as protobuf says what it says as JSON, to the last digit, and each form is made only for who wants it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kinds import PriceSource, Side
from server import kerb_pb2
from server.candle_streams import ToldCandle
from server.cohorts import CHANNELS, FRAMES
from server.depth_log import BookLevel, DepthStep
from server.market_types import Candle, Interval
from server.stream_json import (
    candle_fragment,
    candles_message,
    depth_fragment,
    depth_message,
    quote_fragment,
    quotes_message,
    trade_fragment,
    trades_message,
)
from server.stream_proto import (
    UNSIGNED_MAX,
    packed_candle,
    packed_depth,
    packed_quote,
    packed_trade,
    portfolio_frame,
)
from server.symbol_view import MarketTrade, SymbolView
from server.wire import Wire
from tests.server.market_records import book, trade
from tests.server.proto_reader import exact_json, messages_of
from tests.server.stream_client import BINARY, TEXT
from tests.server.stream_market import Connect, Market, until

PROTO_TEXT = Path(kerb_pb2.__file__).with_name("kerb.proto").read_text()

symbols = st.from_regex(r"[A-Z0-9.\-]{1,16}", fullmatch=True)
counts = st.integers(0, 2**62)
prices = st.integers(1, 10**13)
quantities = st.one_of(st.integers(0, 10**6).map(lambda units: units * 10**8), st.integers(0, UNSIGNED_MAX))
times = st.integers(0, 253_402_300_800_000_000)
levels = st.lists(st.tuples(prices, quantities, st.integers(0, 10**9)), max_size=4).map(tuple)


@st.composite
def views(draw: st.DrawFn) -> SymbolView:
    view = SymbolView(draw(symbols))
    view.price_source = PriceSource.TAPE
    none_yet = st.just(0)
    view.last_e4 = draw(none_yet | prices)
    view.previous_close_e4 = draw(none_yet | prices)
    view.volume_e8 = draw(quantities)
    view.tape = (
        draw(none_yet | prices), draw(quantities), draw(none_yet | prices), draw(quantities)
    )  # fmt: skip
    view.timestamp_us = draw(times)
    view.stale = draw(st.booleans())
    view.version = draw(counts)
    return view


market_trades = st.builds(
    MarketTrade, counts, counts, symbols, prices, quantities, st.sampled_from((0, *map(int, Side))), times
)
steps = st.builds(
    DepthStep, symbols, st.integers(-1, 2**62), counts, levels, levels, st.integers(0, 2**32 - 1)
)
candles = st.builds(
    ToldCandle,
    counts,
    symbols,
    st.sampled_from([interval.value for interval in Interval]),
    st.builds(Candle, times, prices, prices, prices, prices, quantities, counts),
    st.booleans(),
)


def one(packed: bytes) -> dict[str, Any]:
    (message,) = messages_of(packed)
    return message


@given(st.lists(views(), min_size=1, max_size=3))
def test_quotes_are_the_same(quoted: list[SymbolView]) -> None:
    said = exact_json(quotes_message([quote_fragment(view) for view in quoted]))
    assert one(b"".join([packed_quote(view) for view in quoted])) == said


@given(st.lists(market_trades, min_size=1, max_size=3))
def test_trades_are_the_same(trades: list[MarketTrade]) -> None:
    said = exact_json(trades_message([trade_fragment(trade) for trade in trades]))
    assert one(b"".join([packed_trade(trade) for trade in trades])) == said


@given(st.lists(steps, min_size=1, max_size=3))
def test_books_are_the_same(taken: list[DepthStep]) -> None:
    said = exact_json(depth_message([depth_fragment(step) for step in taken]))
    assert one(b"".join([packed_depth(step) for step in taken])) == said


@given(st.lists(candles, min_size=1, max_size=3))
def test_candles_are_the_same(told: list[ToldCandle]) -> None:
    said = exact_json(candles_message([candle_fragment(candle) for candle in told]))
    assert one(b"".join([packed_candle(candle) for candle in told])) == said


def test_a_quantity_that_64_bits_do_not_hold_is_the_greatest_they_do() -> None:
    beyond: BookLevel = (1, 2**70, 1)
    view = SymbolView("DUST")
    view.price_source = PriceSource.TAPE
    view.volume_e8, view.tape = 2**70, (1, 2**70, 1, 2**70)
    packed = (
        packed_quote(view)
        + packed_trade(MarketTrade(1, 1, "DUST", 1, 2**70, 0, 0))
        + packed_depth(DepthStep("DUST", -1, 1, (beyond,), (beyond,), 0))
        + packed_candle(ToldCandle(1, "DUST", "1m", Candle(0, 1, 1, 1, 1, 2**70, 1), closed=False))
    )
    data = kerb_pb2.Data.FromString(packed)
    (quote,), (printed,), (depth,), (candle,) = data.quotes, data.trades, data.depth, data.candles
    told = [quote.volume_e8, quote.bid_size_e8, quote.ask_size_e8, printed.quantity_e8, candle.volume_e8]
    told += [level.quantity_e8 for level in (*depth.bids, *depth.asks)]
    assert told == [UNSIGNED_MAX] * 7


def test_every_public_channel_has_a_frame_in_every_form() -> None:
    assert set(FRAMES) == set(Wire)
    for frames in FRAMES.values():
        assert tuple(frames) == CHANNELS


async def test_clients_of_both_forms_see_the_same_market(market: Market, connect: Connect) -> None:
    texts, reader = await connect()
    packed, binary_reader = await connect()
    packed.wire = Wire.PROTO
    for outlet in (texts, packed):
        market.follow(outlet, "AAPL", "TSLA", trades=True)
        market.hub.follow_market(outlet, {"depth": {"AAPL": market.view.symbols["AAPL"].depth}}, 100)
    seen: list[Any] = []
    for round_ in range(3):
        market.happens(book("AAPL", (Side.BUY, 17_000 + round_, 5, 1)), trade("AAPL", 17_550 + round_, 2))
        market.happens(trade("TSLA", 20_000 + round_, 3, taker=Side.SELL))
        for outlet in (texts, packed):  # whose turn it is would have nothing to do with what they are told
            outlet.write(outlet.cohort.frame(outlet.seen))
            outlet.seen = market.view.changes
    for _ in range(2 + 3 * 3):  # two snapshots, then quotes, trades and depth of each round
        text, binary = await reader.frame(), await binary_reader.frame()
        assert (text.opcode, binary.opcode) == (TEXT, BINARY)
        (said,) = messages_of(binary.payload)
        assert said == exact_json(text.payload)
        seen.append(said["channel"])
    assert seen == ["quotes", "depth", *["quotes", "trades", "depth"] * 3]


async def test_a_form_that_nobody_wants_is_not_made(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    market.follow(outlet, "AAPL", trades=True)
    await client.frame()
    market.happens(trade("AAPL", 17_550, 2))
    await client.frame()
    view = market.view.symbols["AAPL"]
    assert (view.fragment is None, view.packed, view.trades[-1].packed) == (False, b"", None)

    outlet.wire = Wire.PROTO
    market.follow(outlet, "AAPL", trades=True)
    market.happens(trade("AAPL", 17_551, 2))
    await until(lambda: view.trades[-1].packed)
    assert (view.fragment, view.trades[-1].fragment, view.packed_at) == (None, None, view.changed_at)


async def test_what_was_packed_is_shared_until_it_changes(market: Market, connect: Connect) -> None:
    for _ in range(2):
        outlet, _ = await connect()
        outlet.wire = Wire.PROTO
        market.follow(outlet, "AAPL")
    view = market.view.symbols["AAPL"]
    first = view.packed
    (cohort, *_) = market.hub.wheel.cohorts.values()
    cohort.frame(-1)
    assert view.packed is first
    market.happens(trade("AAPL", 17_550, 2))
    cohort.frame(-1)
    assert view.packed is not first


def test_a_portfolio_carries_its_sequence() -> None:
    packed = kerb_pb2.Portfolio(currency="USD", total_value_e4=-5).SerializeToString()
    frame = portfolio_frame(4711, packed)
    message = one(frame[2:])
    assert frame[0] == 0x82
    assert (message["channel"], message["seq"], message["data"]["currency"]) == ("portfolio", 4711, "USD")


FIELD = re.compile(r"^  (repeated |optional )?(\w+) (\w+) = (\d+);$", re.MULTILINE)
VALUE = re.compile(r"^  ([A-Z0-9_]+) = (\d+);$", re.MULTILINE)
KINDS = {"string": 9, "uint64": 4, "sint64": 18, "bool": 8, "fixed32": 7}


def test_the_generated_code_is_that_of_the_published_text() -> None:
    """Every message, enum, member, type and number; `make proto` writes the one from the other."""
    blocks = re.findall(r"^(message|enum) (\w+) \{\n(.*?)^\}$", PROTO_TEXT, re.MULTILINE | re.DOTALL)
    file = kerb_pb2.DESCRIPTOR
    assert {name for kind, name, _ in blocks if kind == "message"} == set(file.message_types_by_name)
    assert {name for kind, name, _ in blocks if kind == "enum"} == set(file.enum_types_by_name)
    assert PROTO_TEXT.count(";\n") == len(FIELD.findall(PROTO_TEXT)) + len(VALUE.findall(PROTO_TEXT)) + 2
    for kind, name, body in blocks:
        if kind == "enum":
            told = [(value.name, value.number) for value in file.enum_types_by_name[name].values]
            assert [(value, int(number)) for value, number in VALUE.findall(body)] == told
            continue
        fields = file.message_types_by_name[name].fields
        assert len(fields) == len(FIELD.findall(body)), name
        for (label, type_, member, number), field in zip(FIELD.findall(body), fields, strict=True):
            assert (member, int(number)) == (field.name, field.number)
            assert (label == "repeated ") == field.is_repeated
            named = field.message_type or field.enum_type
            assert type_ == named.name if named is not None else KINDS[type_] == field.type
            is_message = field.message_type is not None
            assert (label == "optional ") == (field.has_presence and not is_message), field.full_name


@pytest.mark.parametrize("line", ["package kerb.v1;", 'syntax = "proto3";'])
def test_the_published_text_names_its_package(line: str) -> None:
    assert line in PROTO_TEXT
    assert kerb_pb2.DESCRIPTOR.package == "kerb.v1"
