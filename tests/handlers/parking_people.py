"""A car park and its drivers, for tests of the routes: what examples are about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.camera_commands import RenewCameraKey, SetCamera
from engine.parking.commands import BlockPlate, ImportEstate
from engine.parking.gate_commands import RenewGateKey, ReportPassage, ScanTag
from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import PassKind
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_records import PassProduct
from engine.units import CASH_SCALE
from tests.engine.parking.parking_world import FLOORS, GATES, LOT, SPACES
from tests.engine.parking.tariff_world import BERLIN, CITY
from tests.handlers.small_kerb import Client, SmallKerb

ParkingWorld = Callable[[SmallKerb, Client], Awaitable[dict[str, str]]]
"""Prepares what an example is about; the ids that only the prepared world knows."""

PASSES = (
    PassProduct("MONTH", "30 days", PassKind.SEASON, 30, 80 * CASH_SCALE),
    PassProduct("OWN", "30 days, own space", PassKind.SEASON, 30, 120 * CASH_SCALE, reserved=True),
    PassProduct("NIGHTS", "weekday nights", PassKind.RECURRING, 30, 20 * CASH_SCALE, 31, 18 * 60),
)
TARIFF = replace(CITY, name="std", currency="USD", passes=PASSES)
MORNING = {"from": "2023-11-20T08:00:00Z", "to": "2023-11-20T10:00:00Z"}


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


async def many_spaces(small: SmallKerb) -> None:
    """Forty more spaces in the lot P1."""
    more = tuple([replace(SPACES[0], number=f"M-{number}") for number in range(40)])
    applied = await small.services.runtime.execute(ImportEstate("P1", (), more), Envelope(Source.OPERATOR))
    assert applied.refused is None


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


async def at_a_car_park(small: SmallKerb, user: Client) -> dict[str, str]:
    """A car park, and a vehicle of the user's."""
    ids = await car_park(small)
    await many_spaces(small)
    return {**ids, **await vehicle(small, user)}


async def booking(small: SmallKerb, user: Client) -> dict[str, str]:
    """A booking of the user's, for two hours of a morning."""
    ids = await at_a_car_park(small, user)
    made = await user("POST", "/parking/bookings", ids | MORNING)
    assert made.status == 201, made
    return {"booking_id": made.data["booking_id"]}


async def _cancelled(small: SmallKerb, user: Client) -> dict[str, str]:
    ids = await booking(small, user)
    assert (await user("DELETE", f"/parking/bookings/{ids['booking_id']}")).status == 200
    return ids


CHARGER = {"type": "EV", "features": ["CHARGER"]} | MORNING


async def _electric(small: SmallKerb, user: Client) -> dict[str, str]:
    plate = {"plate": f"EV{small.world.state.seq}", "electric": True}
    made = await user("POST", "/parking/vehicles", plate)
    return {"lot_id": "lot_P1", "vehicle_id": made.data["vehicle_id"]}


async def _wait(small: SmallKerb, user: Client) -> tuple[Client, dict[str, str]]:
    """Who has booked all chargers (there is one), and a place of the user's on the list for it."""
    await at_a_car_park(small, user)
    neighbour = await small.trader(f"neighbour{small.world.state.seq}", cash="100")
    taken, day = "", 19
    while not taken:  # others may wait for one too: then on the next day
        day += 1
        asked = CHARGER | {"from": f"2023-11-{day}T08:00:00Z", "to": f"2023-11-{day}T10:00:00Z"}
        while True:
            made = await neighbour("POST", "/parking/bookings", await _electric(small, neighbour) | asked)
            if made.status != 201:
                break
            taken = made.data["booking_id"]
    placed = await user("POST", "/parking/waiting-list", await _electric(small, user) | asked)
    assert (placed.status, placed.data["status"]) == (201, "WAITING"), placed
    return neighbour, {"waiting_id": placed.data["waiting_id"], "taken": taken}


async def waiting(small: SmallKerb, user: Client) -> dict[str, str]:
    """A place on the waiting list for the one charger of the car park."""
    return (await _wait(small, user))[1]


async def offer(small: SmallKerb, user: Client) -> dict[str, str]:
    """The charger is offered to the user: it was given back."""
    neighbour, ids = await _wait(small, user)
    assert (await neighbour("DELETE", f"/parking/bookings/{ids['taken']}")).status == 200
    (placed,) = (await user("GET", "/parking/waiting-list")).data
    return {"waiting_id": ids["waiting_id"], "booking_id": placed["booking_id"]}


async def season_pass(small: SmallKerb, user: Client) -> dict[str, str]:
    """A pass of the user's for 30 days."""
    ids = await at_a_car_park(small, user)
    made = await user("POST", "/parking/passes", ids | {"code": "MONTH", "from": MORNING["from"]})
    assert made.status == 201, made
    return {"pass_id": made.data["pass_id"]}


async def go_in(small: SmallKerb, plate: str) -> None:
    """A vehicle passes the entry, whose camera has read its plate."""
    await _pass(small, "P1-in", plate)
    assert plate in small.world.state.parking.stay_of_who


