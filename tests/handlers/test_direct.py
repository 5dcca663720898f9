"""Orders that are answered without a task: the same answers as any call gets, in order, whatever else the client sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import msgspec
import pytest
from aiohttp import web

from config.settings import Settings
from handlers.app import build_runner
from handlers.direct import DirectProtocol
from server.disk import Disk
from server.listening_socket import listening_socket
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb


class Raw:
    """A connection that sends bytes as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next answer."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0])
        return int(head[9:12]), head, await self.reader.readexactly(length)


async def connect(small: SmallKerb) -> Raw:
    parts = urlsplit(small.url)
    return Raw(*await asyncio.open_connection(parts.hostname, parts.port))


def order(
    client: Client, *, more: str = "", version: str = "1.1", method: str = "POST", **fields: object
) -> bytes:
    """A request that places an order which rests."""
    fields = {
        "stock_symbol": "AAPL",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": 1,
        "price": 90,
    } | fields
    body = msgspec.json.encode(fields)
    head = (
        f"{method} /api/v1/orders HTTP/{version}\r\nHost: kerb\r\nAuthorization: Bearer {client.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body


def get(client: Client, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: kerb\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode()


@pytest.fixture
def disk_gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """While it is cleared, every sync of the disk waits."""
    gate = Event()
    gate.set()
    sync: Callable[[Disk, int], None] = Disk.fdatasync

    def gated(disk: Disk, fd: int) -> None:
        gate.wait(30)
        sync(disk, fd)

    monkeypatch.setattr(Disk, "fdatasync", gated)
    yield gate
    gate.set()


async def test_pipelined_calls_are_answered_in_their_order(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    raw = await connect(small)
    raw.writer.write(
        order(client, client_order_id="first")
        + get(client, "/api/v1/wallet/balance")
        + order(client, client_order_id="second")
        + order(client, quantity="x")
        + order(client, client_order_id="third")
    )
    answers = [await raw.answer() for _ in range(5)]
    assert [status for status, _, _ in answers] == [201, 200, 201, 400, 201]
    assert [b"first" in answers[0][2], b"available" in answers[1][2], b"second" in answers[2][2]] == [
        True
    ] * 3
    assert b"third" in answers[4][2]
    raw.writer.close()


async def test_long_bodies_one_behind_the_other_are_all_read(small: SmallKerb) -> None:
    """They are longer than what a connection buffers: it is paused, and must go on."""
    client = await small.trader(cash="100000")
    raw = await connect(small)
    whole = order(client)
    head, _, body = whole.partition(b"\r\n\r\n")
    padded = b" " * 1_000_000 + body
    length = b"Content-Length: %d"
    request = head.replace(length % len(body), length % len(padded)) + b"\r\n\r\n" + padded
    count = 4
    raw.writer.write(b"".join([request, whole] * count))
    async with asyncio.timeout(30):
        answers = [await raw.answer() for _ in range(2 * count)]
    assert {status for status, _, _ in answers} == {201}
    assert len({body for _, _, body in answers}) == 2 * count
    raw.writer.close()


async def test_an_order_in_many_pieces_is_the_same_order(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    raw = await connect(small)
    for _ in range(2):
        for byte in order(client):
            raw.writer.write(bytes((byte,)))
            await raw.writer.drain()
        status, head, _ = await raw.answer()
        assert (status, b"X-Request-ID" in head, b"RateLimit-Limit" in head) == (201, True, True)
    raw.writer.close()


@pytest.mark.parametrize(
    ("request_of", "status", "kept"),
    [
        (lambda client: order(client, more="Connection: close\r\n"), 201, False),
        (lambda client: order(client, version="1.0"), 201, False),
        (lambda client: order(client, more="Expect: 100-continue\r\n"), 100, True),
        (lambda client: order(client, more="Content-Encoding: gzip\r\n"), 415, True),
        (lambda client: order(client, more="X-Idempotency-Key: a\r\nX-Idempotency-Key: b\r\n"), 400, True),
        (lambda client: order(client, method="PUT"), 405, True),
        (lambda client: order(client, more="Transfer-Encoding: chunked\r\n"), 400, False),
        (lambda client: order(client, price=95.123456), 422, True),
        (lambda client: b"POST /api/v1/orders HTTP/1.1\r\nHost: kerb\r\n\r\n", 401, True),
    ],
)  # fmt: skip
async def test_what_is_not_plain_is_answered_all_the_same(
    small: SmallKerb, request_of: Callable[[Client], bytes], status: int, kept: bool
) -> None:
    client = await small.trader(cash="1000")
    raw = await connect(small)
    raw.writer.write(request_of(client))
    if status == 100:
        assert await raw.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        status = 201
    assert (await raw.answer())[0] == status
    if kept:
        raw.writer.write(order(client))
        assert (await raw.answer())[0] == 201
    else:
        assert await raw.reader.read() == b""
    raw.writer.close()


@pytest.mark.parametrize("more", ["Expect: 200-maybe\r\n", "Expect: 100-continue, more\r\n"])
async def test_what_a_client_cannot_expect_is_refused_in_the_envelope(small: SmallKerb, more: str) -> None:
    client = await small.trader(cash="1000")
    raw = await connect(small)
    for request in (order(client, more=more), f"GET /nowhere HTTP/1.1\r\nHost: k\r\n{more}\r\n".encode()):
        raw.writer.write(request)
        status, head, body = await raw.answer()
        assert (status, b"X-Request-ID" in head, b'"EXPECTATION_FAILED"' in body) == (417, True, True)
    raw.writer.write(order(client, more=more, version="1.0"))
    assert (await raw.answer())[0] == 201
    assert len((await client("GET", "/orders")).data) == 1
    raw.writer.close()


async def test_an_origin_is_told_whether_it_may_read(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    raw = await connect(small)
    raw.writer.write(order(client, more="Origin: https://elsewhere.example\r\n"))
    status, head, _ = await raw.answer()
    assert (status, b"Vary: Origin" in head, b"Access-Control-Allow-Origin" in head) == (201, True, False)
    raw.writer.close()


async def test_an_order_whose_client_has_gone_stands(small: SmallKerb, disk_gate: Event) -> None:
    client = await small.trader(cash="1000")
    raw = await connect(small)
    seq = small.world.state.seq
    disk_gate.clear()
    raw.writer.write(order(client))
    while small.world.state.seq == seq:
        await asyncio.sleep(0)
    raw.writer.transport.abort()
    disk_gate.set()
    assert len((await client("GET", "/orders")).data) == 1


async def test_calls_wait_behind_the_one_under_way(small: SmallKerb, disk_gate: Event) -> None:
    client = await small.trader(cash="1000")
    raw = await connect(small)
    seq = small.world.state.seq
    disk_gate.clear()
    raw.writer.write(order(client, client_order_id="first"))
    while small.world.state.seq == seq:
        await asyncio.sleep(0)
    raw.writer.write(order(client, client_order_id="second") + get(client, "/api/v1/market/status"))
    for _ in range(100):
        await asyncio.sleep(0)
    assert small.world.state.seq == seq + 1
    disk_gate.set()
    answers = [await raw.answer() for _ in range(3)]
    assert [b"first" in answers[0][2], b"second" in answers[1][2], b"calendars" in answers[2][2]] == [
        True
    ] * 3
    raw.writer.close()


async def test_a_shutdown_waits_for_the_order_under_way(small: SmallKerb, disk_gate: Event) -> None:
    client = await small.trader(cash="1000")
    runner = build_runner(small.services)
    await runner.setup()
    await web.SockSite(runner, listening_socket("127.0.0.1", 0, small.services.settings.stream)).start()
    raw = Raw(*await asyncio.open_connection(*runner.addresses[0][:2]))
    seq = small.world.state.seq
    disk_gate.clear()
    raw.writer.write(order(client))
    while small.world.state.seq == seq:
        await asyncio.sleep(0)
    stopping = asyncio.ensure_future(runner.cleanup())
    for _ in range(100):
        await asyncio.sleep(0)
    assert not stopping.done()
    disk_gate.set()
    assert (await raw.answer())[0] == 201
    await stopping
    assert await raw.reader.read() == b""
    raw.writer.close()


async def test_a_shutdown_waits_for_no_body(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    runner = build_runner(small.services)
    await runner.setup()
    await web.SockSite(runner, listening_socket("127.0.0.1", 0, small.services.settings.stream)).start()
    raw = Raw(*await asyncio.open_connection(*runner.addresses[0][:2]))
    raw.writer.write(order(client, more="Expect: 100-continue\r\n")[:-1])
    assert (
        await raw.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    )  # it reads the body now
    seq = small.world.state.seq
    stopping = asyncio.ensure_future(runner.cleanup())
    status, _, body = await raw.answer()
    assert (status, b"SHUTTING_DOWN" in body) == (503, True)
    await stopping
    assert (await raw.reader.read(), small.world.state.seq) == (b"", seq)
    raw.writer.close()


def with_patience(settings: Settings, **patience_s: int) -> Settings:
    return msgspec.structs.replace(settings, http=msgspec.structs.replace(settings.http, **patience_s))


async def all_that_comes(small: SmallKerb, sent: bytes) -> bytes:
    """All that the server sends until it closes the connection."""
    raw = await connect(small)
    raw.writer.write(sent)
    received = await raw.reader.read()
    raw.writer.close()
    return received


async def test_a_head_must_be_whole_in_time(database_dsn: str, tmp_path: Path, settings: Settings) -> None:
    hasty = with_patience(settings, head_timeout_s=1, idle_s=3_600)
    async with open_small_kerb(database_dsn, tmp_path, hasty) as small:
        client = await small.trader(cash="1000")
        idle, used = await connect(small), await connect(small)
        used.writer.write(order(client))
        assert (await used.answer())[0] == 201
        whole = get(client, "/healthz")
        used.writer.write(whole[:9])
        assert await used.reader.read() == b""
        begun = (b"G", whole[:-1], order(client)[:40])
        assert await asyncio.gather(*[all_that_comes(small, each) for each in begun]) == [b""] * 3
        idle.writer.write(whole)  # open for longer than any of them, but it had begun nothing
        assert (await idle.answer())[0] == 200
        for raw in (idle, used):
            raw.writer.close()


async def test_an_idle_connection_is_closed(database_dsn: str, tmp_path: Path, settings: Settings) -> None:
    hasty = with_patience(settings, head_timeout_s=3_600, idle_s=1)
    async with open_small_kerb(database_dsn, tmp_path, hasty) as small:
        client = await small.trader(cash="1000")
        begun = (b"", b"GET /healthz HT")
        assert await asyncio.gather(*[all_that_comes(small, each) for each in begun]) == [b"", b""]

        async def is_answered_and_closed(request: bytes) -> None:
            while b"HTTP/1.1 20" not in await all_that_comes(small, request):
                pass  # it was closed before the request came

        await asyncio.gather(
            is_answered_and_closed(get(client, "/healthz")), is_answered_and_closed(order(client))
        )


@asynccontextmanager
async def own_connection(small: SmallKerb) -> AsyncIterator[tuple[Raw, DirectProtocol]]:
    """A connection as the client has it, and as the server does."""
    runner = build_runner(small.services)
    await runner.setup()
    await web.SockSite(runner, listening_socket("127.0.0.1", 0, small.services.settings.stream)).start()
    raw = Raw(*await asyncio.open_connection(*runner.addresses[0][:2]))
    assert runner.server is not None
    while not runner.server.connections:
        await asyncio.sleep(0)
    connection = runner.server.connections[0]
    assert isinstance(connection, DirectProtocol)
    yield raw, connection
    raw.writer.close()
    await runner.cleanup()


async def test_a_head_that_ended_is_not_late(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with own_connection(small) as (raw, connection):
        for request in (order(client), get(client, "/healthz"), order(client)):
            for byte in request:
                raw.writer.write(bytes((byte,)))
                await asyncio.sleep(0)
            assert (await raw.answer())[0] in (200, 201)
            connection.head_overdue()
        raw.writer.write(b"GET")
        while connection.connected:
            connection.head_overdue()
            await asyncio.sleep(0)
        assert await raw.reader.read() == b""


async def test_a_call_under_way_is_answered_before_a_late_head_is_cut(
    small: SmallKerb, disk_gate: Event
) -> None:
    client = await small.trader(cash="1000")
    async with own_connection(small) as (raw, connection):
        seq = small.world.state.seq
        disk_gate.clear()
        raw.writer.write(order(client))
        while small.world.state.seq == seq:
            await asyncio.sleep(0)
        raw.writer.write(b"GET")
        for _ in range(100):
            connection.head_overdue()
            await asyncio.sleep(0)
        disk_gate.set()
        assert (await raw.answer())[0] == 201
        while connection.connected:
            connection.head_overdue()
            await asyncio.sleep(0)
