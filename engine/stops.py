"""Stops: where they stand, what they are shown, and how they fire.

Source: docs/orders.md, "Stops". A stop's trigger price is that of our own trades, or the marks of an instrument that a
tape prices. What a command has to do after its own work is in engine/aftermath.py.
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.events import Refused
from engine.kinds import OrderStatus, OrderType, PriceSource, Side
from engine.orders import Order
from engine.refusals import Refusal
from engine.risk import collar_e4, reference_e4
from engine.state import Instrument, State
from engine.status_table import change_status
from engine.stop_book import special_of
from engine.terms import Terms
from engine.turn import Turn
from engine.units import tick_down_e4, tick_up_e4, trail_down_e4, trail_up_e4
from engine.waiting import take_back

BUY = Side.BUY
OWN = PriceSource.OWN
STOP_LIMIT = OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP
STOP_TYPES = (OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


def trailing_trigger_e4(side: Side, terms: Terms, extreme_e4: int, tick_e4: int) -> int:
    """Where a trailing stop fires whose best price was `extreme_e4`: the trail away, and away from the price to the tick."""
    if side is BUY:
        if terms.trail_e4:
            return tick_up_e4(extreme_e4 + terms.trail_e4, tick_e4)
        return tick_up_e4(trail_up_e4(extreme_e4, terms.trail_ppm), tick_e4)
    if terms.trail_e4:
        return tick_down_e4(extreme_e4 - terms.trail_e4, tick_e4)
    return tick_down_e4(trail_down_e4(extreme_e4, terms.trail_ppm), tick_e4)


def first_trigger_e4(
    instrument: Instrument, side: Side, order_type: OrderType, terms: Terms
) -> tuple[int, int]:
    """(trigger, extreme) of a stop that is armed now; the reference must be there for a trailing one."""
    if order_type is not TRAILING_STOP:
        return terms.stop_e4, 0
    extreme_e4 = reference_e4(instrument)
    return trailing_trigger_e4(side, terms, extreme_e4, instrument.tick_e4), extreme_e4


def stop_limit_e4(
    state: State, instrument: Instrument, side: Side, order_type: OrderType, price_e4: int, trigger_e4: int
) -> int:
    """The price up to which a held stop counts: its own limit, or the collar around its trigger."""
    if order_type is STOP_LIMIT:
        return price_e4
    return collar_e4(instrument, side, state.limits.market_collar_bps, trigger_e4)


def is_reached(side: Side, trigger_e4: int, price_e4: int) -> bool:
    """Whether a price fires a stop."""
    return price_e4 >= trigger_e4 if side is BUY else price_e4 <= trigger_e4


def reached_refusal(instrument: Instrument, side: Side, trigger_e4: int) -> Refused | None:
    """Whether a new stop would fire at once."""
    anchor_e4 = reference_e4(instrument)
    if not is_reached(side, trigger_e4, anchor_e4):
        return None
    return Refused(Refusal.STOP_PRICE_REACHED, (("reference_e4", anchor_e4),))


def show_reference(turn: Turn, instrument: Instrument) -> None:
    """A book has become continuous, or its prices come from elsewhere: its stops see the reference as a print."""
    if instrument.symbol in turn.state.stops:
        anchor_e4 = reference_e4(instrument)
        if anchor_e4:
            turn.note_print(instrument.symbol, anchor_e4)


def let_go(turn: Turn, order: Order) -> None:
    """Let a stop that was reached go: it is an order like others from here on, at the end of the queue."""
    take_back(turn.state, order)
    order.special = replace(special_of(order), triggered_us=turn.now_us)
    change_status(order, OrderStatus.PENDING)
    order.priority = turn.new_id()
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order
