"""What the signed code of a booking is worth at a gate: that one booking, and nothing else. Source: docs/parking.md, "Codes".

The server has checked who signed it (server/booking_codes.py); the rest is decided here, so that it can be replayed.
"""

from __future__ import annotations

from typing import Final

from engine.parking.booking_records import NO_SPACE, Booking
from engine.parking.entry import place_of_booking
from engine.parking.kinds import BookingStatus, DecisionReason, LotStatus
from engine.parking.records import Parking
from engine.units import MINUTE_US

_DIGITS_MAX: Final = 19


def booking_of_code(parking: Parking, text: str) -> Booking | DecisionReason:
    """The open booking that a code is of, by its number; or CODE_FORGED, and CODE_VOID for one that is over or never was."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        return DecisionReason.CODE_FORGED
    booking = parking.bookings.get(int(text))
    return DecisionReason.CODE_VOID if booking is None else booking


def right_of_code(
    parking: Parking, lot_code: str, booking: Booking, good_until_us: int, now_us: int
) -> tuple[DecisionReason, int, str]:
    """What lets the booking's vehicle in, which is not inside, or stands in its way: reason, the right's id, the space's number.

    No other booking, pass or wallet of the vehicle counts: who has cancelled does not come in by the code of that booking.
    """
    lot = parking.lots[lot_code]
    reason = DecisionReason.BOOKING
    if lot.status is LotStatus.CLOSED:
        reason = DecisionReason.LOT_CLOSED
    elif now_us >= good_until_us:
        reason = DecisionReason.CODE_EXPIRED
    elif booking.status is not BookingStatus.CONFIRMED:
        reason = DecisionReason.CODE_VOID
    elif booking.lot != lot_code:
        reason = DecisionReason.WRONG_LOT
    elif now_us < booking.begin_us - lot.rules.early_grace * MINUTE_US:
        reason = DecisionReason.TOO_EARLY
    elif now_us >= booking.end_us:
        reason = DecisionReason.TOO_LATE
    if reason is not DecisionReason.BOOKING:
        return reason, 0, ""
    place = place_of_booking(parking, booking, now_us)
    if place.space == NO_SPACE:
        return DecisionReason.LOT_FULL, 0, ""
    return reason, booking.booking_id, parking.numbers[lot_code][place.space]
