"""What a cash dividend does to open orders: buy limits and sell stops come down by it, as the price does.

Source: FINRA Rule 5330 (adjustment of orders): open orders to buy and open stop orders to sell are reduced by the dividend, down to
the next tick, unless they are marked do-not-reduce. Open is GTC and GTD. Stop orders to buy and limits to sell stay. A
price that would come below the instrument's lowest ends the order: CANCELLED, CORPORATE_ACTION. A buy that shares its hold
with the other of an OCO pair stays as it is.
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.closing import close_order
from engine.kinds import CloseReason, OrderStatus, OrderType, Side, TimeInForce
from engine.orders import Order, buy_hold_e4
from engine.state import Instrument, State
from engine.stop_book import special_of
from engine.stops import STOP_TYPES, stop_limit_e4, trailing_trigger_e4
from engine.turn import Turn
from engine.units import tick_down_e4
from engine.waiting import PRICED, off_book_of

HELD = OrderStatus.HELD
OPEN_ORDERS = (TimeInForce.GTC, TimeInForce.GTD)


def lower_orders(turn: Turn, instrument: Instrument, by_e4: int) -> None:
    """Lower what a dividend lowers: what rests, best first, then what stands outside the price levels, by id."""
    state, symbol = turn.state, instrument.symbol
    for order in [*state.books[symbol].resting(), *off_book_of(state, symbol)]:
        if order.order_id not in state.orders or not is_lowered(order):
            continue
        lowered = lower_buy if order.side is Side.BUY else lower_stop
        if not lowered(turn, instrument, order, by_e4):
            close_order(turn, order, OrderStatus.CANCELLED, CloseReason.CORPORATE_ACTION)


def is_lowered(order: Order) -> bool:
    """Whether a dividend lowers an open order."""
    special = order.special
    if order.is_quote or order.time_in_force not in OPEN_ORDERS:
        return False
    if special is not None and special.terms.do_not_reduce:
        return False
    if order.side is Side.SELL:
        return order.status is HELD and order.order_type in STOP_TYPES
    shares_hold = special is not None and special.group_id > 0
    return order.status is not HELD and order.order_type in PRICED and not shares_hold


def lower_buy(turn: Turn, instrument: Instrument, order: Order, by_e4: int) -> bool:
    """Lower the price of a buy, and what it holds; it keeps its priority. False when the price would be too low."""
    price_e4 = tick_down_e4(order.price_e4 - by_e4, instrument.tick_e4)
    if price_e4 < instrument.price_min_e4:
        return False
    account, level = order.account, order.level
    assert account is not None
    if level is not None:
        level.side.remove(order)
        turn.levels[level] = None
    order.price_e4 = order.limit_e4 = price_e4
    hold_e4 = buy_hold_e4(order)
    account.held_e4 -= order.hold_e4 - hold_e4
    order.hold_e4 = hold_e4
    order.updated_us = turn.now_us
    turn.accounts[account.account_id] = account
    turn.orders[order.order_id] = order
    if level is not None:
        turn.levels[level.side.insert(order)] = None
    return True


def lower_stop(turn: Turn, instrument: Instrument, order: Order, by_e4: int) -> bool:
    """Lower a held sell stop, its limit with it; of a trailing one the best price so far. False when it would be too low."""
    state, tick_e4 = turn.state, instrument.tick_e4
    special = special_of(order)
    terms, price_e4 = special.terms, order.price_e4
    extreme_e4 = trigger_e4 = 0
    if order.order_type is OrderType.TRAILING_STOP:
        if special.extreme_e4:  # it has been armed
            extreme_e4 = special.extreme_e4 - by_e4
            trigger_e4 = trailing_trigger_e4(order.side, terms, extreme_e4, tick_e4)
    else:
        terms = replace(terms, stop_e4=tick_down_e4(terms.stop_e4 - by_e4, tick_e4))
        trigger_e4 = terms.stop_e4 if special.trigger_e4 else 0
        if terms.stop_e4 < instrument.price_min_e4:
            return False
    if order.order_type is OrderType.STOP_LIMIT:
        price_e4 = tick_down_e4(price_e4 - by_e4, tick_e4)
        if price_e4 < instrument.price_min_e4:
            return False
    if (trigger_e4 or extreme_e4) and trigger_e4 < instrument.price_min_e4:
        return False
    order.price_e4 = price_e4
    if trigger_e4:
        order.limit_e4 = stop_limit_e4(state, instrument, order.side, order.order_type, price_e4, trigger_e4)
    order.special = replace(special, terms=terms, trigger_e4=trigger_e4, extreme_e4=extreme_e4)
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order
    show_anew(state, order)
    return True


def show_anew(state: State, order: Order) -> None:
    """Have the book of armed stops see where a stop stands now."""
    stop_book = state.stops.get(order.symbol)
    if stop_book is not None and order.order_id in stop_book.armed:
        stop_book.place(order)
