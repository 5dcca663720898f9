"""Gates: their lines and counters, the lanes that wait for a vehicle, operators' orders. Source: docs/parking.md, "Gates".

A line of a gate is a command. Its counter must be higher than all before; what it was answered stays known for the gate's
last 64 lines (`known_line`), so that the shell answers a repeated line without asking again. What a scan is answered is
decided in engine/parking/access.py. What a gate reports afterwards begins and ends stays.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import TimerKind
from engine.parking.access import OPENS, OPENS_ENTRY, Verdict, decide
from engine.parking.claims import promise
from engine.parking.gate_commands import NoteGateLink, OperateGate, RenewGateKey, ReportPassage, ScanTag
from engine.parking.gate_events import (
    GateDecided,
    GateFound,
    GateKeyRenewed,
    GateLinkChanged,
    GateOperated,
    GatePassed,
    LineAcknowledged,
)
from engine.parking.gate_kinds import CredentialKind, GateOrder, Way
from engine.parking.gate_records import LANE_BUSY_US, LINES_KEPT, GateLine, GateState, Lane, Visit
from engine.parking.kinds import DecisionReason, FindingKind
from engine.parking.records import Parking
from engine.parking.visits import go_in, go_out
from engine.refusals import Refusal
from engine.state import Timer
from engine.timers import add_timer, drop_timer_of
from engine.turn import Turn

REASON_MAX: Final = 200
WHY_MAX: Final = 32
"""Characters of the word that says why a gate was cut off."""


# -- lines


def known_line(parking: Parking, gate_id: str, n: int, digest: bytes) -> GateLine | None:
    """What a line was answered before, if it is one of the gate's last 64; None for any other with that counter."""
    state = parking.gate_states.get(gate_id)
    if state is None:
        return None
    for slot in range(min(LINES_KEPT, state.lines)):
        line = parking.gate_lines[gate_id, slot]
        if line.n == n:
            return line if line.digest == digest else None
    return None


def gate_for_line(turn: Turn, gate_id: str, n: int) -> GateState | Refused:
    """The state of the gate that a line comes from, or why the line is not taken."""
    parking = turn.state.parking
    state = parking.gate_states.get(gate_id)
    if state is None or gate_id not in parking.gates:
        return Refused(Refusal.GATE_NOT_FOUND)
    if n <= state.n:
        return Refused(Refusal.GATE_COUNTER_USED, (("n", state.n),))
    return state


def answer_line(
    turn: Turn, state: GateState, n: int, digest: bytes, verdict: Verdict | None, findings: int = 0
) -> None:
    """Remember what a line is answered; a report is acknowledged by an event too."""
    reason, space = (0, "") if verdict is None else (int(verdict.reason), verdict.space)
    if verdict is None:
        turn.events.append(LineAcknowledged(state.gate_id, n, findings))
    slot = (state.gate_id, state.lines % LINES_KEPT)
    line = GateLine(state.gate_id, n, digest, turn.seq, reason, space, findings)
    turn.state.parking.gate_lines[slot] = line
    turn.state.dirty["gate_line"][slot] = None
    put_state(turn, replace(state, n=n, lines=state.lines + 1))


def put_state(turn: Turn, state: GateState) -> None:
    """Keep a gate's state as it is now."""
    turn.state.parking.gate_states[state.gate_id] = state
    turn.state.dirty["gate_state"][state.gate_id] = None


# -- scans


def scan_tag(turn: Turn, envelope: Envelope, command: ScanTag) -> Refused | None:
    """Answer a scan; a gate that opens has its lane wait for the vehicle."""
    state = gate_for_line(turn, command.gate_id, command.n)
    if isinstance(state, Refused):
        return state
    parking = turn.state.parking
    text = command.text
    lane = parking.lanes.get((command.gate_id, command.lane))
    if lane is not None and lane.busy and text and (lane.credential, lane.text) == (command.credential, text):
        verdict = Verdict(lane.reason, lane.vehicle_id, lane.who, lane.right_id, lane.space)
        lane = replace(lane, n=command.n)
        put_lane(turn, lane)
    else:
        verdict = decide(turn.state, parking.gates[command.gate_id], state, lane, command, turn.now_us)
        if verdict.reason in OPENS:
            await_vehicle(turn, command, text, verdict)
    turn.events.append(
        GateDecided(
            *(command.gate_id, command.n, command.lane, verdict.reason, command.credential, text),
            *(verdict.vehicle_id, verdict.right_id, verdict.space, command.at_us),
        )
    )
    answer_line(turn, state, command.n, command.digest, verdict)
    return None


