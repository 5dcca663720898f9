"""The closed vocabularies of gates: what somebody passes with, what operators command. Source: docs/gates.md."""

from __future__ import annotations

from enum import IntEnum


class CredentialKind(IntEnum):
    """What somebody wants to pass with."""

    TAG = 1
    PLATE = 2
    CODE = 3  # printed, or shown as QR
