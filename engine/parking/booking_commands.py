"""What drivers, machines and operators ask for: bookings, tickets, passes, places on the waiting list, debts."""

from __future__ import annotations

from engine.command_base import Command
from engine.parking.kinds import PassKind, SpaceType, UserType, VehicleKind


class BookSpace(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A space for a vehicle of the envelope's account in `[begin_us, end_us)`; a quote is asked for in the same words.

    `version` is that of the quote, 0 for the present one; `price_max_e4` is what it may cost, 0 for whatever it costs. `rights` (a sum
    of `VehicleRight`) and `user_type` are what the server knows of the user.
    """

    lot: str
    vehicle_id: int
    begin_us: int
    end_us: int
    space_type: SpaceType
    required: int = 0
    preferred: int = 0
    rights: int = 0
    user_type: UserType = UserType.STANDARD
    gate_id: str = ""
    version: int = 0
    price_max_e4: int = 0


class ExtendBooking(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Book the space until a later time."""

    booking_id: int
    end_us: int


class CancelBooking(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Cancel before arrival. `whole`: everything is given back, if an operator asks, who says why in `reason`."""

    booking_id: int
    whole: bool = False
    reason: str = ""


class JoinWaitingList(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Wait for a space; the members are those of `BookSpace`."""

    lot: str
    vehicle_id: int
    begin_us: int
    end_us: int
    space_type: SpaceType
    required: int = 0
    preferred: int = 0
    rights: int = 0
    user_type: UserType = UserType.STANDARD


class LeaveWaitingList(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Wait no longer, or do not take the offer."""

    waiting_id: int


class AcceptOffer(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Take the space that is offered. `price_max_e4` is what it may cost, 0 for whatever it costs."""

    booking_id: int
    price_max_e4: int = 0


class IssuePass(Command, frozen=True, gc=False, array_like=True, tag=True):
    """An operator sells a pass. `space` is the number of a reserved one, '' for none; a SEASON pass is for every day and hour."""

    vehicle_id: int
    lot: str
    kind: PassKind
    begin_us: int
    end_us: int
    price_e4: int
    tax_e4: int = 0
    weekdays: int = 127
    from_minute: int = 0
    to_minute: int = 24 * 60
    space: str = ""


class BuyPass(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A driver buys a pass of the lot's tariff for a vehicle of the envelope's account; a quote is asked for in the same words.

    `version` is that of the quote, 0 for the present one; `price_max_e4` is what it may cost, 0 for whatever it costs.
    """

    lot: str
    vehicle_id: int
    product: str
    begin_us: int
    version: int = 0
    price_max_e4: int = 0


class CancelPass(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Give a pass back, or take it back as an operator."""

    pass_id: int


class IssueTicket(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A walk-in wants in: by plate, or with the code that the machine prints."""

    lot: str
    plate: str = ""
    code: str = ""
    kind: VehicleKind = VehicleKind.STANDARD
    height_cm: int = 0


class PayTicket(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Pay for a ticket from the envelope's account, or in `cash` at a machine. `lost`: the ticket is lost, the stay was found."""

    ticket_id: int
    cash: bool = False
    lost: bool = False


class EndStay(Command, frozen=True, gc=False, array_like=True, tag=True):
    """An operator ends a stay. `waive`: nothing is charged; `left_us` is when the vehicle left, 0 for now."""

    stay_id: int
    waive: bool
    reason: str
    left_us: int = 0


class PayDebt(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Pay the account's debt, or that of a walk-in, from the envelope's account."""

    debt_id: int


BookingCommand = (
    BookSpace
    | ExtendBooking
    | CancelBooking
    | JoinWaitingList
    | LeaveWaitingList
    | AcceptOffer
    | IssuePass
    | BuyPass
    | CancelPass
    | IssueTicket
    | PayTicket
    | EndStay
    | PayDebt
)