async def go_out(small: SmallKerb, plate: str) -> None:
    """A vehicle passes the exit."""
    await _pass(small, "P1-out", plate)
    assert plate not in small.world.state.parking.stay_of_who


async def _pass(small: SmallKerb, gate: str, plate: str) -> None:
    runtime = small.services.runtime
    gates = runtime.state.parking.gate_states
    if gate not in gates:
        await runtime.execute(RenewGateKey(gate), Envelope(Source.OPERATOR))
    n = gates[gate].n
    scan = ScanTag(gate, n + 1, b"d", 1, runtime.now_us(), CredentialKind.PLATE, plate)
    passed = ReportPassage(gate, n + 2, b"d", 1, runtime.now_us(), passed=True)
    for command in (scan, passed):
        applied = await runtime.execute(command, Envelope(Source.GATE))
        assert applied.refused is None


async def inside(small: SmallKerb, user: Client) -> dict[str, str]:
    """A vehicle of the user's that is inside, on the user's account."""
    ids = await at_a_car_park(small, user)
    (vehicle_id,) = [int(ids["vehicle_id"].removeprefix("veh_"))]
    await go_in(small, small.world.state.parking.vehicles[vehicle_id].plate)
    return ids


async def _left(small: SmallKerb, user: Client) -> dict[str, str]:
    """A vehicle of the user's that was inside for a moment."""
    ids = await inside(small, user)
    await go_out(small, small.world.state.parking.vehicles[int(ids["vehicle_id"].removeprefix("veh_"))].plate)
    return ids


async def _visited(small: SmallKerb, _: Client) -> dict[str, str]:
    """A car park that somebody has left, and somebody else is in."""
    number = small.world.state.seq
    await _left(small, await small.trader(f"gone{number}", cash="100"))
    await inside(small, await small.trader(f"here{number}", cash="100"))
    return {}


async def debt(small: SmallKerb, user: Client) -> dict[str, str]:
    """What a plate owes that left without paying, and is the user's now."""
    plate = f"D{small.world.state.seq}"
    await walk_in(small, user, plate)
    small.world.clock_leap(3_600)
    await go_out(small, plate)
    assert (await user("POST", "/parking/vehicles", {"plate": plate})).status == 201
    (owed,) = (await user("GET", "/parking/debts")).data
    return {"debt_id": owed["debt_id"]}


async def walk_in(small: SmallKerb, user: Client, plate: str = "") -> dict[str, str]:
    """Somebody without an account who is inside with a ticket."""
    await car_park(small)
    plate = plate or f"W{small.world.state.seq}"
    ticket = await user("POST", "/parking/tickets", {"lot_id": "lot_P1", "plate": plate})
    assert ticket.status == 201, ticket
    await go_in(small, plate)
    return {"ticket_id": ticket.data["ticket_id"]}


async def camera(small: SmallKerb, _: Client) -> dict[str, str]:
    """A camera at the first lane of the entry, with a secret."""
    await car_park(small)
    for command in (SetCamera("east", "P1-in", 1, "East", 8_000), RenewCameraKey("east")):
        applied = await small.services.runtime.execute(command, Envelope(Source.OPERATOR))
        assert applied.refused is None
    return {"camera_id": "cam_east"}


async def _stay(small: SmallKerb, user: Client) -> dict[str, str]:
    await inside(small, user)
    return {"stay_id": f"sty_{max(small.world.state.parking.stays)}"}


async def _blocked(small: SmallKerb, _: Client) -> dict[str, str]:
    await small.services.runtime.execute(
        BlockPlate("BAD7", on=True, reason="stolen"), Envelope(Source.OPERATOR)
    )
    return {}


def of_a_driver(world: ParkingWorld) -> ParkingWorld:
    """The same, of somebody else than the caller."""

    async def made(small: SmallKerb, _: Client) -> dict[str, str]:
        driver = await small.trader(f"driver{small.world.state.seq}", cash="1000")
        return {**await world(small, driver), "user_id": driver.user_id}

    return made


PARKING_WORLDS: dict[str, ParkingWorld] = {
    "a car park": car_park,
    "a gate": _gate,
    "a camera": camera,
    "a vehicle": vehicle,
    "a plate of somebody else": _taken_plate,
    "a tag": _tag,
    "a vehicle near a car park": at_a_car_park,
    "a booking": booking,
    "a cancelled booking": _cancelled,
    "a place on the waiting list": waiting,
    "an offer of the waiting list": offer,
    "a pass": season_pass,
    "a debt": debt,
    "a vehicle inside": inside,
    "a stay that is over": _left,
    "a car park with visitors": _visited,
    "a walk-in who is inside": walk_in,
    "a driver's vehicle": of_a_driver(at_a_car_park),
    "a driver's booking": of_a_driver(booking),
    "a driver's stay": of_a_driver(_stay),
    "a driver's pass": of_a_driver(season_pass),
    "a driver's place on the waiting list": of_a_driver(waiting),
    "a driver's debt": of_a_driver(debt),
    "a driver's walk-in": of_a_driver(walk_in),
    "a blocked plate": _blocked,
}
