"""The price of a stay by the tariff that it is to be priced by, and which tariff that is."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.events import Refused
from engine.parking.booking_records import Booking, Stay, Terms
from engine.parking.claims import minutes_of
from engine.parking.kinds import BookingStatus
from engine.parking.layout import layout_of
from engine.parking.records import Parking, ParkingLot
from engine.parking.tariff_records import Price, StayContext
from engine.parking.tariff_setting import tariff_now
from engine.parking.tariffs import price_stay
from engine.parking.wish import Wish
from engine.parking.zones import UTC
from engine.refusals import Refusal
from engine.units import BPS, MINUTE_US

QUOTE_US: Final = 10 * MINUTE_US
"""So long a quote may be booked at its version after a new one was made."""

NOTHING: Final = Price(0, 0, ())


def terms_now(
    parking: Parking, lot: ParkingLot, begin: int, end: int, version: int, now_us: int
) -> Terms | Refused:
    """What a stay in `[begin, end)` minutes is priced by. `version` 0 is the present one; an older one is good for 10 minutes."""
    tariff = tariff_now(parking, lot.tariff)
    if tariff is None or tariff.currency != lot.currency:
        return Refused(Refusal.TARIFF_NOT_FOUND)
    if lot.time_zone not in parking.zones:
        return Refused(Refusal.ZONE_NOT_FOUND)
    if version and version != tariff.version:
        newer = parking.tariffs.get((lot.tariff, version + 1))
        if (
            (lot.tariff, version) not in parking.tariffs
            or newer is None
            or now_us > newer.since_us + QUOTE_US
        ):
            return Refused(Refusal.QUOTE_EXPIRED, (("version", tariff.version),))
    return Terms(lot.tariff, version or tariff.version, occupancy_bps(parking, lot.lot, begin, end))


def occupancy_bps(parking: Parking, lot: str, begin: int, end: int) -> int:
    """How full a lot is in an interval: the share of its active spaces that are taken at some minute of it."""
    active = layout_of(parking, lot).active
    if not active:
        return 0
    return (parking.occupancy[lot].taken(begin, end) & active).bit_count() * BPS // active.bit_count()


def price_of(
    parking: Parking,
    lot: str,
    terms: Terms,
    wish: Wish,
    begin_us: int,
    end_us: int,
    *,
    booked_until_us: int = 0,
    lost_ticket: bool = False,
) -> Price:
    """The price of an interval at given terms."""
    each = parking.lots[lot]
    stay = StayContext(
        wish.space_type,
        terms.subscriber,
        terms.occupancy_bps,
        lost_ticket,
        booked_until_us,
        each.rules.late_grace * MINUTE_US,
    )
    tariff = parking.tariffs[terms.tariff, terms.version]
    # Where the lot was given a zone that is not known, those inside still get out.
    return price_stay(tariff, parking.zones.get(each.time_zone, UTC), begin_us, end_us, stay)


def price_of_booking(parking: Parking, booking: Booking, end_us: int, left_us: int = 0) -> Price:
    """What a booking to `end_us` costs whose vehicle leaves at `left_us`: at least the interval, and its overstay."""
    return price_of(
        *(parking, booking.lot, booking.terms, booking.wish, booking.begin_us, max(end_us, left_us)),
        booked_until_us=end_us,
    )


def priced(parking: Parking, booking: Booking) -> tuple[Terms, Price]:
    """A booking's terms and its price: of an offer those that taking it now would have, of one that was not taken nothing."""
    terms: Terms | Refused = booking.terms
    if booking.status is BookingStatus.HELD_OFFER:
        begin, end = minutes_of(booking.begin_us, booking.end_us)
        terms = terms_now(parking, parking.lots[booking.lot], begin, end, 0, 0)
    if isinstance(terms, Refused) or not terms.tariff:
        return Terms("", 0), NOTHING
    return terms, price_of_booking(parking, replace(booking, terms=terms), booking.end_us)


def price_of_stay(parking: Parking, stay: Stay, left_us: int, *, lost_ticket: bool = False) -> Price:
    """What a stay without booking or pass costs from its begin, or from when it was paid, to a time."""
    if not stay.terms.tariff:
        return NOTHING
    begin_us = stay.paid_us or stay.begin_us
    return price_of(
        *(parking, stay.lot, stay.terms, stay.wish, begin_us, max(begin_us, left_us)),
        lost_ticket=lost_ticket,
    )
