"""Wash sales as tables: each row changes one thing from a row before it."""

from __future__ import annotations

from random import Random

import pytest

from engine.holding_period import Term
from engine.units import DAY_US
from engine.wash_sales import Part, Purchase, Sale, wash_sales

UNIT = 10**8

Bought = tuple[str, int, int]
"""lot, day, units"""
Sold = tuple[str, int, int, int, int]
"""lot, day, units, price, cost a unit"""


def report(bought: list[Bought], sold: list[Sold], *, one_sale: bool = False) -> list[tuple[Part, ...]]:
    days = {lot: day for lot, day, _ in bought}
    purchases = [Purchase(ord(lot), day * DAY_US, units * UNIT) for lot, day, units in bought]
    sales = [
        Sale(0 if one_sale else n, day * DAY_US, ord(lot), days.get(lot, 0) * DAY_US, units * UNIT,
             units * price * 10**4, units * cost * 10**4)
        for n, (lot, day, units, price, cost) in enumerate(sold)
    ]  # fmt: skip
    return wash_sales(purchases, sales)


def shown(parts: tuple[Part, ...]) -> str:
    """Gain that counts, disallowed (by which lots), added to the basis."""
    said = []
    for part in parts:
        by = " ".join(
            f"{chr(each.lot_id)}:{each.units_e8 // UNIT}={each.disallowed_e4 // 10**4}"
            for each in part.replacements
        )
        added = f" +{part.added_e4 // 10**4}" if part.added_e4 else ""
        said.append(f"{part.gain_e4 // 10**4}{f' ({by})' if by else ''}{added}")
    return " | ".join(said)


A = ("A", 0, 10)
LOSS = ("A", 100, 10, 90, 100)

