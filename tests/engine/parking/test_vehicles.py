"""Vehicles, tags and the blocklist: one's own can be changed, others' cannot, and a revoked tag belongs to no vehicle."""

from __future__ import annotations

import pytest

from engine.commands import SetAccountStatus
from engine.kinds import AccountStatus, Source
from engine.parking.booking_commands import IssueTicket
from engine.parking.booking_events import TicketSet
from engine.parking.commands import (
    AttachTag,
    BlockPlate,
    BlockTag,
    RegisterVehicle,
    RemoveVehicle,
    RevokeTag,
    SetVehicleRights,
)
from engine.parking.events import Blocked, TagSet, VehicleRemoved
from engine.parking.kinds import TagStatus, VehicleKind, VehicleRight
from engine.parking.vehicles import is_blocked, is_epc, is_plate
from tests.engine.parking.booking_world import BookingWorld
from tests.engine.parking.parking_world import EPC, ParkingWorld
from tests.engine.world import of_kind, refusal

STANDARD = VehicleKind.STANDARD


@pytest.fixture
def world() -> ParkingWorld:
    world = ParkingWorld()
    world.open("ann")
    world.open("bob")
    world.vehicle("ann", "ANN1")
    return world


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("E2801160", True),
        ("E280116", False),
        ("E28011601", False),
        ("e2801160", False),
        ("E280116G", False),
        ("AB" * 31, True),
        ("AB" * 32, False),
        ("", False),
        ("E28011\x0000", False),
    ],
)
def test_an_epc_is_8_to_62_hexadecimal_digits(text: str, good: bool) -> None:
    assert is_epc(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [("BM1234", True), ("b1", False), ("", False), ("A B", False), ("A" * 13, False), ("ÄÖ1", True)],
)
def test_a_plate_is_upper_case_without_blanks(text: str, good: bool) -> None:
    assert is_plate(text) is good


def test_a_plate_is_registered_once(world: ParkingWorld) -> None:
    assert refusal(world.do(RegisterVehicle("ANN1", STANDARD), "bob")) == "PLATE_TAKEN"
    assert refusal(world.do(RegisterVehicle("BOB1", STANDARD), "bob")) == "accepted"


@pytest.mark.parametrize(
    "command",
    [
        RegisterVehicle("", STANDARD),
        RegisterVehicle("X1", STANDARD, height_cm=1_001),
        RegisterVehicle("X1", STANDARD, make="x" * 65),
        RegisterVehicle("X1", STANDARD, model="x" * 65),
    ],
)
def test_a_vehicle_has_bounds(world: ParkingWorld, command: RegisterVehicle) -> None:
    assert refusal(world.do(command, "bob")) == "INVALID_VEHICLE"


def test_an_account_has_so_many_vehicles_and_no_more(world: ParkingWorld) -> None:
    for number in range(49):
        world.vehicle("ann", f"MORE{number}")
    assert refusal(world.do(RegisterVehicle("MORE50", STANDARD), "ann")) == "INVALID_VEHICLE"


def test_only_who_has_an_account_registers(world: ParkingWorld) -> None:
    assert refusal(world.do(RegisterVehicle("X1", STANDARD))) == "ACCOUNT_NOT_FOUND"
    world.operator(SetAccountStatus(world.ids["bob"], AccountStatus.DISABLED, ""))
    assert refusal(world.do(RegisterVehicle("X1", STANDARD), "bob")) == "ACCOUNT_DISABLED"


def test_rights_are_seen_by_operators(world: ParkingWorld) -> None:
    vehicle_id = world.vehicles["ANN1"]
    world.operator(SetVehicleRights(vehicle_id, VehicleRight.ACCESSIBLE))
    assert world.parking.vehicles[vehicle_id].rights == VehicleRight.ACCESSIBLE
    assert refusal(world.operator(SetVehicleRights(vehicle_id, 8))) == "INVALID_VEHICLE"
    assert refusal(world.operator(SetVehicleRights(1, 0))) == "VEHICLE_NOT_FOUND"


