"""Stays: what lets somebody in, where to, and what it costs to leave. Source: docs/parking.md, "Stays and money".

Entry is decided without changing anything (`entry_right`); what was decided is done when the vehicle has passed (`go_in`), whatever
has become of the space meanwhile: a vehicle that is inside is inside. Nobody is kept inside for lack of money.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.events import Refused
from engine.kinds import TimerKind
from engine.parking.booking_events import FindingReported
from engine.parking.booking_records import NO_SPACE, Booking, Stay, Terms
from engine.parking.entry import (
    Place,
    place_of_booking,
    place_of_pass,
    place_of_walk_in,
    wish_of_ticket,
    wish_of_vehicle,
)
from engine.parking.keeping import put_booking, put_stay, put_ticket
from engine.parking.kinds import (
    BookingStatus,
    ChargeKind,
    DecisionReason,
    EntryRight,
    FindingKind,
    SpaceType,
    StayStatus,
    TicketStatus,
    VehicleKind,
)
from engine.parking.money import charge
from engine.parking.passes import good_until_us
from engine.parking.pricing import NOTHING, price_of_booking, price_of_stay, terms_now
from engine.parking.records import Parking, Vehicle
from engine.parking.tariff_records import Price
from engine.parking.waiting import serve_waiting
from engine.parking.wish import Wish
from engine.parking.zones import UTC
from engine.state import State
from engine.timers import add_timer, drop_timer_of
from engine.turn import Turn
from engine.units import MINUTE_US

RIGHT_OF: Final = {
    DecisionReason.BOOKING: EntryRight.BOOKING,
    DecisionReason.PASS: EntryRight.PASS,
    DecisionReason.TICKET: EntryRight.TICKET,
    DecisionReason.WALLET: EntryRight.WALLET,
}


# -- going in


def go_in(
    turn: Turn,
    lot_code: str,
    who: str,
    gate_id: str,
    vehicle: Vehicle | None,
    reason: DecisionReason,
    right_id: int,
    begun_us: int,
    told: str = "",
) -> bool:
    """Somebody has passed and is inside from `begun_us` on, on the space that was `told`, if there still is nobody else.
    False, and nothing changes, for who is inside already.

    What let in may be gone meanwhile, or there was nothing (a gate that was cut off): then it is a stay on the vehicle's account, or on
    nobody's.
    """
    parking = turn.state.parking
    if who in parking.stay_of_who:
        return False
    stay_id = turn.new_id()
    space = parking.spaces.get((lot_code, told))
    sent_to = NO_SPACE if space is None else space.index
    right = RIGHT_OF.get(reason, EntryRight.WALLET)
    booking = parking.bookings.get(right_id) if right is EntryRight.BOOKING else None
    if booking is not None and booking.status is BookingStatus.CONFIRMED:
        entry = enter_by_booking(turn, booking, stay_id, begun_us, sent_to)
    else:
        entry = enter_without(turn, lot_code, vehicle, (right, right_id), stay_id, begun_us, gate_id, sent_to)
    paid_us = 0
    if entry.right is EntryRight.PASS:
        zone = parking.zones.get(parking.lots[lot_code].time_zone, UTC)
        paid_us = good_until_us(parking.passes[entry.right_id], zone, begun_us)
    stay = Stay(
        stay_id,
        who,
        lot_code,
        entry.place.space,
        0 if vehicle is None else vehicle.account_id,
        0 if vehicle is None else vehicle.vehicle_id,
        entry.right,
        entry.right_id,
        entry.terms,
        entry.wish,
        gate_id,
        begun_us,
        entry.from_us,
        entry.place.until_us,
        paid_us=paid_us,
    )
    put_stay(turn, stay)
    if stay.until_us:
        add_timer(turn, max(stay.until_us, turn.now_us + 1), TimerKind.STAY_OVER, str(stay_id))
    if stay.space == NO_SPACE:
        report(turn, FindingKind.NO_SPACE, stay)
    return True


class Entry(Struct, frozen=True, gc=False):
    """By what right somebody is inside, where, from when the space is taken, and what the stay is priced by."""

    right: EntryRight
    right_id: int
    place: Place
    from_us: int
    wish: Wish
    terms: Terms


def enter_by_booking(turn: Turn, booking: Booking, stay_id: int, begun_us: int, sent_to: int) -> Entry:
    """The stay takes over from the booking: its space or another one, its price and its hold."""
    parking = turn.state.parking
    place = place_of_booking(parking, booking, begun_us, sent_to)
    drop_timer_of(turn.state, TimerKind.BOOKING_NO_SHOW, str(booking.booking_id))
    put_booking(turn, replace(booking, status=BookingStatus.ARRIVED, stay_id=stay_id))
    from_us = begun_us - begun_us % MINUTE_US
    if place.space == booking.space:
        # Somebody else may have it until the booking begins, and is not there.
        now, begin = from_us // MINUTE_US, booking.begin_us // MINUTE_US
        if parking.occupancy[booking.lot].free_until(place.space, now, begin) < begin:
            from_us = booking.begin_us
    return Entry(
        EntryRight.BOOKING,
        booking.booking_id,
        place,
        from_us if place.until_us else 0,
        booking.wish,
        booking.terms,
    )


def enter_without(
    turn: Turn,
    lot_code: str,
    vehicle: Vehicle | None,
    right: tuple[EntryRight, int],
    stay_id: int,
    begun_us: int,
    gate_id: str,
    sent_to: int,
) -> Entry:
    """A stay without a booking: by pass, by ticket, on the vehicle's account, or for nobody known."""
    parking = turn.state.parking
    lot = parking.lots[lot_code]
    wish = Wish(SpaceType.STANDARD, VehicleKind.STANDARD, gate_id=gate_id)
    if vehicle is not None:
        wish = wish_of_vehicle(vehicle, gate_id)
    kind, right_id = right
    ticket = parking.tickets.get(right_id) if kind is EntryRight.TICKET else None
    if kind is EntryRight.PASS and right_id in parking.passes:
        place = place_of_pass(parking, right_id, wish, begun_us, sent_to)
    else:
        if ticket is not None and ticket.status is TicketStatus.ISSUED:
            wish = wish_of_ticket(ticket, gate_id)
            put_ticket(turn, replace(ticket, status=TicketStatus.INSIDE, stay_id=stay_id))
            drop_timer_of(turn.state, TimerKind.TICKET_OVER, str(right_id))
        else:
            kind, right_id = (EntryRight.WALLET if vehicle is not None else EntryRight.OPERATOR), 0
        place = place_of_walk_in(parking, lot, wish, begun_us, sent_to)
    now = begun_us // MINUTE_US
    terms = terms_now(parking, lot, now, now + 1, 0, begun_us)
    if isinstance(terms, Refused):
        terms = Terms("", 0)
    return Entry(kind, right_id, place, begun_us - begun_us % MINUTE_US if place.until_us else 0, wish, terms)


