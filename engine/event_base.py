"""The base of all events, apart from them, so that they can stand in several files."""

from __future__ import annotations

from msgspec import Struct


class Event(Struct, frozen=True, gc=False, array_like=True, tag=True):
    """The base of all events; the tag is the class name."""
