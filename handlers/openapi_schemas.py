"""JSON schemas of the contract's types: the components of both documents, made by msgspec from the types themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

from handlers.admin import KillSwitchBody
from handlers.openapi_order_rules import ORDER_RULES

Schema = dict[str, Any]

REF: Final = "#/components/schemas/{name}"
_SUFFIX: Final = "Json"

RULES: Final[dict[type[Struct], Schema]] = {
    **ORDER_RULES,
    KillSwitchBody: {
        "if": {"properties": {"scope": {"const": "MARKET"}}},
        "then": {"properties": {"target": {"maxLength": 0}}},
        "else": {"properties": {"target": {"minLength": 1}}, "required": ["target"]},
    },
}
"""What a type cannot say about several fields together; the handlers hold it, and a test holds this to them."""


def shown_name(name: str) -> str:
    """The name of a type as clients see it."""
    return name.removesuffix(_SUFFIX)


def schemas_of(types: Iterable[Any]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """The schema of each type, and the components that they refer to."""
    wanted = list(types)
    found, components = msgspec.json.schema_components(wanted, ref_template=REF)
    for kind, rule in RULES.items():
        if kind.__name__ in components:
            components[kind.__name__] |= rule
    shown = {shown_name(name): _shown(schema) for name, schema in components.items()}
    assert len(shown) == len(components)
    return {id(kind): _shown(schema) for kind, schema in zip(wanted, found, strict=True)}, shown


def schema_of(kind: Any) -> Schema:
    """The schema of a type that refers to no component."""
    return msgspec.json.schema(kind)


def _shown(value: Any) -> Any:
    """The schema with the names that clients see, and without line breaks of our sources."""
    if isinstance(value, dict):
        return {key: _shown_text(key, part) for key, part in value.items()}
    if isinstance(value, list):
        return [_shown(part) for part in value]
    return value


def _shown_text(key: str, part: Any) -> Any:
    if isinstance(part, str):
        if key in ("$ref", "title"):
            return shown_name(part)
        if key == "description":
            return " ".join(part.split())
    return _shown(part)
