"""The waiting list: to wait for a space, to see one's place, and to take what is offered or let the next one have it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

from engine.apply import Applied
from engine.events import Refused
from engine.kinds import TimerKind
from engine.parking.booking_commands import AcceptOffer, JoinWaitingList, LeaveWaitingList
from engine.parking.booking_events import WaitingSet
from engine.parking.booking_records import WaitingEntry
from engine.parking.kinds import Feature, SpaceType, UserType, WaitingStatus
from engine.parking.pricing import priced
from engine.parking.records import Parking
from engine.refusals import Refusal
from engine.state import State
from handlers.booking_json import BookingId
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import Time, names
from handlers.numbers import AmountInOrNull
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.parking_bookings import (
    QuoteBody,
    answered_booking,
    booking_number,
    read_lot_in_body,
    read_minute_us,
    read_price_max_e4,
)
from handlers.parking_words import (
    Code,
    FeatureName,
    ParkingLotId,
    Plate,
    SpaceTypeName,
    VehicleId,
    members_of,
    read_vehicle,
    shown_lot,
)
from handlers.request_input import ID_MAX, read_id
from handlers.tariff_json import PriceJson, price_json
from server.errors import NotFound

PREFIX: Final = "wtg_"

WaitingId = Annotated[str, Meta(pattern="^wtg_[1-9][0-9]{0,18}$")]
WaitingStatusName = Annotated[str, Meta(extra_json_schema=names(WaitingStatus))]


class WaitingBody(QuoteBody, frozen=True, forbid_unknown_fields=True, rename={"begins": "from"}):
    """`POST /parking/waiting-list`: what to wait for, in the words of a booking. It begins later than now."""


class AcceptBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /parking/bookings/{booking_id}/accept`: `max_price` is what it may cost at most."""

    max_price: AmountInOrNull = field(default_factory=Raw)


class WaitingJson(Struct, frozen=True, kw_only=True, rename={"begins": "from"}):
    """A place on a car park's waiting list. `booking_id` is the offer, while there is one."""

    waiting_id: WaitingId
    lot_id: ParkingLotId
    vehicle_id: VehicleId
    type: SpaceTypeName
    features: tuple[FeatureName, ...]
    begins: Time
    to: Time
    status: WaitingStatusName
    since: Time
    booking_id: BookingId | None


class OfferJson(Struct, frozen=True):
    """A space that is held for who waits: until when, and what taking it now would cost."""

    booking_id: BookingId
    space: Code
    plate: Plate
    expires_at: Time
    price: PriceJson


class WaitingPlaceJson(WaitingJson, frozen=True, kw_only=True, rename={"begins": "from"}):
    """With `place`: 1 is asked first when a space comes free then, null while there is an offer."""

    place: int | None
    offer: OfferJson | None


class LeftJson(Struct, frozen=True):
    """Waiting is over."""

    waiting_id: WaitingId
    status: Literal["LEFT"]


_waiting: Final = msgspec.json.Decoder(WaitingBody)
_accept: Final = msgspec.json.Decoder(AcceptBody)


async def join(call: Call) -> Answer:
    """`POST /parking/waiting-list`: 201; offered at once, if there is a space."""
    body = call.decode(_waiting)
    command = JoinWaitingList(
        read_lot_in_body(body.lot_id),
        read_vehicle(body.vehicle_id),
        read_minute_us(body.begins, "from"),
        read_minute_us(body.to, "to"),
        SpaceType[body.type],
        sum({int(Feature[each]) for each in body.features}),
        sum({int(Feature[each]) for each in body.preferred}),
        user_type=UserType.PREMIUM if call.principal.premium else UserType.STANDARD,
    )
    applied = await call.execute(command)
    joined = [event.entry for event in applied.answer if isinstance(event, WaitingSet)]
    if not joined:
        return _refused(call, applied)
    mine = [entry for entry in joined if entry.waiting_id == joined[0].waiting_id]
    return _done(WaitingJson(**_members(mine[-1])), applied, status=201)


