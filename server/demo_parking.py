"""The demo's car park: a lot with floors, spaces and gates, vehicles with tags, and cars that come and go at its gates.

Also what the benchmark of gates begins with, only larger. Seeding twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.commands import (
    AttachTag,
    ImportEstate,
    RegisterVehicle,
    SetFloor,
    SetGate,
    SetLot,
    SetSpace,
)
from engine.parking.gate_commands import RenewGateKey
from engine.parking.kinds import Direction, Feature, SpaceType, VehicleKind
from server.gate_hub import PREFIX
from server.gate_simulator import GateAccess, GateSimulator
from server.zone_rules import zone_differences

if TYPE_CHECKING:
    from server.gate_secrets import GateSecrets
    from server.runtime import Runtime
    from server.services import Services

ENVELOPE: Final = Envelope(Source.OPERATOR, request_id="demo")
VEHICLES_EACH: Final = 20
"""Vehicles that each account of the demo's fleet has."""

SCANS_PER_S: Final = 0.5


class LotPlan(Struct, frozen=True):
    """A car park to found. Floors are levels from the street up; each has so many spaces."""

    lot: str
    name: str
    floors: int
    spaces: int
    gates: tuple[Direction, ...]
    time_zone: str = "America/New_York"
    tariff: str = "CITY"


HARBOUR: Final = LotPlan(
    "HARBOUR",
    "Old Harbour",
    3,
    40,
    (Direction.ENTRY, Direction.ENTRY, Direction.EXIT, Direction.EXIT),
)


def found_lot(runtime: Runtime, secrets: GateSecrets, plan: LotPlan) -> list[GateAccess]:
    """Make a lot with all that belongs to it, unless it is there. Returns what its gates need to connect."""
    parking = runtime.state.parking
    if plan.lot not in parking.lots:
        lot = SetLot(plan.lot, plan.name, "1 Quay Street", plan.time_zone, "USD", plan.tariff)
        _do(runtime, lot)
        _do(runtime, ImportEstate(plan.lot, _floors(plan), _spaces(plan), _gates(plan)))
    for zone in list(zone_differences(runtime.state, runtime.now_us())):
        _do(runtime, zone)
    access = []
    for gate in _gates(plan):
        state = parking.gate_states.get(gate.gate_id)
        if state is None or not state.key_version:
            _do(runtime, RenewGateKey(gate.gate_id))
        version = parking.gate_states[gate.gate_id].key_version
        access.append(GateAccess(PREFIX + gate.gate_id, secrets.secret(gate.gate_id, version)))
    return access


def found_fleet(runtime: Runtime, accounts: Sequence[int], each: int = VEHICLES_EACH) -> list[str]:
    """Give each account vehicles with a tag each, unless it has some. Returns the tags."""
    parking = runtime.state.parking
    tags = []
    for place, account_id in enumerate(accounts):
        envelope = Envelope(Source.OPERATOR, 0, account_id, request_id="demo")
        numbers = range(place * each, (place + 1) * each)
        if account_id not in parking.vehicles_of_account:
            for number in numbers:
                _do(runtime, RegisterVehicle(f"KRB{number:04}", VehicleKind.STANDARD, 150), envelope)
                vehicle_id = parking.vehicle_of_plate[f"KRB{number:04}"]
                _do(runtime, AttachTag(tag_of(number), vehicle_id), envelope)
        tags += [tag_of(number) for number in numbers]
    return tags


def tag_of(number: int) -> str:
    """The tag of a vehicle of the fleet."""
    return f"E28011600000{number:012X}"


def open_demo_parking(services: Services, fleet: Sequence[int]) -> DemoTraffic:
    """The demo's car park, vehicles for the accounts of `fleet`, and traffic at its gates."""
    hub = services.gates
    assert hub is not None, "the port of gates is not open"
    access = found_lot(services.runtime, hub.secrets, HARBOUR)
    found_fleet(services.runtime, fleet)
    return DemoTraffic(services.gate_port, access)


class DemoTraffic:
    """Cars at the demo's gates; a client of the gates' port like any other."""

    def __init__(self, port: int, gates: Sequence[GateAccess]) -> None:
        simulator = GateSimulator(("127.0.0.1", port), gates)
        self._task = asyncio.get_running_loop().create_task(simulator.run(SCANS_PER_S), name="demo traffic")

    async def stop(self) -> None:
        """Everybody goes home."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def _do(runtime: Runtime, command: AnyCommand, envelope: Envelope = ENVELOPE) -> None:
    applied = runtime.submit(command, envelope)
    if applied.refused is not None:
        raise RuntimeError(f"the demo's {type(command).__name__} was refused: {applied.refused}")


def _floors(plan: LotPlan) -> tuple[SetFloor, ...]:
    return tuple([SetFloor(plan.lot, f"L{level}", f"Level {level}", level) for level in range(plan.floors)])


def _spaces(plan: LotPlan) -> tuple[SetSpace, ...]:
    """Every tenth is for compact cars, every twentieth has a charger; half a floor lies near the lift."""
    spaces = []
    for level in range(plan.floors):
        for place in range(plan.spaces):
            number = f"L{level}-{place + 1:03}"
            near = Feature.NEAR_LIFT if place < plan.spaces // 2 else 0
            if place % 20 == 19:
                kind, features, charger_kw = SpaceType.EV, Feature.CHARGER | near, 22
            else:
                kind = SpaceType.COMPACT if place % 10 == 9 else SpaceType.STANDARD
                features, charger_kw = int(near), 0
            spaces.append(
                SetSpace(
                    *(plan.lot, number, f"L{level}", kind, int(features), charger_kw),
                    lift_m=2 * place,
                    x_m=place,
                    y_m=level,
                )
            )
    return tuple(spaces)


def _gates(plan: LotPlan) -> tuple[SetGate, ...]:
    return tuple(
        [
            SetGate(f"{plan.lot}-{place + 1}", plan.lot, f"{direction.name.title()} {place + 1}", direction)
            for place, direction in enumerate(plan.gates)
        ]
    )
