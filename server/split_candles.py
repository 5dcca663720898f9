"""Prices of before a split as prices of the shares of now. What is stored stays as it was traded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.corporate_state import ActionKind, ActionStage
from engine.state import State
from engine.units import split_down_e8, split_price_e4
from server.market_types import Candle

Split = tuple[int, int, int]
"""(when it took effect, new shares, old shares)"""


def splits_of(state: State, symbol: str) -> list[Split]:
    """The splits of a symbol that have taken effect, oldest first."""
    found = [
        (action.effective_us, action.numerator, action.denominator)
        for action in state.actions.values()
        if action.symbol == symbol and action.kind is ActionKind.SPLIT and action.stage is ActionStage.DONE
    ]
    return sorted(found)


def in_new_shares(candles: Iterable[Candle], splits: Sequence[Split]) -> list[Candle]:
    """Candles with prices and volume in the shares of now. One that a split lies within counts as of before it."""
    found = list(candles)
    for effective_us, new, old in splits:
        found = [
            _restated(candle, new, old) if candle.start_us < effective_us else candle for candle in found
        ]
    return found


def _restated(candle: Candle, new: int, old: int) -> Candle:
    return Candle(
        candle.start_us,
        split_price_e4(candle.open_e4, new, old),
        split_price_e4(candle.high_e4, new, old),
        split_price_e4(candle.low_e4, new, old),
        split_price_e4(candle.close_e4, new, old),
        split_down_e8(candle.volume_e8, new, old),
        candle.trades,
    )
