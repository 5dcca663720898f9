"""What lets somebody in, and where to: decided without changing anything. Source: docs/parking.md, "Stays and money"."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.events import Refused
from engine.kinds import AccountStatus
from engine.parking.allocation import USUAL_TYPE, allocate, fitting
from engine.parking.booking_records import NO_SPACE, Booking, Ticket
from engine.parking.kinds import (
    BookingStatus,
    DecisionReason,
    LotStatus,
    TicketStatus,
)
from engine.parking.money import debt_of
from engine.parking.passes import is_good, pass_space
from engine.parking.pricing import terms_now
from engine.parking.records import Parking, ParkingLot, Vehicle
from engine.parking.wish import Wish
from engine.state import State
from engine.units import MINUTE_US


class Place(Struct, frozen=True, gc=False):
    """A space, and until when it is kept for a stay; NO_SPACE and 0 when there is none, 0 alone on a pass's space."""

    space: int
    until_us: int


NOWHERE: Final = Place(NO_SPACE, 0)


# -- what lets in


def entry_right(
    state: State, lot_code: str, vehicle: Vehicle | None, who: str, now_us: int, gate_id: str = ""
) -> tuple[DecisionReason, int, str]:
    """What lets somebody in, or the most specific of what stands in the way: reason, the right's id, the space's number."""
    parking = state.parking
    lot = parking.lots[lot_code]
    if lot.status is LotStatus.CLOSED:
        return DecisionReason.LOT_CLOSED, 0, ""
    obstacles: list[DecisionReason] = []
    if vehicle is not None:
        booking = booking_at(parking, vehicle, lot, now_us, obstacles)
        if booking is not None:
            place = place_of_booking(parking, booking, now_us)
            if place.space != NO_SPACE:
                return DecisionReason.BOOKING, booking.booking_id, parking.numbers[lot_code][place.space]
            return DecisionReason.LOT_FULL, 0, ""  # not on the wallet: the time would be paid twice
        pass_id = pass_at(parking, vehicle, lot, now_us, obstacles)
        if pass_id:
            place = place_of_pass(parking, pass_id, wish_of_vehicle(vehicle, gate_id), now_us)
            if place.space != NO_SPACE:
                return DecisionReason.PASS, pass_id, parking.numbers[lot_code][place.space]
            obstacles.append(DecisionReason.LOT_FULL)
    ticket = parking.tickets.get(parking.ticket_of_who.get(who, 0))
    if ticket is not None and ticket.status is TicketStatus.ISSUED:
        if ticket.lot == lot_code:
            place = place_of_walk_in(parking, lot, wish_of_ticket(ticket, gate_id), now_us)
            if place.space != NO_SPACE:
                return DecisionReason.TICKET, ticket.ticket_id, parking.numbers[lot_code][place.space]
            obstacles.append(DecisionReason.LOT_FULL)
        else:
            obstacles.append(DecisionReason.WRONG_LOT)
    if vehicle is not None:
        stands_in_way = wallet_obstacle(state, vehicle, lot)
        if stands_in_way is None:
            place = place_of_walk_in(parking, lot, wish_of_vehicle(vehicle, gate_id), now_us)
            if place.space != NO_SPACE:
                return DecisionReason.WALLET, 0, parking.numbers[lot_code][place.space]
            stands_in_way = DecisionReason.LOT_FULL
        obstacles.append(stands_in_way)
    return min(obstacles, default=DecisionReason.UNKNOWN_TAG), 0, ""


def wallet_obstacle(state: State, vehicle: Vehicle, lot: ParkingLot) -> DecisionReason | None:
    """Why a vehicle's account cannot be charged for a stay, or None."""
    account = state.accounts[vehicle.account_id]
    if account.status is AccountStatus.DISABLED or account.currency != lot.currency:
        return DecisionReason.DEBT
    if isinstance(terms_now(state.parking, lot, 0, 0, 0, 0), Refused):
        return DecisionReason.LOT_CLOSED
    owed_e4 = debt_of(state.parking, account.account_id)
    return DecisionReason.DEBT if owed_e4 > lot.rules.debt_max_e4 else None


def booking_at(
    parking: Parking, vehicle: Vehicle, lot: ParkingLot, now_us: int, obstacles: list[DecisionReason]
) -> Booking | None:
    """The booking that a vehicle comes for; others leave a hint among the obstacles."""
    early_us = lot.rules.early_grace * MINUTE_US
    for booking_id in parking.bookings_of_vehicle.get(vehicle.vehicle_id, {}):
        booking = parking.bookings[booking_id]
        if booking.status is not BookingStatus.CONFIRMED:
            continue
        if now_us >= booking.end_us:
            obstacles.append(DecisionReason.TOO_LATE)
        elif booking.lot != lot.lot:
            if now_us >= booking.begin_us - early_us:
                obstacles.append(DecisionReason.WRONG_LOT)
        elif now_us < booking.begin_us - early_us:
            obstacles.append(DecisionReason.TOO_EARLY)
        else:
            return booking
    return None


