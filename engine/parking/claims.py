"""What bookings, stays and passes take of their lots, and how it is made anew from the tables."""

from __future__ import annotations

from engine.parking.booking_records import NO_SPACE, Booking, Pass, Stay
from engine.parking.gate_records import Lane
from engine.parking.kinds import BookingStatus, PassStatus, StayStatus
from engine.parking.records import Parking
from engine.units import MINUTE_US

CLAIMING = (BookingStatus.HELD_OFFER, BookingStatus.CONFIRMED)
"""Bookings that take a space themselves; of one that has arrived the stay does."""


def minutes_of(begin_us: int, end_us: int) -> tuple[int, int]:
    """An interval in whole minutes: from the minute in which it begins to that in which it ends."""
    return begin_us // MINUTE_US, -(-end_us // MINUTE_US)


# -- claims: what a record takes of the lot's occupancy


def claim_of(record: Booking | Stay | Pass) -> tuple[str, int, int, int] | None:
    """(lot, index, begin, end) of what a record takes, or None."""
    if record.space == NO_SPACE:
        return None
    if isinstance(record, Stay):
        takes = record.status is StayStatus.INSIDE and record.until_us > record.from_us
        begin_us, end_us = record.from_us, record.until_us
    else:
        is_open = (
            record.status in CLAIMING if isinstance(record, Booking) else record.status is PassStatus.ACTIVE
        )
        takes, begin_us, end_us = is_open, record.begin_us, record.end_us
    return (record.lot, record.space, *minutes_of(begin_us, end_us)) if takes else None


def move_claim(
    parking: Parking, owner: int, before: Booking | Stay | Pass | None, after: Booking | Stay | Pass
) -> None:
    """Take what a record takes now instead of what it took."""
    old, new = None if before is None else claim_of(before), claim_of(after)
    if old == new:
        return
    if old is not None:
        parking.occupancy[old[0]].remove(*old[1:], owner)
    if new is not None:
        parking.occupancy[new[0]].add(*new[1:], owner)


def promise(parking: Parking, lane: Lane) -> None:
    """While a lane waits for the vehicle that it is open for nobody else is sent to that one's space."""
    lot = parking.gates[lane.gate_id].lot
    promised = parking.occupancy[lot].promised
    space = parking.spaces.get((lot, lane.space)) if lane.busy else None
    if space is None:
        promised.pop((lane.gate_id, lane.lane), None)
    else:
        promised[lane.gate_id, lane.lane] = space.index


def rebuild_keeping(parking: Parking) -> None:
    """Make what is derived from the tables, in the order in which it was made first."""
    for booking_id in sorted(parking.bookings):
        booking = parking.bookings[booking_id]
        parking.bookings_of_vehicle.setdefault(booking.vehicle_id, {})[booking_id] = None
        move_claim(parking, booking_id, None, booking)
    for stay_id in sorted(parking.stays):
        stay = parking.stays[stay_id]
        parking.stay_of_who[stay.who] = stay_id
        parking.inside[stay.lot] = parking.inside.get(stay.lot, 0) + 1
        move_claim(parking, stay_id, None, stay)
        if stay.space != NO_SPACE:
            parking.occupancy[stay.lot].inside |= 1 << stay.space
    for pass_id in sorted(parking.passes):
        each = parking.passes[pass_id]
        parking.passes_of_vehicle.setdefault(each.vehicle_id, {})[pass_id] = None
        move_claim(parking, pass_id, None, each)
    for key in sorted(parking.lanes):
        promise(parking, parking.lanes[key])
    for ticket_id in sorted(parking.tickets):
        parking.ticket_of_who[parking.tickets[ticket_id].who] = ticket_id
    for waiting_id in sorted(parking.waiting):
        entry = parking.waiting[waiting_id]
        parking.waiting_of_lot.setdefault(entry.lot, {})[waiting_id] = None
    for debt_id in sorted(parking.debts):
        debt = parking.debts[debt_id]
        if debt.plate:
            parking.debts_of_plate.setdefault(debt.plate, {})[debt_id] = None