def report(turn: Turn, kind: FindingKind, stay: Stay, booking_id: int = 0) -> None:
    """Tell operators of a stay."""
    turn.events.append(FindingReported(kind, stay.lot, stay.space, stay.stay_id, booking_id))


# -- going out


def booking_of(parking: Parking, stay: Stay, left_us: int) -> Booking | None:
    """The booking that a stay is for: that which let it in, or one that began while the vehicle was inside on its wallet."""
    if stay.right is EntryRight.BOOKING:
        return parking.bookings[stay.right_id]
    if stay.right is EntryRight.WALLET:
        for booking_id in parking.bookings_of_vehicle.get(stay.vehicle_id, {}):
            booking = parking.bookings[booking_id]
            is_here = booking.lot == stay.lot and booking.status is BookingStatus.CONFIRMED
            if is_here and booking.begin_us < left_us:
                return booking
    return None


def adopt(turn: Turn, stay: Stay, booking: Booking) -> None:
    """A vehicle that came on its wallet is still inside when its booking has begun: the booking has arrived."""
    drop_timer_of(turn.state, TimerKind.BOOKING_NO_SHOW, str(booking.booking_id))
    put_booking(turn, replace(booking, status=BookingStatus.ARRIVED, stay_id=stay.stay_id))
    put_stay(turn, replace(stay, right=EntryRight.BOOKING, right_id=booking.booking_id))


