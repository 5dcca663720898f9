"""Allocation by looking at every space and every claim: slow, and so plain that it is right. Source: docs/parking.md."""

from __future__ import annotations

from random import Random

from engine.parking.allocation import allocate as fast_allocate
from engine.parking.allocation import available
from engine.parking.commands import ImportEstate, SetFloor, SetGate, SetLot, SetSpace
from engine.parking.kinds import (
    Direction,
    Feature,
    SpaceState,
    SpaceType,
    UserType,
    VehicleKind,
)
from engine.parking.records import Parking, Space
from engine.parking.wish import Wish
from tests.engine.world import World

Claims = dict[int, list[tuple[int, int]]]

LARGEST = {
    SpaceType.MOTORCYCLE: VehicleKind.MOTORCYCLE,
    SpaceType.COMPACT: VehicleKind.COMPACT,
    SpaceType.STANDARD: VehicleKind.STANDARD,
    SpaceType.EV: VehicleKind.STANDARD,
}
BY_SIZE = [SpaceType.MOTORCYCLE, SpaceType.COMPACT, SpaceType.STANDARD, SpaceType.LARGE]
NEEDS = {SpaceType.ACCESSIBLE: 1, SpaceType.VIP: 2, SpaceType.EV: 4}


def steps_away(asked: SpaceType, found: SpaceType) -> int | None:
    """How many sizes a space is above what was asked for; None when it does not do."""
    if asked is found:
        return 0
    if asked in BY_SIZE and found in BY_SIZE and BY_SIZE.index(found) > BY_SIZE.index(asked):
        return BY_SIZE.index(found) - BY_SIZE.index(asked)
    return None


def meets(parking: Parking, space: Space, wish: Wish) -> bool:
    """Whether a space meets the conditions."""
    floor = parking.floors[space.lot, space.floor]
    return (
        space.state is SpaceState.ACTIVE
        and steps_away(wish.space_type, space.space_type) is not None
        and wish.vehicle <= LARGEST.get(space.space_type, VehicleKind.LARGE)
        and NEEDS.get(space.space_type, 0) & ~wish.rights == 0
        and wish.required & ~space.features == 0
        and all(not limit or wish.height_cm <= limit for limit in (space.height_cm, floor.height_cm))
    )


def is_free(claims: Claims, space: Space, begin: int, end: int) -> bool:
    return all(other_end <= begin or end <= other for other, other_end in claims.get(space.index, []))


