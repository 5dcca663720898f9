"""What browsers and odd clients do on the wire: handshakes, extensions, fragments, floods, half-closed connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import msgspec
import pytest
from yarl import URL

from handlers.ws_session import INBOUND_MAX
from tests.handlers.small_kerb import SmallKerb
from tests.handlers.websocket_user import PATIENCE_S, masked, raw_connection
from tests.server.stream_client import CLOSE, TEXT, StreamClient

PONG, CONTINUATION = 10, 0
PING_MESSAGE = b'{"action":"ping","id":1}'

# Header by header as these browsers send them to a page's own server.
CHROME = """\
GET /api/v1/ws HTTP/1.1
Host: {host}
Connection: Upgrade
Pragma: no-cache
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36
Upgrade: websocket
Origin: http://{host}
Sec-WebSocket-Version: 13
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-GB,en;q=0.9
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits
Sec-WebSocket-Protocol: kerb.v1.json
"""
FIREFOX = """\
GET /api/v1/ws HTTP/1.1
Host: {host}
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0
Accept: */*
Accept-Language: en-GB,en;q=0.5
Accept-Encoding: gzip, deflate, br, zstd
Sec-WebSocket-Version: 13
Origin: http://{host}
Sec-WebSocket-Protocol: kerb.v1.json
Sec-WebSocket-Extensions: permessage-deflate
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Connection: keep-alive, Upgrade
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: websocket
Sec-Fetch-Site: same-origin
Pragma: no-cache
Cache-Control: no-cache
Upgrade: websocket
"""


@asynccontextmanager
async def shaken(kerb: SmallKerb, request: str) -> AsyncIterator[tuple[str, dict[str, str], StreamClient]]:
    """The status line and the headers that answer a handshake, and the connection."""
    url = URL(kerb.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request.format(host=f"{url.host}:{url.port}").replace("\n", "\r\n").encode() + b"\r\n")
    try:
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        yield status, headers, StreamClient(reader, writer)
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("browser", [CHROME, FIREFOX], ids=["chrome", "firefox"])
async def test_browsers_shake_hands_without_an_extension(small: SmallKerb, browser: str) -> None:
    async with shaken(small, browser) as (status, headers, client):
        assert status == "HTTP/1.1 101 Switching Protocols"
        assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3
        assert headers["sec-websocket-protocol"] == "kerb.v1.json"
        assert "sec-websocket-extensions" not in headers
        client.writer.write(masked(PING_MESSAGE))
        assert await client.json() == {"type": "pong", "id": 1}


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate; client_no_context_takeover; server_max_window_bits=10, permessage-deflate",
        "x-webkit-deflate-frame",
        "permessage-deflate; server_max_window_bits=99",
        "bbf-usp-protocol; eid=x",
    ],
)
async def test_offers_of_extensions_are_passed_over(small: SmallKerb, offer: str) -> None:
    request = CHROME.replace("permessage-deflate; client_max_window_bits", offer)
    async with shaken(small, request) as (status, headers, client):
        assert (status, "sec-websocket-extensions" in headers) == ("HTTP/1.1 101 Switching Protocols", False)
        client.writer.write(masked(PING_MESSAGE, opcode=0x41))  # RSV1: as if compression had been agreed on
        frame = await client.frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1002)


def fragments(payload: bytes, *cuts: int) -> list[bytes]:
    """A message in pieces."""
    edges = (0, *cuts, len(payload))
    pieces = [payload[start:end] for start, end in pairwise(edges)]
    frames = []
    for place, piece in enumerate(pieces):
        frame = bytearray(masked(piece, opcode=CONTINUATION if place else TEXT))
        if place < len(pieces) - 1:
            frame[0] &= 0x7F
        frames.append(bytes(frame))
    return frames


async def test_fragments_make_one_message_also_with_control_frames_between(small: SmallKerb) -> None:
    message = '{"action":"ping","id":"zwölf €"}'.encode()
    euro = message.index("€".encode()) + 1  # within a character
    async with raw_connection(small) as raw:
        first, second, third = fragments(message, 5, euro)
        raw.writer.write(first + masked(b"are you there", opcode=9))
        frame = await raw.frame()
        assert (frame.opcode, frame.payload) == (PONG, b"are you there")
        raw.writer.write(second + masked(b"", opcode=PONG) + third)
        assert await raw.json() == {"type": "pong", "id": "zwölf €"}
        for byte in fragments(PING_MESSAGE, *range(1, len(PING_MESSAGE))):
            raw.writer.write(byte)
        assert await raw.json() == {"type": "pong", "id": 1}
        raw.writer.write(b"".join(fragments(PING_MESSAGE, 0, 0, len(PING_MESSAGE))))  # empty pieces
        assert await raw.json() == {"type": "pong", "id": 1}


async def test_fragments_that_are_too_much_together_or_out_of_order_end_in_a_close(small: SmallKerb) -> None:
    too_much = fragments(b" " * 40_000 + PING_MESSAGE + b" " * 40_000, 40_000)
    orphan = [masked(PING_MESSAGE, opcode=CONTINUATION)]
    second_start = [fragments(PING_MESSAGE, 5)[0], masked(PING_MESSAGE)]
    long_ping = [masked(bytes(126), opcode=9)]
    for frames, code in ((too_much, 1009), (orphan, 1002), (second_start, 1002), (long_ping, 1002)):
        async with raw_connection(small) as raw:
            raw.writer.write(b"".join(frames))
            frame = await raw.frame()
            assert (frame.opcode, frame.close_code) == (CLOSE, code)


async def test_a_half_closed_connection_is_over_and_its_answers_come_first(small: SmallKerb) -> None:
    async with raw_connection(small) as raw:
        raw.writer.write(masked(PING_MESSAGE))
        raw.writer.write_eof()
        assert await raw.json() == {"type": "pong", "id": 1}
        async with asyncio.timeout(PATIENCE_S):
            assert await raw.reader.read() == b""
            while small.services.hub.outlets:
                await asyncio.sleep(0.001)


@pytest.mark.parametrize("opcode", [TEXT, 9], ids=["messages", "pings"])
async def test_a_flood_of_frames_is_closed_with_too_many(small: SmallKerb, opcode: int) -> None:
    async with raw_connection(small) as raw:
        flood = masked(PING_MESSAGE, opcode=opcode) * 500

        async def send() -> None:
            for _ in range(INBOUND_MAX // 500):
                raw.writer.write(flood)
                await raw.writer.drain()

        sending = asyncio.create_task(send())
        seen = 0
        while (frame := await raw.frame()).opcode != CLOSE:
            seen += 1
        await sending
        assert (frame.close_code, seen) == (4429, INBOUND_MAX - 1)


async def test_a_client_near_the_limit_goes_on(small: SmallKerb) -> None:
    async with raw_connection(small) as raw:
        (outlet,) = small.services.hub.outlets
        for number in range(100):
            raw.writer.write(masked(msgspec.json.encode({"action": "ping", "id": number})))
            assert (await raw.json())["id"] == number
        assert outlet.is_open