async def waiting(call: Call) -> Answer:
    """`GET /parking/waiting-list`: the caller's, in the order of their begin."""
    runtime = call.services.runtime
    state, seq = runtime.state, runtime.state.seq
    mine = [each for each in state.parking.waiting.values() if each.account_id == call.principal.account_id]
    mine.sort(key=lambda each: (each.begin_us, each.waiting_id))
    data = encoded([place_json(state, each) for each in mine])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def one(call: Call) -> Answer:
    """`GET /parking/waiting-list/{waiting_id}`."""
    runtime = call.services.runtime
    state, seq = runtime.state, runtime.state.seq
    found = state.parking.waiting.get(waiting_number(call))
    if found is None or found.account_id != call.principal.account_id:
        return refusal(Refused(Refusal.WAITING_NOT_FOUND), call.request_id, in_path=True)
    data = encoded(place_json(state, found))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def leave(call: Call) -> Answer:
    """`DELETE /parking/waiting-list/{waiting_id}`: wait no longer; an offer goes to the next."""
    return left(call, await call.execute(LeaveWaitingList(waiting_number(call))))


def left(call: Call, applied: Applied) -> Answer:
    """The answer to who waits no longer."""
    for event in applied.answer:
        if isinstance(event, WaitingSet):
            return _done(LeftJson(f"{PREFIX}{event.entry.waiting_id}", "LEFT"), applied)
    return _refused(call, applied)


async def accept(call: Call) -> Answer:
    """`POST /parking/bookings/{booking_id}/accept`: take an offer; the price is held."""
    body = call.decode(_accept) if call.body else AcceptBody()
    command = AcceptOffer(booking_number(call), read_price_max_e4(body.max_price))
    return answered_booking(call, await call.execute(command), in_path=True)


def place_json(state: State, entry: WaitingEntry) -> WaitingPlaceJson:
    """A place on the list as it is now."""
    is_waiting = entry.status is WaitingStatus.WAITING
    return WaitingPlaceJson(
        **_members(entry),
        place=place_of(state.parking, entry) if is_waiting else None,
        offer=None if is_waiting else _offer_json(state, entry),
    )


def place_of(parking: Parking, entry: WaitingEntry) -> int:
    """1 and how many came earlier who wait for a time that meets this one."""
    place = 1
    for waiting_id in parking.waiting_of_lot[entry.lot]:
        if waiting_id == entry.waiting_id:
            break
        other = parking.waiting[waiting_id]
        if (
            other.status is WaitingStatus.WAITING
            and other.begin_us < entry.end_us
            and entry.begin_us < other.end_us
        ):
            place += 1
    return place


def _offer_json(state: State, entry: WaitingEntry) -> OfferJson:
    parking = state.parking
    offer = parking.bookings[entry.booking_id]
    timer = state.timers[state.timer_ids[TimerKind.OFFER_OVER, str(offer.booking_id)]]
    _, price = priced(parking, offer)
    return OfferJson(
        booking_id=f"bkg_{offer.booking_id}",
        space=parking.space_at(offer.lot, offer.space).number,
        plate=offer.plate,
        expires_at=time_text(timer.due_us),
        price=price_json(price, parking.lots[offer.lot].currency),
    )


def _members(entry: WaitingEntry) -> dict[str, Any]:
    return {
        "waiting_id": f"{PREFIX}{entry.waiting_id}",
        "lot_id": shown_lot(entry.lot),
        "vehicle_id": f"veh_{entry.vehicle_id}",
        "type": entry.wish.space_type.name,
        "features": members_of(entry.wish.required, Feature),
        "begins": time_text(entry.begin_us),
        "to": time_text(entry.end_us),
        "status": entry.status.name,
        "since": time_text(entry.since_us),
        "booking_id": f"bkg_{entry.booking_id}" if entry.booking_id else None,
    }


def waiting_number(call: Call) -> int:
    """The number of the entry in the path; that of one that does not exist for what is none."""
    try:
        return read_id(call.path("waiting_id"), PREFIX)
    except NotFound:
        return ID_MAX


def _done(data: Struct, applied: Applied, *, status: int = 200) -> Answer:
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(data), applied.seq, status=status, headers=headers)


def _refused(call: Call, applied: Applied) -> Answer:
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
