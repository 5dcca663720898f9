"""The terms of an order as one JSON object, for its row: names and figures are those of engine/terms.py.

Only what says something is written, so a field that is added there leaves the rows of before as they are.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.terms import NO_TERMS, Special, Terms

_PLAIN: Final = Special(NO_TERMS)

encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def special_json(special: Special) -> bytes:
    """The object's text: the fields of the terms that are not their default, then those of where the order stands."""
    return encode(_said(special.terms, NO_TERMS) | _said(special, _PLAIN))


def special_of(text: str | None) -> Special | None:
    """The terms that a text was made of; None for a plain order."""
    if text is None:
        return None
    found = decode(text)
    terms = _fields(found, NO_TERMS)
    return msgspec.convert([terms, *_fields(found, _PLAIN)[1:]], Special)


def _said(record: Struct, default: Struct) -> dict[str, Any]:
    return {
        name: value
        for name in record.__struct_fields__
        if (value := getattr(record, name)) != getattr(default, name) and type(value) is not Terms
    }


def _fields(found: dict[str, Any], default: Struct) -> list[Any]:
    return [found.get(name, getattr(default, name)) for name in default.__struct_fields__]
