"""One log line for each call, and for each WebSocket message with orders: when, who, which route, what came of it, how
long it took.

The logging library costs more than an order does, so lines are gathered and written a few times a second. A line holds
what the server made itself, never a path, a query, a header or a body; the caller's request id has a form of its own.
`duration_ms` runs from the parsed request to the answer; of a WebSocket it is how long it was open, of a message on it
the time from reading it to the answer, which is sent when the orders are durable. What came of a message is read from
its answer when the line is written, so that an order costs no more than noting it.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.json import encode

from config.settings import LogFormat, LogLevel, LogSettings
from server.principal import Principal

FLUSH_S: Final = 0.2
LINES_MAX: Final = 2_000
"""Lines that wait; one more has them written at once."""

ORDER_AT_MAX: Final = 96
_ORDER_ID: Final = re.compile(rb'"(?:order_id|orderId|tradeId)":"(ord_[0-9]+)"')

_MESSAGE_ID: Final = rb'(?:,"id":(?:-?[0-9]+|"(?:[^"\\]|\\.)*"))?'
_RESULT: Final = re.compile(
    rb'\{"type":(?:"ok"%b(?:,"idempotency_hit":true)?,"data":\{"order_id":"(ord_[0-9]+)"|"error"%b,"code":"([A-Z0-9_]+)")'
    % (_MESSAGE_ID, _MESSAGE_ID)
)
"""The beginning of an answer, or of one result of a batch. What a client has written stands in strings, whose quotation
marks are escaped, so it cannot look like this."""

_BATCH: Final = re.compile(rb'\{"type":"ok"%b,"data":\[' % _MESSAGE_ID)


Noted = tuple[float, str, int, float, str, Principal | None, bytes | None]
"""Of a message the status is 0, and its whole answer stands in the place of the order's id."""


class Outcome(Struct, frozen=True):
    """What came of a message: `OK` or why not; in a batch, the orders that were placed or cancelled, and how many were
    refused, by code.
    """

    code: str
    order_ids: list[str]
    refused: dict[str, int] | None = None


class RequestLog:
    """Lines on their way out. `write` gets whole lines."""

    def __init__(self, text_format: LogFormat, write: Callable[[str], object]) -> None:
        self._line = _json_line if text_format is LogFormat.JSON else _text_line
        self._write = write
        self._noted: list[Noted] = []

    def add(
        self,
        route: str,
        status: int,
        seconds: float,
        request_id: str,
        principal: Principal | None,
        order_id: bytes | None = None,
    ) -> None:
        """Note a call that has been answered."""
        noted = self._noted
        noted.append((time.time(), route, status, seconds, request_id, principal, order_id))
        if len(noted) == 1:
            asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
        elif len(noted) >= LINES_MAX:
            self.flush()

    def add_message(
        self, route: str, seconds: float, request_id: str, principal: Principal | None, answer: bytes
    ) -> None:
        """Note a message with orders that has been answered."""
        self.add(route, 0, seconds, request_id, principal, answer)

    def flush(self) -> None:
        """Write what is noted."""
        if self._noted:
            noted, self._noted = self._noted, []
            self._write("".join([self._line(each) for each in noted]))


def open_request_log(settings: LogSettings) -> RequestLog | None:
    """The log of calls on stderr; None where config wants none."""
    if not settings.requests or settings.level not in (LogLevel.DEBUG, LogLevel.INFO):
        return None
    return RequestLog(settings.format, _to_stderr)


def order_id_in(body: bytes) -> bytes | None:
    """The id of the order that an answer is about: it stands near the beginning."""
    found = _ORDER_ID.search(body, 0, ORDER_AT_MAX)
    return found[1] if found is not None else None


def outcome_of(answer: bytes) -> Outcome:
    """What the answer to a message with orders says."""
    if _BATCH.match(answer) is None:
        found = _RESULT.match(answer)
        if found is None:
            return Outcome("", [])
        order_id, code = found.groups(b"")
        return Outcome(code.decode() or "OK", [order_id.decode()] if order_id else [])
    results = _RESULT.findall(answer)
    refused = Counter([code.decode() for _, code in results if code])
    return Outcome("OK", [order_id.decode() for order_id, _ in results if order_id], refused)


def _to_stderr(text: str) -> None:
    """As the logging library does: where the terminal is closed, or the disk full, the calls go on without their log."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


@lru_cache(maxsize=8)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _json(value: object) -> str:
    return encode(value).decode()


def _json_line(noted: Noted) -> str:
    """One format string, as an encoder takes three times as long. Nothing in it needs escaping: routes are ours, and
    the middleware lets only letters, digits and `._:-` through as a request id.
    """
    at_s, route, status, seconds, request_id, principal, about = noted
    whole_s = int(at_s)
    code: int | str = status
    more = ""
    if principal is not None:
        more = f',"user_id":"usr_{principal.user_id}"'
        if principal.key_id:
            more += f',"key_id":"key_{principal.key_id}"'
    if status:
        result = f'"status":{status}'
        if about is not None:
            more += f',"order_id":"{about.decode()}"'
    else:
        outcome = outcome_of(about or b"")
        code = outcome.code
        result = f'"code":"{code}"'
        if outcome.refused is not None:
            more += f',"order_ids":{_json(outcome.order_ids)},"refused":{_json(outcome.refused)}'
        elif outcome.order_ids:
            more += f',"order_id":"{outcome.order_ids[0]}"'
    return (
        f'{{"time":"{_to_the_second(whole_s)}.{int((at_s - whole_s) * 1e6):06d}+00:00","level":"INFO",'
        f'"logger":"kerb.request","message":"{route} {code}","request_id":"{request_id}","route":"{route}",'
        f'{result},"duration_ms":{seconds * 1_000:.3f}{more}}}\n'
    )


def _text_line(noted: Noted) -> str:
    at_s, route, status, seconds, request_id, principal, about = noted
    who = f" usr_{principal.user_id}" if principal is not None else ""
    code: int | str = status
    order = ""
    if status:
        order = f" {about.decode()}" if about is not None else ""
    else:
        outcome = outcome_of(about or b"")
        code = outcome.code
        refused = [f"{count} x {why}" for why, count in (outcome.refused or {}).items()]
        order = "".join([f" {each}" for each in (*outcome.order_ids, *refused)])
    at = datetime.fromtimestamp(at_s, UTC).isoformat(sep=" ", timespec="milliseconds")
    return f"{at} INFO     kerb.request: {route} {code} {seconds * 1_000:.1f} ms {request_id}{who}{order}\n"
