"""The base of all commands, apart from them, so that they can stand in several files."""

from __future__ import annotations

from msgspec import Struct


class Command(Struct, frozen=True, gc=False, array_like=True, tag=True):
    """The base of all commands; the tag is the class name."""
