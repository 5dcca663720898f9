"""Cameras: made, renewed, revoked; what they read is a scan at their lane, each time once, and opens by an order to the gate."""

from __future__ import annotations

import pytest

from engine.apply import Applied
from engine.kinds import Source
from engine.parking.camera_commands import ReadPlate, RenewCameraKey, RevokeCamera, SetCamera
from engine.parking.camera_events import PlateRead
from engine.parking.camera_records import READS_KEPT, Camera
from engine.parking.cameras import known_reading
from engine.parking.commands import BlockPlate
from engine.parking.gate_commands import OperateGate, ReportPassage
from engine.parking.gate_events import GateDecided, GateFound, GateOperated
from engine.parking.gate_kinds import CredentialKind, GateOrder
from engine.units import SECOND_US
from tests.engine.parking.gate_world import IN, OUT, GateWorld
from tests.engine.world import of_kind, refusal

EAST = "east"


class CameraWorld(GateWorld):
    """A camera at the entry, which has a secret."""

    def __init__(self) -> None:
        super().__init__()
        self.operator(SetCamera(EAST, IN, 1, "East", 8_000))
        self.operator(RenewCameraKey(EAST))

    @property
    def camera(self) -> Camera:
        return self.parking.cameras[EAST]

    def read(
        self, text: str, sure_bps: int = 9_000, *, at_us: int | None = None, digest: bytes = b"d"
    ) -> Applied:
        at_us = self.now_us if at_us is None else at_us
        return self.do(ReadPlate(EAST, at_us, digest, text, sure_bps), source=Source.GATE)


def decisions(applied: Applied) -> list[tuple[str, int, str]]:
    return [(each.reason.name, each.n, each.text) for each in of_kind(applied, GateDecided)]


def orders(applied: Applied) -> list[tuple[int, GateOrder, int, int, str]]:
    return [
        (each.n, each.order, each.lane, each.operator_id, each.reason)
        for each in of_kind(applied, GateOperated)
    ]


def test_a_plate_that_may_pass_opens_the_lane_and_its_vehicle_goes_in() -> None:
    world = CameraWorld()
    applied = world.read("KERB1")
    assert decisions(applied) == [("WALLET", 0, "KERB1")]
    assert orders(applied) == [(1, GateOrder.OPEN, 1, 0, "cam_east")]
    (read,) = of_kind(applied, PlateRead)
    assert (read.camera_id, read.reason, read.confidence_bps) == (EAST, 34, 9_000)
    assert (world.passed(IN), world.inside()) == ([], ["KERB1"])


def test_a_lane_that_waits_for_the_vehicle_is_not_opened_once_more() -> None:
    world = CameraWorld()
    first = world.read("KERB1")
    again = world.read("KERB1")
    assert decisions(again) == decisions(first)
    assert orders(again) == []
    assert decisions(world.read("OTHER1")) == [("LANE_BUSY", 0, "OTHER1")]


def test_the_lane_that_a_tag_opened_waits_for_that_plate_too() -> None:
    world = CameraWorld()
    assert world.scan(IN) == "WALLET"
    applied = world.read("KERB1")
    assert (decisions(applied), orders(applied)) == ([("WALLET", 0, "KERB1")], [])
    assert (world.passed(IN), world.inside()) == ([], ["KERB1"])


def test_a_camera_that_is_not_sure_decides_nothing_and_operators_are_told() -> None:
    world = CameraWorld()
    applied = world.read("KERB1", 7_999)
    (found,) = of_kind(applied, GateFound)
    assert (found.kind.name, found.credential, found.text) == (
        "LOW_CONFIDENCE",
        CredentialKind.PLATE,
        "KERB1",
    )
    assert (decisions(applied), orders(applied), world.parking.lanes) == ([], [], {})
    assert decisions(world.read("KERB1", 8_000)) == [("WALLET", 0, "KERB1")]


