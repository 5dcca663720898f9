"""Rules inside a calendar: a time zone that exists, sessions that end after they begin, phases that follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Final

from config.entries import Entries, Entry
from config.records import CalendarConfig, MarketDays, ScheduledPhase
from config.sessions import DAY_MINUTES, TradingDay, minutes_of, moment_of
from config.zones import is_time_zone

EPOCH: Final = date(1970, 1, 1)


def problems_of_calendar(entry: Entry[CalendarConfig], markets: Entries[MarketDays]) -> Iterator[str]:
    """One sentence for each broken rule; what could not be read breaks none."""
    calendar = entry.record
    if entry.has("time_zone") and not is_time_zone(calendar.time_zone):
        yield f"time_zone = {calendar.time_zone!r}: is not a time zone such as America/New_York"
    if entry.has("days") and not calendar.days:
        yield "days: must name at least one"
    if entry.has("market") and calendar.market is not None and not markets.may_name("name", calendar.market):
        yield f"market = {calendar.market!r}: is not in market_days.toml"
    if entry.has("opens", "closes") and calendar.opens >= calendar.closes:
        yield f"closes = {calendar.closes!r}: must be after opens = {calendar.opens!r}"
        return
    for special in calendar.special if entry.has("special") else ():
        if special.opens >= special.closes:
            yield f"special: on {special.day} it closes at {special.closes} and opens at {special.opens}"
            return
    if not entry.has("early_close"):
        return
    if calendar.early_close is None:
        if entry.has("early_closes", "market") and is_short_sometimes(calendar, markets):
            yield "early_close: is missing, early_closes need it"
    elif entry.has("opens", "closes") and not calendar.opens < calendar.early_close < calendar.closes:
        yield f"early_close = {calendar.early_close!r}: must lie between opens and closes"
        return
    if entry.has("opens", "closes", "special", "phases", "day_ends"):
        yield from problems_of_phases(calendar)


def is_short_sometimes(calendar: CalendarConfig, markets: Entries[MarketDays]) -> bool:
    """Whether a calendar has days that end early, of its own or of its market."""
    return bool(calendar.early_closes) or any(
        each.short for each in markets.records if each.name == calendar.market
    )


def problems_of_phases(calendar: CalendarConfig) -> Iterator[str]:
    """Phases ascend on an ordinary, a short and a special day, trade, and end closed before the next day's begin."""
    if calendar.phases:
        if all(each.phase is not ScheduledPhase.CONTINUOUS for each in calendar.phases):
            yield "phases: none is CONTINUOUS, so nothing would ever trade"
        if calendar.phases[-1].phase is not ScheduledPhase.CLOSED:
            yield "phases: the last must be CLOSED"
    for name, day in kinds_of_day(calendar):
        moments = [moment_of(each.at, day) for each in calendar.phases]
        if any(later <= earlier for earlier, later in pairwise(moments)):
            yield f"phases: on {name} day they do not follow each other"
        elif moments and not 0 <= moments[0] <= moments[-1] <= moments[0] + DAY_MINUTES:
            yield f"phases: on {name} day they do not fit into a day"
        ends = moment_of(calendar.day_ends or "closes", day)
        if not day.closes_min <= ends <= DAY_MINUTES + day.opens_min:
            yield f"day_ends = {calendar.day_ends!r}: on {name} day it must be after the close and before the next open"


def kinds_of_day(calendar: CalendarConfig) -> Iterator[tuple[str, TradingDay]]:
    """An example of each kind of day that a calendar may have. Which date it is makes no difference."""
    opens, closes = minutes_of(calendar.opens), minutes_of(calendar.closes)
    yield "an ordinary", TradingDay(EPOCH, opens, closes)
    if calendar.early_close is not None:
        yield "a short", TradingDay(EPOCH, opens, minutes_of(calendar.early_close))
    for special in calendar.special:
        yield "a special", TradingDay(special.day, minutes_of(special.opens), minutes_of(special.closes))
