"""What every account was worth at the end of each day: the points of `GET /portfolio/performance`.

A day of the market's clock, UTC, is over: cash and holdings at the last published prices become a row an account. The journal
knows nothing of it. A day on which nothing ran has no row; the first run after it writes the last day that has ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.state import Account, State
from engine.units import DAY_US, notional_down_e4
from server.database import Database
from server.errors import DatabaseUnavailable
from server.history import microseconds, moment
from sql.snapshots import INSERT, LAST_DAY, SINCE

if TYPE_CHECKING:
    from server.runtime import Runtime

logger = logging.getLogger("kerb.snapshots")

ACCOUNTS_AT_A_TIME: Final = 500
RETRY_US: Final = 60_000_000


class Worth(Struct, frozen=True):
    """What an account was worth at a time."""

    at_us: int
    cash_e4: int
    holdings_e4: int
    contributed_e4: int

    @property
    def value_e4(self) -> int:
        """Cash and holdings."""
        return self.cash_e4 + self.holdings_e4


def worth_now(state: State, account: Account, last_e4: Callable[[str], int], now_us: int) -> Worth:
    """Cash and holdings at the last prices, or at the reference where there was no trade."""
    holdings_e4 = sum(
        notional_down_e4(last_e4(symbol) or state.instruments[symbol].reference_e4, position.units_e8)
        for symbol, position in account.positions.items()
    )
    return Worth(now_us, account.cash_e4, holdings_e4, account.contributed_e4)


class Snapshots:
    """Writes the day that has ended, once; reads an account's days."""

    def __init__(self, database: Database, runtime: Runtime, last_e4: Callable[[str], int]) -> None:
        self._database = database
        self._runtime = runtime
        self._last_e4 = last_e4
        self._done: date | None = None
        self._not_before_us = 0
        self._running: asyncio.Task[None] | None = None

    def tick(self) -> None:
        """Called a few times a second: starts to write when a day has ended."""
        now_us = self._runtime.now_us()
        if moment(now_us - DAY_US).date() == self._done or now_us < self._not_before_us:
            return
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._write(now_us), name="snapshots")

    async def stop(self) -> None:
        """Wait for what is being written."""
        if self._running is not None:
            await asyncio.wait((self._running,))

    async def _write(self, now_us: int) -> None:
        ended = moment(now_us - DAY_US).date()
        try:
            row = await self._database.fetchrow(LAST_DAY)
            if row is None or row[0] is None or row[0] < ended:
                await self.write(ended, now_us)
            self._done = ended
        except DatabaseUnavailable:
            self._not_before_us = now_us + RETRY_US
            logger.warning("the snapshots of %s wait for the database", ended)

    async def write(self, day: date, now_us: int) -> int:
        """Write what every account is worth now as its worth at the end of a day; how many rows. Writing again changes nothing."""
        runtime = self._runtime
        seq = runtime.state.seq
        count = 0
        for part in self._parts():
            rows = [
                (account.account_id, worth_now(runtime.state, account, self._last_e4, now_us))
                for account in part
            ]
            rows = [
                (account_id, worth) for account_id, worth in rows if worth.value_e4 or worth.contributed_e4
            ]
            await runtime.wait_durable(seq)
            await self._database.execute(
                INSERT,
                day,
                moment(now_us),
                [account_id for account_id, _ in rows],
                [worth.cash_e4 for _, worth in rows],
                [worth.holdings_e4 for _, worth in rows],
                [worth.contributed_e4 for _, worth in rows],
            )
            count += len(rows)
            seq = runtime.state.seq
        return count

    def _parts(self) -> Iterator[list[Account]]:
        accounts = list(self._runtime.state.accounts.values())
        for first in range(0, len(accounts), ACCOUNTS_AT_A_TIME):
            yield accounts[first : first + ACCOUNTS_AT_A_TIME]


async def worth_since(database: Database, account_id: int, since_us: int) -> list[Worth]:
    """The ends of an account's days from a time on, oldest first, each stamped with the end of its day."""
    rows = await database.fetch(SINCE, account_id, moment(since_us).date())
    return [
        Worth(_end_of_us(row["day"]), row["cash_e4"], int(row["holdings_e4"]), row["contributed_e4"])
        for row in rows
    ]


def _end_of_us(day: date) -> int:
    following = day + timedelta(days=1)
    return microseconds(datetime(following.year, following.month, following.day, tzinfo=moment(0).tzinfo))
