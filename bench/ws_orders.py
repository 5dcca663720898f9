"""Orders over one WebSocket in batches, on the whole path, compared with a bare handler that only decodes and answers.

    python -m bench.ws_orders [ITEMS [FLOW]]

The server is `run.py serve` in a process of its own on core 0: auth, limits, risk, ledger, journal with real fdatasync,
fan-out, write-behind into its PostgreSQL, which shares core 1 with the client. One connection, a few batches in flight.

`ws_orders`: batches of 250 new orders and 250 cancels of older ones, 16 symbols; items a second. The connection
follows its own `orders` too, so each order is told twice.
`ws_orders_new`: batches of 500 new orders, each of which trades with a resting order of somebody else.
The peer is a bare aiohttp handler in a process of its own on core 0: it decodes the same frames and answers 500 times
the same text. Interleaved, five rounds, median. Between rounds the write-behind catches up; `lag_s` is how long it took.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Final, cast

import aiohttp
import uvloop
from aiohttp import WSMsgType, web

from bench.stream_readers import masked
from handlers.ws_messages import PlainBatch, decode_message, ok_text
from server.demo import MAKER, PASSWORD, TRADERS
from server.postgres_process import processes_in
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess

ITEMS: Final = 40_000
ROUNDS: Final = 5
BATCH: Final = 500
IN_FLIGHT: Final = 4
SYMBOLS: Final = [
    "AAPL",
    "ABBV",
    "AMD",
    "AMZN",
    "BAC",
    "CRM",
    "DIS",
    "GOOGL",
    "INTC",
    "JNJ",
    "JPM",
    "KO",
    "MA",
    "META",
    "MSFT",
    "NFLX",
]
MUST, AIM = 20_000, 30_000
_ORDER_ID = re.compile(rb'\{"type":"ok","data":\{"order_id":"(ord_[0-9]+)"[^{}]*"status":"PENDING"')
_CPU_TICKS: Final = os.sysconf("SC_CLK_TCK")


def frame(message_id: int, items: list[bytes]) -> bytes:
    """A batch as a client's frame."""
    return masked(b'{"action":"orders.batch","id":%d,"orders":[%b]}' % (message_id, b",".join(items)))


class Pump(asyncio.Protocol):
    """A raw WebSocket client that keeps batches in flight and counts answers."""

    def __init__(self, handshake: bytes) -> None:
        self._handshake = handshake
        self._buffer = bytearray()
        self._open = asyncio.get_running_loop().create_future()
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = cast(asyncio.Transport, transport)
        self.transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._open.done():
            head, end, rest = bytes(buffer).partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._open.set_result(None)
            buffer[:] = rest
        start = 0
        while len(buffer) - start >= 2:
            length, body = buffer[start + 1], start + 2
            if length == 126:
                length, body = int.from_bytes(buffer[start + 2 : start + 4], "big"), start + 4
            elif length == 127:
                length, body = int.from_bytes(buffer[start + 2 : start + 10], "big"), start + 10
            if len(buffer) < body + length:
                break
            if buffer.startswith(b'{"type"', body):
                self._answers.put_nowait(bytes(buffer[body : body + length]))
            else:
                self.events += 1
            start = body + length
        del buffer[:start]

    async def opened(self) -> None:
        await self._open

    async def answer(self) -> bytes:
        """The next answer; what channels send is only counted."""
        return await self._answers.get()

    async def run(self, items: int, batch: Callable[[int, bytes], bytes]) -> float:
        """Send so many items and wait for all answers; items a second. `batch` makes a frame from the last answer."""
        started, sent, answered = time.perf_counter(), 0, 0
        for _ in range(IN_FLIGHT):
            self.transport.write(batch(sent, b""))
            sent += BATCH
        while answered < items:
            answer = await self.answer()
            answered += BATCH
            assert answer.startswith(b'{"type":"ok"'), answer[:300]
            if sent < items:
                self.transport.write(batch(sent, answer))
                sent += BATCH
        return items / (time.perf_counter() - started)


@asynccontextmanager
async def pump(url: str, token: str) -> AsyncIterator[Pump]:
    """A connection of a user."""
    host, _, port = url.removeprefix("http://").partition(":")
    handshake = (
        f"GET /api/v1/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    transport, client = await asyncio.get_running_loop().create_connection(
        lambda: Pump(handshake), host, int(port)
    )
    try:
        await client.opened()
        yield client
    finally:
        transport.abort()


