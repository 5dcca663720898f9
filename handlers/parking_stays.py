"""Walk-ins, and stays: tickets by plate, paying for them, where the caller's vehicles are inside, and what is over with its receipts."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.apply import Applied
from engine.events import Refused
from engine.parking.booking_commands import IssueTicket, PayTicket
from engine.parking.booking_events import ParkingCharged, TicketSet
from engine.parking.booking_records import NO_SPACE, Stay, Ticket
from engine.parking.kinds import ChargeKind, EntryRight, StayStatus, TicketStatus, VehicleKind
from engine.parking.pricing import price_of_stay
from engine.parking.records import Parking
from engine.parking.tariff_records import Price
from engine.refusals import Refusal
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, refusal, success, success_as_of
from handlers.field_types import Time, TransactionId, names
from handlers.numbers import Number, cash
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.parking_words import Code, ParkingLotId, Plate, VehicleId, read_lot, shown_lot
from handlers.request_input import ID_MAX, read_choice, read_cursor, read_id, read_limit
from handlers.tariff_json import PriceJson, price_json
from handlers.vehicles import HEIGHT_MAX_CM, VehicleKindIn
from server.errors import NotFound, RefusedAtBorder
from server.parking_history import ParkingHistory, PastStay, before_of

TicketId = Annotated[str, Meta(pattern="^tkt_[1-9][0-9]{0,18}$")]
StayId = Annotated[str, Meta(pattern="^sty_[1-9][0-9]{0,18}$")]
TicketStatusName = Annotated[str, Meta(extra_json_schema=names(TicketStatus))]
StayStatusName = Annotated[str, Meta(extra_json_schema=names(StayStatus))]
EntryRightName = Annotated[str, Meta(extra_json_schema=names(EntryRight))]
ChargeKindName = Annotated[str, Meta(extra_json_schema=names(ChargeKind))]


class TicketBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /parking/tickets`: a walk-in by plate. `height_cm` 0 is not known."""

    lot_id: ParkingLotId
    plate: Plate
    kind: VehicleKindIn = "STANDARD"
    height_cm: Annotated[int, Meta(ge=0, le=HEIGHT_MAX_CM)] = 0


class PayBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /parking/tickets/{ticket_id}/pay`: from the caller's wallet. `lost`: the ticket is lost, the plate has found the stay."""

    lost: bool = False


class TicketJson(Struct, frozen=True):
    """A ticket. It is for the vehicle with this plate, or (`code:` and its code) for who shows it, within ten minutes; `leave_until`
    is set once it is paid.
    """

    ticket_id: TicketId
    lot_id: ParkingLotId
    plate: str
    status: TicketStatusName
    issued_at: Time
    leave_until: Time | None


class ChargedJson(Struct, frozen=True, kw_only=True):
    """What was charged for what, line by line: the lines sum to `price.total`, of which `paid` was paid."""

    transaction_id: TransactionId
    kind: ChargeKindName
    paid: Number
    price: PriceJson


class ReceiptJson(ChargedJson, frozen=True, kw_only=True):
    """What was paid for a ticket. There is time to leave until `leave_until`; then the clock runs again."""

    ticket_id: TicketId
    stay_id: StayId
    lot_id: ParkingLotId
    leave_until: Time | None


class StayReceiptJson(ChargedJson, frozen=True, kw_only=True):
    """What was charged for a stay: when it ended, or for its ticket before. `owed` became a debt; `cash`: at a machine."""

    owed: Number
    cash: bool
    charged_at: Time


class StayJson(Struct, frozen=True, kw_only=True):
    """A stay of a vehicle of the caller's. While it is INSIDE `price` is what leaving now would cost, null where a booking or pass
    pays for it. Once it has ENDED `receipts` are what it was charged, which is `charged` in all; of that `owed` became a debt.
    """

    stay_id: StayId
    lot_id: ParkingLotId
    vehicle_id: VehicleId
    plate: Plate
    space: Code | None
    by: EntryRightName
    status: StayStatusName
    begun_at: Time
    ended_at: Time | None
    price: PriceJson | None
    charged: Number
    owed: Number
    receipts: tuple[StayReceiptJson, ...] | None


_ticket: Final = msgspec.json.Decoder(TicketBody)
_pay: Final = msgspec.json.Decoder(PayBody)
BY_ITSELF: Final = (EntryRight.TICKET, EntryRight.WALLET, EntryRight.OPERATOR)
"""Rights of which the stay itself has a price."""


async def issue(call: Call) -> Answer:
    """`POST /parking/tickets`: 201."""
    body = call.decode(_ticket)
    try:
        lot = read_lot(body.lot_id)
    except NotFound:
        raise RefusedAtBorder(Refusal.PARKING_LOT_NOT_FOUND, "lot_id", "is no car park") from None
    command = IssueTicket(lot, body.plate, kind=VehicleKind[body.kind], height_cm=body.height_cm)
    applied = await call.execute(command)
    for event in applied.answer:
        if isinstance(event, TicketSet):
            return _done(ticket_json(event.ticket), applied, status=201)
    return _refused(call, applied)


async def pay(call: Call) -> Answer:
    """`POST /parking/tickets/{ticket_id}/pay`: the receipt. Anybody may pay for anybody."""
    body = call.decode(_pay) if call.body else PayBody()
    return receipt_answer(call, await call.execute(PayTicket(ticket_number(call), lost=body.lost)))


def ticket_number(call: Call) -> int:
    """The number of the ticket in the path; that of one that does not exist for what is none."""
    try:
        return read_id(call.path("ticket_id"), "tkt_")
    except NotFound:
        return ID_MAX


def receipt_answer(call: Call, applied: Applied) -> Answer:
    """The answer to a ticket that was paid."""
    charged = next((each for each in applied.answer if isinstance(each, ParkingCharged)), None)
    told = next((each for each in applied.answer if isinstance(each, TicketSet)), None)
    if told is None or charged is None:
        return _refused(call, applied)
    parking = call.services.runtime.state.parking
    price = Price(charged.total_e4, charged.tax_e4, charged.lines)
    receipt = ReceiptJson(
        transaction_id=f"txn_{charged.txn_id}",
        kind=charged.kind.name,
        ticket_id=f"tkt_{told.ticket.ticket_id}",
        stay_id=f"sty_{charged.stay_id}",
        lot_id=shown_lot(charged.lot),
        paid=cash(charged.paid_e4),
        price=price_json(price, parking.lots[charged.lot].currency),
        leave_until=_leave_until(told.ticket),
    )
    return _done(receipt, applied)


async def stays(call: Call) -> Answer:
    """`GET /parking/stays?status=&cursor=&limit=`, the newest first: those inside from memory, those that are over from the table.

    A stay that began before the vehicle was registered is somebody else's affair: anybody can register a plate.
    """
    runtime, account_id = call.services.runtime, call.principal.account_id
    status = read_choice(call.query, "status", {each.name: each for each in StayStatus}, None)
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    before = before_of(cursor)
    parking, seq, now_us = runtime.state.parking, runtime.state.seq, runtime.now_us()
    vehicles = [parking.vehicles[each] for each in parking.vehicles_of_account.get(account_id, {})]
    found: list[tuple[int, StayJson]] = []
    for vehicle in vehicles if status is not StayStatus.ENDED else ():
        stay = parking.stays.get(parking.stay_of_who.get(vehicle.plate, 0))
        if stay is not None and stay.stay_id < before and stay.begin_us >= vehicle.registered_us:
            found.append((stay.stay_id, _stay_json(parking, stay, vehicle.vehicle_id, now_us)))
    await runtime.wait_durable(seq)
    if status is not StayStatus.INSIDE:
        history = ParkingHistory(call.services.database, call.services.write_behind)
        over = await history.stays(account_id, seq, before, limit + 1, vehicles)
        found += [(each.stay_id, _past_json(parking, each)) for each in over]
    found.sort(key=itemgetter(0), reverse=True)
    next_cursor = str(found[limit - 1][0]) if len(found) > limit else None
    meta = MetaJson(as_of_seq=seq, limit=limit, next_cursor=next_cursor)
    return success([shown for _, shown in found[:limit]], meta=meta)


def _stay_json(parking: Parking, stay: Stay, vehicle_id: int, now_us: int) -> StayJson:
    price = price_of_stay(parking, stay, now_us) if stay.right in BY_ITSELF else None
    return StayJson(
        stay_id=f"sty_{stay.stay_id}",
        lot_id=shown_lot(stay.lot),
        vehicle_id=f"veh_{vehicle_id}",
        plate=stay.who,
        space=_space(parking, stay.lot, stay.space),
        by=stay.right.name,
        status=stay.status.name,
        begun_at=time_text(stay.begin_us),
        ended_at=None,
        price=None if price is None else price_json(price, parking.lots[stay.lot].currency),
        charged=cash(stay.charged_e4),
        owed=cash(stay.owed_e4),
        receipts=None,
    )


def _past_json(parking: Parking, stay: PastStay) -> StayJson:
    currency = parking.lots[stay.lot].currency
    receipts = [
        StayReceiptJson(
            transaction_id=f"txn_{each.txn_id}",
            kind=each.kind.name,
            paid=cash(each.paid_e4),
            price=price_json(each.price, currency),
            owed=cash(each.owed_e4),
            cash=each.cash,
            charged_at=time_text(each.charged_us),
        )
        for each in stay.receipts
    ]
    return StayJson(
        stay_id=f"sty_{stay.stay_id}",
        lot_id=shown_lot(stay.lot),
        vehicle_id=f"veh_{stay.vehicle_id}",
        plate=stay.plate,
        space=_space(parking, stay.lot, stay.space),
        by=stay.right.name,
        status=StayStatus.ENDED.name,
        begun_at=time_text(stay.begin_us),
        ended_at=time_text(stay.end_us),
        price=None,
        charged=cash(stay.charged_e4),
        owed=cash(stay.owed_e4),
        receipts=tuple(receipts),
    )


def _space(parking: Parking, lot: str, index: int) -> str | None:
    return None if index == NO_SPACE else parking.space_at(lot, index).number


def ticket_json(ticket: Ticket) -> TicketJson:
    """A ticket in an answer."""
    return TicketJson(
        ticket_id=f"tkt_{ticket.ticket_id}",
        lot_id=shown_lot(ticket.lot),
        plate=ticket.who,
        status=ticket.status.name,
        issued_at=time_text(ticket.issued_us),
        leave_until=_leave_until(ticket),
    )


def _leave_until(ticket: Ticket) -> str | None:
    return time_text(ticket.leave_until_us) if ticket.leave_until_us else None


def _done(data: Struct, applied: Applied, *, status: int = 200) -> Answer:
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(data), applied.seq, status=status, headers=headers)


def _refused(call: Call, applied: Applied) -> Answer:
    refused: Refused | None = applied.refused
    assert refused is not None
    return refusal(refused, call.request_id, in_path=True, duplicate=applied.duplicate)
