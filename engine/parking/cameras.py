"""Cameras that read plates: each belongs to one lane of a gate, and what it reads is decided as a scan there. Source: docs/gates.md.

A gate's controller counts its own lines, so a camera beside it cannot speak for it: what a camera reads has its own counter,
which is the time of the reading, and the lane is opened by an order to the controller, as an operator's is.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.commands import Envelope
from engine.events import Refused
from engine.parking.access import OPENS, Verdict, decide
from engine.parking.camera_commands import ReadPlate, RenewCameraKey, RevokeCamera, SetCamera
from engine.parking.camera_events import CameraSet, PlateRead
from engine.parking.camera_records import READS_KEPT, Camera, PlateAnswer
from engine.parking.codes import is_code
from engine.parking.gate_commands import ScanTag
from engine.parking.gate_events import GateDecided, GateFound, GateOperated
from engine.parking.gate_kinds import CredentialKind, GateOrder
from engine.parking.gate_records import GateState
from engine.parking.gates import await_vehicle, put_state
from engine.parking.kinds import DecisionReason, FindingKind
from engine.parking.records import Parking
from engine.refusals import Refusal
from engine.turn import Turn
from engine.units import BPS

CAMERAS_MAX: Final = 4_096
NAME_MAX: Final = 200
PREFIX: Final = "cam_"
"""Before a camera's id where an operator's could stand too."""


def known_reading(camera: Camera, at_us: int, digest: bytes) -> PlateAnswer | None:
    """What a reading was answered before, if it is one of the camera's last ones."""
    for answer in camera.answers:
        if answer.at_us == at_us and answer.digest == digest:
            return answer
    return None


# -- operators


def set_camera(turn: Turn, envelope: Envelope, command: SetCamera) -> Refused | None:
    """Make or change a camera."""
    parking = turn.state.parking
    gate = parking.gates.get(command.gate_id)
    if gate is None:
        return Refused(Refusal.GATE_NOT_FOUND)
    known = parking.cameras.get(command.camera_id)
    if (
        not is_code(command.camera_id)
        or not 1 <= command.lane <= gate.lanes
        or not 0 < len(command.name) <= NAME_MAX
        or not 0 < command.confidence_min_bps <= BPS
        or (known is None and len(parking.cameras) >= CAMERAS_MAX)
    ):
        return Refused(Refusal.INVALID_CAMERA, (("lanes", gate.lanes),))
    wanted = (command.gate_id, command.lane, command.name, command.confidence_min_bps)
    if known is None:
        camera = Camera(command.camera_id, *wanted)
    else:
        names = ("gate_id", "lane", "name", "confidence_min_bps")
        camera = replace(known, **dict(zip(names, wanted, strict=True)))
    if camera != known:
        _put(turn, camera)
    return None


def renew_camera_key(turn: Turn, envelope: Envelope, command: RenewCameraKey) -> Refused | None:
    """Count a camera's secrets up: what the server made of the number before is of no use from now on."""
    camera = turn.state.parking.cameras.get(command.camera_id)
    if camera is None:
        return Refused(Refusal.CAMERA_NOT_FOUND)
    _put(turn, replace(camera, key_version=camera.key_version + 1, revoked=False))
    return None


def revoke_camera(turn: Turn, envelope: Envelope, command: RevokeCamera) -> Refused | None:
    """End a camera's secret; again it changes nothing."""
    camera = turn.state.parking.cameras.get(command.camera_id)
    if camera is None:
        return Refused(Refusal.CAMERA_NOT_FOUND)
    if not camera.revoked:
        _put(turn, replace(camera, revoked=True))
    return None


def _put(turn: Turn, camera: Camera) -> None:
    _keep(turn, camera)
    turn.events.append(CameraSet(camera))


def _keep(turn: Turn, camera: Camera) -> None:
    turn.state.parking.cameras[camera.camera_id] = camera
    turn.state.dirty["camera"][camera.camera_id] = None


# -- readings


def read_plate(turn: Turn, envelope: Envelope, command: ReadPlate) -> Refused | None:
    """Decide on a plate as a scan at the camera's lane; what is not sure enough is told to operators, and decides nothing."""
    camera = turn.state.parking.cameras.get(command.camera_id)
    if camera is None or not camera.is_live:
        return Refused(Refusal.CAMERA_NOT_FOUND)
    if command.at_us <= camera.heard_us:
        return Refused(Refusal.CAMERA_TIME_USED)
    text, plate = command.text, CredentialKind.PLATE
    at_us, where = command.at_us, (camera.gate_id, camera.lane)
    reason, space = 0, ""
    if command.confidence_bps < camera.confidence_min_bps:
        unsure = (FindingKind.LOW_CONFIDENCE, DecisionReason.UNKNOWN_TAG)
        turn.events.append(GateFound(*where, *unsure, plate, text, 0, at_us))
    else:
        verdict = _decide(turn, camera, command)
        reason, space = int(verdict.reason), verdict.space
        decided = (verdict.reason, plate, text, verdict.vehicle_id, verdict.right_id, space)
        turn.events.append(GateDecided(camera.gate_id, 0, camera.lane, *decided, at_us))
    turn.events.append(PlateRead(camera.camera_id, at_us, command.confidence_bps, reason, space))
    answer = PlateAnswer(at_us, command.digest, turn.seq, reason, space)
    answers = (answer, *camera.answers[: READS_KEPT - 1])
    _keep(turn, replace(camera, heard_us=at_us, answers=answers))
    return None


def _decide(turn: Turn, camera: Camera, command: ReadPlate) -> Verdict:
    """The decision on a plate. A lane that waits for that vehicle is not opened once more."""
    parking: Parking = turn.state.parking
    text = command.text
    lane = parking.lanes.get((camera.gate_id, camera.lane))
    if lane is not None and lane.busy and text and lane.who == text:
        return Verdict(lane.reason, lane.vehicle_id, lane.who, lane.right_id, lane.space)
    state = parking.gate_states.get(camera.gate_id) or GateState(camera.gate_id)
    line = (camera.gate_id, 0, command.digest, camera.lane, command.at_us, CredentialKind.PLATE, text)
    scan = ScanTag(*line)
    verdict = decide(turn.state, parking.gates[camera.gate_id], state, lane, scan, turn.now_us)
    if verdict.reason in OPENS:
        await_vehicle(turn, scan, text, verdict)
        put_state(turn, replace(state, command_n=state.command_n + 1))
        order = (GateOrder.OPEN, camera.lane, state.locked, 0, PREFIX + camera.camera_id)
        turn.events.append(GateOperated(camera.gate_id, state.command_n + 1, *order))
    return verdict
