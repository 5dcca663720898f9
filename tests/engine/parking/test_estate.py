"""Lots, floors, spaces and gates: what is set, what is refused, and an import that is done whole or not at all."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.commands import AnyCommand
from engine.parking.commands import ImportEstate, SetFloor, SetGate, SetLot, SetSpace
from engine.parking.events import SpaceSet
from engine.parking.kinds import Direction, EstateProblem, Feature, LotStatus, SpaceType
from engine.parking.records import LotRules
from tests.engine.parking.parking_world import FLOORS, GATES, LOT, SPACES, ParkingWorld
from tests.engine.world import of_kind, refusal

SPACE = SPACES[0]
FLOOR = FLOORS[0]
GATE = GATES[0]


def test_an_estate_stands_as_it_was_imported() -> None:
    world = ParkingWorld()
    assert list(world.parking.lots) == ["P1"]
    assert world.parking.numbers == {"P1": [each.number for each in SPACES]}
    assert [world.parking.spaces["P1", each.number].index for each in SPACES] == list(range(len(SPACES)))
    assert list(world.parking.gates) == ["P1-in", "P1-out"]


def test_what_is_so_already_changes_nothing() -> None:
    world = ParkingWorld()
    for command in (LOT, FLOOR, SPACE, GATE, ImportEstate("P1", FLOORS, SPACES, GATES)):
        assert world.operator(command).events == ()


def test_a_changed_space_keeps_its_index() -> None:
    world = ParkingWorld()
    (changed,) = of_kind(world.operator(replace(SPACES[3], lift_m=99)), SpaceSet)
    assert (changed.space.index, changed.space.lift_m) == (3, 99)
    (made,) = of_kind(world.operator(SetSpace("P1", "G-9", "G", SpaceType.LARGE)), SpaceSet)
    assert made.space.index == len(SPACES)


def test_a_lot_closes_and_opens() -> None:
    world = ParkingWorld()
    world.operator(replace(LOT, status=LotStatus.CLOSED))
    assert world.parking.lots["P1"].status is LotStatus.CLOSED


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (replace(LOT, lot=""), EstateProblem.CODE),
        (replace(LOT, lot="P 1"), EstateProblem.CODE),
        (replace(LOT, tariff="'; DROP TABLE"), EstateProblem.CODE),
        (replace(LOT, name=""), EstateProblem.TEXT),
        (replace(LOT, name="  "), EstateProblem.TEXT),
        (replace(LOT, address="x" * 201), EstateProblem.TEXT),
        (replace(LOT, time_zone=""), EstateProblem.TEXT),
        (replace(LOT, currency="EUR"), EstateProblem.CURRENCY),
        (replace(LOT, rules=LotRules(walk_in_minimum=0)), EstateProblem.RULES),
        (replace(LOT, rules=LotRules(refunds=((120, 5_000), (1_440, 10_000)))), EstateProblem.RULES),
        (replace(LOT, rules=LotRules(refunds=((1_440, 5_000), (120, 6_000)))), EstateProblem.RULES),
        (replace(LOT, rules=LotRules(debt_max_e4=-1)), EstateProblem.RULES),
        (replace(FLOOR, floor="a b"), EstateProblem.CODE),
        (replace(FLOOR, name=""), EstateProblem.TEXT),
        (replace(FLOOR, level=201), EstateProblem.LEVEL),
        (replace(FLOOR, height_cm=1_001), EstateProblem.HEIGHT),
        (replace(SPACE, number="x" * 33), EstateProblem.CODE),
        (replace(SPACE, floor="U9"), EstateProblem.FLOOR_UNKNOWN),
        (replace(SPACE, features=8), EstateProblem.FEATURES),
        (replace(SPACE, features=Feature.CHARGER), EstateProblem.CHARGER),
        (replace(SPACE, charger_kw=11), EstateProblem.CHARGER),
        (replace(SPACE, height_cm=-1), EstateProblem.HEIGHT),
        (replace(SPACE, lift_m=10_001), EstateProblem.DISTANCE),
        (replace(GATE, gate_id="\x00"), EstateProblem.CODE),
        (replace(GATE, name="x" * 201), EstateProblem.TEXT),
        (replace(GATE, floor="U9"), EstateProblem.FLOOR_UNKNOWN),
        (replace(GATE, lanes=0), EstateProblem.LANES),
        (replace(GATE, height_cm=1_001), EstateProblem.HEIGHT),
        (replace(GATE, x_m=-1), EstateProblem.DISTANCE),
    ],
)
def test_a_wrong_row_is_refused_with_its_problem(command: AnyCommand, problem: EstateProblem) -> None:
    world = ParkingWorld()
    refused = world.operator(command).refused
    assert refused is not None
    assert refused.refusal.name == "INVALID_ESTATE"
    assert refused.detail == (("problem", problem),)


def test_a_gate_stays_with_its_lot() -> None:
    world = ParkingWorld()
    world.operator(replace(LOT, lot="P2"))
    refused = world.operator(SetGate("P1-in", "P2", "In", Direction.ENTRY)).refused
    assert refused is not None
    assert refused.detail == (("problem", EstateProblem.GATE_ELSEWHERE),)


@pytest.mark.parametrize(
    "command",
    [
        SetFloor("P9", "G", "Ground", 0),
        SetSpace("P9", "1", "G", SpaceType.LARGE),
        SetGate("P9-in", "P9", "In", Direction.ENTRY),
        ImportEstate("P9", (), ()),
    ],
)
def test_there_must_be_such_a_lot(command: AnyCommand) -> None:
    assert refusal(ParkingWorld().operator(command)) == "PARKING_LOT_NOT_FOUND"


def test_an_import_with_a_wrong_row_changes_nothing_and_names_each_wrong_one() -> None:
    world = ParkingWorld()
    new_floor = SetFloor("P1", "R", "Roof", 4)
    applied = world.operator(
        ImportEstate(
            "P1",
            (new_floor, replace(new_floor, floor="")),
            (
                SetSpace("P1", "R-1", "R", SpaceType.LARGE),
                SetSpace("P1", "R-1", "R", SpaceType.LARGE),
                SetSpace("P1", "R-2", "nowhere", SpaceType.LARGE),
                SetSpace("P2", "R-3", "R", SpaceType.LARGE),
            ),
            (SetGate("P1-roof", "P1", "Roof", Direction.EXIT, lanes=17),),
        )
    )
    assert applied.refused is not None
    assert applied.refused.detail == (
        ("rows", 5),
        ("row_2", EstateProblem.CODE),
        ("row_4", EstateProblem.DOUBLE),
        ("row_5", EstateProblem.FLOOR_UNKNOWN),
        ("row_6", EstateProblem.LOT_OTHER),
        ("row_7", EstateProblem.LANES),
    )
    assert ("P1", "R") not in world.parking.floors


def test_the_number_of_spaces_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ParkingWorld()
    monkeypatch.setattr("engine.parking.estate.SPACES_MAX", len(SPACES) + 1)
    new = [SetSpace("P1", f"N-{number}", "G", SpaceType.LARGE) for number in range(3)]
    refused = world.operator(ImportEstate("P1", (), tuple(new))).refused
    assert refused is not None
    assert refused.detail == (
        ("rows", 2),
        ("row_2", EstateProblem.TOO_MANY),
        ("row_3", EstateProblem.TOO_MANY),
    )
    assert refusal(world.operator(new[0])) == "accepted"
    assert refusal(world.operator(new[1])) == "INVALID_ESTATE"


def test_a_lot_with_new_rules_says_so() -> None:
    world = ParkingWorld()
    applied = world.operator(
        SetLot(*("P1", "Old Harbour", "", "Europe/Berlin", "USD", ""), rules=LotRules(60))
    )
    assert refusal(applied) == "accepted"
    assert world.parking.lots["P1"].rules.walk_in_minutes == 60
