"""Which space somebody gets: conditions first, then the highest score; of equals the lowest index.

The score is the sum of the rows of a table (docs/parking.md, "Availability and allocation"), all integers. What does not depend on
the time (type, features, lift, gate) is combined into classes of equal points, each a bitmap; what does (how tightly the gap
fits) is six bitmaps from the occupancy's tree. Classes are looked at in descending order until none can win any more.
"""

from __future__ import annotations

from typing import Final

from engine.parking.kinds import Feature, SpaceType, UserType, VehicleKind, VehicleRight
from engine.parking.layout import Layout, Points, layout_of
from engine.parking.occupancy import Occupancy
from engine.parking.records import Parking
from engine.parking.wish import Wish

TYPE_POINTS: Final = 1_000
UPGRADE_POINTS: Final = -200
PREFERRED_POINTS: Final = 60
UNASKED_POINTS: Final = -40
FITS: Final = ((15, 30), (60, 20), (240, 10))
"""(minutes, points): a gap that is left before or after the interval and is at most so long."""
FIT_POINTS_MAX: Final = 60

LIFT_FACTOR: Final = {UserType.STANDARD: 0, UserType.PREMIUM: 1, UserType.ACCESSIBLE: 2}

UPGRADES: Final[dict[SpaceType, tuple[tuple[SpaceType, int], ...]]] = {
    SpaceType.MOTORCYCLE: ((SpaceType.COMPACT, 1), (SpaceType.STANDARD, 2), (SpaceType.LARGE, 3)),
    SpaceType.COMPACT: ((SpaceType.STANDARD, 1), (SpaceType.LARGE, 2)),
    SpaceType.STANDARD: ((SpaceType.LARGE, 1),),
    SpaceType.LARGE: (),
    SpaceType.ACCESSIBLE: (),
    SpaceType.EV: (),
    SpaceType.VIP: (),
}
"""Type that was asked for → what does as well, and how many steps away it is."""

ROOM: Final = {
    SpaceType.MOTORCYCLE: VehicleKind.MOTORCYCLE,
    SpaceType.COMPACT: VehicleKind.COMPACT,
    SpaceType.STANDARD: VehicleKind.STANDARD,
    SpaceType.EV: VehicleKind.STANDARD,
    SpaceType.LARGE: VehicleKind.LARGE,
    SpaceType.ACCESSIBLE: VehicleKind.LARGE,
    SpaceType.VIP: VehicleKind.LARGE,
}
"""Type → the largest vehicle that fits it."""

RIGHTS: Final = {
    SpaceType.ACCESSIBLE: VehicleRight.ACCESSIBLE,
    SpaceType.VIP: VehicleRight.VIP,
    SpaceType.EV: VehicleRight.ELECTRIC,
}
"""Type → the right that it needs."""

USUAL_TYPE: Final = {
    VehicleKind.MOTORCYCLE: SpaceType.MOTORCYCLE,
    VehicleKind.COMPACT: SpaceType.COMPACT,
    VehicleKind.STANDARD: SpaceType.STANDARD,
    VehicleKind.LARGE: SpaceType.LARGE,
}
"""What a vehicle gets whose driver did not say."""


WISHES_KEPT: Final = 1_024
"""Wishes whose spaces a lot remembers: a kind of vehicle at each of its gates."""


def of_wish(parking: Parking, lot: str, wish: Wish) -> tuple[int, Points]:
    """The spaces that meet the conditions, and the classes of equal points. Remembered until the estate changes."""
    layout = layout_of(parking, lot)
    found = layout.wishes.get(wish)
    if found is None:
        if len(layout.wishes) >= WISHES_KEPT:
            layout.wishes.clear()
        found = layout.wishes[wish] = (_fitting(layout, wish), _classes(parking, layout, wish))
    return found


def fitting(parking: Parking, lot: str, wish: Wish) -> int:
    """The bitmap of the spaces that meet the conditions, free or not."""
    return of_wish(parking, lot, wish)[0]


def classes(parking: Parking, lot: str, wish: Wish) -> Points:
    """(points, spaces) for all that does not depend on the time, the most points first."""
    return of_wish(parking, lot, wish)[1]


def _fitting(layout: Layout, wish: Wish) -> int:
    found = 0
    for space_type, _ in types_for(wish):
        found |= layout.types[space_type]
    found &= layout.active
    if wish.height_cm:
        found &= layout.high_enough(wish.height_cm)
    for feature in Feature:
        if wish.required & feature:
            found &= layout.features[feature]
    return found


