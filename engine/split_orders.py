"""What a forward split does to open orders: GTC and GTD orders become orders for the new shares, all others end.

Source: docs/corporate-actions.md, "Splits"; FINRA Rule 5330. An order keeps its id, its place in time and its links. Rounding never
makes it dearer for its owner, so no hold grows, and it leaves bids and asks as far apart as they were.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from engine.closing import close_order
from engine.dividend_orders import OPEN_ORDERS, show_anew
from engine.kinds import CloseReason, OrderStatus, OrderType, Side
from engine.links import carries_hold, hold_of, set_hold
from engine.lot_methods import units_left
from engine.orders import Order
from engine.state import Instrument
from engine.stops import trailing_trigger_e4
from engine.terms import Special, Terms
from engine.turn import Turn
from engine.units import (
    QUANTITY_MAX_E8,
    lots_down_e8,
    lots_up_e8,
    shares_of,
    split_down_e8,
    split_price_down_e4,
    split_price_e4,
    split_price_up_e4,
    tick_down_e4,
    tick_up_e4,
)
from engine.waiting import off_book_of

BUY = Side.BUY
CANCELLED = OrderStatus.CANCELLED


class Restated(Struct, frozen=True, gc=False):
    """The figures of an order in new shares."""

    quantity_e8: int
    price_e4: int
    limit_e4: int
    special: Special | None


class Ratio(Struct, frozen=True, gc=False):
    """How the figures of an instrument's orders are brought to new shares."""

    numerator: int
    denominator: int
    tick_e4: int
    lot_e8: int

    def units_e8(self, units_e8: int) -> int:
        """A quantity, down to the lot."""
        return lots_down_e8(split_down_e8(units_e8, self.numerator, self.denominator), self.lot_e8)

    def low_e4(self, price_e4: int) -> int:
        """A price, down to the tick."""
        return tick_down_e4(split_price_down_e4(price_e4, self.numerator, self.denominator), self.tick_e4)

    def high_e4(self, price_e4: int) -> int:
        """A price, up to the tick."""
        return tick_up_e4(split_price_up_e4(price_e4, self.numerator, self.denominator), self.tick_e4)


def restate_orders(turn: Turn, instrument: Instrument, numerator: int, denominator: int) -> list[Order]:
    """End what a forward split ends, and bring the rest to new shares: what rests, best first, then what does not, by id.

    What stood in the levels is out of them, and returned: `seat_again` puts it back.
    """
    state, symbol = turn.state, instrument.symbol
    ratio = Ratio(numerator, denominator, instrument.tick_e4, instrument.lot_e8)
    staying: list[tuple[Order, Restated]] = []
    for order in [*state.books[symbol].resting(), *off_book_of(state, symbol)]:
        if order.order_id not in state.orders:
            continue  # what it hangs together with has ended it
        figures = restated(instrument, order, ratio)
        if figures is None:
            close_order(turn, order, CANCELLED, CloseReason.CORPORATE_ACTION)
        else:
            staying.append((order, figures))
    staying = [each for each in staying if each[0].order_id in state.orders]
    seats = [order for order, _ in staying if order.level is not None]
    growth_e8 = {order.order_id: figures.quantity_e8 - order.quantity_e8 for order, figures in staying}
    for order, figures in staying:
        restate(turn, order, figures)
        if order.special is not None and order.special.planned_e8:
            planned_e8 = order.special.planned_e8 + growth_e8.get(order.special.parent_id, 0)
            order.special = replace(order.special, planned_e8=planned_e8)
    for order, _ in staying:
        if order.side is BUY and carries_hold(order):
            set_hold(turn, *hold_of(state, order))
    return seats


