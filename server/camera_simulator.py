"""Simulated cameras: clients of the real webhook, which see a vehicle as real ones do: many times, at first not surely.

For tests and for whoever writes a camera's side: `signed` is all that there is to it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from server.plate_desk import signature

if TYPE_CHECKING:
    import aiohttp

FRAMES: Final = 6
"""How often a vehicle is seen while it drives up."""

UNSURE_PERCENT: Final = 55.0
SURE_PERCENT: Final = 97.5
MISREAD: Final = {"O": "0", "0": "O", "B": "8", "8": "B", "I": "1", "1": "I", "S": "5", "5": "S"}
"""What a camera that is not sure takes a letter for."""


class CameraAccess(Struct, frozen=True):
    """A camera to be, and its secret."""

    camera_id: str
    secret: bytes


class CameraAnswer(Struct, frozen=True):
    """What the server said: the HTTP status, and `data` or `error` of its answer."""

    status: int
    said: dict[str, Any]


def signed(access: CameraAccess, body: bytes) -> dict[str, str]:
    """The headers of a message."""
    return {
        "Content-Type": "application/json",
        "X-Kerb-Signature": signature(access.secret, access.camera_id, body),
    }


def body_of(plate: str, confidence: float, at: datetime | None = None) -> bytes:
    """A message: what was read, how surely, when (now)."""
    moment = (at or datetime.now(UTC)).isoformat()
    return msgspec.json.encode({"at": moment, "plate": plate, "confidence": confidence})


class SimulatedCamera:
    """One camera at one lane. `url` is the server's."""

    def __init__(self, http: aiohttp.ClientSession, url: str, access: CameraAccess, seed: int = 1) -> None:
        self.access = access
        self._http = http
        self._url = f"{url}/api/v1/parking/cameras/{access.camera_id}/reads"
        self._random = Random(seed)

    def __repr__(self) -> str:
        return f"<SimulatedCamera {self.access.camera_id}>"

    async def send(self, body: bytes, headers: dict[str, str] | None = None) -> CameraAnswer:
        """Send a message; signed, unless other headers are given."""
        headers = signed(self.access, body) if headers is None else headers
        async with self._http.post(self._url, data=body, headers=headers) as response:
            answer = msgspec.json.decode(await response.read())
        return CameraAnswer(response.status, answer.get("data") or answer["error"])

    async def read(self, plate: str, confidence: float = SURE_PERCENT) -> CameraAnswer:
        """Say that a plate was read just now."""
        return await self.send(body_of(plate, confidence))

    async def see(self, plate: str, frames: int = FRAMES) -> list[CameraAnswer]:
        """A vehicle drives up: the first frame is read wrongly and not surely, the others as plates are written."""
        answers = [await self.read(self._misread(plate), UNSURE_PERCENT)]
        for _ in range(frames - 1):
            cut = self._random.randrange(1, len(plate)) if len(plate) > 1 else 1
            written = plate[:cut] + self._random.choice((" ", "-", "")) + plate[cut:]
            shown = self._random.choice((written, written.lower()))
            answers.append(await self.read(shown, SURE_PERCENT - self._random.randrange(10)))
        return answers

    def _misread(self, plate: str) -> str:
        return "".join([MISREAD.get(letter, letter) for letter in plate])
