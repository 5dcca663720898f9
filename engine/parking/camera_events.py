"""What happens to cameras. What comes of a reading at the gate is told by the gate's events."""

from __future__ import annotations

from engine.event_base import Event
from engine.parking.camera_records import Camera


class CameraSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A camera was made or changed, has a new secret, or was revoked."""

    camera: Camera


class PlateRead(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A reading was answered: decided for a `reason`, or 0 where the camera was not sure enough."""

    camera_id: str
    at_us: int
    confidence_bps: int
    reason: int
    space: str


CamerasEvent = CameraSet | PlateRead
