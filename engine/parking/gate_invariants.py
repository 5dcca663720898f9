"""What must hold of gates after every command: counters, answered lines, lanes and their timers."""

from __future__ import annotations

from collections.abc import Iterator

from engine.kinds import TimerKind
from engine.parking.camera_records import READS_KEPT
from engine.parking.gate_records import LINES_KEPT
from engine.parking.records import Parking
from engine.state import State


def broken_gates(state: State) -> Iterator[str]:
    """Every broken invariant of gates, in words."""
    parking = state.parking
    kept: dict[str, int] = {}
    for (gate_id, slot), line in parking.gate_lines.items():
        kept[gate_id] = kept.get(gate_id, 0) + 1
        known = parking.gate_states.get(gate_id)
        if known is None or not (
            0 < line.n <= known.n and 0 <= slot < LINES_KEPT and line.gate_id == gate_id
        ):
            yield f"line {line.n} of gate {gate_id} is not where it belongs"
        elif line.seq > state.seq:
            yield f"line {line.n} of gate {gate_id} was answered by a record to come"
    for gate_id, gate in parking.gate_states.items():
        if gate_id not in parking.gates or gate.gate_id != gate_id:
            yield f"the counters of gate {gate_id} are nobody's"
        if kept.get(gate_id, 0) != min(gate.lines, LINES_KEPT):
            yield f"gate {gate_id} has {kept.get(gate_id, 0)} lines of {gate.lines}"
    for camera_id, camera in parking.cameras.items():
        times = [answer.at_us for answer in camera.answers]
        if camera.camera_id != camera_id or camera.gate_id not in parking.gates:
            yield f"camera {camera_id} is not where it belongs"
        if (
            len(times) > READS_KEPT
            or times != sorted({*times}, reverse=True)
            or times[:1] != [camera.heard_us] * (camera.heard_us > 0)
        ):
            yield f"camera {camera_id} has answered {times}, the newest at {camera.heard_us}"
    for (gate_id, number), lane in parking.lanes.items():
        timer = state.timer_ids.get((TimerKind.GATE_LANE, f"{number}@{gate_id}"))
        if (lane.gate_id, lane.lane) != (gate_id, number) or gate_id not in parking.gates:
            yield f"lane {number} of gate {gate_id} is not where it belongs"
        if lane.busy is not (timer in state.timers):
            yield f"lane {number} of gate {gate_id} waits ({lane.busy}) and its timer is {timer}"
    yield from broken_promises(parking)


def broken_promises(parking: Parking) -> Iterator[str]:
    """The spaces to which nobody else is sent are those of the lanes that wait."""
    wanted: dict[tuple[str, str, int], int] = {}
    for (gate_id, number), lane in parking.lanes.items():
        space = parking.spaces.get((parking.gates[gate_id].lot, lane.space))
        if lane.busy and space is not None:
            wanted[space.lot, gate_id, number] = space.index
    promised = {
        (lot, *lane): index
        for lot, each in parking.occupancy.items()
        for lane, index in each.promised.items()
    }
    if promised != wanted:
        yield f"spaces {promised} are promised, not {wanted}"
