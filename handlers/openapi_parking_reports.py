"""The documentation of the reports of car parks."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta
from msgspec.structs import replace

from engine.refusals import Refusal
from handlers.csv_text import CSV
from handlers.openapi_doc import PAGE, Doc, Example, PageMeta, Query, Tag, time_query
from handlers.parking_reports import BY_PATTERN, OccupancyRowJson, RevenueJson
from handlers.parking_words import ParkingLotId
from handlers.request_input import LIMIT_MAX
from server.errors import Overloaded

_BASE: Final = "/api/v1/admin/reports/parking"
_SHARED: Final = (
    replace(
        time_query("from_date", "From this time on; a date begins at midnight of the car park's time zone."),
        required=True,
    ),
    replace(time_query("to_date", "Before this time; a date includes its day."), required=True),
    Query("lot_id", ParkingLotId, "Of this car park alone."),
    Query(
        "by",
        Annotated[str, Meta(pattern=f"^{BY_PATTERN}$")],
        "What to split by: `hour` or `day`, and `lot`, `type`, `kind`, with commas between; `total` splits by nothing.",
        default="day",
    ),
    Query("format", Literal["json", "csv"], "CSV gives all rows at once.", default="json"),
    PAGE,
    Query("limit", Annotated[int, Meta(ge=1, le=LIMIT_MAX)], "How many at most.", default=LIMIT_MAX),
)
_DAY: Final = {"from_date": "2023-11-14", "to_date": "2023-11-15"}
_ROWS: Final = (
    "Hours and days are those of the car park's wall clock: an hour that there is twice has two rows, and `local_from` says which. "
    "Car parks of different time zones are never summed. At most 10 000 rows; as CSV (`format=csv`, or `Accept: text/csv`) in one piece."
)


def _report(operation: str, summary: str, about: str, answer: Any, *examples: Example) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.ADMIN,
        about=f"{about} {_ROWS}",
        answer=answer,
        meta=PageMeta,
        other_media_types=(CSV,),
        headers={"Content-Disposition": "a file name, of CSV"},
        query=_SHARED,
        database=True,
        refusals=(Refusal.INVALID_INTERVAL, Refusal.PARKING_LOT_NOT_FOUND),
        errors=(Overloaded,),
        examples=(
            *examples,
            Example(
                name="file",
                summary="A file for a spreadsheet",
                given="a car park with visitors",
                query=_DAY | {"lot_id": "lot_P1", "by": "hour,lot", "format": "csv"},
            ),
            Example(
                name="backwards",
                summary="It ends before it begins",
                given="a car park",
                query={"from_date": "2023-11-15", "to_date": "2023-11-13"},
                status=422,
                code="INVALID_INTERVAL",
            ),
            Example(
                name="missing",
                summary="A car park that does not exist",
                query=_DAY | {"lot_id": "lot_NONE"},
                status=422,
                code="PARKING_LOT_NOT_FOUND",
            ),
        ),
    )


REPORTS: Final[dict[str, Any]] = {
    f"GET {_BASE}/revenue": _report(
        "report_parking_revenue",
        "What car parks have earned",
        "What was charged, when it was charged: a stay or booking when its vehicle left, a ticket when it was paid, a cancellation or "
        "no-show what was kept of it, a pass when it was sold. A debt counts when it was made, not again when it is repaid. `type` is "
        "what was asked and paid for. A range is 400 days at most.",
        RevenueJson,
        Example(name="days", summary="By day", given="a car park with visitors", query=_DAY),
        Example(
            name="kinds",
            summary="What for, by type of space",
            given="a car park with visitors",
            query=_DAY | {"by": "type,kind"},
        ),
    ),
    f"GET {_BASE}/occupancy": _report(
        "report_parking_occupancy",
        "How full car parks were",
        "Vehicles inside: the most at a time, on average, and at the end, until now at most. `type` is that of the space that a vehicle "
        "stood on, `capacity` the spaces in service today. A range is 62 days at most.",
        list[OccupancyRowJson],
        Example(
            name="hours",
            summary="By hour",
            given="a car park with visitors",
            query=_DAY | {"by": "hour", "lot_id": "lot_P1"},
        ),
        Example(
            name="types", summary="By type", given="a car park with visitors", query=_DAY | {"by": "lot,type"}
        ),
    ),
}
