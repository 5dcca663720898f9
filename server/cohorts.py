"""Conflated market data: clients that want the same at the same cadence share a slot of the wheel and its frame.

A symbol knows the place of its newest change in the order of all changes, a client the place up to which it
has seen everything; a frame is what lies between. So a client that is skipped needs no queue: its next frame
holds the newest state of whatever changed meanwhile (drop to latest).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any, Final

from server.candle_streams import CandleSeries
from server.depth_log import DepthLog
from server.market_view import MarketView
from server.outlet import Outlet
from server.stream_json import (
    candle_fragment,
    candles_message,
    depth_fragment,
    depth_message,
    quote_fragment,
    quotes_message,
    trade_fragment,
    trades_message,
)
from server.symbol_view import SymbolView
from server.ws_frames import text_frame

SLOT_MS: Final = 5
"""Length of a slot: clients are served in slots, never all at once."""

CohortKey = tuple[tuple[tuple[str, ...], ...], int, int]
"""The names of what is followed, by channel and in alphabetical order; the period in slots, and the phase."""


class Cohort:
    """Clients that follow the same at the same cadence and in the same slot."""

    __slots__ = ("key", "outlets", "period", "phase", "sources")

    def __init__(self, key: CohortKey, follows: Mapping[str, Mapping[str, Any]]) -> None:
        self.key = key
        self.sources = [
            (FRAMES[channel], tuple(follows[channel][name] for name in names))
            for channel, names in zip(FRAMES, key[0], strict=True)
            if names
        ]
        self.period = key[1]
        self.phase = key[2]
        self.outlets: dict[Outlet, None] = {}

    def frame(self, since: int) -> bytes:
        """Everything that changed after `since` as WebSocket frames ready to be written; empty when nothing did."""
        return b"".join([frame(sources, since) for frame, sources in self.sources])


def quotes_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The quotes that changed after `since` (-1: all) as one frame; empty when there are none."""
    fragments = []
    for view in views:
        if view.changed_at > since:
            fragment = view.fragment
            if fragment is None:
                fragment = view.fragment = quote_fragment(view)
            fragments.append(fragment)
    return text_frame(quotes_message(fragments)) if fragments else b""


def trades_frame(views: tuple[SymbolView, ...], since: int) -> bytes:
    """The trades after `since` that are still remembered as one frame; empty when there are none."""
    trades = [
        trade
        for view in views
        if view.traded_at > since
        for trade in takewhile(lambda trade: trade.changed_at > since, reversed(view.trades))
    ]
    if not trades:
        return b""
    trades.sort(key=lambda trade: trade.changed_at)
    for trade in trades:
        if trade.fragment is None:
            trade.fragment = trade_fragment(trade)
    return text_frame(trades_message(trade.fragment for trade in trades if trade.fragment is not None))


def depth_frame(logs: tuple[DepthLog, ...], since: int) -> bytes:
    """What changed in these books after `since` (-1: the whole books) as one frame; empty when nothing did."""
    steps = [log.step(since) for log in logs if since < log.changed_at or since < log.forgotten_at]
    fragments = [depth_fragment(step) for step in steps if step is not None]
    return text_frame(depth_message(fragments)) if fragments else b""


def candles_frame(series: tuple[CandleSeries, ...], since: int) -> bytes:
    """The candles that changed after `since` (-1: the newest of each series) as one frame; empty when none did."""
    fragments = []
    for one in series:
        if one.changed_at > since:
            for told in one.since(since):
                fragment = told.fragment
                if fragment is None:
                    fragment = told.fragment = candle_fragment(told)
                fragments.append(fragment)
    return text_frame(candles_message(fragments)) if fragments else b""


FrameBuilder = Callable[[tuple[Any, ...], int], bytes]

FRAMES: Final[dict[str, FrameBuilder]] = {
    "quotes": quotes_frame,
    "trades": trades_frame,
    "depth": depth_frame,
    "candles": candles_frame,
}
"""Public channel → what makes its frame from the sources that a client follows and the place up to which it knows."""


SNAPSHOTS: Final = ("quotes", "depth", "candles")
"""Channels that begin with the state as it is."""


def snapshot_frames(follows: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The state of what a client has begun to follow, in the channels that begin with it."""
    return b"".join(
        FRAMES[channel](tuple(sources[name] for name in sorted(sources)), -1)
        for channel in SNAPSHOTS
        if (sources := follows.get(channel))
    )


class CohortWheel:
    """Slots of `SLOT_MS`; each cohort comes round once a period. `turn` is driven by the hub's timer.

    A cohort's phase is given out in turn, so that clients are spread evenly over their period.
    """

    __slots__ = ("_market", "_next_phase", "_slots", "cohorts", "tick")

    def __init__(self, market: MarketView, interval_max_ms: int) -> None:
        self._market = market
        self._slots: list[list[Cohort]] = [[] for _ in range(interval_max_ms // SLOT_MS + 2)]
        self._next_phase = 0
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
        names = tuple(tuple(sorted(follows.get(channel, ()))) for channel in FRAMES)
        key = (names, period, self._next_phase % period)
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

    def turn(self, now_s: float, stuck: dict[Outlet, None]) -> int:
        """Serve the next slot. Clients whose transport is not empty are skipped and put into `stuck`.

        Returns how many frames were written.
        """
        self.tick += 1
        index = self.tick % len(self._slots)
        cohorts = self._slots[index]
        if not cohorts:
            return 0
        self._slots[index] = []
        written = 0
        for cohort in cohorts:
            if cohort.outlets:
                written += self.serve(cohort, now_s, stuck)
                self._schedule(cohort)
        return written

    def serve(self, cohort: Cohort, now_s: float, stuck: dict[Outlet, None]) -> int:
        """Write to each client of a cohort what it has not seen; clients that have seen the same share bytes."""
        changes = self._market.changes
        frames: dict[int, bytes] = {}
        written = 0
        for outlet in cohort.outlets:
            since = outlet.seen
            if since == changes or not outlet.is_open:
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
