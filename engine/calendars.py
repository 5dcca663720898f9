"""What a calendar says of a time: the phase, the next change, the end of the day, the auctions ahead. Decides nothing.

Source: docs/orders.md, "Sessions". A calendar without phases is CONTINUOUS within its sessions and CLOSED outside.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from engine.kinds import Phase, TimeInForce
from engine.state import Calendar
from engine.units import TIME_MAX_US

CALLS = (Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.HALT_AUCTION)
"""Phases in which orders are collected for an uncross at their end."""

SCHEDULED = (
    *(Phase.CLOSED, Phase.PRE_OPEN, Phase.OPENING_AUCTION, Phase.CONTINUOUS),
    *(Phase.CLOSING_AUCTION, Phase.POST_TRADE, Phase.EXTENDED),
)
"""Phases that a calendar may name; the others come of what happens in a book."""

AUCTION_OF = {TimeInForce.OPG: Phase.OPENING_AUCTION, TimeInForce.CLS: Phase.CLOSING_AUCTION}
"""The auction that a time in force is for."""

_start = itemgetter(0)
_close = itemgetter(1)


def is_sound(sessions: tuple[tuple[int, int], ...], phases: tuple[tuple[int, Phase], ...]) -> bool:
    """Whether sessions ascend without overlapping, and phases ascend and can be scheduled."""
    last_us = 0
    for open_us, close_us in sessions:
        if not last_us <= open_us < close_us <= TIME_MAX_US:
            return False
        last_us = close_us
    last_us = -1
    for start_us, phase in phases:
        if not last_us < start_us <= TIME_MAX_US or phase not in SCHEDULED:
            return False
        last_us = start_us
    return True


def phase_at(calendar: Calendar, now_us: int) -> Phase:
    """The phase at a time; a session includes its open and excludes its close."""
    if calendar.phases:
        index = bisect_right(calendar.phases, now_us, key=_start)
        return calendar.phases[index - 1][1] if index else Phase.CLOSED
    index = bisect_right(calendar.sessions, now_us, key=_close)
    if index < len(calendar.sessions) and calendar.sessions[index][0] <= now_us:
        return Phase.CONTINUOUS
    return Phase.CLOSED


def next_boundary_us(calendar: Calendar, now_us: int) -> int:
    """The next open, close or change of phase after a time; 0 when the calendar has no more."""
    found = []
    index = bisect_right(calendar.sessions, now_us, key=_close)
    if index < len(calendar.sessions):
        open_us, close_us = calendar.sessions[index]
        found.append(open_us if open_us > now_us else close_us)
    index = bisect_right(calendar.phases, now_us, key=_start)
    if index < len(calendar.phases):
        found.append(calendar.phases[index][0])
    return min(found, default=0)


def day_end_us(calendar: Calendar, now_us: int) -> int:
    """The next end of a day after a time; 0 when there is none."""
    index = bisect_right(calendar.sessions, now_us, key=_close)
    return calendar.sessions[index][1] if index < len(calendar.sessions) else 0


def auction_end_us(calendar: Calendar, auction: Phase, after_us: int) -> int:
    """The end of the first call of this kind that ends after a time; 0 when there is none."""
    phases = calendar.phases
    for index in range(bisect_right(phases, after_us, key=_start), len(phases)):
        if phases[index - 1][1] is auction and index:
            return phases[index][0]
    return 0


def is_auction_ahead(calendar: Calendar, auction: Phase, now_us: int) -> bool:
    """Whether a call of this kind ends before the day does: an order for it may still be sent."""
    return 0 < auction_end_us(calendar, auction, now_us) <= day_end_us(calendar, now_us)
