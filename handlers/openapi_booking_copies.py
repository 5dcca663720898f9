"""The documentation of what is taken along of bookings: a pass, a calendar."""

from __future__ import annotations

from typing import Any, Final

from engine.refusals import Refusal
from handlers.booking_json import BookingId
from handlers.openapi_doc import AsOfMeta, Doc, Example, Query, Tag
from handlers.openapi_parking_parts import NO_BOOKING
from handlers.parking_copies import PNG, SVG, PassForm, PassJson
from server.calendar_text import MEDIA_TYPE
from server.errors import Overloaded

_BASE: Final = "/api/v1/parking"
_MINE: Final = {"booking_id": "bkg_1"}

COPIES: Final[dict[str, Any]] = {
    f"GET {_BASE}/bookings/{{booking_id}}/pass": Doc(
        operation="get_booking_pass",
        summary="A code that opens the gate",
        tag=Tag.PARKING,
        about="Signed, and good for a day: show it to the gate's scanner in place of a tag. It opens for this booking alone, once in and once "
        "out, and for nothing any more when that is cancelled. As a QR code with `format=svg` or `format=png`. No API key is enough.",
        answer=PassJson,
        meta=AsOfMeta,
        other_media_types=(SVG, PNG),
        headers={"Cache-Control": "`no-store`"},
        path={"booking_id": BookingId},
        in_path=True,
        query=(Query("format", PassForm, "A picture of the code, or the code as it is.", default="json"),),
        refusals=(Refusal.BOOKING_NOT_FOUND, Refusal.BOOKING_NOT_OPEN),
        errors=(Overloaded,),
        examples=(
            Example(name="code", summary="As it is", given="a booking", path=_MINE),
            Example(name="svg", summary="To print", given="a booking", path=_MINE, query={"format": "svg"}),
            Example(name="png", summary="To show", given="a booking", path=_MINE, query={"format": "png"}),
            NO_BOOKING,
        ),
    ),
    f"GET {_BASE}/bookings.ics": Doc(
        operation="export_bookings",
        summary="Your bookings as a calendar",
        tag=Tag.PARKING,
        about="iCalendar (RFC 5545), times in UTC. A booking keeps its UID; an offer of the waiting list is TENTATIVE. What was cancelled, not "
        "come for or not taken is CANCELLED until 30 days after it was to end.",
        database=True,
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": "a file name"},
        examples=(Example(name="all", summary="All of them", given="a booking"),),
    ),
}
