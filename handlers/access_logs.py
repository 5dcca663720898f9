"""What happened at gates: to a driver's own vehicles, and everything for operators."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from engine.parking.codes import is_code
from handlers.admin_gates import GateId
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import Time, UserId
from handlers.order_json import time_text
from handlers.parking_words import VehicleId, read_lot
from handlers.request_input import read_choice, read_cursor, read_limit, read_text
from server.access_logs import KINDS, AccessEntry, entries
from server.errors import BadRequest
from server.gate_hub import PREFIX
from server.history import Page

GATE_MAX: Final = 40
_KINDS: Final = {kind: kind for kind in KINDS}

EntryId = Annotated[str, Meta(pattern="^acl_[1-9][0-9]{0,18}$")]
EntryKindName = Annotated[str, Meta(extra_json_schema={"enum": list(KINDS)})]


class AccessEntryJson(Struct, frozen=True):
    """What happened at a gate. `reason` says why a scan was decided so, which way somebody passed, what was found or ordered.

    `said_at` is the gate's own time. `credential` TAG, PLATE or CODE; of a code `what` is the end.
    """

    entry_id: EntryId
    at: Time
    said_at: Time
    kind: EntryKindName
    reason: str | None
    gate_id: GateId
    lane: int
    vehicle_id: VehicleId | None
    operator_id: UserId | None
    credential: str | None
    what: str | None
    space: str | None


async def own(call: Call) -> Answer:
    """`GET /parking/access-logs?cursor=&limit=`, newest first: of the vehicles that are the caller's now."""
    services = call.services
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    seq = services.runtime.state.seq
    owned = services.runtime.state.parking.vehicles_of_account.get(call.principal.account_id, {})
    await services.runtime.wait_durable(seq)
    page = await entries(
        services.database, services.write_behind, vehicles=list(owned), cursor=cursor, limit=limit
    )
    return _answer(page, seq, limit)


async def everything(call: Call) -> Answer:
    """`GET /admin/parking/access-logs?lot_id=&gate_id=&kind=&cursor=&limit=`, newest first."""
    services = call.services
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    kind = read_choice(call.query, "kind", _KINDS, "")
    gate_id = read_text(call.query, "gate_id", most=GATE_MAX)
    if gate_id is not None and not (gate_id.startswith(PREFIX) and is_code(gate_id.removeprefix(PREFIX))):
        raise BadRequest("gate_id", "must be a gate's id, gat_ and its code")
    gate = (gate_id or "").removeprefix(PREFIX)
    gates = None
    if "lot_id" in call.query:
        lot = read_lot(call.query["lot_id"])
        gates = [each.gate_id for each in services.runtime.state.parking.gates.values() if each.lot == lot]
    seq = services.runtime.state.seq
    await services.runtime.wait_durable(seq)
    page = await entries(
        *(services.database, services.write_behind),
        gate=gate,
        gates=gates,
        kind=kind,
        cursor=cursor,
        limit=limit,
    )
    return _answer(page, seq, limit)


def _answer(page: Page[AccessEntry], seq: int, limit: int) -> Answer:
    data = [
        AccessEntryJson(
            entry_id=f"acl_{each.entry_id}",
            at=time_text(each.logged_us),
            said_at=time_text(each.said_us),
            kind=each.kind,
            reason=each.reason or None,
            gate_id=PREFIX + each.gate,
            lane=each.lane,
            vehicle_id=f"veh_{each.vehicle_id}" if each.vehicle_id else None,
            operator_id=f"usr_{each.operator_id}" if each.operator_id else None,
            credential=each.credential or None,
            what=each.what or None,
            space=each.space or None,
        )
        for each in page.items
    ]
    return success(data, meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=page.next_cursor))
