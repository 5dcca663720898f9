"""A booking in its owner's channel `bookings`, in both forms.

What is told is what the event says: its price and not the lines of it, which a tariff that is gone meanwhile could not make again
for who resumes. `GET /parking/bookings/{booking_id}` has them.
"""

from __future__ import annotations

from typing import cast

from engine.parking.booking_events import BookingSet
from engine.parking.kinds import Feature
from engine.state import State
from handlers.booking_json import BookedJson, booked
from handlers.envelope import encoded
from handlers.field_types import Currency
from handlers.numbers import Number, cash
from handlers.parking_words import shown_lot
from server import kerb_pb2
from server.private_streams import Remembered


class StreamBookingJson(BookedJson, frozen=True, kw_only=True, rename={"begins": "from"}):
    """A booking as it stands. `held` is what is held of the wallet; `tax` is a part of `total`. An offer has no `tariff` yet."""

    total: Number
    tax: Number
    currency: Currency


class BookingEncoder:
    """Makes the JSON of a booking; what its space is called and in which money it is paid, the state says."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, event: BookingSet) -> bytes:
        each, parking = event.booking, self._state.parking
        return encoded(
            StreamBookingJson(
                **booked(parking, each, each.terms),
                total=cash(each.price_e4),
                tax=cash(each.tax_e4),
                currency=parking.lots[each.lot].currency,
            )
        )


class BookingPacker:
    """Makes a message of the `bookings` channel as protobuf."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, entry: Remembered) -> bytes:
        each, parking = cast(BookingSet, entry.event).booking, self._state.parking
        message = kerb_pb2.Booking(
            booking_id=f"bkg_{each.booking_id}",
            lot_id=shown_lot(each.lot),
            vehicle_id=f"veh_{each.vehicle_id}",
            plate=each.plate,
            space=parking.space_at(each.lot, each.space).number,
            type=cast(kerb_pb2.SpaceType, each.wish.space_type),
            features=[cast(kerb_pb2.Feature, kind) for kind in Feature if each.wish.required & kind],
            from_us=each.begin_us,
            to_us=each.end_us,
            status=cast(kerb_pb2.BookingStatus, each.status),
            tariff=each.terms.tariff,
            tariff_version=each.terms.version,
            held_e4=each.hold_e4,
            total_e4=each.price_e4,
            tax_e4=each.tax_e4,
            currency=parking.lots[each.lot].currency,
            created_at_us=each.created_us,
        )
        event = kerb_pb2.BookingEvent(seq=entry.seq, prev_seq=entry.prev_seq, more=entry.more, data=message)
        packed: bytes = kerb_pb2.Data(bookings=(event,)).SerializeToString()
        return packed
