"""What the HTTP benchmarks share: a real Kerb with users who own cash and shares, a bare peer, and a load, each on its core.

The server and the bare peer have core 0, one of them idle while the other is measured; the load and PostgreSQL have
core 1. The data folder lies on the disk of the checkout, and every order is made durable there.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import product
from pathlib import Path
from random import Random
from typing import Final

import aiohttp
import msgspec

from bench.http_load import KEY_MARK, Job, Outcome
from config.catalogue import load_catalogue
from server.demo import MAKER, PASSWORD
from server.postgres_process import processes_in
from tests.handlers.small_kerb import Client
from tests.kerb_process import ROOT, KerbProcess, running_kerb

USERS: Final = 100
USERS_AT_ONCE: Final = 20
SYMBOLS: Final = 20
UNITS: Final = 200
CASH: Final = "90000000.00"
REQUESTS_EACH: Final = 10
SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
_LAG = re.compile(r"^kerb_write_behind_lag_records ([\d.e+]+)$", re.MULTILINE)
_PLACED = re.compile(r'^kerb_orders_total\{source="http"\} ([\d.e+]+)$', re.MULTILINE)


class OrderLoad:
    """Everything running. `cores` is False where the machine has only one."""

    def __init__(self, kerb: KerbProcess, http: aiohttp.ClientSession, folder: Path) -> None:
        self.kerb = kerb
        self.http = http
        self.folder = folder
        self.cores = len(os.sched_getaffinity(0)) > 1
        self.orders_file = folder / "orders.json"
        self.bare_port = 0
        self.bare_pid = 0
        self._sender: Process | None = None

    @property
    def kerb_port(self) -> int:
        """Where Kerb listens."""
        return int(self.kerb.url.rpartition(":")[2])

    async def send(
        self,
        port: int,
        *,
        connections: int,
        seconds: float,
        rate: float = 0.0,
        count: int = 0,
        warm_s: float = 0.5,
        also: frozenset[str] = frozenset(),
    ) -> Outcome:
        """Load a server with orders. Raises AssertionError when an answer was neither 201 nor one of those in `also`."""
        assert self._sender is not None
        assert self._sender.stdin is not None
        assert self._sender.stdout is not None
        core = LOAD_CORE if self.cores else -1
        job = Job(port, str(self.orders_file), connections, seconds, warm_s, rate, count, core)
        self._sender.stdin.write(msgspec.json.encode(job) + b"\n")
        line = await self._sender.stdout.readline()
        assert line, "the load has ended"
        outcome = msgspec.json.decode(line, type=Outcome)
        assert set(outcome.statuses) - {"201"} <= also, outcome
        return outcome

    def pin(self) -> None:
        """Put every process on its core."""
        if self.cores:
            pin(self.kerb.pid, SERVER_CORE)
            for pid in processes_in((self.kerb.data_dir / "postgres" / "data").resolve()):
                pin(pid, LOAD_CORE)

    async def metric(self, pattern: re.Pattern[str]) -> float:
        """A figure of /metrics; 0 when it is not there yet."""
        async with self.http.get(f"{self.kerb.url}/metrics") as response:
            found = pattern.search(await response.text())
        return float(found[1]) if found else 0.0

    async def placed(self) -> int:
        """Orders that the server has accepted by HTTP since its start."""
        return int(await self.metric(_PLACED))

    async def drained(self) -> None:
        """Come back when PostgreSQL has everything."""
        while True:
            if not await self.metric(_LAG):
                return
            await asyncio.sleep(0.05)

    async def start_sender(self, stack: AsyncExitStack) -> None:
        """Start the process that sends."""
        self._sender = await _started(stack, "bench.http_load", stdin=True)

    async def start_bare(self, stack: AsyncExitStack) -> None:
        """Start the bare peer."""
        bare = await _started(stack, "bench.bare_server")
        assert bare.stdout is not None
        self.bare_pid = bare.pid
        self.bare_port = int(await bare.stdout.readline())
        if self.cores:
            pin(bare.pid, SERVER_CORE)


def remove_database(data_dir: Path) -> None:
    """Remove the files of a stopped PostgreSQL, which lie elsewhere where Kerb runs as root in a folder that is root's."""
    shutil.rmtree((data_dir / "postgres").resolve(), ignore_errors=True)


