"""The routes of parking: a part of the route table."""

from __future__ import annotations

from typing import Final

from handlers import parking_lots, vehicles
from handlers.openapi_parking import LOTS, VEHICLES
from handlers.routing import BASE, HOLDER, PUBLIC, Route
from server.rate_limits import LimitClass

CALLS: Final = LimitClass.CALLS
_PARKING: Final = f"{BASE}/parking"

PARKING_ROUTES: Final = (
    Route("GET", f"{_PARKING}/lots", parking_lots.lots, PUBLIC, CALLS),
    Route("GET", f"{_PARKING}/lots/{{lot_id}}", parking_lots.lot, PUBLIC, CALLS),
    Route("GET", f"{_PARKING}/lots/{{lot_id}}/availability", parking_lots.availability, PUBLIC, CALLS),
    Route("GET", f"{_PARKING}/vehicles", vehicles.vehicles, HOLDER, CALLS),
    Route("POST", f"{_PARKING}/vehicles", vehicles.register, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/vehicles/{{vehicle_id}}", vehicles.vehicle, HOLDER, CALLS),
    Route("DELETE", f"{_PARKING}/vehicles/{{vehicle_id}}", vehicles.remove, HOLDER, CALLS),
    Route("POST", f"{_PARKING}/vehicles/{{vehicle_id}}/tags", vehicles.attach, HOLDER, CALLS),
    Route("DELETE", f"{_PARKING}/tags/{{tag}}", vehicles.revoke, HOLDER, CALLS),
)

PARKING_DOCS: Final = {**LOTS, **VEHICLES}
"""What is written of each of them, by its name."""
