"""Bookings to take along: the pass of one, a code that opens the gate, and all of them as a calendar."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Annotated, Final, Literal

import segno
from msgspec import Meta, Struct

from engine.events import Refused
from engine.parking.booking_records import Booking
from engine.parking.kinds import BookingStatus
from engine.parking.records import Parking
from engine.refusals import Refusal
from engine.units import DAY_US
from handlers.booking_json import BookingId
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import Time
from handlers.order_json import time_text
from handlers.parking_words import Code, ParkingLotId, Plate, shown_lot
from handlers.request_input import read_choice, read_id
from server.booking_codes import CODE_FORM
from server.calendar_text import MEDIA_TYPE, CalendarEntry, calendar_text
from server.errors import NotFound, Overloaded
from server.parking_history import ParkingHistory

SVG: Final = "image/svg+xml"
PNG: Final = "image/png"
PassForm = Literal["json", "svg", "png"]
_FORMS: Final[dict[str, PassForm]] = {"json": "json", "svg": "svg", "png": "png"}

NO_STORE: Final = {"Cache-Control": "no-store"}
"""Who finds a pass in a cache could drive in with it."""

PIXELS: Final = 8
"""Of a PNG, a side of each of the code's squares."""

STATUSES: Final = {
    BookingStatus.HELD_OFFER: "TENTATIVE",
    BookingStatus.CONFIRMED: "CONFIRMED",
    BookingStatus.ARRIVED: "CONFIRMED",
    BookingStatus.COMPLETED: "CONFIRMED",
    BookingStatus.CANCELLED: "CANCELLED",
    BookingStatus.NO_SHOW: "CANCELLED",
    BookingStatus.EXPIRED: "CANCELLED",
}
"""What a calendar says of a booking (RFC 5545, 3.8.1.11)."""

OFF: Final = (BookingStatus.CANCELLED, BookingStatus.NO_SHOW, BookingStatus.EXPIRED)
"""What will not be, or was not."""
OVER_MAX: Final = 100
KEPT_US: Final = 30 * DAY_US


class PassJson(Struct, frozen=True, rename={"begins": "from"}):
    """The pass of a booking: `code` is what a gate's scanner reads, and opens for until `expires_at`. To leave it is good without end."""

    booking_id: BookingId
    code: Annotated[str, Meta(pattern=f"^{CODE_FORM}$")]
    expires_at: Time
    lot_id: ParkingLotId
    space: Code
    plate: Plate
    begins: Time
    to: Time


async def gate_pass(call: Call) -> Answer:
    """`GET /parking/bookings/{booking_id}/pass?format=`: the code, as it is or as a QR code."""
    form = read_choice(call.query, "format", _FORMS, "json")
    runtime, hub = call.services.runtime, call.services.gates
    if hub is None:
        raise Overloaded(message="The port of the gates is not open yet.")
    parking, seq = runtime.state.parking, runtime.state.seq
    try:
        found = parking.bookings.get(read_id(call.path("booking_id"), "bkg_"))
    except NotFound:
        found = None
    if found is None or found.account_id != call.principal.account_id:
        return refusal(Refused(Refusal.BOOKING_NOT_FOUND), call.request_id, in_path=True)
    if found.status is BookingStatus.HELD_OFFER:
        await runtime.wait_durable(seq)
        return refusal(Refused(Refusal.BOOKING_NOT_OPEN, (("status", found.status),)), call.request_id)
    code, until_us = hub.codes.made(found.booking_id, runtime.now_us())
    data = PassJson(
        booking_id=f"bkg_{found.booking_id}",
        code=code,
        expires_at=time_text(until_us),
        lot_id=shown_lot(found.lot),
        space=parking.space_at(found.lot, found.space).number,
        plate=found.plate,
        begins=time_text(found.begin_us),
        to=time_text(found.end_us),
    )
    await runtime.wait_durable(seq)
    if form == "json":
        return success_as_of(encoded(data), seq, headers=dict(NO_STORE))
    image = await asyncio.to_thread(qr_code, code, form)
    return Answer(200, image, dict(NO_STORE), PNG if form == "png" else SVG)


def qr_code(code: str, form: PassForm) -> bytes:
    """A code as a picture that fits its page (SVG), or of 8 pixels for each square (PNG); 15 % of it may be unreadable."""
    symbol, out = segno.make_qr(code, error="m"), BytesIO()
    if form == "png":
        symbol.save(out, kind="png", scale=PIXELS)
    else:
        symbol.save(out, kind="svg", omitsize=True, light="white", encoding="utf-8")
    return out.getvalue()


async def calendar(call: Call) -> Answer:
    """`GET /parking/bookings.ics`: the caller's that are open, by their begin, and what will not be as CANCELLED, so that a calendar
    that has it takes it out: the newest hundred that were to end in the last 30 days or later.
    """
    runtime = call.services.runtime
    parking, seq, now_us = runtime.state.parking, runtime.state.seq, runtime.now_us()
    found = [
        parking.bookings[booking_id]
        for vehicle_id in parking.vehicles_of_account.get(call.principal.account_id, {})
        for booking_id in parking.bookings_of_vehicle.get(vehicle_id, {})
    ]
    await runtime.wait_durable(seq)
    history = ParkingHistory(call.services.database, call.services.write_behind)
    over = await history.bookings(call.principal.account_id, OFF, None, OVER_MAX)
    open_ids = {each.booking_id for each in found}
    found += [
        each for each in over.items if each.end_us > now_us - KEPT_US and each.booking_id not in open_ids
    ]
    found.sort(key=lambda each: (each.begin_us, each.booking_id))
    text = calendar_text("Kerb parking", [calendar_entry(parking, each) for each in found], now_us)
    headers = {"Content-Disposition": 'attachment; filename="bookings.ics"'}
    return Answer(200, text, headers, f"{MEDIA_TYPE}; charset=utf-8")


def calendar_entry(parking: Parking, booking: Booking) -> CalendarEntry:
    """A booking as an entry of a calendar; it has the same UID whatever becomes of it."""
    lot = parking.lots[booking.lot]
    space = parking.space_at(booking.lot, booking.space).number
    return CalendarEntry(
        uid=f"bkg_{booking.booking_id}@kerb",
        begin_us=booking.begin_us,
        end_us=booking.end_us,
        created_us=booking.created_us,
        status=STATUSES[booking.status],
        summary=f"Parking: {lot.name}, {space}",
        location=f"{lot.name}, {lot.address}" if lot.address else lot.name,
        description=f"Space {space}\nVehicle {booking.plate}\nBooking bkg_{booking.booking_id}",
    )
