"""Candles of the instruments whose price our own trades make, from durable fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.events import Traded
from feeds.candles import CandleBook
from server.codec import Record


def own_trades_listener(
    candles: CandleBook, *, except_symbols: frozenset[str]
) -> Callable[[Sequence[Record]], None]:
    """A listener for `Runtime.add_listener`. `except_symbols` are those whose candles a tape makes."""

    def listener(records: Sequence[Record]) -> None:
        for record in records:
            for event in record.events:
                if isinstance(event, Traded) and event.symbol not in except_symbols:
                    number = candles.register(event.symbol)
                    candles.add(number, record.now_us, event.price_e4, event.quantity_e8)

    return listener
