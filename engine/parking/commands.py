"""What can be asked of parking. Estate and tariffs come from config and operators, the rest from drivers, gates and timers.

The natural keys of the estate (lot, floor, number, gate) are stable: setting what is so already changes nothing, so config
may submit the difference or all of it.
"""

from __future__ import annotations

from engine.command_base import Command
from engine.parking.booking_commands import BookingCommand
from engine.parking.camera_commands import CamerasCommand
from engine.parking.gate_commands import GatesCommand
from engine.parking.kinds import Direction, LotStatus, SpaceState, SpaceType, VehicleKind
from engine.parking.records import LotRules
from engine.parking.tariff_commands import SetTariff, SetZone

# -- the estate


class SetLot(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Make or change a lot. Its currency stays what it was."""

    lot: str
    name: str
    address: str
    time_zone: str
    currency: str
    tariff: str
    status: LotStatus = LotStatus.OPEN
    rules: LotRules = LotRules()


class SetFloor(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Make or change a floor of a lot."""

    lot: str
    floor: str
    name: str
    level: int
    height_cm: int = 0


class SetSpace(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Make or change a space. While it is in use its type stays, and it cannot be retired."""

    lot: str
    number: str
    floor: str
    space_type: SpaceType
    features: int = 0
    charger_kw: int = 0
    height_cm: int = 0
    lift_m: int = 0
    x_m: int = 0
    y_m: int = 0
    state: SpaceState = SpaceState.ACTIVE


class SetGate(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Make or change a gate. Its secret is the server's, and no part of the engine's state."""

    gate_id: str
    lot: str
    name: str
    direction: Direction
    lanes: int = 1
    height_cm: int = 0
    floor: str = ""
    x_m: int = 0
    y_m: int = 0


class ImportEstate(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Floors, spaces and gates of one lot in one piece: with one wrong row nothing of it is done.

    Rows are counted from 1 through floors, then spaces, then gates; the refusal names each wrong one.
    """

    lot: str
    floors: tuple[SetFloor, ...]
    spaces: tuple[SetSpace, ...]
    gates: tuple[SetGate, ...] = ()


# -- vehicles and tags


class RegisterVehicle(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A vehicle of the envelope's account. A plate is one account's."""

    plate: str
    kind: VehicleKind
    height_cm: int = 0
    electric: bool = False
    make: str = ""
    model: str = ""


class SetVehicleRights(Command, frozen=True, gc=False, array_like=True, tag=True):
    """An operator has seen what a vehicle has the right to: a sum of `VehicleRight`."""

    vehicle_id: int
    rights: int


class RemoveVehicle(Command, frozen=True, gc=False, array_like=True, tag=True):
    """The vehicle is the account's no more; its tags are revoked."""

    vehicle_id: int


class AttachTag(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A tag belongs to a vehicle of the envelope's account from now on."""

    epc: str
    vehicle_id: int


class RevokeTag(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A tag was lost, or is not to be used any more: it opens nothing from now on."""

    epc: str
    reason: str


class BlockTag(Command, frozen=True, gc=False, array_like=True, tag=True):
    """An operator puts a tag on the blocklist, or takes it off."""

    epc: str
    on: bool
    reason: str


class BlockPlate(Command, frozen=True, gc=False, array_like=True, tag=True):
    """An operator puts a plate on the blocklist, or takes it off."""

    plate: str
    on: bool
    reason: str


ParkingCommand = (
    SetLot
    | SetFloor
    | SetSpace
    | SetGate
    | ImportEstate
    | RegisterVehicle
    | SetVehicleRights
    | RemoveVehicle
    | AttachTag
    | RevokeTag
    | BlockTag
    | BlockPlate
    | SetTariff
    | SetZone
    | GatesCommand
    | CamerasCommand
    | BookingCommand
)
