"""The tables of parking as kinds of aggregates: what is saved, recovered and hashed of them."""

from __future__ import annotations

from typing import Final

from engine.parking.booking_records import Booking, Debt, Pass, Stay, Ticket, WaitingEntry
from engine.parking.camera_records import Camera
from engine.parking.claims import rebuild_keeping
from engine.parking.gate_records import GateLine, GateState, Lane
from engine.parking.occupancy import Occupancy
from engine.parking.records import Block, Floor, Gate, Parking, ParkingLot, Space, Tag, Vehicle
from engine.parking.tariff_records import Tariff
from engine.parking.zones import Zone
from engine.rows import Kind, kind_of

PARKING_TABLES: Final = {
    "lots": "parking_lot",
    "floors": "parking_floor",
    "spaces": "parking_space",
    "gates": "parking_gate",
    "vehicles": "vehicle",
    "tags": "tag",
    "blocks": "block",
    "bookings": "booking",
    "stays": "stay",
    "tickets": "ticket",
    "passes": "pass",
    "waiting": "waiting",
    "debts": "debt",
    "tariffs": "tariff",
    "zones": "zone",
    "gate_states": "gate_state",
    "gate_lines": "gate_line",
    "lanes": "gate_lane",
    "cameras": "camera",
}
"""Field of `Parking` → the kind that stores it."""

PARKING_KINDS: Final[dict[str, Kind]] = {
    "parking_lot": kind_of(str, "parking.lots", ParkingLot),
    "parking_floor": kind_of(tuple[str, str], "parking.floors", Floor),
    "parking_space": kind_of(tuple[str, str], "parking.spaces", Space),
    "parking_gate": kind_of(str, "parking.gates", Gate),
    "vehicle": kind_of(int, "parking.vehicles", Vehicle),
    "tag": kind_of(str, "parking.tags", Tag),
    "booking": kind_of(int, "parking.bookings", Booking),
    "stay": kind_of(int, "parking.stays", Stay),
    "ticket": kind_of(int, "parking.tickets", Ticket),
    "pass": kind_of(int, "parking.passes", Pass),
    "waiting": kind_of(int, "parking.waiting", WaitingEntry),
    "debt": kind_of(int, "parking.debts", Debt),
    "block": kind_of(tuple[bool, str], "parking.blocks", Block),
    "tariff": kind_of(tuple[str, int], "parking.tariffs", Tariff),
    "zone": kind_of(str, "parking.zones", Zone),
    "gate_state": kind_of(str, "parking.gate_states", GateState),
    "gate_line": kind_of(tuple[str, int], "parking.gate_lines", GateLine),
    "gate_lane": kind_of(tuple[str, int], "parking.lanes", Lane),
    "camera": kind_of(str, "parking.cameras", Camera),
}
"""Kind → how it is saved, in the order in which they must be loaded."""


def rebuild_parking(parking: Parking) -> None:
    """Make what is derived from the tables."""
    for lot in sorted(parking.lots):
        parking.numbers[lot] = []
        parking.occupancy[lot] = Occupancy()
    for space in sorted(parking.spaces.values(), key=lambda each: each.index):
        parking.numbers[space.lot].append(space.number)
    for vehicle_id in sorted(parking.vehicles):
        vehicle = parking.vehicles[vehicle_id]
        parking.vehicle_of_plate[vehicle.plate] = vehicle_id
        parking.vehicles_of_account.setdefault(vehicle.account_id, {})[vehicle_id] = None
    for epc in sorted(parking.tags):
        tag = parking.tags[epc]
        if tag.vehicle_id:
            parking.tags_of_vehicle.setdefault(tag.vehicle_id, {})[epc] = None
    rebuild_keeping(parking)
    for name, version in sorted(parking.tariffs):
        parking.tariff_versions[name] = version
