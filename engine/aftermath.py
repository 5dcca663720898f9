"""What follows a command's own work: legs are armed, its prints are shown to the armed stops, those that were reached fire.

Source: docs/orders.md, "Stops" and "Orders that hang together". Each stop that fired may trade, and what it traded is looked at before the next one fires.
"""

from __future__ import annotations

from heapq import heappop, heappush

from msgspec.structs import replace

from engine.closing import close_order
from engine.kinds import CloseReason, OrderStatus, OrderType, Phase, Side
from engine.links import hold_of, set_hold
from engine.orders import Order
from engine.risk import collar_e4, reference_e4
from engine.state import Instrument
from engine.status_table import change_status
from engine.stop_book import StopBook, arm, special_of
from engine.stops import (
    STOP_TYPES,
    first_trigger_e4,
    is_reached,
    let_go,
    stop_limit_e4,
    trailing_trigger_e4,
)
from engine.trading import enter_book
from engine.turn import Aftermath, Turn
from engine.waiting import take_back

BUY = Side.BUY
CONTINUOUS = Phase.CONTINUOUS
HELD = OrderStatus.HELD
STOP_LIMIT = OrderType.STOP_LIMIT


def follow_up(turn: Turn, after: Aftermath) -> None:
    """Arm legs, show prints and fire stops until nothing is left to do."""
    while True:
        while after.parents:
            parent, filled_e8 = after.parents.pop(min(after.parents))
            arm_legs(turn, after, parent, filled_e8)
        show_prints(turn, after)
        order = next_marked(turn, after)
        if order is None:
            return
        fire(turn, order)


def show_prints(turn: Turn, after: Aftermath) -> None:
    """Show the prints that were not shown yet: each moves trailing stops, then marks what it reaches.

    A stop that was armed in this command sees the prints after that alone. Those of a book that is not continuous
    are nobody's.
    """
    state, fresh = turn.state, after.fresh
    while after.shown < len(after.prints):
        number = after.shown
        symbol, price_e4 = after.prints[number]
        after.shown = number + 1
        stop_book, instrument = state.stops.get(symbol), state.instruments[symbol]
        if stop_book is None or instrument.phase is not CONTINUOUS:
            continue
        for order in stop_book.moved_by(price_e4):
            if fresh.get(order.order_id, 0) <= number:
                trail(turn, instrument, order, price_e4)
            stop_book.place(order)
        for order in stop_book.reached_by(price_e4):
            if fresh.get(order.order_id, 0) <= number:
                heappush(after.marked, (order.priority, order.order_id))
            else:
                stop_book.add(order)
        drop_if_empty(turn, stop_book)


def drop_if_empty(turn: Turn, stop_book: StopBook) -> None:
    """A symbol without armed stops has no book of them."""
    if not stop_book.armed:
        del turn.state.stops[stop_book.symbol]


def trail(turn: Turn, instrument: Instrument, order: Order, price_e4: int) -> None:
    """Move a trailing stop along with a price better than all that it has seen."""
    special = special_of(order)
    trigger_e4 = trailing_trigger_e4(order.side, special.terms, price_e4, instrument.tick_e4)
    order.special = replace(special, extreme_e4=price_e4, trigger_e4=trigger_e4)
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order


def next_marked(turn: Turn, after: Aftermath) -> Order | None:
    """The marked stop that was accepted first. One whose book has stopped meanwhile waits on as if it had not been marked."""
    state = turn.state
    while after.marked:
        _, order_id = heappop(after.marked)
        order = state.orders.get(order_id)
        if order is None or order.status is not HELD:
            continue
        if state.instruments[order.symbol].phase is CONTINUOUS:
            return order
        arm(state, order)
    return None


def fire(turn: Turn, order: Order) -> None:
    """Let a stop go: at its limit, or at what the collar around the price of now allows."""
    instrument = turn.state.instruments[order.symbol]
    let_go(turn, order)
    if order.order_type is not STOP_LIMIT:
        collar(turn, instrument, order)
    enter_book(turn, instrument, order)


