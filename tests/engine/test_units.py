"""Every rounding, by value and by property: parts never exceed the whole."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kinds import OrderType, SelfTradePrevention, Side, TimeInForce
from engine.orders import Order, buy_hold_e4, fee_due_e4
from engine.units import (
    PRICE_MAX_E4,
    QUANTITY_MAX_E8,
    average_price_e4,
    band_down_e4,
    band_up_e4,
    cost_share_e4,
    fee_parts_up_e4,
    notional_down_e4,
    notional_up_e4,
    tick_down_e4,
    tick_up_e4,
    worst_cost_up_e4,
)

prices = st.integers(1, PRICE_MAX_E4)
quantities = st.integers(1, QUANTITY_MAX_E8)
amounts = st.integers(0, 10**18)
rates = st.integers(0, 100_000)

ROUNDINGS = [
    (notional_down_e4(12_345, 10**6), 123),  # 1.2345 times 0.01 is 0.012345
    (notional_up_e4(12_345, 10**6), 124),
    (notional_down_e4(10_000, 10**8), 10_000),
    (notional_up_e4(10_000, 10**8), 10_000),
    (fee_parts_up_e4(0, 0, 1, 1), 1),
    (fee_parts_up_e4(0, 0, 0, 100_000), 0),
    (fee_parts_up_e4(0, 0, 1_000_000, 333), 333),
    (fee_parts_up_e4(0, 0, 1_000_001, 333), 334),
    (fee_parts_up_e4(1, 500_000, 1, 500_000), 1),
    (fee_parts_up_e4(1, 0, 1, 1), 1),
    (worst_cost_up_e4(12_345, 10**6, 0, 333), 125),
    (worst_cost_up_e4(12_345, 0, 1_000_001, 333), 334),
    (band_up_e4(10_001, 500), 10_501),  # 10 501.05
    (band_down_e4(10_001, 500), 9_501),  # 9 500.95
    (tick_down_e4(10_099, 100), 10_000),
    (tick_up_e4(10_001, 100), 10_100),
    (tick_down_e4(10_000, 100), 10_000),
    (tick_up_e4(10_000, 100), 10_000),
    (cost_share_e4(100, 1, 3), 33),
    (cost_share_e4(100, 3, 3), 100),
    (average_price_e4(0, 0), 0),
    (average_price_e4(100, 2 * 10**8), 50),
    (average_price_e4(101, 2 * 10**8), 51),  # 50.5
    (average_price_e4(301, 4 * 10**8), 75),  # 75.25
]


@pytest.mark.parametrize(("rounded", "expected"), ROUNDINGS)
def test_each_rounding_goes_its_way(rounded: int, expected: int) -> None:
    assert rounded == expected


@given(prices, quantities)
def test_a_notional_lies_between_its_roundings(price_e4: int, quantity_e8: int) -> None:
    exact = Fraction(price_e4 * quantity_e8, 10**8)
    assert notional_down_e4(price_e4, quantity_e8) == floor(exact)
    assert notional_up_e4(price_e4, quantity_e8) == ceil(exact)


@given(amounts, amounts, rates, rates)
def test_a_fee_at_two_rates_is_at_most_that_at_the_higher(
    maker_e4: int, taker_e4: int, maker_ppm: int, taker_ppm: int
) -> None:
    fee_e4 = fee_parts_up_e4(maker_e4, maker_ppm, taker_e4, taker_ppm)
    assert 0 <= fee_e4 <= ceil(Fraction((maker_e4 + taker_e4) * max(maker_ppm, taker_ppm), 10**6))


@given(prices, st.integers(1, 9_999), st.integers(1, 10**6))
def test_bands_and_ticks_are_rounded_towards_the_price(price_e4: int, bps: int, tick_e4: int) -> None:
    assert Fraction(price_e4 * (10_000 - bps), 10_000) <= band_down_e4(price_e4, bps) <= price_e4
    assert price_e4 <= band_up_e4(price_e4, bps) <= Fraction(price_e4 * (10_000 + bps), 10_000)
    assert price_e4 - tick_e4 < tick_down_e4(price_e4, tick_e4) <= price_e4
    assert price_e4 <= tick_up_e4(price_e4, tick_e4) < price_e4 + tick_e4
    assert tick_down_e4(price_e4, tick_e4) % tick_e4 == tick_up_e4(price_e4, tick_e4) % tick_e4 == 0


@given(amounts, st.lists(st.integers(1, 10**12), min_size=1, max_size=20))
def test_the_shares_of_a_cost_are_the_cost(cost_e4: int, parts: list[int]) -> None:
    """However a lot is sold, what its parts had cost sums to what it had cost."""
    left_e4, left_e8, taken = cost_e4, sum(parts), 0
    for part_e8 in parts:
        share_e4 = cost_share_e4(left_e4, part_e8, left_e8)
        assert 0 <= share_e4 <= left_e4
        left_e4, left_e8, taken = left_e4 - share_e4, left_e8 - part_e8, taken + share_e4
    assert (left_e4, taken) == (0, cost_e4)


def some_order(side: Side, quantity_e8: int, limit_e4: int, maker_ppm: int, taker_ppm: int) -> Order:
    return Order(
        1,
        2,
        "AAPL",
        side,
        OrderType.LIMIT,
        TimeInForce.GTC,
        quantity_e8,
        limit_e4,
        limit_e4,
        maker_ppm,
        taker_ppm,
        0,
        0,
        "",
        SelfTradePrevention.CANCEL_NEWEST,
        0,
        False,
        1,
    )


fills_of_a_limit = st.lists(
    st.tuples(st.integers(1, 10**10), st.integers(0, 10**4), st.booleans()), min_size=1, max_size=30
)
"""(quantity, how much better than the limit, resting?) of each fill."""


@given(
    prices.filter(lambda price_e4: price_e4 > 10**4), rates, rates, fills_of_a_limit, st.integers(0, 10**10)
)
def test_whatever_the_fills_a_hold_pays_for_them_all(
    limit_e4: int, maker_ppm: int, taker_ppm: int, fills: list[tuple[int, int, bool]], rest_e8: int
) -> None:
    """After each fill of a buy the hold has given up at least what the fill took: it is never short."""
    order = some_order(Side.BUY, sum(fill[0] for fill in fills) + rest_e8, limit_e4, maker_ppm, taker_ppm)
    hold_e4 = first_hold_e4 = buy_hold_e4(order)
    paid_e4 = 0
    for quantity_e8, better_e4, as_maker in fills:
        notional_e4 = notional_down_e4(limit_e4 - better_e4, quantity_e8)
        order.filled_e8 += quantity_e8
        order.notional_e4 += notional_e4
        order.maker_notional_e4 += notional_e4 if as_maker else 0
        fee_e4 = fee_due_e4(order) - order.fee_e4
        order.fee_e4 += fee_e4
        assert fee_e4 >= 0
        left_e4 = buy_hold_e4(order)
        assert hold_e4 - left_e4 >= notional_e4 + fee_e4
        assert left_e4 >= 0
        hold_e4 = left_e4
        paid_e4 += notional_e4 + fee_e4
    assert paid_e4 + hold_e4 <= first_hold_e4


@given(prices, rates, rates, st.lists(st.tuples(quantities, st.booleans()), min_size=1, max_size=30))
def test_whatever_the_fills_a_sells_fee_never_exceeds_its_proceeds(
    price_e4: int, maker_ppm: int, taker_ppm: int, fills: list[tuple[int, bool]]
) -> None:
    order = some_order(Side.SELL, sum(fill[0] for fill in fills), price_e4, maker_ppm, taker_ppm)
    for quantity_e8, as_maker in fills:
        notional_e4 = notional_down_e4(price_e4, quantity_e8)
        order.notional_e4 += notional_e4
        order.maker_notional_e4 += notional_e4 if as_maker else 0
        fee_e4 = fee_due_e4(order) - order.fee_e4
        order.fee_e4 += fee_e4
        assert 0 <= fee_e4 <= notional_e4


@given(quantities, prices)
def test_an_average_price_is_the_nearest(quantity_e8: int, price_e4: int) -> None:
    notional_e4 = notional_down_e4(price_e4, quantity_e8)
    exact = Fraction(notional_e4 * 10**8, quantity_e8)
    assert abs(average_price_e4(notional_e4, quantity_e8) - exact) <= Fraction(1, 2)
