"""Which spaces of a lot are taken when: a segment tree over minutes whose nodes hold bitmaps of spaces.

Time is cut into blocks of 65 536 minutes (45 days), each with a tree of its own; a node exists when something is in it. `cover` of
a node are the spaces that are taken for all of its minutes by a claim that ends here; `any` those that are taken at some of
its minutes by a claim that lies within. The spaces taken in an interval are then an OR over the nodes that make it up and the
nodes above its ends: O(log n) of them, whatever the number of claims.

What was asked is remembered and kept true by each claim that comes or goes: within a minute all walk-ins ask for the same
intervals.

A claim is what takes a space: `[begin, end)` in minutes since the epoch, by an owner (booking, pass, or stay without either).
Claims of one space never overlap.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from functools import lru_cache
from typing import Final

BLOCK_BITS: Final = 16
SIZE: Final = 1 << BLOCK_BITS
NODE_BITS: Final = BLOCK_BITS + 1

ANSWERS_KEPT: Final = 64
"""Intervals whose answer a lot remembers: each is looked at whenever a claim comes or goes."""

NODES_KEPT: Final = 1_024
"""Intervals whose nodes are remembered, of all lots."""

Claim = tuple[int, int, int]
"""(begin, end, owner): minutes, and the id of the booking, pass or stay."""


class Occupancy:
    """The claims of one lot. `inside` is the bitmap of spaces on which a vehicle stands now.

    `promised` are those to which somebody is just being sent, by the lane (gate, number) that is open for them.
    """

    __slots__ = ("_answers", "any", "claims", "cover", "inside", "promised")

    def __init__(self) -> None:
        self.any: dict[int, int] = {}
        self.cover: dict[int, int] = {}
        self.claims: dict[int, list[Claim]] = {}  # by the space's index, ascending
        self.inside = 0
        self.promised: dict[tuple[str, int], int] = {}
        self._answers: dict[tuple[int, int], int] = {}  # of `taken`, by its interval

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

    @property
    def standing(self) -> int:
        """The spaces to which nobody is sent now, whatever the claims say: somebody stands there, or is on the way."""
        return self.inside | self.awaited

    @property
    def awaited(self) -> int:
        """The spaces to which somebody is on the way. A claim that begins soon is not made there: it would be theirs."""
        found = 0
        for index in self.promised.values():
            found |= 1 << index
        return found

    def taken(self, begin: int, end: int) -> int:
        """The bitmap of the spaces that are taken at some minute of `[begin, end)`."""
        answers = self._answers
        found = answers.get((begin, end))
        if found is None:
            if len(answers) >= ANSWERS_KEPT:
                answers.clear()
            found = answers[begin, end] = self._look(begin, end)
        return found

    def _look(self, begin: int, end: int) -> int:
        """`taken` from the trees."""
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
        some, cover = self.any, self.cover
        made, above = _nodes(begin, end)
        for key in made:
            cover[key] = cover.get(key, 0) | bit
            some[key] = some.get(key, 0) | bit
        for key in above:
            some[key] = some.get(key, 0) | bit
        answers = self._answers
        for asked, found in answers.items():
            if asked[0] < end and begin < asked[1]:
                answers[asked] = found | bit

    def remove(self, index: int, begin: int, end: int, owner: int) -> None:
        """A claim, as it was added, is no more."""
        claims = self.claims[index]
        claims.remove((begin, end, owner))
        if not claims:
            del self.claims[index]
        bit = 1 << index
        cover = self.cover
        made, above = _nodes(begin, end)
        for key in made:
            left = cover[key] & ~bit
            if left:
                cover[key] = left
            else:
                del cover[key]
        if claims:
            self._refresh(made)
            self._refresh(above)
        else:
            some = self.any
            for key in made + above:
                left = some[key] & ~bit
                if left:
                    some[key] = left
                else:
                    del some[key]
        answers = self._answers
        for asked, found in answers.items():
            if asked[0] < end and begin < asked[1] and not self._is_claimed(index, *asked):
                answers[asked] = found & ~bit

    def _is_claimed(self, index: int, begin: int, end: int) -> bool:
        """Whether a space is taken at some minute of `[begin, end)`."""
        claims = self.claims.get(index, ())
        place = bisect_left(claims, end, key=_begin_of)
        return place > 0 and claims[place - 1][1] > begin

    def _refresh(self, keys: tuple[int, ...]) -> None:
        """Make `any` of nodes anew from what is below them; children come before their parents."""
        some, cover = self.any, self.cover
        for key in keys:
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


@lru_cache(maxsize=NODES_KEPT)
def _nodes(begin: int, end: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The nodes that make up an interval, and those above them, children before their parents; each with its block in the key."""
    made: list[int] = []
    above: list[int] = []
    while begin < end:
        block = begin >> BLOCK_BITS
        stop = min(end, (block + 1) << BLOCK_BITS)
        base = block << NODE_BITS
        low, high = (begin & SIZE - 1) + SIZE, stop - (block << BLOCK_BITS) + SIZE
        parents: dict[int, None] = {}
        while low < high:
            if low & 1:
                made.append(base | low)
                parents[low >> 1] = None
                low += 1
            if high & 1:
                high -= 1
                made.append(base | high)
                parents[high >> 1] = None
            low >>= 1
            high >>= 1
        for node in list(parents):
            while (node := node >> 1) and node not in parents:
                parents[node] = None
        above += [base | node for node in sorted(parents, reverse=True) if node]
        begin = stop
    return tuple(made), tuple(above)
