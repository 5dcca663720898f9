"""What every call goes through: ids, policies, limits, errors, headers, connections."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from config.loading import load_settings
from config.settings import Settings
from server.backlog import Backlog
from server.errors import Overloaded, ReadOnly
from server.runtime import Gate
from tests.handlers.small_kerb import PASSWORD, SmallKerb, open_small_kerb


async def test_a_sane_request_id_is_kept_and_another_is_made(small: SmallKerb) -> None:
    anybody = small.anonymous()
    kept = await anybody("GET", "/market/status", headers={"X-Request-ID": "mine-1.2:3"})
    assert kept.headers["X-Request-ID"] == "mine-1.2:3"
    made = [
        (await anybody("GET", "/market/status", headers={"X-Request-ID": given})).headers["X-Request-ID"]
        for given in ("", "x" * 65, "a b", "<script>")
    ]
    assert len(set(made)) == 4
    assert all("<" not in each and " " not in each for each in made)


async def test_answers_carry_the_security_headers(small: SmallKerb) -> None:
    reply = await small.anonymous()("GET", "/market/status")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Content-Type"] == "application/json"
    assert "Access-Control-Allow-Origin" not in reply.headers


async def test_head_answers_like_get_without_the_body(small: SmallKerb) -> None:
    anybody = small.anonymous()
    got = await anybody("GET", "/stocks/AAPL/depth")
    head = await anybody("HEAD", "/stocks/AAPL/depth")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


async def test_options_and_unknown_methods_say_what_is_allowed(small: SmallKerb) -> None:
    anybody = small.anonymous()
    options = await anybody("OPTIONS", "/orders")
    assert (options.status, options.headers["Allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, POST")
    wrong = await anybody("PUT", "/orders")
    assert (wrong.status, wrong.code, wrong.headers["Allow"]) == (
        405,
        "METHOD_NOT_ALLOWED",
        "DELETE, GET, HEAD, POST",
    )
    nowhere = await anybody("OPTIONS", "/nowhere")
    assert nowhere.status == 404


async def test_a_bug_is_a_500_without_details_and_is_counted_and_logged(
    small: SmallKerb, caplog: pytest.LogCaptureFixture
) -> None:
    del small.services.market
    with caplog.at_level(logging.ERROR, "kerb.http"):
        reply = await small.anonymous()("GET", "/stocks/AAPL/quote", headers={"X-Request-ID": "broken-1"})
    assert (reply.status, reply.code, reply.error["details"]) == (500, "INTERNAL", {})
    assert "broken-1" in caplog.text
    assert b"kerb_http_faults_total 1.0" in await small.services.metrics.render()


@pytest.mark.parametrize(
    ("gate", "code"), [(Gate.NO_NEW_ORDERS, Overloaded.code), (Gate.READ_ONLY, ReadOnly.code)]
)
async def test_a_closed_gate_is_a_503_that_consumes_no_key(
    small: SmallKerb, monkeypatch: pytest.MonkeyPatch, gate: Gate, code: str
) -> None:
    client = await small.trader(cash="1000")
    resting = (await client.place("BUY", "1", "90")).data["order_id"]
    runtime = small.services.runtime
    monkeypatch.setattr(Backlog, "gate", lambda backlog, size: gate)  # the write-behind looks every while
    runtime.gate = gate
    key = {"X-Idempotency-Key": "later"}
    refused = await client.place("BUY", "1", "90", headers=key)
    assert (refused.status, refused.code, refused.error["retryable"]) == (503, code, True)
    assert int(refused.headers["Retry-After"]) >= 1
    ready = await client("GET", "/readyz", root=True)
    assert (ready.status, ready.json["ready"]) == (503, False)
    cancelled = await client("DELETE", f"/orders/{resting}")
    assert cancelled.status == (200 if gate is Gate.NO_NEW_ORDERS else 503)
    monkeypatch.setattr(Backlog, "gate", lambda backlog, size: Gate.OPEN)
    runtime.gate = Gate.OPEN
    placed = await client.place("BUY", "1", "90", headers=key)
    assert (placed.status, "Idempotency-Hit" in placed.headers) == (201, False)


async def test_connections_are_kept_pipelined_and_closed_as_asked(small: SmallKerb) -> None:
    port = urlsplit(small.url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    one = b"GET /healthz HTTP/1.1\r\nHost: k\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n"
    writer.write(one + one + last)
    received = await reader.read()
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert received.count(b"Connection: close\r\n") == 1
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert (await reader.read()).endswith(b'{"status":"ok"}')
    writer.close()


async def test_a_body_in_pieces_is_read_whole(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"amount":'
        await asyncio.sleep(0)
        yield b'7,"payment_method":"UPI"}'

    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json; charset=utf-8"}
    url = f"{small.url}/api/v1/wallet/deposit"
    async with small.http.post(url, data=pieces(), headers=headers) as response:
        assert response.status == 201
        assert msgspec.json.decode(await response.read())["data"]["balance_after"] == 1007


@pytest.mark.parametrize("rudely", [False, True])
async def test_a_client_that_hangs_up_in_its_body_is_no_fault_of_ours(
    small: SmallKerb, caplog: pytest.LogCaptureFixture, *, rudely: bool
) -> None:
    client = await small.trader()
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(small.url).port)
    writer.write(
        b"POST /api/v1/orders HTTP/1.1\r\nHost: k\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: 100\r\n\r\n{" % client.token.encode()
    )
    await writer.drain()
    if rudely:
        linger = struct.pack("ii", 1, 0)  # close() sends a reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()
    calls = small.services.metrics.route("POST /api/v1/orders")
    while not calls.statuses:
        await asyncio.sleep(0.01)
    assert calls.statuses == {400: 1}
    assert [line for line in caplog.records if line.levelno >= logging.WARNING] == []


@pytest.fixture
async def strict(database_dsn: str, tmp_path: Path) -> AsyncIterator[SmallKerb]:
    """A Kerb with the production limits of default.toml and one origin of a web page."""
    given = {
        "KERB_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "KERB_HTTP__CORS_ORIGINS": "https://app.example.com",
    }
    production = load_settings("production", None, given, {"data_dir": tmp_path / "kerb"}).settings
    relaxed = load_settings("test", None, {}, {"data_dir": tmp_path / "kerb"}).settings
    settings: Settings = msgspec.structs.replace(
        relaxed, limits=production.limits, http=msgspec.structs.replace(production.http, port=0)
    )
    async with open_small_kerb(database_dsn, tmp_path, settings) as kerb:
        yield kerb


async def test_limits_by_user_and_by_address(strict: SmallKerb) -> None:
    client = await strict.trader(cash="100000")
    replies = [await client.place("BUY", "1", "90") for _ in range(12)]
    assert [reply.status for reply in replies] == [201] * 10 + [429] * 2
    assert [reply.headers["RateLimit-Remaining"] for reply in replies[:3]] == ["9", "8", "7"]
    refused = replies[-1]
    assert (refused.code, refused.error["retryable"]) == ("RATE_LIMITED", True)
    assert 1 <= int(refused.headers["Retry-After"]) <= 7
    assert refused.headers["RateLimit-Limit"] == "10"

    assert {(await client("GET", "/portfolio")).status for _ in range(20)} == {200}
    assert (await client("GET", "/portfolio")).status == 429
    assert (await client("GET", "/wallet/balance")).status == 200

    body = {"password": PASSWORD, "full_name": "N"}
    statuses = [
        (await strict.anonymous()("POST", "/auth/register", body | {"email": f"n{n}@example.com"})).status
        for n in range(6)
    ]
    assert statuses == [201] * 4 + [429] * 2


async def test_web_pages_of_configured_origins_may_call(strict: SmallKerb) -> None:
    anybody = strict.anonymous()
    ours = await anybody("GET", "/market/status", headers={"Origin": "https://app.example.com"})
    assert ours.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert ours.headers["Vary"] == "Origin"
    theirs = await anybody("GET", "/market/status", headers={"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in theirs.headers
    preflight = await anybody(
        "OPTIONS",
        "/orders",
        headers={"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