TABLE: list[tuple[str, list[Bought], list[Sold], list[str]]] = [
    # what is said, bought, sold, what the report has for each sale
    ("a loss alone counts", [A], [LOSS], ["-100"]),
    ("bought again ten days later", [A, ("B", 110, 10)], [LOSS], ["0 (B:10=100)"]),
    ("thirty days later", [A, ("B", 130, 10)], [LOSS], ["0 (B:10=100)"]),
    ("thirty-one days later", [A, ("B", 131, 10)], [LOSS], ["-100"]),
    ("thirty days before", [A, ("B", 70, 10)], [LOSS], ["0 (B:10=100)"]),
    ("thirty-one days before", [A, ("B", 69, 10)], [LOSS], ["-100"]),
    ("on the same day", [A, ("B", 100, 10)], [LOSS], ["0 (B:10=100)"]),
    ("a gain is no wash sale", [A, ("B", 110, 10)], [("A", 100, 10, 110, 100)], ["100"]),
    ("neither gain nor loss", [A, ("B", 110, 10)], [("A", 100, 10, 100, 100)], ["0"]),
    ("less was bought than sold", [A, ("B", 110, 4)], [LOSS], ["-60 (B:4=40)"]),
    ("more was bought than sold", [A, ("B", 110, 15)], [LOSS], ["0 (B:10=100)"]),
    ("two purchases, the first one first", [A, ("B", 110, 4), ("C", 105, 3)], [LOSS], ["-30 (C:3=30 B:4=40)"]),
    ("the rest of the lot that is sold is none", [("A", 90, 20)], [LOSS], ["-100"]),
    ("the replacement is sold: its basis is higher", [A, ("B", 110, 10)], [LOSS, ("B", 200, 10, 120, 95)],
     ["0 (B:10=100)", "150 +100"]),
    ("at a loss", [A, ("B", 110, 10)], [LOSS, ("B", 200, 10, 90, 95)], ["0 (B:10=100)", "-150 +100"]),
    ("which is washed again", [A, ("B", 110, 10), ("C", 205, 10)], [LOSS, ("B", 200, 10, 90, 95)],
     ["0 (B:10=100)", "0 (C:10=150) +100"]),
    ("a part of the replacement", [A, ("B", 110, 10)], [LOSS, ("B", 200, 5, 120, 95), ("B", 201, 5, 120, 95)],
     ["0 (B:10=100)", "75 +50", "75 +50"]),
    ("units that replaced go first", [A, ("B", 110, 10)],
     [("A", 100, 4, 90, 100), ("B", 200, 6, 120, 95), ("B", 201, 4, 120, 95)],
     ["0 (B:4=40)", "60 +40 | 50", "100"]),
    ("a unit replaces once", [A, ("B", 110, 10)], [("A", 100, 6, 90, 100), ("A", 101, 4, 90, 100)],
     ["0 (B:6=60)", "0 (B:4=40)"]),
    ("and no more than there are", [A, ("B", 110, 7)], [("A", 100, 6, 90, 100), ("A", 101, 4, 90, 100)],
     ["0 (B:6=60)", "-30 (B:1=10)"]),
    ("what was sold before the loss replaces nothing", [A, ("B", 90, 10)], [("B", 95, 10, 110, 95), LOSS],
     ["150", "-100"]),
    ("what was sold in part replaces with the rest", [A, ("B", 90, 10)], [("B", 95, 7, 110, 95), LOSS],
     ["105", "-70 (B:3=30)"]),
    ("what came by a transfer can be sold at a loss", [("B", 110, 10)], [("T", 100, 10, 90, 100)], ["0 (B:10=100)"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("bought", "sold", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_wash_sales(bought: list[Bought], sold: list[Sold], expected: list[str]) -> None:
    assert [shown(parts) for parts in report(bought, sold)] == expected


def test_lots_that_are_sold_together_do_not_replace_each_other() -> None:
    bought = [("A", 90, 10), ("B", 95, 10)]
    sold = [("A", 100, 10, 90, 100), ("B", 100, 10, 90, 95)]
    assert [shown(parts) for parts in report(bought, sold, one_sale=True)] == ["-100", "-50"]
    assert [shown(parts) for parts in report(bought, sold)] == ["0 (B:10=100)", "-150 +100"]


def test_a_replacement_counts_as_held_for_as_long_as_what_it_replaced() -> None:
    """A was held for 100 days; B, bought on day 110, counts as bought on day 10, and is long term on day 376."""
    for day, term in ((375, Term.SHORT), (376, Term.LONG)):
        _, (part,) = report([A, ("B", 110, 10)], [LOSS, ("B", day, 10, 120, 95)])
        assert (part.held_since_day, part.term) == (10, term)


def test_a_part_that_replaced_can_be_long_term_where_the_rest_is_short() -> None:
    _, parts = report([A, ("B", 110, 10)], [("A", 100, 4, 90, 100), ("B", 400, 10, 120, 95)])
    assert [(part.units_e8 // UNIT, part.term) for part in parts] == [(4, Term.LONG), (6, Term.SHORT)]


def test_a_third_of_a_loss_is_rounded_down_and_the_parts_sum_to_the_whole() -> None:
    purchases = [Purchase(1, 0, 3), Purchase(2, DAY_US, 1), Purchase(3, 2 * DAY_US, 1)]
    ((part,),) = wash_sales(purchases, [Sale(1, 3 * DAY_US, 1, 0, 3, 0, 100)])
    assert [each.disallowed_e4 for each in part.replacements] == [33, 33]
    assert part.gain_e4 == -34


def test_nothing_is_lost_whatever_is_bought_and_sold() -> None:
    """What counts and what lots still carry sum to what was realised; parts sum to sales; no unit replaces twice."""
    for seed in range(60):
        dice = Random(seed)
        purchases: list[Purchase] = []
        sales: list[Sale] = []
        held: dict[int, int] = {}
        day = 0
        for n in range(80):
            day += dice.choice((0, 1, 5, 40))
            if dice.random() < 0.5 or not held:
                purchases.append(Purchase(n + 1, day * DAY_US + n, dice.randrange(1, 50)))
                held[n + 1] = purchases[-1].units_e8
            else:
                for lot_id in dice.sample(sorted(held), k=min(len(held), dice.choice((1, 1, 2)))):
                    units = dice.randrange(1, held[lot_id] + 1)
                    bought = next(each for each in purchases if each.lot_id == lot_id)
                    figures = dice.randrange(0, 5_000), dice.randrange(0, 5_000)
                    sales.append(Sale(n, day * DAY_US + n, lot_id, bought.bought_us, units, *figures))
                    held[lot_id] -= units
                    if not held[lot_id]:
                        del held[lot_id]
        found = wash_sales(purchases, sales)
        parts = [part for each in found for part in each]
        for sale, each in zip(sales, found, strict=True):
            assert sum(part.units_e8 for part in each) == sale.units_e8
            assert sum(part.proceeds_e4 for part in each) == sale.proceeds_e4
            assert sum(part.cost_e4 for part in each) == sale.cost_e4
        replaced: dict[int, int] = {}
        for part in parts:
            assert part.disallowed_e4 >= 0
            assert part.disallowed_e4 == 0 or part.gain_e4 <= 0
            for each_one in part.replacements:
                replaced[each_one.lot_id] = replaced.get(each_one.lot_id, 0) + each_one.units_e8
        assert all(units <= purchases_of(purchases, lot_id) for lot_id, units in replaced.items())
        carried = sum(part.disallowed_e4 for part in parts) - sum(part.added_e4 for part in parts)
        raw = sum(sale.proceeds_e4 - sale.cost_e4 for sale in sales)
        assert carried >= 0
        assert sum(part.gain_e4 for part in parts) == raw + carried


def purchases_of(purchases: list[Purchase], lot_id: int) -> int:
    return next(each.units_e8 for each in purchases if each.lot_id == lot_id)