def await_vehicle(turn: Turn, command: ScanTag, text: str, verdict: Verdict) -> None:
    """A lane is opened: it is busy until somebody passes, nobody does, or 30 s are over."""
    lane = Lane(
        *(command.gate_id, command.lane, command.n, verdict.reason, command.credential, text),
        *(verdict.vehicle_id, verdict.who, verdict.right_id, verdict.space, turn.now_us),
    )
    put_lane(turn, lane)
    arm(turn, lane)


def arm(turn: Turn, lane: Lane) -> None:
    """Have the lane's waiting end after its time; the timer of an earlier opening is dropped."""
    target = f"{lane.lane}@{lane.gate_id}"
    drop_timer_of(turn.state, TimerKind.GATE_LANE, target)
    add_timer(turn, turn.now_us + LANE_BUSY_US, TimerKind.GATE_LANE, target)


def put_lane(turn: Turn, lane: Lane) -> None:
    """Keep a lane as it is now."""
    key = (lane.gate_id, lane.lane)
    turn.state.parking.lanes[key] = lane
    promise(turn.state.parking, lane)
    turn.state.dirty["gate_lane"][key] = None


def clear_lane(turn: Turn, lane: Lane) -> None:
    """A lane waits for nobody."""
    key = (lane.gate_id, lane.lane)
    del turn.state.parking.lanes[key]
    promise(turn.state.parking, replace(lane, busy=False))
    turn.state.dirty["gate_lane"][key] = None
    drop_timer_of(turn.state, TimerKind.GATE_LANE, f"{lane.lane}@{lane.gate_id}")


def fire_lane(turn: Turn, timer: Timer) -> None:
    """A lane has waited long enough: the decision is taken back. What the gate reports late is still known by the lane."""
    number, _, gate_id = timer.target.partition("@")
    lane = turn.state.parking.lanes[gate_id, int(number)]
    put_lane(turn, replace(lane, busy=False))
    found(turn, lane, FindingKind.NOT_PASSED, turn.now_us)


def found(turn: Turn, lane: Lane, kind: FindingKind, at_us: int) -> None:
    """Tell operators of something at a lane."""
    turn.events.append(
        GateFound(
            *(lane.gate_id, lane.lane, kind, lane.reason, lane.credential, lane.text),
            *(lane.vehicle_id, at_us),
        )
    )


# -- what a gate reports


def report_passage(turn: Turn, envelope: Envelope, command: ReportPassage) -> Refused | None:
    """Somebody passed a lane, or nobody did."""
    state = gate_for_line(turn, command.gate_id, command.n)
    if isinstance(state, Refused):
        return state
    lane = turn.state.parking.lanes.get((command.gate_id, command.lane))
    findings = 0
    if command.passed:
        findings = passage(turn, command, lane)
    elif lane is not None:
        if lane.busy:
            found(turn, lane, FindingKind.NOT_PASSED, command.at_us)
        clear_lane(turn, lane)
    answer_line(turn, state, command.n, command.digest, None, findings)
    return None


