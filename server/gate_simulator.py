"""Simulated gates: real clients of the real protocol, with cars coming and going by the hour.

A gate knows no vehicles of its own: it scans tags of its allow-list, which are those that it would open for (an exit's are
those that are inside). Now and then it scans a tag that nobody has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final

from msgspec import Struct

from server.gate_client import GateClient, GateRefused
from server.gate_messages import AllowList, Decision, GateCommand

STRANGER: Final = "E2000000000000000000DEAD"
STRANGERS_PER_1000: Final = 20
BACKOFF_MAX_S: Final = 30.0
DRIVE_S: Final = 1.5
"""How long a car takes through an open gate."""

FULL_AT: Final = (8, 4, 3, 3, 4, 8, 20, 40, 62, 75, 82, 86, 88, 88, 86, 82, 76, 66, 54, 42, 32, 24, 18, 12)
"""By hour of the day, how many per cent of the known cars are inside."""


class GateAccess(Struct, frozen=True):
    """A gate to be, and its secret."""

    gate_id: str
    secret: bytes


@dataclass(slots=True)
class Tally:
    """What came of it."""

    scans: int = 0
    opened: int = 0
    passed: int = 0
    lost: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items()))
        return f"{self.scans} scans, {self.opened} opened, {self.passed} passed, {self.lost} lost ({reasons})"


class SimulatedGate:
    """One gate: stays connected, beats, keeps its list. `client` is None while there is no connection."""

    def __init__(self, address: tuple[str, int], access: GateAccess, random: Random) -> None:
        self.access = access
        self.client: GateClient | None = None
        self.tags: tuple[str, ...] = ()
        self.is_exit = False
        self.n = 0
        self.locked = False
        self.is_busy = False
        self._address = address
        self._random = random
        self._parts: dict[int, tuple[str, ...]] = {}
        self._version = 0

    def __repr__(self) -> str:
        return f"<SimulatedGate {self.access.gate_id} {'' if self.client else 'not '}connected, {len(self.tags)} tags>"

    async def run(self) -> None:
        """Connect, beat, connect again; until it is cancelled."""
        pause_s = 1.0
        while True:
            try:
                self.client = await GateClient.connect(
                    self._address, self.access.gate_id, self.access.secret, self.n, on_unasked=self._hear
                )
                pause_s = 1.0
                await self._beat(self.client)
            except (OSError, GateRefused):
                pass
            finally:
                if self.client is not None:
                    self.n = self.client.n
                    self.client.close()
                    self.client = None
            await asyncio.sleep(pause_s * (0.5 + self._random.random()))
            pause_s = min(pause_s * 2, BACKOFF_MAX_S)

    async def _beat(self, client: GateClient) -> None:
        assert client.welcome is not None
        self.is_exit = client.welcome.direction == "EXIT"
        self.locked = client.welcome.locked
        while True:
            done, _ = await asyncio.wait({client.closed}, timeout=client.welcome.heartbeat_s)
            if done:
                return
            await client.report("heartbeat")

    def _hear(self, message: GateCommand | AllowList) -> None:
        if isinstance(message, GateCommand):
            self.locked = message.locked
        elif message.version >= self._version:
            if message.version > self._version:
                self._version, self._parts = message.version, {}
            self._parts[message.part] = message.entries
            if len(self._parts) == message.parts:
                self.tags = tuple([tag for part in sorted(self._parts) for tag in self._parts[part]])


class GateSimulator:
    """Cars at gates. `hour` is the hour of the day whose traffic is simulated."""

    def __init__(
        self,
        address: tuple[str, int],
        gates: Sequence[GateAccess],
        *,
        seed: int = 1,
        hour: Callable[[], int] = lambda: datetime.now(UTC).hour,
        drive_s: float = DRIVE_S,
    ) -> None:
        self.tally = Tally()
        self._random = Random(seed)
        self._hour = hour
        self._drive_s = drive_s
        self.gates = [SimulatedGate(address, access, self._random) for access in gates]
        self._inside: dict[str, None] = {}
        self._moving: set[str] = set()
        self._cars: set[asyncio.Task[None]] = set()

    @property
    def inside(self) -> list[str]:
        """The tags that it has seen go in and not out."""
        return sorted(self._inside)

    def __repr__(self) -> str:
        return f"<GateSimulator gates={len(self.gates)} inside={len(self._inside)} {self.tally}>"

    async def run(self, rate: float, seconds: float | None = None) -> None:
        """Scan so many times a second, at all gates together, for so long or until it is cancelled."""
        loop = asyncio.get_running_loop()
        staying = [loop.create_task(gate.run()) for gate in self.gates]
        end_s = None if seconds is None else loop.time() + seconds
        try:
            while end_s is None or loop.time() < end_s:
                await asyncio.sleep(self._random.expovariate(rate))
                self._move()
            if self._cars:
                await asyncio.wait(self._cars, timeout=5.0)
        finally:
            for task in (*staying, *self._cars):
                task.cancel()
            await asyncio.gather(*staying, *self._cars, return_exceptions=True)

    def _move(self) -> None:
        """Let one car come or go, as the hour wants it."""
        connected = [gate for gate in self.gates if gate.client is not None and not gate.is_busy]
        if not connected:
            return
        exits = [gate for gate in connected if gate.is_exit]
        entries = [gate for gate in connected if not gate.is_exit]
        known = len(self._inside) + max((len(gate.tags) for gate in entries), default=0)
        comes = 100 * len(self._inside) < FULL_AT[self._hour()] * known
        gate = self._random.choice((entries if comes else exits) or connected)
        if self._random.randrange(1_000) < STRANGERS_PER_1000:
            tag = STRANGER
        else:
            waiting = (
                [*self._inside] if gate.is_exit else [tag for tag in gate.tags if tag not in self._inside]
            )
            if not waiting:
                return
            tag = self._random.choice(waiting)
        if tag in self._moving:
            return
        self._moving.add(tag)
        gate.is_busy = True
        task = asyncio.get_running_loop().create_task(self._pass(gate, tag))
        self._cars.add(task)
        task.add_done_callback(self._cars.discard)

    async def _pass(self, gate: SimulatedGate, tag: str) -> None:
        """One car at one gate: scanned, and through when it opens."""
        try:
            assert gate.client is not None
            decision = await gate.client.scan(tag, now_text())
            self._count(decision)
            if decision.open:
                await asyncio.sleep(self._drive_s * self._random.random())
                if gate.client is None:
                    raise GateRefused("the connection is gone")
                await gate.client.report("passed", lane=1, at=now_text())
                self.tally.passed += 1
                if gate.is_exit:
                    self._inside.pop(tag, None)
                else:
                    self._inside[tag] = None
            elif decision.reason == "ALREADY_INSIDE":
                self._inside[tag] = None
            elif decision.reason == "NO_STAY":
                self._inside.pop(tag, None)
        except GateRefused:
            self.tally.lost += 1
        finally:
            gate.is_busy = False
            self._moving.discard(tag)

    def _count(self, decision: Decision) -> None:
        tally = self.tally
        tally.scans += 1
        tally.opened += decision.open
        tally.reasons[decision.reason] = tally.reasons.get(decision.reason, 0) + 1


def now_text() -> str:
    """The time as a gate sends it."""
    return datetime.now(UTC).isoformat()
