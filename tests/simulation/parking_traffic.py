"""A small car park in a simulated life: whoever trades there parks there too, and gates say what they see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from engine.commands import AnyCommand
from engine.parking import booking_commands as b
from engine.parking.commands import AttachTag, ImportEstate, RegisterVehicle, RevokeTag
from engine.parking.gate_commands import (
    OfflinePassage,
    OperateGate,
    RenewGateKey,
    ReportPassage,
    ScanTag,
    SyncOffline,
)
from engine.parking.gate_kinds import CredentialKind, GateOrder, Way
from engine.parking.kinds import PassKind, SpaceType, VehicleKind
from engine.parking.records import Parking, Vehicle
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.zones import UTC
from engine.units import DAY_US, MINUTE_US
from tests.engine.parking.booking_world import TARIFF
from tests.engine.parking.parking_world import FLOORS, GATES, LOT, SPACES
from tests.server.ledger_world import World

OURS: Final = replace(LOT, time_zone="UTC", tariff="STD")
WALKERS: Final = ("WALK0", "WALK1")
IN, OUT = (gate.gate_id for gate in GATES)


class Cars:
    """The drivers of a venue. `happen` lets them do something; what is missing in the car park is founded first."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def _parking(self) -> Parking:
        return self._world.state.parking

    @property
    def _minute_us(self) -> int:
        now_us = self._world.runtime.now_us()
        return now_us - now_us % MINUTE_US

    def happen(self, things: int, random: Random) -> None:
        """So many things, of which gates see the most."""
        while (missing := self._missing()) is not None:
            self._world.submit(*missing)
        for _ in range(things):
            _HAPPENINGS[random.choices(range(len(_HAPPENINGS)), _WEIGHTS)[0]](self, random)

    def _missing(self) -> tuple[AnyCommand, int] | None:
        """What is to be founded next, and for which account; a process may have died in the middle of it."""
        parking = self._parking
        steps: list[tuple[bool, AnyCommand, int]] = [
            ("UTC" in parking.zones, SetZone(UTC), 0),
            (TARIFF.name in parking.tariff_versions, SetTariff(TARIFF), 0),
            (OURS.lot in parking.lots, OURS, 0),
            (bool(parking.spaces), ImportEstate(OURS.lot, FLOORS, SPACES[:4], GATES), 0),
            (IN in parking.gate_states, RenewGateKey(IN), 0),
            (OUT in parking.gate_states, RenewGateKey(OUT), 0),
        ]
        for place, account_id in enumerate(self._world.account_ids):
            plate, tag = f"CAR{place}", f"E2801160{place:04X}"
            vehicle_id = parking.vehicle_of_plate.get(plate, 0)
            registered = RegisterVehicle(plate, VehicleKind.STANDARD, 150)
            steps.append((bool(vehicle_id), registered, account_id))
            steps.append((not vehicle_id or tag in parking.tags, AttachTag(tag, vehicle_id), account_id))
        return next(((command, account_id) for is_there, command, account_id in steps if not is_there), None)

    # -- drivers

    def _vehicle(self, random: Random) -> Vehicle:
        return random.choice(list(self._parking.vehicles.values()))

    def _some(self, random: Random, table: Mapping[int, Any]) -> int:
        """Something that there is; an id of nothing where there is none."""
        return random.choice(list(table)) if table else 1

    def _wanted(self, random: Random) -> tuple[str, int, int, int, SpaceType]:
        begin_us = self._minute_us + random.choice((0, 0, 15, 60)) * MINUTE_US
        vehicle = self._vehicle(random)
        end_us = begin_us + random.choice((15, 60, 300)) * MINUTE_US
        return OURS.lot, vehicle.vehicle_id, begin_us, end_us, SpaceType.STANDARD

    def _ask(self, command: AnyCommand, vehicle_id: int, random: Random) -> None:
        """As the owner of a vehicle, now and then with a key."""
        key = f"park-{random.getrandbits(40)}" if random.random() < 0.3 else ""
        self._world.submit(command, self._parking.vehicles[vehicle_id].account_id, key)

    def _book(self, random: Random) -> None:
        wanted = self._wanted(random)
        self._ask(b.BookSpace(*wanted), wanted[1], random)

    def _wait(self, random: Random) -> None:
        wanted = self._wanted(random)
        self._ask(b.JoinWaitingList(*wanted), wanted[1], random)

    def _change(self, random: Random) -> None:
        """A booking is extended, cancelled, or taken where it was offered."""
        booking_id = self._some(random, self._parking.bookings)
        booking = self._parking.bookings.get(booking_id)
        vehicle_id = self._vehicle(random).vehicle_id if booking is None else booking.vehicle_id
        end_us = self._minute_us if booking is None else booking.end_us
        ways = (
            b.ExtendBooking(booking_id, end_us + 30 * MINUTE_US),
            b.CancelBooking(booking_id),
            b.AcceptOffer(booking_id),
        )
        self._ask(random.choice(ways), vehicle_id, random)

    def _ticket(self, random: Random) -> None:
        asks = random.random() < 0.6
        command: AnyCommand = b.IssueTicket(OURS.lot, random.choice(WALKERS))
        if not asks:
            command = b.PayTicket(self._some(random, self._parking.tickets), lost=random.random() < 0.2)
        self._ask(command, self._vehicle(random).vehicle_id, random)

    def _settle(self, random: Random) -> None:
        """A debt is paid, a pass sold or taken back, a stay ended."""
        parking, vehicle = self._parking, self._vehicle(random)
        begin_us = self._minute_us
        sold = (OURS.lot, PassKind.SEASON, begin_us, begin_us + DAY_US, 10_000, 100)
        ways = (
            b.PayDebt(self._some(random, parking.debts)),
            b.IssuePass(vehicle.vehicle_id, *sold),
            b.CancelPass(self._some(random, parking.passes)),
            b.EndStay(self._some(random, parking.stays), random.random() < 0.5, "drill"),
        )
        self._ask(random.choice(ways), vehicle.vehicle_id, random)

    def _tag(self, random: Random) -> None:
        vehicle = self._vehicle(random)
        tag = f"E2801160{int(vehicle.plate.removeprefix('CAR')):04X}"
        known = self._parking.tags.get(tag)
        lost = known is not None and known.vehicle_id == vehicle.vehicle_id
        command = RevokeTag(tag, "lost") if lost else AttachTag(tag, vehicle.vehicle_id)
        self._ask(command, vehicle.vehicle_id, random)

    # -- gates

    def _line(self, gate: str) -> tuple[str, int, bytes]:
        """The gate's next line."""
        n = self._parking.gate_states[gate].n + 1
        return gate, n, n.to_bytes(8, "big")

    def _shown(self, random: Random) -> tuple[CredentialKind, str, str]:
        """What somebody shows, and the plate."""
        if random.random() < 0.3:
            walker = random.choice(WALKERS)
            return CredentialKind.PLATE, walker, walker
        plate = self._vehicle(random).plate
        return CredentialKind.TAG, f"E2801160{int(plate.removeprefix('CAR')):04X}", plate

    def _pass(self, random: Random) -> None:
        """Who is inside leaves, who is not comes; sometimes only half of it, or at the wrong gate."""
        kind, text, plate = self._shown(random)
        gate = OUT if plate in self._parking.stay_of_who else IN
        if random.random() < 0.1:
            gate = random.choice((IN, OUT))
        now_us = self._world.runtime.now_us()
        if random.random() < 0.95:
            self._world.submit(ScanTag(*self._line(gate), 1, now_us, kind, text))
        if random.random() < 0.9:
            self._world.submit(ReportPassage(*self._line(gate), 1, now_us, passed=random.random() < 0.9))

    def _alone(self, random: Random) -> None:
        """A gate was cut off when somebody passed."""
        now_us = self._world.runtime.now_us()
        passages = []
        for _ in range(random.randint(1, 3)):
            kind, text, _ = self._shown(random)
            at_us = now_us - random.choice((0, 1, 20)) * MINUTE_US
            passages.append(OfflinePassage(1, at_us, random.choice(list(Way)), kind, text))
        self._world.submit(SyncOffline(*self._line(random.choice((IN, OUT))), tuple(passages)))

    def _operate(self, random: Random) -> None:
        gate = random.choice((IN, OUT))
        locked = self._parking.gate_states[gate].locked
        order = GateOrder.UNLOCK if locked else random.choice((GateOrder.OPEN, GateOrder.LOCK))
        self._world.submit(OperateGate(gate, order, 1, "drill"))

    def _time(self, random: Random) -> None:
        """So much time passes that what is due happens: nobody came, a space is needed, a pass ends."""
        runtime = self._world.runtime
        runtime.fire_due_timers(runtime.now_us() + random.choice((1, 20, 130)) * MINUTE_US)


_HAPPENINGS: Final[tuple[Callable[[Cars, Random], None], ...]] = (
    *(Cars._pass, Cars._book, Cars._change, Cars._ticket, Cars._wait),
    *(Cars._settle, Cars._alone, Cars._operate, Cars._tag, Cars._time),
)
_WEIGHTS: Final = (40, 18, 8, 12, 4, 8, 6, 4, 4, 6)
