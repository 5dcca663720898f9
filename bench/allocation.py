"""Allocation in a lot of 10 000 spaces that is half full: from the wish to the space taken, and how many there are.

    python -m bench.allocation

The peer finds the same space by looking at each one with its claims in sorted lists. Both answer the same requests on the same
claims, interleaved; every answer is compared. Wishes are of 24 kinds, as those of real lots are, and half of them were asked before.
"""

from __future__ import annotations

import gc
from bisect import bisect_left, bisect_right
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Final

from bench.figures import median_ratio, percentile, report
from engine.apply import apply
from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.allocation import FITS, allocate, available, classes, fitting
from engine.parking.commands import ImportEstate, SetFloor, SetGate, SetLot, SetSpace
from engine.parking.kinds import Direction, Feature, SpaceType, UserType, VehicleKind
from engine.parking.occupancy import Claim
from engine.parking.records import Parking
from engine.parking.wish import Wish
from engine.state import State

SPACES: Final = 10_000
FLOORS: Final = 10
CLAIMS: Final = 40_000
REQUESTS: Final = 4_000
PEER_REQUESTS: Final = 40
ROUNDS: Final = 5
NOW: Final = 29_500_000
LOT: Final = "P1"


def big_lot(random: Random) -> Parking:
    """A lot of 10 000 spaces on ten floors with four gates."""
    state = State()

    def do(command: AnyCommand) -> None:
        if apply(state, Envelope(Source.CONFIG), command, state.seq + 1).refused is not None:
            raise RuntimeError(f"{type(command).__name__} is refused")

    do(SetLot(LOT, "Big", "", "UTC", "USD", ""))
    floors = tuple([SetFloor(LOT, f"F{n}", f"Floor {n}", n, 210) for n in range(FLOORS)])
    kinds = [SpaceType.STANDARD] * 12 + [SpaceType.COMPACT] * 4 + [SpaceType.LARGE] * 2 + list(SpaceType)
    spaces = []
    for number in range(SPACES):
        features = random.choice((0, 0, 1, 1, 2, 3, 5))
        spaces.append(
            SetSpace(
                *(LOT, f"{number}", f"F{number % FLOORS}", random.choice(kinds), features),
                22 if features & Feature.CHARGER else 0,
                lift_m=random.randrange(100),
                x_m=random.randrange(200),
                y_m=random.randrange(100),
            )
        )
    gates = tuple([SetGate(f"gate{n}", LOT, "In", Direction.ENTRY, floor=f"F{n}") for n in range(4)])
    do(ImportEstate(LOT, floors, tuple(spaces), gates))
    return state.parking


def wishes(random: Random) -> list[Wish]:
    """The wishes of drivers."""
    return [
        Wish(
            random.choice([SpaceType.STANDARD] * 3 + [SpaceType.COMPACT, SpaceType.LARGE, SpaceType.EV]),
            random.choice((VehicleKind.COMPACT, VehicleKind.STANDARD)),
            random.choice((0, 180)),
            4,
            random.choice((0, 0, Feature.COVERED)),
            random.choice((0, Feature.NEAR_LIFT)),
            random.choice(list(UserType)),
            random.choice(("", "gate0", "gate3")),
        )
        for _ in range(24)
    ]


def interval(random: Random) -> tuple[int, int]:
    """From half an hour to three days within the next fortnight, on a quarter of an hour as most bookings are."""
    begin = NOW + random.randrange(14 * 24 * 4) * 15
    return begin, begin + random.choice((30, 60, 120, 240, 480, 1_440, 4_320))


def by_looking(parking: Parking, wish: Wish, begin: int, end: int) -> int | None:
    """The peer: each space that fits, its claims by bisection, and the best of those that are free."""
    claims = parking.occupancy[LOT].claims
    points = {
        index: score
        for score, bits in classes(parking, LOT, wish)
        for index in _indexes(bits & fitting(parking, LOT, wish))
    }
    best: tuple[int, int] | None = None
    for index in sorted(points):
        score = points[index]
        mine = claims.get(index, ())
        place = bisect_right(mine, begin, key=_begin_of)
        if place and mine[place - 1][1] > begin:
            continue
        place = bisect_left(mine, begin, key=_begin_of)
        if place < len(mine) and mine[place][0] < end:
            continue
        for gap in (
            begin - mine[place - 1][1] if place else 10**9,
            mine[place][0] - end if place < len(mine) else 10**9,
        ):
            score += next((more for minutes, more in FITS if gap <= minutes), 0)
        if best is None or score > best[1]:
            best = (index, score)
    return None if best is None else best[0]


def _begin_of(claim: Claim) -> int:
    return claim[0]


def _indexes(bits: int) -> list[int]:
    return [n for n, bit in enumerate(reversed(f"{bits:b}")) if bit == "1"]


def main() -> None:
    """Fill the lot, then measure."""
    random = Random(5)
    parking = big_lot(random)
    asked = wishes(random)
    occupancy = parking.occupancy[LOT]
    for owner in range(CLAIMS):
        begin, end = interval(random)
        found = allocate(parking, LOT, random.choice(asked), begin, end)
        if found is not None:
            occupancy.add(found[0], begin, end, owner)
    gc.collect()
    gc.freeze()
    slowest, slowest_cpu, per_second, peers, counts = [], [], [], [], []
    for _ in range(ROUNDS):
        parking.layouts[LOT].wishes.clear()
        requests = [(random.choice(asked), *interval(random)) for _ in range(REQUESTS)]
        took, took_cpu, begun_s = [], [], process_time()
        for owner, (wish, begin, end) in enumerate(requests):
            since_s, since_cpu_s = perf_counter(), process_time()
            found = allocate(parking, LOT, wish, begin, end)
            if found is not None:
                occupancy.add(found[0], begin, end, owner)
            took.append(perf_counter() - since_s)
            took_cpu.append(process_time() - since_cpu_s)
            if found is not None:
                occupancy.remove(found[0], begin, end, owner)
        per_second.append(REQUESTS / (process_time() - begun_s))
        slowest.append(percentile(sorted(took), 0.99) * 1_000)
        slowest_cpu.append(percentile(sorted(took_cpu), 0.99) * 1_000)
        begun_s = process_time()
        for wish, begin, end in requests:
            available(parking, LOT, wish, begin, end)
        counts.append((process_time() - begun_s) / REQUESTS * 1e6)
        begun_s = process_time()
        for wish, begin, end in requests[:PEER_REQUESTS]:
            expected = by_looking(parking, wish, begin, end)
            found = allocate(parking, LOT, wish, begin, end)
            if expected != (found[0] if found else None):
                raise RuntimeError(f"{wish} {begin} {end}: {found}, expected {expected}")
        peers.append(PEER_REQUESTS / (process_time() - begun_s))
    report(
        "parking_allocation_p99", median(slowest), "ms", must=5.0, aim=1.0, lower_is_better=True,
        cpu=median(slowest_cpu), spaces=SPACES, claims=float(sum([len(each) for each in occupancy.claims.values()])),
        nodes=float(len(occupancy.any)),
    )  # fmt: skip
    report(
        "parking_allocations", median(per_second), "requests/s",
        peer=median(peers), ratio=median_ratio(per_second, peers), clock="cpu",
    )  # fmt: skip
    report("parking_availability", median(counts), "us", clock="cpu")


if __name__ == "__main__":
    main()
