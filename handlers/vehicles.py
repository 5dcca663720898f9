"""The caller's vehicles and their tags."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.apply import Applied
from engine.events import Refused
from engine.parking.commands import AttachTag, RegisterVehicle, RemoveVehicle, RevokeTag
from engine.parking.events import TagSet, VehicleRemoved, VehicleSet
from engine.parking.kinds import VehicleKind, VehicleRight
from engine.parking.records import Parking, Tag, Vehicle
from engine.parking.vehicles import is_epc
from engine.refusals import Refusal
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import PRINTABLE, Time
from handlers.order_body import plain_text
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.parking_words import (
    Epc,
    Plate,
    TagStatusName,
    VehicleId,
    VehicleKindName,
    VehicleRightName,
    members_of,
    read_vehicle,
)

MODEL_MAX: Final = 64
HEIGHT_MAX_CM: Final = 1_000

VehicleKindIn = Literal["MOTORCYCLE", "COMPACT", "STANDARD", "LARGE"]
Model = Annotated[str, Meta(max_length=MODEL_MAX), Meta(extra_json_schema={"pattern": PRINTABLE})]


class VehicleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /parking/vehicles`. `height_cm` 0 is not known."""

    plate: Plate
    kind: VehicleKindIn = "STANDARD"
    height_cm: Annotated[int, Meta(ge=0, le=HEIGHT_MAX_CM)] = 0
    electric: bool = False
    make: Model = ""
    model: Model = ""


class TagBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /parking/vehicles/{vehicle_id}/tags`."""

    tag: Epc


class TagJson(Struct, frozen=True):
    """A tag. One that is REVOKED opens nothing and has no vehicle."""

    tag: Epc
    status: TagStatusName
    vehicle_id: VehicleId | None
    since: Time


class VehicleJson(Struct, frozen=True):
    """A vehicle, what it has the right to, and the tags that open gates for it. `height_cm` is null when it is not known."""

    vehicle_id: VehicleId
    plate: Plate
    kind: VehicleKindName
    height_cm: int | None
    rights: tuple[VehicleRightName, ...]
    make: str
    model: str
    tags: tuple[Epc, ...]
    registered_at: Time


class RemovedVehicleJson(Struct, frozen=True):
    """A vehicle that is the account's no more; its tags are revoked."""

    vehicle_id: VehicleId
    plate: Plate
    status: Literal["REMOVED"]


_vehicle: Final = msgspec.json.Decoder(VehicleBody)
_tag: Final = msgspec.json.Decoder(TagBody)


async def vehicles(call: Call) -> Answer:
    """`GET /parking/vehicles`: all of the caller's, the oldest first."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    owned = parking.vehicles_of_account.get(call.principal.account_id, {})
    data = encoded([_vehicle_json(parking, parking.vehicles[each]) for each in owned])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def vehicle(call: Call) -> Answer:
    """`GET /parking/vehicles/{vehicle_id}`."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    found = parking.vehicles.get(read_vehicle(call.path("vehicle_id")))
    if found is None or found.account_id != call.principal.account_id:
        return refusal(Refused(Refusal.VEHICLE_NOT_FOUND), call.request_id, in_path=True)
    data = encoded(_vehicle_json(parking, found))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def register(call: Call) -> Answer:
    """`POST /parking/vehicles`: 201. A plate is one account's."""
    body = call.decode(_vehicle)
    command = RegisterVehicle(
        *(body.plate, VehicleKind[body.kind], body.height_cm, body.electric),
        *(plain_text(body.make, "make"), plain_text(body.model, "model")),
    )
    applied = await call.execute(command)
    for event in applied.answer:
        if isinstance(event, VehicleSet):
            data = _vehicle_json(call.services.runtime.state.parking, event.vehicle)
            return _done(data, applied, status=201)
    return _refused(call, applied)


async def remove(call: Call) -> Answer:
    """`DELETE /parking/vehicles/{vehicle_id}`."""
    applied = await call.execute(RemoveVehicle(read_vehicle(call.path("vehicle_id"))))
    for event in applied.answer:
        if isinstance(event, VehicleRemoved):
            return _done(RemovedVehicleJson(f"veh_{event.vehicle_id}", event.plate, "REMOVED"), applied)
    return _refused(call, applied, in_path=True)


async def attach(call: Call) -> Answer:
    """`POST /parking/vehicles/{vehicle_id}/tags`: 201."""
    body = call.decode(_tag)
    return _tag_answer(
        call, await call.execute(AttachTag(body.tag, read_vehicle(call.path("vehicle_id")))), status=201
    )


async def revoke(call: Call) -> Answer:
    """`DELETE /parking/tags/{tag}`: lost, or not to be used any more. It opens nothing from now on."""
    tag = call.path("tag")
    if not is_epc(tag):  # nor can it be anybody's
        return refusal(Refused(Refusal.TAG_NOT_FOUND), call.request_id, in_path=True)
    applied = await call.execute(RevokeTag(tag, "by its owner"))
    if applied.answer or applied.refused is not None:
        return _tag_answer(call, applied)
    # It was revoked before: nothing has changed, and so it stands.
    return _done(_tag_json(call.services.runtime.state.parking.tags[tag]), applied)


def _tag_answer(call: Call, applied: Applied, *, status: int = 200) -> Answer:
    for event in applied.answer:
        if isinstance(event, TagSet):
            return _done(_tag_json(event.tag), applied, status=status)
    return _refused(call, applied, in_path=True)


def _done(data: Struct, applied: Applied, *, status: int = 200) -> Answer:
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(data), applied.seq, status=status, headers=headers)


def _refused(call: Call, applied: Applied, *, in_path: bool = False) -> Answer:
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, in_path=in_path, duplicate=applied.duplicate)


def _vehicle_json(parking: Parking, found: Vehicle) -> VehicleJson:
    return VehicleJson(
        vehicle_id=f"veh_{found.vehicle_id}",
        plate=found.plate,
        kind=found.kind.name,
        height_cm=found.height_cm or None,
        rights=members_of(found.rights, VehicleRight),
        make=found.make,
        model=found.model,
        tags=tuple(parking.tags_of_vehicle.get(found.vehicle_id, ())),
        registered_at=time_text(found.registered_us),
    )


def _tag_json(tag: Tag) -> TagJson:
    vehicle_id = f"veh_{tag.vehicle_id}" if tag.vehicle_id else None
    return TagJson(tag.epc, tag.status.name, vehicle_id, time_text(tag.since_us))
