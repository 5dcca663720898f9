"""Wash sales: losses that a tax report does not take at once, because the same security was bought shortly before or after.

Sources: 26 U.S.C. 1091, 26 CFR 1.1091-1 and 1.1091-2, 26 U.S.C. 1223(3) (the holding period), IRS Publication 550 ("Wash
Sales"), Rev. Rul. 56-602 (a part of one purchase that is sold is not replaced by the rest of it). What is done here:

1. Sales are looked at in their order. A loss is measured after what earlier wash sales added to the basis of the units.
2. The units sold are replaced, one for one, by units bought from 30 days before the sale to 30 days after it (days in UTC), those
   bought first first. A unit replaces once. No unit replaces that belongs to the lot that is sold, or that was sold itself by
   then, in the same sale included.
3. Of the loss, the part of the units that are replaced is disallowed. It is added to the basis of the replacement, and so is
   the time for which the units sold had been held.
4. When a lot is sold in parts, those of its units that replaced others go first.

An adjustment of the report alone: the ledger's cost, and what it says was realised, stay (docs/lots.md). Only what was
bought counts: units that came by a transfer replace nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from msgspec import Struct

from engine.holding_period import Term, term_of_days
from engine.units import DAY_US, cost_share_e4, shares_of

WINDOW_DAYS: Final = 30


class Purchase(Struct, frozen=True):
    """Units that were bought, and the lot that they made."""

    lot_id: int
    bought_us: int
    units_e8: int


class Sale(Struct, frozen=True):
    """What a sale took of one lot. Several with the same `sale_id` are one sale."""

    sale_id: int
    sold_us: int
    lot_id: int
    acquired_us: int
    units_e8: int
    proceeds_e4: int
    cost_e4: int


class Replacement(Struct, frozen=True):
    """Units of a lot that replace units sold, and the loss that is added to their basis."""

    lot_id: int
    units_e8: int
    disallowed_e4: int


class Part(Struct, frozen=True):
    """A part of a sale as the report has it. `added_e4` came to its basis from earlier wash sales."""

    units_e8: int
    proceeds_e4: int
    cost_e4: int
    added_e4: int
    held_since_day: int
    term: Term
    replacements: tuple[Replacement, ...] = ()

    @property
    def disallowed_e4(self) -> int:
        """The part of the loss that is not taken now."""
        return sum([each.disallowed_e4 for each in self.replacements])

    @property
    def gain_e4(self) -> int:
        """What counts now."""
        return self.proceeds_e4 - self.cost_e4 - self.added_e4 + self.disallowed_e4


class _Carried:
    """Units of a lot that replaced others: what was added to their basis, and for how many days more they count as held."""

    __slots__ = ("added_e4", "held_days", "units_e8")

    def __init__(self, units_e8: int, added_e4: int, held_days: int) -> None:
        self.units_e8 = units_e8
        self.added_e4 = added_e4
        self.held_days = held_days


class _Lot:
    """A purchase: `fresh_e8` of its units have neither been sold nor replaced others, `carried` have replaced."""

    __slots__ = ("carried", "day", "fresh_e8", "lot_id")

    def __init__(self, purchase: Purchase) -> None:
        self.lot_id = purchase.lot_id
        self.day = purchase.bought_us // DAY_US
        self.fresh_e8 = purchase.units_e8
        self.carried: deque[_Carried] = deque()

    def take(self, units_e8: int) -> list[tuple[int, int, int]]:
        """Units leave by a sale: (units, added to their basis, days more), those that replaced others first."""
        taken = []
        while units_e8 and self.carried:
            first = self.carried[0]
            part_e8 = min(units_e8, first.units_e8)
            added_e4 = cost_share_e4(first.added_e4, part_e8, first.units_e8)
            taken.append((part_e8, added_e4, first.held_days))
            units_e8 -= part_e8
            first.units_e8 -= part_e8
            first.added_e4 -= added_e4
            if not first.units_e8:
                self.carried.popleft()
        if units_e8:
            self.fresh_e8 = max(0, self.fresh_e8 - units_e8)
            taken.append((units_e8, 0, 0))
        return taken


class _Market:
    """What can replace: purchases with fresh units, by day, those bought first first."""

    __slots__ = ("by_id", "days", "lots")

    def __init__(self, purchases: Sequence[Purchase]) -> None:
        self.lots = [_Lot(each) for each in sorted(purchases, key=attrgetter("bought_us", "lot_id"))]
        self.days = [lot.day for lot in self.lots]
        self.by_id = {lot.lot_id: lot for lot in self.lots}

    def replace(
        self, lot_id: int, sold_day: int, units_e8: int, loss_e4: int, held_days: int
    ) -> tuple[Replacement, ...]:
        """Find what replaces units of a lot that were sold at a loss, and let it carry its part of that loss."""
        found: list[tuple[_Lot, int]] = []
        left_e8 = units_e8
        at = bisect_left(self.days, sold_day - WINDOW_DAYS)
        while left_e8 and at < len(self.lots) and self.days[at] <= sold_day + WINDOW_DAYS:
            lot = self.lots[at]
            part_e8 = min(left_e8, lot.fresh_e8) if lot.lot_id != lot_id else 0
            if part_e8:
                lot.fresh_e8 -= part_e8
                left_e8 -= part_e8
                found.append((lot, part_e8))
            if lot.fresh_e8:
                at += 1
            else:
                del self.lots[at], self.days[at]  # it can replace no more, and is not looked at again
        replacements = []
        losses = shares_of(loss_e4, [*(part_e8 for _, part_e8 in found), left_e8]) if found else []
        for (lot, part_e8), disallowed_e4 in zip(found, losses, strict=False):
            lot.carried.append(_Carried(part_e8, disallowed_e4, held_days))
            replacements.append(Replacement(lot.lot_id, part_e8, disallowed_e4))
        return tuple(replacements)


def wash_sales(purchases: Sequence[Purchase], sales: Sequence[Sale]) -> list[tuple[Part, ...]]:
    """The parts of each sale, in the order of `sales`, which is that of time: one for each span that its units count as held.

    Of one account and one security. Parts sum to their sale: units, proceeds and cost. Over all of them, gains and what is
    still carried by lots sum to what was realised.
    """
    market = _Market(purchases)
    parts: list[tuple[Part, ...]] = []
    for _, lines in groupby(sales, key=attrgetter("sale_id")):
        split = [_split(market, line) for line in lines]
        parts += [tuple([_judged(market, sale, part) for part in found]) for sale, found in split]
    return parts


def _split(market: _Market, sale: Sale) -> tuple[Sale, list[Part]]:
    """A sale by what its units carry from earlier ones; nothing is disallowed yet."""
    lot = market.by_id.get(sale.lot_id)
    taken = [(sale.units_e8, 0, 0)] if lot is None else lot.take(sale.units_e8)
    units = [units_e8 for units_e8, _, _ in taken]
    acquired_day, sold_day = sale.acquired_us // DAY_US, sale.sold_us // DAY_US
    figures = zip(taken, shares_of(sale.proceeds_e4, units), shares_of(sale.cost_e4, units), strict=True)
    return sale, [
        Part(
            units_e8,
            proceeds_e4,
            cost_e4,
            added_e4,
            acquired_day - held_days,
            term_of_days(acquired_day - held_days, sold_day),
        )
        for (units_e8, added_e4, held_days), proceeds_e4, cost_e4 in figures
    ]


def _judged(market: _Market, sale: Sale, part: Part) -> Part:
    """A part with what replaces its units, if it lost money."""
    loss_e4 = -part.gain_e4
    if loss_e4 <= 0:
        return part
    sold_day = sale.sold_us // DAY_US
    replacements = market.replace(
        sale.lot_id, sold_day, part.units_e8, loss_e4, sold_day - part.held_since_day
    )
    return Part(
        part.units_e8,
        part.proceeds_e4,
        part.cost_e4,
        part.added_e4,
        part.held_since_day,
        part.term,
        replacements,
    )