def test_tags_belong_to_vehicles_of_their_account(world: ParkingWorld) -> None:
    vehicle_id = world.vehicles["ANN1"]
    assert refusal(world.do(AttachTag(EPC, vehicle_id), "bob")) == "VEHICLE_NOT_FOUND"
    assert refusal(world.do(AttachTag("xyz", vehicle_id), "ann")) == "INVALID_TAG"
    assert refusal(world.do(AttachTag(EPC, vehicle_id), "ann")) == "accepted"
    assert refusal(world.do(AttachTag(EPC, world.vehicle("bob", "BOB1")), "bob")) == "TAG_TAKEN"
    assert world.parking.tags_of_vehicle == {vehicle_id: {EPC: None}}


def test_a_revoked_tag_comes_back_to_its_owner_alone(world: ParkingWorld) -> None:
    vehicle_id, other_id = world.vehicles["ANN1"], world.vehicle("bob", "BOB1")
    world.do(AttachTag(EPC, vehicle_id), "ann")
    assert refusal(world.do(RevokeTag(EPC, "lost"), "bob")) == "TAG_NOT_FOUND"
    assert refusal(world.do(RevokeTag("AB" * 4, "lost"), "ann")) == "TAG_NOT_FOUND"
    (revoked,) = of_kind(world.do(RevokeTag(EPC, "lost"), "ann"), TagSet)
    assert (revoked.tag.status, revoked.tag.vehicle_id, revoked.reason) == (TagStatus.REVOKED, 0, "lost")
    assert world.do(RevokeTag(EPC, "lost"), "ann").events == ()
    assert refusal(world.do(AttachTag(EPC, other_id), "bob")) == "TAG_TAKEN"
    assert refusal(world.do(AttachTag(EPC, vehicle_id), "ann")) == "accepted"
    assert refusal(world.operator(RevokeTag(EPC, "x" * 201))) == "INVALID_TAG"
    assert refusal(world.operator(RevokeTag(EPC, "stolen"))) == "accepted"


def test_a_vehicle_that_goes_takes_its_tags_along(world: ParkingWorld) -> None:
    vehicle_id = world.vehicles["ANN1"]
    world.do(AttachTag(EPC, vehicle_id), "ann")
    assert refusal(world.do(RemoveVehicle(vehicle_id), "bob")) == "VEHICLE_NOT_FOUND"
    applied = world.do(RemoveVehicle(vehicle_id), "ann")
    assert [type(event) for event in applied.events] == [TagSet, VehicleRemoved]
    assert world.parking.tags[EPC].status is TagStatus.REVOKED
    assert refusal(world.do(RegisterVehicle("ANN1", STANDARD), "bob")) == "accepted"


def test_the_blocklist_has_tags_and_plates(world: ParkingWorld) -> None:
    (blocked,) = of_kind(world.operator(BlockTag(EPC, on=True, reason="stolen")), Blocked)
    assert (blocked.on, blocked.block.operator_id, blocked.block.reason) == (True, 7, "stolen")
    world.operator(BlockPlate("BAD1", on=True, reason=""))
    assert is_blocked(world.parking, epc=EPC)
    assert is_blocked(world.parking, epc="AB" * 4, plate="BAD1")
    assert not is_blocked(world.parking, epc="AB" * 4, plate="ANN1")
    world.operator(BlockTag(EPC, on=False, reason=""))
    assert world.operator(BlockTag(EPC, on=False, reason="")).events == ()
    assert not is_blocked(world.parking, epc=EPC)
    assert refusal(world.operator(BlockTag("no", on=True, reason=""))) == "INVALID_TAG"
    assert refusal(world.operator(BlockPlate("no", on=True, reason=""))) == "INVALID_VEHICLE"


def test_a_ticket_makes_no_registered_vehicle_smaller() -> None:
    world = BookingWorld()
    world.vehicle("ann", "BIG1", VehicleKind.LARGE)
    issued = world.do(IssueTicket("P1", "BIG1", kind=VehicleKind.MOTORCYCLE), source=Source.GATE)
    (made,) = of_kind(issued, TicketSet)
    assert (made.ticket.vehicle, made.ticket.height_cm) == (VehicleKind.LARGE, 150)
    assert world.right("BIG1") == ("TICKET", "G-4")
