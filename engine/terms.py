"""What an order can ask for beyond side, quantity, price and time in force, and how it stands with that.

A plain order has none of it: `Order.special` is None, and it pays for one look.
"""

from __future__ import annotations

from msgspec import Struct

from engine.kinds import LotMethod, OrderClass, OrderType


class Terms(Struct, frozen=True, gc=False, array_like=True):
    """What a client asks for. 0, False, None and () say nothing.

    `stop_e4` fires STOP_LOSS and STOP_LIMIT; a TRAILING_STOP has `trail_e4` or `trail_ppm` of the price. `display_e8` of
    an iceberg is what the book shows at a time. `notional_e4` instead of a quantity. `lots` of SPECIFIC are (lot id,
    units_e8) pairs. `do_not_reduce` keeps a price as it is when a cash dividend would lower it.
    """

    stop_e4: int = 0
    trail_e4: int = 0
    trail_ppm: int = 0
    display_e8: int = 0
    post_only: bool = False
    expires_us: int = 0
    extended_hours: bool = False
    notional_e4: int = 0
    lot_method: LotMethod | None = None
    lots: tuple[tuple[int, int], ...] = ()
    do_not_reduce: bool = False


class Leg(Struct, frozen=True, gc=False, array_like=True):
    """An order that is placed with another: the take-profit or stop-loss of a BRACKET, OCO or OTO."""

    order_type: OrderType
    price_e4: int = 0
    stop_e4: int = 0
    trail_e4: int = 0
    trail_ppm: int = 0
    client_order_id: str = ""


class Special(Struct, frozen=True, gc=False, array_like=True):
    """The terms of an order, and where it stands with them. Immutable: rows and events share it; a change makes a new one.

    `order_class` is that of the command, for the order and for its legs. `trigger_e4` is the stop as it is now (a trailing
    one moves; 0 until it is armed), `extreme_e4` the best price since a trailing stop was armed, `triggered_us` when it fired.
    `shown_e8` is what the book shows of an iceberg: its slice as it was made, less what traded of it; 0 when it is not in the
    book. `parent_id` is the order that arms this one (0 for both of an OCO), `children` the ids of the legs that it arms,
    `group_id` the OCO pair that it belongs to (engine/links.py). `planned_e8` is the whole quantity of a leg that is armed in
    parts, 0 for others; `is_armed` says whether it may fire or rest. A leg's `terms` are its stop or trail.
    """

    terms: Terms
    order_class: OrderClass = OrderClass.SIMPLE
    parent_id: int = 0
    group_id: int = 0
    children: tuple[int, ...] = ()
    planned_e8: int = 0
    is_armed: bool = True
    trigger_e4: int = 0
    extreme_e4: int = 0
    triggered_us: int = 0
    shown_e8: int = 0


NO_TERMS = Terms()