def types_for(wish: Wish) -> list[tuple[SpaceType, int]]:
    """The types that do for a wish, with the steps by which each is away from what was asked for."""
    return [
        (space_type, steps)
        for space_type, steps in ((wish.space_type, 0), *UPGRADES[wish.space_type])
        if wish.vehicle <= ROOM[space_type] and not RIGHTS.get(space_type, 0) & ~wish.rights
    ]


def available(parking: Parking, lot: str, wish: Wish, begin: int, end: int) -> int:
    """How many spaces there are for a wish in `[begin, end)`, minutes since the epoch."""
    return (of_wish(parking, lot, wish)[0] & ~parking.occupancy[lot].taken(begin, end)).bit_count()


def allocate(
    parking: Parking, lot: str, wish: Wish, begin: int, end: int, *, avoid: int = 0
) -> tuple[int, int] | None:
    """(index, score) of the space that somebody gets for `[begin, end)`, or None. `avoid` is a bitmap of spaces not to take."""
    occupancy = parking.occupancy[lot]
    fit_for_it, by_points = of_wish(parking, lot, wish)
    free = fit_for_it & ~avoid
    if free:
        free &= ~occupancy.taken(begin, end)
    if not free:
        return None
    by_fit = fits(occupancy, free, begin, end)
    best, winners = 0, 0
    for points, spaces in by_points:
        if winners and points + FIT_POINTS_MAX < best:
            break
        left = spaces & free
        if not left:
            continue
        for fit_points, fit in by_fit:
            found = left & fit
            if found:
                score = points + fit_points
                if not winners or score > best:
                    best, winners = score, found
                elif score == best:
                    winners |= found
                break
    return (winners & -winners).bit_length() - 1, best


def fits(occupancy: Occupancy, free: int, begin: int, end: int) -> Points:
    """(points, free spaces that get them) for the gaps before and after an interval, the most points first; each space once."""
    before: list[tuple[int, int]] = []
    after: list[tuple[int, int]] = []
    left_before = left_after = free
    taken = occupancy.taken
    for minutes, points in FITS:
        near = taken(max(0, begin - minutes - 1), begin) & left_before
        if near:
            before.append((points, near))
            left_before &= ~near
        near = taken(end, end + minutes + 1) & left_after
        if near:
            after.append((points, near))
            left_after &= ~near
    if not before and not after:
        return ((0, free),)
    before.append((0, left_before))
    after.append((0, left_after))
    sums: dict[int, int] = {}
    for points, spaces in before:
        for more, others in after:
            both = spaces & others
            if both:
                sums[points + more] = sums.get(points + more, 0) | both
    return tuple([(points, sums[points]) for points in sorted(sums, reverse=True)])


def _classes(parking: Parking, layout: Layout, wish: Wish) -> Points:
    everything = layout.active
    found: dict[int, int] = {}
    for space_type, steps in types_for(wish):
        points = UPGRADE_POINTS * steps if steps else TYPE_POINTS
        found[points] = found.get(points, 0) | layout.types[space_type] & everything
    for feature in Feature:
        if not wish.required & feature:
            points = PREFERRED_POINTS if wish.preferred & feature else UNASKED_POINTS
            found = _combined(found, ((points, layout.features[feature]),))
    factor = LIFT_FACTOR[wish.user_type]
    if factor:
        found = _combined(found, tuple([(factor * points, spaces) for points, spaces in layout.lift]))
    gate = parking.gates.get(wish.gate_id)
    if gate is not None:
        found = _combined(found, layout.near_gate(parking, gate))
    return tuple([(points, found[points]) for points in sorted(found, reverse=True)])


def _combined(found: dict[int, int], rows: Points) -> dict[int, int]:
    """Classes after one more row of the table: who is in none of its bitmaps gets nothing more."""
    sums: dict[int, int] = {}
    for points, spaces in found.items():
        left = spaces
        for more, others in rows:
            both = left & others
            if both:
                sums[points + more] = sums.get(points + more, 0) | both
                left &= ~both
        if left:
            sums[points] = sums.get(points, 0) | left
    return sums


def forget_layout(parking: Parking, lot: str) -> None:
    """The estate of a lot has changed: what was made from it is made anew when it is asked for."""
    parking.layouts.pop(lot, None)
