"""Numbers at the border: JSON text to scaled integers and back, exactly, never through a float.

A field that is a number is decoded as `msgspec.Raw`, its JSON text; a JSON number and a string with the same
digits mean the same. What is not a number is a `BadRequest` (400); a number with more decimals than the
engine's unit, or beyond its bounds, is refused as the engine would (422): it is never rounded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw

from engine.refusals import Refusal
from engine.units import BPS, CASH_SCALE, CASH_TOTAL_MAX_E4, PRICE_MAX_E4, QUANTITY_MAX_E8, QUANTITY_SCALE
from server.decimal_text import cash_text, percent_text, quantity_text
from server.errors import BadRequest, RefusedAtBorder

PPM_A_PERCENT: Final = 10_000
TRAIL_MAX_PPM: Final = 500_000

_TEXT: Final = r"^([0-9]{1,40}(\.[0-9]{1,40})?|[0-9]{1,30}(\.[0-9]{1,28})?[eE][+-]?[0-9]{1,3})$"


def _number_in(what: str, most: int, *or_null: str) -> Meta:
    return Meta(
        description=f"{what}, above zero, as a JSON number or as a string; read exactly, never rounded.",
        extra_json_schema={
            "type": ["number", "string", *or_null],
            "exclusiveMinimum": 0,
            "maximum": most,
            "pattern": _TEXT,
        },
    )


QuantityIn = Annotated[Raw, _number_in("A quantity", QUANTITY_MAX_E8 // QUANTITY_SCALE)]
QuantityInOrNull = Annotated[Raw, _number_in("A quantity", QUANTITY_MAX_E8 // QUANTITY_SCALE, "null")]
PriceInOrNull = Annotated[Raw, _number_in("A price", PRICE_MAX_E4 // CASH_SCALE, "null")]
PriceIn = Annotated[Raw, _number_in("A price", PRICE_MAX_E4 // CASH_SCALE)]
PercentInOrNull = Annotated[Raw, _number_in("A percentage", TRAIL_MAX_PPM // PPM_A_PERCENT, "null")]
AmountInOrNull = Annotated[Raw, _number_in("An amount of cash", CASH_TOTAL_MAX_E4 // CASH_SCALE, "null")]
AmountIn = Annotated[Raw, _number_in("An amount of cash", CASH_TOTAL_MAX_E4 // CASH_SCALE)]
Number = Annotated[Raw, Meta(extra_json_schema={"type": "number"})]
"""A number in an answer: JSON with exact decimals."""
NumberOrNull = Annotated[Raw, Meta(extra_json_schema={"type": ["number", "null"]})]

NULL: Final = Raw(b"null")
ZERO: Final = Raw(b"0")

_TEXT_MAX: Final = 64
_REMEMBERED_MAX: Final = 24
"""Longer texts are read anew each time: what is remembered of clients' texts stays small."""

_DIGITS_MAX: Final = 40
_POWERS: Final = tuple(int(10**power) for power in range(_DIGITS_MAX + 1))
_PLAIN = re.compile(rb'"?(-?)([0-9]{1,40})(?:\.([0-9]{1,40}))?"?')
_SCIENTIFIC = re.compile(rb'"?(-?)([0-9]{1,30})(?:\.([0-9]{1,30}))?[eE]([+-]?[0-9]{1,3})"?')


def is_absent(raw: Raw) -> bool:
    """Whether the member was left out or is null."""
    text = bytes(raw)
    return text in (b"", b"null")


@lru_cache(maxsize=16_384)
def _plain(text: bytes, decimals: int, most: int) -> int | None:
    """What nearly everybody sends: digits, perhaps a point, and no more than `most` when scaled. None for all else.

    The same prices and quantities come again and again.
    """
    whole, dot, fraction = text.partition(b".")
    if not whole.isdigit() or (dot and not fraction.isdigit()) or len(fraction) > decimals:
        return None
    value = int(whole + fraction) * _POWERS[decimals - len(fraction)]
    return value if value <= most else None


def scaled(raw: Raw, field: str, decimals: int) -> int | None:
    """The number times 10**decimals; None when it has more decimals than that. Raises BadRequest."""
    text = bytes(raw)
    if b"\\" in text:
        text = _unescaped(text, field)
    match = _PLAIN.fullmatch(text)
    if match is None:
        return _scaled_scientific(text, field, decimals)
    if (text[:1] == b'"') != (text[-1:] == b'"'):
        raise BadRequest(field, "must be a number")
    sign, whole, fraction = match.groups(b"")
    if len(fraction) > decimals:
        fraction = fraction.rstrip(b"0")
        if len(fraction) > decimals:
            return None
    value = int(whole + fraction) * _POWERS[decimals - len(fraction)]
    return -value if sign else value


