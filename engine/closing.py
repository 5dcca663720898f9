"""Taking open orders off: release what they hold, forget them, and say why."""

from __future__ import annotations

from engine.kinds import CloseReason, OrderStatus, TimeInForce, TimerKind
from engine.orders import Order
from engine.state import Account, State
from engine.stop_book import disarm
from engine.terms import Special
from engine.timers import drop_timer_of
from engine.turn import Turn
from engine.waiting import off_book_of, take_back

CANCELLED = OrderStatus.CANCELLED
PAIR, PARENT, REPLACED = CloseReason.PAIR, CloseReason.PARENT, CloseReason.REPLACED
GTD = TimeInForce.GTD


def forget_order(turn: Turn, order: Order) -> None:
    """Take an order that is final out of the state; its client order id is kept for a day."""
    state = turn.state
    del state.orders[order.order_id]
    if order.is_quote:
        return
    account = order.account
    assert account is not None
    del account.orders[order.order_id]
    if order.special is not None and order.time_in_force is GTD:
        drop_timer_of(state, TimerKind.ORDER_EXPIRY, str(order.order_id))
    if order.client_order_id:
        key = (order.account_id, order.client_order_id)
        record = state.client_order_ids[key]
        record.closed_us = turn.now_us
        state.client_order_ids_closed[key] = record
        state.dirty["client_order_id"][key] = None


def close_order(turn: Turn, order: Order, status: OrderStatus, reason: CloseReason) -> None:
    """End an open order: out of the book if it rests, all that it holds released, reported as final."""
    account, position, level = order.account, order.position, order.level
    assert account is not None
    if level is not None:
        level.side.remove(order)
        turn.levels[level] = None
    elif turn.state.off_book:
        take_back(turn.state, order)
        if turn.state.stops:
            disarm(turn.state, order)
    if position is None:
        account.held_e4 -= order.hold_e4
        order.hold_e4 = 0
        turn.accounts[account.account_id] = account
    else:
        position.held_e8 -= order.quantity_e8 - order.filled_e8
        turn.state.dirty["position"][account.account_id, order.symbol] = None
    order.status = status
    order.reason = reason
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order
    forget_order(turn, order)
    if order.special is not None:
        close_linked(turn, order, order.special, reason)


def close_linked(turn: Turn, order: Order, special: Special, reason: CloseReason) -> None:
    """End what an order that ended takes with it: the other of its pair; of a parent without a fill the legs that wait for it."""
    if reason is REPLACED:
        return
    state = turn.state
    group = state.groups.pop(special.group_id, None)
    if group is not None:
        state.dirty["group"][group.group_id] = None
        other = state.orders.get(group.stop_id if order.order_id == group.limit_id else group.limit_id)
        if other is not None and reason is not PARENT:
            other.position = None  # its units were those of the pair, and have been given back
            close_order(turn, other, CANCELLED, PAIR)
    if not order.filled_e8:
        for leg_id in special.children:
            leg = state.orders.get(leg_id)
            if leg is not None and leg.special is not None and not leg.special.is_armed:
                close_order(turn, leg, CANCELLED, PARENT)


def close_all(turn: Turn, account: Account, symbol: str, reason: CloseReason) -> None:
    """Cancel an account's open orders and quotes, in one symbol or ('') in all."""
    for order in list(account.orders.values()):
        if (not symbol or order.symbol == symbol) and order.order_id in turn.state.orders:
            close_order(turn, order, CANCELLED, reason)  # else another one has ended it
    for quoted in list(account.quotes):
        if not symbol or quoted == symbol:
            close_quotes(turn, account, quoted, reason)


def close_quotes(turn: Turn, account: Account, symbol: str, reason: CloseReason) -> None:
    """Take off all quotes of a market maker in a symbol."""
    for order in account.quotes.pop(symbol, ()):
        if order.order_id in turn.state.orders:
            close_order(turn, order, CANCELLED, reason)


def close_book(turn: Turn, state: State, symbol: str, reason: CloseReason) -> None:
    """Cancel everything that is open in a symbol: best bids first, then asks, then what stands outside the levels, by id."""
    book = state.books[symbol]
    for side in (book.bids, book.asks):
        for level in list(side.best_first()):
            while level.first is not None:
                close_order(turn, level.first, CANCELLED, reason)
    for order in off_book_of(state, symbol):
        if order.order_id in state.orders:  # what hangs together ends together
            close_order(turn, order, CANCELLED, reason)
