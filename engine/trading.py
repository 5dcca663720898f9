"""The order commands: place, cancel, cancel all, replace. Each decides first and mutates afterwards."""

from __future__ import annotations

from engine.closing import close_all, close_order
from engine.commands import CancelAll, CancelOrder, Envelope, PlaceOrder
from engine.events import OrderUpdated, Refused
from engine.fee_tiers import set_terms
from engine.kinds import (
    AccountStatus,
    CloseReason,
    OrderClass,
    OrderStatus,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    TimerKind,
)
from engine.legs import make_legs
from engine.links import carries_hold, pair_up
from engine.matching import match
from engine.order_form import ask, post_only_refusal
from engine.orders import Order
from engine.refusals import Refusal
from engine.risk import (
    collar_e4,
    cover_refusal,
    fill_or_kill_refusal,
    form_refusal,
    market_refusal,
    size_refusal,
)
from engine.risk_rules import admit
from engine.state import Account, ClientOrderId, Instrument, State
from engine.stop_book import arm, is_armed_stop
from engine.terms import Terms
from engine.timers import add_timer
from engine.turn import Turn
from engine.waiting import is_off_book, matches_now, set_aside

BUY = Side.BUY
CANCELLED = OrderStatus.CANCELLED
CLS = TimeInForce.CLS
CONTINUOUS = Phase.CONTINUOUS
DAY = TimeInForce.DAY
DISABLED = AccountStatus.DISABLED
FOK = TimeInForce.FOK
GTC = TimeInForce.GTC
GTD = TimeInForce.GTD
HALT_AUCTION = Phase.HALT_AUCTION
HELD = OrderStatus.HELD
IOC = TimeInForce.IOC
LIMIT = OrderType.LIMIT
MARKET = OrderType.MARKET
NO_LIQUIDITY = CloseReason.NO_LIQUIDITY
OCO, OTO = OrderClass.OCO, OrderClass.OTO
OPG = TimeInForce.OPG
PARTIAL = OrderStatus.PARTIAL
SIMPLE = OrderClass.SIMPLE
STOP_LIMIT = OrderType.STOP_LIMIT
USER = CloseReason.USER

Answer = Refused | int | type[OrderUpdated] | None
"""What a command's function returns: a refusal, the id of the order that answers, the type of the events that
answer, or None when all of its events do."""


def place_order(turn: Turn, envelope: Envelope, command: PlaceOrder) -> Answer:
    """Accept, match and rest a new order, or refuse it."""
    state = turn.state
    account = state.accounts.get(envelope.account_id)
    instrument = state.instruments.get(command.symbol)
    order = new_order(turn, account, instrument, command)
    if type(order) is Refused:
        return order
    assert account is not None
    assert instrument is not None
    if order.special is not None:
        return place_special(turn, account, instrument, order, command)
    refused = cover_refusal(account, order, 0, 0)
    if refused is not None:
        return refused
    if order.time_in_force is FOK:
        refused = fill_or_kill_refusal(state, order)
    if state.risk is not None and refused is None:
        refused = admit(turn, state.risk, account, instrument, order)
    if refused is not None:
        return refused
    accept(turn, account, order)
    enter_book(turn, instrument, order)
    return order.order_id


def place_special(
    turn: Turn, account: Account, instrument: Instrument, order: Order, command: PlaceOrder
) -> Answer:
    """Accept an order with terms, and its legs, or refuse it; a stop is held back."""
    state = turn.state
    legs = make_legs(turn, instrument, order, command) if command.legs else []
    other = legs[0] if command.order_class is OCO else None
    refused = cover_refusal(account, order, 0, 0, other)
    if refused is None and order.time_in_force is FOK:
        refused = fill_or_kill_refusal(state, order)
    if refused is None:
        refused = post_only_refusal(state, instrument, order)
    if refused is None and state.risk is not None:
        refused = admit(turn, state.risk, account, instrument, order)
    if refused is not None:
        return refused
    accept(turn, account, order)
    for leg in legs:
        accept(turn, account, leg)
        hold_back(state, leg)
    if legs and command.order_class is not OTO:
        pair_up(turn, *(legs if other is None else [order, other]))
    if order.status is HELD:
        hold_back(state, order)
    else:
        enter_book(turn, instrument, order)
    return order.order_id


