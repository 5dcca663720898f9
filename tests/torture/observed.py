"""Real crashes while readers watch over HTTP and WebSocket: nothing that anybody saw is taken back by the restart.

A load trades; readers poll and follow all that can be watched and note it with the sequence that it is of. The server is
killed with SIGKILL; in half of the rounds every write of its journal was slow, so that much was applied and not yet on
the disk. Then the journal says of each sighting whether it was so (tests/torture/sightings.py).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
import msgspec

from server.codec import Record, decode_record
from server.data_folder import DataFolder
from server.disk import Disk
from server.journal_reader import read_records
from server.journal_scan import scan_journal
from tests.e2e.load import REFERENCES, Kind, Load, Outcome, Requests, Trader, make_traders, numbers
from tests.handlers.small_kerb import Client, Reply
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.sightings import DEPTH_LEVELS, OPEN_LIMIT, Sighting, Sightings, Witness

TRADERS: Final = 3
SLOW_WRITE_US: Final = 30_000
TRACING_S: Final = 20.0
SEEN_FIRST: Final = 100
"""Reads after which the time until the crash begins: a busy machine must not make the rounds empty."""
ENVIRON: Final = {"KERB_IDEMPOTENCY__KEYS_PER_USER_MAX": "1000000", "KERB_LOG__LEVEL": "WARNING"}
GONE: Final = (aiohttp.ClientError, OSError, EOFError, TimeoutError, msgspec.DecodeError)
"""What a reader gets when the server is killed under it; an answer that is cut in the middle is none."""

PRIVATE: Final = ("orders", "balance", "portfolio")
PUBLIC: Final = ("quotes", "trades", "depth")


@dataclass
class Report:
    """What a round has shown."""

    slow: bool
    load_s: float
    acknowledged: int = 0
    over_http: int = 0
    over_socket: int = 0
    in_doubt: int = 0

    @property
    def seen(self) -> Counter[str]:
        """The counts for the summary."""
        return Counter(
            {
                "sightings over HTTP": self.over_http,
                "over WebSocket": self.over_socket,
                "crashes with slow writes": int(self.slow),
                "requests without an answer": self.in_doubt,
            }
        )

    def __str__(self) -> str:
        disk = "slow writes" if self.slow else "kill -9"
        return (
            f"{disk} after {self.load_s:.2f} s: {self.over_http} sightings over HTTP, {self.over_socket} over WebSocket, "
            f"{self.acknowledged} orders acknowledged, {self.in_doubt} requests without an answer: nothing was taken back"
        )


class Readers:
    """Everybody who watches, until the server is gone."""

    def __init__(self, http: aiohttp.ClientSession, traders: Sequence[Trader], load: Load) -> None:
        self.sightings = Sightings()
        self.over_http = 0
        self.over_socket = 0
        self._http = http
        self._traders = traders
        self._load = load

    async def watch(self) -> None:
        """Read until the server is gone."""
        readers: list[Callable[[], Awaitable[None]]] = [self._poll_market, self._follow_market]
        for trader in self._traders:
            reads = (self._balance, self._open_orders, self._portfolio, self._order)
            readers += [partial(self._poll, trader, read) for read in reads]
            readers.append(partial(self._follow, trader))
        await asyncio.gather(*(self._until_gone(reader) for reader in readers))

    async def _until_gone(self, reader: Callable[[], Awaitable[None]]) -> None:
        try:
            await reader()
        except GONE:
            return

    def _saw(self, sighting: Sighting, *, over_http: bool) -> None:
        self.sightings.add(sighting)
        self.over_http += over_http
        self.over_socket += not over_http

    # -- over HTTP

    async def _poll(self, trader: Trader, read: Callable[[Trader], Awaitable[None]]) -> None:
        """One kind of read again and again: what waits for the disk holds nobody else up."""
        while True:
            await read(trader)

    async def _balance(self, trader: Trader) -> None:
        reply = await _get(trader.client, "/wallet/balance")
        self._saw(_sighting("balance", trader, reply, reply.data), over_http=True)

    async def _open_orders(self, trader: Trader) -> None:
        reply = await _get(trader.client, f"/orders?status=PENDING,PARTIAL&limit={OPEN_LIMIT}")
        self._saw(_sighting("open", trader, reply, reply.data), over_http=True)

    async def _portfolio(self, trader: Trader) -> None:
        reply = await _get(trader.client, "/portfolio")
        self._saw(_sighting("portfolio", trader, reply, _worth(reply.data)), over_http=True)

    async def _order(self, trader: Trader) -> None:
        """The newest order of the trader, and its executions."""
        order_id = next((each for each in reversed(self._placed()) if each[0] is trader), None)
        if order_id is None:
            await asyncio.sleep(0.01)
            return
        path = f"/orders/{order_id[1]}"
        for kind, where in (("order", path), ("executions", f"{path}/executions")):
            reply = await _get(trader.client, where)
            seen = _sighting(kind, trader, reply, reply.data if kind == "order" else len(reply.data))
            seen.order_id = int(order_id[1].removeprefix("ord_"))
            self._saw(seen, over_http=True)

    def _placed(self) -> list[tuple[Trader, str]]:
        """Some of the newest orders that were acknowledged."""
        return [
            (sent.trader, sent.answer["order_id"])
            for sent in self._load.requests[-100:]
            if sent.kind is Kind.PLACE and sent.outcome is Outcome.DONE
        ]

    def note_answers(self) -> None:
        """What the load was answered over HTTP was seen too: each order is what its record says."""
        for sent in self._load.requests:
            if sent.seq and not sent.hit and sent.kind is not Kind.DEPOSIT:
                who = sent.trader.client.account_id
                self._saw(Sighting("told", sent.seq, sent.answer, who, symbol="orders"), over_http=True)

    async def _poll_market(self) -> None:
        client = self._traders[0].client
        for symbol in cycle(REFERENCES):
            reply = await _get(client, f"/stocks/{symbol}/depth?levels={DEPTH_LEVELS}")
            book = [reply.data["bids"], reply.data["asks"]]
            self._saw(Sighting("depth", reply.data["seq"], book, symbol=symbol), over_http=True)
            self.sightings.quote(symbol, (await _get(client, f"/stocks/{symbol}/quote")).data)
            for trade in (await _get(client, f"/stocks/{symbol}/trades?limit=20")).data:
                self.sightings.trade(symbol, trade)

    # -- over WebSocket

    async def _follow(self, trader: Trader) -> None:
        who = trader.client.account_id
        async for message in self._messages(trader.client, {"channels": PRIVATE, "interval_ms": 100}):
            channel = message.get("channel")
            if channel == "portfolio":
                seen = Sighting("portfolio", message["seq"], _worth(message["data"]), who)
                self._saw(seen, over_http=False)
            elif channel is not None:
                self._saw(
                    Sighting("told", message["seq"], message["data"], who, symbol=channel), over_http=False
                )

    async def _follow_market(self) -> None:
        wanted = {"channels": PUBLIC, "symbols": list(REFERENCES), "interval_ms": 100}
        async for message in self._messages(self._traders[0].client, wanted):
            for item in message.get("data", ()):
                symbol = item["symbol"]
                match message["channel"]:
                    case "quotes":
                        self.sightings.quote(symbol, item)
                        self.over_socket += 1
                    case "trades":
                        self.sightings.trade(symbol, item)
                        self.over_socket += 1
                    case "depth":
                        kind = "book" if item["type"] == "snapshot" else "delta"
                        book = [item["bids"], item["asks"]]
                        self._saw(Sighting(kind, item["seq"], book, symbol=symbol), over_http=False)

    async def _messages(self, client: Client, wanted: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """What comes on a connection of its own after it has subscribed."""
        headers = {"Authorization": f"Bearer {client.token}"}
        async with self._http.ws_connect(f"{client.base}/api/v1/ws", headers=headers, compress=0) as socket:
            await socket.send_str(msgspec.json.encode({"action": "subscribe", **wanted}).decode())
            while True:
                received = await socket.receive()
                if received.type is not aiohttp.WSMsgType.TEXT:
                    return
                message = msgspec.json.decode(received.data)
                if message.get("type") == "subscribed":
                    assert not message["errors"], message
                elif "channel" in message:
                    yield message


class Observed:
    """A server, its traders, and a witness of its journal, through any number of crashes."""

    def __init__(self, kerb: KerbProcess, http: aiohttp.ClientSession) -> None:
        self._kerb = kerb
        self._http = http
        self._numbers = numbers()
        self._witness = Witness()
        self._traders: list[Trader] = []

    async def prepare(self) -> None:
        """Register everybody."""
        self._traders = await make_traders(self._kerb, self._http, TRADERS)

    async def round(self, number: int, random: Random) -> Report:
        """One crash. Raises AssertionError with what was seen and taken back."""
        slow = number % 2 == 1 and can_slow_writes()
        report = Report(slow, random.uniform(0.1, 1.0))
        make = Requests(random.randrange(1 << 30), f"o{number}", self._numbers)
        load = Load(self._http, self._traders, make)
        readers = Readers(self._http, self._traders, load)
        tracer = await slow_writes(self._kerb.pid) if slow else None
        load.start()
        watching = asyncio.create_task(readers.watch())
        try:
            while readers.over_http < SEEN_FIRST and not watching.done():
                await asyncio.sleep(0.01)
            await asyncio.sleep(report.load_s)
        finally:
            await self._kerb.kill()
            if tracer is not None:
                await tracer.wait()
        await load.ended()
        await watching
        assert not load.faults, load.faults
        readers.note_answers()
        self._witness.hear(self._records(), readers.sightings)
        await self._kerb.start()
        for trader in self._traders:
            trader.client.base = self._kerb.url
            reply = await _get(trader.client, "/wallet/balance")
            assert reply.meta["as_of_seq"] >= self._witness.state.seq, "the restart has lost records"
        answers = [sent for sent in load.requests if sent.outcome is Outcome.DONE]
        report.acknowledged = len(answers)
        report.over_http, report.over_socket = readers.over_http, readers.over_socket
        report.in_doubt = load.count(Outcome.IN_DOUBT)
        return report

    def _records(self) -> list[Record]:
        """What a restart will recover, from where the witness stands; nobody runs."""
        data_dir = self._kerb.data_dir
        journal_id = DataFolder.journal_id_in(data_dir)
        assert journal_id is not None
        disk = Disk()
        scan = scan_journal(disk, data_dir / DataFolder.JOURNAL_NAME, journal_id, 0)
        stored = read_records(disk, scan.segments, self._witness.state.seq + 1, scan.last_seq)
        return [decode_record(data) for _, data in stored]

    async def finish(self) -> None:
        """The books are right."""
        await self._kerb.verify()


async def _get(client: Client, path: str) -> Reply:
    """A read that must succeed. Raises ConnectionError when the server is on its way down."""
    reply = await client("GET", path)
    if reply.status == 503:
        raise ConnectionError("the server is going")
    assert reply.status == 200, reply
    return reply


def _sighting(kind: str, trader: Trader, reply: Reply, data: Any) -> Sighting:
    """What a read of a trader's own showed."""
    return Sighting(kind, reply.meta["as_of_seq"], data, trader.client.account_id)