def collar(turn: Turn, instrument: Instrument, order: Order) -> None:
    """Give a fired stop the collar of now. A buy that cannot hold that much keeps the limit of its acceptance."""
    limit_e4 = collar_e4(instrument, order.side, turn.state.limits.market_collar_bps)
    if order.side is not BUY:
        order.limit_e4 = limit_e4
        return
    accepted_e4 = order.limit_e4
    order.limit_e4 = limit_e4
    if not hold_anew(turn, order):
        order.limit_e4 = accepted_e4


def hold_anew(turn: Turn, order: Order) -> bool:
    """Hold for an open buy, and its pair, what it must as it is now; False when the account can't, and nothing changed."""
    account = order.account
    assert account is not None
    carrier, hold_e4 = hold_of(turn.state, order)
    available_e4 = account.available_e4 + carrier.hold_e4
    if account.settled_only_until_us > turn.now_us:
        available_e4 -= account.unsettled_e4
    if hold_e4 > available_e4:
        return False
    set_hold(turn, carrier, hold_e4)
    return True


def arm_legs(turn: Turn, after: Aftermath, parent: Order, filled_e8: int) -> None:
    """Give the legs of an order what was filled of it: arm them, or have those that are armed grow."""
    state = turn.state
    legs = [state.orders[leg_id] for leg_id in special_of(parent).children if leg_id in state.orders]
    fresh = [leg for leg in legs if not special_of(leg).is_armed]
    for leg in legs:
        if special_of(leg).is_armed:
            grow(turn, leg, filled_e8)
        else:
            ready(turn, leg, filled_e8)
        leg.updated_us = turn.now_us
        turn.orders[leg.order_id] = leg
    if not legs:
        return
    if parent.side is BUY:
        hold_units(turn, legs, filled_e8)
    elif not hold_anew(turn, legs[0]):
        close_order(turn, legs[0], OrderStatus.CANCELLED, CloseReason.NOT_COVERED)
    for leg in fresh:
        if leg.status is HELD:
            set_going(turn, after, leg)


def grow(turn: Turn, leg: Order, by_e8: int) -> None:
    """Make an armed leg larger; one that is not held goes to the end of its queue."""
    level = leg.level
    if level is not None:
        level.side.remove(leg)
    leg.quantity_e8 += by_e8
    if leg.status is not HELD:
        leg.priority = turn.new_id()
    if level is not None:
        turn.levels[level.side.add(leg)] = None


def ready(turn: Turn, leg: Order, quantity_e8: int) -> None:
    """Arm a leg for what its parent has filled: from here on it holds something, and a stop has its trigger."""
    instrument = turn.state.instruments[leg.symbol]
    special = special_of(leg)
    trigger_e4 = extreme_e4 = 0
    if leg.order_type in STOP_TYPES:
        trigger_e4, extreme_e4 = first_trigger_e4(instrument, leg.side, leg.order_type, special.terms)
        leg.limit_e4 = stop_limit_e4(
            turn.state, instrument, leg.side, leg.order_type, leg.price_e4, trigger_e4
        )
    leg.special = replace(special, is_armed=True, trigger_e4=trigger_e4, extreme_e4=extreme_e4)
    leg.quantity_e8 = quantity_e8
    leg.priority = turn.new_id()


def hold_units(turn: Turn, legs: list[Order], bought_e8: int) -> None:
    """Promise what a parent bought to its legs; a pair holds it once."""
    for leg in legs:
        account = leg.account
        assert account is not None
        position = leg.position = account.positions[leg.symbol]
        if leg is legs[0]:
            position.held_e8 += bought_e8
            turn.state.dirty["position"][leg.account_id, leg.symbol] = None


def set_going(turn: Turn, after: Aftermath, leg: Order) -> None:
    """Let a leg that was armed do what it is for: rest, or wait for its price, which may be there already."""
    state = turn.state
    instrument = state.instruments[leg.symbol]
    if leg.order_type not in STOP_TYPES:
        take_back(state, leg)
        change_status(leg, OrderStatus.PENDING)
        enter_book(turn, instrument, leg)
    elif is_reached(leg.side, special_of(leg).trigger_e4, reference_e4(instrument)):
        heappush(after.marked, (leg.priority, leg.order_id))
    else:
        after.fresh[leg.order_id] = len(after.prints)
        arm(state, leg)
