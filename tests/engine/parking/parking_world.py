"""A car park to write tests in: lot "P1" with two floors and a few spaces, drivers by name, invariants after every command."""

from __future__ import annotations

from msgspec.structs import replace

from engine.apply import Applied
from engine.commands import AnyCommand
from engine.kinds import Source
from engine.parking.commands import (
    ImportEstate,
    RegisterVehicle,
    SetFloor,
    SetGate,
    SetLot,
    SetSpace,
)
from engine.parking.events import VehicleSet
from engine.parking.kinds import Direction, Feature, SpaceType, VehicleKind
from engine.parking.records import LotRules, Parking
from tests.engine.world import World, of_kind

EPC = "E28011600000000000000001"
OTHER_EPC = "E28011600000000000000002"

LOT = SetLot("P1", "Old Harbour", "Quay 1", "Europe/Berlin", "USD", "std")
FLOORS = (SetFloor("P1", "G", "Ground", 0, 210), SetFloor("P1", "U1", "Below", -1))
SPACES = (
    SetSpace("P1", "G-1", "G", SpaceType.STANDARD, lift_m=5),
    SetSpace("P1", "G-2", "G", SpaceType.STANDARD, Feature.COVERED, lift_m=25),
    SetSpace("P1", "G-3", "G", SpaceType.COMPACT, lift_m=35),
    SetSpace("P1", "G-4", "G", SpaceType.LARGE, lift_m=45),
    SetSpace("P1", "U-1", "U1", SpaceType.EV, Feature.CHARGER, 22, 200),
    SetSpace("P1", "U-2", "U1", SpaceType.ACCESSIBLE, Feature.NEAR_LIFT),
    SetSpace("P1", "U-3", "U1", SpaceType.VIP, Feature.COVERED | Feature.NEAR_LIFT),
    SetSpace("P1", "U-4", "U1", SpaceType.MOTORCYCLE),
)
GATES = (
    SetGate("P1-in", "P1", "In", Direction.ENTRY, height_cm=210, floor="G"),
    SetGate("P1-out", "P1", "Out", Direction.EXIT, floor="G"),
)


class ParkingWorld(World):
    """The stock venue of `World` with a car park beside it."""

    def __init__(self, *, spaces: tuple[SetSpace, ...] = SPACES, rules: LotRules | None = None) -> None:
        super().__init__()
        self.operator(LOT if rules is None else replace(LOT, rules=rules))
        self.operator(ImportEstate("P1", FLOORS, spaces, GATES))
        self.vehicles: dict[str, int] = {}

    @property
    def parking(self) -> Parking:
        return self.state.parking

    def operator(self, command: AnyCommand) -> Applied:
        """Carry out an operator's command."""
        return self.do(command, principal=7, source=Source.OPERATOR)

    def vehicle(
        self,
        who: str,
        plate: str,
        kind: VehicleKind = VehicleKind.STANDARD,
        *,
        height_cm: int = 150,
        electric: bool = False,
    ) -> int:
        """Register a vehicle; its id."""
        (registered,) = of_kind(self.do(RegisterVehicle(plate, kind, height_cm, electric), who), VehicleSet)
        self.vehicles[plate] = registered.vehicle.vehicle_id
        return registered.vehicle.vehicle_id
