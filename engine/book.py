"""The order book of one symbol: levels by price, queues by time. It knows prices and places, not money."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from engine.iceberg import hand_over, hide, show
from engine.kinds import Side
from engine.orders import Level, Order

BUY = Side.BUY


class BookSide:
    """One side of a book: a dict of levels, and a heap of their keys from which dead ones go lazily.

    `_emptied` keeps the levels that are empty while their key is still in the heap: a price that comes and goes
    is in the heap once at most, and finds its level made.
    """

    __slots__ = ("_emptied", "_heap", "levels", "side", "sign", "symbol")

    def __init__(self, symbol: str, side: Side) -> None:
        self.symbol = symbol
        self.side = side
        self.sign = -1 if side is BUY else 1
        self.levels: dict[int, Level] = {}
        self._heap: list[int] = []
        self._emptied: dict[int, Level] = {}

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
            del self._emptied[heappop(heap)]
        return None

    def best_first(self) -> Iterator[Level]:
        """All levels from the best outwards."""
        for key in sorted(self.levels):
            yield self.levels[key]

    def add(self, order: Order) -> Level:
        """Put an order at the end of its level's queue; returns the level."""
        price_e4 = order.limit_e4
        key = price_e4 * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self._emptied.pop(key, None)
            if level is None:
                level = Level(key, price_e4, self)
                heappush(self._heap, key)
            self.levels[key] = level
        last = level.last
        if last is None:
            level.first = order
        else:
            order.before = last
            last.after = order
        level.last = order
        order.level = level
        if order.special is None:
            level.quantity_e8 += order.quantity_e8 - order.filled_e8
        else:
            level.quantity_e8 += show(order)
        level.count += 1
        return level

    def insert(self, order: Order) -> Level:
        """Put an order into its level's queue by its priority; returns the level."""
        level = self.add(order)
        ahead = order.before
        if ahead is None or ahead.priority < order.priority:
            return level
        while ahead.before is not None and ahead.before.priority > order.priority:
            ahead = ahead.before
        last = order.before
        assert last is not None
        last.after, level.last = None, last
        order.before, order.after = ahead.before, ahead
        if ahead.before is None:
            level.first = order
        else:
            ahead.before.after = order
        ahead.before = order
        return level

    def remove(self, order: Order) -> None:
        """Take an order out, with whatever it shows."""
        level = order.level
        if level is None:
            raise ValueError(f"order {order.order_id} is not in the book")
        order.level = None
        if order.special is None:
            level.quantity_e8 -= order.quantity_e8 - order.filled_e8
        else:
            level.quantity_e8 -= hide(order)
        level.count -= 1
        before, after = order.before, order.after
        if before is not None:
            before.after = after
            order.before = None
        else:
            level.first = after
        if after is not None:
            after.before = before
            order.after = None
        else:
            level.last = before
        if before is None and after is None:
            self._emptied[level.key] = self.levels.pop(level.key)

    def swap(self, old: Order, new: Order) -> Level:
        """Put a smaller order into the place of another at the same price: it keeps the queue position. Returns the level."""
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
        level.quantity_e8 -= hand_over(old, new)
        return level


class Book:
    """Both sides of one symbol."""

    __slots__ = ("asks", "bids", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bids = BookSide(symbol, Side.BUY)
        self.asks = BookSide(symbol, Side.SELL)

    def __repr__(self) -> str:
        return f"<Book {self.symbol} {self.bids!r} {self.asks!r}>"

    def resting(self) -> list[Order]:
        """All orders in the levels: bids, then asks, best first, by time."""
        found = []
        for side in (self.bids, self.asks):
            for level in side.best_first():
                order = level.first
                while order is not None:
                    found.append(order)
                    order = order.after
        return found

    def side(self, side: Side) -> BookSide:
        """Where orders of this side rest."""
        return self.bids if side is BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        """Where orders of this side find their counterparties."""
        return self.asks if side is BUY else self.bids
