"""What the attacks on the stream are made of: a server, accounts that trade by the clock, thousands of clients, and the
journal, with which the notes of every follower are compared event by event.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from array import array
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias
from zlib import crc32

import aiohttp
import msgspec

from bench.http_load import Job, Outcome
from bench.order_load import LOAD_CORE, SERVER_CORE, pin, remove_database
from config.catalogue import load_catalogue
from engine.events import BalanceChanged, OrderUpdated
from handlers.balance_json import balance_json
from handlers.order_json import encode_order
from server.codec import decode_record
from server.data_folder import DataFolder
from server.demo import MAKER, PASSWORD
from server.disk import Disk
from server.journal_reader import read_records
from server.journal_scan import scan_journal
from server.postgres_process import processes_in
from tests.handlers.small_kerb import Client
from tests.kerb_process import ROOT, KerbProcess, running_kerb
from tests.torture.stream_notes import (
    Command,
    Dump,
    Noted,
    Open,
    Report,
)

MB: Final = 1_000_000
CASH: Final = "90000000.00"
UNITS: Final = 2_000
"""What each seller can sell, one by one."""

REGISTERING: Final = 20
SAMPLE_S: Final = 0.25
CAUGHT_UP_S: Final = 30.0
"""What is on the disk has reached a client that reads within this time."""


@dataclass(frozen=True)
class Shape:
    """How much of everything. `each`: followers of one account. `rate`: orders a second. `job_s`: how long one job of the
    order load is; the next one follows until the attack is over. `calm_s`: how long each peaceful part of it lasts.
    `stalled`: how many followers are to stall, 0 for one of each account. `stall_s`: how long nobody asks the server whether the slow ones are closed. `return_s`: within which time those who
    were dropped come back. `receive_bytes`: the receive buffers of those who are to stall, 0 for the kernel's. `pinned`:
    the server and the load each have their core. `environ`: the server's settings.
    """

    accounts: int
    each: int
    watchers: int
    symbols: int
    rate: int
    job_s: float
    calm_s: float
    stall_s: float = 0.0
    return_s: float = 0.0
    receive_bytes: int = 0
    stalled: int = 0
    pinned: bool = True
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def followers(self) -> int:
        """Clients with private streams."""
        return self.accounts * self.each

    @property
    def sockets(self) -> int:
        """All clients."""
        return self.followers + self.watchers


class Worker:
    """A process that answers each line of JSON with one."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._one = asyncio.Lock()

    async def ask(self, command: Any) -> bytes:
        """Its answer. Raises AssertionError when it has ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        async with self._one:
            stdin.write(msgspec.json.encode(command) + b"\n")
            line = await stdout.readline()
        assert line, f"the process has ended: {self._process.returncode}"
        return line


Told: TypeAlias = "tuple[array[int], array[int]]"
"""Sequence and CRC-32 of each event, in order."""


def told_by_journal(data_dir: Path, up_to_seq: int) -> dict[tuple[int, str], Told]:
    """What the journal says that each account had to be told, by account and channel."""
    journal_id = DataFolder.journal_id_in(data_dir)
    assert journal_id is not None
    disk = Disk()
    folder = data_dir / DataFolder.JOURNAL_NAME
    scan = scan_journal(disk, folder, journal_id, up_to_seq, up_to_seq=up_to_seq)
    told: dict[tuple[int, str], Told] = {}
    for seq, data in read_records(disk, scan.segments, 1, up_to_seq):
        for event in decode_record(data).events:
            if isinstance(event, OrderUpdated):
                key, text = (event.account_id, "orders"), encode_order(event)
            elif isinstance(event, BalanceChanged):
                key = (event.account_id, "balance")
                text = msgspec.json.encode(balance_json("USD", event.cash_e4, event.held_e4))
            else:
                continue
            seqs, digests = told.setdefault(key, (array("Q"), array("I")))
            seqs.append(seq)
            digests.append(crc32(text))
    return told


@dataclass
class Memory:
    """Resident memory of the server in MB."""

    start: float = 0.0
    connected: float = 0.0
    most: float = 0.0
    end: float = 0.0


class Attack:
    """A server, its accounts, the clients and the order load."""

    def __init__(self, shape: Shape, kerb: KerbProcess, folder: Path, http: aiohttp.ClientSession) -> None:
        self.shape = shape
        self.kerb = kerb
        self.http = http
        self.folder = folder
        self.users: list[Client] = []
        self.symbols: list[str] = []
        self.memory = Memory()
        self.outcomes: list[Outcome] = []
        self.cores = shape.pinned and len(os.sched_getaffinity(0)) > 1
        self._clients: Worker | None = None
        self._load: Worker | None = None

    # -- what it is made of

    async def prepare(self, stack: AsyncExitStack) -> None:
        """Accounts with cash or units, and orders that each change a quote: a seller's unit rests, a buyer takes it."""
        shape = self.shape
        while len(self.users) < shape.accounts:
            first = len(self.users)
            names = range(first, min(first + REGISTERING, shape.accounts))
            self.users += await asyncio.gather(
                *(self.kerb.register(self.http, f"user{name}@example.com", CASH) for name in names)
            )
        instruments = load_catalogue().instruments[: shape.symbols]
        self.symbols = [instrument.symbol for instrument in instruments]
        maker = await self.kerb.sign_in(self.http, MAKER.email, PASSWORD)
        orders = []
        for place, instrument in enumerate(instruments):
            mine = self.users[place :: shape.symbols]
            sellers, buyers = mine[::2], mine[1::2]
            price = f"{instrument.reference:.2f}"
            await self._give(maker, sellers, instrument.symbol, price)
            orders.append(
                [
                    self._order(user, instrument.symbol, side, price)
                    for seller, buyer in zip(sellers, buyers, strict=True)
                    for user, side in ((seller, "SELL"), (buyer, "BUY"))
                ]
            )
        requests = [request for turn in zip(*orders, strict=True) for request in turn]
        (self.folder / "orders.json").write_bytes(msgspec.json.encode(requests))
        self._load = await self._worker(stack, "bench.http_load")
        self._clients = await self._worker(stack, "tests.torture.stream_clients")
        if self.cores:
            pin(self.kerb.pid, SERVER_CORE)
            for pid in processes_in((self.kerb.data_dir / "postgres" / "data").resolve()):
                pin(pid, LOAD_CORE)
        self.memory.start = self.kerb.rss_bytes / MB

    async def _give(self, maker: Client, sellers: list[Client], symbol: str, price: str) -> None:
        """Let each seller buy units from the demo's market maker."""
        offer = {"stock_symbol": symbol, "side": "SELL", "order_type": "LIMIT", "time_in_force": "GTC"}
        offer |= {"price": price, "quantity": str(UNITS * len(sellers))}
        assert (await maker("POST", "/orders", offer)).status == 201
        bid = offer | {"side": "BUY", "quantity": str(UNITS)}
        for reply in await asyncio.gather(*(seller("POST", "/orders", bid) for seller in sellers)):
            assert reply.data["status"] == "FILLED", reply

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.kerb.url.rpartition(":")[2])

    def _order(self, user: Client, symbol: str, side: str, price: str) -> str:
        body = (
            f'{{"stock_symbol":"{symbol}","side":"{side}","order_type":"LIMIT","quantity":1,"price":{price},'
            '"time_in_force":"GTC"}'
        )
        return (
            f"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {user.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )

    async def _worker(self, stack: AsyncExitStack, module: str) -> Worker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module), stdin=PIPE, stdout=PIPE, cwd=ROOT, limit=1 << 20
        )

        async def end() -> None:
            if process.returncode is None:
                process.kill()
            await process.wait()

        stack.push_async_callback(end)
        return Worker(process)

    # -- what it does

    async def clients(self, command: Command) -> Report:
        """Let the clients do something. Raises AssertionError when they saw what must not be."""
        assert self._clients is not None
        told = msgspec.json.decode(await self._clients.ask(command), type=Report)
        assert (told.broken, told.faults) == (0, []), told
        return told

    @asynccontextmanager
    async def flow(self) -> AsyncIterator[None]:
        """Orders at `rate`, and a look at the server's memory now and then, until the block ends."""
        over = asyncio.Event()
        running = asyncio.create_task(self._flow(over))
        watching = asyncio.create_task(self.watch_memory())
        try:
            yield
        finally:
            over.set()
            await asyncio.wait({running})
            watching.cancel()
        await running

    async def _flow(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.orders(self.shape.job_s)

    async def orders(self, seconds: float) -> Outcome:
        """Orders at `rate` for so long, and how they were answered."""
        assert self._load is not None
        core = LOAD_CORE if self.cores else -1
        job = Job(self.port, str(self.folder / "orders.json"), 64, seconds, 0.2, self.shape.rate, 0, core)
        outcome = msgspec.json.decode(await self._load.ask(job), type=Outcome)
        assert set(outcome.statuses) == {"201"}, outcome
        self.outcomes.append(outcome)
        return outcome

    async def watch_memory(self) -> None:
        """Look at the server's memory now and then, until cancelled."""
        while True:
            self.memory.most = max(self.memory.most, self.kerb.rss_bytes / MB)
            await asyncio.sleep(SAMPLE_S)

    async def open(self) -> float:
        """Connect everybody; how many seconds that took."""
        begun_s = time.monotonic()
        shape = self.shape
        tokens = [user.token for user in self.users]
        core = LOAD_CORE if self.cores else -1
        each, watchers, receive_bytes = shape.each, shape.watchers, shape.receive_bytes
        await self.clients(
            Open(
                *(self.port, tokens, each, watchers, self.symbols),
                receive_bytes=receive_bytes,
                small=shape.stalled or shape.accounts,
                core=core,
            )
        )
        self.memory.connected = self.kerb.rss_bytes / MB
        return time.monotonic() - begun_s

    async def slow(self) -> int:
        """How many connections the server has closed for being slow."""
        async with self.http.get(f"{self.kerb.url}/metrics") as response:
            text = await response.text()
        lines = (line.split() for line in text.splitlines())
        return int(sum(float(line[1]) for line in lines if line and line[0] == "kerb_websocket_slow_total"))

    async def compare(self) -> int:
        """Wait until everything on the disk has reached every follower, and compare; how many events that were.

        Raises AssertionError with the first follower whose notes are not what the journal says.
        """
        self.memory.end = self.kerb.rss_bytes / MB
        seq = int((await self.users[0]("GET", "/wallet/balance")).meta["as_of_seq"])
        told = told_by_journal(self.kerb.data_dir, seq)
        file = self.folder / "notes"
        begun_s = time.monotonic()
        while True:
            await self.clients(Dump(str(file)))
            notes = msgspec.msgpack.decode(file.read_bytes(), type=list[Noted])
            different = [one for one in notes if not self._same(one, told, seq)]
            if not different or time.monotonic() - begun_s > CAUGHT_UP_S:
                break
            await asyncio.sleep(SAMPLE_S)
        assert not different, f"{len(different)} differ, first {self._difference(different[0], told, seq)}"
        return sum(len(one.seqs) // 8 for one in notes)

    def _expected(self, noted: Noted, told: dict[tuple[int, str], Told]) -> Told:
        seqs, digests = told.get(
            (self.users[noted.account].account_id, noted.channel), (array("Q"), array("I"))
        )
        first = sum(1 for seq in seqs if seq <= noted.start)
        return seqs[first:], digests[first:]

    def _same(self, noted: Noted, told: dict[tuple[int, str], Told], up_to_seq: int) -> bool:
        seqs, digests = array("Q", noted.seqs), array("I", noted.digests)
        while seqs and seqs[-1] > up_to_seq:
            seqs.pop()
            digests.pop()
        return (seqs, digests) == self._expected(noted, told)

    def _difference(self, noted: Noted, told: dict[tuple[int, str], Told], up_to_seq: int) -> str:
        seqs, expected = array("Q", noted.seqs), self._expected(noted, told)[0]
        lost = sorted(set(expected) - set(seqs))
        return (
            f"account {noted.account} {noted.channel} from {noted.start} to {up_to_seq}: {len(seqs)} told, "
            f"{len(expected)} in the journal, lost {lost[:20]}, doubled {len(seqs) - len(set(seqs))}"
        )


@asynccontextmanager
async def attack(shape: Shape) -> AsyncIterator[Attack]:
    """A prepared attack on a server with a disk of the checkout; the books are looked at afterwards."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    parent = ROOT / "var"
    parent.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=parent, prefix="streams-")))
        stack.callback(remove_database, folder / "kerb")
        kerb = await stack.enter_async_context(running_kerb(folder / "kerb", **shape.environ))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        one = Attack(shape, kerb, folder, http)
        await one.prepare(stack)
        yield one
