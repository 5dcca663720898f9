"""Icebergs: the slice of an order that its price level shows. Source: docs/orders.md, "Iceberg".

The level counts slices; matching meets a slice at a time, and what is hidden comes after all that waits at the price.
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.orders import Order


def visible_e8(order: Order) -> int:
    """How much of an order in the levels is shown, and can be met at once: all of it, but of an iceberg its slice."""
    special = order.special
    if special is None or not special.terms.display_e8:
        return order.quantity_e8 - order.filled_e8
    return special.shown_e8


def show(order: Order) -> int:
    """Show an order that comes into the levels; returns how much of it."""
    special = order.special
    leaves_e8 = order.quantity_e8 - order.filled_e8
    if special is None or not special.terms.display_e8:
        return leaves_e8
    if special.shown_e8:  # it is put back as it was, after a restart
        return special.shown_e8
    display_e8 = special.terms.display_e8
    shown_e8 = display_e8 if display_e8 < leaves_e8 else leaves_e8
    order.special = replace(special, shown_e8=shown_e8)
    return shown_e8


def hide(order: Order) -> int:
    """Show nothing of an order that leaves the levels; returns how much of it was shown."""
    special = order.special
    if special is None or not special.terms.display_e8:
        return order.quantity_e8 - order.filled_e8
    if special.shown_e8:
        order.special = replace(special, shown_e8=0)
    return special.shown_e8


def take_hidden(order: Order, by_e8: int) -> int:
    """Make an order in the levels smaller by what is hidden first; returns how much less is shown.

    To be called while its quantity is as it was.
    """
    special = order.special
    if special is None or not special.terms.display_e8:
        return by_e8
    left_e8 = order.quantity_e8 - order.filled_e8 - by_e8
    if special.shown_e8 <= left_e8:
        return 0
    order.special = replace(special, shown_e8=left_e8)
    return special.shown_e8 - left_e8


def take_shown(order: Order, by_e8: int) -> bool:
    """Take a fill out of what an order in the levels shows; whether its slice is gone and it has more."""
    special = order.special
    if special is None or not special.terms.display_e8:
        return False
    order.special = replace(special, shown_e8=special.shown_e8 - by_e8)
    return special.shown_e8 == by_e8 and order.quantity_e8 > order.filled_e8


def hand_over(old: Order, new: Order) -> int:
    """Have a smaller order in the place of another show what it showed, if it has as much; how much less is shown."""
    special = new.special
    before_e8 = visible_e8(old)
    if special is None or not special.terms.display_e8:
        return before_e8 - (new.quantity_e8 - new.filled_e8)
    leaves_e8 = new.quantity_e8 - new.filled_e8
    hide(old)
    shown_e8 = before_e8 if before_e8 < leaves_e8 else leaves_e8
    new.special = replace(special, shown_e8=shown_e8)
    return before_e8 - shown_e8
