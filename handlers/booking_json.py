"""A booking as its owner sees it: what every answer and message about one has, and the price line by line."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from engine.parking.booking_records import Booking, Terms
from engine.parking.kinds import BookingStatus, Feature
from engine.parking.pricing import priced
from engine.parking.records import Parking
from handlers.field_types import Time, names
from handlers.numbers import Number, cash
from handlers.order_json import time_text
from handlers.parking_words import (
    Code,
    FeatureName,
    ParkingLotId,
    Plate,
    SpaceTypeName,
    VehicleId,
    members_of,
    shown_lot,
)
from handlers.tariff_json import PriceJson, price_json

BookingId = Annotated[str, Meta(pattern="^bkg_[1-9][0-9]{0,18}$")]
BookingStatusName = Annotated[str, Meta(extra_json_schema=names(BookingStatus))]


class BookedJson(Struct, frozen=True, kw_only=True, rename={"begins": "from"}):
    """What of a booking is the same wherever it is told. `held` is what is held of the wallet."""

    booking_id: BookingId
    lot_id: ParkingLotId
    vehicle_id: VehicleId
    plate: Plate
    space: Code
    type: SpaceTypeName
    features: tuple[FeatureName, ...]
    begins: Time
    to: Time
    status: BookingStatusName
    tariff: Code | None
    tariff_version: int
    held: Number
    created_at: Time


class BookingJson(BookedJson, frozen=True, kw_only=True, rename={"begins": "from"}):
    """A booking. `held` is what is held of the wallet; `price` is that of its tariff's version, line by line: of a HELD_OFFER what
    taking it now would cost, of an offer that was not taken nothing, and `tariff` is null.
    """

    price: PriceJson


def booking_json(parking: Parking, each: Booking) -> BookingJson:
    """A booking as its owner sees it."""
    terms, price = priced(parking, each)
    shown = price_json(price, parking.lots[each.lot].currency)
    return BookingJson(**booked(parking, each, terms), price=shown)


def booked(parking: Parking, each: Booking, terms: Terms) -> dict[str, Any]:
    """The members of `BookedJson`, at these terms."""
    return {
        "booking_id": f"bkg_{each.booking_id}",
        "lot_id": shown_lot(each.lot),
        "vehicle_id": f"veh_{each.vehicle_id}",
        "plate": each.plate,
        "space": parking.space_at(each.lot, each.space).number,
        "type": each.wish.space_type.name,
        "features": members_of(each.wish.required, Feature),
        "begins": time_text(each.begin_us),
        "to": time_text(each.end_us),
        "status": each.status.name,
        "tariff": terms.tariff or None,
        "tariff_version": terms.version,
        "held": cash(each.hold_e4),
        "created_at": time_text(each.created_us),
    }
