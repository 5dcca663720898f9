"""The consolidated best bid and offer, from exchanges that each send one side at a time.

An exchange's side is dropped when it is a second old, or when it crosses a newer one: tapes carry quotes that
their exchange has long left, and taken as they are these cross nearly all the time (DESIGN.md §6).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

SIDE_AGE_MAX_US: Final = 1_000_000

_Sides = dict[
    int, tuple[int, int, int]
]  # exchange -> (price_e4, size_e8, time_us), the longest unchanged first


class Best(msgspec.Struct, frozen=True, gc=False):
    """Best prices with all exchanges' sizes at them. A side that nobody quotes is 0 and 0; bid <= ask if both are."""

    bid_e4: int = 0
    bid_size_e8: int = 0
    ask_e4: int = 0
    ask_size_e8: int = 0

    @property
    def is_two_sided(self) -> bool:
        """Whether a market maker can stand on both prices without meeting itself."""
        return 0 < self.bid_e4 < self.ask_e4


class DropCounts(msgspec.Struct):
    """How many sides were dropped, by reason."""

    old: int = 0
    crossed: int = 0


class ConsolidatedBook:
    """One symbol's sides of all exchanges. Rows must come in order of time."""

    __slots__ = ("_asks", "_best_ask", "_best_bid", "_bids", "dropped", "time_us")

    def __init__(self) -> None:
        self._bids: _Sides = {}
        self._asks: _Sides = {}
        self._best_bid = self._best_ask = 0
        self.dropped = DropCounts()
        self.time_us = 0

    def __repr__(self) -> str:
        return f"ConsolidatedBook(bid_e4={self._best_bid}, ask_e4={self._best_ask}, {self.dropped})"

    def update(self, time_us: int, is_bid: bool, price_e4: int, size_e8: int, exchange: int) -> None:
        """Takes one row; a size of 0 withdraws the side. What it crosses is older and is dropped."""
        self.expire(time_us)
        if is_bid:
            replaced = self._bids.pop(exchange, None)
            if size_e8:
                self._bids[exchange] = (price_e4, size_e8, time_us)
                if price_e4 > self._best_bid:
                    self._best_bid = price_e4
                    if 0 < self._best_ask < price_e4:
                        self._drop_asks_below(price_e4)
            if replaced is not None and replaced[0] == self._best_bid:
                self._best_bid = _highest(self._bids)
        else:
            replaced = self._asks.pop(exchange, None)
            if size_e8:
                self._asks[exchange] = (price_e4, size_e8, time_us)
                if price_e4 < self._best_ask or self._best_ask == 0:
                    self._best_ask = price_e4
                    if price_e4 < self._best_bid:
                        self._drop_bids_above(price_e4)
            if replaced is not None and replaced[0] == self._best_ask:
                self._best_ask = _lowest(self._asks)

    def update_all(self, rows: Iterable[tuple[int, bool, int, int, int]]) -> None:
        """Takes rows in the order of `update`'s arguments."""
        update = self.update
        for row in rows:
            update(*row)

    def expire(self, now_us: int) -> None:
        """Drops the sides that are a second old or more."""
        self.time_us = now_us
        limit_us = now_us - SIDE_AGE_MAX_US
        if self._drop_old(self._bids, limit_us):
            self._best_bid = _highest(self._bids)
        if self._drop_old(self._asks, limit_us):
            self._best_ask = _lowest(self._asks)

    def best(self) -> Best:
        """The best prices now; never crossed."""
        bid_e4, ask_e4 = self._best_bid, self._best_ask
        return Best(
            bid_e4,
            sum(size for price, size, _ in self._bids.values() if price == bid_e4),
            ask_e4,
            sum(size for price, size, _ in self._asks.values() if price == ask_e4),
        )

    def prices(self) -> tuple[int, int]:
        """Best bid and ask, 0 for none."""
        return self._best_bid, self._best_ask

    def _drop_old(self, sides: _Sides, limit_us: int) -> bool:
        """Drops from the front, where the oldest are; says whether any was."""
        dropped = False
        while sides:
            exchange = next(iter(sides))
            if sides[exchange][2] > limit_us:
                break
            del sides[exchange]
            self.dropped.old += 1
            dropped = True
        return dropped

    def _drop_asks_below(self, bid_e4: int) -> None:
        for exchange in [exchange for exchange, side in self._asks.items() if side[0] < bid_e4]:
            del self._asks[exchange]
            self.dropped.crossed += 1
        self._best_ask = _lowest(self._asks)

    def _drop_bids_above(self, ask_e4: int) -> None:
        for exchange in [exchange for exchange, side in self._bids.items() if side[0] > ask_e4]:
            del self._bids[exchange]
            self.dropped.crossed += 1
        self._best_bid = _highest(self._bids)


def _highest(sides: _Sides) -> int:
    return max(sides.values())[0] if sides else 0


def _lowest(sides: _Sides) -> int:
    return min(sides.values())[0] if sides else 0
