"""What the engine knows of parking is in its rows, comes back from them, and every change is marked."""

from __future__ import annotations

import pytest
from msgspec.msgpack import encode

from engine.commands import Deposit
from engine.invariants import check_invariants
from engine.parking.booking_commands import CancelBooking, EndStay
from engine.parking.commands import AttachTag, BlockPlate, RemoveVehicle, SetSpace
from engine.parking.kinds import SpaceType
from engine.parking.records import PARKING_DERIVED, PARKING_REMEMBERED, Parking
from engine.parking.rows import PARKING_KINDS, PARKING_TABLES
from engine.state_hash import state_hash
from tests.engine.mirror import Mirror, all_rows, restored, through_msgpack
from tests.engine.parking.busy_parking import busy_parking
from tests.engine.parking.parking_world import OTHER_EPC


def test_every_table_has_a_kind_and_everything_else_is_derived() -> None:
    assert set(PARKING_TABLES.values()) == PARKING_KINDS.keys()
    assert PARKING_TABLES.keys() | PARKING_DERIVED | PARKING_REMEMBERED == set(Parking.__slots__)
    assert len(PARKING_TABLES) + len(PARKING_DERIVED) + len(PARKING_REMEMBERED) == len(Parking.__slots__)


@pytest.mark.parametrize("kind", PARKING_KINDS)
def test_rows_come_back_from_msgpack_as_they_were(kind: str) -> None:
    rows = all_rows(busy_parking().state)[kind]
    assert rows
    for key, row in rows.items():
        for value, expected in ((key, PARKING_KINDS[kind].key_type), (row, PARKING_KINDS[kind].row_type)):
            back = through_msgpack(value, expected)
            assert back == value
            assert repr(back) == repr(value)


@pytest.mark.parametrize("kind", PARKING_KINDS)
def test_a_record_is_written_as_its_row_would_be(kind: str) -> None:
    """A cut takes the records themselves: they never change."""
    state, each = busy_parking().state, PARKING_KINDS[kind]
    assert each.find is not None
    found = each.find(state)
    for key in each.keys(state):
        assert encode(found(key)) == encode(each.dump(state, key))
    assert found("nobody") is None


def test_a_rebuilt_state_is_the_same_and_goes_on_in_the_same_way() -> None:
    world, other = busy_parking(), busy_parking()
    other.state = restored(all_rows(world.state))
    assert state_hash(other.state) == state_hash(world.state)
    assert check_invariants(other.state) == []
    for name in PARKING_DERIVED:
        assert getattr(other.parking, name) == getattr(world.parking, name), name
    for command, who in (
        (AttachTag(OTHER_EPC, world.vehicles["KERB1"]), "ann"),
        (SetSpace("P1", "G-9", "G", SpaceType.LARGE), ""),
        (CancelBooking(next(iter(world.parking.bookings))), "bob"),
        (EndStay(next(iter(world.parking.stays)), waive=False, reason=""), ""),
        (Deposit(10**6, "CARD"), "eve"),
        (RemoveVehicle(world.vehicles["KERB1"]), "ann"),
    ):
        assert world.do(command, who).events == other.do(command, who).events
        assert state_hash(other.state) == state_hash(world.state)


def test_dirty_marks_name_all_that_changed() -> None:
    world = busy_parking()
    mirror = Mirror(world.state)
    for command, who in (
        (AttachTag(OTHER_EPC, world.vehicles["KERB1"]), "ann"),
        (SetSpace("P1", "G-9", "G", SpaceType.LARGE), ""),
        (BlockPlate("BAD1", on=False, reason="paid"), ""),
        (CancelBooking(next(iter(world.parking.bookings))), "bob"),
        (EndStay(next(iter(world.parking.stays)), waive=False, reason=""), ""),
        (Deposit(10**6, "CARD"), "eve"),
        (RemoveVehicle(world.vehicles["KERB1"]), "ann"),
    ):
        world.do(command, who)
        mirror.cut(world.state)
        assert mirror.rows == all_rows(world.state)
