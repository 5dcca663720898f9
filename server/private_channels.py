"""The channels that are not everybody's, and whose stream of it a client reads (server/private_streams.py fills them)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.events import BalanceChanged, OrderUpdated, RiskViolated
from engine.parking.booking_events import BookingSet
from server.busted_orders import OrderBusted
from sql.notifications import Notification

ORDERS: Final = "orders"
BALANCE: Final = "balance"
NOTIFICATIONS: Final = "notifications"
RISK: Final = "risk"
BOOKINGS: Final = "bookings"
OF_THE_VENUE: Final = frozenset({RISK})
"""Channels that are one stream of the whole venue: for operators, who have no account."""

Told = OrderUpdated | OrderBusted | BalanceChanged | Notification | RiskViolated | BookingSet
"""What the entries of a stream are."""


RARE: Final[dict[type, Callable[[Any], tuple[int, str]]]] = {
    RiskViolated: lambda event: (0, RISK),
    BookingSet: lambda event: (event.booking.account_id, BOOKINGS),
}
"""Events that are told as they are, in one stream each → whose, and of which channel."""


def reader_of(channel: str, account_id: int) -> int:
    """Whose stream of a channel a client with this account reads; 0 is the venue's."""
    return 0 if channel in OF_THE_VENUE else account_id
