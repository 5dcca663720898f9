"""One side of a public book: price levels by price, and the best of them, kept from absolute figures."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from engine.kinds import Side

_STALE_MAX: Final = 64


class BookSide:
    """Levels of one side: price_e4 → (quantity_e8, orders).

    The heap finds the best price. A price that left the book stays in the heap until it is at the top or
    until there are more stale prices than levels.
    """

    __slots__ = ("_heap", "_levels", "_sign")

    def __init__(self, side: Side) -> None:
        self._sign = -1 if side is Side.BUY else 1
        self._levels: dict[int, tuple[int, int]] = {}
        self._heap: list[int] = []

    def __len__(self) -> int:
        return len(self._levels)

    def set_level(self, price_e4: int, quantity_e8: int, orders: int) -> None:
        """Put a level at its new figures; a quantity of 0 removes it."""
        if quantity_e8 == 0:
            self._levels.pop(price_e4, None)
            return
        if price_e4 not in self._levels:
            heappush(self._heap, self._sign * price_e4)
            if len(self._heap) > 2 * len(self._levels) + _STALE_MAX:
                self._heap = [self._sign * price for price in (*self._levels, price_e4)]
                heapify(self._heap)
        self._levels[price_e4] = (quantity_e8, orders)

    def best(self) -> tuple[int, int]:
        """The best price and its quantity; (0, 0) when the side is empty."""
        heap = self._heap
        while heap:
            price_e4 = self._sign * heap[0]
            level = self._levels.get(price_e4)
            if level is not None:
                return price_e4, level[0]
            heappop(heap)
        return 0, 0

    def best_first(self) -> Iterator[tuple[int, int, int]]:
        """The levels as (price_e4, quantity_e8, orders), best first."""
        for price_e4 in sorted(self._levels, reverse=self._sign < 0):
            quantity_e8, orders = self._levels[price_e4]
            yield price_e4, quantity_e8, orders
