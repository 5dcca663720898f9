"""The armed stops of one symbol, ordered by what fires them. Derived: `rebuild` makes it from the orders.

It knows triggers and extremes, not money. Heaps with lazy removal: an entry counts while the order is armed and still has
the figure that the entry was made with.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from engine.kinds import OrderStatus, OrderType, Side
from engine.orders import Order
from engine.terms import Special

if TYPE_CHECKING:
    from engine.state import State

BUY = Side.BUY
HELD = OrderStatus.HELD
TRAILING_STOP = OrderType.TRAILING_STOP
STALE_MAX = 64
"""A heap is made anew when it has this many entries more than twice the armed stops."""

Entry = tuple[int, int]
"""(figure, order id): the heap's top is the first that a price reaches."""


class StopBook:
    """Armed stops: `armed` by order id. BUY stops fire at or above their trigger, SELL stops at or below."""

    __slots__ = ("_buys", "_highs", "_lows", "_sells", "armed", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.armed: dict[int, Order] = {}
        self._buys: list[Entry] = []  # by trigger, lowest first
        self._sells: list[Entry] = []  # by -trigger, highest first
        self._highs: list[Entry] = []  # SELL trailing stops by extreme: those a higher price moves
        self._lows: list[Entry] = []  # BUY trailing stops by -extreme: those a lower price moves

    def __repr__(self) -> str:
        shown = [f"{order.side.name} {special_of(order).trigger_e4}" for order in self.armed.values()]
        return f"<StopBook {self.symbol} {' '.join(shown) or 'empty'}>"

    def add(self, order: Order) -> None:
        """Arm a stop at the trigger and extreme that its special has."""
        self.armed[order.order_id] = order
        self.place(order)

    def place(self, order: Order) -> None:
        """Have the heaps see an armed stop's figures."""
        if len(self._buys) + len(self._sells) > 2 * len(self.armed) + STALE_MAX:
            self._compact()
        special, order_id = special_of(order), order.order_id
        is_trailing = order.order_type is TRAILING_STOP
        if order.side is BUY:
            heappush(self._buys, (special.trigger_e4, order_id))
            if is_trailing:
                heappush(self._lows, (-special.extreme_e4, order_id))
        else:
            heappush(self._sells, (-special.trigger_e4, order_id))
            if is_trailing:
                heappush(self._highs, (special.extreme_e4, order_id))

    def remove(self, order: Order) -> None:
        """Disarm a stop, if it is armed."""
        self.armed.pop(order.order_id, None)

    def moved_by(self, price_e4: int) -> list[Order]:
        """The trailing stops whose extreme the price beats, by priority. Each must be placed again."""
        found = self._take(self._highs, price_e4 - 1, _high)
        found += self._take(self._lows, -price_e4 - 1, _low)
        found.sort(key=_priority)
        return found

    def reached_by(self, price_e4: int) -> list[Order]:
        """Take out the stops that the price reaches."""
        found = self._take(self._buys, price_e4, _buy)
        found += self._take(self._sells, -price_e4, _sell)
        for order in found:
            del self.armed[order.order_id]
        return found

    def _take(self, heap: list[Entry], figure_max: int, figure_of: Callable[[Order], int]) -> list[Order]:
        """Take the entries up to a figure; returns the orders of those that count."""
        found: dict[int, Order] = {}
        while heap and heap[0][0] <= figure_max:
            figure, order_id = heappop(heap)
            order = self.armed.get(order_id)
            if order is not None and figure_of(order) == figure:
                found[order_id] = order
        return list(found.values())

    def _compact(self) -> None:
        """Make the heaps of what is armed alone."""
        for heap in (self._buys, self._sells, self._highs, self._lows):
            heap.clear()
        for order in self.armed.values():
            self.place(order)


def is_armed_stop(order: Order) -> bool:
    """Whether an order is a stop that waits for its price alone."""
    return order.status is HELD and order.special is not None and order.special.is_armed


def arm(state: State, order: Order) -> None:
    """Have a stop see the prints of its symbol from now on."""
    stop_book = state.stops.get(order.symbol)
    if stop_book is None:
        stop_book = state.stops[order.symbol] = StopBook(order.symbol)
    stop_book.add(order)


def disarm(state: State, order: Order) -> None:
    """Have a stop see no more prints, if it did. A symbol without armed stops has no book of them."""
    stop_book = state.stops.get(order.symbol)
    if stop_book is not None:
        stop_book.remove(order)
        if not stop_book.armed:
            del state.stops[order.symbol]


def special_of(order: Order) -> Special:
    """The special of an order that has one."""
    special = order.special
    assert special is not None
    return special


def _priority(order: Order) -> int:
    return order.priority


def _buy(order: Order) -> int:
    return special_of(order).trigger_e4


def _sell(order: Order) -> int:
    return -special_of(order).trigger_e4


def _high(order: Order) -> int:
    return special_of(order).extreme_e4


def _low(order: Order) -> int:
    return -special_of(order).extreme_e4
