"""The documentation of operators' calls about gates, and their rows of the route table."""

from __future__ import annotations

from typing import Any, Final

from engine.refusals import Refusal
from handlers import access_logs, admin_gates
from handlers.access_logs import AccessEntryJson, EntryKindName
from handlers.admin_audit import Audited
from handlers.admin_gates import (
    GateBody,
    GateCommandBody,
    GateCommandJson,
    GateId,
    GateJson,
    GateSecretJson,
)
from handlers.openapi_doc import LIMIT, ORDER_CURSOR, PAGE, AsOfMeta, Doc, Example, PageMeta, Query, Tag
from handlers.parking_words import ParkingLotId
from handlers.routing import BASE, HOLDER, PARKING_DESK, Route
from server.errors import Conflict, NotFound
from server.rate_limits import LimitClass

_GATES: Final = f"{BASE}/admin/parking/gates"
_PATH: Final = {"gate_id": GateId}
_NORTH: Final = {"gate_id": "gat_north", "lot_id": "lot_P1", "name": "North entry", "direction": "ENTRY"}


def _missing(code: str, body: Any = None) -> Example:
    return Example(
        name="missing",
        summary="A gate that does not exist",
        path={"gate_id": "gat_nowhere"},
        body=body,
        status=404,
        code=code,
    )


GATE_ROUTES: Final = (
    Route("GET", f"{BASE}/parking/access-logs", access_logs.own, HOLDER, LimitClass.CALLS),
    Route("GET", f"{BASE}/admin/parking/access-logs", access_logs.everything, PARKING_DESK, LimitClass.CALLS),
    Route("GET", _GATES, admin_gates.gates, PARKING_DESK, LimitClass.CALLS),
    Route("POST", _GATES, Audited(admin_gates.put), PARKING_DESK, LimitClass.CALLS),
    Route(
        *("POST", f"{_GATES}/{{gate_id}}/secret", Audited(admin_gates.renew_secret)),
        *(PARKING_DESK, LimitClass.CALLS),
    ),
    Route(
        *("POST", f"{_GATES}/{{gate_id}}/commands", Audited(admin_gates.operate)),
        *(PARKING_DESK, LimitClass.CALLS),
    ),
)

GATE_DOCS: Final[dict[str, Any]] = {
    f"GET {BASE}/parking/access-logs": Doc(
        operation="list_own_access_logs",
        summary="What happened at gates to your vehicles",
        tag=Tag.PARKING,
        about="Decisions and passages of the vehicles that are yours now, newest first.",
        answer=list[AccessEntryJson],
        meta=PageMeta,
        query=(ORDER_CURSOR, LIMIT),
        database=True,
        examples=(Example(name="all", summary="The newest fifty"),),
    ),
    f"GET {BASE}/admin/parking/access-logs": Doc(
        operation="list_access_logs",
        summary="What happened at gates",
        tag=Tag.ADMIN,
        about="Decisions, passages, findings, orders, new secrets and connections, newest first. Rows are only ever added.",
        answer=list[AccessEntryJson],
        meta=PageMeta,
        query=(
            Query("lot_id", ParkingLotId, "Those of this car park alone."),
            Query("gate_id", GateId, "Those of this gate alone."),
            Query("kind", EntryKindName, "Those of this kind alone."),
            ORDER_CURSOR,
            LIMIT,
        ),
        errors=(NotFound,),
        database=True,
        examples=(
            Example(name="findings", summary="What was found", query={"kind": "FINDING"}),
            Example(
                name="unknown", summary="No such kind", query={"kind": "X"}, status=400, code="BAD_REQUEST"
            ),
        ),
    ),
    f"GET {_GATES}": Doc(
        operation="list_gates",
        summary="Gates",
        tag=Tag.ADMIN,
        about="By their ids, with whether each is connected.",
        answer=list[GateJson],
        meta=PageMeta,
        query=(Query("lot_id", ParkingLotId, "Those of this car park alone."), PAGE, LIMIT),
        errors=(NotFound,),
        examples=(Example(name="all", summary="The first fifty", given="a car park"),),
    ),
    f"POST {_GATES}": Doc(
        operation="set_gate",
        summary="Make or change a gate",
        tag=Tag.ADMIN,
        about="201 for one that was there too, which is as asked for now; a gate stays with its car park. It needs a secret to connect.",
        body=GateBody,
        answer=GateJson,
        meta=AsOfMeta,
        status=201,
        command=True,
        refusals=(Refusal.PARKING_LOT_NOT_FOUND, Refusal.INVALID_ESTATE),
        errors=(NotFound,),
        examples=(
            Example(name="entry", summary="An entry", given="a car park", body=_NORTH),
            Example(
                name="elsewhere",
                summary="A car park that does not exist",
                body=_NORTH | {"lot_id": "lot_NONE"},
                status=422,
                code="PARKING_LOT_NOT_FOUND",
            ),
        ),
    ),
    f"POST {_GATES}/{{gate_id}}/secret": Doc(
        operation="renew_gate_secret",
        summary="Give a gate a new secret",
        tag=Tag.ADMIN,
        about="Shown in this answer and never again. The one before ends at once, and with it the gate's connection.",
        answer=GateSecretJson,
        meta=AsOfMeta,
        status=201,
        path=_PATH,
        command=True,
        in_path=True,
        refusals=(Refusal.GATE_NOT_FOUND,),
        errors=(NotFound,),
        examples=(
            Example(
                name="first", summary="A gate's first one", given="a gate", path={"gate_id": "gat_P1-in"}
            ),
            _missing("GATE_NOT_FOUND"),
        ),
    ),
    f"POST {_GATES}/{{gate_id}}/commands": Doc(
        operation="operate_gate",
        summary="Open, lock or unlock a gate",
        tag=Tag.ADMIN,
        about="OPEN opens once, now: the gate has to be connected. A locked gate opens for nobody until UNLOCK; one that is not "
        "connected learns it when it is. SYNC has it send what it did while it was cut off. Who and why is kept.",
        body=GateCommandBody,
        answer=GateCommandJson,
        meta=AsOfMeta,
        status=201,
        path=_PATH,
        command=True,
        in_path=True,
        refusals=(Refusal.GATE_NOT_FOUND, Refusal.INVALID_GATE_ORDER),
        errors=(NotFound, Conflict),
        examples=(
            Example(
                name="lock",
                summary="Keep it shut",
                given="a gate",
                path={"gate_id": "gat_P1-in"},
                body={"command": "LOCK", "reason": "works in the lane"},
            ),
            Example(
                name="open",
                summary="A gate that is not connected",
                given="a gate",
                path={"gate_id": "gat_P1-in"},
                body={"command": "OPEN", "reason": "lost ticket, paid in cash", "lane": 1},
                status=409,
                code="CONFLICT",
            ),
            _missing("NOT_FOUND", {"command": "LOCK", "reason": "works"}),
        ),
    ),
}
"""What is written of each of them, by its name."""
