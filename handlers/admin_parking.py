"""The estate in an operator's hands: lots, floors and spaces one by one, or all of a lot from a CSV file in one piece."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.apply import Applied
from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.commands import SetFloor, SetLot, SetSpace
from engine.parking.kinds import EstateProblem, Feature, LotStatus, SpaceState, SpaceType
from engine.parking.records import Space
from engine.parking.tariff_commands import SetZone
from engine.parking.tariff_setting import tariff_now
from engine.refusals import Refusal
from handlers.admin_risk import as_operator
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, refusal, success_as_of, success_encoded
from handlers.field_types import NOT_BLANK, PRINTABLE, Currency
from handlers.order_body import plain_text, said_text
from handlers.orders import HIT
from handlers.parking_words import (
    SPACE_TYPES,
    Code,
    FeatureName,
    ParkingLotId,
    SpaceStateName,
    SpaceTypeName,
    members_of,
    read_lot,
    shown_lot,
)
from handlers.request_input import read_choice, read_limit, read_page
from server.errors import NotFound, RefusedAtBorder
from server.estate_csv import Found, problems_of_refusal, read_estate
from server.zone_rules import zone_now

PROBLEMS_MAX: Final = 1_000
CSV_MAX: Final = 1_000_000

Text = Annotated[str, Meta(min_length=1, max_length=200), Meta(extra_json_schema={"pattern": NOT_BLANK})]
TextOrNone = Annotated[str, Meta(max_length=200), Meta(extra_json_schema={"pattern": PRINTABLE})]
Height = Annotated[int, Meta(ge=0, le=1_000)]
Metres = Annotated[int, Meta(ge=0, le=10_000)]
SpaceTypeIn = Literal["STANDARD", "COMPACT", "LARGE", "ACCESSIBLE", "EV", "MOTORCYCLE", "VIP"]
FeatureIn = Literal["COVERED", "NEAR_LIFT", "CHARGER"]


class LotBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/parking/lots/{lot_id}`. Without a `tariff` it sells nothing. The currency of a lot stays what it was."""

    name: Text
    time_zone: Annotated[
        str, Meta(min_length=1, max_length=64), Meta(extra_json_schema={"pattern": PRINTABLE})
    ]
    currency: Currency
    address: TextOrNone = ""
    tariff: Code | None = None
    status: Literal["OPEN", "CLOSED"] = "OPEN"


class FloorBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT …/floors/{floor}`. `level` counts from the street; `height_cm` 0 is no limit."""

    name: Text
    level: Annotated[int, Meta(ge=-200, le=200)]
    height_cm: Height = 0


class SpaceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT …/spaces/{number}`. `charger_kw` goes with the feature CHARGER, and only with it."""

    floor: Code
    type: SpaceTypeIn
    features: Annotated[
        tuple[FeatureIn, ...], Meta(max_length=3, extra_json_schema={"uniqueItems": True})
    ] = ()
    charger_kw: Annotated[int, Meta(ge=0, le=1_000)] = 0
    height_cm: Height = 0
    lift_m: Metres = 0
    x_m: Metres = 0
    y_m: Metres = 0
    state: Literal["ACTIVE", "MAINTENANCE", "RETIRED"] = "ACTIVE"


class ImportBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST …/import`: the text of a CSV file. Its columns: kind (FLOOR, SPACE or GATE), floor, number, gate, name, level, type,
    features (with + between them), charger_kw, height_cm, lift_m, x_m, y_m, state, direction, lanes.
    """

    csv: Annotated[str, Meta(min_length=1, max_length=CSV_MAX)]


class EstateJson(Struct, frozen=True):
    """What was set: its kind and its id."""

    lot_id: ParkingLotId
    kind: Literal["LOT", "FLOOR", "SPACE"]
    id: str


class ImportedJson(Struct, frozen=True):
    """How many rows of each kind were set."""

    lot_id: ParkingLotId
    floors: int
    spaces: int
    gates: int


class SpaceJson(Struct, frozen=True):
    """A space as operators see it."""

    number: Code
    floor: Code
    type: SpaceTypeName
    features: tuple[FeatureName, ...]
    charger_kw: int
    height_cm: int
    lift_m: int
    x_m: int
    y_m: int
    state: SpaceStateName


_lot: Final = msgspec.json.Decoder(LotBody)
_floor: Final = msgspec.json.Decoder(FloorBody)
_space: Final = msgspec.json.Decoder(SpaceBody)
_import: Final = msgspec.json.Decoder(ImportBody)


async def set_lot(call: Call) -> Answer:
    """`PUT /admin/parking/lots/{lot_id}`: make or change it. Its time zone is told to the engine first."""
    body, code = call.decode(_lot), read_lot(call.path("lot_id"))
    runtime = call.services.runtime
    zone = zone_now(plain_text(body.time_zone, "time_zone"), runtime.now_us())
    if zone is None:
        problem = "is not a time zone such as America/New_York"
        raise RefusedAtBorder(Refusal.INVALID_ZONE, "time_zone", problem)
    known = runtime.state.parking.lots.get(code)
    if body.tariff and (known is None or known.tariff != body.tariff):
        tariff = tariff_now(runtime.state.parking, body.tariff)
        if tariff is None or tariff.currency != body.currency:
            raise RefusedAtBorder(
                Refusal.TARIFF_NOT_FOUND, "tariff", "is no tariff in the car park's currency"
            )
    command = SetLot(
        *(code, said_text(body.name, "name"), plain_text(body.address, "address"), zone.name, body.currency),
        *(body.tariff or "", LotStatus[body.status]),
        *(() if known is None else (known.rules,)),
    )
    if runtime.state.parking.zones.get(zone.name) != zone:
        runtime.submit(SetZone(zone), Envelope(Source.CONFIG, request_id=call.request_id))
    return await _set(call, command, EstateJson(shown_lot(code), "LOT", shown_lot(code)))