def hold_back(state: State, order: Order) -> None:
    """Keep an accepted order out of the book; a stop that is armed sees the prints from now on."""
    set_aside(state, order)
    if is_armed_stop(order):
        arm(state, order)


def new_order(
    turn: Turn, account: Account | None, instrument: Instrument | None, command: PlaceOrder
) -> Order | Refused:
    """The order that a command asks for, or why there can be none. Whether it is covered is asked next.

    Changes nothing, so a preview asks here too (engine/preview.py).
    """
    state = turn.state
    if account is None or account.status is DISABLED:
        return Refused(Refusal.ACCOUNT_NOT_FOUND if account is None else Refusal.ACCOUNT_DISABLED)
    account_id, client_order_id = account.account_id, command.client_order_id
    if (client_order_id or command.legs) and not client_ids_are_free(state, account_id, command):
        return Refused(Refusal.DUPLICATE_CLIENT_ORDER_ID)
    if instrument is None:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    symbol = instrument.symbol  # one text for all: its hash is known, and it is found by identity
    side, order_type = command.side, command.order_type
    quantity_e8, price_e4, time_in_force = command.quantity_e8, command.price_e4, command.time_in_force
    now_us = turn.now_us
    is_plain = (  # as nearly every order is: what journals knew before there were terms
        command.terms is None
        and (order_type is LIMIT or order_type is MARKET)
        and (time_in_force is DAY or time_in_force is GTC or time_in_force is IOC or time_in_force is FOK)
        and command.order_class is SIMPLE
        and not command.legs
    )
    if (
        not is_plain
        or state.kill_switches
        or instrument.phase is not CONTINUOUS
        or account.currency != instrument.currency
    ):
        refused = market_refusal(state, account, instrument, time_in_force, now_us)
        if refused is not None:
            return refused
    special, legs = None, 0
    if is_plain:
        refused = form_refusal(instrument, order_type, quantity_e8, price_e4)
        if refused is not None:
            return refused
        limit_e4 = market_limit_e4(state, instrument, side) if order_type is MARKET else price_e4
        refused = size_refusal(state, instrument, side, quantity_e8, limit_e4)
        if refused is not None:
            return refused
    else:
        asked = ask(state, account, instrument, command, now_us)
        if type(asked) is Refused:
            return asked
        quantity_e8, limit_e4, special = asked
        legs = len(command.legs)
    if len(account.orders) + legs >= state.limits.open_orders_max:
        return Refused(Refusal.TOO_MANY_OPEN_ORDERS, (("maximum", state.limits.open_orders_max),))
    order_id = turn.new_id()
    fees = state.fees[instrument.fee_schedule]
    order = Order(
        order_id, account_id, symbol, side, order_type, time_in_force, quantity_e8, price_e4, limit_e4,
        fees.maker_ppm, fees.taker_ppm, now_us, now_us, client_order_id, command.self_trade_prevention,
        0, False, order_id,
    )  # fmt: skip
    if special is not None:
        order.special = special
        if special.trigger_e4:
            order.status = HELD
    if fees.rules is not None:
        set_terms(state, order, fees.rules, now_us)
    return order


def client_ids_are_free(state: State, account_id: int, command: PlaceOrder) -> bool:
    """Whether an order and its legs have client order ids of which none was used, by each other either."""
    given = [
        each for each in (command.client_order_id, *[leg.client_order_id for leg in command.legs]) if each
    ]
    return len(dict.fromkeys(given)) == len(given) and all(
        (account_id, each) not in state.client_order_ids for each in given
    )


def market_limit_e4(state: State, instrument: Instrument, side: Side) -> int:
    """The limit of a MARKET order that comes now."""
    return collar_e4(instrument, side, state.limits.market_collar_bps)