def restated(instrument: Instrument, order: Order, ratio: Ratio) -> Restated | None:
    """An order's figures in new shares; None for one that ends."""
    if order.is_quote or order.time_in_force not in OPEN_ORDERS:
        return None
    leaves_e8 = ratio.units_e8(order.leaves_e8)
    limit = ratio.low_e4 if order.side is BUY else ratio.high_e4
    price_e4, limit_e4 = limit(order.price_e4), limit(order.limit_e4)
    special = None
    figures = [price_e4, limit_e4]
    wanted = [order.price_e4, order.limit_e4]
    if order.special is not None:
        special = restated_special(instrument, order, order.special, leaves_e8, ratio)
        figures += [special.terms.stop_e4, special.trigger_e4]
        wanted += [order.special.terms.stop_e4, order.special.trigger_e4]
    too_low = any(
        asked and figure < instrument.price_min_e4 for asked, figure in zip(wanted, figures, strict=True)
    )
    if too_low or order.filled_e8 + leaves_e8 > QUANTITY_MAX_E8:
        return None
    return Restated(order.filled_e8 + leaves_e8, price_e4, limit_e4, special)


def restated_special(
    instrument: Instrument, order: Order, special: Special, leaves_e8: int, ratio: Ratio
) -> Special:
    """Terms and standing of an order in new shares, of which so many are left."""
    terms = special.terms
    stop = ratio.high_e4 if order.side is BUY else ratio.low_e4
    terms = replace(
        terms,
        stop_e4=stop(terms.stop_e4),
        trail_e4=ratio.high_e4(terms.trail_e4),
        display_e8=_display_e8(terms.display_e8, ratio),
        lots=_lots(terms, order, leaves_e8),
    )
    extreme_e4 = split_price_e4(special.extreme_e4, ratio.numerator, ratio.denominator)
    trigger_e4 = terms.stop_e4 if special.trigger_e4 else 0
    if extreme_e4:
        trigger_e4 = trailing_trigger_e4(order.side, terms, extreme_e4, instrument.tick_e4)
    return replace(
        special,
        terms=terms,
        trigger_e4=trigger_e4,
        extreme_e4=extreme_e4,
        shown_e8=min(_display_e8(special.shown_e8, ratio), leaves_e8),
    )


def _display_e8(units_e8: int, ratio: Ratio) -> int:
    """A slice: up to the lot, so that an iceberg has no more of them than it had."""
    return lots_up_e8(split_down_e8(units_e8, ratio.numerator, ratio.denominator), ratio.lot_e8)


def _lots(terms: Terms, order: Order, leaves_e8: int) -> tuple[tuple[int, int], ...]:
    """The lots that an order names: what it has sold of them as it was, what is left of them for the new shares."""
    if not terms.lots:
        return ()
    sold = units_left(terms.lots, 0, order.filled_e8)
    left = units_left(terms.lots, order.filled_e8, order.leaves_e8)
    parts = shares_of(leaves_e8, [units_e8 for _, units_e8 in left])
    return (*sold, *[(lot_id, part_e8) for (lot_id, _), part_e8 in zip(left, parts, strict=True) if part_e8])


def restate(turn: Turn, order: Order, figures: Restated) -> None:
    """Give an order its new figures; it is out of the levels then. A buy's hold is the caller's."""
    level, position = order.level, order.position
    if level is not None:
        level.side.remove(order)
        turn.levels[level] = None
    if position is not None and carries_hold(order):
        position.held_e8 += figures.quantity_e8 - order.quantity_e8
        turn.state.dirty["position"][order.account_id, order.symbol] = None
    order.quantity_e8 = figures.quantity_e8
    order.price_e4 = figures.price_e4
    order.limit_e4 = figures.limit_e4
    order.special = figures.special
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order
    if order.order_type is not OrderType.LIMIT:
        show_anew(turn.state, order)


def seat_again(turn: Turn, orders: list[Order]) -> None:
    """Put orders that stood in the levels back into them, each at its priority."""
    for order in orders:
        side = turn.state.books[order.symbol].side(order.side)
        turn.levels[side.insert(order)] = None
