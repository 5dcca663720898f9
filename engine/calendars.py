"""What a calendar says of a time: the phase, the next change, the end of the day, the auctions ahead. Decides nothing.

Source: docs/orders.md, "Sessions". A calendar without phases is CONTINUOUS within its sessions and CLOSED outside.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice, takewhile
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


def hours(calendar: Calendar, from_us: int, to_us: int) -> list[tuple[int, int]]:
    """When orders of every kind match, as (opens, closes): the sessions that end after `from_us` and begin before `to_us`.

    With phases that is from a day's first CONTINUOUS to the end of its last CONTINUOUS or CLOSING_AUCTION; its day may be longer.
    """
    found: list[tuple[int, int]] = []
    for index in range(bisect_right(calendar.sessions, from_us, key=_close), len(calendar.sessions)):
        open_us, end_us = calendar.sessions[index]
        if open_us >= to_us:
            break
        span = trading_span(calendar, open_us, end_us) if calendar.phases else (open_us, end_us)
        if span is not None and span[1] > from_us and span[0] < to_us:
            found.append(span)
    return found


def trading_span(calendar: Calendar, open_us: int, end_us: int) -> tuple[int, int] | None:
    """The (opens, closes) of one day with phases; None when nothing is CONTINUOUS in it."""
    opens_us = closes_us = 0
    phases = calendar.phases
    index = max(bisect_right(phases, open_us, key=_start) - 1, 0)
    while index < len(phases) and phases[index][0] < end_us:
        start_us, phase = phases[index]
        index += 1
        if phase is Phase.CONTINUOUS:
            opens_us = opens_us or max(start_us, open_us)
        elif phase is not Phase.CLOSING_AUCTION:
            continue
        closes_us = phases[index][0] if index < len(phases) else end_us
    return (opens_us, min(closes_us, end_us)) if opens_us else None


def phases_of(calendar: Calendar, from_us: int, to_us: int) -> list[tuple[int, Phase]]:
    """The phases that begin in a span, ascending."""
    first = bisect_right(calendar.phases, from_us - 1, key=_start)
    return list(takewhile(lambda each: each[0] < to_us, islice(calendar.phases, first, None)))


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
