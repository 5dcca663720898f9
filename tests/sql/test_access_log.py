"""The access log's rows: one for each event of a gate, in the journal's order, and no whole codes."""

from __future__ import annotations

from engine.apply import Applied
from engine.commands import CancelAll, Envelope
from engine.kinds import Source
from engine.parking.gate_commands import OperateGate, ReportPassage, ScanTag
from engine.parking.gate_kinds import CredentialKind, GateOrder
from engine.units import IDS_PER_SEQ
from server.codec import Record
from sql.access_log import ACCESS_COLUMNS, Entry, shown
from sql.projection import Rows
from tests.engine.parking.gate_world import IN, TAG, GateWorld
from tests.engine.parking.parking_world import EPC
from tests.sql.copy_decoder import Value, decode


def logged(applied: Applied) -> list[dict[str, Value]]:
    rows = Rows(applied.seq)
    rows.add(Record(applied.seq, applied.now_us, Envelope(Source.GATE), CancelAll(""), applied.events))
    return [decode(ACCESS_COLUMNS, row) for row in rows.access_log.rows]


def test_a_scan_and_its_passage_leave_a_row_each() -> None:
    world = GateWorld()
    scanned = world.scan_line(IN, 1, EPC)
    (row,) = logged(scanned)
    assert row["entry_id"] == scanned.seq * IDS_PER_SEQ
    assert (row["kind"], row["reason"], row["gate_id"], row["what"]) == (Entry.DECISION, 34, IN, EPC)
    assert (row["n"], row["lane"], row["vehicle_id"], row["operator_id"]) == (1, 1, world.ann, 0)
    assert row["space"]
    passed = world.do(ReportPassage(IN, 2, b"d", 1, world.now_us, True))
    assert [(row["kind"], row["what"]) for row in logged(passed)] == [(Entry.PASSED, EPC)]


def test_what_is_found_and_ordered_is_kept_with_who_and_why() -> None:
    world = GateWorld()
    tailgating = world.do(ReportPassage(IN, 1, b"d", 1, world.now_us, True))
    assert [(row["kind"], row["reason"]) for row in logged(tailgating)] == [(Entry.FINDING, 4)]
    (order,) = logged(world.operator(OperateGate(IN, GateOrder.LOCK, 0, "works")))
    assert (order["kind"], order["reason"], order["operator_id"], order["what"]) == (
        Entry.ORDER,
        2,
        7,
        "works",
    )


def test_no_code_is_kept_whole() -> None:
    world = GateWorld()
    scanned = world.do(
        ScanTag(IN, 1, b"d", 1, world.now_us, CredentialKind.CODE, "KERB-1234-5678"), source=Source.GATE
    )
    (row,) = logged(scanned)
    assert row["what"] == "…5678"
    assert shown(TAG, EPC) == EPC


def test_ids_of_a_record_follow_each_other() -> None:
    world = GateWorld()
    scanned = world.scan_line(IN, 1, EPC)
    rows = Rows(5)
    rows.add(Record(5, 1, Envelope(Source.GATE), CancelAll(""), scanned.events * 2))
    rows.add(Record(6, 1, Envelope(Source.GATE), CancelAll(""), scanned.events))
    ids = [decode(ACCESS_COLUMNS, row)["entry_id"] for row in rows.access_log.rows]
    assert ids == [5 * IDS_PER_SEQ, 5 * IDS_PER_SEQ + 1, 6 * IDS_PER_SEQ]
