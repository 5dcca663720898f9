"""The signed code of a booking at a gate: it opens for that booking, once in and once out, and for nothing else."""

from __future__ import annotations

import pytest

from engine.kinds import Source
from engine.parking.booking_commands import BookSpace, CancelBooking
from engine.parking.booking_events import BookingSet
from engine.parking.commands import BlockPlate, ImportEstate, SetFloor, SetGate, SetLot, SetSpace
from engine.parking.gate_commands import OfflinePassage, RenewGateKey, ScanTag, SyncOffline
from engine.parking.gate_events import GateDecided
from engine.parking.gate_kinds import CredentialKind, Way
from engine.parking.kinds import Direction, LotStatus, SpaceType
from engine.parking.records import LotRules
from engine.units import DAY_US, HOUR_US, MINUTE_US
from tests.engine.parking.gate_world import IN, OUT, GateWorld, findings
from tests.engine.parking.parking_world import EPC
from tests.engine.world import of_kind

CODE = CredentialKind.BOOKING


class CodeWorld(GateWorld):
    """`booking_id` is ann's for KERB1, for two hours from the hour after the next on."""

    def __init__(self) -> None:
        super().__init__()
        self.begin_us = (self.now_us // HOUR_US + 2) * HOUR_US
        self.end_us = self.begin_us + 2 * HOUR_US
        asked = BookSpace("P1", self.ann, self.begin_us, self.end_us, SpaceType.STANDARD)
        (made,) = of_kind(self.do(asked, "ann"), BookingSet)
        self.booking_id = made.booking.booking_id

    def show(self, gate: str = IN, text: str | None = None, *, good_us: int = DAY_US) -> tuple[str, int]:
        """A code is shown that ends so much later: the reason, and the right that lets in."""
        shown = str(self.booking_id) if text is None else text
        ends = self.now_us + good_us
        scan = ScanTag(gate, self.next_n(gate), b"d", 1, self.now_us, CODE, shown, ends)
        (decided,) = of_kind(self.do(scan, source=Source.GATE), GateDecided)
        return decided.reason.name, decided.right_id

    def to_begin(self) -> None:
        """The booking begins."""
        self.advance(self.begin_us)


def test_a_code_lets_in_once_and_out_once() -> None:
    world = CodeWorld()
    world.to_begin()
    assert world.show(OUT) == ("NO_STAY", 0)
    assert world.show() == ("BOOKING", world.booking_id)
    assert world.show() == ("BOOKING", world.booking_id)  # read again, by the lane that waits
    assert world.passed(IN) == []
    assert world.inside() == ["KERB1"]
    assert world.show() == ("ALREADY_INSIDE", 0)  # handed out of the window
    assert world.show(OUT)[0] == "EXIT_PAID"
    assert world.passed(OUT) == []
    assert world.inside() == []
    assert world.show() == ("CODE_VOID", 0)
    assert world.show(OUT) == ("CODE_VOID", 0)


def test_a_tag_of_the_same_vehicle_cannot_follow_its_code() -> None:
    world = CodeWorld()
    world.to_begin()
    world.show()
    assert world.passed(IN) == []
    assert world.scan(IN, EPC) == "ALREADY_INSIDE"
    assert world.scan(OUT, EPC) == "EXIT_PAID"


def test_a_code_that_has_ended_lets_out_and_not_in() -> None:
    world = CodeWorld()
    world.to_begin()
    assert world.show(good_us=0) == ("CODE_EXPIRED", 0)
    assert world.show(good_us=2) == ("BOOKING", world.booking_id)
    world.passed(IN)
    assert world.show(OUT, good_us=-DAY_US)[0] == "EXIT_PAID"


def test_a_code_opens_at_the_time_of_its_booking_and_not_on_the_wallet() -> None:
    world = CodeWorld()
    assert world.scan(IN, EPC) == "WALLET"
    world.not_passed(IN)
    assert world.show() == ("TOO_EARLY", 0)
    world.advance(world.begin_us - LotRules().early_grace * MINUTE_US)
    assert world.show()[0] == "BOOKING"


def test_a_booking_that_was_cancelled_has_no_code_that_opens() -> None:
    world = CodeWorld()
    world.to_begin()
    world.do(CancelBooking(world.booking_id), "ann")
    assert world.show() == ("CODE_VOID", 0)
    assert world.scan(IN, EPC) == "WALLET"


def test_a_code_opens_nothing_after_its_booking() -> None:
    world = CodeWorld()
    world.advance(world.end_us)
    assert world.show() == ("CODE_VOID", 0)  # a no-show


def test_a_code_is_of_one_car_park() -> None:
    world = CodeWorld()
    world.operator(SetLot("P2", "Hill", "", "Europe/Berlin", "USD", "STD"))
    floors, spaces = (SetFloor("P2", "G", "Ground", 0),), (SetSpace("P2", "1", "G", SpaceType.STANDARD),)
    world.operator(ImportEstate("P2", floors, spaces))
    world.operator(SetGate("P2-in", "P2", "In", Direction.ENTRY))
    world.operator(RenewGateKey("P2-in"))
    world.to_begin()
    assert world.show("P2-in") == ("WRONG_LOT", 0)
    assert world.show()[0] == "BOOKING"
    world.passed(IN)
    assert world.show("P2-in") == ("ALREADY_INSIDE", 0)


def test_a_blocked_vehicle_and_a_closed_car_park_take_no_code() -> None:
    world = CodeWorld()
    world.to_begin()
    world.operator(BlockPlate("KERB1", on=True, reason="x"))
    assert world.show() == ("BLOCKED", 0)
    world.operator(BlockPlate("KERB1", on=False, reason="x"))
    world.operator(SetLot("P1", "Old Harbour", "", "Europe/Berlin", "USD", "STD", LotStatus.CLOSED))
    assert world.show() == ("LOT_CLOSED", 0)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "٣", " 7", "9" * 20, "bkg_7"])
def test_what_is_no_booking_of_ours_is_forged(text: str) -> None:
    assert CodeWorld().show(text=text) == ("CODE_FORGED", 0)


def test_a_booking_that_never_was_is_void() -> None:
    world = CodeWorld()
    assert world.show(text=str(world.booking_id + 1)) == ("CODE_VOID", 0)
    assert world.show(text="0") == ("CODE_VOID", 0)


def test_a_code_that_a_gate_took_alone_is_made_up_for() -> None:
    world = CodeWorld()
    world.to_begin()
    passages = tuple(
        OfflinePassage(1, world.now_us, Way.ENTRY, CODE, text) for text in (str(world.booking_id), "")
    )
    applied = world.do(SyncOffline(IN, world.next_n(IN), b"d", passages), source=Source.GATE)
    assert findings(applied) == ["OFFLINE_CONFLICT"]  # the forged one
    assert world.inside() == ["KERB1"]
    assert world.parking.bookings[world.booking_id].status.name == "ARRIVED"
