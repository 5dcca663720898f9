"""The channels that are not everybody's, and whose stream of it a client reads (server/private_streams.py fills them)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from engine.events import AnyEvent, BalanceChanged, OrderUpdated, RiskViolated, TradeBusted
from engine.parking.booking_events import BookingSet
from engine.parking.records import Gate
from server.busted_orders import OrderBusted, busted_orders
from server.codec import Record
from server.gate_stream import GATES, TOLD, GateEntry, gate_entries, stream_of_lot
from sql.notifications import Notification

ORDERS: Final = "orders"
BALANCE: Final = "balance"
NOTIFICATIONS: Final = "notifications"
RISK: Final = "risk"
BOOKINGS: Final = "bookings"
OF_THE_VENUE: Final = frozenset({RISK, GATES})
"""Channels that are streams of the venue: for operators, who have no account. `risk` is one, `gates` one for each car park."""

Told = OrderUpdated | OrderBusted | BalanceChanged | Notification | RiskViolated | BookingSet | GateEntry
"""What the entries of a stream are."""

RARE: Final[dict[type, Callable[[Any], tuple[int, str]]]] = {
    RiskViolated: lambda event: (0, RISK),
    BookingSet: lambda event: (event.booking.account_id, BOOKINGS),
}
"""Events that are told as they are, in one stream each → whose, and of which channel."""


STREAMED: Final = frozenset({*RARE, *TOLD, TradeBusted})
"""Events of which `told_of` makes something."""


def told_of(
    record: Record, event: AnyEvent, gates: Mapping[str, Gate]
) -> Iterator[tuple[tuple[int, str], Told]]:
    """What is told of an event that is no order's and no balance's: whose and of which stream, and what."""
    if (stream_of := RARE.get(type(event))) is not None:
        yield stream_of(event), cast(Told, event)
    elif type(event) is TradeBusted:
        for busted in busted_orders(event, record.now_us):
            yield (busted.order.account_id, ORDERS), busted
    elif type(event) in TOLD:
        for entry in gate_entries(record, event, gates):
            yield (0, stream_of_lot(entry.lot)), entry


def reader_of(channel: str, account_id: int) -> int:
    """Whose stream of a channel a client with this account reads; 0 is the venue's. A stream of a car park is called
    `gates lot_…`.
    """
    return 0 if channel.partition(" ")[0] in OF_THE_VENUE else account_id
