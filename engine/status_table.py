"""The state machine of an order's status: what may follow what (docs/orders.md, "Where an order is").

Plain orders only ever go down the table, in code that says so; what holds an order back and lets it go asks here.
"""

from __future__ import annotations

from typing import Final

from engine.kinds import OrderStatus
from engine.orders import Order

HELD, PENDING, PARTIAL = OrderStatus.HELD, OrderStatus.PENDING, OrderStatus.PARTIAL
FILLED, CANCELLED, REJECTED = OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED
EXPIRED, REPLACED = OrderStatus.EXPIRED, OrderStatus.REPLACED

STATUS_TABLE: Final[dict[OrderStatus, tuple[OrderStatus, ...]]] = {
    HELD: (PENDING, CANCELLED, EXPIRED, REPLACED, REJECTED),
    PENDING: (PARTIAL, FILLED, CANCELLED, EXPIRED, REPLACED),
    PARTIAL: (FILLED, CANCELLED, EXPIRED, REPLACED),
    FILLED: (),
    CANCELLED: (),
    REJECTED: (),
    EXPIRED: (),
    REPLACED: (),
}
"""Status → what it may become in one step."""


def reachable(status: OrderStatus) -> tuple[OrderStatus, ...]:
    """What a status may have become after any number of steps, itself first: one command may make several."""
    found = [status]
    for each in found:
        found += [following for following in STATUS_TABLE[each] if following not in found]
    return tuple(found)


REACHABLE: Final = {status: reachable(status) for status in OrderStatus}
"""Status → what a later report of the same order may say."""


def change_status(order: Order, status: OrderStatus) -> None:
    """Give an order another status. Raises RuntimeError for a step that is not in the table: that is a bug."""
    if status not in STATUS_TABLE[order.status]:
        raise RuntimeError(f"order {order.order_id} cannot go from {order.status.name} to {status.name}")
    order.status = status
