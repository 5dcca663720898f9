"""What the engine knows of parking: immutable records in tables, and `Parking`, which holds them at `State.parking`.

A record is replaced, never changed: events and rows carry it as it is. Times are `_us`, those of bookings whole minutes;
distances in metres, heights in centimetres (0: no limit).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.parking.booking_records import Booking, Debt, Pass, Stay, Ticket, WaitingEntry
from engine.parking.camera_records import Camera
from engine.parking.gate_records import GateLine, GateState, Lane
from engine.parking.kinds import (
    Direction,
    LotStatus,
    SpaceState,
    SpaceType,
    TagStatus,
    VehicleKind,
)
from engine.parking.occupancy import Occupancy
from engine.parking.tariff_records import Tariff
from engine.parking.zones import Zone

if TYPE_CHECKING:
    from engine.parking.layout import Layout


class LotRules(Struct, frozen=True, gc=False, array_like=True):
    """How a lot treats its bookings and walk-ins; times in minutes, money in the lot's currency.

    `refunds` are (minutes before the begin, basis points of the price), the longest first: what a cancellation gives back.
    `debt_max_e4` is the debt up to which an account still gets in.
    """

    walk_in_minutes: int = 240
    walk_in_minimum: int = 30
    early_grace: int = 15
    late_grace: int = 10
    no_show_after: int = 120
    offer_minutes: int = 10
    exit_minutes: int = 15
    refunds: tuple[tuple[int, int], ...] = ((24 * 60, 10_000), (2 * 60, 5_000))
    debt_max_e4: int = 0


class ParkingLot(Struct, frozen=True, gc=False, array_like=True):
    """A car park. `tariff` is the code of its tariff, '' while it sells nothing."""

    lot: str
    name: str
    address: str
    time_zone: str
    currency: str
    tariff: str
    status: LotStatus
    rules: LotRules


class Floor(Struct, frozen=True, gc=False, array_like=True):
    """A floor of a lot; `level` counts from the street, below zero underground."""

    lot: str
    floor: str
    name: str
    level: int
    height_cm: int


class Space(Struct, frozen=True, gc=False, array_like=True):
    """One place for one vehicle. `index` is its bit in the lot's bitmaps: counted from 0 in the order of their making, never
    used again.

    `features` is a sum of `Feature`; `x_m`, `y_m` lie on the floor's plan, `lift_m` is the way to the nearest lift.
    """

    lot: str
    number: str
    index: int
    floor: str
    space_type: SpaceType
    features: int
    charger_kw: int
    height_cm: int
    lift_m: int
    x_m: int
    y_m: int
    state: SpaceState


class Gate(Struct, frozen=True, gc=False, array_like=True):
    """A controller at `lanes` lanes of a lot."""

    gate_id: str
    lot: str
    name: str
    direction: Direction
    lanes: int
    height_cm: int
    floor: str
    x_m: int
    y_m: int


class Vehicle(Struct, frozen=True, gc=False, array_like=True):
    """A vehicle of an account. `rights` is a sum of `VehicleRight`; `height_cm` 0 when it is not known."""

    vehicle_id: int
    account_id: int
    plate: str
    kind: VehicleKind
    height_cm: int
    rights: int
    make: str
    model: str
    registered_us: int


class Tag(Struct, frozen=True, gc=False, array_like=True):
    """An RFID tag by its EPC (hexadecimal, upper case). A revoked one stays known, and opens nothing."""

    epc: str
    vehicle_id: int
    account_id: int
    status: TagStatus
    since_us: int


class Block(Struct, frozen=True, gc=False, array_like=True):
    """A tag (`is_tag`) or a plate that no gate opens for."""

    is_tag: bool
    value: str
    reason: str
    operator_id: int
    since_us: int


class Parking:
    """Parking in the engine's state: the tables that rows keep, and what is derived from them."""

    __slots__ = (
        "blocks",
        "bookings",
        "bookings_of_vehicle",
        "cameras",
        "debts",
        "debts_of_plate",
        "floors",
        "gate_lines",
        "gate_states",
        "gates",
        "inside",
        "lanes",
        "layouts",
        "lots",
        "numbers",
        "occupancy",
        "passes",
        "passes_of_vehicle",
        "spaces",
        "stay_of_who",
        "stays",
        "tags",
        "tags_of_vehicle",
        "tariff_versions",
        "tariffs",
        "ticket_of_who",
        "tickets",
        "vehicle_of_plate",
        "vehicles",
        "vehicles_of_account",
        "waiting",
        "waiting_of_lot",
        "zones",
    )

    def __init__(self) -> None:
        self.lots: dict[str, ParkingLot] = {}
        self.floors: dict[tuple[str, str], Floor] = {}
        self.spaces: dict[tuple[str, str], Space] = {}  # by (lot, number)
        self.gates: dict[str, Gate] = {}
        self.vehicles: dict[int, Vehicle] = {}
        self.tags: dict[str, Tag] = {}
        self.bookings: dict[int, Booking] = {}
        self.stays: dict[int, Stay] = {}
        self.tickets: dict[int, Ticket] = {}
        self.passes: dict[int, Pass] = {}
        self.waiting: dict[int, WaitingEntry] = {}
        self.debts: dict[int, Debt] = {}  # by account, or by the stay of somebody without one
        self.blocks: dict[tuple[bool, str], Block] = {}  # by (is_tag, value)
        self.tariffs: dict[tuple[str, int], Tariff] = {}  # by (name, version)
        self.zones: dict[str, Zone] = {}
        self.gate_states: dict[str, GateState] = {}
        self.gate_lines: dict[tuple[str, int], GateLine] = {}  # by (gate, place among its last 64)
        self.lanes: dict[tuple[str, int], Lane] = {}
        self.cameras: dict[str, Camera] = {}
        # derived
        self.numbers: dict[str, list[str]] = {}  # of a lot, the spaces' numbers by their index
        self.occupancy: dict[str, Occupancy] = {}
        self.vehicle_of_plate: dict[str, int] = {}
        self.vehicles_of_account: dict[int, dict[int, None]] = {}
        self.tags_of_vehicle: dict[int, dict[str, None]] = {}
        self.tariff_versions: dict[str, int] = {}  # of a tariff, the last version
        self.inside: dict[str, int] = {}  # of a lot, how many stays there are
        self.bookings_of_vehicle: dict[int, dict[int, None]] = {}
        self.stay_of_who: dict[str, int] = {}
        self.ticket_of_who: dict[str, int] = {}
        self.passes_of_vehicle: dict[int, dict[int, None]] = {}
        self.waiting_of_lot: dict[str, dict[int, None]] = {}
        self.debts_of_plate: dict[str, dict[int, None]] = {}
        # remembered, and made anew when it is asked for
        self.layouts: dict[str, Layout] = {}

    def __repr__(self) -> str:
        return f"<Parking lots={len(self.lots)} spaces={len(self.spaces)} vehicles={len(self.vehicles)}>"

    def space_at(self, lot: str, index: int) -> Space:
        """A space by its index within its lot."""
        return self.spaces[lot, self.numbers[lot][index]]


PARKING_DERIVED: Final = frozenset(
    {
        "bookings_of_vehicle",
        "debts_of_plate",
        "inside",
        "numbers",
        "occupancy",
        "passes_of_vehicle",
        "stay_of_who",
        "tags_of_vehicle",
        "tariff_versions",
        "ticket_of_who",
        "vehicle_of_plate",
        "vehicles_of_account",
        "waiting_of_lot",
    }
)
"""Fields of `Parking` that no row holds: `rebuild_parking` makes them."""

PARKING_REMEMBERED: Final = frozenset({"layouts"})
"""Fields of `Parking` that follow from the others and are made when they are asked for."""
