"""The spaces of a lot as bitmaps: by type, feature, height, and distance. Made from the estate when it is first asked for.

Bit `n` stands for the space with index `n`. A change of the estate throws the lot's layout away.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.parking.kinds import Feature, SpaceState, SpaceType
from engine.parking.records import Gate, Parking, Space
from engine.parking.wish import Wish

LIFT_STEP_M: Final = 10
LIFT_POINTS: Final = 50
LIFT_POINTS_STEP: Final = 10
GATE_STEP_M: Final = 20
GATE_POINTS: Final = 30
GATE_POINTS_STEP: Final = 5
LEVEL_M: Final = 50
"""A floor up or down counts as so many metres."""

Points = tuple[tuple[int, int], ...]
"""(points, bitmap of the spaces that get them), those with points above zero only."""


class Layout:
    """Bitmaps of a lot's spaces. Only ACTIVE spaces are in `active`; every space is in all the others. `parts` are (floor, type)."""

    __slots__ = ("active", "features", "gates", "heights", "lift", "parts", "spaces", "types", "wishes")

    def __init__(self, parking: Parking, lot: str) -> None:
        spaces = self.spaces = [parking.spaces[lot, number] for number in parking.numbers[lot]]
        self.active = bitmap(each.index for each in spaces if each.state is SpaceState.ACTIVE)
        self.types = {
            kind: bitmap(each.index for each in spaces if each.space_type is kind) for kind in SpaceType
        }
        self.features = {
            feature: bitmap(each.index for each in spaces if each.features & feature) for feature in Feature
        }
        by_height: dict[int, list[int]] = {}
        for space in spaces:
            by_height.setdefault(height_of(parking, space), []).append(space.index)
        self.heights = [(height_cm, bitmap(by_height[height_cm])) for height_cm in sorted(by_height)]
        self.lift = points_of(
            [(LIFT_POINTS - LIFT_POINTS_STEP * (each.lift_m // LIFT_STEP_M), each.index) for each in spaces]
        )
        by_part: dict[tuple[str, SpaceType], list[int]] = {}
        for space in spaces:
            by_part.setdefault((space.floor, space.space_type), []).append(space.index)
        self.parts = {part: bitmap(by_part[part]) for part in sorted(by_part)}
        self.gates: dict[str, Points] = {}
        self.wishes: dict[Wish, tuple[int, Points]] = {}
        """What engine/parking/allocation.py has found for a wish."""

    def __repr__(self) -> str:
        return f"<Layout of {len(self.spaces)} spaces>"

    def high_enough(self, height_cm: int) -> int:
        """The spaces that a vehicle of this height gets into."""
        found = 0
        for limit_cm, spaces in self.heights:
            if not limit_cm or limit_cm >= height_cm:
                found |= spaces
        return found

    def near_gate(self, parking: Parking, gate: Gate) -> Points:
        """Points for the distance to a gate."""
        points = self.gates.get(gate.gate_id)
        if points is None:
            points = self.gates[gate.gate_id] = points_of(
                [
                    (
                        GATE_POINTS - GATE_POINTS_STEP * (distance_m(parking, gate, each) // GATE_STEP_M),
                        each.index,
                    )
                    for each in self.spaces
                ]
            )
        return points


def layout_of(parking: Parking, lot: str) -> Layout:
    """The layout of a lot, made anew after a change of its estate."""
    layout = parking.layouts.get(lot)
    if layout is None:
        layout = parking.layouts[lot] = Layout(parking, lot)
    return layout


def bitmap(indexes: Iterable[int]) -> int:
    """The bitmap of some indexes, in time linear in the highest."""
    wanted = list(indexes)
    if not wanted:
        return 0
    bits = bytearray((max(wanted) >> 3) + 1)
    for index in wanted:
        bits[index >> 3] |= 1 << (index & 7)
    return int.from_bytes(bits, "little")


def points_of(rows: Iterable[tuple[int, int]]) -> Points:
    """Rows of (points, index) as bitmaps, the most points first."""
    found: dict[int, list[int]] = {}
    for points, index in rows:
        if points > 0:
            found.setdefault(points, []).append(index)
    return tuple([(points, bitmap(found[points])) for points in sorted(found, reverse=True)])


def height_of(parking: Parking, space: Space) -> int:
    """How high a vehicle on a space may be: the lower of the space's and its floor's limits, 0 for none."""
    limits = [each for each in (space.height_cm, parking.floors[space.lot, space.floor].height_cm) if each]
    return min(limits, default=0)


def distance_m(parking: Parking, gate: Gate, space: Space) -> int:
    """The way from a gate to a space: along the floors' axes, and `LEVEL_M` for each floor between them."""
    floors = parking.floors
    level = floors[gate.lot, gate.floor].level if gate.floor else 0
    levels = abs(level - floors[space.lot, space.floor].level)
    return abs(gate.x_m - space.x_m) + abs(gate.y_m - space.y_m) + LEVEL_M * levels
