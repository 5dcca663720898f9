"""Who is let in is sent to a space: that one is theirs until they have passed, whoever comes or goes at other gates."""

from __future__ import annotations

from engine.parking.booking_commands import BookSpace
from engine.parking.booking_events import BookingSet
from engine.parking.commands import AttachTag, SetGate
from engine.parking.gate_commands import RenewGateKey
from engine.parking.gate_records import LANE_BUSY_US
from engine.parking.kinds import Direction, SpaceType
from engine.units import HOUR_US, MINUTE_US
from tests.engine.mirror import all_rows, restored
from tests.engine.parking.gate_world import IN, OUT, GateWorld
from tests.engine.parking.parking_world import EPC
from tests.engine.world import of_kind

OTHER = "P1-in2"


class TwoEntries(GateWorld):
    """A second entry, and three cars more; spaces for four of their size are G-1, G-2 and G-4."""

    def __init__(self) -> None:
        super().__init__()
        self.operator(SetGate(OTHER, "P1", "In 2", Direction.ENTRY, floor="G"))
        self.operator(RenewGateKey(OTHER))
        self.tags = {"KERB1": EPC}
        for number in range(2, 5):
            plate = f"KERB{number}"
            self.tags[plate] = f"E28011600000000000000{number:03}"
            self.do(AttachTag(self.tags[plate], self.vehicle("ann", plate)), "ann")

    def sent(self, gate: str, plate: str) -> str:
        """Where a gate sends somebody, or why it does not open."""
        reason = self.scan(gate, self.tags[plate])
        lane = self.parking.lanes.get((gate, 1))
        return reason if lane is None or not lane.busy else lane.space

    def enter(self, plate: str) -> str:
        """Through the first entry; where to."""
        space = self.sent(IN, plate)
        assert self.passed(IN) == []
        return space

    def stands(self, plate: str) -> str:
        """The space on which somebody stands."""
        return self.parking.numbers["P1"][self.parking.stays[self.parking.stay_of_who[plate]].space]


def test_two_gates_do_not_send_two_to_one_space() -> None:
    world = TwoEntries()
    first, second = world.sent(IN, "KERB1"), world.sent(OTHER, "KERB2")
    assert (first, second) == ("G-1", "G-2")
    world.passed(OTHER)
    world.passed(IN)
    assert (world.stands("KERB1"), world.stands("KERB2")) == (first, second)


def test_who_was_sent_to_a_space_has_it_also_when_a_better_one_comes_free() -> None:
    world = TwoEntries()
    world.enter("KERB1")
    assert world.sent(IN, "KERB2") == "G-2"
    world.scan(OUT)
    world.passed(OUT)
    world.passed(IN)
    assert world.stands("KERB2") == "G-2"
    assert world.enter("KERB3") == "G-1"


def test_the_last_space_is_full_while_somebody_is_on_the_way_to_it() -> None:
    world = TwoEntries()
    assert [world.enter(f"KERB{number}") for number in (1, 2)] == ["G-1", "G-2"]
    assert world.sent(IN, "KERB3") == "G-4"
    assert world.sent(OTHER, "KERB4") == "LOT_FULL"
    world.not_passed(IN)
    assert world.sent(OTHER, "KERB4") == "G-4"


def test_nobody_books_the_space_to_which_somebody_is_on_the_way() -> None:
    world = TwoEntries()
    assert world.sent(IN, "KERB1") == "G-1"
    begin_us = world.now_us - world.now_us % MINUTE_US + 5 * MINUTE_US
    asked = BookSpace("P1", world.vehicles["KERB2"], begin_us, begin_us + HOUR_US, SpaceType.STANDARD)
    (made,) = of_kind(world.do(asked, "ann"), BookingSet)
    assert world.parking.numbers["P1"][made.booking.space] == "G-2"
    world.passed(IN)
    assert world.stands("KERB1") == "G-1"


def test_a_space_whose_driver_does_not_come_is_anybody_s_after_the_lane_s_time() -> None:
    world = TwoEntries()
    assert world.sent(IN, "KERB1") == "G-1"
    world.advance(world.now_us + LANE_BUSY_US + 1)
    assert world.sent(OTHER, "KERB2") == "G-1"
    assert world.passed(OTHER) == []
    world.passed(IN, at_us=world.now_us - LANE_BUSY_US)  # the report was late, the vehicle was not
    assert (world.stands("KERB1"), world.stands("KERB2")) == ("G-2", "G-1")


def test_a_state_made_of_its_rows_knows_who_is_on_the_way() -> None:
    world = TwoEntries()
    world.sent(IN, "KERB1")
    again = restored(all_rows(world.state)).parking.occupancy["P1"]
    assert again.promised == world.parking.occupancy["P1"].promised
    assert again.standing == 1
