"""Conflated market data: clients that want the same at the same cadence share a slot of the wheel and its frame.

A symbol knows the place of its newest change in the order of all changes, a client the place up to which it
has seen everything; a frame is what lies between. So a client that is skipped needs no queue: its next frame
holds the newest state of whatever changed meanwhile (drop to latest).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from server.market_view import MarketView
from server.outlet import Outlet
from server.stream_json import JSON_FRAMES
from server.stream_proto import PROTO_FRAMES
from server.wire import Wire

SLOT_MS: Final = 5
"""Length of a slot: clients are served in slots, never all at once."""

CLIENTS_MAX: Final = 32
"""So many clients are served before others have their turn: their frames take the kernel a third of a millisecond."""

CohortKey = tuple[tuple[tuple[str, ...], ...], int, int, Wire]
"""The names of what is followed, by channel and in alphabetical order; the period in slots, the phase, and the form."""


class Cohort:
    """Clients that follow the same in the same form, at the same cadence and in the same slot."""

    __slots__ = ("key", "outlets", "period", "phase", "sources")

    def __init__(self, key: CohortKey, follows: Mapping[str, Mapping[str, Any]]) -> None:
        self.key = key
        frames = FRAMES[key[3]]
        self.sources = [
            (frames[channel], tuple(follows[channel][name] for name in names))
            for channel, names in zip(CHANNELS, key[0], strict=True)
            if names
        ]
        self.period = key[1]
        self.phase = key[2]
        self.outlets: dict[Outlet, None] = {}

    def frame(self, since: int) -> bytes:
        """Everything that changed after `since` as WebSocket frames ready to be written; empty when nothing did."""
        return b"".join([frame(sources, since) for frame, sources in self.sources])


FrameBuilder = Callable[[tuple[Any, ...], int], bytes]

CHANNELS: Final = ("quotes", "trades", "depth", "candles", "auctions", "parking")
FRAMES: Final[dict[Wire, dict[str, FrameBuilder]]] = {Wire.JSON: JSON_FRAMES, Wire.PROTO: PROTO_FRAMES}
"""Form → public channel → what makes its frame from the sources that a client follows and the place up to which it knows."""


SNAPSHOTS: Final = ("quotes", "depth", "candles", "auctions", "parking")
"""Channels that begin with the state as it is."""


def snapshot_frames(follows: Mapping[str, Mapping[str, Any]], wire: Wire) -> bytes:
    """The state of what a client has begun to follow, in the channels that begin with it."""
    frames = FRAMES[wire]
    return b"".join(
        frames[channel](tuple(sources[name] for name in sorted(sources)), -1)
        for channel in SNAPSHOTS
        if (sources := follows.get(channel))
    )


class CohortWheel:
    """Slots of `SLOT_MS`; each cohort comes round once a period. The hub's timer drives it: `advance` when a slot has
    come, then `serve_some` until nobody waits.

    A cohort's phase is given out in turn, so that clients are spread evenly over their period.
    """

    __slots__ = ("_market", "_next_phase", "_slots", "_waiting", "cohorts", "tick")

    def __init__(self, market: MarketView, interval_max_ms: int) -> None:
        self._market = market
        self._slots: list[list[Cohort]] = [[] for _ in range(interval_max_ms // SLOT_MS + 2)]
        self._next_phase = 0
        self._waiting: deque[tuple[Cohort, deque[Outlet]]] = (
            deque()
        )  # what is left of the slots that have come
        self.cohorts: dict[CohortKey, Cohort] = {}
        self.tick = 0

    @property
    def slots(self) -> int:
        """How many slots a whole round has."""
        return len(self._slots)

    def place(self, outlet: Outlet) -> None:
        """Put a client where what it follows and its cadence belong; nowhere when it follows nothing."""
        self.remove(outlet)
        follows = outlet.follows
        if not any(follows.values()):
            return
        period = max(1, outlet.interval_ms // SLOT_MS)
        self._next_phase += 1
        names = tuple(tuple(sorted(follows.get(channel, ()))) for channel in CHANNELS)
        key = (names, period, self._next_phase % period, outlet.wire)
        cohort = self.cohorts.get(key)
        if cohort is None:
            cohort = self.cohorts[key] = Cohort(key, follows)
            self._schedule(cohort)
        cohort.outlets[outlet] = None
        outlet.cohort = cohort

    def remove(self, outlet: Outlet) -> None:
        """Take a client out."""
        cohort = outlet.cohort
        if cohort is None:
            return
        outlet.cohort = None
        del cohort.outlets[outlet]
        if not cohort.outlets:
            del self.cohorts[cohort.key]

    def _schedule(self, cohort: Cohort) -> None:
        """Put a cohort into the slot of its next turn, at most one period ahead."""
        ahead = (cohort.phase - self.tick) % cohort.period or cohort.period
        self._slots[(self.tick + ahead) % len(self._slots)].append(cohort)

    @property
    def is_serving(self) -> bool:
        """Whether clients whose slot has come are still to be served."""
        return bool(self._waiting)

    def advance(self) -> None:
        """Go on to the next slot: its clients are to be served."""
        self.tick += 1
        index = self.tick % len(self._slots)
        cohorts = self._slots[index]
        if not cohorts:
            return
        self._slots[index] = []
        for cohort in cohorts:
            if cohort.outlets:
                self._waiting.append((cohort, deque(cohort.outlets)))
                self._schedule(cohort)

    def serve_some(self, now_s: float, stuck: dict[Outlet, None]) -> int:
        """Serve `CLIENTS_MAX` of the clients that wait, of one cohort. Those whose transport is not empty are skipped and
        put into `stuck`. Returns how many frames were written.
        """
        cohort, outlets = self._waiting[0]
        if len(outlets) <= CLIENTS_MAX:
            self._waiting.popleft()
            return self.serve(cohort, outlets, now_s, stuck)
        return self.serve(cohort, [outlets.popleft() for _ in range(CLIENTS_MAX)], now_s, stuck)

    def serve(
        self, cohort: Cohort, outlets: Iterable[Outlet], now_s: float, stuck: dict[Outlet, None]
    ) -> int:
        """Write to clients of a cohort what they have not seen; those that have seen the same share bytes."""
        changes = self._market.changes
        frames: dict[int, bytes] = {}
        written = 0
        for outlet in outlets:
            since = outlet.seen
            if since == changes or not outlet.is_open or outlet.cohort is not cohort:
                continue
            transport = outlet.transport
            if transport.get_write_buffer_size():
                if not outlet.stuck_since:
                    outlet.stuck_since = now_s
                    stuck[outlet] = None
                continue
            frame = frames.get(since)
            if frame is None:
                frame = frames[since] = cohort.frame(since)
            outlet.seen = changes
            if frame and not transport.is_closing():
                transport.write(frame)
                written += 1
        return written
