"""The log of calls: one line each, written a few times a second, in one piece."""

from __future__ import annotations

import asyncio
import errno
import io
import sys

import msgspec
import pytest

from config.settings import LogFormat, LogLevel, LogSettings
from handlers.ws_messages import error_text, ok_text, repeated_text
from server.principal import Principal, Role
from server.request_log import (
    FLUSH_S,
    LINES_MAX,
    Outcome,
    RequestLog,
    open_request_log,
    order_id_in,
    outcome_of,
)

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


async def test_a_message_with_orders_has_a_line_that_says_what_came_of_it() -> None:
    written: list[str] = []
    log = RequestLog(LogFormat.JSON, written.append)
    log.add_message("WS order.place", 0.0012346, "ws-1.5", ROBOT, ok_text(9, b'{"order_id":"ord_1025"}'))
    log.add_message("WS order.cancel", 0.0, "ws-1.6", None, error_text(None, "UNAUTHENTICATED", "Sign in."))
    results = [ok_text(None, b'{"order_id":"ord_%d"}' % number) for number in (7, 8)]
    results[1:1] = [error_text(None, "HALTED", "Not now.")] * 2
    log.add_message("WS orders.batch", 0.0, "ws-1.7", ME, ok_text(10, b"[" + b",".join(results) + b"]"))
    log.flush()
    placed, refused, batch = (msgspec.json.decode(line) for line in "".join(written).splitlines())
    assert placed.pop("time").endswith("+00:00")
    assert placed == {
        "level": "INFO",
        "logger": "kerb.request",
        "message": "WS order.place OK",
        "request_id": "ws-1.5",
        "route": "WS order.place",
        "code": "OK",
        "duration_ms": 1.235,
        "user_id": "usr_1000",
        "key_id": "key_3",
        "order_id": "ord_1025",
    }
    assert (refused["code"], refused.keys() & {"user_id", "order_id"}) == ("UNAUTHENTICATED", set())
    assert (batch["code"], batch["order_ids"], batch["refused"]) == ("OK", ["ord_7", "ord_8"], {"HALTED": 2})


def test_nothing_that_a_client_writes_gets_into_the_line_of_a_message() -> None:
    """Its own names for a message and for an order stand in the answer; they may hold anything, and look like anything."""
    fake = '"},{"type":"error","code":"FAKE","x":{"type":"ok","data":{"order_id":"ord_666'
    order = msgspec.json.encode({"order_id": "ord_1", "client_order_id": fake})
    one = Outcome("OK", ["ord_1"])
    assert outcome_of(ok_text(fake[:64], order)) == outcome_of(repeated_text(fake[:64], order)) == one
    assert outcome_of(ok_text(-5, order)) == one
    refusal = error_text(fake[:64], "ORDER_NOT_FOUND", "There is none.", details={fake: fake})
    assert outcome_of(refusal) == Outcome("ORDER_NOT_FOUND", [])
    batch = ok_text(fake[:64], b"[%b,%b]" % (ok_text(None, order), error_text(None, "NO", fake)))
    assert outcome_of(batch) == Outcome("OK", ["ord_1"], {"NO": 1})

    written: list[str] = []
    log = RequestLog(LogFormat.TEXT, written.append)
    log._noted.append((0.0, "WS orders.batch", 0, 0.0, "ws-1.8", ME, batch))
    log._noted.append((0.0, "WS order.cancel", 0, 0.0, "ws-1.9", None, refusal))
    log.flush()
    assert "".join(written).splitlines() == [
        "1970-01-01 00:00:00.000+00:00 INFO     kerb.request: WS orders.batch OK 0.0 ms ws-1.8 usr_1000 ord_1 1 x NO",
        "1970-01-01 00:00:00.000+00:00 INFO     kerb.request: WS order.cancel ORDER_NOT_FOUND 0.0 ms ws-1.9",
    ]


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


class ClosedTerminal(io.StringIO):
    def write(self, text: str, /) -> int:
        raise OSError(errno.EIO, text)


async def test_calls_go_on_when_the_terminal_of_their_log_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", ClosedTerminal())
    log = open_request_log(LogSettings(level=LogLevel.INFO, format=LogFormat.TEXT, requests=True))
    assert log is not None
    for _ in range(LINES_MAX):
        log.add("GET /healthz", 200, 0.0, "mine", None)
    log.flush()
