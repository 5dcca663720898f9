"""The secrets of gates and of cameras: derived from one secret of the installation, so there is no list of them to lose or to read.

A gate's secret is HMAC-SHA256(master, "kerb gate secret 1" | version | gate), its version counted up in the engine's state
whenever an operator gives the gate a new one. So gates prove themselves while PostgreSQL is away, no secret is ever written
down, and an old one ends at once.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

_LABEL: Final = b"kerb gate secret 1"
_BOOKINGS: Final = b"kerb booking codes 1"
_CAMERA: Final = b"kerb camera secret 1"


class GateSecrets:
    """Makes the secrets of gates. `master` is never shown."""

    __slots__ = ("_master",)

    def __init__(self, master: str) -> None:
        self._master = master.encode("utf-8")

    def __repr__(self) -> str:
        return "<GateSecrets>"

    def secret(self, gate: str, version: int) -> bytes:
        """The 32 raw bytes of a gate's secret. Version 0 is nobody's: the same work for a gate that does not exist."""
        return hmac.digest(self._master, _LABEL + version.to_bytes(8, "big") + gate.encode("utf-8"), sha256)

    def camera_secret(self, camera: str, version: int) -> bytes:
        """The 32 raw bytes of a camera's secret. Version 0 is nobody's, as with gates."""
        return hmac.digest(
            self._master, _CAMERA + version.to_bytes(8, "big") + camera.encode("utf-8"), sha256
        )

    def booking_key(self) -> bytes:
        """The 32 raw bytes that sign the codes of bookings: no gate has them, so no gate that was opened up can make a code."""
        return hmac.digest(self._master, _BOOKINGS, sha256)