async def set_floor(call: Call) -> Answer:
    """`PUT /admin/parking/lots/{lot_id}/floors/{floor}`."""
    body, code, floor = call.decode(_floor), read_lot(call.path("lot_id")), call.path("floor")
    command = SetFloor(code, _code(floor), said_text(body.name, "name"), body.level, body.height_cm)
    return await _set(call, command, EstateJson(shown_lot(code), "FLOOR", floor))


async def set_space(call: Call) -> Answer:
    """`PUT /admin/parking/lots/{lot_id}/spaces/{number}`."""
    body, code, number = call.decode(_space), read_lot(call.path("lot_id")), call.path("number")
    command = SetSpace(
        *(code, _code(number), body.floor, SpaceType[body.type]),
        sum({Feature[each] for each in body.features}),
        *(body.charger_kw, body.height_cm, body.lift_m, body.x_m, body.y_m),
        SpaceState[body.state],
    )
    return await _set(call, command, EstateJson(shown_lot(code), "SPACE", number))


async def import_estate(call: Call) -> Answer:
    """`POST /admin/parking/lots/{lot_id}/import`: all of a file, or nothing and every problem by row and column."""
    body, code = call.decode(_import), read_lot(call.path("lot_id"))
    parking = call.services.runtime.state.parking
    if code not in parking.lots:
        raise NotFound("There is no such car park.")
    read = read_estate(body.csv, code, parking)
    if read.problems:
        raise _problems(read.problems)
    command = read.command
    applied = await as_operator(call, command)
    refused = applied.refused
    if refused is not None and refused.refusal is Refusal.INVALID_ESTATE:
        raise _problems(problems_of_refusal(read, refused.detail))
    counts = (len(command.floors), len(command.spaces), len(command.gates))
    return _answer(call, applied, ImportedJson(shown_lot(code), *counts))


async def spaces(call: Call) -> Answer:
    """`GET /admin/parking/lots/{lot_id}/spaces?type=&state=&page=&limit=`, in the order of their making."""
    runtime = call.services.runtime
    wanted = read_choice(call.query, "type", SPACE_TYPES, None)
    state = read_choice(call.query, "state", {each.name: each for each in SpaceState}, None)
    page, limit = read_page(call.query), read_limit(call.query)
    parking, seq, code = runtime.state.parking, runtime.state.seq, read_lot(call.path("lot_id"))
    if code not in parking.lots:
        raise NotFound("There is no such car park.")
    found = [
        each
        for each in [parking.spaces[code, number] for number in parking.numbers[code]]
        if (wanted is None or each.space_type is wanted) and (state is None or each.state is state)
    ]
    data = encoded([_space_json(each) for each in found[(page - 1) * limit : page * limit]])
    await runtime.wait_durable(seq)
    return success_encoded(data, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(found)))


async def _set(call: Call, command: AnyCommand, done: Struct) -> Answer:
    return _answer(call, await as_operator(call, command), done)


def _answer(call: Call, applied: Applied, done: Struct) -> Answer:
    refused = applied.refused
    if refused is None:
        return success_as_of(encoded(done), applied.seq, headers=HIT if applied.duplicate else None)
    if refused.refusal is Refusal.INVALID_ESTATE:
        detail: dict[str, Any] = dict(refused.detail)
        problem = RefusedAtBorder(Refusal.INVALID_ESTATE, "", "the car park cannot be like this")
        problem.details = {"problem": EstateProblem(detail["problem"]).name}
        raise problem
    return refusal(refused, call.request_id, in_path=True, duplicate=applied.duplicate)


def _problems(found: tuple[Found, ...]) -> RefusedAtBorder:
    """Every problem of a file by row and column, the first thousand of them in the answer."""
    refused = RefusedAtBorder(
        Refusal.INVALID_ESTATE, "csv", f"has {len(found)} problems, and nothing of it was done"
    )
    shown = [
        {"row": each.row, "column": each.column, "problem": each.problem.name, "message": each.problem.value}
        for each in found[:PROBLEMS_MAX]
    ]
    refused.details = {"field": "csv", "count": len(found), "problems": shown}
    return refused


def _code(text: str) -> str:
    """A code out of a path; the engine says whether it may be one, but it is never longer or stranger than a code."""
    if not text.isascii() or not text.isprintable() or len(text) > 64:
        raise NotFound
    return text


def _space_json(space: Space) -> SpaceJson:
    return SpaceJson(
        number=space.number,
        floor=space.floor,
        type=space.space_type.name,
        features=members_of(space.features, Feature),
        charger_kw=space.charger_kw,
        height_cm=space.height_cm,
        lift_m=space.lift_m,
        x_m=space.x_m,
        y_m=space.y_m,
        state=space.state.name,
    )
