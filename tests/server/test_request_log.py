"""The log of calls: one line each, written a few times a second, in one piece."""

from __future__ import annotations

import asyncio

import msgspec

from config.settings import LogFormat
from server.principal import Principal, Role
from server.request_log import FLUSH_S, LINES_MAX, RequestLog, order_id_in

ME = Principal(1_000, 5, frozenset({Role.TRADER}), 7, 2_000_000_000)
ROBOT = Principal(1_000, 5, frozenset({Role.TRADER}), -3, 2_000_000_000, key_id=3)


async def test_a_line_says_who_what_and_how_long() -> None:
    written: list[str] = []
    log = RequestLog(LogFormat.JSON, written.append)
    log.add("POST /api/v1/orders", 201, 0.0012346, "mine-1", ME, b"ord_1025")
    log.add("GET /healthz", 200, 0.0, "mine-2", None)
    log.add("GET /api/v1/orders", 200, 0.0, "mine-3", ROBOT)
    log.flush()
    first, second, third = (msgspec.json.decode(line) for line in "".join(written).splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "INFO",
        "logger": "kerb.request",
        "message": "POST /api/v1/orders 201",
        "request_id": "mine-1",
        "route": "POST /api/v1/orders",
        "status": 201,
        "duration_ms": 1.235,
        "user_id": "usr_1000",
        "order_id": "ord_1025",
    }
    assert "user_id" not in second
    assert (third["user_id"], third["key_id"]) == ("usr_1000", "key_3")


async def test_lines_are_gathered_and_written_together_soon() -> None:
    written: asyncio.Queue[str] = asyncio.Queue()
    log = RequestLog(LogFormat.TEXT, written.put_nowait)
    for number in range(5):
        log.add("GET /healthz", 200, 0.0, f"mine-{number}", None)
    assert written.empty()
    async with asyncio.timeout(FLUSH_S + 5):
        together = await written.get()
    assert [line.rpartition(" ")[2] for line in together.splitlines()] == [f"mine-{n}" for n in range(5)]


async def test_no_more_than_so_many_lines_wait() -> None:
    written: list[str] = []
    log = RequestLog(LogFormat.TEXT, written.append)
    for _ in range(LINES_MAX):
        log.add("GET /healthz", 200, 0.0, "x", None)
    assert len(written) == 1
    log.flush()
    assert len(written) == 1


def test_an_order_is_named_by_the_answer_about_it() -> None:
    assert order_id_in(b'{"success":true,"data":{"order_id":"ord_1025","stock_symbol":') == b"ord_1025"
    assert order_id_in(b'{"success":false,"error":{"code":"INSUFFICIENT_FUNDS"') is None
    assert order_id_in(b'{"success":true,"data":[' + b" " * 200 + b'{"order_id":"ord_1025"') is None
