"""What the documentation of several routes of parking has: a car park, a request for a space, what both can be refused for."""

from __future__ import annotations

from typing import Final

from engine.refusals import Refusal
from handlers.openapi_doc import missing
from handlers.parking_words import ParkingLotId

LOT_PATH: Final = {"lot_id": ParkingLotId}
P1: Final = {"lot_id": "lot_P1"}
MORNING: Final = P1 | {
    "vehicle_id": "veh_1",
    "from": "2023-11-20T08:00:00Z",
    "to": "2023-11-20T10:00:00Z",
}
NO_LOT: Final = missing("A car park that does not exist", {"lot_id": "lot_NONE"})
NO_BOOKING: Final = missing(
    "A booking that does not exist, or is somebody else's", {"booking_id": "bkg_99"}, "BOOKING_NOT_FOUND"
)
OF_AN_OFFER: Final = (
    *(Refusal.ACCOUNT_NOT_FOUND, Refusal.ACCOUNT_DISABLED, Refusal.PARKING_LOT_NOT_FOUND),
    *(Refusal.VEHICLE_NOT_FOUND, Refusal.CURRENCY_MISMATCH, Refusal.PARKING_LOT_CLOSED),
    *(Refusal.TARIFF_NOT_FOUND, Refusal.ZONE_NOT_FOUND, Refusal.QUOTE_EXPIRED, Refusal.INVALID_INTERVAL),
    *(Refusal.PARKING_DEBT, Refusal.PARKING_FULL, Refusal.VEHICLE_DOES_NOT_FIT, Refusal.PRICE_CHANGED),
    *(Refusal.INSUFFICIENT_FUNDS, Refusal.UNSETTLED_FUNDS),
)
"""Why nothing is sold by a car park's tariff: a booking or a pass."""
