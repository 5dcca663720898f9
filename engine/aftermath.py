"""What follows a command's own work: its prints are shown to the armed stops, and those that were reached fire.

Source: docs/orders.md, "Stops". Each stop that fired may trade, and what it traded is looked at before the next one fires.
"""

from __future__ import annotations

from heapq import heappop, heappush

from msgspec.structs import replace

from engine.kinds import OrderStatus, OrderType, Phase, Side
from engine.orders import Order, buy_hold_e4
from engine.risk import collar_e4
from engine.state import Instrument
from engine.stop_book import StopBook, arm, special_of
from engine.stops import let_go, trailing_trigger_e4
from engine.trading import enter_book
from engine.turn import Aftermath, Turn

BUY = Side.BUY
CONTINUOUS = Phase.CONTINUOUS
HELD = OrderStatus.HELD
STOP_LIMIT = OrderType.STOP_LIMIT


def follow_up(turn: Turn, after: Aftermath) -> None:
    """Show prints and fire stops until nothing is left to do."""
    while True:
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
    account = order.account
    assert account is not None
    accepted_e4 = order.limit_e4
    order.limit_e4 = limit_e4
    hold_e4 = buy_hold_e4(order)
    if hold_e4 > account.available_e4 + order.hold_e4:
        order.limit_e4 = accepted_e4
        return
    account.held_e4 += hold_e4 - order.hold_e4
    order.hold_e4 = hold_e4
    turn.accounts[account.account_id] = account
