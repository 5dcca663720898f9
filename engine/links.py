"""Orders that hang together: pairs that share one hold and one quantity, and parents that arm their legs.

Source: docs/orders.md, "Orders that hang together". A pair is a LIMIT order and a stop of the same side; the LIMIT one carries
the hold of both. What closes with what is in engine/closing.py, arming in engine/aftermath.py.
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.closing import close_order
from engine.iceberg import take_hidden
from engine.kinds import CloseReason, OrderStatus, OrderType, Side
from engine.orders import Order, buy_hold_e4, pair_hold_e4
from engine.state import Group, State
from engine.stop_book import special_of
from engine.turn import Turn

BUY = Side.BUY
LIMIT = OrderType.LIMIT


def carries_hold(order: Order) -> bool:
    """Whether an open order holds anything itself: not before it is armed, and of a pair the LIMIT one does for both."""
    special = order.special
    if special is None:
        return True
    return special.is_armed and (not special.group_id or order.order_type is LIMIT)


def other_of(state: State, order: Order) -> Order | None:
    """The other of an order's pair, while both are open."""
    group = state.groups.get(special_of(order).group_id)
    if group is None:
        return None
    return state.orders.get(group.stop_id if order.order_id == group.limit_id else group.limit_id)


def pair_up(turn: Turn, limit: Order, stop: Order) -> None:
    """Make two accepted orders a pair, under the group id that both have."""
    group_id = special_of(limit).group_id
    turn.state.groups[group_id] = Group(group_id, limit.order_id, stop.order_id)
    turn.state.dirty["group"][group_id] = None


def hold_of(state: State, order: Order) -> tuple[Order, int]:
    """Who carries the hold of an open buy, and how much it must be."""
    other = other_of(state, order) if order.special is not None and order.special.group_id else None
    if other is None:
        return order, buy_hold_e4(order)
    carrier = order if order.order_type is LIMIT else other
    return carrier, pair_hold_e4(order, other)


def set_hold(turn: Turn, carrier: Order, hold_e4: int) -> None:
    """Hold so much cash for an order from now on."""
    account = carrier.account
    assert account is not None
    if carrier.hold_e4 != hold_e4:
        account.held_e4 += hold_e4 - carrier.hold_e4
        carrier.hold_e4 = hold_e4
        turn.orders[carrier.order_id] = carrier
    turn.accounts[account.account_id] = account


def follow_fill(turn: Turn, order: Order, quantity_e8: int) -> None:
    """Do what a fill of an order means for those that it hangs together with. It was settled, and forgotten if it was filled."""
    special = special_of(order)
    if special.children:
        parents = turn.aftermath().parents
        before_e8 = parents[order.order_id][1] if order.order_id in parents else 0
        parents[order.order_id] = (order, before_e8 + quantity_e8)
    if special.group_id:
        shrink_other(turn, order, quantity_e8)


def shrink_other(turn: Turn, order: Order, by_e8: int) -> None:
    """Take what one of a pair has traded, or lost, off the other at once; it ends when nothing is left."""
    state = turn.state
    group = state.groups[special_of(order).group_id]
    other = state.orders[group.stop_id if order.order_id == group.limit_id else group.limit_id]
    if other.level is not None:
        other.level.quantity_e8 -= take_hidden(other, by_e8)
        turn.levels[other.level] = None
    other.quantity_e8 -= by_e8
    other.updated_us = turn.now_us
    turn.orders[other.order_id] = other
    if other.quantity_e8 > other.filled_e8:
        if order.side is BUY:
            set_hold(turn, *hold_of(state, order))
        return
    if order.side is BUY:
        set_hold(turn, order if order.order_type is LIMIT else other, 0)
    del state.groups[group.group_id]
    state.dirty["group"][group.group_id] = None
    close_order(turn, other, OrderStatus.CANCELLED, CloseReason.PAIR)


def shrink_plan(turn: Turn, parent: Order, by_e8: int) -> None:
    """Plan the legs of an order that became smaller without a trade for so much less."""
    for leg_id in special_of(parent).children:
        leg = turn.state.orders.get(leg_id)
        if leg is not None:
            plan(turn, leg, special_of(leg).planned_e8 - by_e8)


def plan(turn: Turn, leg: Order, planned_e8: int) -> None:
    """Say how much a leg will be for in the end; before it is armed that is its quantity."""
    special = special_of(leg)
    leg.special = replace(special, planned_e8=planned_e8)
    if not special.is_armed:
        leg.quantity_e8 = planned_e8
    _touch(turn, leg)


def relink(turn: Turn, old: Order, new: Order) -> None:
    """Put a replacement into the place that the old order has in its pair, with its parent and with its legs."""
    special = old.special
    if special is None:
        return
    state = turn.state
    group = state.groups.get(special.group_id)
    if group is not None:
        if old.order_id == group.limit_id:
            group.limit_id = new.order_id
        else:
            group.stop_id = new.order_id
        state.dirty["group"][group.group_id] = None
    parent = state.orders.get(special.parent_id)
    if parent is not None:
        of_parent = special_of(parent)
        ids = [new.order_id if each == old.order_id else each for each in of_parent.children]
        parent.special = replace(of_parent, children=tuple(ids))
        _touch(turn, parent)
    for leg_id in special.children:
        leg = state.orders.get(leg_id)
        if leg is None:
            continue
        leg.special = replace(special_of(leg), parent_id=new.order_id)
        plan(turn, leg, special_of(leg).planned_e8 + new.quantity_e8 - old.leaves_e8)


def _touch(turn: Turn, order: Order) -> None:
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order