def passage(turn: Turn, command: ReportPassage, lane: Lane | None) -> int:
    """A vehicle went through: what the lane was opened for is carried out. Returns how many findings there were.

    A lane whose time is over still counts when the gate says that the vehicle passed within it: the line was late, not the
    vehicle.
    """
    if lane is not None and not lane.busy and command.at_us > lane.decided_us + LANE_BUSY_US:
        clear_lane(turn, lane)
        lane = None
    if lane is None:
        nobody = CredentialKind.TAG
        turn.events.append(
            GateFound(
                *(command.gate_id, command.lane, FindingKind.TAILGATING, DecisionReason.NO_STAY, nobody, ""),
                *(0, command.at_us),
            )
        )
        return 1
    clear_lane(turn, lane)
    way = Way.ENTRY if lane.reason in OPENS_ENTRY else Way.EXIT
    conflict = False
    if lane.reason is not DecisionReason.OPERATOR:
        conflict = not carry_out(turn, lane, way)
        if conflict:
            found(turn, lane, FindingKind.OFFLINE_CONFLICT, command.at_us)
    turn.events.append(
        GatePassed(
            *(lane.gate_id, lane.n, lane.lane, way, lane.credential, lane.text, lane.vehicle_id),
            *(command.at_us, False),
        )
    )
    return int(conflict)


def carry_out(turn: Turn, lane: Lane, way: Way) -> bool:
    """The stay of who passed begins or ends, at the time of the decision. False where that does not fit what is known."""
    lot = turn.state.parking.gates[lane.gate_id].lot
    if way is Way.EXIT:
        return go_out(turn, lot, lane.who, lane.decided_us)
    right = (lane.reason, lane.right_id)
    visit = Visit(lane.who, lot, lane.gate_id, lane.vehicle_id, *right, lane.decided_us, lane.space)
    return go_in(turn, visit)


# -- operators


def operate_gate(turn: Turn, envelope: Envelope, command: OperateGate) -> Refused | None:
    """An operator opens a lane once, locks or unlocks the gate, or has it tell what it did alone."""
    parking = turn.state.parking
    gate = parking.gates.get(command.gate_id)
    if gate is None:
        return Refused(Refusal.GATE_NOT_FOUND)
    if not 0 <= command.lane <= gate.lanes or not 0 < len(command.reason) <= REASON_MAX:
        return Refused(Refusal.INVALID_GATE_ORDER, (("lanes", gate.lanes),))
    state = parking.gate_states.get(command.gate_id) or GateState(command.gate_id)
    locked = state.locked
    if command.order is GateOrder.OPEN:
        for number in range(1, gate.lanes + 1) if command.lane == 0 else (command.lane,):
            lane = Lane(
                *(command.gate_id, number, 0, DecisionReason.OPERATOR, CredentialKind.TAG, ""),
                *(0, "", 0, "", turn.now_us),
            )
            put_lane(turn, lane)
            arm(turn, lane)
    elif command.order is not GateOrder.SYNC:
        locked = command.order is GateOrder.LOCK
    put_state(turn, replace(state, locked=locked, command_n=state.command_n + 1))
    turn.events.append(
        GateOperated(
            *(command.gate_id, state.command_n + 1, command.order, command.lane, locked),
            *(envelope.principal, command.reason),
        )
    )
    return None


def renew_gate_key(turn: Turn, envelope: Envelope, command: RenewGateKey) -> Refused | None:
    """Count a gate's secrets up: what the server made of the number before is of no use from now on."""
    if command.gate_id not in turn.state.parking.gates:
        return Refused(Refusal.GATE_NOT_FOUND)
    state = turn.state.parking.gate_states.get(command.gate_id) or GateState(command.gate_id)
    put_state(turn, replace(state, key_version=state.key_version + 1))
    turn.events.append(GateKeyRenewed(command.gate_id, state.key_version + 1, envelope.principal))
    return None


# -- the server's own word


def note_gate_link(turn: Turn, envelope: Envelope, command: NoteGateLink) -> Refused | None:
    """Keep, and tell operators, whether a gate is connected: said again, it is told again (another connection took over)."""
    parking = turn.state.parking
    if command.gate_id not in parking.gates:
        return Refused(Refusal.GATE_NOT_FOUND)
    state = parking.gate_states.get(command.gate_id) or GateState(command.gate_id)
    put_state(turn, replace(state, connected=command.connected))
    turn.events.append(GateLinkChanged(command.gate_id, command.connected, command.why[:WHY_MAX]))
    return None
