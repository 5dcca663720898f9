"""Plates as people and cameras write them, and as Kerb keeps them: letters and digits, upper case, with nothing between."""

from __future__ import annotations

import unicodedata
from typing import Final

from engine.parking.vehicles import is_plate

BETWEEN: Final = frozenset(" -._/·•'")
"""What is written between the parts of a plate and is none of it; with all blanks."""


def normal_plate(text: str) -> str:
    """A plate as it is kept, '' for a text that is none. Letters of other scripts are not guessed at: Cyrillic А is no Latin A."""
    whole = unicodedata.normalize("NFKC", text).upper()
    plate = "".join([each for each in whole if each not in BETWEEN and not each.isspace()])
    return plate if is_plate(plate) else ""
