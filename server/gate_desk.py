"""A gate's lines become commands, and what came of them becomes its answer, once that is durable.

A line that was answered before is answered again from the engine's memory; one that cannot be is the end of its connection.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.access import OPENS
from engine.parking.gate_commands import OfflinePassage, ReportPassage, ScanTag, SyncOffline
from engine.parking.gate_events import GateDecided, LineAcknowledged
from engine.parking.gate_kinds import CredentialKind, Way
from engine.parking.gates import known_line
from engine.parking.kinds import DecisionReason
from engine.units import TIME_MAX_US
from server.booking_codes import is_meant_as_code
from server.errors import KerbError
from server.gate_messages import (
    Ack,
    Decision,
    NotPassed,
    OfflineEvent,
    OfflineEvents,
    Passed,
    Scan,
    credential_of,
    epoch_us,
)
from server.gate_protocol import Fault, ProtocolError, line_digest
from server.gate_texts import TEXTS
from server.metrics import Durations

if TYPE_CHECKING:
    from datetime import datetime

    from engine.parking.gate_records import GateLine
    from server.booking_codes import BookingCodes
    from server.clock import Stopwatch
    from server.gate_link import GateLink
    from server.journal_errors import JournalFailed
    from server.runtime import Runtime

_ENVELOPE: Final = Envelope(Source.GATE)

Report = Scan | Passed | NotPassed | OfflineEvents


class GateDesk:
    """Takes the lines of gates that have proved themselves. `decisions` is how long scans waited for their answer."""

    def __init__(self, runtime: Runtime, watch: Stopwatch, codes: BookingCodes) -> None:
        self._runtime = runtime
        self._watch = watch
        self._codes = codes
        self.decisions = Durations()
        self.opened = 0
        self.refused = 0

    def take(self, link: GateLink, message: Report, body: bytes) -> None:
        """Carry a line out, or answer it as before. Raises ProtocolError."""
        digest = line_digest(body)
        began_us = self._watch.elapsed_us()
        if message.n <= link.n:
            known = known_line(self._runtime.state.parking, link.gate, message.n, digest)
            if known is None:
                raise ProtocolError(Fault.WRONG_COUNTER)
            self._answer_later(link, known.seq, _answer_again(known), began_us)
            return
        command = self._command(link.gate, message, digest)
        try:
            applied = self._runtime.submit(command, _ENVELOPE)
        except KerbError as error:
            raise ProtocolError(Fault.UNAVAILABLE) from error
        if applied.refused is not None:
            raise ProtocolError(Fault.WRONG_COUNTER)
        link.n = message.n
        for event in applied.answer:
            if type(event) is GateDecided:
                self._answer_later(link, applied.seq, _decision(event.n, event.reason, event.space), began_us)
            elif type(event) is LineAcknowledged:
                self._answer_later(link, applied.seq, Ack(event.n, event.findings), began_us)

    def _command(self, gate: str, message: Report, digest: bytes) -> ScanTag | ReportPassage | SyncOffline:
        if type(message) is Scan:
            kind, text, until_us = self._credential(message)
            return ScanTag(gate, message.n, digest, message.lane, _time_us(message.at), kind, text, until_us)
        if type(message) is OfflineEvents:
            passages = [
                OfflinePassage(each.lane, _time_us(each.at), Way[each.way], *self._credential(each)[:2])
                for each in message.events
            ]
            return SyncOffline(gate, message.n, digest, tuple(passages))
        assert isinstance(message, Passed | NotPassed)
        passed = type(message) is Passed
        return ReportPassage(gate, message.n, digest, message.lane, _time_us(message.at), passed)

    def _credential(self, given: Scan | OfflineEvent) -> tuple[CredentialKind, str, int]:
        """What somebody wants to pass with; of a booking's code its number, '' if it is forged, and when the code ends."""
        kind, text = credential_of(given)
        if kind is not CredentialKind.CODE or not is_meant_as_code(text):
            return kind, text, 0
        read = self._codes.read(text)
        return (
            (CredentialKind.BOOKING, "", 0)
            if read is None
            else (CredentialKind.BOOKING, str(read[0]), read[1])
        )

    def _answer_later(self, link: GateLink, seq: int, answer: Decision | Ack, began_us: int) -> None:
        link.wait_for_answer()
        self._runtime.call_when_durable(seq, partial(self._answer, link, answer, began_us))

    def _answer(
        self, link: GateLink, answer: Decision | Ack, began_us: int, failure: JournalFailed | None
    ) -> None:
        link.answered(answer if failure is None else None)
        if type(answer) is Decision:
            self.decisions.took((self._watch.elapsed_us() - began_us) / 1_000_000)
            self.opened += answer.open
            self.refused += not answer.open


def _time_us(time: datetime) -> int:
    """A gate's time; raises ProtocolError for one that no clock shows."""
    time_us = epoch_us(time)
    if not 0 <= time_us < TIME_MAX_US:
        raise ProtocolError(Fault.BAD_LINE)
    return time_us


def _decision(n: int, reason: DecisionReason, space: str) -> Decision:
    return Decision(n, reason in OPENS, reason.name, space, TEXTS[reason])


def _answer_again(known: GateLine) -> Decision | Ack:
    if known.reason:
        return _decision(known.n, DecisionReason(known.reason), known.space)
    return Ack(known.n, known.findings)
