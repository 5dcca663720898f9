"""What happens at gates: decisions, passages, findings, orders of operators. Each is a row of the access log."""

from __future__ import annotations

from engine.event_base import Event
from engine.parking.gate_kinds import CredentialKind, GateOrder, Way
from engine.parking.kinds import DecisionReason, FindingKind


class GateDecided(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A scan was answered; `reason` says whether the gate opens (access.OPENS). `space` '' where there is nothing to say."""

    gate_id: str
    n: int
    lane: int
    reason: DecisionReason
    credential: CredentialKind
    text: str
    vehicle_id: int
    right_id: int
    space: str
    at_us: int


class GatePassed(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A vehicle went through as was decided by scan `n` (0: by the gate itself, or by an operator)."""

    gate_id: str
    n: int
    lane: int
    way: Way
    credential: CredentialKind
    text: str
    vehicle_id: int
    passed_us: int
    offline: bool


class GateFound(Event, frozen=True, gc=False, array_like=True, tag=True):
    """Something for an operator to look at. It undoes nothing."""

    gate_id: str
    lane: int
    kind: FindingKind
    reason: DecisionReason
    credential: CredentialKind
    text: str
    vehicle_id: int
    at_us: int


class LineAcknowledged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A report of a gate was taken, with so many findings."""

    gate_id: str
    n: int
    findings: int


class GateOperated(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An operator's word to a gate, by the server's counter `n`; by `operator_id` 0 it is a camera's, whose id is the `reason`."""

    gate_id: str
    n: int
    order: GateOrder
    lane: int
    locked: bool
    operator_id: int
    reason: str


class GateKeyRenewed(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A gate has a new secret: this version."""

    gate_id: str
    version: int
    operator_id: int


class GateLinkChanged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A gate is connected from now on, or is not; `why` it was cut off."""

    gate_id: str
    connected: bool
    why: str


GatesEvent = (
    GateDecided | GatePassed | GateFound | LineAcknowledged | GateOperated | GateKeyRenewed | GateLinkChanged
)
