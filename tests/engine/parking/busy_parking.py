"""A car park in which there is at least one record of every kind."""

from __future__ import annotations

from msgspec.structs import replace

from engine.parking.booking_commands import IssuePass, JoinWaitingList
from engine.parking.camera_commands import ReadPlate, RenewCameraKey, SetCamera
from engine.parking.commands import AttachTag, BlockPlate, BlockTag, RevokeTag
from engine.parking.gate_commands import NoteGateLink, OperateGate, RenewGateKey, ReportPassage, ScanTag
from engine.parking.gate_kinds import CredentialKind, GateOrder
from engine.parking.kinds import PassKind, SpaceType
from engine.parking.tariff_commands import SetTariff, SetZone
from tests.engine.parking.booking_world import BookingWorld, clock
from tests.engine.parking.parking_world import EPC, OTHER_EPC
from tests.engine.parking.tariff_world import BERLIN, PLAIN


def busy_parking() -> BookingWorld:
    """Tags, blocks, gates, a stay, bookings of which one is an offer, a ticket, a pass, somebody who waits, a debt."""
    world = BookingWorld()
    world.open("eve", cash="0.1")
    vehicle_id = world.vehicle("ann", "KERB1")
    world.do(AttachTag(EPC, vehicle_id), "ann")
    world.do(AttachTag(OTHER_EPC, vehicle_id), "ann")
    world.do(RevokeTag(OTHER_EPC, "lost"), "ann")
    world.operator(BlockTag(OTHER_EPC, on=True, reason="found"))
    world.operator(BlockPlate("BAD1", on=True, reason="never pays"))
    world.operator(SetTariff(replace(PLAIN, name="PLAIN", currency="USD")))
    world.operator(SetZone(BERLIN))
    world.vehicle("eve", "EVE1")
    world.enter("EVE1")
    world.to("9:00")
    world.leave("EVE1")
    world.operator(RenewGateKey("P1-in"))
    world.do(NoteGateLink("P1-in", True))
    world.operator(SetCamera("east", "P1-in", 1, "East", 8_000))
    world.operator(RenewCameraKey("east"))
    world.do(ReadPlate("east", world.now_us, b"1", "B1", 7_000))
    world.do(ScanTag("P1-in", 1, b"1", 1, world.now_us, CredentialKind.TAG, EPC))
    world.do(ReportPassage("P1-in", 2, b"2", 1, world.now_us, passed=True))
    world.operator(OperateGate("P1-in", GateOrder.OPEN, 1, "test"))
    world.booked("bob", "12:00", "14:00")
    world.do(
        JoinWaitingList("P1", world.vehicles["ANN1"], clock("12:00"), clock("13:00"), SpaceType.STANDARD),
        "ann",
    )
    world.ticket(code="T-1")
    sold = IssuePass(vehicle_id, "P1", PassKind.SEASON, clock("10:00"), clock("+9 8:00"), 0, space="U-4")
    world.operator(sold)
    return world
