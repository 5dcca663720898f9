"""The sessions of the market's calendars."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.calendars import hours, phases_of
from engine.units import DAY_US
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import PhaseName, Time
from handlers.order_json import time_text
from handlers.request_input import read_text, read_time_us
from server.errors import BadRequest, NotFound

NAME_MAX: Final = 100
AHEAD_DEFAULT_US: Final = 30 * DAY_US
SPAN_MAX_US: Final = 366 * DAY_US


class TradingSessionJson(Struct, frozen=True):
    """A session: orders match from `opens_at` to before `closes_at`, or to its closing auction."""

    opens_at: Time
    closes_at: Time


class PhaseJson(Struct, frozen=True):
    """What a calendar's books do from `starts_at` to the next phase."""

    phase: PhaseName
    starts_at: Time


class CalendarJson(Struct, frozen=True):
    """A calendar, the instruments that keep it, and its sessions, oldest first.

    `phases` are those that begin in the span: auctions, hours before and after; none for a calendar that is open or closed.
    """

    calendar: str
    symbols: list[str]
    sessions: list[TradingSessionJson]
    phases: list[PhaseJson]


async def calendar(call: Call) -> Answer:
    """`GET /market/calendar?from=&to=&calendar=`: sessions that touch the span, by default the next 30 days; 366 at most.

    Known are those of last year's last day to the end of next year (server/config_commands.py).
    """
    state = call.services.runtime.state
    given_us = read_time_us(call.query, "from")
    from_us = call.services.runtime.now_us() if given_us is None else given_us
    to_us = read_time_us(call.query, "to", end_of_day=True)
    if to_us is None:
        to_us = from_us + AHEAD_DEFAULT_US
    if to_us <= from_us:
        raise BadRequest("to", "must be after from")
    if to_us - from_us > SPAN_MAX_US:
        raise BadRequest("to", "is more than 366 days after from")
    name = read_text(call.query, "calendar", most=NAME_MAX)
    if name is not None and name not in state.calendars:
        raise NotFound("There is no such calendar.")
    symbols: dict[str, list[str]] = {}
    for instrument in state.instruments.values():
        symbols.setdefault(instrument.calendar, []).append(instrument.symbol)
    return success(
        [
            CalendarJson(
                each.calendar,
                symbols.get(each.calendar, []),
                [
                    TradingSessionJson(time_text(opens_us), time_text(closes_us))
                    for opens_us, closes_us in hours(each, from_us, to_us)
                ],
                [
                    PhaseJson(phase.name, time_text(start_us))
                    for start_us, phase in phases_of(each, from_us, to_us)
                ],
            )
            for each in state.calendars.values()
            if name is None or each.calendar == name
        ]
    )