def due_of(parking: Parking, stay: Stay, left_us: int) -> Price:
    """What is still to be charged when a stay ends: for a booking all of it, of which its hold pays the most.

    Who came before the early grace of a booking pays for the time until its begin as a walk-in.
    """
    booking = booking_of(parking, stay, left_us)
    if booking is not None:
        price = price_of_booking(parking, booking, booking.end_us, left_us)
        early_us = parking.lots[stay.lot].rules.early_grace * MINUTE_US
        if stay.begin_us >= booking.begin_us - early_us:
            return price
        before = price_of_stay(parking, stay, booking.begin_us)
        return Price(
            before.total_e4 + price.total_e4, before.tax_e4 + price.tax_e4, before.lines + price.lines
        )
    if stay.right is EntryRight.PASS:
        grace_us = parking.lots[stay.lot].rules.late_grace * MINUTE_US
        return NOTHING if left_us <= stay.paid_us + grace_us else price_of_stay(parking, stay, left_us)
    ticket = parking.tickets.get(stay.right_id)
    if ticket is not None and left_us <= ticket.leave_until_us:
        return NOTHING
    return price_of_stay(parking, stay, left_us)


def exit_right(state: State, lot: str, who: str, now_us: int) -> DecisionReason:
    """What lets somebody out, and NO_STAY for who is not inside this lot."""
    parking = state.parking
    stay = parking.stays.get(parking.stay_of_who.get(who, 0))
    if stay is None or stay.lot != lot:
        return DecisionReason.NO_STAY
    due_e4 = due_of(parking, stay, now_us).total_e4
    hold_e4 = 0
    booking = booking_of(parking, stay, now_us)
    if booking is not None:
        hold_e4 = booking.hold_e4
    if due_e4 <= hold_e4:
        is_paid = booking is not None or stay.right is EntryRight.PASS or stay.paid_us
        return DecisionReason.EXIT_PAID if is_paid else DecisionReason.EXIT_GRACE
    account = state.accounts.get(stay.account_id)
    if account is None or due_e4 - hold_e4 > account.available_e4:
        return DecisionReason.EXIT_DEBT
    return DecisionReason.EXIT_CHARGED


def go_out(turn: Turn, lot: str, who: str, left_us: int, *, waive: bool = False) -> bool:
    """Somebody has left: the stay is charged and the space is free. False, and nothing changes, for who was not inside this lot."""
    parking = turn.state.parking
    stay = parking.stays.get(parking.stay_of_who.get(who, 0))
    if stay is None or stay.lot != lot:
        return False
    end_us = max(left_us, stay.begin_us)
    price = NOTHING if waive else due_of(parking, stay, end_us)
    account = turn.state.accounts.get(stay.account_id)
    booking = booking_of(parking, stay, end_us)
    if booking is not None and booking.status is BookingStatus.CONFIRMED:
        adopt(turn, stay, booking)
        stay, booking = parking.stays[stay.stay_id], parking.bookings[booking.booking_id]
    _, owed_e4 = charge(
        *(turn, ChargeKind.STAY, lot, price, account),
        hold_e4=0 if booking is None else booking.hold_e4,
        stay_id=stay.stay_id,
        right_id=stay.right_id,
        who=who,
    )
    if booking is not None:
        put_booking(turn, replace(booking, status=BookingStatus.COMPLETED, hold_e4=0))
    ticket = parking.tickets.get(stay.right_id)
    if ticket is not None:
        put_ticket(turn, replace(ticket, status=TicketStatus.CLOSED))
    drop_timer_of(turn.state, TimerKind.STAY_OVER, str(stay.stay_id))
    put_stay(
        turn,
        replace(
            stay,
            status=StayStatus.ENDED,
            end_us=end_us,
            charged_e4=stay.charged_e4 + price.total_e4,
            owed_e4=owed_e4,
        ),
    )
    if stay.until_us > turn.now_us:
        serve_waiting(turn, lot, turn.now_us, stay.until_us)
    return True
