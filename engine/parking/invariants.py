"""What must hold of parking after every command. Slow; part of `check_invariants`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.parking.booking_invariants import broken_rights
from engine.parking.gate_invariants import broken_gates
from engine.parking.kinds import TagStatus
from engine.parking.records import Parking
from engine.parking.tariff_checks import mistakes
from engine.parking.zones import is_sound
from engine.state import State


def broken_parking(state: State) -> Iterator[str]:
    """Every broken invariant of parking, in words."""
    yield from broken_estate(state.parking)
    yield from broken_vehicles(state)
    yield from broken_rights(state)
    yield from broken_tariffs(state.parking)
    yield from broken_gates(state)


def broken_estate(parking: Parking) -> Iterator[str]:
    """Records stand under their keys, spaces at their index, and everything belongs to a lot."""
    for lot, each in parking.lots.items():
        if each.lot != lot or lot not in parking.numbers:
            yield f"lot {lot} is not where it belongs"
    for (lot, code), floor in parking.floors.items():
        if (floor.lot, floor.floor) != (lot, code) or lot not in parking.lots:
            yield f"floor {code} of {lot} is not where it belongs"
    for (lot, number), space in parking.spaces.items():
        numbers = parking.numbers.get(lot, [])
        if (space.lot, space.number) != (lot, number) or numbers[space.index : space.index + 1] != [number]:
            yield f"space {number} of {lot} is not where it belongs"
        if (lot, space.floor) not in parking.floors:
            yield f"space {number} of {lot} is on a floor that does not exist"
    if sum([len(numbers) for numbers in parking.numbers.values()]) != len(parking.spaces):
        yield "a space is counted twice, or not"
    for gate_id, gate in parking.gates.items():
        if gate.gate_id != gate_id or gate.lot not in parking.lots:
            yield f"gate {gate_id} is not where it belongs"


def broken_vehicles(state: State) -> Iterator[str]:
    """Plates and tags lead to their vehicles, and those to their accounts."""
    parking = state.parking
    if parking.vehicle_of_plate != {each.plate: key for key, each in parking.vehicles.items()}:
        yield "plates do not lead to their vehicles"
    owned: dict[int, dict[int, None]] = {}
    for vehicle_id, vehicle in parking.vehicles.items():
        owned.setdefault(vehicle.account_id, {})[vehicle_id] = None
        if vehicle.account_id not in state.accounts:
            yield f"vehicle {vehicle_id} is nobody's"
    if parking.vehicles_of_account != owned:
        yield "accounts do not lead to their vehicles"
    attached: dict[int, dict[str, None]] = {}
    for epc, tag in parking.tags.items():
        if (tag.status is TagStatus.ACTIVE) is not (tag.vehicle_id in parking.vehicles):
            yield f"tag {epc} is {tag.status.name} and attached to {tag.vehicle_id}"
        if tag.vehicle_id:
            attached.setdefault(tag.vehicle_id, {})[epc] = None
    if parking.tags_of_vehicle != attached:
        yield "vehicles do not lead to their tags"


def broken_tariffs(parking: Parking) -> Iterator[str]:
    """Versions are counted from 1 without a gap, and nothing that is in force is unsound."""
    versions: dict[str, list[int]] = {}
    for (name, version), tariff in parking.tariffs.items():
        versions.setdefault(name, []).append(version)
        if (tariff.name, tariff.version) != (name, version):
            yield f"tariff {name} {version} is not where it belongs"
        yield from (f"tariff {name} {version}: {mistake}" for mistake in mistakes(tariff))
    if parking.tariff_versions != {name: len(found) for name, found in versions.items()}:
        yield "the versions of tariffs are not counted"
    for name, zone in parking.zones.items():
        if zone.name != name or not is_sound(zone):
            yield f"zone {name} is not sound"
