"""A car park and its drivers, for tests of the routes: what examples are about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.commands import ImportEstate
from engine.parking.tariff_commands import SetTariff, SetZone
from tests.engine.parking.parking_world import FLOORS, GATES, LOT, SPACES
from tests.engine.parking.tariff_world import BERLIN, CITY
from tests.handlers.small_kerb import Client, SmallKerb

TARIFF = replace(CITY, name="std", currency="USD")


async def car_park(small: SmallKerb, _: Client | None = None) -> dict[str, str]:
    """The lot P1 with two floors, eight spaces and two gates, in Berlin, paid in dollars."""
    commands: tuple[AnyCommand, ...] = (
        *(SetTariff(TARIFF), SetZone(BERLIN), LOT),
        ImportEstate("P1", FLOORS, SPACES, GATES),
    )
    for command in commands:
        applied = await small.services.runtime.execute(command, Envelope(Source.OPERATOR))
        assert applied.refused is None
    return {"lot_id": "lot_P1"}


async def _gate(small: SmallKerb, _: Client) -> dict[str, str]:
    await car_park(small)
    return {"gate_id": "gat_P1-in"}


async def vehicle(small: SmallKerb, user: Client) -> dict[str, str]:
    """A vehicle of the user's, with a plate of its own."""
    made = await user("POST", "/parking/vehicles", {"plate": f"P{small.world.state.seq}"})
    return {"vehicle_id": made.data["vehicle_id"]}


async def _taken_plate(small: SmallKerb, _: Client) -> dict[str, str]:
    other = await small.trader(f"neighbour{small.world.state.seq}")
    assert (await other("POST", "/parking/vehicles", {"plate": "TAKEN1"})).status == 201
    return {}


async def _tag(small: SmallKerb, user: Client) -> dict[str, str]:
    vehicle_id = (await vehicle(small, user))["vehicle_id"]
    tag = f"E280{small.world.state.seq:020X}"
    assert (await user("POST", f"/parking/vehicles/{vehicle_id}/tags", {"tag": tag})).status == 201
    return {"tag": tag}


PARKING_WORLDS: dict[str, Callable[[SmallKerb, Client], Awaitable[dict[str, str]]]] = {
    "a car park": car_park,
    "a gate": _gate,
    "a vehicle": vehicle,
    "a plate of somebody else": _taken_plate,
    "a tag": _tag,
}
