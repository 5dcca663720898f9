"""Which spaces of a lot are taken when: a segment tree over minutes whose nodes hold bitmaps of spaces.

Time is cut into blocks of 65 536 minutes (45 days), each with a tree of its own; a node exists when something is in it. `cover` of
a node are the spaces that are taken for all of its minutes by a claim that ends here; `any` those that are taken at some of
its minutes by a claim that lies within. The spaces taken in an interval are then an OR over the nodes that make it up and the
nodes above its ends: O(log n) of them, whatever the number of claims.

A claim is what takes a space: `[begin, end)` in minutes since the epoch, by an owner (booking, pass, or stay without either).
Claims of one space never overlap.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from typing import Final

BLOCK_BITS: Final = 16
SIZE: Final = 1 << BLOCK_BITS
NODE_BITS: Final = BLOCK_BITS + 1

Claim = tuple[int, int, int]
"""(begin, end, owner): minutes, and the id of the booking, pass or stay."""


class Occupancy:
    """The claims of one lot. `inside` is the bitmap of spaces on which a vehicle stands now."""

    __slots__ = ("any", "claims", "cover", "inside")

    def __init__(self) -> None:
        self.any: dict[int, int] = {}
        self.cover: dict[int, int] = {}
        self.claims: dict[int, list[Claim]] = {}  # by the space's index, ascending
        self.inside = 0

    def __repr__(self) -> str:
        claims = sum([len(each) for each in self.claims.values()])
        return f"<Occupancy claims={claims} nodes={len(self.any)} inside={self.inside.bit_count()}>"

    def __eq__(self, other: object) -> bool:
        """Whether the claims are the same, and the nodes made of them; `inside` too."""
        if not isinstance(other, Occupancy):
            return NotImplemented
        return (self.claims, self.any, self.cover, self.inside) == (
            *(other.claims, other.any, other.cover),
            other.inside,
        )

    __hash__ = object.__hash__

    def taken(self, begin: int, end: int) -> int:
        """The bitmap of the spaces that are taken at some minute of `[begin, end)`."""
        found = 0
        while begin < end:
            block = begin >> BLOCK_BITS
            stop = min(end, (block + 1) << BLOCK_BITS)
            found |= self._taken(block << NODE_BITS, begin & SIZE - 1, stop - (block << BLOCK_BITS))
            begin = stop
        return found

    def _taken(self, base: int, begin: int, end: int) -> int:
        """`taken` within a block; its minutes are counted from the block's first."""
        found = 0
        some, cover = self.any.get, self.cover.get
        low, high = begin + SIZE, end + SIZE
        for leaf in (low, high - 1):
            node = leaf >> 1
            while node:
                found |= cover(base | node, 0)
                node >>= 1
        while low < high:
            if low & 1:
                found |= some(base | low, 0)
                low += 1
            if high & 1:
                high -= 1
                found |= some(base | high, 0)
            low >>= 1
            high >>= 1
        return found

    def add(self, index: int, begin: int, end: int, owner: int) -> None:
        """A space is taken for `[begin, end)`, in which nobody else has it."""
        insort(self.claims.setdefault(index, []), (begin, end, owner))
        bit = 1 << index
        for key, path in _nodes(begin, end):
            self.cover[key] = self.cover.get(key, 0) | bit
            self.any[key] = self.any.get(key, 0) | bit
            self._refresh(path)

    def remove(self, index: int, begin: int, end: int, owner: int) -> None:
        """A claim, as it was added, is no more."""
        claims = self.claims[index]
        claims.remove((begin, end, owner))
        if not claims:
            del self.claims[index]
        bit = 1 << index
        for key, path in _nodes(begin, end):
            left = self.cover[key] & ~bit
            if left:
                self.cover[key] = left
            else:
                del self.cover[key]
            self._refresh((key, *path))

    def _refresh(self, path: tuple[int, ...]) -> None:
        """Make `any` of nodes anew from what is below them; children come before their parents."""
        some, cover = self.any, self.cover
        for key in path:
            node = key & (1 << NODE_BITS) - 1
            value = cover.get(key, 0)
            if node < SIZE:
                left = key - node | node << 1
                value |= some.get(left, 0) | some.get(left | 1, 0)
            if value:
                some[key] = value
            else:
                some.pop(key, None)

    def free_until(self, index: int, begin: int, limit: int) -> int:
        """The minute up to which a space is free from `begin` on, at most `limit`; `begin` when it is taken then."""
        claims = self.claims.get(index, ())
        place = bisect_right(claims, begin, key=_begin_of)
        if place and claims[place - 1][1] > begin:
            return begin
        return min(limit, claims[place][0]) if place < len(claims) else limit

    def claim_at(self, index: int, minute: int) -> Claim | None:
        """The claim of a space at a minute."""
        claims = self.claims.get(index, ())
        place = bisect_right(claims, minute, key=_begin_of)
        return claims[place - 1] if place and claims[place - 1][1] > minute else None


def _begin_of(claim: Claim) -> int:
    return claim[0]


def _nodes(begin: int, end: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """(node, the nodes above it) of the nodes that make up an interval, each with its block in the key."""
    while begin < end:
        block = begin >> BLOCK_BITS
        stop = min(end, (block + 1) << BLOCK_BITS)
        base = block << NODE_BITS
        low, high = (begin & SIZE - 1) + SIZE, stop - (block << BLOCK_BITS) + SIZE
        while low < high:
            if low & 1:
                yield base | low, _above(base, low)
                low += 1
            if high & 1:
                high -= 1
                yield base | high, _above(base, high)
            low >>= 1
            high >>= 1
        begin = stop


def _above(base: int, node: int) -> tuple[int, ...]:
    """The nodes above one, the nearest first."""
    path = []
    node >>= 1
    while node:
        path.append(base | node)
        node >>= 1
    return tuple(path)
