"""The documentation of what operators see and do of drivers' affairs, and its rows of the route table."""

from __future__ import annotations

from typing import Any, Final

from engine.refusals import Refusal
from handlers import admin_parking_desk, admin_parking_lists
from handlers.admin_audit import Audited
from handlers.admin_parking_desk import (
    BlockedJson,
    DeskPassBody,
    EndedStayJson,
    EndStayBody,
    PrintedTicketBody,
    RightsBody,
    RightsJson,
    WhyBody,
)
from handlers.admin_parking_lists import (
    BlockJson,
    DeskBookingJson,
    DeskDebtJson,
    DeskPassJson,
    DeskStayJson,
    DeskWaitingJson,
    PlateText,
)
from handlers.booking_json import BookingId, BookingJson
from handlers.field_types import UserId
from handlers.openapi_doc import LIMIT, PAGE, AsOfMeta, Doc, Example, PageMeta, Query, Tag
from handlers.parking_passes import BoughtPassJson, PassId, SeasonPassJson
from handlers.parking_stays import PayBody, ReceiptJson, StayId, TicketId, TicketJson
from handlers.parking_waiting import LeftJson, WaitingId
from handlers.parking_words import Epc, ParkingLotId, Plate, VehicleId
from handlers.routing import BASE, PARKING_DESK, Route
from server.errors import BadRequest, NotFound
from server.rate_limits import LimitClass

_DESK: Final = f"{BASE}/admin/parking"
_CALLS: Final = LimitClass.CALLS
_WHY: Final = {"reason": "the driver asked for it"}
_OF_A_LOT: Final = Query("lot_id", ParkingLotId, "Those of this car park alone.")
_OF_A_USER: Final = Query("user_id", UserId, "Those of this user alone.")
_OF_A_PLATE: Final = Query("plate", PlateText, "Those of this plate alone.")
_FILTERS: Final = (_OF_A_LOT, _OF_A_USER, _OF_A_PLATE)

PARKING_DESK_ROUTES: Final = (
    *(
        Route("GET", f"{_DESK}/{name}", handler, PARKING_DESK, _CALLS)
        for name, handler in (
            ("bookings", admin_parking_lists.bookings),
            ("stays", admin_parking_lists.stays),
            ("passes", admin_parking_lists.passes),
            ("waiting-list", admin_parking_lists.waiting),
            ("debts", admin_parking_lists.debts),
            ("blocklist", admin_parking_lists.blocklist),
        )
    ),
    *(
        Route(method, f"{_DESK}/{path}", Audited(handler), PARKING_DESK, _CALLS)
        for method, path, handler in (
            ("POST", "bookings/{booking_id}/cancel", admin_parking_desk.cancel_booking),
            ("POST", "stays/{stay_id}/end", admin_parking_desk.end_stay),
            ("POST", "passes", admin_parking_desk.sell_pass),
            ("DELETE", "passes/{pass_id}", admin_parking_desk.cancel_pass),
            ("DELETE", "waiting-list/{waiting_id}", admin_parking_desk.leave_waiting_list),
            ("POST", "tickets", admin_parking_desk.print_ticket),
            ("POST", "tickets/{ticket_id}/pay", admin_parking_desk.take_cash),
            ("PUT", "vehicles/{vehicle_id}/rights", admin_parking_desk.set_rights),
            ("PUT", "blocklist/plates/{plate}", admin_parking_desk.block_plate),
            ("DELETE", "blocklist/plates/{plate}", admin_parking_desk.unblock_plate),
            ("PUT", "blocklist/tags/{tag}", admin_parking_desk.block_tag),
            ("DELETE", "blocklist/tags/{tag}", admin_parking_desk.unblock_tag),
        )
    ),
)


def _list(
    operation: str, summary: str, about: str, answer: Any, given: str, filters: tuple[Query, ...] = _FILTERS
) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.ADMIN,
        about=about,
        answer=list[answer],
        meta=PageMeta,
        query=(*filters, PAGE, LIMIT),
        errors=(NotFound,),
        examples=(Example(name="all", summary="The first fifty", given=given),),
    )


def _missing(path: dict[str, str], code: str, body: Any = None) -> Example:
    return Example(
        name="missing", summary="One that does not exist", path=path, body=body, status=404, code=code
    )


def _blocklist(operation: str, summary: str, path: dict[str, Any], value: str, *, on: bool) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.ADMIN,
        about="Nobody needs to have registered it. Gates that are connected know at once, one that is cut off within 15 minutes.",
        body=WhyBody if on else None,
        answer=BlockedJson,
        meta=AsOfMeta,
        path=path,
        command=True,
        errors=(BadRequest,),
        examples=(
            Example(
                name="one",
                summary="One",
                path=dict.fromkeys(path, value),
                body={"reason": "stolen"} if on else None,
            ),
        ),
    )


