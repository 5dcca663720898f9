"""What happened in parking. An event carries the whole record as it is afterwards; a consumer never computes."""

from __future__ import annotations

from engine.event_base import Event
from engine.parking.booking_events import BookingEvent
from engine.parking.camera_events import CamerasEvent
from engine.parking.gate_events import GatesEvent
from engine.parking.records import Block, Floor, Gate, ParkingLot, Space, Tag, Vehicle
from engine.parking.tariff_events import TariffSet, ZoneSet


class LotSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A lot was made or changed."""

    lot: ParkingLot


class FloorSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A floor was made or changed."""

    floor: Floor


class SpaceSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A space was made or changed."""

    space: Space


class GateSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A gate was made or changed."""

    gate: Gate


class VehicleSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A vehicle was registered, or got other rights."""

    vehicle: Vehicle


class VehicleRemoved(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A vehicle is its account's no more."""

    vehicle_id: int
    account_id: int
    plate: str


class TagSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A tag was attached or revoked."""

    tag: Tag
    reason: str


class Blocked(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A tag or plate came on the blocklist (`on`), or left it."""

    block: Block
    on: bool


ParkingEvent = (
    LotSet
    | FloorSet
    | SpaceSet
    | GateSet
    | VehicleSet
    | VehicleRemoved
    | TagSet
    | Blocked
    | TariffSet
    | ZoneSet
    | GatesEvent
    | CamerasEvent
    | BookingEvent
)
