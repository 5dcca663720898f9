"""Who is on a gate's allow-list: whoever the gate would open for, and nobody else."""

from __future__ import annotations

from engine.parking.allow_list import tags_that_open
from engine.parking.commands import AttachTag, BlockPlate, RevokeTag, SetLot
from engine.parking.kinds import LotStatus
from engine.parking.records import LotRules
from engine.units import MINUTE_US
from tests.engine.parking.gate_world import IN, OUT, GateWorld
from tests.engine.parking.parking_world import EPC, OTHER_EPC


def listed(world: GateWorld, gate: str, limit: int = 100) -> list[str]:
    now_us = world.now_us
    return tags_that_open(world.state, world.parking.gates[gate], now_us, now_us + 15 * MINUTE_US, limit)


def test_an_entry_lists_who_may_come_in_and_an_exit_who_is_inside() -> None:
    world = GateWorld()
    assert (listed(world, IN), listed(world, OUT)) == ([EPC], [])
    world.scan(IN)
    world.passed(IN)
    assert (listed(world, IN), listed(world, OUT)) == ([], [EPC])
    world.scan(OUT)
    world.passed(OUT)
    assert (listed(world, IN), listed(world, OUT)) == ([EPC], [])


def test_who_is_listed_is_who_the_gate_opens_for() -> None:
    world = GateWorld()
    world.open("bob")
    van = world.vehicle("bob", "VAN1", height_cm=300)
    world.do(AttachTag(OTHER_EPC, van), "bob")
    assert listed(world, IN) == [EPC]
    assert world.scan(IN, OTHER_EPC) == "TOO_HIGH"


def test_a_revoked_tag_and_a_blocked_vehicle_are_on_no_list() -> None:
    world = GateWorld()
    world.operator(BlockPlate("KERB1", on=True, reason="x"))
    assert listed(world, IN) == []
    world.operator(BlockPlate("KERB1", on=False, reason="x"))
    world.do(RevokeTag(EPC, "lost"), "ann")
    assert listed(world, IN) == []


def test_a_closed_lot_lists_nobody_at_its_entries() -> None:
    world = GateWorld()
    lot = world.parking.lots["P1"]
    terms = (lot.name, lot.address, lot.time_zone, lot.currency, lot.tariff)
    world.operator(SetLot("P1", *terms, LotStatus.CLOSED, LotRules()))
    assert listed(world, IN) == []


def test_no_list_is_longer_than_it_may_be() -> None:
    world = GateWorld()
    world.do(AttachTag(OTHER_EPC, world.ann), "ann")
    assert listed(world, IN) == [EPC, OTHER_EPC]
    assert listed(world, IN, limit=1) == [EPC]
