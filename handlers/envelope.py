"""The envelope of every answer: success with data and meta, or an error with its code (API.md, "Conventions")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.events import Refused
from engine.refusals import RETRYABLE, Refusal
from handlers.error_status import status_of
from handlers.numbers import cash, quantity
from handlers.order_json import time_text
from handlers.refusal_status import REFUSALS, status_of_refusal
from server.errors import KerbError, RefusedAtBorder

_encode = msgspec.json.Encoder().encode
_DATA: Final = b'{"success":true,"data":'
_META: Final = b',"meta":'
CAPACITY_RETRY_AFTER_S: Final = 60


class Answer(Struct, gc=False):
    """What a handler answers. `headers` come on top of those that every answer has.

    `of_site`: a page or document of the server's own, which a browser may keep and ask for again by its ETag.
    """

    status: int
    body: bytes
    headers: dict[str, str] | None = None
    content_type: str = "application/json"
    of_site: bool = False


class MetaJson(Struct, omit_defaults=True):
    """`meta` of a success. `as_of_seq` is the journal sequence that the data belongs to."""

    as_of_seq: int | None = None
    page: int | None = None
    limit: int | None = None
    total: int | None = None
    next_cursor: str | None = None
    unread: int | None = None


class ErrorJson(Struct):
    """`error` of a failure."""

    code: str
    message: str
    details: dict[str, Any]
    request_id: str
    retryable: bool


def success(
    data: Any, *, status: int = 200, meta: MetaJson | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """A success with `data`, a record or a list of them."""
    return success_encoded(_encode(data), status=status, meta=meta, headers=headers)


def success_encoded(
    data: bytes, *, status: int = 200, meta: MetaJson | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """A success whose data is JSON text already."""
    if meta is None:
        return Answer(status, b"".join((_DATA, data, b"}")), headers)
    return Answer(status, b"".join((_DATA, data, _META, _encode(meta), b"}")), headers)


def success_as_of(
    data: bytes, seq: int, *, status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    """A success whose data is JSON text and stands for the state at `seq`."""
    return Answer(status, b'{"success":true,"data":%b,"meta":{"as_of_seq":%d}}' % (data, seq), headers)


def failure(error: KerbError, request_id: str) -> Answer:
    """The answer to an exception of the shell."""
    if isinstance(error, RefusedAtBorder):
        status, code = status_of_refusal(error.refusal), error.refusal.name
    else:
        status, code = status_of(error), error.code
    headers = None
    if error.retry_after_s is not None:
        headers = {"Retry-After": str(max(1, -int(-error.retry_after_s // 1)))}
    return _failed(status, code, error.message, error.details, request_id, error.retryable, headers)


def refusal(refused: Refused, request_id: str, *, in_path: bool = False, duplicate: bool = False) -> Answer:
    """The answer to a refusal of the engine. `in_path`: what is refused was named in the URL."""
    reason = refused.refusal
    headers: dict[str, str] = {}
    if duplicate:
        headers["Idempotency-Hit"] = "true"
    if reason in RETRYABLE:
        headers["Retry-After"] = str(dict(refused.detail).get("seconds", CAPACITY_RETRY_AFTER_S))
    return _failed(
        status_of_refusal(reason, in_path=in_path),
        reason.name,
        REFUSALS[reason].message,
        refusal_details(refused),
        request_id,
        reason in RETRYABLE,
        headers or None,
    )


def fault(request_id: str) -> Answer:
    """The answer to a bug: nothing about it but the request id."""
    return _failed(500, KerbError.code, "Something went wrong here.", {}, request_id, False, None)


def of_another_call(status: int, body: bytes, request_id: str) -> bytes:
    """The body of an answer that is given again: that of an error names this call."""
    if status < 400:
        return body
    error: dict[str, Any] = msgspec.json.decode(body)["error"]
    return b'{"success":false,"error":%b}' % _encode(error | {"request_id": request_id})


FIELDS: Final = {
    "stop_e4": "stop_price",
    "trail_e4": "trail_amount",
    "trail_ppm": "trail_percent",
    "display_e8": "display_quantity",
    "expires_us": "expires_at",
    "notional_e4": "notional",
}
"""What members of an order are called that the engine has in its units, or under another name."""


def refusal_details(refused: Refused) -> dict[str, Any]:
    """The figures of a refusal with the unit taken off their names: decimals as numbers, times as text. Of terms that make no
    sense: the member that does not fit the others.
    """
    if refused.refusal is Refusal.INVALID_TERMS:
        ((member, _),) = refused.detail
        return {"field": FIELDS.get(member, member)}
    details: dict[str, Any] = {}
    for name, figure in refused.detail:
        stem, _, unit = name.rpartition("_")
        match unit:
            case "e4":
                details[stem] = cash(figure)
            case "e8":
                details[stem] = quantity(figure)
            case "us":
                details[stem] = time_text(figure)
            case "id":
                continue
            case _:
                details[name] = figure
    return details


def _failed(
    status: int,
    code: str,
    message: str,
    details: Mapping[str, Any],
    request_id: str,
    retryable: bool,
    headers: dict[str, str] | None,
) -> Answer:
    error = ErrorJson(code, message, dict(details), request_id, retryable)
    return Answer(status, b'{"success":false,"error":%b}' % _encode(error), headers)


def encoded(value: Any) -> bytes:
    """JSON text of a record or a list of them."""
    return _encode(value)


def raw_list(items: list[bytes]) -> bytes:
    """A JSON list of JSON texts."""
    return b"[" + b",".join(items) + b"]"
