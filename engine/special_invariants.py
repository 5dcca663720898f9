"""What must hold after every command of stops and of orders that hang together. Slow; part of `check_invariants`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.kinds import OrderStatus, OrderType, Phase, PriceSource, Side
from engine.links import carries_hold, hold_of
from engine.orders import Order
from engine.risk import reference_e4
from engine.state import Instrument, State
from engine.stop_book import is_armed_stop
from engine.stops import STOP_TYPES, is_reached, trailing_trigger_e4


def broken_stops(state: State) -> Iterator[str]:
    """Every armed stop, and nothing else, is shown prints; its trigger follows from its terms, and was not reached yet."""
    armed = {order_id: order for order_id, order in state.orders.items() if is_armed_stop(order)}
    shown = {order_id: each for book in state.stops.values() for order_id, each in book.armed.items()}
    if armed != shown:
        yield f"stops {sorted(armed)} are armed, {sorted(shown)} are shown prints"
    for symbol, stop_book in state.stops.items():
        if not stop_book.armed:
            yield f"{symbol} has a book of stops without stops"
    for order_id, order in armed.items():
        special = order.special
        assert special is not None
        instrument = state.instruments[order.symbol]
        if order.order_type not in STOP_TYPES or special.triggered_us or order.filled_e8:
            yield f"order {order_id} is {order.order_type.name}, fired or filled, and armed"
        if special.trigger_e4 != _trigger_e4(instrument, order):
            yield f"stop {order_id} has its trigger at {special.trigger_e4}, not {_trigger_e4(instrument, order)}"
        if _has_seen_all(instrument) and is_reached(order.side, special.trigger_e4, reference_e4(instrument)):
            yield f"stop {order_id} at {special.trigger_e4} was reached by {reference_e4(instrument)} and waits"


def expected_hold_e4(state: State, order: Order) -> int:
    """The cash that an open order must hold."""
    if order.side is not Side.BUY or not carries_hold(order):
        return 0
    return hold_of(state, order)[1]


def broken_links(state: State) -> Iterator[str]:
    """Pairs are two of which one quantity is left; legs that are not armed wait for a parent that knows them."""
    paired: dict[int, int] = {}
    for group_id, group in state.groups.items():
        limit, stop = state.orders.get(group.limit_id), state.orders.get(group.stop_id)
        if limit is None or stop is None:
            yield f"pair {group_id} has an order that is not open"
            continue
        paired[limit.order_id] = paired[stop.order_id] = group_id
        if limit.order_type is not OrderType.LIMIT or stop.order_type not in STOP_TYPES:
            yield f"pair {group_id} is of {limit.order_type.name} and {stop.order_type.name}"
        if (limit.account_id, limit.symbol, limit.side) != (stop.account_id, stop.symbol, stop.side):
            yield f"pair {group_id} is of two accounts, symbols or sides"
        if limit.leaves_e8 != stop.leaves_e8:
            yield f"pair {group_id} has {limit.leaves_e8} and {stop.leaves_e8} left"
        if (limit.special and limit.special.is_armed) is not (stop.special and stop.special.is_armed):
            yield f"pair {group_id} is armed in part"
    for order_id, order in state.orders.items():
        special = order.special
        if special is None:
            continue
        if special.group_id != paired.get(order_id, 0):
            yield f"order {order_id} says it is of pair {special.group_id}, not {paired.get(order_id, 0)}"
        parent = state.orders.get(special.parent_id)
        if special.is_armed:
            continue
        if order.status is not OrderStatus.HELD or order.position is not None:
            yield f"leg {order_id} is not armed, {order.status.name} and may deliver"
        if parent is None or parent.special is None or order_id not in parent.special.children:
            yield f"leg {order_id} waits for {special.parent_id}, which does not know it"
        elif parent.filled_e8:
            yield f"leg {order_id} waits for a parent that filled {parent.filled_e8}"


def _has_seen_all(instrument: Instrument) -> bool:
    """Whether every armed stop has been shown the reference: not a listing price, not while nothing fires."""
    return instrument.phase is Phase.CONTINUOUS and bool(
        instrument.price_source is PriceSource.TAPE or instrument.last_e4
    )


def _trigger_e4(instrument: Instrument, order: Order) -> int:
    """The trigger that an armed stop must have."""
    special = order.special
    assert special is not None
    if order.order_type is not OrderType.TRAILING_STOP:
        return special.terms.stop_e4
    return trailing_trigger_e4(order.side, special.terms, special.extreme_e4, instrument.tick_e4)
