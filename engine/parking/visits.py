"""What gates ask of stays: who is inside, what lets in and out, and that somebody has passed. Source: docs/parking.md.

Somebody is known by the plate, which a registered vehicle always has, or by the code of a ticket.
"""

from __future__ import annotations

from engine.parking import entry, stays
from engine.parking.gate_records import Visit
from engine.parking.kinds import DecisionReason
from engine.parking.records import Gate, Parking, Vehicle
from engine.state import State
from engine.turn import Turn


def is_inside(parking: Parking, who: str) -> bool:
    """Whether somebody is inside some lot."""
    return who in parking.stay_of_who


def entry_right(
    state: State, gate: Gate, vehicle: Vehicle | None, who: str, now_us: int
) -> tuple[DecisionReason, int, str]:
    """What lets somebody in or stands in the way: reason, the right's id, the space to go to."""
    return entry.entry_right(state, gate.lot, vehicle, who, now_us, gate.gate_id)


def exit_right(state: State, lot: str, who: str, now_us: int) -> DecisionReason:
    """What lets somebody out; NO_STAY for who is not inside this lot."""
    return stays.exit_right(state, lot, who, now_us)


def go_in(turn: Turn, visit: Visit) -> bool:
    """Somebody is inside from now on. False, and nothing changes, for who is inside already."""
    return stays.go_in(
        turn,
        visit.lot,
        visit.who,
        visit.gate_id,
        turn.state.parking.vehicles.get(visit.vehicle_id),
        visit.reason,
        visit.right_id,
        visit.begun_us,
        visit.space,
    )


def go_out(turn: Turn, lot: str, who: str, left_us: int) -> bool:
    """Somebody has left. False, and nothing changes, for who was not inside this lot."""
    return stays.go_out(turn, lot, who, left_us)
