"""Whether the market is open."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from engine.calendars import hours, next_boundary_us, phase_at
from engine.kinds import Phase
from engine.state import Calendar
from engine.units import DAY_US
from handlers.auction_json import AuctionJson, auction_json
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import PhaseName, Time
from handlers.order_json import time_text

AHEAD_US: Final = 31 * DAY_US
"""How far ahead the next session is looked for. No market is closed for longer."""


class SymbolPhaseJson(Struct, frozen=True):
    """An instrument's phase, and while it is in a call what its auction would do now."""

    symbol: str
    phase: PhaseName
    auction: AuctionJson | None


class CalendarStatusJson(Struct, frozen=True):
    """A calendar's session now and next; null where there is none. `phase` changes at `phase_ends_at`."""

    calendar: str
    is_open: bool
    closes_at: Time | None
    opens_at: Time | None
    phase: PhaseName
    phase_ends_at: Time | None


class MarketStatusJson(Struct, frozen=True):
    """`status` is OPEN when at least one instrument trades. `time` is the market's clock."""

    status: Literal["OPEN", "CLOSED"]
    time: Time
    calendars: list[CalendarStatusJson]
    symbols: list[SymbolPhaseJson]


async def status(call: Call) -> Answer:
    """`GET /market/status`."""
    runtime = call.services.runtime
    now_us = runtime.now_us()
    views = call.services.market.symbols
    return success(
        MarketStatusJson(
            status="OPEN" if any(view.phase is Phase.CONTINUOUS for view in views.values()) else "CLOSED",
            time=time_text(now_us),
            calendars=[_calendar(calendar, now_us) for calendar in runtime.state.calendars.values()],
            symbols=[
                SymbolPhaseJson(symbol, view.phase.name, auction_json(view)) for symbol, view in views.items()
            ],
        )
    )


def _calendar(calendar: Calendar, now_us: int) -> CalendarStatusJson:
    spans = hours(calendar, now_us, now_us + AHEAD_US)
    is_open = bool(spans) and spans[0][0] <= now_us
    upcoming = spans[is_open:]
    ends_us = next_boundary_us(calendar, now_us)
    return CalendarStatusJson(
        calendar=calendar.calendar,
        is_open=is_open,
        closes_at=time_text(spans[0][1]) if is_open else None,
        opens_at=time_text(upcoming[0][0]) if upcoming else None,
        phase=phase_at(calendar, now_us).name,
        phase_ends_at=time_text(ends_us) if ends_us else None,
    )
