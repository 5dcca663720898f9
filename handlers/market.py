"""Whether the market is open."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

from msgspec import Struct

from engine.kinds import Phase
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import PhaseName, Time
from handlers.order_json import time_text


class SymbolPhaseJson(Struct, frozen=True):
    """An instrument's phase: CLOSED, CONTINUOUS or HALTED."""

    symbol: str
    phase: PhaseName


class CalendarStatusJson(Struct, frozen=True):
    """A calendar's session now and next; null where there is none."""

    calendar: str
    is_open: bool
    closes_at: Time | None
    opens_at: Time | None


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
    phases = list(call.services.market.phases())
    return success(
        MarketStatusJson(
            status="OPEN" if any(phase is Phase.CONTINUOUS for _, phase in phases) else "CLOSED",
            time=time_text(now_us),
            calendars=[
                _calendar(name, calendar.sessions, now_us)
                for name, calendar in runtime.state.calendars.items()
            ],
            symbols=[SymbolPhaseJson(symbol, phase.name) for symbol, phase in phases],
        )
    )


def _calendar(name: str, sessions: tuple[tuple[int, int], ...], now_us: int) -> CalendarStatusJson:
    upcoming = bisect_right(sessions, now_us, key=lambda session: session[0])
    closes_us = sessions[upcoming - 1][1] if upcoming else 0
    is_open = closes_us > now_us
    return CalendarStatusJson(
        calendar=name,
        is_open=is_open,
        closes_at=time_text(closes_us) if is_open else None,
        opens_at=time_text(sessions[upcoming][0]) if upcoming < len(sessions) else None,
    )
