"""The documentation of quotes, bookings, walk-ins' tickets and stays."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from engine.refusals import Refusal
from handlers.booking_json import BookingId, BookingJson, BookingStatusName
from handlers.openapi_doc import (
    LIMIT,
    ORDER_CURSOR,
    AsOfMeta,
    Doc,
    Example,
    Link,
    PageMeta,
    Query,
    Tag,
    missing,
)
from handlers.openapi_parking_parts import MORNING, NO_BOOKING, OF_AN_OFFER
from handlers.parking_bookings import (
    BookingBody,
    BookingQuoteJson,
    ExtendBody,
    QuoteBody,
)
from handlers.parking_stays import (
    PayBody,
    ReceiptJson,
    StayJson,
    StayStatusName,
    TicketBody,
    TicketId,
    TicketJson,
)


class BookingsMeta(Struct, frozen=True, omit_defaults=True):
    """As of which journal sequence; of bookings that are over also how to go on."""

    as_of_seq: int
    limit: int | None = None
    next_cursor: str | None = None


_BASE: Final = "/api/v1/parking"
_OF_A_REQUEST: Final = (*OF_AN_OFFER, Refusal.BOOKING_OVERLAPS, Refusal.TOO_MANY_BOOKINGS)
_MINE: Final = {"booking_id": "bkg_1"}
_ID: Final = {"booking_id": BookingId}

BOOKINGS: Final[dict[str, Any]] = {
    f"POST {_BASE}/quotes": Doc(
        operation="quote_booking",
        summary="What a booking would cost",
        tag=Tag.PARKING,
        about="Line by line, by the lot's tariff as it is now; it may be booked at this `tariff_version` for ten minutes. Whatever "
        "the booking would be refused for, the quote is too. Nothing changes.",
        body=QuoteBody,
        answer=BookingQuoteJson,
        meta=AsOfMeta,
        refusals=_OF_A_REQUEST,
        examples=(
            Example(name="morning", summary="Two hours", given="a vehicle near a car park", body=MORNING),
            Example(
                name="seconds",
                summary="Bookings are for whole minutes",
                given="a vehicle near a car park",
                body=MORNING | {"to": "2023-11-20T10:00:30Z"},
                status=422,
                code="INVALID_INTERVAL",
            ),
        ),
    ),
    f"POST {_BASE}/bookings": Doc(
        operation="book_space",
        summary="Book a space",
        tag=Tag.PARKING,
        about="The price is held on the wallet, and a space is taken. With `tariff_version` at the price of a quote of the last ten "
        "minutes; with `max_price` never for more.",
        body=BookingBody,
        answer=BookingJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(*_OF_A_REQUEST, Refusal.INVALID_AMOUNT),
        links=(Link("get_booking", "booking_id", "/data/booking_id"),),
        examples=(
            Example(name="morning", summary="Two hours", given="a vehicle near a car park", body=MORNING),
            Example(
                name="cheap",
                summary="It costs more than what was accepted",
                given="a vehicle near a car park",
                body=MORNING | {"max_price": "0.50"},
                status=422,
                code="PRICE_CHANGED",
            ),
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
    f"GET {_BASE}/bookings": Doc(
        operation="list_bookings",
        summary="Your bookings",
        tag=Tag.PARKING,
        about="Those that are open, by their begin; with a status of those that are over the newest first, page by page.",
        answer=list[BookingJson],
        meta=BookingsMeta,
        query=(
            Query("status", BookingStatusName, "Only those that stand so."),
            ORDER_CURSOR,
            LIMIT,
        ),
        database=True,
        examples=(
            Example(name="open", summary="All of them", given="a booking"),
            Example(
                name="to-come", summary="Those to come", given="a booking", query={"status": "CONFIRMED"}
            ),
            Example(
                name="cancelled",
                summary="Those that were cancelled",
                given="a cancelled booking",
                query={"status": "CANCELLED"},
            ),
        ),
    ),
    f"GET {_BASE}/bookings/{{booking_id}}": Doc(
        operation="get_booking",
        summary="A booking",
        tag=Tag.PARKING,
        answer=BookingJson,
        meta=AsOfMeta,
        path=_ID,
        in_path=True,
        database=True,
        refusals=(Refusal.BOOKING_NOT_FOUND,),
        examples=(Example(name="mine", summary="With its price", given="a booking", path=_MINE), NO_BOOKING),
    ),
    f"DELETE {_BASE}/bookings/{{booking_id}}": Doc(
        operation="cancel_booking",
        summary="Cancel a booking",
        tag=Tag.PARKING,
        about="Before arrival. The car park's rules say how much is given back; the rest is charged.",
        answer=BookingJson,
        meta=AsOfMeta,
        path=_ID,
        in_path=True,
        command=True,
        refusals=(Refusal.BOOKING_NOT_FOUND, Refusal.BOOKING_NOT_OPEN),
        examples=(
            Example(name="mine", summary="Days before, for nothing", given="a booking", path=_MINE),
            NO_BOOKING,
        ),
    ),
    f"POST {_BASE}/bookings/{{booking_id}}/extend": Doc(
        operation="extend_booking",
        summary="Stay longer",
        tag=Tag.PARKING,
        about="Before arrival or while inside, until the end and its grace, when the space is free; before arrival another space does as "
        "well. The difference is held.",
        body=ExtendBody,
        answer=BookingJson,
        meta=AsOfMeta,
        path=_ID,
        in_path=True,
        command=True,
        refusals=(
            *(Refusal.BOOKING_NOT_FOUND, Refusal.BOOKING_NOT_OPEN),
            *(Refusal.INVALID_INTERVAL, Refusal.BOOKING_OVERLAPS),
            *(Refusal.PARKING_FULL, Refusal.INSUFFICIENT_FUNDS, Refusal.UNSETTLED_FUNDS),
        ),
        examples=(
            Example(
                name="hour",
                summary="An hour more",
                given="a booking",
                path=_MINE,
                body={"to": "2023-11-20T11:00:00Z"},
            ),
            Example(
                name="shorter",
                summary="Only later",
                given="a booking",
                path=_MINE,
                body={"to": "2023-11-20T09:00:00Z"},
                status=422,
                code="INVALID_INTERVAL",
            ),
        ),
    ),
}

STAYS: Final[dict[str, Any]] = {
    f"POST {_BASE}/tickets": Doc(
        operation="issue_ticket",
        summary="Get a ticket by plate",
        tag=Tag.PARKING,
        about="For a walk-in: the gate opens for this plate within the next ten minutes. A plate that somebody else has registered gets none.",
        body=TicketBody,
        answer=TicketJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        in_path=True,
        refusals=(
            *(Refusal.PARKING_LOT_NOT_FOUND, Refusal.PARKING_LOT_CLOSED),
            *(Refusal.PLATE_TAKEN, Refusal.INVALID_TICKET),
            *(Refusal.TICKET_EXISTS, Refusal.TARIFF_NOT_FOUND, Refusal.ZONE_NOT_FOUND),
            *(Refusal.PARKING_DEBT, Refusal.PARKING_FULL),
        ),
        examples=(
            Example(
                name="walk-in",
                summary="In front of the gate",
                given="a car park",
                body={"lot_id": "lot_P1", "plate": "WALKIN1"},
            ),
        ),
    ),
    f"POST {_BASE}/tickets/{{ticket_id}}/pay": Doc(
        operation="pay_ticket",
        summary="Pay for a ticket",
        tag=Tag.PARKING,
        about="From your wallet, what the stay costs until now; anybody may pay for anybody. Then there are some minutes to leave.",
        body=PayBody,
        body_optional=True,
        answer=ReceiptJson,
        meta=AsOfMeta,
        path={"ticket_id": TicketId},
        in_path=True,
        command=True,
        refusals=(
            *(Refusal.TICKET_NOT_FOUND, Refusal.TICKET_PAID, Refusal.ACCOUNT_NOT_FOUND),
            *(Refusal.ACCOUNT_DISABLED, Refusal.CURRENCY_MISMATCH, Refusal.INSUFFICIENT_FUNDS),
            Refusal.UNSETTLED_FUNDS,
        ),
        examples=(
            Example(
                name="paid",
                summary="On the phone",
                given="a walk-in who is inside",
                path={"ticket_id": "tkt_1"},
            ),
            missing("A ticket that does not exist", {"ticket_id": "tkt_99"}, "TICKET_NOT_FOUND"),
        ),
    ),
    f"GET {_BASE}/stays": Doc(
        operation="list_stays",
        summary="Your stays",
        tag=Tag.PARKING,
        about="The newest first: those of vehicles that are inside with what leaving now would cost, where no booking or pass pays "
        "for it, and those that are over with their receipts. A stay is whose the vehicle was when it began.",
        answer=list[StayJson],
        meta=PageMeta,
        query=(Query("status", StayStatusName, "Only those that stand so."), ORDER_CURSOR, LIMIT),
        database=True,
        examples=(
            Example(name="all", summary="The newest fifty", given="a vehicle inside"),
            Example(
                name="inside",
                summary="What leaving now would cost",
                given="a vehicle inside",
                query={"status": "INSIDE"},
            ),
            Example(
                name="over",
                summary="What it cost, line by line",
                given="a stay that is over",
                query={"status": "ENDED"},
            ),
        ),
    ),
}
