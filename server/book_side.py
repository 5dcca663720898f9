"""One side of a public book: price levels by price, and the best of them, kept from absolute figures."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from engine.kinds import Side

_STALE_MAX: Final = 64


class BookSide:
    """Levels of one side: price_e4 → (quantity_e8, orders).

    The top of the heap is the best price. A price that left the book elsewhere stays in the heap until it comes to
    the top or until there are more stale prices than levels.
    """

    __slots__ = ("_heap", "_levels", "_sign")

    def __init__(self, side: Side) -> None:
        self._sign = -1 if side is Side.BUY else 1
        self._levels: dict[int, tuple[int, int]] = {}
        self._heap: list[int] = []

    def __len__(self) -> int:
        return len(self._levels)

    def set_level(self, price_e4: int, quantity_e8: int, orders: int) -> bool:
        """Put a level at its new figures; a quantity of 0 removes it. Whether the best price or its quantity changed."""
        levels, sign = self._levels, self._sign
        key = sign * price_e4
        before = levels.get(price_e4)
        if quantity_e8 == 0:
            return before is not None and self._remove(price_e4, key)
        levels[price_e4] = (quantity_e8, orders)
        heap = self._heap
        if before is not None:
            return heap[0] == key and before[0] != quantity_e8
        heappush(heap, key)
        if len(heap) > 2 * len(levels) + _STALE_MAX:
            self._heap = heap = [sign * price for price in levels]
            heapify(heap)
        return heap[0] == key

    def _remove(self, price_e4: int, key: int) -> bool:
        levels, heap, sign = self._levels, self._heap, self._sign
        del levels[price_e4]
        if heap[0] != key:
            return False
        while heap and sign * heap[0] not in levels:
            heappop(heap)
        return True

    def best(self) -> tuple[int, int]:
        """The best price and its quantity; (0, 0) when the side is empty."""
        if not self._heap:
            return 0, 0
        price_e4 = self._sign * self._heap[0]
        return price_e4, self._levels[price_e4][0]

    def best_first(self) -> Iterator[tuple[int, int, int]]:
        """The levels as (price_e4, quantity_e8, orders), best first."""
        for price_e4 in sorted(self._levels, reverse=self._sign < 0):
            quantity_e8, orders = self._levels[price_e4]
            yield price_e4, quantity_e8, orders
