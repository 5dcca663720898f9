"""What somebody has in a lot: bookings, stays, tickets, passes, places on the waiting list, debts. Immutable, as all records.

What takes a space ("claim") is the interval of a booking that is open and not arrived, the time for which a stay keeps its space
(`from_us` to `until_us`), and all of the time of a pass with a reserved space. `space` is its index; `NO_SPACE` is none.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.parking.kinds import (
    BookingStatus,
    EntryRight,
    PassKind,
    PassStatus,
    StayStatus,
    TicketStatus,
    VehicleKind,
    WaitingStatus,
)
from engine.parking.wish import Wish

NO_SPACE: Final = -1

CODE_PREFIX: Final = "code:"
"""Before the code of a ticket, where a plate could stand too."""


class Terms(Struct, frozen=True, gc=False, array_like=True):
    """What a stay is priced by: a version of a tariff, and how full the lot was when it was quoted or entered."""

    tariff: str
    version: int
    occupancy_bps: int = 0
    subscriber: bool = False


class Booking(Struct, frozen=True, gc=False, array_like=True):
    """A space for `[begin_us, end_us)`, whole minutes. `price_e4` of it is `tax_e4`; `hold_e4` is held while it is open."""

    booking_id: int
    account_id: int
    vehicle_id: int
    plate: str
    lot: str
    space: int
    wish: Wish
    begin_us: int
    end_us: int
    status: BookingStatus
    terms: Terms
    price_e4: int
    tax_e4: int
    hold_e4: int
    created_us: int
    stay_id: int = 0
    waiting_id: int = 0


class Stay(Struct, frozen=True, gc=False, array_like=True):
    """A vehicle inside. `who` is its plate, or `code:` and the code of its ticket.

    `right_id` is the booking, pass or ticket that let it in. `from_us` and `until_us` are 0 when it has no claim of its own: its space
    is a pass's, or there was none. `paid_us` is until when it has been paid at a machine, 0 when nothing was.
    """

    stay_id: int
    who: str
    lot: str
    space: int
    account_id: int
    vehicle_id: int
    right: EntryRight
    right_id: int
    terms: Terms
    wish: Wish
    gate_id: str
    begin_us: int
    from_us: int
    until_us: int
    status: StayStatus = StayStatus.INSIDE
    end_us: int = 0
    paid_us: int = 0
    charged_e4: int = 0
    owed_e4: int = 0


class Ticket(Struct, frozen=True, gc=False, array_like=True):
    """The right of a walk-in to be inside. `leave_until_us` is when the minutes to leave are over, once it is paid."""

    ticket_id: int
    lot: str
    who: str
    vehicle: VehicleKind
    height_cm: int
    status: TicketStatus
    issued_us: int
    stay_id: int = 0
    paid_e4: int = 0
    leave_until_us: int = 0


class Pass(Struct, frozen=True, gc=False, array_like=True):
    """The right of a vehicle to be in a lot at no further charge. A RECURRING one is for `weekdays` (a sum of 1 for Monday to 64
    for Sunday) from `from_minute` to `to_minute` of the lot's wall clock. With a reserved `space` that is kept for it all the time. `product` is
    the code of what was bought, '' for what an operator made.
    """

    pass_id: int
    account_id: int
    vehicle_id: int
    lot: str
    kind: PassKind
    begin_us: int
    end_us: int
    weekdays: int
    from_minute: int
    to_minute: int
    space: int
    price_e4: int
    status: PassStatus
    product: str = ""


class WaitingEntry(Struct, frozen=True, gc=False, array_like=True):
    """Somebody waits for a space of an interval. `booking_id` is the offer, while there is one."""

    waiting_id: int
    account_id: int
    vehicle_id: int
    lot: str
    wish: Wish
    begin_us: int
    end_us: int
    since_us: int
    status: WaitingStatus
    booking_id: int = 0


class Debt(Struct, frozen=True, gc=False, array_like=True):
    """What an account owes a lot's operator, or (by the stay's id) a walk-in without an account."""

    debt_id: int
    account_id: int
    plate: str
    currency: str
    amount_e4: int
    since_us: int
