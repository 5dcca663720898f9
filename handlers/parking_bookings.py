"""Quotes and bookings: what a space would cost, booking it, extending it, giving it back. Each price explains itself line by line."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

from engine.apply import Applied
from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import Source
from engine.parking.booking_commands import BookSpace, CancelBooking, ExtendBooking
from engine.parking.booking_events import BookingSet
from engine.parking.bookings import quote
from engine.parking.kinds import BookingStatus, Feature, SpaceType, UserType
from engine.parking.pricing import QUOTE_US
from engine.refusals import Refusal
from handlers.booking_json import booking_json
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, refusal, success, success_as_of
from handlers.field_types import Time, TimeIn
from handlers.numbers import AmountInOrNull, is_absent, read_amount_e4
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.parking_words import (
    Code,
    ParkingLotId,
    SpaceTypeName,
    VehicleId,
    read_lot,
    read_vehicle,
)
from handlers.request_input import (
    ID_MAX,
    OUT_OF_RANGE,
    TIME_MAX_US,
    moment_us,
    read_choice,
    read_cursor,
    read_id,
    read_limit,
)
from handlers.tariff_json import PriceJson, price_json
from server.errors import NotFound, RefusedAtBorder
from server.parking_history import ParkingHistory, before_of

SpaceTypeIn = Literal["STANDARD", "COMPACT", "LARGE", "ACCESSIBLE", "EV", "MOTORCYCLE", "VIP"]
FeatureIn = Literal["COVERED", "NEAR_LIFT", "CHARGER"]
Features = Annotated[tuple[FeatureIn, ...], Meta(max_length=3, extra_json_schema={"uniqueItems": True})]
STATUSES: Final = {each.name: each for each in BookingStatus}


class QuoteBody(Struct, frozen=True, forbid_unknown_fields=True, rename={"begins": "from"}):
    """`POST /parking/quotes`: a space of a type for one of the caller's vehicles, from and to whole minutes. `features` it must have,
    `preferred` it should.
    """

    lot_id: ParkingLotId
    vehicle_id: VehicleId
    begins: TimeIn
    to: TimeIn
    type: SpaceTypeIn = "STANDARD"
    features: Features = ()
    preferred: Features = ()


class BookingBody(QuoteBody, frozen=True, forbid_unknown_fields=True, rename={"begins": "from"}):
    """`POST /parking/bookings`: the same. `tariff_version` is that of a quote, which it may be booked at for ten minutes; `max_price` is
    what it may cost at most.
    """

    tariff_version: Annotated[int, Meta(ge=1, le=999_999_999)] | None = None
    max_price: AmountInOrNull = field(default_factory=Raw)


class ExtendBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /parking/bookings/{booking_id}/extend`: the new end."""

    to: TimeIn


class BookingQuoteJson(Struct, frozen=True, rename={"begins": "from"}):
    """What a booking would cost now, how many spaces there are for it, and until when it may be booked at `tariff_version`."""

    lot_id: ParkingLotId
    vehicle_id: VehicleId
    begins: Time
    to: Time
    type: SpaceTypeName
    available: int
    tariff: Code
    tariff_version: int
    valid_until: Time
    price: PriceJson


_quote: Final = msgspec.json.Decoder(QuoteBody)
_booking: Final = msgspec.json.Decoder(BookingBody)
_extend: Final = msgspec.json.Decoder(ExtendBody)


async def quotes(call: Call) -> Answer:
    """`POST /parking/quotes`: nothing changes, and nothing is promised but the tariff's version."""
    body = call.decode(_quote)
    runtime, principal = call.services.runtime, call.principal
    command = _command(call, body)
    state, now_us = runtime.state, runtime.now_us()
    seq = state.seq
    offer = quote(state, Envelope(Source.HTTP, principal.user_id, principal.account_id), command, now_us)
    if isinstance(offer, Refused):
        await runtime.wait_durable(seq)
        return refusal(offer, call.request_id)
    data = BookingQuoteJson(
        lot_id=body.lot_id,
        vehicle_id=body.vehicle_id,
        begins=time_text(command.begin_us),
        to=time_text(command.end_us),
        type=body.type,
        available=offer.spaces,
        tariff=offer.terms.tariff,
        tariff_version=offer.terms.version,
        valid_until=time_text(now_us + QUOTE_US),
        price=price_json(offer.price, state.parking.lots[command.lot].currency),
    )
    await runtime.wait_durable(seq)
    return success_as_of(encoded(data), seq)


async def book(call: Call) -> Answer:
    """`POST /parking/bookings`: 201; the price is held on the wallet."""
    body = call.decode(_booking)
    command = _command(call, body, body.tariff_version or 0, read_price_max_e4(body.max_price))
    return answered_booking(call, await call.execute(command), status=201)


