"""Cameras that read plates: the webhook that they call, and what operators do with them.

A camera proves each message with a secret of its own, which is good for its lane and for nothing else (docs/gates.md, "Cameras").
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.apply import Applied
from engine.parking.camera_commands import RenewCameraKey, RevokeCamera, SetCamera
from engine.parking.camera_events import CameraSet
from engine.parking.camera_records import Camera
from engine.parking.cameras import NAME_MAX, PREFIX
from engine.parking.kinds import DecisionReason
from engine.units import TIME_MAX_US
from handlers.admin_gates import LANES_MAX, GateId
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, refusal, success_as_of, success_encoded
from handlers.field_types import PRINTABLE, Confidential, Time, TimeIn, names
from handlers.order_body import plain_text
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.parking_words import CODE, Code, ParkingLotId, Plate, read_lot, shown_lot
from handlers.request_input import moment_us, read_limit, read_page
from server.errors import BadRequest, NotFound, Overloaded
from server.gate_hub import PREFIX as GATE_PREFIX
from server.gate_hub import GateHub
from server.gate_texts import TEXTS
from server.plate_desk import Reading
from server.plates import normal_plate

SIGNATURE: Final = "X-Kerb-Signature"
PLATE_TEXT_MAX: Final = 64
UNSURE: Final = "Please wait for an operator"
_PERCENT_BPS: Final = 100

CameraId = Annotated[str, Meta(pattern=f"^cam_{CODE}$")]
ReasonName = Annotated[str, Meta(extra_json_schema=names(DecisionReason))]
Percent = Annotated[int, Meta(ge=1, le=100)]


class PlateReadBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /parking/cameras/{camera_id}/reads`. `confidence` is in per cent; `plate` as the camera has it, with whatever stands between."""

    at: TimeIn
    plate: Annotated[str, Meta(min_length=1, max_length=PLATE_TEXT_MAX)]
    confidence: Annotated[float, Meta(ge=0, le=100)]


class PlateReadJson(Struct, frozen=True):
    """What came of a reading. `reason` null: it was not sure enough, and an operator was told. `plate` null: it can be none.

    `repeated`: answered as an earlier reading, nothing more was done.
    """

    camera_id: CameraId
    gate_id: GateId
    lane: int
    plate: Plate | None
    open: bool
    reason: ReasonName | None
    space: Code | None
    message: str
    repeated: bool


class CameraBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/parking/cameras`. Less sure than `confidence_min` per cent a reading opens nothing, and is told to operators."""

    camera_id: CameraId
    gate_id: GateId
    name: Annotated[
        str, Meta(min_length=1, max_length=NAME_MAX), Meta(extra_json_schema={"pattern": PRINTABLE})
    ]
    lane: Annotated[int, Meta(ge=1, le=LANES_MAX)] = 1
    confidence_min: Percent = 80


class CameraJson(Struct, frozen=True):
    """A camera. `active`: it has a secret that is good; `secrets` is how many it has been given. `read_at`: its newest reading."""

    camera_id: CameraId
    gate_id: GateId
    lot_id: ParkingLotId
    lane: int
    name: str
    confidence_min: int
    active: bool
    secrets: int
    read_at: Time | None


class CameraSecretJson(Confidential, frozen=True):
    """A camera's secret, 64 hexadecimal digits: it is shown here and never again. The one before ends."""

    camera_id: CameraId
    secret: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    version: int


_read: Final = msgspec.json.Decoder(PlateReadBody)
_camera: Final = msgspec.json.Decoder(CameraBody)


async def read(call: Call) -> Answer:
    """`POST /parking/cameras/{camera_id}/reads`: 200 once what it did is durable. 401 without the camera's signature."""
    plates = _hub(call).plates
    camera = plates.prove(call.path("camera_id"), call.headers.get(SIGNATURE, ""), call.body)
    body = call.decode(_read)
    at_us = moment_us(body.at, "at")
    if not 0 < at_us < TIME_MAX_US:
        raise BadRequest("at", "is too early or too late")
    confidence_bps = int(body.confidence * _PERCENT_BPS)
    digest = sha256(call.body).digest()[:16]
    answered = plates.take(camera, Reading(at_us, normal_plate(body.plate), confidence_bps, digest))
    await call.services.runtime.wait_durable(answered.seq)
    reason = answered.reason
    shown = PlateReadJson(
        camera_id=PREFIX + camera.camera_id,
        gate_id=GATE_PREFIX + camera.gate_id,
        lane=camera.lane,
        plate=normal_plate(body.plate) or None,
        open=answered.opens,
        reason=reason.name if reason is not None else None,
        space=answered.space or None,
        message=TEXTS[reason] if reason is not None else UNSURE,
        repeated=answered.repeated,
    )
    return success_as_of(encoded(shown), answered.seq)


async def cameras(call: Call) -> Answer:
    """`GET /admin/parking/cameras?lot_id=&page=&limit=`, by their ids."""
    runtime = call.services.runtime
    page, limit = read_page(call.query), read_limit(call.query)
    parking, seq = runtime.state.parking, runtime.state.seq
    lot = read_lot(call.query["lot_id"]) if "lot_id" in call.query else ""
    found = [parking.cameras[code] for code in sorted(parking.cameras)]
    found = [camera for camera in found if not lot or parking.gates[camera.gate_id].lot == lot]
    data = encoded([_json(call, camera) for camera in found[(page - 1) * limit : page * limit]])
    await runtime.wait_durable(seq)
    return success_encoded(data, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(found)))


async def put(call: Call) -> Answer:
    """`POST /admin/parking/cameras`: 201 for a new one, 200 for one that is changed. Its secret is another call."""
    body = call.decode(_camera)
    code, known = body.camera_id.removeprefix(PREFIX), call.services.runtime.state.parking.cameras
    is_new = code not in known
    name, gate = plain_text(body.name, "name"), body.gate_id.removeprefix(GATE_PREFIX)
    applied = await call.execute(SetCamera(code, gate, body.lane, name, body.confidence_min * _PERCENT_BPS))
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    return _done(_json(call, known[code]), applied, status=201 if is_new or applied.duplicate else 200)


async def renew_secret(call: Call) -> Answer:
    """`POST /admin/parking/cameras/{camera_id}/secret`: 201, and the only time that the secret is seen."""
    hub, code = _hub(call), _code(call)
    applied = await call.execute(RenewCameraKey(code))
    for event in applied.answer:
        if isinstance(event, CameraSet):
            version = event.camera.key_version
            secret = hub.secrets.camera_secret(code, version).hex()
            return _done(CameraSecretJson(PREFIX + code, secret, version), applied, status=201)
    return _refused(call, applied)


async def revoke(call: Call) -> Answer:
    """`DELETE /admin/parking/cameras/{camera_id}`: its secret ends at once. A new secret makes it good again."""
    code = _code(call)
    applied = await call.execute(RevokeCamera(code))
    if applied.refused is not None:
        return _refused(call, applied)
    return _done(_json(call, call.services.runtime.state.parking.cameras[code]), applied, status=200)


def _hub(call: Call) -> GateHub:
    hub = call.services.gates
    if hub is None:
        raise Overloaded(message="The port of the gates is not open yet.")
    return hub


def _code(call: Call) -> str:
    """The camera of the path. What is no such id does not exist: NotFound."""
    text = call.path("camera_id")
    if not text.startswith(PREFIX):
        raise NotFound("There is no such camera.")
    return text.removeprefix(PREFIX)


def _done(data: Struct, applied: Applied, *, status: int) -> Answer:
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(data), applied.seq, status=status, headers=headers)


def _refused(call: Call, applied: Applied) -> Answer:
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, in_path=True, duplicate=applied.duplicate)


def _json(call: Call, camera: Camera) -> CameraJson:
    return CameraJson(
        camera_id=PREFIX + camera.camera_id,
        gate_id=GATE_PREFIX + camera.gate_id,
        lot_id=shown_lot(call.services.runtime.state.parking.gates[camera.gate_id].lot),
        lane=camera.lane,
        name=camera.name,
        confidence_min=camera.confidence_min_bps // _PERCENT_BPS,
        active=camera.is_live,
        secrets=camera.key_version,
        read_at=time_text(camera.heard_us) if camera.heard_us else None,
    )
