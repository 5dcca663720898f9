"""The documentation of cameras that read plates, and their rows of the route table."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

from engine.refusals import Refusal
from handlers import cameras
from handlers.admin_audit import Audited
from handlers.cameras import (
    SIGNATURE,
    CameraBody,
    CameraId,
    CameraJson,
    CameraSecretJson,
    PlateReadBody,
    PlateReadJson,
)
from handlers.openapi_doc import LIMIT, PAGE, AsOfMeta, Doc, Example, PageMeta, Query, Tag
from handlers.parking_words import ParkingLotId
from handlers.routing import BASE, PARKING_DESK, PUBLIC, Route
from server.errors import Conflict, NotFound, Overloaded, ReadOnly, Unauthenticated
from server.rate_limits import LimitClass

_CAMERAS: Final = f"{BASE}/admin/parking/cameras"
_READS: Final = f"{BASE}/parking/cameras/{{camera_id}}/reads"
_PATH: Final = {"camera_id": CameraId}
_NORTH: Final = {"camera_id": "cam_north", "gate_id": "gat_P1-in", "name": "North, lane 1", "lane": 1}
_NOWHERE: Final = {"camera_id": "cam_nowhere"}

CAMERA_ROUTES: Final = (
    Route("POST", _READS, cameras.read, PUBLIC, LimitClass.READINGS),
    Route("GET", _CAMERAS, cameras.cameras, PARKING_DESK, LimitClass.CALLS),
    Route("POST", _CAMERAS, Audited(cameras.put), PARKING_DESK, LimitClass.CALLS),
    Route(
        *("POST", f"{_CAMERAS}/{{camera_id}}/secret", Audited(cameras.renew_secret)),
        *(PARKING_DESK, LimitClass.CALLS),
    ),
    Route(
        *("DELETE", f"{_CAMERAS}/{{camera_id}}", Audited(cameras.revoke)),
        *(PARKING_DESK, LimitClass.CALLS),
    ),
)

CAMERA_DOCS: Final[dict[str, Any]] = {
    f"POST {_READS}": Doc(
        operation="read_plate",
        summary="A camera has read a plate",
        tag=Tag.PARKING,
        about="For cameras, each with a secret of its own that signs the body (docs/gates.md). Decided as a scan at the camera's lane, "
        "which is opened through its connected gate. The same message again has no effect and the same answer; so have readings of the "
        "same plate that follow within seconds. A reading that the camera is not sure of opens nothing, and operators are told.",
        body=PlateReadBody,
        answer=PlateReadJson,
        meta=AsOfMeta,
        path=_PATH,
        asked_headers=(
            Query(
                SIGNATURE,
                Annotated[str, Meta(pattern="^[0-9a-f]{64}$")],
                "HMAC-SHA256 of the body, as docs/gates.md says it.",
                required=True,
            ),
        ),
        errors=(Unauthenticated, Conflict, Overloaded, ReadOnly),
        examples=(
            Example(
                name="forged",
                summary="Without the camera's signature",
                path=_NOWHERE,
                body={"at": "2026-01-15T08:00:01.25Z", "plate": "B-KE 123", "confidence": 97.5},
                status=401,
                code="UNAUTHENTICATED",
            ),
        ),
    ),
    f"GET {_CAMERAS}": Doc(
        operation="list_cameras",
        summary="Cameras that read plates",
        tag=Tag.ADMIN,
        about="By their ids, with whether each has a secret that is good.",
        answer=list[CameraJson],
        meta=PageMeta,
        query=(Query("lot_id", ParkingLotId, "Those of this car park alone."), PAGE, LIMIT),
        errors=(NotFound,),
        examples=(Example(name="all", summary="The first fifty", given="a camera"),),
    ),
    f"POST {_CAMERAS}": Doc(
        operation="set_camera",
        summary="Make or change a camera",
        tag=Tag.ADMIN,
        about="201 for a new one, 200 for one that was there. It needs a secret to be heard.",
        body=CameraBody,
        answer=CameraJson,
        meta=AsOfMeta,
        status=201,
        other_statuses={200: "The camera was there, and is as asked for now."},
        command=True,
        refusals=(Refusal.GATE_NOT_FOUND, Refusal.INVALID_CAMERA),
        examples=(
            Example(name="lane", summary="A camera at a lane", given="a gate", body=_NORTH),
            Example(
                name="lane9",
                summary="A lane that the gate does not have",
                given="a gate",
                body=_NORTH | {"lane": 9},
                status=422,
                code="INVALID_CAMERA",
            ),
        ),
    ),
    f"POST {_CAMERAS}/{{camera_id}}/secret": Doc(
        operation="renew_camera_secret",
        summary="Give a camera a new secret",
        tag=Tag.ADMIN,
        about="Shown here and never again; the same idempotency key shows it again for a day. The one before ends at once.",
        answer=CameraSecretJson,
        meta=AsOfMeta,
        status=201,
        path=_PATH,
        command=True,
        in_path=True,
        refusals=(Refusal.CAMERA_NOT_FOUND,),
        errors=(NotFound, Overloaded),
        examples=(
            Example(name="new", summary="A new secret", given="a camera", path={"camera_id": "cam_east"}),
            Example(
                name="missing",
                summary="A camera that does not exist",
                path=_NOWHERE,
                status=404,
                code="CAMERA_NOT_FOUND",
            ),
        ),
    ),
    f"DELETE {_CAMERAS}/{{camera_id}}": Doc(
        operation="revoke_camera",
        summary="End a camera's secret",
        tag=Tag.ADMIN,
        about="Whatever it sends is refused from now on. A new secret makes it good again.",
        answer=CameraJson,
        meta=AsOfMeta,
        path=_PATH,
        command=True,
        in_path=True,
        refusals=(Refusal.CAMERA_NOT_FOUND,),
        errors=(NotFound,),
        examples=(
            Example(
                name="revoke",
                summary="It is stolen",
                given="a camera",
                path={"camera_id": "cam_east"},
            ),
        ),
    ),
}
"""What is written of each of them, by its name."""