def pass_at(
    parking: Parking, vehicle: Vehicle, lot: ParkingLot, now_us: int, obstacles: list[DecisionReason]
) -> int:
    """The pass that lets a vehicle in now, by its id, or 0."""
    for pass_id in parking.passes_of_vehicle.get(vehicle.vehicle_id, {}):
        each = parking.passes[pass_id]
        if each.lot != lot.lot:
            continue
        zone = parking.zones.get(lot.time_zone)
        if zone is not None and is_good(each, zone, now_us):
            return pass_id
        obstacles.append(DecisionReason.WRONG_TIME)
    return 0


# -- where to


def wish_of_vehicle(vehicle: Vehicle, gate_id: str = "") -> Wish:
    """What a vehicle gets that has booked nothing."""
    return Wish(USUAL_TYPE[vehicle.kind], vehicle.kind, vehicle.height_cm, vehicle.rights, gate_id=gate_id)


def wish_of_ticket(ticket: Ticket, gate_id: str = "") -> Wish:
    """What a walk-in gets."""
    return Wish(USUAL_TYPE[ticket.vehicle], ticket.vehicle, ticket.height_cm, gate_id=gate_id)


def place_of_booking(parking: Parking, booking: Booking, now_us: int, sent_to: int = NO_SPACE) -> Place:
    """The space of a booking, or another one when it is still occupied: by who should be gone, or until the booking begins.

    Who was `sent_to` a space by a gate has that one, as long as nobody else is there.
    """
    occupancy = parking.occupancy[booking.lot]
    standing = occupancy.standing
    now, end = now_us // MINUTE_US, -(-booking.end_us // MINUTE_US)
    begin = booking.begin_us // MINUTE_US
    since = min(now, begin)
    is_empty = not standing >> booking.space & 1
    if is_empty and sent_to == booking.space:
        return Place(sent_to, booking.end_us)
    if (
        is_there(parking, booking.lot, booking.wish, sent_to)
        and occupancy.free_until(sent_to, since, end) == end
    ):
        return Place(sent_to, booking.end_us)
    if is_empty and (now >= begin or occupancy.free_until(booking.space, now, begin) == begin):
        return Place(booking.space, booking.end_us)
    found = allocate(parking, booking.lot, booking.wish, since, end, avoid=standing)
    if found is not None:
        return Place(found[0], booking.end_us)
    return Place(booking.space, booking.end_us) if is_empty else NOWHERE


def place_of_pass(parking: Parking, pass_id: int, wish: Wish, now_us: int, sent_to: int = NO_SPACE) -> Place:
    """The reserved space of a pass when nobody stands there, else one as a walk-in gets it."""
    each, space = parking.passes[pass_id], pass_space(parking, pass_id)
    is_empty = space != NO_SPACE and not parking.occupancy[each.lot].standing >> space & 1
    if is_empty and sent_to in (NO_SPACE, space):
        return Place(space, 0)
    place = place_of_walk_in(parking, parking.lots[each.lot], wish, now_us, sent_to)
    return Place(space, 0) if is_empty and place.space == NO_SPACE else place


def place_of_walk_in(
    parking: Parking, lot: ParkingLot, wish: Wish, now_us: int, sent_to: int = NO_SPACE
) -> Place:
    """A space for the lot's `walk_in_minutes` ahead, or for as much of them as there is one, at least `walk_in_minimum`."""
    now = now_us // MINUTE_US
    occupancy = parking.occupancy[lot.lot]
    most, least = lot.rules.walk_in_minutes, lot.rules.walk_in_minimum
    if is_there(parking, lot.lot, wish, sent_to):
        until = occupancy.free_until(sent_to, now, now + most)
        if until >= now + least:
            return Place(sent_to, until * MINUTE_US)
    standing = occupancy.standing
    best = allocate(parking, lot.lot, wish, now, now + most, avoid=standing)
    if best is not None:
        return Place(best[0], (now + most) * MINUTE_US)
    low, high = least, most - 1  # free for long is free for less: the longest by bisection
    while low <= high:
        middle = (low + high) >> 1
        found = allocate(parking, lot.lot, wish, now, now + middle, avoid=standing)
        if found is None:
            high = middle - 1
        else:
            best, low = found, middle + 1
    return NOWHERE if best is None else Place(best[0], (now + high) * MINUTE_US)


def is_there(parking: Parking, lot: str, wish: Wish, space: int) -> bool:
    """Whether nobody stands on a space, nor is sent to it, and it is still one for this wish."""
    if space == NO_SPACE:
        return False
    return bool(fitting(parking, lot, wish) & ~parking.occupancy[lot].standing & 1 << space)
