"""The AIG day of 2013-10-09 through auctions, stops and extended hours of our own exchange adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.kinds import Phase
from engine.state_hash import state_hash
from tests.feeds.trading_day import TradingDay

TAPE = Path(__file__).resolve().parents[3] / "shared/data/aig_20131009_trade.zip"

pytestmark = pytest.mark.skipif(not TAPE.exists(), reason=f"{TAPE.name} is not beside the checkout")


def test_the_aig_day_adds_up() -> None:
    """Each twentieth of the trades between the auctions; `python -m tests.feeds.trading_day` takes them all."""
    day = TradingDay(TAPE, every=20)
    report = day.run()
    assert report.problems == []
    fills = {phase: each.fills for phase, each in report.phases.items()}
    assert fills[Phase.EXTENDED] > 50
    assert fills[Phase.OPENING_AUCTION] > 50
    assert fills[Phase.CONTINUOUS] > 2_000
    assert fills[Phase.CLOSING_AUCTION] > 500
    assert fills[Phase.POST_TRADE] == fills[Phase.CLOSED] == 0
    assert report.fired > 20
    assert report.auctions["opening"].prices_e4 == {476_400}
    assert report.auctions["closing"].prices_e4 == {477_300}
    assert not report.refusals


def test_the_same_day_again_is_the_same() -> None:
    first, second = (TradingDay(TAPE, every=500) for _ in range(2))
    assert first.run().text() == second.run().text()
    assert state_hash(first.state) == state_hash(second.state)
