"""The channels that are not everybody's, and whose stream of it a client reads (server/private_streams.py fills them)."""

from __future__ import annotations

from typing import Final

from engine.events import BalanceChanged, OrderUpdated, RiskViolated
from server.busted_orders import OrderBusted
from sql.notifications import Notification

ORDERS: Final = "orders"
BALANCE: Final = "balance"
NOTIFICATIONS: Final = "notifications"
RISK: Final = "risk"
OF_THE_VENUE: Final = frozenset({RISK})
"""Channels that are one stream of the whole venue: for operators, who have no account."""

Told = OrderUpdated | OrderBusted | BalanceChanged | Notification | RiskViolated
"""What the entries of a stream are."""


def reader_of(channel: str, account_id: int) -> int:
    """Whose stream of a channel a client with this account reads; 0 is the venue's."""
    return 0 if channel in OF_THE_VENUE else account_id
