"""What a scan is answered: the decision table of docs/parking.md, "Gates", the first row that applies.

Pure: it reads the state and changes nothing. What the decision does is done when the vehicle has passed (engine/parking/gates.py).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.parking.booking_codes import booking_of_code, right_of_code
from engine.parking.booking_records import Booking
from engine.parking.gate_commands import ScanTag
from engine.parking.gate_kinds import CredentialKind
from engine.parking.gate_records import GateState, Lane
from engine.parking.kinds import DecisionReason, Direction, TagStatus
from engine.parking.records import Gate, Parking, Vehicle
from engine.parking.vehicles import is_blocked, is_epc, is_plate
from engine.parking.visits import entry_right, exit_right, is_inside
from engine.state import State

OPENS_ENTRY: Final = frozenset(
    {DecisionReason.BOOKING, DecisionReason.PASS, DecisionReason.TICKET, DecisionReason.WALLET}
)
OPENS: Final = OPENS_ENTRY | {
    DecisionReason.EXIT_PAID,
    DecisionReason.EXIT_CHARGED,
    DecisionReason.EXIT_DEBT,
    DecisionReason.EXIT_GRACE,
    DecisionReason.OPERATOR,
}
"""Reasons for which a gate opens; for all others it stays shut."""


CODE_PREFIX: Final = "code:"
"""Before the code of a ticket or booking where a plate could stand too."""


class Verdict(Struct, frozen=True, gc=False):
    """What a scan is answered, and what it is to do once the vehicle has passed."""

    reason: DecisionReason
    vehicle_id: int = 0
    who: str = ""
    right_id: int = 0
    space: str = ""


class Subject(Struct, frozen=True, gc=False):
    """Who wants to pass: a vehicle that is registered, or a walk-in. `who` is the plate, or the code of a ticket.

    Who shows the signed code of a `booking` comes for that one, and for no other right.
    """

    vehicle: Vehicle | None
    who: str
    booking: Booking | None = None


def decide(
    state: State, gate: Gate, gate_state: GateState, lane: Lane | None, command: ScanTag, now_us: int
) -> Verdict:
    """The decision on a scan."""
    if gate_state.locked:
        return Verdict(DecisionReason.GATE_LOCKED)
    if lane is not None and lane.busy:
        return Verdict(DecisionReason.LANE_BUSY)
    if command.lane > gate.lanes:
        return Verdict(DecisionReason.WRONG_DIRECTION)
    subject = subject_of(state.parking, command.credential, command.text)
    if not isinstance(subject, Subject):
        return Verdict(subject)
    return judge(state, gate, subject, now_us, command.good_until_us)


def judge(state: State, gate: Gate, subject: Subject, now_us: int, good_until_us: int = 0) -> Verdict:
    """The part of the table that is about who wants to pass, and not about the gate. A code that has ended still lets out."""
    vehicle, who = subject.vehicle, subject.who
    vehicle_id = 0 if vehicle is None else vehicle.vehicle_id
    inside = is_inside(state.parking, who)
    if gate.direction is Direction.EXIT or (gate.direction is Direction.BOTH and inside):
        return Verdict(exit_right(state, gate.lot, who, now_us), vehicle_id, who)
    if vehicle is not None and gate.height_cm and vehicle.height_cm > gate.height_cm:
        return Verdict(DecisionReason.TOO_HIGH, vehicle_id, who)
    if inside:
        return Verdict(DecisionReason.ALREADY_INSIDE, vehicle_id, who)
    if subject.booking is not None:
        reason, right_id, space = right_of_code(
            state.parking, gate.lot, subject.booking, good_until_us, now_us
        )
    else:
        reason, right_id, space = entry_right(state, gate, vehicle, who, now_us)
    return Verdict(reason, vehicle_id, who, right_id, space)


def subject_of(parking: Parking, credential: CredentialKind, text: str) -> Subject | DecisionReason:
    """Who a credential is, or why it is nobody's."""
    if credential is CredentialKind.TAG:
        if not is_epc(text):
            return DecisionReason.MALFORMED_TAG
        tag = parking.tags.get(text)
        if is_blocked(parking, epc=text):
            return DecisionReason.BLOCKED
        if tag is None:
            return DecisionReason.UNKNOWN_TAG
        if tag.status is not TagStatus.ACTIVE:
            return DecisionReason.TAG_REVOKED
        return of_vehicle(parking, parking.vehicles[tag.vehicle_id])
    if credential is CredentialKind.PLATE:
        if not is_plate(text):
            return DecisionReason.MALFORMED_TAG
        vehicle_id = parking.vehicle_of_plate.get(text)
        if vehicle_id is not None:
            return of_vehicle(parking, parking.vehicles[vehicle_id])
        return DecisionReason.BLOCKED if is_blocked(parking, plate=text) else Subject(None, text)
    if credential is CredentialKind.BOOKING:
        booking = booking_of_code(parking, text)
        if not isinstance(booking, Booking):
            return booking
        return of_vehicle(parking, parking.vehicles[booking.vehicle_id], booking)
    return Subject(None, CODE_PREFIX + text) if text else DecisionReason.MALFORMED_TAG


def of_vehicle(
    parking: Parking, vehicle: Vehicle, booking: Booking | None = None
) -> Subject | DecisionReason:
    """A registered vehicle as the one that wants to pass, unless it is on the blocklist."""
    if is_blocked(parking, plate=vehicle.plate):
        return DecisionReason.BLOCKED
    return Subject(vehicle, vehicle.plate, booking)