def _unescaped(text: bytes, field: str) -> bytes:
    """A string's characters without JSON escapes, quoted again."""
    try:
        return b'"' + msgspec.json.decode(text, type=str).encode() + b'"'
    except (msgspec.DecodeError, UnicodeError):
        raise BadRequest(field, "must be a number") from None


def _scaled_scientific(text: bytes, field: str, decimals: int) -> int | None:
    match = _SCIENTIFIC.fullmatch(text) if len(text) <= _TEXT_MAX + 2 else None
    if match is None or (text[:1] == b'"') != (text[-1:] == b'"'):
        raise BadRequest(field, "must be a number")
    sign, whole, fraction, exponent = match.groups(b"")
    digits = int(whole + fraction)
    shift = int(exponent) - len(fraction) + decimals
    if digits == 0:
        return 0
    if shift >= 0:
        value: int = digits * 10**shift
    else:
        value, rest = divmod(digits, 10**-shift)
        if rest:
            return None
    return -value if sign else value


def read_price_e4(raw: Raw, field: str = "price") -> int:
    """A price. Zero and negative ones are left to the engine, which refuses them."""
    text = bytes(raw)
    if len(text) <= _REMEMBERED_MAX:
        value = _plain(text, 4, PRICE_MAX_E4)
        if value is not None:
            return value
    value = scaled(raw, field, 4)
    if value is None:
        raise RefusedAtBorder(Refusal.INVALID_TICK_SIZE, field, "has more than 4 decimals")
    if not -PRICE_MAX_E4 <= value <= PRICE_MAX_E4:
        raise RefusedAtBorder(Refusal.INVALID_PRICE, field, "is out of range")
    return value


def read_quantity_e8(raw: Raw, field: str = "quantity") -> int:
    """A quantity. Zero and negative ones are left to the engine, which refuses them."""
    text = bytes(raw)
    if len(text) <= _REMEMBERED_MAX:
        value = _plain(text, 8, QUANTITY_MAX_E8)
        if value is not None:
            return value
    value = scaled(raw, field, 8)
    if value is None:
        raise RefusedAtBorder(Refusal.INVALID_LOT_SIZE, field, "has more than 8 decimals")
    if not -QUANTITY_MAX_E8 <= value <= QUANTITY_MAX_E8:
        raise RefusedAtBorder(Refusal.INVALID_QUANTITY, field, "is out of range")
    return value


def read_amount_e4(raw: Raw, field: str = "amount") -> int:
    """An amount of cash. Zero and negative ones are left to the engine, which refuses them."""
    value = scaled(raw, field, 4)
    if value is None:
        raise RefusedAtBorder(Refusal.INVALID_AMOUNT, field, "has more than 4 decimals")
    if not -CASH_TOTAL_MAX_E4 <= value <= CASH_TOTAL_MAX_E4:
        raise RefusedAtBorder(Refusal.INVALID_AMOUNT, field, "is out of range")
    return value


def read_percent_ppm(raw: Raw, field: str) -> int:
    """A percentage of at most 50, in millionths. Zero and negative ones are left to who asks."""
    value = scaled(raw, field, 4)
    if value is None:
        raise RefusedAtBorder(Refusal.INVALID_TERMS, field, "has more than 4 decimals")
    if value > TRAIL_MAX_PPM:
        raise RefusedAtBorder(Refusal.INVALID_TERMS, field, "must be at most 50")
    return value


def ratio_bps(part: int, whole: int) -> int:
    """`part / whole` in basis points, halves away from zero; 0 when whole is 0."""
    if whole == 0:
        return 0
    size = (2 * abs(part) * BPS + abs(whole)) // (2 * abs(whole))
    return -size if (part < 0) != (whole < 0) else size


def cash(value_e4: int) -> Raw:
    """Cash or a price, ready to be put into an answer."""
    return Raw(cash_text(value_e4).encode())


def quantity(value_e8: int) -> Raw:
    """A quantity, ready to be put into an answer."""
    return Raw(quantity_text(value_e8).encode())


def percent(part: int, whole: int) -> Raw:
    """`part / whole` as a percentage with two decimals, ready to be put into an answer."""
    return Raw(percent_text(ratio_bps(part, whole)).encode())
