"""What an operator does for drivers, or to them: gives a booking back, lets somebody out, sells a pass, takes cash, blocks a plate.

Who did it, and why, stands in the audit and in the journal.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from engine.apply import Applied
from engine.parking.booking_commands import (
    CancelBooking,
    CancelPass,
    EndStay,
    IssuePass,
    IssueTicket,
    LeaveWaitingList,
    PayTicket,
)
from engine.parking.booking_events import ParkingCharged, StaySet, TicketSet
from engine.parking.commands import BlockPlate, BlockTag, SetVehicleRights
from engine.parking.events import VehicleSet
from engine.parking.kinds import PassKind, VehicleKind, VehicleRight
from engine.parking.tariff_records import Price
from engine.parking.vehicles import is_epc, is_plate
from engine.refusals import Refusal
from engine.units import CASH_SCALE, CASH_TOTAL_MAX_E4
from handlers.admin_gates import Reason
from handlers.admin_risk import as_operator
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import Time, TimeIn, TransactionId
from handlers.numbers import Number, cash, is_absent, read_amount_e4
from handlers.order_body import said_text
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.parking_bookings import answered_booking, booking_number, read_lot_in_body, read_minute_us
from handlers.parking_passes import bought, cancelled, pass_number
from handlers.parking_stays import (
    PayBody,
    StayId,
    receipt_answer,
    ticket_json,
    ticket_number,
)
from handlers.parking_waiting import left, waiting_number
from handlers.parking_words import (
    Code,
    ParkingLotId,
    VehicleId,
    VehicleRightName,
    members_of,
    read_vehicle,
)
from handlers.request_input import ID_MAX, moment_us, read_id
from handlers.tariff_json import PriceJson, price_json
from handlers.vehicles import HEIGHT_MAX_CM, VehicleKindIn
from server.errors import BadRequest, NotFound, RefusedAtBorder

WallIn = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
WeekdayIn = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
WEEKDAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
AmountOrZero = Annotated[
    Raw,
    Meta(
        description="An amount of cash, as a JSON number or as a string; read exactly.",
        extra_json_schema={
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": CASH_TOTAL_MAX_E4 // CASH_SCALE,
            "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$",
        },
    ),
]


class WhyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why: it is kept with who said it."""

    reason: Reason


class EndStayBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/parking/stays/{stay_id}/end`. `left_at` is when the vehicle was gone, now if it is left out; `waive`: nothing is charged."""

    reason: Reason
    left_at: TimeIn | None = None
    waive: bool = False


class DeskPassBody(Struct, frozen=True, forbid_unknown_fields=True, rename={"starts": "from"}):
    """`POST /admin/parking/passes`: at a price of the operator's own, `tax` a part of it. A SEASON pass is for every day and hour;
    `space` is the number of one to reserve.
    """

    lot_id: ParkingLotId
    vehicle_id: VehicleId
    starts: TimeIn
    to: TimeIn
    price: AmountOrZero
    kind: Literal["SEASON", "RECURRING"] = "SEASON"
    tax: AmountOrZero = msgspec.field(default_factory=Raw)
    weekdays: Annotated[tuple[WeekdayIn, ...], Meta(max_length=7)] = WEEKDAYS
    begins: WallIn = "00:00"
    ends: WallIn = "24:00"
    space: Code | None = None


class RightsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/parking/vehicles/{vehicle_id}/rights`: what an operator has seen that the vehicle has the right to, all of it."""

    rights: Annotated[tuple[Literal["ACCESSIBLE", "VIP", "ELECTRIC"], ...], Meta(max_length=3)]


class PrintedTicketBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/parking/tickets`: a ticket with a code that is printed on it. `height_cm` 0 is not known."""

    lot_id: ParkingLotId
    code: Code
    kind: VehicleKindIn = "STANDARD"
    height_cm: Annotated[int, Meta(ge=0, le=HEIGHT_MAX_CM)] = 0


class EndedStayJson(Struct, frozen=True):
    """A stay that was ended, and its receipt: of the price `paid` was paid, and `owed` is a debt."""

    stay_id: StayId
    left_at: Time
    transaction_id: TransactionId
    paid: Number
    owed: Number
    price: PriceJson


class RightsJson(Struct, frozen=True):
    """What a vehicle has the right to."""

    vehicle_id: VehicleId
    rights: tuple[VehicleRightName, ...]


class BlockedJson(Struct, frozen=True):
    """Whether no gate opens for it."""

    value: str
    blocked: bool


_reason: Final = msgspec.json.Decoder(WhyBody)
_end: Final = msgspec.json.Decoder(EndStayBody)
_pass: Final = msgspec.json.Decoder(DeskPassBody)
_rights: Final = msgspec.json.Decoder(RightsBody)
_ticket: Final = msgspec.json.Decoder(PrintedTicketBody)
_pay: Final = msgspec.json.Decoder(PayBody)


async def cancel_booking(call: Call) -> Answer:
    """`POST /admin/parking/bookings/{booking_id}/cancel`: for the driver, everything is given back."""
    reason = said_text(call.decode(_reason).reason, "reason")
    command = CancelBooking(booking_number(call), whole=True, reason=reason)
    return answered_booking(call, await as_operator(call, command), in_path=True)


