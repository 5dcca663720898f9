"""The documentation of the waiting list, and its rows of the route table."""

from __future__ import annotations

from typing import Any, Final

from engine.refusals import Refusal
from handlers import parking_waiting
from handlers.booking_json import BookingId, BookingJson
from handlers.openapi_doc import AsOfMeta, Doc, Example, Link, Tag, missing
from handlers.openapi_parking_parts import MORNING
from handlers.parking_waiting import (
    AcceptBody,
    LeftJson,
    WaitingBody,
    WaitingId,
    WaitingJson,
    WaitingPlaceJson,
)
from handlers.routing import BASE, HOLDER, Route
from server.rate_limits import LimitClass

_LIST: Final = f"{BASE}/parking/waiting-list"
_ONE: Final = f"{_LIST}/{{waiting_id}}"
_ACCEPT: Final = f"{BASE}/parking/bookings/{{booking_id}}/accept"
_CALLS: Final = LimitClass.CALLS
_ID: Final = {"waiting_id": WaitingId}
_MINE: Final = {"waiting_id": "wtg_1"}
_MISSING: Final = missing(
    "A place that does not exist, or is somebody else's", {"waiting_id": "wtg_99"}, "WAITING_NOT_FOUND"
)

WAITING_ROUTES: Final = (
    Route("POST", _LIST, parking_waiting.join, HOLDER, _CALLS),
    Route("GET", _LIST, parking_waiting.waiting, HOLDER, _CALLS),
    Route("GET", _ONE, parking_waiting.one, HOLDER, _CALLS),
    Route("DELETE", _ONE, parking_waiting.leave, HOLDER, _CALLS),
    Route("POST", _ACCEPT, parking_waiting.accept, HOLDER, _CALLS),
)

WAITING: Final[dict[str, Any]] = {
    f"POST {_LIST}": Doc(
        operation="join_waiting_list",
        summary="Wait for a space",
        tag=Tag.PARKING,
        about="The first in the list whom a space fits is offered it for some minutes, then the next; if there is one, at once. A vehicle "
        "waits once in a car park; when the interval begins the waiting is over.",
        body=WaitingBody,
        answer=WaitingJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(
            *(Refusal.ACCOUNT_NOT_FOUND, Refusal.ACCOUNT_DISABLED, Refusal.PARKING_LOT_NOT_FOUND),
            *(Refusal.VEHICLE_NOT_FOUND, Refusal.PARKING_LOT_CLOSED, Refusal.INVALID_INTERVAL),
            *(Refusal.WAITING_LIST_FULL, Refusal.VEHICLE_DOES_NOT_FIT),
        ),
        links=(Link("get_waiting", "waiting_id", "/data/waiting_id"),),
        examples=(
            Example(name="morning", summary="Two hours", given="a vehicle near a car park", body=MORNING),
            Example(
                name="nowhere",
                summary="A car park that does not exist",
                given="a vehicle near a car park",
                body=MORNING | {"lot_id": "lot_NONE"},
                status=422,
                code="PARKING_LOT_NOT_FOUND",
            ),
        ),
    ),
    f"GET {_LIST}": Doc(
        operation="list_waiting",
        summary="What you wait for",
        tag=Tag.PARKING,
        about="In the order of their begin, each with its place, or with what is offered.",
        answer=list[WaitingPlaceJson],
        meta=AsOfMeta,
        examples=(
            Example(name="waiting", summary="A place", given="a place on the waiting list"),
            Example(name="offered", summary="An offer", given="an offer of the waiting list"),
        ),
    ),
    f"GET {_ONE}": Doc(
        operation="get_waiting",
        summary="A place on the waiting list",
        tag=Tag.PARKING,
        about="`place` 1 is asked first when a space comes free then. One that is over is there no more.",
        answer=WaitingPlaceJson,
        meta=AsOfMeta,
        path=_ID,
        in_path=True,
        refusals=(Refusal.WAITING_NOT_FOUND,),
        examples=(
            Example(name="mine", summary="Nobody before", given="a place on the waiting list", path=_MINE),
            _MISSING,
        ),
    ),
    f"DELETE {_ONE}": Doc(
        operation="leave_waiting_list",
        summary="Wait no longer, or decline an offer",
        tag=Tag.PARKING,
        about="A space that was offered goes to the next.",
        answer=LeftJson,
        meta=AsOfMeta,
        path=_ID,
        in_path=True,
        command=True,
        refusals=(Refusal.WAITING_NOT_FOUND,),
        examples=(
            Example(name="mine", summary="No more", given="a place on the waiting list", path=_MINE),
            Example(name="declined", summary="An offer", given="an offer of the waiting list", path=_MINE),
            _MISSING,
        ),
    ),
    f"POST {_ACCEPT}": Doc(
        operation="accept_offer",
        summary="Take an offer of the waiting list",
        tag=Tag.PARKING,
        about="The price of now is held, never more than `max_price`: then it is a booking like any other.",
        body=AcceptBody,
        body_optional=True,
        answer=BookingJson,
        meta=AsOfMeta,
        path={"booking_id": BookingId},
        in_path=True,
        command=True,
        refusals=(
            *(Refusal.BOOKING_NOT_FOUND, Refusal.BOOKING_NOT_OPEN, Refusal.ACCOUNT_DISABLED),
            *(Refusal.CURRENCY_MISMATCH, Refusal.PARKING_LOT_CLOSED, Refusal.PARKING_DEBT),
            *(Refusal.TARIFF_NOT_FOUND, Refusal.ZONE_NOT_FOUND, Refusal.PRICE_CHANGED),
            *(Refusal.INSUFFICIENT_FUNDS, Refusal.UNSETTLED_FUNDS, Refusal.INVALID_AMOUNT),
        ),
        examples=(
            Example(
                name="taken",
                summary="Whatever it costs",
                given="an offer of the waiting list",
                path={"booking_id": "bkg_1"},
            ),
            Example(
                name="cheap",
                summary="It costs more than what was accepted",
                given="an offer of the waiting list",
                path={"booking_id": "bkg_1"},
                body={"max_price": "0.50"},
                status=422,
                code="PRICE_CHANGED",
            ),
            missing(
                "A booking that does not exist, or is somebody else's",
                {"booking_id": "bkg_99"},
                "BOOKING_NOT_FOUND",
            ),
        ),
    ),
}
