"""What is no HTTP gets the envelope and a closed connection; the log gets a line, no traceback."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import pytest

from tests.handlers.small_kerb import SmallKerb

BROKEN = {
    "no method": b"\x00\x01\x02\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a negative length": b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    "a length and chunks": b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a long line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
    "too many headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 5_000 + b"\r\n",
    "a byte in the query": b"GET /api/v1/stocks/search?q=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_no_http_is_answered_in_the_envelope_and_closed(
    small: SmallKerb, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = small.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with caplog.at_level(logging.INFO):
        writer.write(broken)
        answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 400 " in head.splitlines()[0]
    assert b"connection: close" in head.lower()
    error = msgspec.json.decode(body)["error"]
    assert (error["code"], error["message"]) == ("BAD_REQUEST", "this is not valid HTTP")
    assert f"X-Request-ID: {error['request_id']}".encode() in head
    assert [record for record in caplog.records if record.exc_info] == []
    assert (await small.anonymous()("GET", "/healthz", root=True)).status == 200
