"""Allocation is exact: equal to a brute force that looks at every space; and the rows of its table, one by one."""

from __future__ import annotations

import pytest

from engine.parking.allocation import allocate, available
from engine.parking.kinds import Feature, SpaceType, UserType, VehicleKind
from engine.parking.wish import Wish
from tests.engine.parking.naive_allocation import compare
from tests.engine.parking.parking_world import SPACES, ParkingWorld

STANDARD = SpaceType.STANDARD
CAR = VehicleKind.STANDARD
TEN, NOON = 600, 720


@pytest.mark.parametrize("seed", range(3))
def test_it_is_equal_to_a_brute_force(seed: int) -> None:
    """100 000 of them in `python -m tests.torture allocation`."""
    assert compare(seed, 1_000, spaces=40) > 300


@pytest.mark.parametrize(
    ("wish", "number", "score"),
    [
        (Wish(STANDARD, CAR), "G-1", 1_000),
        (Wish(STANDARD, CAR, required=Feature.COVERED), "G-2", 1_000),
        (Wish(STANDARD, CAR, preferred=Feature.COVERED), "G-2", 1_060),
        (Wish(STANDARD, CAR, user_type=UserType.PREMIUM), "G-1", 1_050),
        (Wish(STANDARD, CAR, user_type=UserType.ACCESSIBLE), "G-1", 1_100),
        (Wish(STANDARD, CAR, gate_id="P1-in"), "G-1", 1_030),
        (Wish(STANDARD, VehicleKind.LARGE), "G-4", -200),
        (Wish(SpaceType.COMPACT, VehicleKind.COMPACT), "G-3", 1_000),
        (Wish(SpaceType.COMPACT, CAR), "G-1", -200),
        (Wish(SpaceType.COMPACT, VehicleKind.LARGE), "G-4", -400),
        (Wish(SpaceType.MOTORCYCLE, VehicleKind.MOTORCYCLE), "U-4", 1_000),
        (Wish(SpaceType.EV, CAR), None, 0),
        (Wish(SpaceType.EV, CAR, rights=4), "U-1", 960),
        (Wish(SpaceType.EV, CAR, 201, rights=4), None, 0),
        (Wish(SpaceType.EV, VehicleKind.LARGE, rights=4), None, 0),
        (Wish(SpaceType.ACCESSIBLE, CAR, rights=6), None, 0),
        (Wish(SpaceType.ACCESSIBLE, CAR, rights=1), "U-2", 960),
        (Wish(SpaceType.VIP, VehicleKind.LARGE, rights=2), "U-3", 920),
        (Wish(STANDARD, CAR, 211), None, 0),
    ],
)
def test_a_wish_gets_the_best_space_that_meets_it(wish: Wish, number: str | None, score: int) -> None:
    parking = ParkingWorld().parking
    found = allocate(parking, "P1", wish, TEN, NOON)
    if number is None:
        assert found is None
    else:
        assert found is not None
        assert (parking.numbers["P1"][found[0]], found[1]) == (number, score)


@pytest.mark.parametrize(
    ("gap", "points"), [(0, 30), (15, 30), (16, 20), (60, 20), (61, 10), (240, 10), (241, 0)]
)
def test_a_tight_gap_is_worth_points(gap: int, points: int) -> None:
    """On the last space that is free, for the gap before and for the gap after."""
    parking = ParkingWorld(spaces=SPACES[:1]).parking
    wish = Wish(STANDARD, CAR)
    occupancy = parking.occupancy["P1"]
    occupancy.add(0, TEN - gap - 60, TEN - gap, 1)
    assert allocate(parking, "P1", wish, TEN, NOON) == (0, 1_000 + points)
    occupancy.remove(0, TEN - gap - 60, TEN - gap, 1)
    occupancy.add(0, NOON + gap, NOON + gap + 60, 1)
    assert allocate(parking, "P1", wish, TEN, NOON) == (0, 1_000 + points)


def test_availability_goes_down_with_each_claim_and_up_again() -> None:
    parking = ParkingWorld().parking
    wish = Wish(STANDARD, CAR)
    assert available(parking, "P1", wish, TEN, NOON) == 3
    for count in (2, 1, 0):
        found = allocate(parking, "P1", wish, TEN, NOON)
        assert found is not None
        parking.occupancy["P1"].add(found[0], TEN, NOON, count)
        assert available(parking, "P1", wish, TEN, NOON) == count
    assert allocate(parking, "P1", wish, TEN, NOON) is None
    assert available(parking, "P1", wish, NOON, NOON + 1) == 3
    parking.occupancy["P1"].remove(1, TEN, NOON, 1)
    assert available(parking, "P1", wish, TEN, NOON) == 1


def test_what_is_to_be_avoided_is_not_taken() -> None:
    parking = ParkingWorld().parking
    assert allocate(parking, "P1", Wish(STANDARD, CAR), TEN, NOON, avoid=0b1) == (1, 960)


def test_a_changed_estate_counts_at_once() -> None:
    world = ParkingWorld()
    wish = Wish(STANDARD, CAR)
    assert allocate(world.parking, "P1", wish, TEN, NOON) == (0, 1_000)
    world.operator(SPACES[0].__class__("P1", "G-1", "G", SpaceType.LARGE))
    assert allocate(world.parking, "P1", wish, TEN, NOON) == (1, 960)
