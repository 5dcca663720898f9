"""Whose clock stamps a data folder: wall time or one recorded day. Time in the books never goes back, so a folder whose
clock stands later than another one would begin must not be given to that one: its market would stand still, or its day
be over at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from server.disk import Disk

FILE_NAME: Final = "market-clock"
WALL_TIME: Final = "wall time"


def stamped_by(folder: Path) -> str | None:
    """`WALL_TIME`, or the recorded day that was last played in the folder; None where nobody has said yet."""
    path = folder / FILE_NAME
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def stamp(folder: Path, name: str) -> None:
    """Say, durably, who stamps the folder from now on."""
    if stamped_by(folder) != name:
        Disk().replace_file(folder / FILE_NAME, f"{name}\n".encode())