LISTS: Final[dict[str, Any]] = {
    f"GET {_DESK}/bookings": _list(
        *("list_desk_bookings", "Open bookings", "With whose they are.", DeskBookingJson),
        "a driver's booking",
    ),
    f"GET {_DESK}/stays": _list(
        *("list_desk_stays", "Who is inside", "With the space where one is known.", DeskStayJson),
        "a driver's stay",
    ),
    f"GET {_DESK}/passes": _list(
        *("list_desk_passes", "Passes", "Those that are not over.", DeskPassJson), "a driver's pass"
    ),
    f"GET {_DESK}/waiting-list": _list(
        *("list_desk_waiting", "Who waits for a space", "Who came first first.", DeskWaitingJson),
        "a driver's place on the waiting list",
    ),
    f"GET {_DESK}/debts": _list(
        *("list_desk_debts", "What is owed", "By accounts, and by plates without one.", DeskDebtJson),
        *("a driver's debt", (_OF_A_USER, _OF_A_PLATE)),
    ),
    f"GET {_DESK}/blocklist": _list(
        *(
            "list_blocks",
            "Tags and plates that no gate opens for",
            "With who, since when and why.",
            BlockJson,
        ),
        *("a blocked plate", ()),
    ),
}

ACTS: Final[dict[str, Any]] = {
    f"POST {_DESK}/bookings/{{booking_id}}/cancel": Doc(
        operation="cancel_booking_for_driver",
        summary="Cancel a booking for its driver",
        tag=Tag.ADMIN,
        about="Before arrival. Everything is given back, whatever the car park's rules say.",
        body=WhyBody,
        answer=BookingJson,
        meta=AsOfMeta,
        path={"booking_id": BookingId},
        in_path=True,
        command=True,
        refusals=(Refusal.BOOKING_NOT_FOUND, Refusal.BOOKING_NOT_OPEN),
        examples=(
            Example(
                name="one",
                summary="A driver called",
                given="a driver's booking",
                path={"booking_id": "bkg_1"},
                body=_WHY,
            ),
            _missing({"booking_id": "bkg_99"}, "BOOKING_NOT_FOUND", _WHY),
        ),
    ),
    f"POST {_DESK}/stays/{{stay_id}}/end": Doc(
        operation="end_stay",
        summary="End a stay by hand",
        tag=Tag.ADMIN,
        about="For a car that left unseen, or that nobody can pay for: charged to when it left, or for nothing.",
        body=EndStayBody,
        answer=EndedStayJson,
        meta=AsOfMeta,
        path={"stay_id": StayId},
        in_path=True,
        command=True,
        refusals=(Refusal.STAY_NOT_FOUND, Refusal.INVALID_INTERVAL, Refusal.INVALID_TICKET),
        examples=(
            Example(
                name="gone",
                summary="The space is empty",
                given="a driver's stay",
                path={"stay_id": "sty_1"},
                body={"reason": "the space is empty", "waive": True},
            ),
            _missing({"stay_id": "sty_99"}, "STAY_NOT_FOUND", _WHY),
        ),
    ),
    f"POST {_DESK}/passes": Doc(
        operation="sell_pass",
        summary="Sell a pass at a price of your own",
        tag=Tag.ADMIN,
        about="The driver's wallet pays at once.",
        body=DeskPassBody,
        answer=BoughtPassJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(
            *(Refusal.VEHICLE_NOT_FOUND, Refusal.ACCOUNT_DISABLED, Refusal.PARKING_LOT_NOT_FOUND),
            *(Refusal.CURRENCY_MISMATCH, Refusal.INVALID_PASS, Refusal.SPACE_NOT_FOUND),
            *(Refusal.PARKING_FULL, Refusal.INSUFFICIENT_FUNDS, Refusal.UNSETTLED_FUNDS),
            *(Refusal.INVALID_INTERVAL, Refusal.INVALID_AMOUNT),
        ),
        examples=(
            Example(
                name="staff",
                summary="For nothing, for a week",
                given="a driver's vehicle",
                body={
                    "lot_id": "lot_P1",
                    "vehicle_id": "veh_1",
                    "from": "2023-11-20T00:00:00Z",
                    "to": "2023-11-27T00:00:00Z",
                    "price": 0,
                },
            ),
        ),
    ),
    f"DELETE {_DESK}/passes/{{pass_id}}": Doc(
        operation="take_pass_back",
        summary="Take a pass back",
        tag=Tag.ADMIN,
        about="It is good no more; what was paid for it stays paid (an adjustment of the wallet is another call).",
        answer=SeasonPassJson,
        meta=AsOfMeta,
        path={"pass_id": PassId},
        in_path=True,
        command=True,
        refusals=(Refusal.PASS_NOT_FOUND,),
        examples=(
            Example(name="one", summary="A driver's", given="a driver's pass", path={"pass_id": "pas_1"}),
            _missing({"pass_id": "pas_99"}, "PASS_NOT_FOUND"),
        ),
    ),
    f"DELETE {_DESK}/waiting-list/{{waiting_id}}": Doc(
        operation="take_off_waiting_list",
        summary="Take somebody off the waiting list",
        tag=Tag.ADMIN,
        about="What was offered goes to the next.",
        answer=LeftJson,
        meta=AsOfMeta,
        path={"waiting_id": WaitingId},
        in_path=True,
        command=True,
        refusals=(Refusal.WAITING_NOT_FOUND,),
        examples=(
            Example(
                name="one",
                summary="A driver",
                given="a driver's place on the waiting list",
                path={"waiting_id": "wtg_1"},
            ),
            _missing({"waiting_id": "wtg_99"}, "WAITING_NOT_FOUND"),
        ),
    ),
    f"POST {_DESK}/tickets": Doc(
        operation="print_ticket",
        summary="Give out a ticket with a printed code",
        tag=Tag.ADMIN,
        about="The gate's scanner reads the code within the next ten minutes.",
        body=PrintedTicketBody,
        answer=TicketJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(
            *(Refusal.PARKING_LOT_NOT_FOUND, Refusal.PARKING_LOT_CLOSED, Refusal.INVALID_TICKET),
            *(Refusal.TICKET_EXISTS, Refusal.TARIFF_NOT_FOUND, Refusal.ZONE_NOT_FOUND, Refusal.PARKING_FULL),
        ),
        examples=(
            Example(
                name="one",
                summary="At the desk",
                given="a car park",
                body={"lot_id": "lot_P1", "code": "T-0042"},
            ),
        ),
    ),
    f"POST {_DESK}/tickets/{{ticket_id}}/pay": Doc(
        operation="take_cash_for_ticket",
        summary="Take cash for a ticket",
        tag=Tag.ADMIN,
        about="What the stay costs until now, or what a lost ticket costs by the tariff. Then there are some minutes to leave.",
        body=PayBody,
        body_optional=True,
        answer=ReceiptJson,
        meta=AsOfMeta,
        path={"ticket_id": TicketId},
        in_path=True,
        command=True,
        refusals=(Refusal.TICKET_NOT_FOUND, Refusal.TICKET_PAID),
        examples=(
            Example(
                name="one",
                summary="In cash",
                given="a driver's walk-in",
                path={"ticket_id": "tkt_1"},
            ),
            _missing({"ticket_id": "tkt_99"}, "TICKET_NOT_FOUND"),
        ),
    ),
    f"PUT {_DESK}/vehicles/{{vehicle_id}}/rights": Doc(
        operation="set_vehicle_rights",
        summary="Say what a vehicle has the right to",
        tag=Tag.ADMIN,
        about="All of it: what is not named it has no more. It counts from the next booking on.",
        body=RightsBody,
        answer=RightsJson,
        meta=AsOfMeta,
        path={"vehicle_id": VehicleId},
        in_path=True,
        command=True,
        refusals=(Refusal.VEHICLE_NOT_FOUND,),
        examples=(
            Example(
                name="permit",
                summary="A permit was shown",
                given="a driver's vehicle",
                path={"vehicle_id": "veh_1"},
                body={"rights": ["ACCESSIBLE"]},
            ),
            _missing({"vehicle_id": "veh_99"}, "VEHICLE_NOT_FOUND", {"rights": []}),
        ),
    ),
    f"PUT {_DESK}/blocklist/plates/{{plate}}": _blocklist(
        "block_plate", "Block a plate", {"plate": Plate}, "BAD1", on=True
    ),
    f"DELETE {_DESK}/blocklist/plates/{{plate}}": _blocklist(
        "unblock_plate", "Take a plate off the blocklist", {"plate": Plate}, "BAD1", on=False
    ),
    f"PUT {_DESK}/blocklist/tags/{{tag}}": _blocklist(
        "block_tag", "Block a tag", {"tag": Epc}, "E2801160000000000000BAD1", on=True
    ),
    f"DELETE {_DESK}/blocklist/tags/{{tag}}": _blocklist(
        "unblock_tag", "Take a tag off the blocklist", {"tag": Epc}, "E2801160000000000000BAD1", on=False
    ),
}

PARKING_DESK_DOCS: Final[dict[str, Any]] = {**LISTS, **ACTS}
