"""Who is inside which lot, and what lets in and out. Source: docs/parking.md, "Stays and money".

Somebody is known by the plate, which a registered vehicle always has, or by the code of a ticket.
"""

from __future__ import annotations

from engine.parking.gate_records import Visit
from engine.parking.kinds import DecisionReason, LotStatus
from engine.parking.records import Gate, Parking, Vehicle
from engine.state import State
from engine.turn import Turn


def is_inside(parking: Parking, who: str) -> bool:
    """Whether somebody is inside some lot."""
    return who in parking.visits


def entry_right(
    state: State, gate: Gate, vehicle: Vehicle | None, who: str, now_us: int
) -> tuple[DecisionReason, int, str]:
    """What lets somebody in or stands in the way: reason, the right's id, the space to go to."""
    if state.parking.lots[gate.lot].status is LotStatus.CLOSED:
        return DecisionReason.LOT_CLOSED, 0, ""
    if vehicle is None:
        return DecisionReason.UNKNOWN_TAG, 0, ""
    return DecisionReason.WALLET, 0, ""


def exit_right(state: State, lot: str, who: str, now_us: int) -> DecisionReason:
    """What lets somebody out; NO_STAY for who is not inside this lot."""
    visit = state.parking.visits.get(who)
    if visit is None or visit.lot != lot:
        return DecisionReason.NO_STAY
    return DecisionReason.EXIT_GRACE


def go_in(turn: Turn, visit: Visit) -> bool:
    """Somebody is inside from now on. False, and nothing changes, for who is inside already."""
    parking = turn.state.parking
    if visit.who in parking.visits:
        return False
    parking.visits[visit.who] = visit
    turn.state.dirty["visit"][visit.who] = None
    return True


def go_out(turn: Turn, lot: str, who: str, left_us: int) -> bool:
    """Somebody has left. False, and nothing changes, for who was not inside this lot."""
    parking = turn.state.parking
    visit = parking.visits.get(who)
    if visit is None or visit.lot != lot:
        return False
    del parking.visits[who]
    turn.state.dirty["visit"][who] = None
    return True
