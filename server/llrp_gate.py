"""A plain RFID reader as a gate: the many reports of one tag become one scan, and what the scan opens is an output.

A reader sees a tag some times a second for as long as it is near. All that is one scan, until the tag has not been seen for
`hold_s`. A reader cannot tell who passed: who was let through and is seen no more has passed, when it was seen last.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.access import OPENS
from engine.parking.gate_commands import ReportPassage, ScanTag
from engine.parking.gate_events import GateDecided
from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import DecisionReason
from engine.parking.vehicles import is_epc
from engine.units import TIME_MAX_US
from server.errors import KerbError
from server.gate_messages import LANE_MAX

if TYPE_CHECKING:
    from config.reader_settings import ReaderSettings
    from engine.commands import AnyCommand
    from server.gate_hub import GateHub
    from server.journal_errors import JournalFailed
    from server.llrp_codec import TagReport
    from server.runtime import Runtime

logger = logging.getLogger("kerb.gates")

TAGS_MAX: Final = 1_024
"""Tags near one reader; more are not looked at until some have gone."""

SCANS_A_SECOND_MAX: Final = 20
"""Of one reader. A lane passes a vehicle in some seconds; more is somebody who makes tags up."""

BUSY_AGAIN_S: Final = 2.0
OPEN_AGAIN_S: Final = 31.0
"""A tag that was let through and is still there: its opening ended after 30 s, it is opened for again."""
REFUSED_AGAIN_S: Final = 15.0
"""A driver who was refused and stays may have booked or paid meanwhile."""
FAILED_AGAIN_S: Final = 1.0

_ENVELOPE: Final = Envelope(Source.GATE)


class Sighting:
    """A tag that is near. `opened`: it was let through, durably, and the output was switched."""

    __slots__ = ("again_s", "epc", "lane", "last_s", "last_us", "n", "opened")

    def __init__(self, epc: str, lane: int) -> None:
        self.epc = epc
        self.lane = lane
        self.last_s = 0.0
        self.last_us = 0
        self.again_s = -math.inf
        self.n = 0
        self.opened = False

    def __repr__(self) -> str:
        return f"<Sighting {self.epc} lane={self.lane} n={self.n} opened={self.opened}>"


class ReaderGate:
    """One reader's gate. `open_output` switches the barrier on, where there is one; set while the reader is connected."""

    def __init__(self, runtime: Runtime, hub: GateHub, settings: ReaderSettings) -> None:
        self.settings = settings
        self.code = settings.gate.removeprefix("gat_")
        self.open_output: Callable[[], None] | None = None
        self._runtime = runtime
        self._hub = hub
        self._near: dict[str, Sighting] = {}
        self._second = 0
        self._scans = 0
        self._complained = ""

    def __repr__(self) -> str:
        return f"<ReaderGate {self.code} near={len(self._near)}>"

    def ready(self, open_output: Callable[[], None]) -> None:
        """The reader does what it was told. `open_output` switches the barrier on."""
        self.open_output = open_output
        self._hub.on_open[self.code] = self.open
        self._note(True, "")

    def lost(self, why: str) -> None:
        """The reader is not connected any more."""
        if self.open_output is not None:
            self.open_output = None
            self._hub.on_open.pop(self.code, None)
            self._note(False, why)

    def _note(self, connected: bool, why: str) -> None:
        if self.code not in self._hub.links:  # a controller speaks for the gate
            self._hub.note_link(self.code, connected, why)

    def open(self) -> None:
        """Open the barrier, if there is one and the reader is connected: never later."""
        if self.open_output is not None:
            self.open_output()

    def seen(self, report: TagReport) -> None:
        """The reader has seen a tag. What is no tag of a vehicle, or too weak, is nothing."""
        weak = report.rssi_dbm is not None and report.rssi_dbm < self.settings.rssi_min_dbm
        lane = self.settings.lane or report.antenna or 1
        if weak or lane > LANE_MAX or not is_epc(report.epc):
            return
        now_s = self._hub.now_s()
        near = self._near.get(report.epc)
        if near is None:
            if len(self._near) >= TAGS_MAX:
                return
            near = self._near[report.epc] = Sighting(report.epc, lane)
        near.last_s, near.last_us = now_s, self._runtime.now_us()
        if now_s >= near.again_s and self._may_scan(now_s):
            self._scan(near, report.seen_us if 0 < report.seen_us < TIME_MAX_US else near.last_us)

    def tick(self) -> None:
        """Ten times a second: tags that have gone."""
        gone_s = self._hub.now_s() - self.settings.hold_s
        for near in [near for near in self._near.values() if near.last_s <= gone_s]:
            if not near.opened or self._passed(near):
                del self._near[near.epc]

    def _may_scan(self, now_s: float) -> bool:
        if int(now_s) != self._second:
            self._second, self._scans = int(now_s), 0
        self._scans += 1
        return self._scans <= SCANS_A_SECOND_MAX

    def _scan(self, near: Sighting, at_us: int) -> None:
        near.again_s = near.last_s + FAILED_AGAIN_S
        n = self._next_n()
        if n is None:
            return
        tag = (CredentialKind.TAG, near.epc)
        command = ScanTag(self.code, n, _digest("scan", n, near), near.lane, at_us, *tag)
        began_s = self._hub.now_s()
        applied = self._submit(command)
        if applied is None:
            return
        seq, reason = applied
        assert reason is not None, "a scan is decided"
        near.n, near.opened = n, False
        near.again_s = near.last_s + _again_s(reason)
        self._runtime.call_when_durable(seq, partial(self._decided, near, n, reason, began_s))

    def _decided(
        self, near: Sighting, n: int, reason: DecisionReason, began_s: float, failure: JournalFailed | None
    ) -> None:
        if failure is not None:
            return
        desk = self._hub.desk
        desk.decisions.took(self._hub.now_s() - began_s)
        desk.opened += reason in OPENS
        desk.refused += reason not in OPENS
        if reason in OPENS and near.n == n and self.open_output is not None:
            near.opened = True
            self.open_output()

    def _passed(self, near: Sighting) -> bool:
        """Tell that a vehicle went through; False where it has to be told later."""
        n = self._next_n()
        if n is None:
            return True
        digest = _digest("passed", n, near)
        return self._submit(ReportPassage(self.code, n, digest, near.lane, near.last_us, True)) is not None

    def _next_n(self) -> int | None:
        """The gate's next counter; None where this reader cannot speak for the gate."""
        parking = self._runtime.state.parking
        state = parking.gate_states.get(self.code)
        if self.code not in parking.gates:
            self._complain("there is no such gate")
        elif state is None or not state.key_version:
            self._complain("the gate has no secret yet: give it one, nobody needs to know it")
        elif self.code in self._hub.links:
            self._complain("a gate controller is connected as this gate")
        else:
            return state.n + 1
        return None

    def _submit(self, command: AnyCommand) -> tuple[int, DecisionReason | None] | None:
        """Carry it out: its number, and what was decided if it is a scan. None where it was not taken."""
        try:
            applied = self._runtime.submit(command, _ENVELOPE)
        except KerbError as error:
            self._complain(str(error))
            return None
        if applied.refused is not None:
            self._complain(applied.refused.refusal.name)
            return None
        self._complained = ""
        decided = [event.reason for event in applied.answer if type(event) is GateDecided]
        return applied.seq, decided[0] if decided else None

    def _complain(self, why: str) -> None:
        """Log why nobody is scanned: once, until it is another reason."""
        if why != self._complained:
            self._complained = why
            logger.warning("reader of %s: %s", self.settings.gate, why)


def _again_s(reason: DecisionReason) -> float:
    if reason in OPENS:
        return OPEN_AGAIN_S
    return BUSY_AGAIN_S if reason is DecisionReason.LANE_BUSY else REFUSED_AGAIN_S


def _digest(what: str, n: int, near: Sighting) -> bytes:
    """What the engine knows the line again by. Nobody repeats a reader's, but each has one."""
    return sha256(f"llrp {what} {n} {near.lane} {near.epc}".encode()).digest()[:16]
