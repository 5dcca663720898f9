"""The fair value wanders in integers, near its anchor, and the same way for the same seed."""

from __future__ import annotations

import pytest

from feeds.fair_value import FairValue


def walk(seed: str, steps: int = 1_000) -> list[int]:
    fair = FairValue(2_275_000, 2_275_000, seed)
    return [fair.step() for _ in range(steps)]


def test_the_same_seed_walks_the_same_way() -> None:
    assert walk("7:AAPL") == walk("7:AAPL")
    assert walk("7:AAPL") != walk("8:AAPL")


def test_it_moves_but_stays_within_a_tenth_for_a_day_of_steps() -> None:
    prices = walk("1", 172_800)
    assert len(set(prices)) > 1_000
    assert 0.9 * 2_275_000 < min(prices) < 2_275_000 < max(prices) < 1.1 * 2_275_000


def test_it_begins_where_the_market_was_left() -> None:
    assert FairValue(100_000, 101_000, "").price_e4 == 101_000


def test_a_price_far_away_becomes_the_anchor() -> None:
    fair = FairValue(100_000, 100_000, "")
    fair.pull_to(300_000)
    assert repr(fair) == "FairValue(300000 around 300000)"


@pytest.mark.parametrize(("anchor_e4", "start_e4"), [(0, 1), (1, 0), (-5, 1)])
def test_prices_must_be_positive(anchor_e4: int, start_e4: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        FairValue(anchor_e4, start_e4, "")
