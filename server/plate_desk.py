"""What cameras have read becomes scans at their lanes. A message is proved by the camera's secret, fresh, and has one effect.

A camera sends many readings of one vehicle. They are one scan: until it is time to ask again (`_AGAIN_S`) a reading of the same
plate is answered as the one before, and goes no further.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.access import OPENS
from engine.parking.camera_commands import ReadPlate
from engine.parking.camera_events import PlateRead
from engine.parking.camera_records import Camera
from engine.parking.cameras import PREFIX, known_reading
from engine.parking.codes import is_code
from engine.parking.kinds import DecisionReason
from engine.units import SECOND_US
from server.errors import Conflict, Unauthenticated

if TYPE_CHECKING:
    from server.clock import Clock
    from server.gate_hub import GateHub
    from server.runtime import Runtime

LABEL: Final = b"kerb-camera-1 read"
FRESH_S: Final = 30
"""So far from the server's clock may the time of a reading be, either way. What was let through is not asked again for longer."""

OPEN_AGAIN_S: Final = 31.0
REFUSED_AGAIN_S: Final = 15.0
BUSY_AGAIN_S: Final = 2.0
UNSURE_AGAIN_S: Final = 5.0

_ENVELOPE: Final = Envelope(Source.GATE)
_WRONG: Final = "The camera is not known, or its signature is wrong."


class Reading(Struct, frozen=True):
    """What a camera says: when, which plate ('' for a text that is none), how sure it is. `digest` is that of the message."""

    at_us: int
    plate: str
    confidence_bps: int
    digest: bytes


class Answered(Struct, frozen=True):
    """What a reading was answered, and the record that made it so. `reason` None: the camera was not sure enough.

    `repeated`: as an earlier reading; nothing was done for this one.
    """

    seq: int
    reason: DecisionReason | None
    space: str
    repeated: bool = False

    @property
    def opens(self) -> bool:
        """Whether the lane was opened."""
        return self.reason in OPENS


class Latest:
    """The last scan that a camera's readings have become."""

    __slots__ = ("again_s", "answered", "heard_us", "plate")

    def __init__(self, plate: str, answered: Answered, again_s: float, heard_us: int) -> None:
        self.plate = plate
        self.answered = answered
        self.again_s = again_s
        self.heard_us = heard_us

    def __repr__(self) -> str:
        return f"<Latest {self.plate} {self.answered.reason}>"


def signature(secret: bytes, camera_id: str, body: bytes) -> str:
    """What proves a message: HMAC-SHA256, as 64 lower-case hexadecimal digits. `camera_id` with its prefix."""
    return hmac.new(secret, LABEL + camera_id.encode() + b"\n" + body, sha256).hexdigest()


class PlateDesk:
    """Takes readings of cameras. `clock` is wall time: a camera knows no other."""

    def __init__(self, runtime: Runtime, hub: GateHub, clock: Clock) -> None:
        self._runtime = runtime
        self._hub = hub
        self._clock = clock
        self._latest: dict[str, Latest] = {}
        self.readings = 0
        self.forged = 0

    def __repr__(self) -> str:
        return f"<PlateDesk readings={self.readings} forged={self.forged}>"

    def prove(self, camera_id: str, said: str, body: bytes) -> Camera:
        """The camera that has sent a message. Raises Unauthenticated, the same for one that there is not and for a wrong signature."""
        code = camera_id.removeprefix(PREFIX)
        known = camera_id.startswith(PREFIX) and is_code(code)
        camera = self._runtime.state.parking.cameras.get(code) if known else None
        live = camera is not None and camera.is_live
        version = camera.key_version if camera is not None and live else 0
        wanted = signature(self._hub.secrets.camera_secret(code if known else "", version), camera_id, body)
        right = hmac.compare_digest(wanted.encode(), said.encode("utf-8", "replace"))
        if camera is None or not live or not right:
            self.forged += 1
            raise Unauthenticated(_WRONG)
        return camera

    def take(self, camera: Camera, reading: Reading) -> Answered:
        """Decide on a reading, or answer it as before; what is answered may be told once its `seq` is durable.

        Raises Conflict: the camera's clock is wrong, the reading is older than another one, the gate is not connected. Raises
        what `Runtime.submit` does.
        """
        self.readings += 1
        known = known_reading(camera, reading.at_us, reading.digest)
        if known is not None:
            reason = DecisionReason(known.reason) if known.reason else None
            return Answered(known.seq, reason, known.space, repeated=True)
        if abs(reading.at_us - self._clock.now_us()) > FRESH_S * SECOND_US:
            raise Conflict(f"The reading is more than {FRESH_S} s away from the server's time.")
        unsure = reading.confidence_bps < camera.confidence_min_bps
        latest = self._latest.get(camera.camera_id)
        if latest is not None and self._is_the_same(latest, reading, unsure=unsure):
            latest.heard_us = max(latest.heard_us, reading.at_us)
            seq, reason, space = latest.answered.seq, latest.answered.reason, latest.answered.space
            return Answered(seq, reason, space, repeated=True)
        if reading.at_us <= max(camera.heard_us, latest.heard_us if latest is not None else 0):
            raise Conflict("The camera has sent a later reading already.")
        if not unsure and not self._hub.can_open(camera.gate_id):
            raise Conflict("The gate is not connected.")
        answered = self._submit(camera, reading)
        again_s = self._hub.now_s() + _again_s(answered)
        self._latest[camera.camera_id] = Latest(reading.plate, answered, again_s, reading.at_us)
        return answered

    def _is_the_same(self, latest: Latest, reading: Reading, *, unsure: bool) -> bool:
        """Whether a reading is of the vehicle that was asked for a moment ago. What a camera is not sure of says it each time otherwise."""
        if self._hub.now_s() >= latest.again_s:
            return False
        was_unsure = latest.answered.reason is None
        return unsure if was_unsure else reading.plate == latest.plate

    def _submit(self, camera: Camera, reading: Reading) -> Answered:
        text, sure = reading.plate, reading.confidence_bps
        command = ReadPlate(camera.camera_id, reading.at_us, reading.digest, text, sure)
        applied = self._runtime.submit(command, _ENVELOPE)
        if applied.refused is not None:
            raise Unauthenticated(_WRONG)  # it was revoked by a command that fell due in between
        (read,) = [event for event in applied.events if type(event) is PlateRead]
        reason = DecisionReason(read.reason) if read.reason else None
        desk = self._hub.desk
        if reason is not None:
            desk.opened += reason in OPENS
            desk.refused += reason not in OPENS
        return Answered(applied.seq, reason, read.space)


def _again_s(answered: Answered) -> float:
    if answered.reason is None:
        return UNSURE_AGAIN_S
    if answered.opens:
        return OPEN_AGAIN_S
    return BUSY_AGAIN_S if answered.reason is DecisionReason.LANE_BUSY else REFUSED_AGAIN_S
