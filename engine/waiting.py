"""Open orders outside the price levels: those that are HELD, and those that wait for an auction or another phase.

Source: docs/orders.md, "Waiting". Where an open order stands is a function of the order and its book's phase, so that
recovery puts it back to the same place.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.kinds import OrderStatus, OrderType, Phase, TimeInForce
from engine.orders import Order
from engine.state import State

EXTENDED = Phase.EXTENDED
HELD = OrderStatus.HELD
PRICED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
"""Types that rest at a price, once they are no longer held."""
AUCTION_ONLY = (TimeInForce.OPG, TimeInForce.CLS)
NEVER_RESTS = (TimeInForce.IOC, TimeInForce.FOK, *AUCTION_ONLY)
"""Times in force of orders that may wait, but never in the levels."""
NOBODY: Mapping[int, Order] = {}


def is_off_book(order: Order, phase: Phase) -> bool:
    """Whether an open order stands outside the price levels of a book in this phase."""
    if order.status is HELD or order.order_type not in PRICED or order.time_in_force in NEVER_RESTS:
        return True
    return phase is EXTENDED and not has_extended_hours(order)


def matches_now(order: Order, phase: Phase) -> bool:
    """Whether an order that comes, or waited, trades at once in a book of this phase."""
    if phase is EXTENDED:
        return not is_off_book(order, phase)
    return phase is Phase.CONTINUOUS and order.time_in_force not in AUCTION_ONLY


def has_extended_hours(order: Order) -> bool:
    """Whether an order may trade while EXTENDED rules."""
    return order.special is not None and order.special.terms.extended_hours


def set_aside(state: State, order: Order) -> None:
    """Keep an open order outside the price levels."""
    of_symbol = state.off_book.get(order.symbol)
    if of_symbol is None:
        of_symbol = state.off_book[order.symbol] = {}
    of_symbol[order.order_id] = order


def take_back(state: State, order: Order) -> None:
    """Take an order out of those set aside, if it is there: it ended, or enters the book."""
    of_symbol = state.off_book.get(order.symbol)
    if of_symbol is not None and of_symbol.pop(order.order_id, None) is not None and not of_symbol:
        del state.off_book[order.symbol]


def off_book_of(state: State, symbol: str) -> list[Order]:
    """All orders set aside in a symbol, by id."""
    of_symbol = state.off_book.get(symbol, NOBODY)
    return [of_symbol[order_id] for order_id in sorted(of_symbol)]


def waiting(state: State, symbol: str) -> list[Order]:
    """The orders set aside in a symbol that are not HELD, by priority."""
    found = [order for order in state.off_book.get(symbol, NOBODY).values() if order.status is not HELD]
    found.sort(key=lambda order: order.priority)
    return found
