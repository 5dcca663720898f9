"""What clients send, checked: bodies, ids in paths, query parameters, idempotency keys. All raise BadRequest (400)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar

import msgspec
from multidict import MultiMapping, istr

from engine.refusals import Refusal
from engine.units import SECOND_US
from server.errors import BadRequest, NotFound, RefusedAtBorder

T = TypeVar("T")

LIMIT_MAX: Final = 500
OUT_OF_RANGE: Final = "is out of range"
PAGE_MAX: Final = 100_000
LIMIT_DEFAULT: Final = 50
KEY_HEADER: Final = "X-Idempotency-Key"
ID_MAX: Final = 2**63 - 1
TIME_MAX_US: Final = 2**52
"""A little after the year 2112."""

_KEY_HEADERS: Final = (
    istr(KEY_HEADER),
    istr("Idempotency-Key"),
)  # looking for a str takes three times as long
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_ID = re.compile(r"[1-9][0-9]{0,18}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_AT = re.compile(r" - at `\$\.?(.*)`$")
_NAMED = re.compile(r"field `([^`]*)`")


def decode_body(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    """The decoded body. The error names the field that is wrong."""
    if not raw:
        raise BadRequest("body", "a JSON object is required")
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error)) from None
    except msgspec.DecodeError as error:
        raise BadRequest("body", f"is not JSON: {error}") from None
    except UnicodeError:
        raise BadRequest("body", "is not UTF-8") from None
    except RecursionError:
        raise BadRequest("body", "is nested too deeply") from None


def _wrong_shape(problem: str) -> BadRequest:
    """The decoder's complaint, with the field taken out of it."""
    at = _AT.search(problem)
    text = problem[: at.start()] if at else problem
    path = at.group(1) if at else ""
    named = _NAMED.search(text)
    field = ".".join(part for part in (path, named.group(1) if named else "") if part)
    return BadRequest(
        field or "body", text[:200].replace("Object", "the object").replace("Expected", "expected")
    )


def idempotency_key(headers: MultiMapping[str]) -> str:
    """The idempotency key, '' for none. It may be sent several times, in both spellings, if all agree."""
    keys = headers.getall(_KEY_HEADERS[0], ())
    others = headers.getall(_KEY_HEADERS[1], ())
    if others:
        keys = [*keys, *others]
    if not keys:
        return ""
    key = keys[0]
    if len(keys) > 1 and keys.count(key) != len(keys):
        raise BadRequest(KEY_HEADER, "was sent more than once, with different values")
    if _KEY.fullmatch(key) is None:
        raise BadRequest(KEY_HEADER, "must be 1 to 128 printable ASCII characters without spaces")
    return key


def read_id(text: str, prefix: str) -> int:
    """The number of an id like `ord_1024`. What is no id of this kind does not exist: NotFound."""
    digits = text.removeprefix(prefix)
    if len(digits) == len(text) or _ID.fullmatch(digits) is None or int(digits) > ID_MAX:
        raise NotFound
    return int(digits)


def read_order_id(text: str) -> int:
    """The number of an order's id. Raises what `order_not_found` makes."""
    try:
        return read_id(text, "ord_")
    except NotFound:
        raise order_not_found() from None


def order_not_found() -> RefusedAtBorder:
    """There is no such order, or it is somebody else's: the same answer, that of the engine."""
    return RefusedAtBorder(Refusal.ORDER_NOT_FOUND, "order_id", "there is no such order")


def read_number(query: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """An integer parameter within its bounds."""
    text = query.get(name)
    if text is None:
        return default
    if _NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
        raise BadRequest(name, f"must be a number from {least} to {most}")
    return int(text)


def read_limit(query: Mapping[str, str], default: int = LIMIT_DEFAULT) -> int:
    """`limit`: how many at most."""
    return read_number(query, "limit", default, least=1, most=LIMIT_MAX)


def read_page(query: Mapping[str, str]) -> int:
    """`page`, from 1."""
    return read_number(query, "page", 1, least=1, most=PAGE_MAX)


def read_cursor(query: Mapping[str, str]) -> str | None:
    """`cursor`: the `next_cursor` of the page before, opaque to clients."""
    text = query.get("cursor")
    if text is None:
        return None
    if _KEY.fullmatch(text) is None:
        raise BadRequest("cursor", "is not a cursor of this list")
    return text


def read_choice(query: Mapping[str, str], name: str, choices: Mapping[str, T], default: T) -> T:
    """A parameter that has one of a few values."""
    text = query.get(name)
    if text is None:
        return default
    if text not in choices:
        raise BadRequest(name, f"must be one of {', '.join(choices)}")
    return choices[text]


def read_text(query: Mapping[str, str], name: str, *, most: int) -> str | None:
    """A text parameter: printable, not empty, not too long; None when it is missing."""
    text = query.get(name)
    if text is None:
        return None
    if not 1 <= len(text) <= most or not text.isprintable():
        raise BadRequest(name, f"must be 1 to {most} printable characters")
    return text


def moment_us(text: str, field: str) -> int:
    """A time as RFC 3339 has it (https://www.rfc-editor.org/rfc/rfc3339, 5.6), with Z or an offset: exact to the microsecond.
    Finer fractions, leap seconds and times without an offset are refused: none of them says which microsecond it is.
    May be negative, or more than the engine has room for.
    """
    matched = _MOMENT.fullmatch(text)
    if matched is None:
        raise BadRequest(field, "must be a time like 2025-01-31T16:00:00.25Z or 2025-01-31T11:00:00-05:00")
    day, clock, fraction, offset = matched.groups()
    digits = (fraction or "").rstrip("0")
    if len(digits) > 6:
        raise BadRequest(field, "is finer than a microsecond")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
        elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadRequest(field, "is no time of the calendar") from None
    return (elapsed.days * 86_400 + elapsed.seconds) * SECOND_US + int(digits.ljust(6, "0"))


def read_time_us(query: Mapping[str, str], name: str, *, end_of_day: bool = False) -> int | None:
    """A date (`2025-01-31`, UTC) or a time (RFC 3339) in microseconds. A date as an end includes its day."""
    text = query.get(name)
    if text is None:
        return None
    try:
        if len(text) == len("2025-01-31"):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            moment = day + timedelta(days=1) if end_of_day else day
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise BadRequest(name, "must say its time zone, like 2025-01-31T00:00:00Z")
        elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadRequest(name, "must be a date like 2025-01-31 or a time like 2025-01-31T00:00:00Z") from None
    time_us = (elapsed.days * 86_400 + elapsed.seconds) * SECOND_US + elapsed.microseconds
    if not 0 <= time_us < TIME_MAX_US:
        raise BadRequest(name, OUT_OF_RANGE)
    return time_us
