"""What happened to bookings, stays, tickets, passes, the waiting list and money. Each has the record as it is afterwards."""

from __future__ import annotations

from engine.event_base import Event
from engine.parking.booking_records import Booking, Debt, Pass, Stay, Ticket, WaitingEntry
from engine.parking.kinds import ChargeKind, FindingKind, SpaceType
from engine.parking.tariff_records import PriceLine


class BookingSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A booking was made or changed; its status says whether it is over."""

    booking: Booking


class StaySet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A stay began, changed or ended."""

    stay: Stay


class TicketSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A ticket was issued, used, paid or closed."""

    ticket: Ticket


class PassSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A pass was issued, or is over. (Not `Pass`: that is the record.)"""

    season_pass: Pass


class WaitingSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An entry of the waiting list was made, offered something, or is over."""

    entry: WaitingEntry


class DebtSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """What somebody owes now; an amount of 0 is a debt that is repaid."""

    debt: Debt


class ParkingCharged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A receipt: `total_e4`, of it `tax_e4`, was charged; `paid_e4` was paid and `owed_e4` is a debt. Postings by `txn_id`.

    `right_id` is the booking, pass or ticket; the lines explain the price where a tariff made it.
    """

    txn_id: int
    kind: ChargeKind
    lot: str
    account_id: int
    stay_id: int
    right_id: int
    who: str
    total_e4: int
    tax_e4: int
    paid_e4: int
    owed_e4: int
    cash: bool
    lines: tuple[PriceLine, ...]


class OccupancyChanged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """How many vehicles are inside a lot of `capacity` spaces, and on the kinds of spaces that one came to or left.

    `parts` are (floor, type, vehicles, spaces).
    """

    lot: str
    inside: int
    capacity: int
    parts: tuple[tuple[str, SpaceType, int, int], ...]


class FindingReported(Event, frozen=True, gc=False, array_like=True, tag=True):
    """Operators have to look at something. `space` is an index, -1 for none."""

    kind: FindingKind
    lot: str
    space: int
    stay_id: int
    booking_id: int


BookingEvent = (
    BookingSet
    | StaySet
    | TicketSet
    | PassSet
    | WaitingSet
    | DebtSet
    | ParkingCharged
    | OccupancyChanged
    | FindingReported
)
