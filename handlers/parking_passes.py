"""Passes: what a car park sells, what one would cost, buying it, and giving it back."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct, field

from engine.apply import Applied
from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import Source
from engine.parking.booking_commands import BuyPass, CancelPass
from engine.parking.booking_events import ParkingCharged, PassSet
from engine.parking.booking_records import NO_SPACE, Pass
from engine.parking.kinds import PassKind, PassStatus
from engine.parking.passes import quote_pass
from engine.parking.pricing import QUOTE_US
from engine.parking.records import Parking
from engine.parking.tariff_records import Price
from engine.parking.tariff_setting import tariff_now
from engine.refusals import Refusal
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import Time, TimeIn, names
from handlers.numbers import AmountInOrNull, Number, cash
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.parking_bookings import read_lot_in_body, read_minute_us, read_price_max_e4
from handlers.parking_words import (
    Code,
    ParkingLotId,
    VehicleId,
    read_lot,
    read_vehicle,
    shown_lot,
)
from handlers.request_input import ID_MAX, read_id
from handlers.tariff_json import (
    PassKindName,
    PassProductJson,
    PriceJson,
    WeekdayName,
    passes_json,
    price_json,
    wall_text,
    weekdays_of,
)
from server.errors import NotFound

PREFIX: Final = "pas_"

PassId = Annotated[str, Meta(pattern="^pas_[1-9][0-9]{0,18}$")]
PassStatusName = Annotated[str, Meta(extra_json_schema=names(PassStatus))]


class PassQuoteBody(Struct, frozen=True, forbid_unknown_fields=True, rename={"begins": "from"}):
    """`POST /parking/passes/quotes`: a pass that the car park sells, by its `code`, for one of the caller's vehicles from a minute on."""

    lot_id: ParkingLotId
    vehicle_id: VehicleId
    code: Code
    begins: TimeIn


class PassBody(PassQuoteBody, frozen=True, forbid_unknown_fields=True, rename={"begins": "from"}):
    """`POST /parking/passes`: the same. `tariff_version` is that of a quote; `max_price` is what it may cost at most."""

    tariff_version: Annotated[int, Meta(ge=1, le=999_999_999)] | None = None
    max_price: AmountInOrNull = field(default_factory=Raw)


class PassQuoteJson(Struct, frozen=True, kw_only=True, rename={"begins": "from"}):
    """What a pass would cost now, until when it would be good, and until when it may be bought at `tariff_version`."""

    lot_id: ParkingLotId
    vehicle_id: VehicleId
    code: Code
    begins: Time
    to: Time
    tariff_version: int
    valid_until: Time
    price: PriceJson


class SeasonPassJson(Struct, frozen=True, kw_only=True, rename={"starts": "from"}):
    """A pass. A RECURRING one is good on `weekdays` from `begins` to `ends` of the car park's clock. `code` is null for one that an
    operator made, `space` where none is reserved; `paid` is with tax.
    """

    pass_id: PassId
    lot_id: ParkingLotId
    vehicle_id: VehicleId
    code: Code | None
    kind: PassKindName
    starts: Time
    to: Time
    weekdays: tuple[WeekdayName, ...]
    begins: str
    ends: str
    space: Code | None
    paid: Number
    status: PassStatusName


class BoughtPassJson(SeasonPassJson, frozen=True, kw_only=True, rename={"starts": "from"}):
    """With its price line by line."""

    price: PriceJson


_quote: Final = msgspec.json.Decoder(PassQuoteBody)
_buy: Final = msgspec.json.Decoder(PassBody)


async def products(call: Call) -> Answer:
    """`GET /parking/lots/{lot_id}/passes`: those of the lot's tariff as it is now."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    lot = parking.lots.get(read_lot(call.path("lot_id")))
    if lot is None:
        raise NotFound("There is no such car park.")
    tariff = tariff_now(parking, lot.tariff)
    found: tuple[PassProductJson, ...] = ()
    if tariff is not None and tariff.currency == lot.currency:
        found = passes_json(tariff)
    data = encoded(found)
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def quotes(call: Call) -> Answer:
    """`POST /parking/passes/quotes`: nothing changes, and nothing is promised but the tariff's version."""
    body = call.decode(_quote)
    runtime, principal = call.services.runtime, call.principal
    command = _command(body)
    state, now_us = runtime.state, runtime.now_us()
    seq = state.seq
    offer = quote_pass(state, Envelope(Source.HTTP, principal.user_id, principal.account_id), command, now_us)
    if isinstance(offer, Refused):
        await runtime.wait_durable(seq)
        return refusal(offer, call.request_id)
    data = PassQuoteJson(
        lot_id=body.lot_id,
        vehicle_id=body.vehicle_id,
        code=body.code,
        begins=time_text(offer.draft.begin_us),
        to=time_text(offer.draft.end_us),
        tariff_version=offer.version,
        valid_until=time_text(now_us + QUOTE_US),
        price=price_json(offer.price, state.parking.lots[command.lot].currency),
    )
    await runtime.wait_durable(seq)
    return success_as_of(encoded(data), seq)