def pin(pid: int, core: int) -> None:
    """Let all threads of a process run on one core only."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {core})


def cpu_s(pid: int) -> float:
    """Seconds of processor time, user and system, that a process has used with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def order_load(
    *, bare: bool = True, program: tuple[str, ...] = (), **environ: str
) -> AsyncIterator[OrderLoad]:
    """A running Kerb with users, prepared orders, and a load to send them with. `{folder}` in `program` is the bench's folder."""
    parent = ROOT / "var"
    parent.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=parent, prefix="bench-")))
        stack.callback(remove_database, folder / "kerb")
        kerb = await stack.enter_async_context(
            running_kerb(
                folder / "kerb", tuple(part.replace("{folder}", str(folder)) for part in program), **environ
            )
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        load = OrderLoad(kerb, http, folder)
        await load.start_sender(stack)
        if bare:
            await load.start_bare(stack)
        users, middles = await _found_market(kerb, http)
        requests = order_requests([user.token for user in users], middles, load.kerb_port)
        load.orders_file.write_bytes(msgspec.json.encode([request.decode() for request in requests]))
        load.pin()
        await load.drained()
        yield load


async def _started(stack: AsyncExitStack, module: str, *, stdin: bool = False) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), stdin=PIPE if stdin else None, stdout=PIPE, cwd=ROOT
    )

    async def end() -> None:
        if process.returncode is None:
            process.kill()
        await process.wait()

    stack.push_async_callback(end)
    return process


async def _found_market(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> tuple[list[Client], dict[str, int]]:
    """Register the users, and let each buy shares from the demo's market maker. The middle price of each symbol in cents."""
    maker = await kerb.sign_in(http, MAKER.email, PASSWORD)
    users: list[Client] = []
    while len(users) < USERS:  # a few at a time: password hashing has a queue of its own
        names = range(len(users), len(users) + USERS_AT_ONCE)
        users += await asyncio.gather(
            *(kerb.register(http, f"user{number}@example.com", CASH) for number in names)
        )
    middles = {
        instrument.symbol: int(instrument.reference * 100)
        for instrument in load_catalogue().instruments[:SYMBOLS]
    }
    for symbol, middle in middles.items():
        offer = {"stock_symbol": symbol, "side": "SELL", "order_type": "LIMIT", "time_in_force": "GTC"}
        offer |= {"price": _price(middle), "quantity": str(UNITS * USERS)}
        reply = await maker("POST", "/orders", offer)
        assert reply.status == 201, reply
        bid = offer | {"side": "BUY", "quantity": str(UNITS)}
        for reply in await asyncio.gather(*(user("POST", "/orders", bid) for user in users)):
            assert reply.data["status"] == "FILLED", reply
    return users, middles


def order_requests(tokens: list[str], middles: dict[str, int], port: int) -> list[bytes]:
    """Prepared requests: of 20 orders 13 rest near the market, 5 cross it, 2 are IOC; every tenth has an idempotency key.

    Each user buys as often as sells, so that nobody runs out of shares however often the requests are sent.
    """
    random = Random(1)
    requests = []
    for token, symbol, number in product(tokens, middles, range(REQUESTS_EACH)):
        buys = number % 2 == 0
        draw = random.randrange(20)
        distance = -random.randint(1, 50) if draw < 13 else random.randint(1, 10)
        body = msgspec.json.encode(
            {
                "stock_symbol": symbol,
                "side": "BUY" if buys else "SELL",
                "order_type": "LIMIT",
                "quantity": random.choice((1, 0.25, 0.5)),
                "price": msgspec.Raw(_price(middles[symbol] + (distance if buys else -distance)).encode()),
                "time_in_force": "IOC" if draw >= 18 else "GTC",
            }
        )
        key = b"X-Idempotency-Key: bench-%b\r\n" % KEY_MARK if random.randrange(10) == 0 else b""
        requests.append(
            b"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %b\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b"
            % (port, token.encode(), len(body), key, body)
        )
    random.shuffle(requests)
    return requests


def _price(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
