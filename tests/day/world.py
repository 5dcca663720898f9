"""A day in a car park: a real server, real gates over TCP and drivers over HTTP, at the speed at which they can be served.

1. found: a lot, its tariff and gates over HTTP, as an operator does; drivers with money, vehicles and tags
2. live: the clock goes from one thing to the next; the server may be killed at any time in it
3. look: what the books of those who lived it say is what the server says (tests/day/findings.py)
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp

from server.demo import OPERATOR, PASSWORD
from tests.day import tariff
from tests.day.books import Books, Driver
from tests.day.cars import POOR_CENTS, Traffic
from tests.day.clock import DayClock
from tests.day.controllers import Controller
from tests.day.findings import look, occupancy
from tests.day.line import Line
from tests.day.plan import BY_PLATE, Planned, Size, plan
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder

SEAM: Final = Path(__file__).parents[1] / "torture" / "clock_seam"
LOT: Final = "lot_DAY"
HOUR_S: Final = 3_600
RICH_CENTS: Final = 2_000_000
TOGETHER_MIN: Final = 2
PATIENCE_S: Final = 600
"""So long a kill waits for a moment at which several do something."""
KILL_MAX_S: Final = 0.012
"""So long after something begins the server is killed at the latest: about as long as it takes to be done."""

TOGETHER: Final = 20
"""Requests at a time while the car park is founded."""


class Day:
    """One day of one server."""

    def __init__(
        self, kerb: KerbProcess, http: aiohttp.ClientSession, clock: DayClock, size: Size, random: Random
    ) -> None:
        self.kerb = kerb
        self.clock = clock
        self.size = size
        self.line = Line()
        self.books = Books(Counter(size.spaces))
        self.traffic = Traffic(clock, self.line, self.books, LOT, is_small=size.cars < 1_000)
        self.drivers: list[Driver] = []
        self.operator: Client
        self.kills = 0
        self._http = http
        self._random = random
        self._kill_at: list[int] = []
        self._looked_hour = 0
        self.line.up.set()

    @property
    def seen(self) -> Counter[str]:
        """What has happened."""
        repeated = sum(gate.repeated for gate in self.traffic.gates)
        scans = sum(gate.seen.total() for gate in self.traffic.gates)
        more = {
            "inside at most": self.books.most_inside,
            "kills": self.kills,
            "lines repeated": repeated,
            "rows of the access log": scans,
        }
        return self.books.happened + self.line.seen + Counter(more)

    # -- found

    async def found(self, gate_port: int) -> list[Planned]:
        """Everything that is there when the day begins; the cars that will come."""
        self.operator = await self.kerb.sign_in(self._http, OPERATOR.email, PASSWORD)
        await self._operate("PUT", f"/admin/parking/tariffs/{tariff.NAME}", tariff.terms(1))
        lot = {"name": "Day", "time_zone": tariff.ZONE, "currency": "USD", "tariff": tariff.NAME}
        await self._operate("PUT", f"/admin/parking/lots/{LOT}", lot)
        await self._operate("POST", f"/admin/parking/lots/{LOT}/import", {"csv": self._estate()})
        for number in range(self.size.entries + self.size.exits):
            await self._add_gate(f"gat_DAY-{number + 1}", gate_port, is_exit=number >= self.size.entries)
        poor_count = self.size.cars // 25
        self.drivers = list(
            await self._together([self._driver(number) for number in range(self.size.drivers + poor_count)])
        )
        rich, poor = self.drivers[: self.size.drivers], self.drivers[self.size.drivers :]
        planned = plan(self._random, self.size, rich, poor)
        await self._together(
            [self._register(each) for each in planned if each.name not in BY_PLATE | {"stranger"}]
        )
        return planned

    def _estate(self) -> str:
        rows = ["kind,floor,number,gate,name,level,type,features,charger_kw,lift_m,x_m,y_m,direction"]
        rows += [f"FLOOR,F{level},,,Floor {level},{level},,,,,,," for level in range(5)]
        number = 0
        for kind, count in self.size.spaces.items():
            for _ in range(count):
                features = ("", "NEAR_LIFT", "COVERED")[number % 3]
                features, power = ("CHARGER", "22") if kind == "EV" else (features, "")
                rows.append(
                    f"SPACE,F{number % 5},S{number},,,,{kind},{features},{power},{number % 90},{number % 50},{number % 20},"
                )
                number += 1
        for place in range(self.size.entries + self.size.exits):
            way = "ENTRY" if place < self.size.entries else "EXIT"
            rows.append(f"GATE,F0,,DAY-{place + 1},{way} {place + 1},,,,,,{place},0,{way}")
        return "\n".join(rows) + "\n"

    async def _add_gate(self, gate_id: str, port: int, *, is_exit: bool) -> None:
        given = await self._operate("POST", f"/admin/parking/gates/{gate_id}/secret", {})
        secret = bytes.fromhex(given["secret"])
        gate = Controller(self.clock, ("127.0.0.1", port), gate_id, secret, is_exit=is_exit)
        gate.seen["SECRET", "", "", self.clock.now.isoformat()] += 1
        self.traffic.gates.append(gate)
        self.traffic.afterwards[gate] = []

    async def _driver(self, number: int) -> Driver:
        driver = Driver(await self.kerb.register(self._http, f"driver{number}@example.com"))
        await self.line.deposit(driver, RICH_CENTS if number < self.size.drivers else POOR_CENTS)
        return driver

    async def _register(self, planned: Planned) -> None:
        car = planned.car
        body = {"plate": car.plate, "kind": car.kind, "electric": car.asks == "EV"}
        made = await self.line.call(car.owner.client, "POST", "/parking/vehicles", body)
        assert made.status == 201, made
        car.vehicle_id = made.data["vehicle_id"]
        path = f"/parking/vehicles/{car.vehicle_id}/tags"
        tagged = await self.line.call(car.owner.client, "POST", path, {"tag": car.tag})
        assert tagged.status == 201, tagged

    async def _operate(self, method: str, path: str, body: Any) -> Any:
        reply = await self.line.call(self.operator, method, path, body)
        assert reply.status in (200, 201), reply
        return reply.data

    async def _together(self, works: Sequence[Any]) -> list[Any]:
        """Some of them at a time."""
        places = asyncio.Semaphore(TOGETHER)

        async def one(work: Any) -> Any:
            async with places:
                return await work

        return list(await asyncio.gather(*map(one, works)))

    # -- live

    async def live(self, planned: Sequence[Planned], kills: int) -> None:
        """The whole day; the server is killed so many times, once in each equal part of it. Raises AssertionError for whatever must not be."""
        end_s = self.size.hours * HOUR_S
        gates = self.traffic.gates
        entry, leave = (
            self._random.choice(gates[: self.size.entries]),
            self._random.choice(gates[self.size.entries :]),
        )
        cut_s = self.size.cut_minutes * 60
        entry_s, exit_s = end_s * 3 // 8, end_s * 5 // 8
        self.traffic.rejoins = {entry: entry_s + cut_s, leave: exit_s + cut_s}
        part_s = end_s // max(kills, 1)
        self._kill_at = [part_s * place + self._random.randrange(part_s * 3 // 4) for place in range(kills)]
        connected = [asyncio.ensure_future(gate.run()) for gate in gates]
        lives = [each.life(self.traffic, each.car) for each in planned]
        lives += [
            self._new_tariff(end_s // 2 + 30),
            self._cut_off(entry, entry_s),
            self._cut_off(leave, exit_s),
        ]
        try:
            await asyncio.gather(*(gate.ready() for gate in gates))
            await self.clock.run(lives, end_s, meanwhile=self._meanwhile, between=self._between)
        finally:
            for task in connected:
                task.cancel()
            await asyncio.gather(*connected, return_exceptions=True)

    async def _new_tariff(self, at_s: int) -> None:
        """Prices change at noon, at a moment of their own; bookings and who is inside keep theirs."""
        await self.clock.at(at_s)
        made = await self._operate("PUT", f"/admin/parking/tariffs/{tariff.NAME}", tariff.terms(2))
        assert made["version"] == 2, made
        self.books.version = 2

    async def _cut_off(self, gate: Controller, at_s: int) -> None:
        """A gate is cut off for a while; then it tells what it did."""
        await self.clock.at(at_s)
        await gate.cut()
        await self.clock.at(self.traffic.rejoins[gate])
        await gate.rejoin()
        for tell in self.traffic.afterwards[gate]:
            tell()

    async def _meanwhile(self) -> None:
        """Several do something now; now and then the server dies of it."""
        late_s = self.clock.now_s - self._kill_at[0] if self._kill_at else -1
        if late_s < 0 or (self.clock.woken < TOGETHER_MIN and late_s < PATIENCE_S):
            return
        self._kill_at.pop(0)
        await asyncio.sleep(self._random.uniform(0, KILL_MAX_S))
        self.line.up.clear()
        await self.kerb.kill()
        await self.kerb.start()
        self.kills += 1
        self.line.up.set()

    async def _between(self) -> None:
        """Everybody waits: in each hour the server is asked once who is inside."""
        hour = self.clock.now_s // HOUR_S
        if hour > self._looked_hour:
            self._looked_hour = hour
            await occupancy(self.line, self.operator, self.books, LOT)

    # -- look

    async def look(self, dsn: str) -> None:
        """At the end of the day."""
        await look(self, dsn)
        await self.kerb.verify()


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@asynccontextmanager
async def opened(
    size: Size, start: datetime, random: Random, **environ: str
) -> AsyncIterator[tuple[Day, int]]:
    """A server whose clock stands at the beginning of the day, and the port of its gates."""
    gate_port, port = free_port(), free_port()
    with reachable_folder() as folder:
        clock = DayClock(folder / "clock", start)
        async with (
            running_kerb(
                folder / "kerb",
                PYTHONPATH=str(SEAM),
                TORTURE_CLOCK=str(clock.path),
                TORTURE_CLOCK_STANDS="1",
                KERB_AUTH__ACCESS_TTL_S="200000",
                KERB_HTTP__PORT=port,
                KERB_GATE__PORT=gate_port,
                **environ,
            ) as kerb,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        ):
            yield Day(kerb, http, clock, size, random), int(gate_port)