def _worth(portfolio: Any) -> list[Any]:
    """Cash and holdings, without what prices make of them: those have a time of their own."""
    held = {each["symbol"]: [each["quantity"], each["available_quantity"]] for each in portfolio["holdings"]}
    return [portfolio["cash_balance"], held]


def can_slow_writes() -> bool:
    """Whether this machine lets us trace."""
    return os.geteuid() == 0 and shutil.which("strace") is not None


async def slow_writes(pid: int) -> Process:
    """From now on every write of the journal takes some milliseconds, before it is in the file."""
    inject = f"inject=pwrite64:delay_enter={SLOW_WRITE_US}"
    tracer = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-p", str(pid), "-e", "trace=pwrite64", "-e", inject),
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    async with asyncio.timeout(TRACING_S):
        while not _is_traced(pid):
            await asyncio.sleep(0.01)
    return tracer


def _is_traced(pid: int) -> bool:
    """Whether somebody traces every thread of a process."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return not any("TracerPid:\t0\n" in (task / "status").read_text(encoding="ascii") for task in tasks)


@asynccontextmanager
async def observed() -> AsyncIterator[Observed]:
    """A running server in a temporary folder, with traders, ready for the first round."""
    with reachable_folder() as folder:
        async with (
            running_kerb(folder / "kerb", **ENVIRON) as kerb,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        ):
            one = Observed(kerb, http)
            await one.prepare()
            yield one
