"""A car park whose gates are connected over real sockets, on a real engine and journal, without a database."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from config.settings import GateSettings
from engine.apply import ENGINE_VERSION, Applied
from engine.commands import AnyCommand, Envelope, OpenAccount
from engine.events import AccountOpened
from engine.kinds import AccountKind, Source
from engine.parking.commands import (
    AttachTag,
    ImportEstate,
    RegisterVehicle,
    SetFloor,
    SetGate,
    SetLot,
    SetSpace,
)
from engine.parking.events import VehicleSet
from engine.parking.gate_commands import RenewGateKey
from engine.parking.kinds import Direction, SpaceType, VehicleKind
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_records import Tariff
from engine.parking.zones import UTC
from engine.state import State
from handlers.gate_listener import GateListener, listen
from server.clock import WallClock
from server.gate_client import GateClient
from server.gate_hub import GateHub
from server.gate_protocol import Fault
from server.gate_secrets import GateSecrets
from server.journal import Journal
from server.poison import PoisonBox
from server.replay import replay
from server.runtime import Runtime

MASTER = "a-published-secret-of-gates-for-tests-0123456789"
SPACES = 300
TAG = "E28011600000000000000001"
AT = "2026-01-15T08:00:00Z"
IN, OUT = "in", "out"
TICK_S = 0.02


class GateYard:
    """The server's side, and how to be a gate of it."""

    def __init__(self, runtime: Runtime, hub: GateHub, listener: GateListener) -> None:
        self.runtime = runtime
        self.hub = hub
        self.listener = listener
        self.address = ("127.0.0.1", listener.port)
        self.faults: list[str] = []
        self.tls: ssl.SSLContext | None = None

    @property
    def state(self) -> State:
        """The engine's state."""
        return self.runtime.state

    def do(self, command: AnyCommand, source: Source = Source.OPERATOR, account_id: int = 0) -> Applied:
        """Carry a command out; it must not be refused."""
        applied = self.runtime.submit(command, Envelope(source, 7, account_id))
        assert applied.refused is None, applied.refused
        return applied

    def found(self) -> None:
        """A lot with an entry and an exit, and a driver whose vehicle has a tag."""
        self.do(SetZone(UTC))
        rates = ((SpaceType.STANDARD, 5_000),)
        self.do(SetTariff(Tariff(name="STD", currency="USD", unit_minutes=30, rates=rates)))
        self.do(SetLot("P1", "Old Harbour", "Quay 1", "UTC", "USD", "STD"))
        spaces = tuple([SetSpace("P1", f"S-{n}", "G", SpaceType.STANDARD) for n in range(1, SPACES + 1)])
        self.do(ImportEstate("P1", (SetFloor("P1", "G", "Ground", 0),), spaces))
        for code, direction in ((IN, Direction.ENTRY), (OUT, Direction.EXIT)):
            self.add_gate(code, direction)
        self.add_vehicle(5_000, "KERB1", TAG)

    def add_gate(self, code: str, direction: Direction) -> None:
        """A gate that has its secret."""
        self.do(SetGate(code, "P1", code, direction))
        self.do(RenewGateKey(code))

    def add_vehicle(self, user_id: int, plate: str, tag: str) -> None:
        """A driver with a vehicle that has a tag."""
        opened = self.do(OpenAccount(user_id, AccountKind.USER, "USD")).answer[0]
        assert isinstance(opened, AccountOpened)
        done = self.do(RegisterVehicle(plate, VehicleKind.STANDARD), Source.HTTP, opened.account_id)
        (event,) = [event for event in done.events if isinstance(event, VehicleSet)]
        self.do(AttachTag(tag, event.vehicle.vehicle_id), Source.HTTP, opened.account_id)

    def inside(self) -> set[str]:
        """Who is inside, for the engine."""
        return set(self.state.parking.stay_of_who)

    def secret(self, code: str) -> bytes:
        """A gate's present secret."""
        return GateSecrets(MASTER).secret(code, self.state.parking.gate_states[code].key_version)

    async def connect(self, code: str = IN, n: int = 0) -> GateClient:
        """A gate, connected."""
        return await GateClient.connect(self.address, f"gat_{code}", self.secret(code), n, tls=self.tls)

    async def until_refused(self, fault: Fault, count: int = 1) -> None:
        """Wait until so many connections have been ended for this."""
        async with asyncio.timeout(10):
            while self.hub.faults.counts[fault] < count:
                await asyncio.sleep(TICK_S)


@asynccontextmanager
async def open_yard(folder: Path, settings: GateSettings) -> AsyncIterator[GateYard]:
    """Start it until the block ends, on the folder of before or an empty one."""
    journal = Journal.open(
        folder / "journal", 0, journal_id=bytes(16), engine_version=ENGINE_VERSION, segment_bytes=1 << 20
    )
    state = State()
    replay(state, journal.read(1))
    failed: list[str] = []
    runtime = Runtime(
        state,
        journal,
        WallClock(),
        pending_max_bytes=1 << 26,
        poison=PoisonBox(folder / "poison"),
        on_fatal=lambda code, reason: failed.append(f"{code.name}: {reason}"),
    )
    journal.start(lambda error: failed.append(str(error)))
    hub = GateHub(runtime, GateSecrets(MASTER), settings, WallClock())
    listener = await listen(hub, settings)
    ticking = asyncio.get_running_loop().create_task(_tick(listener))
    yard = GateYard(runtime, hub, listener)
    if not state.seq:
        yard.found()
    try:
        yield yard
    finally:
        ticking.cancel()
        await listener.stop()
        await journal.close()
    assert failed == []


async def _tick(listener: GateListener) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        listener.tick()


def hasty(settings: GateSettings) -> GateSettings:
    """As configured, with times that a test can wait for."""
    return replace(settings, handshake_s=1, heartbeat_s=1)
