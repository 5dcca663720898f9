"""How bookings, stays, tickets, passes, waiting entries and debts are kept: the table, its marks, what is derived, and the event.

A record that is over leaves the state: its last event has it as it ended.
"""

from __future__ import annotations

from typing import TypeVar

from engine.parking.booking_events import (
    BookingSet,
    DebtSet,
    OccupancyChanged,
    PassSet,
    StaySet,
    TicketSet,
    WaitingSet,
)
from engine.parking.booking_records import (
    NO_SPACE,
    Booking,
    Debt,
    Pass,
    Stay,
    Ticket,
    WaitingEntry,
)
from engine.parking.claims import move_claim
from engine.parking.kinds import (
    BookingStatus,
    PassStatus,
    StayStatus,
    TicketStatus,
    WaitingStatus,
)
from engine.parking.layout import layout_of
from engine.turn import Turn

Key = TypeVar("Key", int, str)

# -- one function for each kind of record


def put_booking(turn: Turn, booking: Booking) -> None:
    """Keep a booking as it is now; one that is over goes."""
    parking = turn.state.parking
    booking_id = booking.booking_id
    move_claim(parking, booking_id, parking.bookings.get(booking_id), booking)
    if booking.status <= BookingStatus.ARRIVED:
        parking.bookings[booking_id] = booking
        parking.bookings_of_vehicle.setdefault(booking.vehicle_id, {})[booking_id] = None
    else:
        del parking.bookings[booking_id]
        _forget(parking.bookings_of_vehicle, booking.vehicle_id, booking_id)
    turn.state.dirty["booking"][booking_id] = None
    turn.events.append(BookingSet(booking))


def put_stay(turn: Turn, stay: Stay) -> None:
    """Keep a stay as it is now; one that has ended goes."""
    parking = turn.state.parking
    before = parking.stays.get(stay.stay_id)
    move_claim(parking, stay.stay_id, before, stay)
    occupancy = parking.occupancy[stay.lot]
    if before is not None and before.space != NO_SPACE:
        occupancy.inside &= ~(1 << before.space)
    if stay.status is StayStatus.INSIDE:
        parking.stays[stay.stay_id] = stay
        parking.stay_of_who[stay.who] = stay.stay_id
        if stay.space != NO_SPACE:
            occupancy.inside |= 1 << stay.space
    else:
        del parking.stays[stay.stay_id], parking.stay_of_who[stay.who]
    turn.state.dirty["stay"][stay.stay_id] = None
    turn.events.append(StaySet(stay))
    if before is None or before.space != stay.space or before.status is not stay.status:
        delta = (before is None) - (stay.status is StayStatus.ENDED)
        parking.inside[stay.lot] = parking.inside.get(stay.lot, 0) + delta
        _report(turn, stay, before)


def _report(turn: Turn, stay: Stay, before: Stay | None) -> None:
    """Say how many are inside now, and on which kinds of spaces that a stay came to or left."""
    parking = turn.state.parking
    layout, inside = layout_of(parking, stay.lot), parking.occupancy[stay.lot].inside
    touched: dict[int, None] = {}
    for each in (before, stay):
        if each is not None and each.space != NO_SPACE:
            touched[each.space] = None
    parts = []
    for index in touched:
        space = layout.spaces[index]
        of_part = layout.parts[space.floor, space.space_type]
        parts.append((space.floor, space.space_type, (inside & of_part).bit_count(), of_part.bit_count()))
    turn.events.append(
        OccupancyChanged(stay.lot, parking.inside[stay.lot], layout.active.bit_count(), tuple(parts))
    )


def put_ticket(turn: Turn, ticket: Ticket) -> None:
    """Keep a ticket as it is now; a closed one goes."""
    parking = turn.state.parking
    if ticket.status is TicketStatus.CLOSED:
        del parking.tickets[ticket.ticket_id], parking.ticket_of_who[ticket.who]
    else:
        parking.tickets[ticket.ticket_id] = ticket
        parking.ticket_of_who[ticket.who] = ticket.ticket_id
    turn.state.dirty["ticket"][ticket.ticket_id] = None
    turn.events.append(TicketSet(ticket))


def put_pass(turn: Turn, each: Pass) -> None:
    """Keep a pass as it is now; one that is over goes."""
    parking = turn.state.parking
    move_claim(parking, each.pass_id, parking.passes.get(each.pass_id), each)
    if each.status is PassStatus.ACTIVE:
        parking.passes[each.pass_id] = each
        parking.passes_of_vehicle.setdefault(each.vehicle_id, {})[each.pass_id] = None
    else:
        del parking.passes[each.pass_id]
        _forget(parking.passes_of_vehicle, each.vehicle_id, each.pass_id)
    turn.state.dirty["pass"][each.pass_id] = None
    turn.events.append(PassSet(each))


def put_waiting(turn: Turn, entry: WaitingEntry) -> None:
    """Keep an entry of the waiting list as it is now; one that is over goes."""
    parking = turn.state.parking
    if entry.status <= WaitingStatus.OFFERED:
        parking.waiting[entry.waiting_id] = entry
        parking.waiting_of_lot.setdefault(entry.lot, {})[entry.waiting_id] = None
    else:
        del parking.waiting[entry.waiting_id]
        _forget(parking.waiting_of_lot, entry.lot, entry.waiting_id)
    turn.state.dirty["waiting"][entry.waiting_id] = None
    turn.events.append(WaitingSet(entry))


def put_debt(turn: Turn, debt: Debt) -> None:
    """Keep a debt as it is now; one that is repaid goes."""
    parking = turn.state.parking
    if debt.amount_e4:
        parking.debts[debt.debt_id] = debt
        if debt.plate:
            parking.debts_of_plate.setdefault(debt.plate, {})[debt.debt_id] = None
    else:
        del parking.debts[debt.debt_id]
        if debt.plate:
            _forget(parking.debts_of_plate, debt.plate, debt.debt_id)
    turn.state.dirty["debt"][debt.debt_id] = None
    turn.events.append(DebtSet(debt))


def _forget(table: dict[Key, dict[int, None]], key: Key, record: int) -> None:
    """Take a record out of what is derived by a key."""
    ids = table[key]
    del ids[record]
    if not ids:
        del table[key]
