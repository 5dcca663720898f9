"""What is to happen on a day: how large the car park is, which cars come, when and what for, and which gates are cut off. All by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from tests.day import passes, walk_ins
from tests.day.books import Driver
from tests.day.cars import Car, Life, Traffic

KINDS: Final = {"STANDARD": "STANDARD", "COMPACT": "COMPACT", "LARGE": "LARGE", "EV": "STANDARD"}
"""Type of space that is asked for → size of the vehicle."""

STARTS: Final = (
    datetime(2026, 10, 24, 22, tzinfo=UTC),
    datetime(2026, 11, 24, 23, tzinfo=UTC),
    datetime(2026, 3, 28, 23, tzinfo=UTC),
)
"""Midnights of the lot's zone; on the first day clocks go back an hour, on the third ahead."""

LIVES: Final[tuple[tuple[int, str, Life], ...]] = (
    (24, "booked", Traffic.booked),
    (8, "overstays", Traffic.booked),
    (4, "no-show", Traffic.no_show),
    (5, "cancels", Traffic.cancelled),
    (3, "tomorrow", Traffic.tomorrow),
    (18, "wallet", Traffic.wallet),
    (3, "overnight", Traffic.wallet),
    (4, "poor", Traffic.poor),
    (10, "ticket", walk_ins.paid),
    (4, "late ticket", walk_ins.late),
    (3, "lost ticket", walk_ins.lost),
    (3, "unpaid ticket", walk_ins.unpaid),
    (1, "unused ticket", walk_ins.unused),
    (4, "season", passes.season),
    (5, "by day", passes.by_day),
    (1, "turns back", Traffic.turned_back),
    (1, "stranger", Traffic.stranger),
    (1, "lost tag", Traffic.revoked),
)
"""How many of a hundred cars live so."""

BY_PLATE: Final = frozenset({"ticket", "late ticket", "lost ticket", "unpaid ticket", "unused ticket"})
BOOKING: Final = frozenset({"booked", "overstays", "no-show", "cancels", "tomorrow"})
ALONE: Final = frozenset({"poor"})
"""Cars whose owner has no other."""

RUSH: Final = (1, 1, 1, 1, 1, 2, 4, 7, 9, 8, 7, 6, 6, 6, 5, 5, 5, 6, 6, 5, 4, 3, 2, 1)
"""How many come in each hour, compared with others."""


@dataclass(frozen=True)
class Size:
    """How large a day is. `spaces` by type; `rejoin` is for how long a gate is cut off, in minutes."""

    spaces: dict[str, int]
    entries: int
    exits: int
    cars: int
    hours: int
    drivers: int
    cut_minutes: int = 60


DAY: Final = Size(
    {"STANDARD": 800, "COMPACT": 80, "LARGE": 60, "EV": 60},
    entries=10,
    exits=10,
    cars=3_000,
    hours=24,
    drivers=100,
)
MORNING: Final = Size(
    {"STANDARD": 10, "COMPACT": 2, "LARGE": 2, "EV": 2},
    entries=2,
    exits=2,
    cars=60,
    hours=4,
    drivers=3,
    cut_minutes=30,
)


@dataclass(frozen=True)
class Planned:
    """A car to be, and what its life is called."""

    name: str
    life: Life
    car: Car


def shape(random: Random, size: Size) -> tuple[int, int]:
    """When a car comes and when it leaves, in minutes of the day."""
    hour = random.choices(range(size.hours), (RUSH if size.hours == 24 else RUSH[6:])[: size.hours])[0]
    arrives = 20 + hour * 60 + random.randrange(60)
    stays = random.choice((5, 20, 40, 90, 150, 240, 300, 420, 510, 540)) + random.randrange(30)
    return arrives, arrives + min(stays, size.hours * 30)


def plan(random: Random, size: Size, drivers: Sequence[Driver], poor: Sequence[Driver]) -> list[Planned]:
    """All cars; `poor` are owners of one car each, and there are no more of these cars than of them."""
    weights = [weight for weight, _, _ in LIVES]
    alone = iter(poor)
    planned = []
    for number in range(size.cars):
        _, name, life = LIVES[number] if number < len(LIVES) else random.choices(LIVES, weights)[0]
        owner = random.choice(drivers)
        if name in ALONE:
            owner = next(alone, None) or owner
            if owner in drivers:
                name, life = "wallet", Traffic.wallet
        planned.append(Planned(name, life, _car(random, size, number, name, owner)))
    return planned


def _car(random: Random, size: Size, number: int, name: str, owner: Driver) -> Car:
    arrives, leaves = shape(random, size)
    asks = random.choices(("STANDARD", "COMPACT", "LARGE", "EV"), (80, 8, 6, 6 if name in BOOKING else 0))[0]
    tag = "" if name in BY_PLATE else f"E280116000{number:014X}"
    car = Car(owner, f"D{number:05}", tag, KINDS[asks], asks, arrives, leaves, Random(random.getrandbits(64)))
    if name in BOOKING:
        _book(random, car, name)
    elif name == "poor":
        car.leaves = max(leaves, arrives + 60)
    elif name == "by day":
        car.arrives = min(max(arrives, 65), 14 * 60)
        car.leaves = car.arrives + leaves - arrives
    elif name == "overnight":
        car.leaves = size.hours * 60 + 1_000
    return car


def _book(random: Random, car: Car, name: str) -> None:
    """The interval, and how it is kept to."""
    car.booked = car.arrives + random.randrange(15)
    length = max(30, car.leaves - car.arrives)
    car.until = car.booked + length
    if name == "booked":
        car.arrives += random.randrange(min(length, 110) // 2)
        car.leaves = random.randrange(car.arrives + 1, car.until + 9)
    elif name == "overstays":
        car.leaves = car.until + random.randrange(12, 180)
    elif name == "tomorrow":
        car.booked, car.until = car.booked + 24 * 60, car.until + 24 * 60
    elif name == "cancels":
        ahead = random.choice((0, 0, 24 * 60))
        car.booked, car.until = car.booked + ahead, car.until + ahead
        car.arrives = max(1, car.booked - ahead - random.choice((16, 60, 119, 121, 200, 400)))
