"""What a gate did alone, reconciled: each passage as if it had been decided at its time. Source: docs/parking.md, "Gates".

Nothing that happened is undone: what does not fit what is known is a finding for an operator, and the stay is made or ended
as far as it can be.
"""

from __future__ import annotations

from typing import Final

from engine.commands import Envelope
from engine.events import Refused
from engine.parking.access import OPENS, Subject, judge, subject_of
from engine.parking.gate_commands import OfflinePassage, SyncOffline
from engine.parking.gate_events import GateFound, GatePassed
from engine.parking.gate_kinds import Way
from engine.parking.gate_records import Visit
from engine.parking.gates import answer_line, gate_for_line
from engine.parking.kinds import DecisionReason, FindingKind
from engine.parking.records import Gate
from engine.parking.visits import go_in, go_out
from engine.turn import Turn
from engine.units import DAY_US, MINUTE_US, TIME_MAX_US

OLD_US: Final = 7 * DAY_US
AHEAD_US: Final = MINUTE_US
"""A passage that is older, or so far to come, has a time that is not believed: a clock that was set wrong charges nobody."""


def sync_offline(turn: Turn, envelope: Envelope, command: SyncOffline) -> Refused | None:
    """Reconcile what a gate did while it was cut off, in the order of its times."""
    state = gate_for_line(turn, command.gate_id, command.n)
    if isinstance(state, Refused):
        return state
    gate = turn.state.parking.gates[command.gate_id]
    ordered = sorted(enumerate(command.passages), key=lambda each: (each[1].at_us, each[0]))
    findings = sum([not reconcile(turn, gate, passage) for _, passage in ordered])
    answer_line(turn, state, command.n, command.digest, None, findings)
    return None


def reconcile(turn: Turn, gate: Gate, passage: OfflinePassage) -> bool:
    """One passage. False when it does not fit what is known, or its time cannot be."""
    believed = turn.now_us - OLD_US <= passage.at_us <= turn.now_us + AHEAD_US
    at_us = min(passage.at_us, turn.now_us) if believed else turn.now_us
    subject = subject_of(turn.state.parking, passage.credential, passage.text)
    vehicle_id, reason, fits = 0, DecisionReason.NO_STAY, False
    if isinstance(subject, Subject):
        vehicle_id = 0 if subject.vehicle is None else subject.vehicle.vehicle_id
        verdict = judge(turn.state, gate, subject, at_us, TIME_MAX_US)
        reason = verdict.reason
        if passage.way is Way.EXIT:
            fits = go_out(turn, gate.lot, subject.who, at_us)
        else:
            visit = Visit(*(subject.who, gate.lot, gate.gate_id, vehicle_id, reason, verdict.right_id, at_us))
            fits = go_in(turn, visit) and reason in OPENS
    else:
        reason = subject
    turn.events.append(
        GatePassed(
            *(gate.gate_id, 0, passage.lane, passage.way, passage.credential, passage.text),
            *(vehicle_id, at_us, True),
        )
    )
    findings = [FindingKind.OFFLINE_CONFLICT] * (not fits) + [FindingKind.WRONG_CLOCK] * (not believed)
    for kind in findings:
        turn.events.append(
            GateFound(
                *(gate.gate_id, passage.lane, kind, reason),
                *(passage.credential, passage.text, vehicle_id, at_us),
            )
        )
    return not findings
