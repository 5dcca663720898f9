"""Orders for an amount of money: how many units it pays. Source: docs/orders.md, "Notional"."""

from __future__ import annotations

from engine.book import BookSide
from engine.units import QUANTITY_SCALE


def paid_by_e8(notional_e4: int, price_e4: int, lot_e8: int) -> int:
    """The largest multiple of the lot that an amount pays at a price, exactly."""
    quantity_e8 = notional_e4 * QUANTITY_SCALE // price_e4
    return quantity_e8 - quantity_e8 % lot_e8


def paid_in_book_e8(notional_e4: int, side: BookSide, limit_e4: int, lot_e8: int) -> int:
    """The largest multiple of the lot that an amount pays in a book as it is, level by level, and beyond it at the limit.

    Costs are price times quantity, summed before any rounding.
    """
    limit_key = limit_e4 * side.sign
    budget = notional_e4 * QUANTITY_SCALE
    quantity_e8 = 0
    for level in side.best_first():
        if level.key > limit_key:
            break
        if level.price_e4 * level.quantity_e8 > budget:
            quantity_e8 += budget // level.price_e4
            return quantity_e8 - quantity_e8 % lot_e8
        budget -= level.price_e4 * level.quantity_e8
        quantity_e8 += level.quantity_e8
    quantity_e8 += budget // limit_e4
    return quantity_e8 - quantity_e8 % lot_e8
