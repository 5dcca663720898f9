"""How an account has done over a period: its worth at the end of each day, and now.

Points are the daily snapshots (server/snapshots.py) and the present. The return is weighted by time: each day's is the
worth at its end over the worth at the end before plus what was paid in between, and they are multiplied exactly; so paying in or
out is no gain and no loss. What is paid counts from the beginning of its day.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta, Struct

from engine.units import DAY_US
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import Currency, Time
from handlers.numbers import Number, cash, percent
from handlers.order_json import time_text
from handlers.request_input import read_choice
from server.errors import NotFound
from server.snapshots import Worth, worth_now, worth_since

PERIODS_US: Final[dict[str, int | None]] = {
    "1d": DAY_US,
    "1w": 7 * DAY_US,
    "1m": 31 * DAY_US,
    "3m": 92 * DAY_US,
    "6m": 183 * DAY_US,
    "1y": 366 * DAY_US,
    "5y": 1_827 * DAY_US,
    "max": None,
}

PeriodName = Annotated[str, Meta(extra_json_schema={"enum": list(PERIODS_US)})]


class PointJson(Struct, frozen=True):
    """The account's worth at a time. `net_contributions` is all that was paid in less what was paid out until then."""

    time: Time
    total_value: Number
    cash_balance: Number
    holdings_value: Number
    net_contributions: Number
    total_pnl: Number


class PerformanceJson(Struct, frozen=True):
    """A period, from its first point to now. `gain` is the change of worth that was not paid in or out.

    `return_percentage` is weighted by time. The first point is zero for an account that is younger than the period.
    """

    period: PeriodName
    currency: Currency
    start_value: Number
    end_value: Number
    net_contributions: Number
    gain: Number
    return_percentage: Number
    points: list[PointJson]


async def performance(call: Call) -> Answer:
    """`GET /portfolio/performance?period=`: 1d 1w 1m 3m 6m 1y 5y max; a month when it is left out."""
    queried = {name: text.lower() for name, text in call.query.items()}
    period = read_choice(queried, "period", {name: name for name in PERIODS_US}, "1m")
    runtime = call.services.runtime
    account = runtime.state.accounts.get(call.principal.account_id)
    if account is None:
        raise NotFound
    seq, now_us = runtime.state.seq, runtime.now_us()
    now = worth_now(runtime.state, account, call.services.market.last_e4, now_us)
    await runtime.wait_durable(seq)
    length_us = PERIODS_US[period]
    since_us = max(0, now_us - length_us - DAY_US) if length_us is not None else 0
    points = [*await worth_since(call.services.database, account.account_id, since_us), now]
    return success(_performance_json(period, account.currency, points), meta=MetaJson(as_of_seq=seq))


def _performance_json(period: str, currency: str, points: Sequence[Worth]) -> PerformanceJson:
    if len(points) == 1:
        points = [Worth(points[0].at_us, 0, 0, 0), *points]
    first, last = points[0], points[-1]
    paid_e4 = last.contributed_e4 - first.contributed_e4
    grown, base = time_weighted(points)
    return PerformanceJson(
        period=period,
        currency=currency,
        start_value=cash(first.value_e4),
        end_value=cash(last.value_e4),
        net_contributions=cash(paid_e4),
        gain=cash(last.value_e4 - first.value_e4 - paid_e4),
        return_percentage=percent(grown - base, base),
        points=[
            PointJson(
                time=time_text(point.at_us),
                total_value=cash(point.value_e4),
                cash_balance=cash(point.cash_e4),
                holdings_value=cash(point.holdings_e4),
                net_contributions=cash(point.contributed_e4),
                total_pnl=cash(point.value_e4 - point.contributed_e4),
            )
            for point in points
        ],
    )


def time_weighted(points: Sequence[Worth]) -> tuple[int, int]:
    """The growth over all points as a fraction (numerator, denominator). A stretch that began with nothing counts for nothing."""
    grown = base = 1
    for before, after in pairwise(points):
        invested_e4 = before.value_e4 + after.contributed_e4 - before.contributed_e4
        if invested_e4 > 0:
            grown *= after.value_e4
            base *= invested_e4
    return grown, base
