"""What the events of parking tell drivers, each from its record alone: a part of sql/notifications.py.

Told is what somebody has to know who is not looking: a booking stands, was cancelled or not come for, its time is over and the vehicle
still inside, a space is offered, a debt arose, a pass is over. What the next deposit or a payment repays is told by its posting.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from engine.events import AnyEvent
from engine.parking.booking_events import BookingSet, ParkingCharged, PassSet, StaySet, WaitingSet
from engine.parking.booking_records import Booking, Stay
from engine.parking.kinds import (
    BookingStatus,
    ChargeKind,
    EntryRight,
    PassStatus,
    StayStatus,
    WaitingStatus,
)
from engine.units import IDS_PER_SEQ


class ParkingTelling(IntEnum):
    """What is told; the names and numbers are those of `NotificationKind`."""

    BOOKING_CONFIRMED = 18
    BOOKING_CANCELLED = 19
    BOOKING_NOT_USED = 20
    BOOKING_OVERSTAYED = 21
    SPACE_OFFERED = 22
    PARKING_DEBT = 23
    PASS_ENDED = 25


class Told(NamedTuple):
    """To whom, what, of which booking, pass or receipt, in which lot; `amount_e4` is what it costs, or (below 0) what was charged or
    is owed.
    """

    account_id: int
    telling: ParkingTelling
    reference_id: int
    lot: str
    amount_e4: int = 0


NOTABLE_IN_PARKING: Final = (BookingSet, StaySet, ParkingCharged, PassSet)
"""Events of parking that may tell somebody something."""


def told_of_parking(event: AnyEvent, events: Sequence[AnyEvent], seq: int) -> Told | None:
    """What an event of the record `seq`, which has these, tells."""
    if type(event) is BookingSet:
        return _of_booking(event.booking, events, seq)
    if type(event) is StaySet:
        return _of_stay(event.stay, events)
    if type(event) is PassSet:
        each = event.season_pass
        if each.status is not PassStatus.ENDED:
            return None
        return Told(each.account_id, ParkingTelling.PASS_ENDED, each.pass_id, each.lot)
    if type(event) is ParkingCharged and event.owed_e4 and event.account_id:
        telling = ParkingTelling.PARKING_DEBT
        return Told(event.account_id, telling, event.txn_id, event.lot, -event.owed_e4)
    return None


def _of_booking(booking: Booking, events: Sequence[AnyEvent], seq: int) -> Told | None:
    """A new booking, an offer that was taken, and each way to end but by leaving. Who extends one was answered."""
    status, amount_e4 = booking.status, 0
    if status is BookingStatus.CONFIRMED:
        if booking.booking_id < seq * IDS_PER_SEQ and not _is_taken(booking, events):
            return None
        telling, amount_e4 = ParkingTelling.BOOKING_CONFIRMED, booking.price_e4
    elif status is BookingStatus.HELD_OFFER:
        if booking.booking_id < seq * IDS_PER_SEQ:  # moved to another space
            return None
        telling = ParkingTelling.SPACE_OFFERED
    elif status is BookingStatus.CANCELLED:
        telling, amount_e4 = ParkingTelling.BOOKING_CANCELLED, -_kept_e4(booking, events)
    elif status is BookingStatus.NO_SHOW:
        telling, amount_e4 = ParkingTelling.BOOKING_NOT_USED, -_kept_e4(booking, events)
    else:
        return None
    return Told(booking.account_id, telling, booking.booking_id, booking.lot, amount_e4)


def _of_stay(stay: Stay, events: Sequence[AnyEvent]) -> Told | None:
    """The time of a booking is over and its vehicle inside: the stay keeps the space for longer, and nothing has become of the booking
    itself, as when the vehicle comes, or the driver extends it.
    """
    if (
        stay.right is not EntryRight.BOOKING
        or stay.status is not StayStatus.INSIDE
        or any(type(each) is BookingSet and each.booking.booking_id == stay.right_id for each in events)
    ):
        return None
    return Told(stay.account_id, ParkingTelling.BOOKING_OVERSTAYED, stay.right_id, stay.lot)


def _is_taken(booking: Booking, events: Sequence[AnyEvent]) -> bool:
    """Whether it is an offer that was taken just now."""
    return any(
        type(each) is WaitingSet
        and each.entry.status is WaitingStatus.TAKEN
        and each.entry.booking_id == booking.booking_id
        for each in events
    )


_KEEPS: Final = (ChargeKind.CANCELLATION, ChargeKind.NO_SHOW)


def _kept_e4(booking: Booking, events: Sequence[AnyEvent]) -> int:
    """What of its price was kept."""
    return sum(
        [
            each.total_e4
            for each in events
            if type(each) is ParkingCharged and each.kind in _KEEPS and each.right_id == booking.booking_id
        ]
    )
