"""The book of one symbol as a stream: the whole of it once, then what changed, in steps that join without a gap.

A step is everything that changed between two places in the order of all market changes, merged: each level with its
newest figures. Each step names the journal sequence it begins at (`prev_seq`) and the one it ends at (`seq`), and
carries a checksum of the best levels, so that a client can prove that its book is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Final
from zlib import crc32

from msgspec import Struct

from engine.kinds import Side

if TYPE_CHECKING:
    from server.symbol_view import SymbolView

ENTRIES_MAX: Final = 1_024
"""Changes remembered; a client that is further behind gets the whole book again."""

CHECKSUM_LEVELS: Final = 10

BookLevel = tuple[int, int, int]
"""(price_e4, quantity_e8, orders); a quantity of 0 says that the level is gone."""


class DepthEntry(Struct, frozen=True, gc=False):
    """One change of the book: `changed_at` is its place in the order of all changes, `prev_seq` the sequence before."""

    changed_at: int
    prev_seq: int
    seq: int
    levels: tuple[tuple[Side, int, int, int], ...]


class DepthStep(Struct, frozen=True, gc=False):
    """What a client is sent. `prev_seq` is -1 for the whole book; else levels are those that changed, bids best first."""

    symbol: str
    prev_seq: int
    seq: int
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    checksum: int

    @property
    def is_snapshot(self) -> bool:
        """Whether it replaces whatever the client had."""
        return self.prev_seq < 0


class DepthLog:
    """The newest changes of one symbol's book, kept only while somebody follows them.

    `changed_at` is the place of the newest change in the order of all; what happened up to `forgotten_at` is not here.
    """

    __slots__ = ("_checksum", "_checksum_seq", "_entries", "_view", "changed_at", "followers", "forgotten_at")

    def __init__(self, view: SymbolView) -> None:
        self._view = view
        self._entries: deque[DepthEntry] = deque()
        self._checksum = 0
        self._checksum_seq = -1
        self.changed_at = 0
        self.forgotten_at = 0
        self.followers = 0

    def __repr__(self) -> str:
        return f"<DepthLog {self._view.symbol} followers={self.followers} entries={len(self._entries)}>"

    def join(self, changes: int) -> None:
        """One more follower; `changes` is the place of the newest change of the market."""
        if not self.followers:
            self.forgotten_at = changes
        self.followers += 1

    def leave(self) -> None:
        """One follower less. With the last one the memory goes."""
        self.followers -= 1
        if not self.followers:
            self._entries.clear()

    def add(
        self, changed_at: int, prev_seq: int, seq: int, levels: tuple[tuple[Side, int, int, int], ...]
    ) -> None:
        """Remember a change of the book."""
        self._entries.append(DepthEntry(changed_at, prev_seq, seq, levels))
        self.changed_at = changed_at
        if len(self._entries) > ENTRIES_MAX:
            self.forgotten_at = self._entries.popleft().changed_at

    def step(self, since: int) -> DepthStep | None:
        """What changed after `since`; the whole book when some of that is forgotten (always for -1), None for nothing."""
        if since < self.forgotten_at:
            return self._snapshot()
        newest_first = list(takewhile(lambda entry: entry.changed_at > since, reversed(self._entries)))
        if not newest_first:
            return None
        merged: dict[tuple[Side, int], tuple[int, int]] = {}
        for entry in reversed(newest_first):
            for side, price_e4, quantity_e8, orders in entry.levels:
                merged[side, price_e4] = (quantity_e8, orders)
        return DepthStep(
            self._view.symbol,
            newest_first[-1].prev_seq,
            newest_first[0].seq,
            tuple(_side(merged, Side.BUY)),
            tuple(_side(merged, Side.SELL)),
            self.checksum(),
        )

    def _snapshot(self) -> DepthStep:
        view = self._view
        return DepthStep(
            view.symbol,
            -1,
            view.depth_seq,
            tuple(view.bids.best_first()),
            tuple(view.asks.best_first()),
            self.checksum(),
        )

    def checksum(self) -> int:
        """Of the book as it is now; made once per change."""
        view = self._view
        if self._checksum_seq != view.depth_seq:
            self._checksum = book_checksum(view.bids.best_first(), view.asks.best_first())
            self._checksum_seq = view.depth_seq
        return self._checksum


def _side(merged: dict[tuple[Side, int], tuple[int, int]], wanted: Side) -> Iterator[BookLevel]:
    """The changed levels of one side, best first."""
    prices = sorted((price for side, price in merged if side is wanted), reverse=wanted is Side.BUY)
    for price_e4 in prices:
        yield price_e4, *merged[wanted, price_e4]


def book_checksum(bids: Iterable[BookLevel], asks: Iterable[BookLevel]) -> int:
    """CRC-32 (of zlib, unsigned) over the best 10 levels of each side, given best first, as ASCII text.

    A level is `price_e4:quantity_e8`, both whole numbers; levels are joined by `,`; bids come first, then `|`, then asks.
    """
    return crc32(f"{_text(bids)}|{_text(asks)}".encode())


def _text(levels: Iterable[BookLevel]) -> str:
    best = (f"{price_e4}:{quantity_e8}" for price_e4, quantity_e8, _ in levels)
    return ",".join(text for _, text in zip(range(CHECKSUM_LEVELS), best, strict=False))