def score_of(parking: Parking, claims: Claims, space: Space, wish: Wish, begin: int, end: int) -> int:
    """The sum of the table's rows."""
    steps = steps_away(wish.space_type, space.space_type)
    assert steps is not None
    score = -200 * steps if steps else 1_000
    for feature in Feature:
        if space.features & feature and not wish.required & feature:
            score += 60 if wish.preferred & feature else -40
    lift = max(0, 50 - 10 * (space.lift_m // 10))
    score += {UserType.STANDARD: 0, UserType.PREMIUM: lift, UserType.ACCESSIBLE: 2 * lift}[wish.user_type]
    gate = parking.gates.get(wish.gate_id)
    if gate is not None:
        level = parking.floors[gate.lot, gate.floor].level if gate.floor else 0
        away_m = abs(gate.x_m - space.x_m) + abs(gate.y_m - space.y_m)
        away_m += 50 * abs(level - parking.floors[space.lot, space.floor].level)
        score += max(0, 30 - 5 * (away_m // 20))
    mine = claims.get(space.index, [])
    before = min([begin - other_end for _, other_end in mine if other_end <= begin], default=10**9)
    after = min([other - end for other, _ in mine if other >= end], default=10**9)
    for gap in (before, after):
        score += 30 if gap <= 15 else 20 if gap <= 60 else 10 if gap <= 240 else 0
    return score


def allocate(
    parking: Parking, lot: str, claims: Claims, wish: Wish, begin: int, end: int
) -> tuple[int, int] | None:
    """(index, score) of the best space, the lowest of equals; None when there is none."""
    best: tuple[int, int] | None = None
    for number in parking.numbers[lot]:
        space = parking.spaces[lot, number]
        if meets(parking, space, wish) and is_free(claims, space, begin, end):
            score = score_of(parking, claims, space, wish, begin, end)
            if best is None or score > best[1]:
                best = (space.index, score)
    return best


def random_lot(random: Random, spaces: int) -> World:
    """A venue with a lot "P1" of so many spaces on three floors, of every type."""
    world = World()
    world.do(SetLot("P1", "Anywhere", "", "UTC", "USD", ""))
    floors = tuple([SetFloor("P1", f"F{n}", f"Floor {n}", n, random.choice((0, 190, 220))) for n in range(3)])
    rows = []
    kinds = [SpaceType.STANDARD] * 4 + list(SpaceType)
    for number in range(spaces):
        features = random.randrange(8)
        rows.append(
            SetSpace(
                "P1",
                f"S{number}",
                f"F{random.randrange(3)}",
                random.choice(kinds),
                features,
                22 if features & Feature.CHARGER else 0,
                random.choice((0, 0, 200, 250)),
                random.randrange(70),
                random.randrange(120),
                random.randrange(60),
                random.choice([SpaceState.ACTIVE] * 9 + [SpaceState.MAINTENANCE]),
            )
        )
    gates = (
        SetGate("in", "P1", "In", Direction.ENTRY, floor="F1"),
        SetGate("side", "P1", "S", Direction.ENTRY),
    )
    world.do(ImportEstate("P1", floors, tuple(rows), gates))
    return world


def random_wish(random: Random) -> Wish:
    """Anything that somebody may want."""
    required, preferred = (random.choice((0, 0, 0, random.randrange(8))) for _ in range(2))
    return Wish(
        random.choice(list(SpaceType)),
        random.choice(list(VehicleKind)),
        random.choice((0, 150, 195, 240)),
        random.choice((0, 7, random.randrange(8))),
        required,
        preferred,
        random.choice(list(UserType)),
        random.choice(("", "in", "side")),
    )


def random_interval(random: Random, now: int) -> tuple[int, int]:
    """An interval in minutes, near or far, short or a month long, often on a quarter of an hour."""
    begin = now + random.choice((random.randrange(600), random.randrange(600), random.randrange(400 * 1440)))
    if random.random() < 0.6:
        begin -= begin % 15
    length = random.choice((15, 30, 60, random.randrange(1, 600), random.randrange(1, 31 * 1440)))
    return begin, begin + length


def compare(seed: int, requests: int, spaces: int) -> int:
    """Random requests against both, most of them then taken, some given back; how many were given a space."""
    random = Random(seed)
    world = random_lot(random, spaces)
    parking = world.state.parking
    return Comparison(random, parking).run(requests)


class Comparison:
    """One lot whose claims both keep."""

    def __init__(self, random: Random, parking: Parking) -> None:
        self.random = random
        self.parking = parking
        self.claims: Claims = {}
        self.held: list[tuple[int, int, int, int]] = []
        self.now = 29_000_000

    def run(self, requests: int) -> int:
        """Do so many requests; raises where the two differ."""
        random, given = self.random, 0
        occupancy = self.parking.occupancy["P1"]
        for number in range(requests):
            wish, (begin, end) = random_wish(random), random_interval(random, self.now)
            expected = allocate(self.parking, "P1", self.claims, wish, begin, end)
            found = fast_allocate(self.parking, "P1", wish, begin, end)
            assert found == expected, (number, wish, begin, end)
            if number % 16 == 0:
                free = [
                    space
                    for space in self.parking.spaces.values()
                    if meets(self.parking, space, wish) and is_free(self.claims, space, begin, end)
                ]
                assert available(self.parking, "P1", wish, begin, end) == len(free)
            if found is not None:
                given += 1
                occupancy.add(found[0], begin, end, number)
                self.claims.setdefault(found[0], []).append((begin, end))
                self.held.append((found[0], begin, end, number))
            while self.held and (random.random() < 0.3 or len(self.held) > 400):
                place = random.randrange(len(self.held))
                self.held[place], self.held[-1] = self.held[-1], self.held[place]
                index, other, other_end, owner = self.held.pop()
                occupancy.remove(index, other, other_end, owner)
                self.claims[index].remove((other, other_end))
            self.now += random.randrange(3)
        return given
