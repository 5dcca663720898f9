"""The routes of parking: a part of the route table."""

from __future__ import annotations

from typing import Final

from handlers import (
    admin_parking,
    admin_tariffs,
    parking_bookings,
    parking_copies,
    parking_lots,
    parking_reports,
    parking_stays,
    vehicles,
)
from handlers.admin_audit import Audited
from handlers.openapi_admin_parking import ESTATE, TARIFFS
from handlers.openapi_booking_copies import COPIES
from handlers.openapi_bookings import BOOKINGS, STAYS
from handlers.openapi_parking import LOTS, VEHICLES
from handlers.openapi_parking_desk import PARKING_DESK_DOCS, PARKING_DESK_ROUTES
from handlers.openapi_parking_reports import REPORTS
from handlers.openapi_passes import DEBTS, PASS_ROUTES, PASSES
from handlers.openapi_waiting import WAITING, WAITING_ROUTES
from handlers.routing import BASE, HOLDER, PARKING_DESK, PUBLIC, Route
from server.rate_limits import LimitClass

CALLS: Final = LimitClass.CALLS
_PARKING: Final = f"{BASE}/parking"
_DESK: Final = f"{BASE}/admin/parking"
_LOT: Final = f"{_DESK}/lots/{{lot_id}}"
_REPORTS: Final = f"{BASE}/admin/reports/parking"

PARKING_ROUTES: Final = (
    Route("GET", f"{_PARKING}/lots", parking_lots.lots, PUBLIC, CALLS),
    Route("GET", f"{_PARKING}/lots/{{lot_id}}", parking_lots.lot, PUBLIC, CALLS),
    Route("GET", f"{_PARKING}/lots/{{lot_id}}/availability", parking_lots.availability, PUBLIC, CALLS),
    Route("GET", f"{_PARKING}/lots/{{lot_id}}/occupancy", parking_lots.occupancy, PUBLIC, CALLS),
    Route("POST", f"{_PARKING}/quotes", parking_bookings.quotes, HOLDER, CALLS),
    Route("POST", f"{_PARKING}/bookings", parking_bookings.book, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/bookings", parking_bookings.bookings, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/bookings/{{booking_id}}", parking_bookings.booking, HOLDER, CALLS),
    Route("DELETE", f"{_PARKING}/bookings/{{booking_id}}", parking_bookings.cancel, HOLDER, CALLS),
    Route("POST", f"{_PARKING}/bookings/{{booking_id}}/extend", parking_bookings.extend, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/bookings.ics", parking_copies.calendar, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/bookings/{{booking_id}}/pass", parking_copies.gate_pass, HOLDER, CALLS),
    *WAITING_ROUTES,
    *PASS_ROUTES,
    Route("POST", f"{_PARKING}/tickets", parking_stays.issue, HOLDER, CALLS),
    Route("POST", f"{_PARKING}/tickets/{{ticket_id}}/pay", parking_stays.pay, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/stays", parking_stays.stays, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/vehicles", vehicles.vehicles, HOLDER, CALLS),
    Route("POST", f"{_PARKING}/vehicles", vehicles.register, HOLDER, CALLS),
    Route("GET", f"{_PARKING}/vehicles/{{vehicle_id}}", vehicles.vehicle, HOLDER, CALLS),
    Route("DELETE", f"{_PARKING}/vehicles/{{vehicle_id}}", vehicles.remove, HOLDER, CALLS),
    Route("POST", f"{_PARKING}/vehicles/{{vehicle_id}}/tags", vehicles.attach, HOLDER, CALLS),
    Route("DELETE", f"{_PARKING}/tags/{{tag}}", vehicles.revoke, HOLDER, CALLS),
    Route("PUT", _LOT, Audited(admin_parking.set_lot), PARKING_DESK, CALLS),
    Route("PUT", f"{_LOT}/floors/{{floor}}", Audited(admin_parking.set_floor), PARKING_DESK, CALLS),
    Route("PUT", f"{_LOT}/spaces/{{number}}", Audited(admin_parking.set_space), PARKING_DESK, CALLS),
    Route("GET", f"{_LOT}/spaces", admin_parking.spaces, PARKING_DESK, CALLS),
    Route("POST", f"{_LOT}/import", Audited(admin_parking.import_estate), PARKING_DESK, CALLS),
    Route("GET", f"{_DESK}/tariffs", admin_tariffs.tariffs, PARKING_DESK, CALLS),
    Route("GET", f"{_DESK}/tariffs/{{tariff}}", admin_tariffs.tariff, PARKING_DESK, CALLS),
    Route("PUT", f"{_DESK}/tariffs/{{tariff}}", Audited(admin_tariffs.set_tariff), PARKING_DESK, CALLS),
    *PARKING_DESK_ROUTES,
    Route("GET", f"{_REPORTS}/revenue", parking_reports.revenue, PARKING_DESK, CALLS),
    Route("GET", f"{_REPORTS}/occupancy", parking_reports.occupancy, PARKING_DESK, CALLS),
)

PARKING_DOCS: Final = {
    **LOTS,
    **VEHICLES,
    **BOOKINGS,
    **COPIES,
    **WAITING,
    **PASSES,
    **DEBTS,
    **STAYS,
    **ESTATE,
    **TARIFFS,
    **REPORTS,
    **PARKING_DESK_DOCS,
}
"""What is written of each of them, by its name."""
