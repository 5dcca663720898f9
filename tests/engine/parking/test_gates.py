"""Gates: counters and repeated lines, busy lanes, passages, what was done offline, operators' orders."""

from __future__ import annotations

import pytest

from engine.kinds import Source, TimerKind
from engine.parking.commands import BlockPlate, BlockTag, RevokeTag, SetGate, SetLot
from engine.parking.gate_commands import NoteGateLink, OperateGate, RenewGateKey, ReportPassage
from engine.parking.gate_events import (
    GateDecided,
    GateFound,
    GateLinkChanged,
    GateOperated,
    GatePassed,
    LineAcknowledged,
)
from engine.parking.gate_kinds import CredentialKind, GateOrder, Way
from engine.parking.gate_records import LANE_BUSY_US, LINES_KEPT
from engine.parking.gates import known_line
from engine.parking.kinds import Direction, LotStatus
from engine.parking.records import LotRules
from engine.units import DAY_US, SECOND_US
from tests.engine.parking.gate_world import IN, OUT, GateWorld
from tests.engine.parking.parking_world import EPC, OTHER_EPC
from tests.engine.world import of_kind, refusal


def test_a_known_tag_goes_in_and_out() -> None:
    world = GateWorld()
    assert (world.scan(IN), world.inside()) == ("WALLET", [])
    assert (world.passed(IN), world.inside()) == ([], ["KERB1"])
    assert (world.scan(OUT)[:5], world.inside()) == ("EXIT_", ["KERB1"])
    assert (world.passed(OUT), world.inside()) == ([], [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "MALFORMED_TAG"),
        ("E28", "MALFORMED_TAG"),
        ("e28011600000000000000001", "MALFORMED_TAG"),
        ("'; DROP TABLE tags; --", "MALFORMED_TAG"),
        ("\x00\x00\x00\x00\x00\x00\x00\x00", "MALFORMED_TAG"),
        (OTHER_EPC, "UNKNOWN_TAG"),
    ],
)
def test_a_tag_that_nobody_has_opens_nothing(text: str, reason: str) -> None:
    world = GateWorld()
    assert world.scan(IN, text) == reason
    assert not world.parking.lanes


def test_a_revoked_tag_opens_nothing_from_then_on() -> None:
    world = GateWorld()
    world.do(RevokeTag(EPC, "lost"), "ann")
    assert world.scan(IN) == "TAG_REVOKED"


@pytest.mark.parametrize(
    "block", [BlockTag(EPC, on=True, reason="x"), BlockPlate("KERB1", on=True, reason="x")]
)
def test_a_blocked_vehicle_is_not_let_in(block: BlockTag | BlockPlate) -> None:
    world = GateWorld()
    world.operator(block)
    assert world.scan(IN) == "BLOCKED"


def test_one_vehicle_is_inside_once() -> None:
    world = GateWorld()
    world.scan(IN)
    world.passed(IN)
    assert world.scan(IN) == "ALREADY_INSIDE"


def test_a_vehicle_that_is_not_inside_does_not_leave() -> None:
    assert GateWorld().scan(OUT) == "NO_STAY"


def test_a_gate_for_both_directions_lets_in_and_then_out() -> None:
    world = GateWorld()
    world.operator(SetGate("both", "P1", "Both", Direction.BOTH))
    world.operator(RenewGateKey("both"))
    assert world.scan("both") == "WALLET"
    world.passed("both")
    assert world.scan("both").startswith("EXIT")


def test_a_closed_lot_lets_out_and_not_in() -> None:
    world = GateWorld()
    world.scan(IN)
    world.passed(IN)
    closed = SetLot("P1", "Old Harbour", "", "Europe/Berlin", "USD", "std", LotStatus.CLOSED, LotRules())
    world.operator(closed)
    assert world.scan(OUT).startswith("EXIT")
    world.passed(OUT)
    assert world.scan(IN) == "LOT_CLOSED"


def test_a_vehicle_that_is_too_high_stays_out() -> None:
    world = GateWorld()
    world.open("bob")
    van = world.vehicle("bob", "VAN1", height_cm=211)
    assert van
    assert world.scan(IN, "VAN1", kind=CredentialKind.PLATE) == "TOO_HIGH"


def test_a_lane_that_the_gate_does_not_have_opens_for_nobody() -> None:
    assert GateWorld().scan(IN, lane=2) == "WRONG_DIRECTION"


# -- the lane


