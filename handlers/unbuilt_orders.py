"""What of an order's terms the engine does not carry out yet: known by name, and refused by name (NOT_SUPPORTED)."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, Struct, structs

from handlers.numbers import is_absent

ANY: Final[tuple[object, ...]] = ()

UNBUILT: Final[dict[str, tuple[object, ...]]] = {
    "order_class": ("BRACKET", "OCO", "OTO"),
    "take_profit": ANY,
    "stop_loss": ANY,
}
"""Member → what of it is still to come; ANY: whatever it says."""


def unbuilt_of(body: Struct) -> str | None:
    """The first member that asks for what is still to come, as the client calls it."""
    names = {each.name: each.encode_name for each in structs.fields(body)}
    for name, unbuilt in UNBUILT.items():
        if name in names and _is_unbuilt(getattr(body, name), unbuilt):
            return names[name]
    return None


def _is_unbuilt(value: object, unbuilt: tuple[object, ...]) -> bool:
    if unbuilt is not ANY:
        return value in unbuilt
    return not is_absent(value) if isinstance(value, Raw) else value is not None