def accept(turn: Turn, account: Account, order: Order) -> None:
    """Make an order that was decided on part of the state, and take what it must hold.

    That is `order.hold_e4` in cash of a buy, its rest in units of a sell.
    """
    state = turn.state
    order_id = order.order_id
    state.orders[order_id] = turn.orders[order_id] = order
    order.account = account
    if order.side is BUY:
        account.held_e4 += order.hold_e4
        turn.accounts[account.account_id] = account
    elif order.special is not None and not carries_hold(order):
        if order.special.is_armed:  # the units that it may deliver are held by the other of its pair
            order.position = account.positions[order.symbol]
    else:
        position = order.position = account.positions[order.symbol]
        position.held_e8 += order.quantity_e8 - order.filled_e8
        state.dirty["position"][account.account_id, order.symbol] = None
    if order.is_quote:
        return
    account.orders[order_id] = order
    if order.special is not None:
        arm_expiry(turn, order, order.special.terms)
    if order.client_order_id:
        key = (account.account_id, order.client_order_id)
        state.client_order_ids[key] = ClientOrderId(key[0], key[1], order_id)
        state.dirty["client_order_id"][key] = None


def arm_expiry(turn: Turn, order: Order, terms: Terms) -> None:
    """Have a GTD order end when its own time is over; the timer goes when the order does."""
    if order.time_in_force is GTD:
        add_timer(turn, terms.expires_us, TimerKind.ORDER_EXPIRY, str(order.order_id))


def enter_book(turn: Turn, instrument: Instrument, order: Order) -> None:
    """Match an accepted order; what is left rests, or ends where its type or time in force says so.

    Where the book does not match, or halts over it, the order is collected.
    """
    phase = instrument.phase
    time_in_force = order.time_in_force
    if (phase is not CONTINUOUS or time_in_force is CLS or time_in_force is OPG) and not matches_now(
        order, phase
    ):
        collect(turn, order, phase)
        return
    book = turn.state.books[order.symbol]
    if order.side is BUY:
        same, opposite = book.bids, book.asks
    else:
        same, opposite = book.asks, book.bids
    best = opposite.best()
    if best is not None and best.key <= order.limit_e4 * opposite.sign:
        match(turn, instrument, opposite, order)
        if order.status > PARTIAL:
            return
        if instrument.phase is HALT_AUCTION:
            collect(turn, order, HALT_AUCTION)
            return
    order_type = order.order_type
    if (
        time_in_force is IOC
        or time_in_force is FOK
        or (order_type is not LIMIT and order_type is not STOP_LIMIT)
    ):
        close_order(turn, order, CANCELLED, NO_LIQUIDITY)
        return
    turn.levels[same.add(order)] = None


def collect(turn: Turn, order: Order, phase: Phase) -> None:
    """Keep an order that can't trade now: in the levels, or outside of them."""
    state = turn.state
    if is_off_book(order, phase):
        set_aside(state, order)
    else:
        turn.levels[state.books[order.symbol].side(order.side).add(order)] = None


def cancel_order(turn: Turn, envelope: Envelope, command: CancelOrder) -> Answer:
    """Cancel one open order of the envelope's account."""
    order_id = command.order_id
    order = own_order(turn.state, envelope, order_id)
    if order is None:
        return Refused(Refusal.ORDER_NOT_FOUND)
    close_order(turn, order, CANCELLED, USER)
    return order_id


def own_order(state: State, envelope: Envelope, order_id: int) -> Order | None:
    """An open order if it belongs to the account that asks; quotes are handled by mass quote alone."""
    order = state.orders.get(order_id)
    if order is None or order.account_id != envelope.account_id or order.is_quote:
        return None
    return order


def cancel_all(turn: Turn, envelope: Envelope, command: CancelAll) -> Answer:
    """Cancel all open orders and quotes of the account, or those in one symbol."""
    account = turn.state.accounts.get(envelope.account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if command.symbol and command.symbol not in turn.state.instruments:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    close_all(turn, account, command.symbol, CloseReason.CANCEL_ALL)
    return OrderUpdated