@pytest.mark.parametrize(
    ("text", "reason"), [("", "MALFORMED_TAG"), ("b'; --", "MALFORMED_TAG"), ("KERB1", "BLOCKED")]
)
def test_what_may_not_pass_opens_nothing(text: str, reason: str) -> None:
    world = CameraWorld()
    world.operator(BlockPlate("KERB1", on=True, reason="never pays"))
    applied = world.read(text)
    assert (decisions(applied), orders(applied)) == ([(reason, 0, text)], [])


def test_a_locked_gate_is_not_opened() -> None:
    world = CameraWorld()
    world.operator(OperateGate(IN, GateOrder.LOCK, 0, "works"))
    applied = world.read("KERB1")
    assert (decisions(applied), orders(applied)) == ([("GATE_LOCKED", 0, "KERB1")], [])


def test_a_time_is_used_once_and_what_it_was_answered_stays_known() -> None:
    world = CameraWorld()
    at_us = world.now_us
    applied = world.read("KERB1", at_us=at_us, digest=b"first")
    for again_us in (at_us, at_us - 1, 0, -5):
        assert refusal(world.read("KERB1", at_us=again_us)) == "CAMERA_TIME_USED"
    known = known_reading(world.camera, at_us, b"first")
    assert known is not None
    assert (known.seq, known.reason) == (applied.seq, 34)
    assert known_reading(world.camera, at_us, b"other") is None
    for later in range(1, READS_KEPT + 1):
        assert world.read("", at_us=at_us + later).refused is None
    assert known_reading(world.camera, at_us, b"first") is None
    assert len(world.camera.answers) == READS_KEPT


def test_a_revoked_camera_is_not_heard_until_it_has_a_new_secret() -> None:
    world = CameraWorld()
    world.operator(RevokeCamera(EAST))
    assert world.operator(RevokeCamera(EAST)).events == ()
    assert refusal(world.read("KERB1")) == "CAMERA_NOT_FOUND"
    world.operator(SetCamera(EAST, IN, 1, "East", 9_000))
    assert not world.camera.is_live
    world.operator(RenewCameraKey(EAST))
    assert (world.camera.key_version, world.camera.confidence_min_bps) == (2, 9_000)
    assert decisions(world.read("KERB1")) == [("WALLET", 0, "KERB1")]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (SetCamera(EAST, "nowhere", 1, "E", 8_000), "GATE_NOT_FOUND"),
        (SetCamera(EAST, IN, 2, "E", 8_000), "INVALID_CAMERA"),
        (SetCamera(EAST, IN, 0, "E", 8_000), "INVALID_CAMERA"),
        (SetCamera("e ast", IN, 1, "E", 8_000), "INVALID_CAMERA"),
        (SetCamera(EAST, IN, 1, "", 8_000), "INVALID_CAMERA"),
        (SetCamera(EAST, IN, 1, "E", 0), "INVALID_CAMERA"),
        (SetCamera(EAST, IN, 1, "E", 10_001), "INVALID_CAMERA"),
        (RenewCameraKey("west"), "CAMERA_NOT_FOUND"),
        (RevokeCamera("west"), "CAMERA_NOT_FOUND"),
        (ReadPlate("west", 1, b"d", "KERB1", 9_000), "CAMERA_NOT_FOUND"),
    ],
)
def test_what_cannot_be_is_refused(command: SetCamera | RenewCameraKey | RevokeCamera, why: str) -> None:
    assert refusal(CameraWorld().operator(command)) == why


def test_a_camera_without_a_secret_is_not_heard_and_setting_what_is_so_changes_nothing() -> None:
    world = GateWorld()
    made = SetCamera(EAST, OUT, 1, "East", 8_000)
    assert len(world.operator(made).events) == 1
    assert world.operator(made).events == ()
    assert refusal(world.do(ReadPlate(EAST, 1, b"d", "KERB1", 9_000))) == "CAMERA_NOT_FOUND"


def test_nobody_who_passes_takes_the_opening_back_and_the_next_reading_opens_again() -> None:
    world = CameraWorld()
    world.read("KERB1")
    world.now_us += 31 * SECOND_US
    applied = world.do(ReportPassage(IN, world.next_n(IN), b"d", 1, world.now_us, False), source=Source.GATE)
    assert applied.refused is None
    assert orders(world.read("KERB1"))[0][0] == 2
