"""Who is inside the car parks as a projection of durable events, for the channel `parking`.

Vehicles come with `OccupancyChanged`. What the estate is, no event tells as a whole: after a change of it a lot is read from the
engine's state, at the sequence of then, and shown when that is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from engine.parking.booking_events import OccupancyChanged
from engine.parking.events import FloorSet, LotSet, SpaceSet
from engine.parking.kinds import SpaceType
from engine.parking.layout import layout_of
from engine.state import State
from server.codec import Record

if TYPE_CHECKING:
    from server.market_view import MarketView

Part = tuple[str, SpaceType]
"""A floor's spaces of a type."""


class PartView(Struct, gc=False):
    """How many vehicles stand on so many spaces. `changed_at` is the place of the newest change in the order of all changes."""

    vehicles: int
    spaces: int
    changed_at: int


class ReadLot(Struct, frozen=True, gc=False):
    """A lot as the engine has it at `seq`."""

    seq: int
    inside: int
    capacity: int
    parts: dict[Part, tuple[int, int]]


class LotView:
    """A lot as the public sees it; `seq` and `time_us` are those of its newest change."""

    __slots__ = ("capacity", "changed_at", "inside", "lot_id", "parts", "seq", "time_us")

    def __init__(self, lot_id: str) -> None:
        self.lot_id = lot_id
        self.inside = 0
        self.capacity = 0
        self.parts: dict[Part, PartView] = {}
        self.changed_at = 0
        self.seq = 0
        self.time_us = 0

    def __repr__(self) -> str:
        return f"<LotView {self.lot_id} {self.inside}/{self.capacity} seq={self.seq}>"

    def parts_after(self, since: int) -> Iterator[tuple[Part, PartView]]:
        """The parts that changed after `since`, also those without a space now; -1: all that there are."""
        for part, view in sorted(self.parts.items()):
            if view.changed_at > since and (since >= 0 or view.spaces):
                yield part, view

    def set_part(self, part: Part, vehicles: int, spaces: int, changed_at: int) -> bool:
        """Set a part. False when it was so."""
        view = self.parts.get(part)
        if view is None:
            self.parts[part] = PartView(vehicles, spaces, changed_at)
        elif (view.vehicles, view.spaces) == (vehicles, spaces):
            return False
        else:
            view.vehicles, view.spaces, view.changed_at = vehicles, spaces, changed_at
        return True


class ParkingView:
    """All lots by their ids. A part of the market's view, whose count of changes it shares (server/cohorts.py)."""

    __slots__ = ("_market", "_state", "due", "lots")

    def __init__(self, market: MarketView) -> None:
        self._market = market
        self._state: State | None = None
        self.lots: dict[str, LotView] = {}
        self.due: dict[str, ReadLot] = {}
        """Lots that were read and whose sequence is not durable yet, by their codes."""

    def __repr__(self) -> str:
        return f"<ParkingView lots={len(self.lots)} due={len(self.due)}>"

    def projections(self) -> dict[type, Callable[[Any, Record], None]]:
        """What takes which event."""
        return {
            OccupancyChanged: self._on_occupancy_changed,
            LotSet: lambda event, record: self._read(event.lot.lot, record),
            FloorSet: lambda event, record: self._read(event.floor.lot, record),
            SpaceSet: lambda event, record: self._read(event.space.lot, record),
        }

    def seed(self, state: State, *, now_us: int) -> None:
        """Start from the recovered state, all of which is durable."""
        self._state = state
        for code in state.parking.lots:
            self._show(code, read_occupancy(state, code), now_us)

    def settle(self, durable_seq: int, now_us: int) -> None:
        """Show the lots that were read at a sequence which is durable now."""
        for code, read in list(self.due.items()):
            if read.seq <= durable_seq:
                del self.due[code]
                self._show(code, read, now_us)

    def _read(self, code: str, record: Record) -> None:
        """The estate of a lot has changed: read it, unless it was read after this change already."""
        read = self.due.get(code)
        if self._state is not None and (read is None or read.seq < record.seq):
            if read is not None:
                self._show(code, read, record.now_us)
            self.due[code] = read_occupancy(self._state, code)

    def _show(self, code: str, read: ReadLot, now_us: int) -> None:
        lot_id = f"lot_{code}"
        view = self.lots.get(lot_id)
        is_new = view is None
        if view is None:
            view = self.lots[lot_id] = LotView(lot_id)
        changed_at = self._market.changes + 1
        parts = dict.fromkeys(view.parts, (0, 0)) | read.parts
        changed = [view.set_part(part, *figures, changed_at) for part, figures in parts.items()]
        if is_new or any(changed) or (view.inside, view.capacity) != (read.inside, read.capacity):
            view.inside, view.capacity = read.inside, read.capacity
            self._touch(view, read.seq, now_us)

    def _touch(self, view: LotView, seq: int, time_us: int) -> None:
        self._market.changes += 1
        view.changed_at = self._market.changes
        view.seq, view.time_us = seq, time_us

    def _on_occupancy_changed(self, event: OccupancyChanged, record: Record) -> None:
        read = self.due.get(event.lot)
        if read is not None and read.seq < record.seq:
            del self.due[event.lot]
            self._show(event.lot, read, record.now_us)
        view = self.lots.get(f"lot_{event.lot}")
        if view is None:
            return  # made a moment ago: what is read of it and not shown yet has this change too
        view.inside, view.capacity = event.inside, event.capacity
        for floor, kind, vehicles, spaces in event.parts:
            view.set_part((floor, kind), vehicles, spaces, self._market.changes + 1)
        self._touch(view, record.seq, record.now_us)


def read_occupancy(state: State, code: str) -> ReadLot:
    """A lot as the engine has it now, durable or not: all its parts, and everybody inside."""
    parking = state.parking
    layout, inside = layout_of(parking, code), parking.occupancy[code].inside
    parts = {
        part: ((inside & spaces).bit_count(), spaces.bit_count()) for part, spaces in layout.parts.items()
    }
    return ReadLot(state.seq, parking.inside.get(code, 0), layout.active.bit_count(), parts)


PARKING_MAX_MS: Final = 150
"""Who follows car parks is served so often, or more often: a change is to be told within 200 ms."""