def test_a_busy_lane_waits_for_its_vehicle_and_answers_the_same_tag_the_same() -> None:
    world = GateWorld()
    world.open("bob")
    world.vehicle("bob", "BOB1")
    assert world.scan(IN) == "WALLET"
    assert world.scan(IN, "BOB1", kind=CredentialKind.PLATE) == "LANE_BUSY"
    assert world.scan(IN) == "WALLET"
    assert world.passed(IN) == []
    assert world.scan(IN, "BOB1", kind=CredentialKind.PLATE) == "WALLET"
    assert world.inside() == ["KERB1"]


def test_not_passed_takes_the_decision_back() -> None:
    world = GateWorld()
    world.scan(IN)
    assert world.not_passed(IN) == ["NOT_PASSED"]
    assert world.scan(IN) == "WALLET"
    assert world.inside() == []


def test_after_thirty_seconds_the_decision_is_taken_back() -> None:
    world = GateWorld()
    world.scan(IN)
    assert world.advance(world.now_us + LANE_BUSY_US - 1) == []
    (found,) = world.advance(world.now_us + 1)
    assert isinstance(found, GateFound)
    assert found.kind.name == "NOT_PASSED"
    assert not world.parking.lanes[IN, 1].busy
    assert world.scan(IN) == "WALLET"


def test_a_late_line_about_a_vehicle_that_passed_in_time_still_counts() -> None:
    world = GateWorld()
    world.scan(IN)
    in_time_us = world.now_us + 5 * SECOND_US
    world.advance(world.now_us + 2 * LANE_BUSY_US)
    assert world.passed(IN, at_us=in_time_us) == []
    assert world.inside() == ["KERB1"]


def test_a_vehicle_that_passes_after_the_time_is_tailgating() -> None:
    world = GateWorld()
    world.scan(IN)
    world.advance(world.now_us + 2 * LANE_BUSY_US)
    assert world.passed(IN) == ["TAILGATING"]
    assert world.inside() == []


def test_who_passes_without_a_decision_is_tailgating_and_has_no_stay() -> None:
    world = GateWorld()
    assert world.passed(IN) == ["TAILGATING"]
    assert world.inside() == []
    world.scan(IN)
    assert world.passed(IN) == []
    assert world.passed(IN) == ["TAILGATING"]


# -- counters


def test_a_counter_goes_up_and_never_back() -> None:
    world = GateWorld()
    assert world.scan_line(IN, 5, EPC).refused is None
    for n in (5, 4, 1):
        assert refusal(world.scan_line(IN, n, EPC, digest=b"other")) == "GATE_COUNTER_USED"
        report = ReportPassage(IN, n, b"other", 1, world.now_us, True)
        assert refusal(world.do(report)) == "GATE_COUNTER_USED"
    assert world.scan_line(IN, 6, EPC).refused is None


def test_the_last_64_lines_are_known_and_no_other() -> None:
    world = GateWorld()
    for n in range(2, 2 * LINES_KEPT + 10, 2):
        world.scan_line(IN, n, OTHER_EPC, digest=bytes([n]))
    last = 2 * LINES_KEPT + 8
    known = [n for n in range(1, last + 3) if known_line(world.parking, IN, n, bytes([n]))]
    assert known == list(range(last - 2 * LINES_KEPT + 2, last + 1, 2))
    assert known_line(world.parking, IN, last, b"another line") is None
    assert known_line(world.parking, "nowhere", last, bytes([last])) is None


def test_a_known_line_has_its_answer_and_the_record_that_gave_it() -> None:
    world = GateWorld()
    world.scan_line(IN, 1, EPC, digest=b"scan")
    world.do(ReportPassage(IN, 2, b"passed", 1, world.now_us, True))
    scanned, reported = (
        known_line(world.parking, IN, 1, b"scan"),
        known_line(world.parking, IN, 2, b"passed"),
    )
    assert scanned is not None
    assert reported is not None
    assert (scanned.seq, reported.seq) == (world.state.seq - 1, world.state.seq)
    assert (scanned.reason, reported.reason, reported.findings) == (34, 0, 0)


def test_a_gate_that_is_not_known_is_refused() -> None:
    world = GateWorld()
    assert refusal(world.scan_line("nowhere", 1, EPC)) == "GATE_NOT_FOUND"
    assert refusal(world.operator(RenewGateKey("nowhere"))) == "GATE_NOT_FOUND"
    assert refusal(world.operator(OperateGate("nowhere", GateOrder.OPEN, 0, "why"))) == "GATE_NOT_FOUND"


# -- offline


