"""Taking open orders off: release what they hold, forget them, and say why."""

from __future__ import annotations

from engine.kinds import CloseReason, OrderStatus, Side
from engine.orders import Order
from engine.state import Account, State
from engine.turn import Turn

BUY = Side.BUY


def release_hold(turn: Turn, order: Order, account: Account) -> None:
    """Give back all that an order still holds: cash of a buy, units of a sell."""
    if order.side is BUY:
        account.held_e4 -= order.hold_e4
        order.hold_e4 = 0
        turn.touch_account(account)
    else:
        position = account.positions[order.symbol]
        position.held_e8 -= order.quantity_e8 - order.filled_e8
        turn.state.dirty["position"][(order.account_id, order.symbol)] = None


def forget_order(turn: Turn, order: Order, account: Account) -> None:
    """Take an order that is final out of the state; its client order id is kept for a day."""
    state = turn.state
    del state.orders[order.order_id]
    if order.is_quote:
        return
    del account.orders[order.order_id]
    if order.client_order_id:
        key = (order.account_id, order.client_order_id)
        record = state.client_order_ids[key]
        record.closed_us = turn.now_us
        state.client_order_ids_closed[key] = record
        state.dirty["client_order_id"][key] = None


def close_order(turn: Turn, order: Order, status: OrderStatus, reason: CloseReason) -> None:
    """End an open order: out of the book if it rests, hold released, reported as final."""
    state = turn.state
    account = state.accounts[order.account_id]
    if order.level is not None:
        book = state.books[order.symbol]
        side = book.bids if order.side is BUY else book.asks
        turn.touch_level(side, order.limit_e4)
        side.remove(order)
    release_hold(turn, order, account)
    order.status = status
    order.reason = reason
    order.updated_us = turn.now_us
    turn.touch_order(order)
    forget_order(turn, order, account)


def close_all(turn: Turn, account: Account, symbol: str, reason: CloseReason) -> None:
    """Cancel an account's open orders and quotes, in one symbol or ('') in all."""
    for order in list(account.orders.values()):
        if not symbol or order.symbol == symbol:
            close_order(turn, order, OrderStatus.CANCELLED, reason)
    for quoted in list(account.quotes):
        if not symbol or quoted == symbol:
            close_quotes(turn, account, quoted, reason)


def close_quotes(turn: Turn, account: Account, symbol: str, reason: CloseReason) -> None:
    """Take off all quotes of a market maker in a symbol."""
    for order in account.quotes.pop(symbol, ()):
        if order.order_id in turn.state.orders:
            close_order(turn, order, OrderStatus.CANCELLED, reason)


def close_book(turn: Turn, state: State, symbol: str, reason: CloseReason) -> None:
    """Cancel everything that rests in a symbol, best bids first, then asks."""
    book = state.books[symbol]
    for side in (book.bids, book.asks):
        for level in list(side.best_first()):
            while level.first is not None:
                close_order(turn, level.first, OrderStatus.CANCELLED, reason)
