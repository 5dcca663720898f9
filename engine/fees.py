"""What an order pays: commission at the rates of its acceptance, between a minimum and a maximum, and what the law takes of sales.

Pure arithmetic on figures. A plain order (rates and nothing else) has no `FeeTerms` and never comes here.
"""

from __future__ import annotations

from msgspec import Struct

from engine.units import per_unit_up_e4, share_ppb_up_e4

Tier = tuple[int, int, int]
"""From this traded notional on (`volume_e4`), these rates: (volume_e4, maker_ppm, taker_ppm)."""


class FeeRules(Struct, frozen=True, gc=False, array_like=True):
    """What a fee schedule has beyond its two rates. 0 and () say nothing.

    `tiers` ascend by volume. `order_min_e4` and `order_max_e4` bound an order's commission. Of sales alone: `sell_ppb` in parts
    per thousand million of the notional (SEC section 31 announces dollars a million), `sell_unit_e12` in 1e-12 of the
    currency a unit, at most `sell_unit_max_e4` a trade (FINRA's Trading Activity Fee, By-Laws schedule A section 1).
    """

    tiers: tuple[Tier, ...] = ()
    order_min_e4: int = 0
    order_max_e4: int = 0
    sell_ppb: int = 0
    sell_unit_e12: int = 0
    sell_unit_max_e4: int = 0


class FeeTerms(Struct, frozen=True, gc=False, array_like=True):
    """What of the rules one order was accepted with; the regulatory part is 0 for a buy.

    An order that replaces others goes on where they stood: `before_e4` is what the rates made of their fills, `paid_e4` the
    commission that they were charged, so that a minimum is paid once however often an order is changed.
    """

    order_min_e4: int = 0
    order_max_e4: int = 0
    sell_ppb: int = 0
    sell_unit_e12: int = 0
    sell_unit_max_e4: int = 0
    before_e4: int = 0
    paid_e4: int = 0


def commission_e4(terms: FeeTerms, rates_e4: int) -> int:
    """The commission due on an order's fills so far: what the rates make of them, within minimum and maximum.

    Never lower for more fills, so an order pays it in parts.
    """
    due_e4 = terms.before_e4 + rates_e4
    if due_e4 < terms.order_min_e4:
        due_e4 = terms.order_min_e4
    if terms.order_max_e4 and due_e4 > terms.order_max_e4:
        due_e4 = terms.order_max_e4
    return due_e4 - terms.paid_e4 if due_e4 > terms.paid_e4 else 0


def regulatory_e4(terms: FeeTerms, filled_e8: int, notional_e4: int, part_e8: int, part_e4: int) -> int:
    """What the law takes of a sale's latest fill (`part_*`), given all that the order has filled with it.

    The share of the notional and the sum by unit are each taken of the whole and rounded up once, less what was due before;
    the cap counts by trade. Never more than the fill is worth.
    """
    due_e4 = share_ppb_up_e4(notional_e4, terms.sell_ppb) - share_ppb_up_e4(
        notional_e4 - part_e4, terms.sell_ppb
    )
    by_unit_e4 = per_unit_up_e4(filled_e8, terms.sell_unit_e12) - per_unit_up_e4(
        filled_e8 - part_e8, terms.sell_unit_e12
    )
    if terms.sell_unit_max_e4 and by_unit_e4 > terms.sell_unit_max_e4:
        by_unit_e4 = terms.sell_unit_max_e4
    due_e4 += by_unit_e4
    return due_e4 if due_e4 < part_e4 else part_e4
