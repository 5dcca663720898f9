"""What gates report and what operators ask of gates. `digest` is that of the line (server/gate_protocol.py)."""

from __future__ import annotations

from msgspec import Struct

from engine.command_base import Command
from engine.parking.gate_kinds import CredentialKind, GateOrder, Way


class ScanTag(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Somebody wants to pass, with a tag, a plate or a code; `text` '' is one that has not the form of any.

    `at_us` is the gate's own time: kept, and nothing is decided by it. `good_until_us` is when the code of a booking ends.
    """

    gate_id: str
    n: int
    digest: bytes
    lane: int
    at_us: int
    credential: CredentialKind
    text: str
    good_until_us: int = 0


class ReportPassage(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A vehicle went through a lane (`passed`), or the lane was opened and nobody did."""

    gate_id: str
    n: int
    digest: bytes
    lane: int
    at_us: int
    passed: bool


class OfflinePassage(Struct, frozen=True, gc=False, array_like=True):
    """A vehicle that a gate let through by its allow-list, while it was cut off."""

    lane: int
    at_us: int
    way: Way
    credential: CredentialKind
    text: str


class SyncOffline(Command, frozen=True, gc=False, array_like=True, tag=True):
    """What a gate did while it was cut off."""

    gate_id: str
    n: int
    digest: bytes
    passages: tuple[OfflinePassage, ...]


class OperateGate(Command, frozen=True, gc=False, array_like=True, tag=True):
    """An operator's word to a gate: who is in the envelope, `reason` is why. `lane` 0 is every lane."""

    gate_id: str
    order: GateOrder
    lane: int
    reason: str


class RenewGateKey(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Give a gate a new secret: the next version. The one before ends. The secret itself is the server's to make."""

    gate_id: str


class NoteGateLink(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A gate has proved itself and is connected, or its connection is gone; `why` is a word for operators, '' for nothing wrong."""

    gate_id: str
    connected: bool
    why: str = ""


GatesCommand = ScanTag | ReportPassage | SyncOffline | OperateGate | RenewGateKey | NoteGateLink
