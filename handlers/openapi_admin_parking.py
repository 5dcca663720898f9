"""The documentation of the car parks in an operator's hands."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

from config.tariff_records import TariffTerms
from engine.refusals import Refusal
from handlers.admin_parking import (
    EstateJson,
    FloorBody,
    ImportBody,
    ImportedJson,
    LotBody,
    SpaceBody,
    SpaceJson,
)
from handlers.openapi_doc import LIMIT, PAGE, AsOfMeta, Doc, Example, PageMeta, Query, Tag, missing
from handlers.openapi_parking_parts import LOT_PATH, P1
from handlers.parking_words import Code, SpaceStateName, SpaceTypeName
from handlers.tariff_json import TariffJson
from server.errors import NotFound

_BASE: Final = "/api/v1/admin/parking"
_TARIFF: Final = {
    "currency": "USD",
    "unit_minutes": 30,
    "rates": {"STANDARD": "1.50", "EV": "2.00"},
    "bands": [
        {
            "label": "weekday",
            "days": ["MON", "TUE", "WED", "THU", "FRI"],
            "begins": "08:00",
            "ends": "18:00",
            "rates": {"STANDARD": "2.50"},
        }
    ],
    "cap": "24.00",
    "tax_bps": 800,
}


def _set(
    operation: str, summary: str, body: Any, example: Any, path: dict[str, Any], ids: dict[str, str]
) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.ADMIN,
        about="Made, or changed. What is so already changes nothing.",
        body=body,
        answer=EstateJson,
        meta=AsOfMeta,
        path=LOT_PATH | path,
        in_path=True,
        command=True,
        refusals=(Refusal.PARKING_LOT_NOT_FOUND, Refusal.INVALID_ESTATE),
        errors=(NotFound,),
        examples=(
            Example(name="one", summary="A new one", given="a car park", path=P1 | ids, body=example),
            missing(
                "A car park that does not exist",
                {"lot_id": "lot_NONE"} | ids,
                "PARKING_LOT_NOT_FOUND",
                body=example,
            ),
        ),
    )


ESTATE: Final[dict[str, Any]] = {
    f"PUT {_BASE}/lots/{{lot_id}}": Doc(
        operation="set_parking_lot",
        summary="Make or change a car park",
        tag=Tag.ADMIN,
        about="Its currency stays what it was, its time zone while bookings are open (`problem` is ZONE). A CLOSED one sells nothing new "
        "and lets everybody out.",
        body=LotBody,
        answer=EstateJson,
        meta=AsOfMeta,
        path=LOT_PATH,
        in_path=True,
        command=True,
        refusals=(Refusal.INVALID_ESTATE, Refusal.INVALID_ZONE, Refusal.TARIFF_NOT_FOUND),
        errors=(NotFound,),
        examples=(
            Example(
                name="new",
                summary="A new one, without spaces yet",
                given="a car park",
                path={"lot_id": "lot_P9"},
                body={"name": "Station", "time_zone": "Europe/Berlin", "currency": "USD", "tariff": "std"},
            ),
            Example(
                name="no-tariff",
                summary="A tariff that there is not",
                path={"lot_id": "lot_P9"},
                body={"name": "Station", "time_zone": "UTC", "currency": "USD", "tariff": "none"},
                status=422,
                code="TARIFF_NOT_FOUND",
            ),
            Example(
                name="mars",
                summary="A time zone that there is not",
                path={"lot_id": "lot_P9"},
                body={"name": "Station", "time_zone": "Mars/Base", "currency": "USD"},
                status=422,
                code="INVALID_ZONE",
            ),
        ),
    ),
    f"PUT {_BASE}/lots/{{lot_id}}/floors/{{floor}}": _set(
        *("set_parking_floor", "Make or change a floor", FloorBody, {"name": "Roof", "level": 3}),
        *({"floor": Code}, {"floor": "R"}),
    ),
    f"PUT {_BASE}/lots/{{lot_id}}/spaces/{{number}}": _set(
        *("set_parking_space", "Make or change a space", SpaceBody),
        {"floor": "G", "type": "EV", "features": ["CHARGER", "COVERED"], "charger_kw": 22, "lift_m": 15},
        *({"number": Code}, {"number": "G-77"}),
    ),
    f"GET {_BASE}/lots/{{lot_id}}/spaces": Doc(
        operation="list_parking_spaces",
        summary="Spaces of a car park",
        tag=Tag.ADMIN,
        about="In the order of their making.",
        answer=list[SpaceJson],
        meta=PageMeta,
        path=LOT_PATH,
        query=(
            Query("type", SpaceTypeName, "Only those of this type."),
            Query("state", SpaceStateName, "Only those in this state."),
            PAGE,
            LIMIT,
        ),
        errors=(NotFound,),
        examples=(Example(name="all", summary="The first fifty", given="a car park", path=P1),),
    ),
    f"POST {_BASE}/lots/{{lot_id}}/import": Doc(
        operation="import_parking_estate",
        summary="Import floors, spaces and gates from CSV",
        tag=Tag.ADMIN,
        about="All of the file, or nothing: then `details.problems` names every problem with its `row` (the header is row 1) and "
        "`column`, the first thousand of them.",
        body=ImportBody,
        answer=ImportedJson,
        meta=AsOfMeta,
        path=LOT_PATH,
        in_path=True,
        command=True,
        refusals=(Refusal.PARKING_LOT_NOT_FOUND, Refusal.INVALID_ESTATE),
        errors=(NotFound,),
        examples=(
            Example(
                name="floor",
                summary="A floor with a space",
                given="a car park",
                path=P1,
                body={"csv": "kind,floor,number,name,level,type\nFLOOR,R,,Roof,3,\nSPACE,R,R-1,,,LARGE\n"},
            ),
            Example(
                name="problems",
                summary="Two rows that cannot be",
                given="a car park",
                path=P1,
                body={"csv": "kind,floor,number,type\nSPACE,X,X-1,LARGE\nSPACE,G,G-1,TANK\n"},
                status=422,
                code="INVALID_ESTATE",
            ),
        ),
    ),
}

TARIFFS: Final[dict[str, Any]] = {
    f"GET {_BASE}/tariffs": Doc(
        operation="list_tariffs",
        summary="Tariffs",
        tag=Tag.ADMIN,
        about="The last version of each.",
        answer=list[TariffJson],
        meta=AsOfMeta,
        examples=(Example(name="all", summary="All of them", given="a car park"),),
    ),
    f"GET {_BASE}/tariffs/{{tariff}}": Doc(
        operation="get_tariff",
        summary="A tariff",
        tag=Tag.ADMIN,
        about="The last version, or the one that is asked for: bookings are priced by the version that they were made at.",
        answer=TariffJson,
        meta=AsOfMeta,
        path={"tariff": Code},
        query=(Query("version", Annotated[int, Meta(ge=1, le=999_999_999)], "That version."),),
        errors=(NotFound,),
        examples=(
            Example(
                name="first",
                summary="The first version",
                given="a car park",
                path={"tariff": "std"},
                query={"version": "1"},
            ),
            missing("A tariff that does not exist", {"tariff": "none"}),
        ),
    ),
    f"PUT {_BASE}/tariffs/{{tariff}}": Doc(
        operation="set_tariff",
        summary="Make a new version of a tariff",
        tag=Tag.ADMIN,
        about="For quotes from now on. Mistakes are told all at once, in `details.problems`. Config is what counts at the next start.",
        body=TariffTerms,
        answer=TariffJson,
        meta=AsOfMeta,
        path={"tariff": Code},
        command=True,
        refusals=(Refusal.INVALID_TARIFF,),
        examples=(
            Example(name="new", summary="Half hours, dearer by day", path={"tariff": "NEW"}, body=_TARIFF),
            Example(
                name="mistakes",
                summary="A unit that does not divide a day",
                path={"tariff": "NEW"},
                body=_TARIFF | {"unit_minutes": 7},
                status=422,
                code="INVALID_TARIFF",
            ),
        ),
    ),
}
