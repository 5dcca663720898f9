"""A car park with its gates at work, as a table of words: scans, passages, and what gates are answered."""

from __future__ import annotations

from msgspec.structs import replace

from engine.apply import Applied
from engine.kinds import Source
from engine.parking.commands import AttachTag
from engine.parking.gate_commands import OfflinePassage, RenewGateKey, ReportPassage, ScanTag, SyncOffline
from engine.parking.gate_events import GateDecided, GateFound
from engine.parking.gate_kinds import CredentialKind, Way
from engine.parking.kinds import SpaceType
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_records import Tariff
from engine.parking.zones import UTC
from tests.engine.parking.parking_world import EPC, LOT, ParkingWorld
from tests.engine.world import of_kind

TAG = CredentialKind.TAG
IN, OUT = "P1-in", "P1-out"


class GateWorld(ParkingWorld):
    """Driver ann with vehicle KERB1 and its tag; two gates that have their secrets."""

    def __init__(self) -> None:
        super().__init__()
        self.operator(SetZone(replace(UTC, name=LOT.time_zone)))
        rates = ((SpaceType.STANDARD, 5_000),)
        self.operator(SetTariff(Tariff(name="STD", currency="USD", unit_minutes=30, rates=rates)))
        self.operator(replace(LOT, tariff="STD"))
        self.open("ann", cash="100")
        self.ann = self.vehicle("ann", "KERB1")
        self.do(AttachTag(EPC, self.ann), "ann")
        self.counters = {IN: 0, OUT: 0}
        for gate in self.counters:
            self.operator(RenewGateKey(gate))

    def next_n(self, gate: str) -> int:
        """The gate's next counter."""
        self.counters[gate] = self.counters.get(gate, 0) + 1
        return self.counters[gate]

    def scan_line(
        self, gate: str, n: int, text: str, *, lane: int = 1, kind: CredentialKind = TAG, digest: bytes = b"d"
    ) -> Applied:
        """A scan with any counter and digest."""
        return self.do(ScanTag(gate, n, digest, lane, self.now_us, kind, text), source=Source.GATE)

    def scan(self, gate: str, text: str = EPC, *, lane: int = 1, kind: CredentialKind = TAG) -> str:
        """The reason that a scan is answered with."""
        applied = self.scan_line(gate, self.next_n(gate), text, lane=lane, kind=kind)
        (decided,) = of_kind(applied, GateDecided)
        return decided.reason.name

    def passed(self, gate: str, *, lane: int = 1, at_us: int | None = None) -> list[str]:
        """A vehicle passed; the findings."""
        return self._report(gate, lane, at_us, passed=True)

    def not_passed(self, gate: str, *, lane: int = 1) -> list[str]:
        """Nobody passed; the findings."""
        return self._report(gate, lane, None, passed=False)

    def _report(self, gate: str, lane: int, at_us: int | None, *, passed: bool) -> list[str]:
        at_us = self.now_us if at_us is None else at_us
        report = ReportPassage(gate, self.next_n(gate), b"d", lane, at_us, passed)
        return findings(self.do(report, source=Source.GATE))

    def offline(self, gate: str, *passages: tuple[int, Way, str]) -> list[str]:
        """What a gate did alone: (time, way, tag) each; the findings."""
        done = tuple([OfflinePassage(1, at_us, way, TAG, text) for at_us, way, text in passages])
        return findings(self.do(SyncOffline(gate, self.next_n(gate), b"d", done), source=Source.GATE))

    def inside(self) -> list[str]:
        """Who is inside."""
        return sorted(self.parking.stay_of_who)

    def begun_us(self, who: str) -> int:
        """When somebody's stay began."""
        return self.parking.stays[self.parking.stay_of_who[who]].begin_us


def findings(applied: Applied) -> list[str]:
    """The findings of a command, by kind."""
    return [found.kind.name for found in of_kind(applied, GateFound)]
