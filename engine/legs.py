"""The legs of an order: orders that are placed with it. Source: docs/orders.md, "Orders that hang together"."""

from __future__ import annotations

from msgspec.structs import replace

from engine.commands import PlaceOrder
from engine.events import Refused
from engine.fee_tiers import set_terms
from engine.kinds import OrderClass, OrderStatus, Side, TimeInForce
from engine.order_form import Asked, leg_terms, side_of_legs, sized
from engine.orders import Order
from engine.state import Instrument, State
from engine.stop_book import special_of
from engine.terms import Leg
from engine.turn import Turn

OCO, OTO = OrderClass.OCO, OrderClass.OTO
DAY, GTC = TimeInForce.DAY, TimeInForce.GTC


def make_legs(turn: Turn, instrument: Instrument, order: Order, command: PlaceOrder) -> list[Order]:
    """The legs of a new order whose form was checked, and their links. Nothing is held or accepted yet.

    Ids: the order has its own, then the legs, then the pair.
    """
    side, is_armed = side_of_legs(command), command.order_class is OCO
    special = order.special = replace(special_of(order), order_class=command.order_class)
    legs = [make_leg(turn, instrument, order, side, leg, is_armed=is_armed) for leg in command.legs]
    if not is_armed:
        order.special = replace(special, children=tuple([leg.order_id for leg in legs]))
    if command.order_class is not OTO:
        group_id = turn.new_id()
        for each in [order, *legs] if is_armed else legs:
            each.special = replace(special_of(each), group_id=group_id)
    return legs


def make_leg(
    turn: Turn, instrument: Instrument, order: Order, side: Side, leg: Leg, *, is_armed: bool
) -> Order:
    """One leg. It has the order's quantity, and waits for its price (OCO) or its parent."""
    state, leg_id = turn.state, turn.new_id()
    asked = leg_of(state, instrument, side, leg, order.quantity_e8, is_armed=is_armed)
    parent = special_of(order)
    time_in_force = order.time_in_force
    made = Order(
        leg_id,
        order.account_id,
        order.symbol,
        side,
        leg.order_type,
        time_in_force if time_in_force is DAY or time_in_force is GTC else GTC,
        order.quantity_e8,
        leg.price_e4,
        asked.limit_e4,
        order.maker_ppm,
        order.taker_ppm,
        turn.now_us,
        turn.now_us,
        leg.client_order_id,
        order.self_trade_prevention,
        0,
        False,
        leg_id,
    )
    fees = state.fees[instrument.fee_schedule]
    if fees.rules is not None:
        set_terms(state, made, fees.rules, turn.now_us)
    made.status = OrderStatus.HELD
    assert asked.special is not None
    made.special = replace(
        asked.special,
        order_class=parent.order_class,
        parent_id=0 if is_armed else order.order_id,
        planned_e8=0 if is_armed else order.quantity_e8,
        is_armed=is_armed,
    )
    return made


def leg_of(
    state: State, instrument: Instrument, side: Side, leg: Leg, quantity_e8: int, *, is_armed: bool
) -> Asked:
    """What a leg comes to that was found in order when its order was."""
    asked = sized(
        state, instrument, side, leg.order_type, quantity_e8, leg.price_e4, leg_terms(leg), is_armed=is_armed
    )
    if isinstance(asked, Refused):
        raise TypeError(f"a leg is refused that was accepted: {asked}")
    return asked
