"""Cameras over real sockets: what they read opens the lane once, and whatever is forged, replayed or malformed opens nothing."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest

from config.settings import Settings
from server.camera_simulator import CameraAccess, CameraAnswer, SimulatedCamera, body_of, signed
from server.gate_client import GateClient
from server.gate_messages import AllowList, GateCommand
from server.plate_desk import signature
from server.plates import normal_plate
from tests.handlers.parking_people import car_park, vehicle
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import connected

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gates.md"
EAST = {"camera_id": "cam_east", "gate_id": "gat_P1-in", "name": "East"}


class Lane:
    """The entry's first lane: its controller, its camera, and a driver's vehicle."""

    def __init__(self, small: SmallKerb, operator: Client, camera: SimulatedCamera, plate: str) -> None:
        self.small = small
        self.operator = operator
        self.camera = camera
        self.plate = plate
        self.opened: asyncio.Queue[GateCommand | AllowList] = asyncio.Queue()
        self.gate: GateClient | None = None

    async def connect(self) -> GateClient:
        given = await self.operator("POST", "/admin/parking/gates/gat_P1-in/secret")
        address = ("127.0.0.1", self.small.services.gate_port)
        self.gate = await GateClient.connect(
            address, "gat_P1-in", bytes.fromhex(given.data["secret"]), on_unasked=self.hear
        )
        return self.gate

    def hear(self, message: GateCommand | AllowList) -> None:
        if isinstance(message, GateCommand):
            self.opened.put_nowait(message)

    @property
    def seq(self) -> int:
        return self.small.world.state.seq


@pytest.fixture
async def lane(database_dsn: str, tmp_path: Path, settings: Settings) -> AsyncIterator[Lane]:
    async with open_small_kerb(database_dsn, tmp_path, settings) as small:
        await car_park(small)
        operator = await small.admin()
        assert (await operator("POST", "/admin/parking/cameras", EAST)).status == 201
        secret = (await operator("POST", "/admin/parking/cameras/cam_east/secret")).data["secret"]
        access = CameraAccess("cam_east", bytes.fromhex(secret))
        driver = await small.trader("driver", cash="100")
        vehicle_id = int((await vehicle(small, driver))["vehicle_id"].removeprefix("veh_"))
        plate = small.world.state.parking.vehicles[vehicle_id].plate
        yield Lane(small, operator, SimulatedCamera(small.http, small.url, access), plate)


def outcome(answer: CameraAnswer) -> tuple[int, bool, str | None, bool]:
    said = answer.said
    return answer.status, said["open"], said["reason"], said["repeated"]


async def test_a_vehicle_that_is_seen_many_times_is_let_in_once(lane: Lane) -> None:
    async with connected(lane.small, lane.operator) as desk:
        await desk.ask("subscribe", channels=["gates"], lots=["lot_P1"])
        gate = await lane.connect()
        assert [(await desk.on("gates"))["data"]["kind"] for _ in range(2)] == ["SECRET", "CONNECTED"]
        answers = await lane.camera.see(lane.plate, frames=5)
        assert [outcome(answer) for answer in answers] == [
            (200, False, None, False),
            (200, True, "WALLET", False),
            *[(200, True, "WALLET", True)] * 3,
        ]
        assert {answer.said["plate"] for answer in answers[1:]} == {lane.plate}
        command = await lane.opened.get()
        assert isinstance(command, GateCommand)
        assert (command.do, command.by, command.lane) == ("OPEN", "cam_east", 1)
        await gate.report("passed", lane=1, at=datetime.now(UTC).isoformat())
        assert lane.opened.empty()
        assert lane.plate in lane.small.world.state.parking.stay_of_who
        told = [(await desk.on("gates"))["data"] for _ in range(4)]
    assert [(each["kind"], each["reason"], each["alarm"]) for each in told] == [
        ("FINDING", "LOW_CONFIDENCE", True),
        ("ORDER", "OPEN", False),
        ("DECISION", "WALLET", False),
        ("PASSED", "ENTRY", False),
    ]
    assert (told[1]["what"], told[1]["operator_id"], told[2]["credential"]) == ("cam_east", None, "PLATE")
    (shown,) = (await lane.operator("GET", "/admin/parking/cameras?lot_id=lot_P1")).data
    assert (shown["active"], shown["secrets"], shown["confidence_min"]) == (True, 1, 80)
    assert shown["read_at"] is not None


async def test_a_message_again_has_the_same_answer_and_no_effect(lane: Lane) -> None:
    await lane.connect()
    body = body_of(lane.plate, 99)
    first = await lane.camera.send(body)
    assert outcome(first) == (200, True, "WALLET", False)
    seq = lane.seq
    for _ in range(3):
        again = await lane.camera.send(body)
        assert again.said == first.said | {"repeated": True}
    older = await lane.camera.send(body_of("OTHER1", 99, datetime.now(UTC) - timedelta(seconds=5)))
    assert older.status == 409
    assert (lane.seq, lane.opened.qsize()) == (seq, 1)


async def test_who_is_not_the_camera_is_not_heard(lane: Lane) -> None:
    await lane.connect()
    body, access = body_of(lane.plate, 99), lane.camera.access
    right = signed(access, body)
    forged: list[tuple[bytes, dict[str, str]]] = [
        (body, {"Content-Type": "application/json"}),
        (body, right | {"X-Kerb-Signature": "0" * 64}),
        (body, right | {"X-Kerb-Signature": right["X-Kerb-Signature"].upper()}),
        (body, right | {"X-Kerb-Signature": "\xff" * 64}),
        (body.replace(b"99", b"98"), right),
        (body, signed(CameraAccess("cam_east", bytes(32)), body)),
        (body, signed(CameraAccess("cam_west", access.secret), body)),
        (body, {"Content-Type": "application/json", "Authorization": f"Bearer {lane.operator.token}"}),
    ]
    seq = lane.seq
    for sent, headers in forged:
        answer = await lane.camera.send(sent, headers)
        assert (answer.status, answer.said["code"]) == (401, "UNAUTHENTICATED"), headers
    for camera_id in ("cam_west", "east", "cam_", "gat_P1-in", "cam_%00", "cam_%F0%9F%98%80"):
        url = f"{lane.small.url}/api/v1/parking/cameras/{camera_id}/reads"
        async with lane.small.http.post(url, data=body, headers=right) as response:
            assert response.status == 401, camera_id
    assert lane.seq == seq
    assert (await lane.operator("DELETE", "/admin/parking/cameras/cam_east")).data["active"] is False
    assert (await lane.camera.read(lane.plate)).status == 401
    renewed = await lane.operator("POST", "/admin/parking/cameras/cam_east/secret")
    assert (await lane.camera.read(lane.plate)).status == 401
    lane.camera.access = CameraAccess("cam_east", bytes.fromhex(renewed.data["secret"]))
    assert outcome(await lane.camera.read(lane.plate)) == (200, True, "WALLET", False)


async def test_a_reading_that_is_held_back_or_of_the_future_opens_nothing(lane: Lane) -> None:
    await lane.connect()
    seq = lane.seq
    for seconds in (-31, 31, -86_400, 86_400):
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        assert (await lane.camera.send(body_of(lane.plate, 99, at))).status == 409
    assert lane.seq == seq


async def test_a_gate_that_is_not_connected_is_not_waited_for(lane: Lane) -> None:
    seq = lane.seq
    answer = await lane.camera.read(lane.plate)
    assert (answer.status, answer.said["message"]) == (409, "The gate is not connected.")
    assert (lane.seq, lane.small.world.state.parking.lanes) == (seq, {})
    unsure = await lane.camera.read(lane.plate, 10)
    assert outcome(unsure) == (200, False, None, False)


async def test_bad_input_is_the_sender_s_fault_whatever_it_is(lane: Lane) -> None:
    await lane.connect()
    random = Random(7)
    now = datetime.now(UTC).isoformat().encode()
    bodies = [
        *(b"", b"null", b"[]", b"{}", b"{", b"\xff\xfe", b'"' * 9, b"[" * 5_000, random.randbytes(500)),
        b'{"at":"yesterday","plate":"A","confidence":9}',
        b'{"at":"0001-01-01T00:00:00Z","plate":"A","confidence":9}',
        b'{"at":"9999-12-31T23:59:59.9999999Z","plate":"A","confidence":9}',
        *(
            b'{"at":"%b","plate":%b,"confidence":%b}' % (now, plate, sure)
            for plate, sure in (
                (b'""', b"99"), (b'"' + b"A" * 65 + b'"', b"99"), (b"7", b"99"), (b'"A"', b"101"), (b'"A"', b"-1"),
                (b'"A"', b"NaN"), (b'"A"', b'"99"'), (b'"A"', b"1e400"), (b'"\\ud800"', b"99"),
            )
        ),
    ]  # fmt: skip
    seq = lane.seq
    for body in bodies:
        assert (await lane.camera.send(body)).status == 400, body
    assert lane.seq == seq
    hostile = ("\x00\x00", "'; DROP TABLE access_log; --", "\u202eKERB1", "😀" * 20, "А1", "-" * 64)
    for text in (*hostile, "ſſſ"):
        answer = await lane.camera.read(text)
        assert outcome(answer)[0] == 200, text
        assert (answer.said["plate"], answer.said["open"]) == (None, False) or text not in hostile, text
    assert (await lane.operator("GET", "/admin/parking/access-logs?gate_id=gat_P1-in")).status == 200


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("b-ke 123", "BKE123"),
        ("M·ÄÖ 7.", "MÄÖ7"),
        ("ｋｅｒｂ１", "KERB1"),
        ("A\u0308 1", "Ä1"),
        ("А1", ""),
        ("ABCDEFGHIJKLM", ""),
        ("- .", ""),
        ("A\x001", ""),
    ],
)
def test_a_plate_is_taken_as_it_is_kept(written: str, kept: str) -> None:
    assert normal_plate(written) == kept


def test_the_page_s_signature_is_what_its_text_says_and_what_ours_says() -> None:
    page = PAGE.read_text()
    published = page.split("```signature\n")[1].split("\n")[0]
    body = next(line for line in page.splitlines() if line.startswith('{"at"')).encode()
    secret = bytes(range(32))
    message = b"kerb-camera-1 read" + b"cam_east" + b"\n" + body
    assert published == hmac.new(secret, message, "sha256").hexdigest()
    assert published == signature(secret, "cam_east", body)
    assert msgspec.json.decode(body)["plate"] == "B-KE 123"
