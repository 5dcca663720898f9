"""Simulated gates over the real protocol: who is inside for them is inside for the engine, and so it is after a cut."""

from __future__ import annotations

from pathlib import Path

from config.settings import Settings
from engine.parking.kinds import Direction
from server.gate_simulator import GateAccess, GateSimulator
from tests.handlers.gate_yard import IN, OUT, GateYard, open_yard

CARS = 30


def cars(yard: GateYard) -> None:
    """More vehicles, and more lanes to come by."""
    for number in range(CARS):
        yard.add_vehicle(6_000 + number, f"CAR{number}", f"E2801161{number:016X}")
    yard.add_gate("in2", Direction.ENTRY)
    yard.add_gate("out2", Direction.EXIT)


async def test_who_is_inside_is_the_same_for_the_gates_and_for_the_engine(
    tmp_path: Path, settings: Settings
) -> None:
    async with open_yard(tmp_path, settings.gate) as yard:
        cars(yard)
        access = [GateAccess(f"gat_{code}", yard.secret(code)) for code in (IN, OUT, "in2", "out2")]
        simulator = GateSimulator(yard.address, access, hour=lambda: 12, drive_s=0.01)
        await simulator.run(rate=100, seconds=2)
        tally = simulator.tally
        assert tally.passed == tally.opened > 10, tally
        assert tally.lost == 0
        tags = yard.state.parking.tags
        plates = {yard.state.parking.vehicles[tags[tag].vehicle_id].plate for tag in simulator.inside}
        assert plates == yard.inside()
        assert plates
