"""The closed vocabularies of gates: what somebody passes with, which way, what operators command. Source: docs/gates.md.

The numbers stand in the journal and in the tables: new members get new numbers.
"""

from __future__ import annotations

from enum import IntEnum


class CredentialKind(IntEnum):
    """What somebody wants to pass with."""

    TAG = 1
    PLATE = 2
    CODE = 3  # printed, of a ticket
    BOOKING = (
        4  # the signed code of a booking, shown as QR; its text is the booking's number, '' for a forged one
    )


class Way(IntEnum):
    """Which way a vehicle went."""

    ENTRY = 1
    EXIT = 2


class GateOrder(IntEnum):
    """What an operator commands."""

    OPEN = 1  # once
    LOCK = 2  # keep shut until UNLOCK
    UNLOCK = 3
    SYNC = 4  # send what happened while cut off
