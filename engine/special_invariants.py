"""What must hold after every command of stops and of orders that hang together. Slow; part of `check_invariants`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.kinds import OrderType, Phase, PriceSource
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
