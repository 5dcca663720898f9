"""What the engine remembers of cameras: what each looks at, its secret's number, and what it was answered last. Immutable."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

READS_KEPT: Final = 16
"""So many of a camera's last readings are answered again, as before and with no effect."""


class PlateAnswer(Struct, frozen=True, gc=False, array_like=True):
    """What a reading was answered: a decision by its `reason`, 0 where the camera was not sure enough. `seq` is its record."""

    at_us: int
    digest: bytes
    seq: int
    reason: int
    space: str


class Camera(Struct, frozen=True, gc=False, array_like=True):
    """A camera that reads plates at one lane of one gate. Surer than `confidence_min_bps` a reading is decided.

    `key_version` counts the secrets that it was given; 0, or `revoked`: it has none. `heard_us` is the newest of its times,
    `answers` those to its last readings, newest first.
    """

    camera_id: str
    gate_id: str
    lane: int
    name: str
    confidence_min_bps: int
    key_version: int = 0
    revoked: bool = False
    heard_us: int = 0
    answers: tuple[PlateAnswer, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it has a secret that is good."""
        return self.key_version > 0 and not self.revoked
