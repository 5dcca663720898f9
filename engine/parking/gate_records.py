"""What the engine remembers of gates: counters and answered lines, and what each lane was last opened for. Immutable."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import DecisionReason
from engine.units import SECOND_US

LINES_KEPT: Final = 64
"""So many of a gate's last lines are answered again, as before and with no effect (API.md, "Gate controllers")."""

LANE_BUSY_US: Final = 30 * SECOND_US
"""So long a lane waits for the vehicle that it was opened for."""


class GateState(Struct, frozen=True, gc=False, array_like=True):
    """A gate's counters. `n` is the highest of its own, `lines` how many were answered, `command_n` the server's.

    `key_version` counts the secrets it was given; 0: none yet, so it cannot connect. `connected` is what the server said last.
    """

    gate_id: str
    key_version: int = 0
    n: int = 0
    lines: int = 0
    command_n: int = 0
    locked: bool = False
    connected: bool = False


class GateLine(Struct, frozen=True, gc=False, array_like=True):
    """One of a gate's last lines and what it was answered: a decision by its `reason`, or 0 for an acknowledgement.

    `seq` is the record that made it so.
    """

    gate_id: str
    n: int
    digest: bytes
    seq: int
    reason: int
    space: str
    findings: int


class Lane(Struct, frozen=True, gc=False, array_like=True):
    """What a lane was last opened for, by the scan `n`; `busy` until somebody passed, nobody did, or the time is over.

    `who` is what a visit is known by (engine/parking/visits.py), `right_id` the booking, pass or ticket that lets in.
    """

    gate_id: str
    lane: int
    n: int
    reason: DecisionReason
    credential: CredentialKind
    text: str
    vehicle_id: int
    who: str
    right_id: int
    space: str
    decided_us: int
    busy: bool = True


class Visit(Struct, frozen=True, gc=False, array_like=True):
    """Somebody is inside: by plate, or by the code of a ticket. `space` is where the gate has sent them, '' if it has not."""

    who: str
    lot: str
    gate_id: str
    vehicle_id: int
    reason: DecisionReason
    right_id: int
    begun_us: int
    space: str = ""
