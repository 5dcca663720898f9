"""Gates for their operators: made, given a secret, opened, locked, and whether they are connected.

A secret is in the answer that makes it and nowhere else; the same idempotency key shows it again for a day.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.apply import Applied
from engine.parking.commands import SetGate
from engine.parking.gate_commands import OperateGate, RenewGateKey
from engine.parking.gate_events import GateKeyRenewed, GateOperated
from engine.parking.gate_kinds import GateOrder
from engine.parking.gate_records import GateState
from engine.parking.kinds import Direction
from engine.parking.records import Gate
from handlers.admin import REASON_MAX
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, refusal, success_as_of, success_encoded
from handlers.field_types import NOT_BLANK, Confidential, names
from handlers.order_body import said_text
from handlers.orders import HIT
from handlers.parking_words import CODE, Code, ParkingLotId, read_lot, shown_lot
from handlers.request_input import read_limit, read_page
from server.errors import Conflict, NotFound, Overloaded
from server.gate_hub import PREFIX, GateHub

NAME_MAX: Final = 200
LANES_MAX: Final = 16
HEIGHT_MAX_CM: Final = 1_000
DISTANCE_MAX_M: Final = 10_000

GateId = Annotated[str, Meta(pattern=f"^gat_{CODE}$")]
DirectionName = Annotated[str, Meta(extra_json_schema=names(Direction))]
Metres = Annotated[int, Meta(ge=0, le=DISTANCE_MAX_M)]
Reason = Annotated[
    str, Meta(min_length=1, max_length=REASON_MAX), Meta(extra_json_schema={"pattern": NOT_BLANK})
]


class GateBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/parking/gates`. `height_cm` 0 is no limit; `floor` '' is none; `x_m`, `y_m` lie on its plan."""

    gate_id: GateId
    lot_id: ParkingLotId
    name: Annotated[
        str, Meta(min_length=1, max_length=NAME_MAX), Meta(extra_json_schema={"pattern": NOT_BLANK})
    ]
    direction: Literal["ENTRY", "EXIT", "BOTH"]
    lanes: Annotated[int, Meta(ge=1, le=LANES_MAX)] = 1
    height_cm: Annotated[int, Meta(ge=0, le=HEIGHT_MAX_CM)] = 0
    floor: Annotated[str, Meta(pattern=f"^({CODE})?$")] = ""
    x_m: Metres = 0
    y_m: Metres = 0


class GateCommandBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/parking/gates/{gate_id}/commands`. `lane` 0 is every lane; `reason` is kept with who said it."""

    command: Literal["OPEN", "LOCK", "UNLOCK", "SYNC"]
    reason: Reason
    lane: Annotated[int, Meta(ge=0, le=LANES_MAX)] = 0


class GateJson(Struct, frozen=True):
    """A gate. `n` is the highest counter that its lines have had, `secrets` how many it has been given."""

    gate_id: GateId
    lot_id: ParkingLotId
    name: str
    direction: DirectionName
    lanes: int
    height_cm: int | None
    floor: Code | None
    connected: bool
    locked: bool
    n: int
    secrets: int


class GateSecretJson(Confidential, frozen=True):
    """A gate's secret, 64 hexadecimal digits: it is shown here and never again. The one before ends."""

    gate_id: GateId
    secret: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    version: int


class GateCommandJson(Struct, frozen=True):
    """What a gate was told. `n` is the server's counter for this gate; `connected`: it was there to hear it."""

    gate_id: GateId
    n: int
    command: Literal["OPEN", "LOCK", "UNLOCK", "SYNC"]
    lane: int
    locked: bool
    connected: bool


_gate: Final = msgspec.json.Decoder(GateBody)
_command: Final = msgspec.json.Decoder(GateCommandBody)
_NO_STATE: Final = GateState("")


async def gates(call: Call) -> Answer:
    """`GET /admin/parking/gates?lot_id=&page=&limit=`, by their ids."""
    runtime = call.services.runtime
    page, limit = read_page(call.query), read_limit(call.query)
    parking, seq = runtime.state.parking, runtime.state.seq
    lot = read_lot(call.query["lot_id"]) if "lot_id" in call.query else ""
    found = [parking.gates[code] for code in sorted(parking.gates)]
    found = [gate for gate in found if not lot or gate.lot == lot]
    data = encoded([_gate_json(call, gate) for gate in found[(page - 1) * limit : page * limit]])
    await runtime.wait_durable(seq)
    return success_encoded(data, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(found)))


async def put(call: Call) -> Answer:
    """`POST /admin/parking/gates`: 201, for a gate that is changed too. Its secret is another call."""
    body = call.decode(_gate)
    code, parking = body.gate_id.removeprefix(PREFIX), call.services.runtime.state.parking
    command = SetGate(
        code,
        read_lot(body.lot_id),
        said_text(body.name, "name"),
        Direction[body.direction],
        body.lanes,
        body.height_cm,
        body.floor,
        body.x_m,
        body.y_m,
    )
    applied = await call.execute(command)
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    return _done(_gate_json(call, parking.gates[code]), applied, status=201)


async def renew_secret(call: Call) -> Answer:
    """`POST /admin/parking/gates/{gate_id}/secret`: 201, and the only time that the secret is seen."""
    hub = _hub(call)
    code = _code(call)
    applied = await call.execute(RenewGateKey(code))
    for event in applied.answer:
        if isinstance(event, GateKeyRenewed):
            secret = hub.secrets.secret(code, event.version).hex()
            return _done(GateSecretJson(PREFIX + code, secret, event.version), applied, status=201)
    return _refused(call, applied)


async def operate(call: Call) -> Answer:
    """`POST /admin/parking/gates/{gate_id}/commands`: 201. An OPEN needs the gate to be connected; it is never sent later."""
    body = call.decode(_command)
    code = _code(call)
    reason = said_text(body.reason, "reason")
    if code not in call.services.runtime.state.parking.gates:
        raise NotFound("There is no such gate.")
    connected = _hub(call).can_open(code)
    if body.command == "OPEN" and not connected:
        raise Conflict("The gate is not connected.")
    applied = await call.execute(OperateGate(code, GateOrder[body.command], body.lane, reason))
    for event in applied.answer:
        if isinstance(event, GateOperated):
            done = GateCommandJson(PREFIX + code, event.n, body.command, event.lane, event.locked, connected)
            return _done(done, applied, status=201)
    return _refused(call, applied)


def _hub(call: Call) -> GateHub:
    hub = call.services.gates
    if hub is None:
        raise Overloaded(message="The port of the gates is not open yet.")
    return hub


def _code(call: Call) -> str:
    """The gate of the path. What is no such id does not exist: NotFound."""
    text = call.path("gate_id")
    if not text.startswith(PREFIX):
        raise NotFound("There is no such gate.")
    return text.removeprefix(PREFIX)


def _done(data: Struct, applied: Applied, *, status: int) -> Answer:
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(data), applied.seq, status=status, headers=headers)


def _refused(call: Call, applied: Applied) -> Answer:
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, in_path=True, duplicate=applied.duplicate)


def _gate_json(call: Call, gate: Gate) -> GateJson:
    services = call.services
    state = services.runtime.state.parking.gate_states.get(gate.gate_id, _NO_STATE)
    return GateJson(
        gate_id=PREFIX + gate.gate_id,
        lot_id=shown_lot(gate.lot),
        name=gate.name,
        direction=gate.direction.name,
        lanes=gate.lanes,
        height_cm=gate.height_cm or None,
        floor=gate.floor or None,
        connected=services.gates is not None and services.gates.can_open(gate.gate_id),
        locked=state.locked,
        n=state.n,
        secrets=state.key_version,
    )