async def end_stay(call: Call) -> Answer:
    """`POST /admin/parking/stays/{stay_id}/end`: charged as at a gate, or for nothing."""
    body = call.decode(_end)
    left_us = 0 if body.left_at is None else moment_us(body.left_at, "left_at")
    now_us = call.services.runtime.now_us()
    if body.left_at is not None and not 0 < left_us <= now_us:
        raise RefusedAtBorder(
            Refusal.INVALID_INTERVAL, "left_at", "must be after the begin of the stay, and past"
        )
    try:
        stay_id = read_id(call.path("stay_id"), "sty_")
    except NotFound:
        stay_id = ID_MAX
    command = EndStay(stay_id, body.waive, said_text(body.reason, "reason"), left_us)
    applied = await as_operator(call, command)
    receipt = next((each for each in applied.answer if isinstance(each, ParkingCharged)), None)
    told = [each.stay for each in applied.answer if isinstance(each, StaySet)]
    if receipt is None:
        return _refused(call, applied)
    price = Price(receipt.total_e4, receipt.tax_e4, receipt.lines)
    data = EndedStayJson(
        f"sty_{receipt.stay_id}",
        time_text(told[-1].end_us),
        f"txn_{receipt.txn_id}",
        cash(receipt.paid_e4),
        cash(receipt.owed_e4),
        price_json(price, call.services.runtime.state.parking.lots[receipt.lot].currency),
    )
    return _done(data, applied)


async def sell_pass(call: Call) -> Answer:
    """`POST /admin/parking/passes`: 201; paid from the driver's wallet at once."""
    body = call.decode(_pass)
    command = IssuePass(
        read_vehicle(body.vehicle_id),
        read_lot_in_body(body.lot_id),
        PassKind[body.kind],
        read_minute_us(body.starts, "from"),
        read_minute_us(body.to, "to"),
        read_amount_e4(body.price, "price"),
        0 if is_absent(body.tax) else read_amount_e4(body.tax, "tax"),
        sum({1 << WEEKDAYS.index(day) for day in body.weekdays}),
        _minute(body.begins),
        _minute(body.ends),
        body.space or "",
    )
    return bought(call, await as_operator(call, command))


async def cancel_pass(call: Call) -> Answer:
    """`DELETE /admin/parking/passes/{pass_id}`."""
    return cancelled(call, await as_operator(call, CancelPass(pass_number(call))))


async def leave_waiting_list(call: Call) -> Answer:
    """`DELETE /admin/parking/waiting-list/{waiting_id}`."""
    return left(call, await as_operator(call, LeaveWaitingList(waiting_number(call))))


async def print_ticket(call: Call) -> Answer:
    """`POST /admin/parking/tickets`: 201."""
    body = call.decode(_ticket)
    command = IssueTicket(
        read_lot_in_body(body.lot_id),
        code=body.code,
        kind=VehicleKind[body.kind],
        height_cm=body.height_cm,
    )
    applied = await as_operator(call, command)
    for event in applied.answer:
        if isinstance(event, TicketSet):
            return _done(ticket_json(event.ticket), applied, status=201)
    return _refused(call, applied, in_path=False)


async def take_cash(call: Call) -> Answer:
    """`POST /admin/parking/tickets/{ticket_id}/pay`: in cash, what the stay costs until now."""
    body = call.decode(_pay) if call.body else PayBody()
    applied = await as_operator(call, PayTicket(ticket_number(call), cash=True, lost=body.lost))
    return receipt_answer(call, applied)


async def set_rights(call: Call) -> Answer:
    """`PUT /admin/parking/vehicles/{vehicle_id}/rights`."""
    body = call.decode(_rights)
    total = sum({int(VehicleRight[each]) for each in body.rights})
    applied = await as_operator(call, SetVehicleRights(read_vehicle(call.path("vehicle_id")), total))
    for event in applied.answer:
        if isinstance(event, VehicleSet):
            vehicle = event.vehicle
            rights = members_of(vehicle.rights, VehicleRight)
            return _done(RightsJson(f"veh_{vehicle.vehicle_id}", rights), applied)
    return _refused(call, applied)


async def block_plate(call: Call) -> Answer:
    """`PUT /admin/parking/blocklist/plates/{plate}`."""
    reason = said_text(call.decode(_reason).reason, "reason")
    return await _block(call, BlockPlate(_plate(call), on=True, reason=reason), blocked=True)


async def unblock_plate(call: Call) -> Answer:
    """`DELETE /admin/parking/blocklist/plates/{plate}`."""
    return await _block(call, BlockPlate(_plate(call), on=False, reason=""), blocked=False)


async def block_tag(call: Call) -> Answer:
    """`PUT /admin/parking/blocklist/tags/{tag}`."""
    reason = said_text(call.decode(_reason).reason, "reason")
    return await _block(call, BlockTag(_tag(call), on=True, reason=reason), blocked=True)


async def unblock_tag(call: Call) -> Answer:
    """`DELETE /admin/parking/blocklist/tags/{tag}`."""
    return await _block(call, BlockTag(_tag(call), on=False, reason=""), blocked=False)


async def _block(call: Call, command: BlockPlate | BlockTag, *, blocked: bool) -> Answer:
    applied = await as_operator(call, command)
    if applied.refused is not None:
        return _refused(call, applied)
    value = command.plate if isinstance(command, BlockPlate) else command.epc
    return _done(BlockedJson(value, blocked), applied)


def _plate(call: Call) -> str:
    text = call.path("plate")
    if not is_plate(text):
        raise BadRequest("plate", "must be letters and digits, upper case, without blanks")
    return text


def _tag(call: Call) -> str:
    text = call.path("tag")
    if not is_epc(text):
        raise BadRequest("tag", "must be 8 to 62 hexadecimal digits, upper case, an even number")
    return text


def _minute(wall: str) -> int:
    hour, minute = wall.split(":")
    return int(hour) * 60 + int(minute)


def _done(data: Struct, applied: Applied, *, status: int = 200) -> Answer:
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(data), applied.seq, status=status, headers=headers)


def _refused(call: Call, applied: Applied, *, in_path: bool = True) -> Answer:
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, in_path=in_path, duplicate=applied.duplicate)
