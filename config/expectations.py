"""Says in words what a setting's type accepts, for the message about a value that does not fit."""

from __future__ import annotations

from msgspec import inspect

_PATTERNS = {
    "^[A-Z0-9][A-Z0-9.-]{0,15}$": "1 to 16 capital letters, digits, dots and dashes",
    "^[A-Za-z0-9._-]{1,32}$": "1 to 32 letters, digits, dots, underscores and dashes",
    "^gat_[A-Za-z0-9._-]{1,32}$": "a gate: gat_ and 1 to 32 letters, digits, dots, underscores and dashes",
    "^[A-Z]{3}$": "a currency of three capital letters",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$": "a time from 00:00 to 24:00",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$|^(opens|closes)([+-][0-9]{1,4})?$": "a time from 00:00 to 24:00, or opens or closes with minutes before or after (closes-10)",
    "^postgres(ql)?://": "a URL that begins with postgresql://",
    "^(([01][0-9]|2[0-3]):[0-5][0-9])?$": "a time of day such as 03:30, or empty",
    "^[A-Za-z][A-Za-z0-9_+/-]*$": "a time zone such as Europe/Berlin",
    "^smtps?://": "a URL that begins with smtp:// or smtps://",
    "^rediss?://": "a URL that begins with redis:// or rediss://",
}


def expectation(kind: object) -> str:
    """For example "a whole number from 0 to 65535" or "one of demo, test, production"."""
    return _describe(inspect.type_info(kind))


def _describe(info: inspect.Type) -> str:
    match info:
        case inspect.UnionType():
            return " or ".join(
                _describe(part) for part in info.types if not isinstance(part, inspect.NoneType)
            )
        case inspect.Metadata():
            return _describe(info.type)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number" + _range(info.ge, info.le)
        case inspect.FloatType():
            return "a number" + _range(info.ge, info.le)
        case inspect.EnumType():
            return "one of " + ", ".join(str(member.value) for member in info.cls)
        case inspect.StrType():
            return _text(info)
        case inspect.VarTupleType():
            return "a list, each item " + _describe(info.item_type)
        case inspect.DecimalType():
            return 'a decimal number, best in quotes ("0.01")'
        case inspect.DateType():
            return "a date such as 2026-12-25"
        case inspect.DateTimeType():
            return "a date and time with its offset such as 2026-12-31T18:00:00Z"
        case inspect.StructType():
            return "a table with " + ", ".join(
                field.encode_name + ("" if field.required else " (or without)") for field in info.fields
            )
        case inspect.CustomType():
            return f"a {info.cls.__name__.lower()}"
    raise TypeError(f"settings have no type {info}")


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    if high is not None:
        return f" of at most {high}"
    return ""


def _text(info: inspect.StrType) -> str:
    if info.pattern is not None:
        return _PATTERNS[info.pattern]
    if info.min_length and info.max_length:
        return f"a text of {info.min_length} to {info.max_length} characters"
    if info.min_length is not None and info.min_length > 1:
        return f"a text of at least {info.min_length} characters"
    return "a text that is not empty" if info.min_length else "a text"