def test_what_a_gate_did_alone_is_made_up_for_in_the_order_of_its_times() -> None:
    world = GateWorld()
    now_us = world.now_us
    world.operator(SetGate("both", "P1", "Both", Direction.BOTH))
    world.operator(RenewGateKey("both"))
    found = world.offline(
        "both", (now_us - SECOND_US, Way.EXIT, EPC), (now_us - 60 * SECOND_US, Way.ENTRY, EPC)
    )
    assert found == []
    assert world.inside() == []
    assert world.offline(IN, (now_us - 5, Way.ENTRY, EPC)) == []
    assert world.begun_us("KERB1") == now_us - 5


@pytest.mark.parametrize(
    ("way", "text", "inside"),
    [
        (Way.ENTRY, OTHER_EPC, []),
        (Way.EXIT, EPC, []),
        (Way.ENTRY, "", []),
    ],
)
def test_what_does_not_fit_is_a_finding_and_nothing_more(way: Way, text: str, inside: list[str]) -> None:
    world = GateWorld()
    assert world.offline(IN, (world.now_us, way, text)) == ["OFFLINE_CONFLICT"]
    assert world.inside() == inside


def test_a_second_entry_offline_is_a_finding_and_the_stay_is_the_first() -> None:
    world = GateWorld()
    first_us = world.now_us - 10
    assert world.offline(IN, (first_us, Way.ENTRY, EPC), (first_us + 5, Way.ENTRY, EPC)) == [
        "OFFLINE_CONFLICT"
    ]
    assert world.begun_us("KERB1") == first_us


def test_a_time_a_little_to_come_is_now() -> None:
    world = GateWorld()
    assert world.offline(IN, (world.now_us + 10 * SECOND_US, Way.ENTRY, EPC)) == []
    assert world.begun_us("KERB1") == world.now_us


@pytest.mark.parametrize("off_us", [10**12, 61 * SECOND_US, -7 * DAY_US - 1, -(10**15)])
def test_a_clock_that_is_wrong_charges_nobody_and_is_a_finding(off_us: int) -> None:
    world = GateWorld()
    assert world.offline(IN, (world.now_us + off_us, Way.ENTRY, EPC)) == ["WRONG_CLOCK"]
    assert world.begun_us("KERB1") == world.now_us


# -- operators


def test_an_operator_opens_once_and_who_and_why_is_kept() -> None:
    world = GateWorld()
    (operated,) = of_kind(world.operator(OperateGate(IN, GateOrder.OPEN, 1, "barrier test")), GateOperated)
    assert (operated.n, operated.operator_id, operated.reason) == (1, 7, "barrier test")
    assert world.scan(IN) == "LANE_BUSY"
    assert world.passed(IN) == []
    assert world.passed(IN) == ["TAILGATING"]
    assert world.inside() == []


def test_a_locked_gate_opens_for_nobody_until_it_is_unlocked() -> None:
    world = GateWorld()
    world.operator(OperateGate(IN, GateOrder.LOCK, 0, "works"))
    assert world.scan(IN) == "GATE_LOCKED"
    (operated,) = of_kind(world.operator(OperateGate(IN, GateOrder.UNLOCK, 0, "done")), GateOperated)
    assert (operated.n, operated.locked) == (2, False)
    assert world.scan(IN) == "WALLET"


@pytest.mark.parametrize(("lane", "reason"), [(2, "why"), (-1, "why"), (1, ""), (1, "x" * 201)])
def test_an_order_needs_a_lane_and_a_reason(lane: int, reason: str) -> None:
    order = OperateGate(IN, GateOrder.OPEN, lane, reason)
    assert refusal(GateWorld().operator(order)) == "INVALID_GATE_ORDER"


def test_every_line_has_one_event_that_answers_it() -> None:
    world = GateWorld()
    scanned = world.scan_line(IN, 1, EPC)
    passed = world.do(ReportPassage(IN, 2, b"d", 1, world.now_us, True))
    assert len(of_kind(scanned, GateDecided)) == 1
    assert (len(of_kind(passed, GatePassed)), len(of_kind(passed, LineAcknowledged))) == (1, 1)
    assert (TimerKind.GATE_LANE, f"1@{IN}") not in world.state.timer_ids


def test_a_gate_that_is_connected_or_lost_is_told_and_kept() -> None:
    world = GateWorld()
    for connected, why in ((True, ""), (True, "REPLACED"), (False, "S" * 99)):
        applied = world.do(NoteGateLink(IN, connected, why), source=Source.GATE)
        (event,) = of_kind(applied, GateLinkChanged)
        assert (event.gate_id, event.connected, event.why) == (IN, connected, why[:32])
        assert world.parking.gate_states[IN].connected is connected
    assert refusal(world.do(NoteGateLink("nowhere", True))) == "GATE_NOT_FOUND"
