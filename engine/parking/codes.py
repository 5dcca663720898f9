"""The natural keys of parking: short codes that operators give."""

from __future__ import annotations

from typing import Final

CODE_MAX: Final = 32

_CODE_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def is_code(text: str) -> bool:
    """Whether a text may be a natural key: 1 to 32 letters, digits, dashes, underscores and dots."""
    return 0 < len(text) <= CODE_MAX and _CODE_CHARACTERS.issuperset(text)