async def buy(call: Call) -> Answer:
    """`POST /parking/passes`: 201; paid from the wallet at once."""
    body = call.decode(_buy)
    command = _command(body, body.tariff_version or 0, read_price_max_e4(body.max_price))
    applied = await call.execute(command)
    return bought(call, applied)


async def passes(call: Call) -> Answer:
    """`GET /parking/passes`: the caller's that are not over, by their begin."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    found = [
        parking.passes[pass_id]
        for vehicle_id in parking.vehicles_of_account.get(call.principal.account_id, {})
        for pass_id in parking.passes_of_vehicle.get(vehicle_id, {})
    ]
    found.sort(key=lambda each: (each.begin_us, each.pass_id))
    data = encoded([SeasonPassJson(**pass_members(parking, each)) for each in found])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def one(call: Call) -> Answer:
    """`GET /parking/passes/{pass_id}`."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    found = parking.passes.get(pass_number(call))
    if found is None or found.account_id != call.principal.account_id:
        return refusal(Refused(Refusal.PASS_NOT_FOUND), call.request_id, in_path=True)
    data = encoded(SeasonPassJson(**pass_members(parking, found)))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def cancel(call: Call) -> Answer:
    """`DELETE /parking/passes/{pass_id}`: what was paid stays paid."""
    return cancelled(call, await call.execute(CancelPass(pass_number(call))))


def bought(call: Call, applied: Applied) -> Answer:
    """The answer to a pass that was sold."""
    parking = call.services.runtime.state.parking
    sold = [event.season_pass for event in applied.answer if isinstance(event, PassSet)]
    paid = [event for event in applied.answer if isinstance(event, ParkingCharged)]
    if not sold:
        assert applied.refused is not None
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    price = Price(paid[0].total_e4, paid[0].tax_e4, paid[0].lines)
    data = BoughtPassJson(
        **pass_members(parking, sold[0]),
        price=price_json(price, parking.lots[sold[0].lot].currency),
    )
    return _done(data, applied, status=201)


def cancelled(call: Call, applied: Applied) -> Answer:
    """The answer to a pass that was given back."""
    for event in applied.answer:
        if isinstance(event, PassSet):
            parking = call.services.runtime.state.parking
            return _done(SeasonPassJson(**pass_members(parking, event.season_pass)), applied)
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, in_path=True, duplicate=applied.duplicate)


def pass_members(parking: Parking, each: Pass) -> dict[str, Any]:
    """The members of a pass in an answer."""
    return {
        "pass_id": f"{PREFIX}{each.pass_id}",
        "lot_id": shown_lot(each.lot),
        "vehicle_id": f"veh_{each.vehicle_id}",
        "code": each.product or None,
        "kind": PassKind(each.kind).name,
        "starts": time_text(each.begin_us),
        "to": time_text(each.end_us),
        "weekdays": weekdays_of(each.weekdays),
        "begins": wall_text(each.from_minute),
        "ends": wall_text(each.to_minute),
        "space": None if each.space == NO_SPACE else parking.space_at(each.lot, each.space).number,
        "paid": cash(each.price_e4),
        "status": each.status.name,
    }


def pass_number(call: Call) -> int:
    """The number of the pass in the path; that of one that does not exist for what is none."""
    try:
        return read_id(call.path("pass_id"), PREFIX)
    except NotFound:
        return ID_MAX


def _command(body: PassQuoteBody, version: int = 0, price_max_e4: int = 0) -> BuyPass:
    return BuyPass(
        read_lot_in_body(body.lot_id),
        read_vehicle(body.vehicle_id),
        body.code,
        read_minute_us(body.begins, "from"),
        version,
        price_max_e4,
    )


def _done(data: Struct, applied: Applied, *, status: int = 200) -> Answer:
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(data), applied.seq, status=status, headers=headers)
