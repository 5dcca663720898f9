"""What operators ask of cameras, and what cameras read. `digest` is that of the message (server/plate_desk.py)."""

from __future__ import annotations

from engine.command_base import Command


class SetCamera(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Make or change a camera. It keeps its secret; a new one has none yet."""

    camera_id: str
    gate_id: str
    lane: int
    name: str
    confidence_min_bps: int


class RenewCameraKey(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Give a camera a new secret: the next version. The one before ends; a revoked camera is good again."""

    camera_id: str


class RevokeCamera(Command, frozen=True, gc=False, array_like=True, tag=True):
    """End a camera's secret."""

    camera_id: str


class ReadPlate(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A camera has read a plate, so sure of it; `text` '' is one that no plate has. Its times are in order: `at_us` is its counter."""

    camera_id: str
    at_us: int
    digest: bytes
    text: str
    confidence_bps: int


CamerasCommand = SetCamera | RenewCameraKey | RevokeCamera | ReadPlate