async def bookings(call: Call) -> Answer:
    """`GET /parking/bookings?status=&cursor=&limit=`: the caller's that are open, by their begin; of a status of those that are over,
    the newest first.
    """
    runtime = call.services.runtime
    status = read_choice(call.query, "status", STATUSES, None)
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    if status is not None and status > BookingStatus.ARRIVED:
        return await _over(call, status, cursor, limit)
    before_of(cursor)  # the open ones come whole, and still take no cursor that is none
    parking, seq = runtime.state.parking, runtime.state.seq
    found = [
        parking.bookings[booking_id]
        for vehicle_id in parking.vehicles_of_account.get(call.principal.account_id, {})
        for booking_id in parking.bookings_of_vehicle.get(vehicle_id, {})
    ]
    found = [each for each in found if status is None or each.status is status]
    found.sort(key=lambda each: (each.begin_us, each.booking_id))
    data = encoded([booking_json(parking, each) for each in found])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def booking(call: Call) -> Answer:
    """`GET /parking/bookings/{booking_id}`."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    booking_id = booking_number(call)
    found = parking.bookings.get(booking_id)
    if found is None:
        await runtime.wait_durable(seq)
        found = await _history(call).booking(call.principal.account_id, booking_id)
    if found is None or found.account_id != call.principal.account_id:
        return refusal(Refused(Refusal.BOOKING_NOT_FOUND), call.request_id, in_path=True)
    data = encoded(booking_json(parking, found))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def _over(call: Call, status: BookingStatus, cursor: str | None, limit: int) -> Answer:
    """Those of the caller's that are over in this way."""
    runtime = call.services.runtime
    seq = runtime.state.seq
    await runtime.wait_durable(seq)
    page = await _history(call).bookings(call.principal.account_id, (status,), cursor, limit)
    data = [booking_json(runtime.state.parking, each) for each in page.items]
    return success(data, meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=page.next_cursor))


def _history(call: Call) -> ParkingHistory:
    return ParkingHistory(call.services.database, call.services.write_behind)


async def cancel(call: Call) -> Answer:
    """`DELETE /parking/bookings/{booking_id}`: the lot's refund table says what is given back."""
    return answered_booking(call, await call.execute(CancelBooking(booking_number(call))), in_path=True)


async def extend(call: Call) -> Answer:
    """`POST /parking/bookings/{booking_id}/extend`: the difference is held."""
    body = call.decode(_extend)
    longer = ExtendBooking(booking_number(call), read_minute_us(body.to, "to"))
    return answered_booking(call, await call.execute(longer), in_path=True)


def _command(call: Call, body: QuoteBody, version: int = 0, price_max_e4: int = 0) -> BookSpace:
    return BookSpace(
        read_lot_in_body(body.lot_id),
        read_vehicle(body.vehicle_id),
        read_minute_us(body.begins, "from"),
        read_minute_us(body.to, "to"),
        SpaceType[body.type],
        sum({int(Feature[each]) for each in body.features}),
        sum({int(Feature[each]) for each in body.preferred}),
        user_type=UserType.PREMIUM if call.principal.premium else UserType.STANDARD,
        version=version,
        price_max_e4=price_max_e4,
    )


def read_lot_in_body(text: str) -> str:
    """A car park; what is none is refused as the engine would."""
    try:
        return read_lot(text)
    except NotFound:
        raise RefusedAtBorder(Refusal.PARKING_LOT_NOT_FOUND, "lot_id", "is no car park") from None


def read_price_max_e4(raw: Raw) -> int:
    """What something may cost at most, 0 for whatever it costs."""
    if is_absent(raw):
        return 0
    price_max_e4 = read_amount_e4(raw, "max_price")
    if price_max_e4 <= 0:
        raise RefusedAtBorder(Refusal.INVALID_AMOUNT, "max_price", "must be above zero")
    return price_max_e4


def read_minute_us(text: str, field: str) -> int:
    """A time; one of another age than ours cannot be written in an answer, and is refused by the rules."""
    time_us = moment_us(text, field)
    if not 0 <= time_us < TIME_MAX_US:
        raise RefusedAtBorder(Refusal.INVALID_INTERVAL, field, OUT_OF_RANGE)
    return time_us


def booking_number(call: Call) -> int:
    """The number of the booking in the path; that of one that does not exist for what is none."""
    try:
        return read_id(call.path("booking_id"), "bkg_")
    except NotFound:
        return ID_MAX


def answered_booking(call: Call, applied: Applied, *, status: int = 200, in_path: bool = False) -> Answer:
    for event in applied.answer:
        if isinstance(event, BookingSet):
            data = booking_json(call.services.runtime.state.parking, event.booking)
            headers = HIT if applied.duplicate else None
            return success_as_of(encoded(data), applied.seq, status=status, headers=headers)
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, in_path=in_path, duplicate=applied.duplicate)
