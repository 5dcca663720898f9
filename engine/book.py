"""The order book of one symbol: levels by price, queues by time. It knows prices and places, not money."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from engine.kinds import Side
from engine.orders import Level, Order

BUY = Side.BUY


class BookSide:
    """One side of a book: a dict of levels, and a heap of their keys from which dead ones go lazily.

    `_heaped` holds every key in the heap, so a price that comes and goes is in it once at most.
    """

    __slots__ = ("_heap", "_heaped", "levels", "side", "sign", "symbol")

    def __init__(self, symbol: str, side: Side) -> None:
        self.symbol = symbol
        self.side = side
        self.sign = -1 if side is BUY else 1
        self.levels: dict[int, Level] = {}
        self._heap: list[int] = []
        self._heaped: set[int] = set()

    def __repr__(self) -> str:
        shown = [f"{level.quantity_e8}@{level.price_e4}x{level.count}" for level in self.best_first()]
        return f"<BookSide {self.side.name} {' '.join(shown) or 'empty'}>"

    def best(self) -> Level | None:
        """The level that trades first, or None."""
        heap = self._heap
        levels = self.levels
        while heap:
            level = levels.get(heap[0])
            if level is not None:
                return level
            self._heaped.discard(heappop(heap))
        return None

    def best_first(self) -> Iterator[Level]:
        """All levels from the best outwards."""
        for key in sorted(self.levels):
            yield self.levels[key]

    def add(self, order: Order) -> None:
        """Put an order at the end of its level's queue."""
        key = order.limit_e4 * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = Level(key, order.limit_e4)
            if key not in self._heaped:
                self._heaped.add(key)
                heappush(self._heap, key)
        last = level.last
        order.level = level
        order.before = last
        if last is None:
            level.first = order
        else:
            last.after = order
        level.last = order
        level.quantity_e8 += order.quantity_e8 - order.filled_e8
        level.count += 1

    def remove(self, order: Order) -> None:
        """Take an order out, with whatever it has left."""
        level = order.level
        if level is None:
            raise ValueError(f"order {order.order_id} is not in the book")
        before, after = order.before, order.after
        if before is None:
            level.first = after
        else:
            before.after = after
        if after is None:
            level.last = before
        else:
            after.before = before
        order.level = order.before = order.after = None
        level.quantity_e8 -= order.quantity_e8 - order.filled_e8
        level.count -= 1
        if level.count == 0:
            del self.levels[level.key]

    def swap(self, old: Order, new: Order) -> None:
        """Put a smaller order into the place of another at the same price: it keeps the queue position."""
        level = old.level
        if level is None:
            raise ValueError(f"order {old.order_id} is not in the book")
        new.level, new.before, new.after = level, old.before, old.after
        if new.before is None:
            level.first = new
        else:
            new.before.after = new
        if new.after is None:
            level.last = new
        else:
            new.after.before = new
        old.level = old.before = old.after = None
        level.quantity_e8 += new.leaves_e8 - old.leaves_e8


class Book:
    """Both sides of one symbol."""

    __slots__ = ("asks", "bids", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bids = BookSide(symbol, Side.BUY)
        self.asks = BookSide(symbol, Side.SELL)

    def __repr__(self) -> str:
        return f"<Book {self.symbol} {self.bids!r} {self.asks!r}>"

    def side(self, side: Side) -> BookSide:
        """Where orders of this side rest."""
        return self.bids if side is BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        """Where orders of this side find their counterparties."""
        return self.asks if side is BUY else self.bids
