"""Numbers cross the border exactly, or are refused; they are never rounded."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from engine.refusals import Refusal
from handlers.numbers import (
    cash,
    is_absent,
    percent,
    quantity,
    ratio_bps,
    read_amount_e4,
    read_price_e4,
    read_quantity_e8,
    scaled,
)
from server.errors import BadRequest, RefusedAtBorder


@pytest.mark.parametrize(
    ("text", "price_e4"),
    [
        (b"175.5", 1_755_000),
        (b'"175.50"', 1_755_000),
        (b"175.50000000", 1_755_000),
        (b"1.755e2", 1_755_000),
        (b"17550E-2", 1_755_000),
        (b'"1e2"', 1_000_000),
        (b"0", 0),
        (b"-0", 0),
        (b"0.0001", 1),
        (b"-3", -30_000),
        (b"0e999", 0),
        (b'"\\u0031"', 10_000),
        (b"1000000000", 10_000_000_000_000),
    ],
)
def test_a_price_is_read_exactly(text: bytes, price_e4: int) -> None:
    assert read_price_e4(Raw(text)) == price_e4


@pytest.mark.parametrize(
    "text",
    [
        b'"abc"', b'""', b"true", b"null", b"{}", b"[]", b"[1]", b'"NaN"', b'"Infinity"', b'"-inf"', b'"1_000"',
        b'" 1"', b'"1,5"', b'"0x10"', b'"+1"', b'"1."', b'".5"', b'"1e"', b'"1e9999"', b'"\xef\xbc\x91"',
        b'"\\ud800"', b'"' + b"1" * 5_000 + b'"', b"1" * 5_000, b'"--1"', b'"1 "', b'"1\\u0000"',
    ],
)  # fmt: skip
def test_what_is_no_number_is_a_bad_request_that_names_the_field(text: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        read_price_e4(Raw(text), "price")
    assert refused.value.field == "price"


@pytest.mark.parametrize(
    ("read", "text", "refusal"),
    [
        (read_price_e4, b"1.00001", Refusal.INVALID_TICK_SIZE),
        (read_price_e4, b"1e-5", Refusal.INVALID_TICK_SIZE),
        (read_price_e4, b"1e-999", Refusal.INVALID_TICK_SIZE),
        (read_price_e4, b"1e30", Refusal.INVALID_PRICE),
        (read_price_e4, b"1000000000.0001", Refusal.INVALID_PRICE),
        (read_quantity_e8, b"0.000000001", Refusal.INVALID_LOT_SIZE),
        (read_quantity_e8, b"99999999999999999999", Refusal.INVALID_QUANTITY),
        (read_amount_e4, b"0.12345", Refusal.INVALID_AMOUNT),
        (read_amount_e4, b"1e20", Refusal.INVALID_AMOUNT),
    ],
)
def test_what_the_engine_cannot_express_is_refused_in_its_words(
    read: Callable[[Raw], int], text: bytes, refusal: Refusal
) -> None:
    with pytest.raises(RefusedAtBorder) as refused:
        read(Raw(text))
    assert refused.value.refusal is refusal


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=6))
def test_scaling_agrees_with_exact_fractions(number: Decimal) -> None:
    exact = Fraction(number) * 10_000
    for text in (f"{number:f}", f'"{number:f}"', f"{number:e}"):
        found = scaled(Raw(text.encode()), "x", 4)
        assert found == (exact if exact.denominator == 1 else None)


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_what_is_written_is_read_back(figure: int) -> None:
    assert scaled(cash(figure), "x", 4) == figure
    assert scaled(quantity(figure), "x", 8) == figure


def test_absent_and_null_are_the_same() -> None:
    assert is_absent(Raw(b""))
    assert is_absent(Raw(b"null"))
    assert not is_absent(Raw(b"0"))


@pytest.mark.parametrize(
    ("part", "whole", "bps", "text"),
    [
        (175, 10_000, 175, b"1.75"),
        (1, 3, 3_333, b"33.33"),
        (-1, 3, -3_333, b"-33.33"),
        (1, 20_000, 1, b"0.01"),
        (-1, 20_000, -1, b"-0.01"),
        (1, 20_001, 0, b"0.00"),
        (5, 0, 0, b"0.00"),
        (-1, -2, 5_000, b"50.00"),
    ],
)
def test_percentages_round_halves_away_from_zero(part: int, whole: int, bps: int, text: bytes) -> None:
    assert ratio_bps(part, whole) == bps
    assert bytes(percent(part, whole)) == text
