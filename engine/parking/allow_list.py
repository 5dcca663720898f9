"""Who a gate may let through while it is cut off: the tags of its allow-list. Source: docs/parking.md, "Gates".

An entry's are those with a booking or a pass for the time of the list, then those whose account could be charged now; an exit's
are those inside. No space is looked for: when the lot has none left, accounts alone let nobody in.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.parking.access import Subject, subject_of
from engine.parking.entry import wallet_obstacle
from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import BookingStatus, DecisionReason, Direction, LotStatus
from engine.parking.passes import is_good
from engine.parking.records import Gate, Vehicle
from engine.state import State
from engine.units import MINUTE_US


def tags_that_open(state: State, gate: Gate, now_us: int, until_us: int, limit: int) -> list[str]:
    """At most so many tags, by their EPC; the surest first, should there be more."""
    found: dict[str, None] = {}
    for vehicle in vehicles_that_pass(state, gate, now_us, until_us):
        for epc in sorted(state.parking.tags_of_vehicle.get(vehicle.vehicle_id, {})):
            if isinstance(subject_of(state.parking, CredentialKind.TAG, epc), Subject):
                found[epc] = None
        if len(found) >= limit:
            break
    return sorted(list(found)[:limit])


def vehicles_that_pass(state: State, gate: Gate, now_us: int, until_us: int) -> Iterator[Vehicle]:
    """Vehicles that a gate would open for, some perhaps twice."""
    parking = state.parking
    if gate.direction is not Direction.ENTRY:
        for stay in parking.stays.values():
            if stay.lot == gate.lot and stay.vehicle_id in parking.vehicles:
                yield parking.vehicles[stay.vehicle_id]
    lot = parking.lots[gate.lot]
    if gate.direction is Direction.EXIT or lot.status is LotStatus.CLOSED:
        return
    for vehicle in vehicles_with_right(state, gate, now_us, until_us):
        is_inside = vehicle.plate in parking.stay_of_who
        too_high = gate.height_cm and vehicle.height_cm > gate.height_cm
        if not is_inside and not too_high:
            yield vehicle


def vehicles_with_right(state: State, gate: Gate, now_us: int, until_us: int) -> Iterator[Vehicle]:
    """Vehicles with the right to come in: booked, with a pass, or of an account that can be charged."""
    parking, lot = state.parking, state.parking.lots[gate.lot]
    early_us = lot.rules.early_grace * MINUTE_US
    for booking in parking.bookings.values():
        if (
            booking.status is BookingStatus.CONFIRMED
            and booking.lot == gate.lot
            and booking.begin_us - early_us < until_us
            and now_us < booking.end_us
            and booking.vehicle_id in parking.vehicles
        ):
            yield parking.vehicles[booking.vehicle_id]
    zone = parking.zones.get(lot.time_zone)
    for each in parking.passes.values():
        if (
            each.lot == gate.lot
            and zone is not None
            and is_good(each, zone, now_us)
            and each.vehicle_id in parking.vehicles
        ):
            yield parking.vehicles[each.vehicle_id]
    occupancy = parking.occupancy[gate.lot]
    if occupancy.inside.bit_count() >= len(parking.numbers[gate.lot]):
        return
    obstacles: dict[int, DecisionReason | None] = {}
    for vehicle_id in sorted(parking.vehicles):
        vehicle = parking.vehicles[vehicle_id]
        account_id = vehicle.account_id
        if account_id not in obstacles:
            obstacles[account_id] = wallet_obstacle(state, vehicle, lot)
        if obstacles[account_id] is None:
            yield vehicle