class Quoting:
    """Half new orders that rest, half cancels of those that were answered first."""

    def __init__(self) -> None:
        self._orders = self._places()
        self._open: deque[bytes] = deque()

    def _places(self) -> Iterator[bytes]:
        cents = cycle(range(64))
        for symbol in cycle(SYMBOLS):
            yield (
                b'{"place":{"stock_symbol":"%b","side":"BUY","order_type":"LIMIT","quantity":1,"price":%d.%02d}}'
                % (symbol.encode(), 2, next(cents))
            )

    def __call__(self, sent: int, answer: bytes) -> bytes:
        if not sent:
            self._open.clear()
        self._open += _ORDER_ID.findall(answer)
        cancels = min(len(self._open), BATCH // 2)
        items = [b'{"cancel":"%b"}' % self._open.popleft() for _ in range(cancels)]
        return frame(sent, items + [next(self._orders) for _ in range(BATCH - cancels)])


def crossing(sent: int, answer: bytes) -> bytes:
    """New orders that trade at once with somebody else's."""
    item = (
        b'{"place":{"stock_symbol":"AAPL","side":"SELL","order_type":"LIMIT","quantity":"0.01","price":%d}}'
        % 227
    )
    return frame(sent, [item] * BATCH)


# -- the peer


async def bare_handler(request: web.Request) -> web.StreamResponse:
    """Decodes a batch and answers each item with the same text."""
    socket: web.WebSocketResponse[bool] = web.WebSocketResponse(compress=False, decode_text=False)
    await socket.prepare(request)
    result = b'{"type":"ok","data":%b}' % RESULT
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            batch = decode_message(message.data)
            assert isinstance(batch, PlainBatch)
            answer = ok_text(batch.id, b"[" + b",".join([result for _ in batch.orders]) + b"]")
            await socket.send_frame(answer, WSMsgType.TEXT)
    return socket


RESULT: Final = (
    b'{"order_id":"ord_1234567890","stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","time_in_force":"DAY",'
    b'"quantity":1,"price":2.00,"status":"PENDING","filled_quantity":0,"remaining_quantity":1,"average_price":null,'
    b'"fee":0.00,"hold":2.002,"estimated_total":2.00,"client_order_id":null,"created_at":"2026-01-01T00:00:00.000000Z",'
    b'"updated_at":"2026-01-01T00:00:00.000000Z","filled_at":null,"replaces":null,"replaced_by":null,"reason":null}'
)


async def serve_bare() -> None:
    """The peer's process: prints its port, serves until it is ended."""
    app = web.Application()
    app.router.add_get("/api/v1/ws", bare_handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@asynccontextmanager
async def bare_server() -> AsyncIterator[str]:
    """The peer, running; its URL."""
    process = await asyncio.create_subprocess_exec(
        *pinned(0), sys.executable, "-m", "bench.ws_orders", "--bare", stdout=PIPE,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


def pinned(core: int) -> tuple[str, ...]:
    """The command that keeps another on one core, where there are two."""
    return ("taskset", "-c", str(core)) if (os.cpu_count() or 1) > 1 else ()


def cpu_s(pid: int) -> float:
    """User and system time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CPU_TICKS


# -- the run


async def figure(client: Client, name: str) -> float:
    """A gauge of /metrics."""
    text = (await client("GET", "/metrics", root=True)).body.decode()
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))


async def caught_up(client: Client) -> float:
    """Wait until PostgreSQL has everything; how long that took, in seconds."""
    started = time.perf_counter()
    lag = await figure(client, "kerb_write_behind_lag_records")
    while lag:
        await asyncio.sleep(0.1)
        lag = await figure(client, "kerb_write_behind_lag_records")
    return time.perf_counter() - started


async def measure(kerb: KerbProcess, http: aiohttp.ClientSession, items: int, flow: str) -> None:
    """Run the flows (or one of them) against the peer and print their lines."""
    maker = await kerb.sign_in(http, MAKER.email, PASSWORD)
    trader = await kerb.sign_in(http, TRADERS[0].email, PASSWORD)
    await trader.deposit("40000000")
    async with bare_server() as bare_url:
        for name, batch, follows in (("ws_orders", Quoting(), True), ("ws_orders_new", crossing, False)):
            if flow not in ("", name):
                continue
            ours: list[float] = []
            bare: list[float] = []
            lags: list[float] = []
            cores: list[float] = []
            for _ in range(ROUNDS):
                if not follows:
                    wall = await trader.place("BUY", str(items // 100), "227")
                    assert wall.status == 201, wall
                async with pump(kerb.url, maker.token) as client:
                    if follows:
                        client.transport.write(masked(b'{"action":"subscribe","channels":["orders"]}'))
                        await client.answer()
                    cpu, wall_s = cpu_s(kerb.pid), time.perf_counter()
                    ours.append(await client.run(items, batch))
                    cores.append((cpu_s(kerb.pid) - cpu) / (time.perf_counter() - wall_s))
                assert (await maker("DELETE", "/orders")).status == 200
                lags.append(await caught_up(maker))
                async with pump(bare_url, "") as client:
                    bare.append(await client.run(items, batch))
            value, peer = median(ours), median(bare)
            met = "aim" if value >= AIM else "must" if value >= MUST else "no"
            print(
                f"bench name={name} value={value:.0f} unit=items/s must={MUST} aim={AIM} met={met} peer={peer:.0f} "
                f"ratio={median(one / other for one, other in zip(ours, bare, strict=True)):.3f} "
                f"lowest={min(ours):.0f} highest={max(ours):.0f} server_core={median(cores):.2f} "
                f"us_item={1e6 * median(cores) / value:.1f} lag_s={median(lags):.2f}",
                flush=True,
            )


async def main(items: int, flow: str) -> None:
    """Start the server on core 0 with its PostgreSQL on core 1, and measure."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory(prefix="kerb-bench-") as folder:
        data_dir = Path(folder) / "kerb"
        kerb = KerbProcess(data_dir, KERB_LOG__LEVEL="WARNING")
        try:
            await kerb.start(*pinned(0))
            for pid in processes_in((data_dir / "postgres" / "data").resolve()):
                os.sched_setaffinity(pid, {1} if (os.cpu_count() or 1) > 1 else {0})
            async with aiohttp.ClientSession() as http:
                await measure(kerb, http, items, flow)
        finally:
            await kerb.stop()


if __name__ == "__main__":
    uvloop.install()
    if sys.argv[1:] == ["--bare"]:
        asyncio.run(serve_bare())
    else:
        arguments = [*sys.argv[1:], str(ITEMS), ""][:2] if len(sys.argv) < 2 else [*sys.argv[1:], ""][:2]
        asyncio.run(main(int(arguments[0]), arguments[1]))
