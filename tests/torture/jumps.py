"""The server's wall clock jumps by up to an hour, ahead and back, under load and over restarts.

What holds whatever the clock does: no order and no money is lost or doubled, what is acknowledged later is never
stamped earlier, an order's own time (GTD) ends it once and not before it has come, a key that was used is still known,
an access token lives from its issue to its end as the clock shows it and no longer, and nothing else asks anybody to
sign in again.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.load import QUIET_SYMBOL, Kind, Load, Outcome
from tests.handlers.small_kerb import Client, sign_in
from tests.server.reachable_folder import reachable_folder
from tests.torture.aftermath import Tally, number
from tests.torture.job import Job, Round, play_rounds
from tests.torture.trading import Trading, trading

SEAM: Final = Path(__file__).with_name("clock_seam")
HOUR_S: Final = 3_600.0
TOKEN_S: Final = 5_400
"""Longer than a jump, shorter than one back and one ahead."""

EMAIL: Final = "timed@example.com"
GTD_S: Final = 1_800.0
GTD_PRICE: Final = "65.00"
TOKENS_EVERY: Final = 4
VERIFIED_EVERY: Final = 5
WAIT_MAX_S: Final = 30.0
POLL_S: Final = 0.02
NUMBER_NS: Final = struct.Struct("<q")


class MovedClock:
    """The server's clock: the machine's, `ahead_s` seconds ahead (or, negative, behind). `most_s`: as it ever was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ahead_s = self.most_s = 0.0
        path.write_bytes(NUMBER_NS.pack(0))

    def move(self, ahead_s: float) -> None:
        """From now on so far from the machine's clock. One write of eight bytes: nobody sees half of it."""
        self.ahead_s, self.most_s = ahead_s, max(self.most_s, ahead_s)
        fd = os.open(self.path, os.O_WRONLY)
        try:
            os.pwrite(fd, NUMBER_NS.pack(round(ahead_s * 1e9)), 0)
        finally:
            os.close(fd)

    def now(self) -> datetime:
        """What it shows."""
        return datetime.fromtimestamp(time.time() + self.ahead_s, UTC)


@dataclass
class Timed:
    """An order that ends at a time."""

    order_id: str
    expires: datetime


class Jumps:
    """One server and its clock. The market's time never goes back, so each round begins where it stands."""

    def __init__(self, world: Trading, clock: MovedClock, client: Client) -> None:
        self._world = world
        self._client = client
        self._clock = clock
        self._latest = (0, "")

    async def round(self, place: int, one: Round) -> None:
        """A jump under load; in every third round the server is killed after it, and starts with the clock as it is."""
        random, world, clock = one.random, self._world, self._clock
        seconds = random.choice((HOUR_S, random.uniform(1, HOUR_S))) * random.choice((1, -1))
        is_killed = place % 3 == 2
        clock.move(clock.most_s)
        await self._sign_in()
        client = self._client
        timed = await self._place_timed(client)
        load = world.load(random, keyed_percent=100, calm=True)
        await asyncio.sleep(random.uniform(0.1, 0.3))
        clock.move(clock.ahead_s + seconds)
        await self._world.more(load)
        if is_killed:
            await world.kerb.kill()
            await load.ended()
            await world.kerb.start()
            world.lead_to(world.kerb.url)
            client.base = world.kerb.url
        else:
            await world.stop(load)
            assert load.count(Outcome.IN_DOUBT) == 0
        is_over = await self._check_timed(client, timed)
        tally = await world.check(load)
        self._check_stamps(load)
        if is_killed:
            tally.add(await self._check_what_follows(random))
        if place % TOKENS_EVERY == 0:
            await self._check_tokens(client)
        assert (await self._status(client, timed) == "EXPIRED") >= is_over, (
            "an order that had ended is open again"
        )
        await client("DELETE", f"/orders/{timed.order_id}")
        one.text = (
            f"{seconds:+.0f} s{', killed' if is_killed else ''}: {tally.acknowledged} acknowledged, "
            f"{tally.repeated} repeated, {tally.not_taken} answered 503, the timed order {'ended' if is_over else 'stayed'}"
        )
        one.seen.update({"ahead" if seconds > 0 else "back": 1, "killed": int(is_killed)})
        one.seen.update({"timed orders that ended": int(is_over), "acknowledged": tally.acknowledged})

    async def _check_what_follows(self, random: Random) -> Tally:
        """Orders of a server that has started with the clock as it is now."""
        load = self._world.load(random, keyed_percent=100, calm=True)
        await self._world.more(load)
        await self._world.stop(load)
        tally = await self._world.check(load)
        self._check_stamps(load)
        return tally

    async def _sign_in(self) -> None:
        for trader in self._world.traders:
            await sign_in(trader.client, f"{trader.name}@example.com")
        self._client.base = self._world.kerb.url
        await sign_in(self._client, EMAIL)

    async def _place_timed(self, client: Client) -> Timed:
        """An order that rests, and ends half an hour from now."""
        expires = self._clock.now() + timedelta(seconds=GTD_S)
        placed = await client.place(
            *("BUY", "1", GTD_PRICE),
            stock_symbol=QUIET_SYMBOL,
            time_in_force="GTD",
            expires_at=expires.isoformat(),
        )
        assert placed.status == 201, placed
        return Timed(placed.data["order_id"], expires)

    async def _status(self, client: Client, timed: Timed) -> str:
        reply = await client("GET", f"/orders/{timed.order_id}")
        assert reply.status == 200, reply
        return str(reply.data["status"])

    async def _check_timed(self, client: Client, timed: Timed) -> bool:
        """It ends as soon as the clock is there, and not before. Whether it has."""
        is_over = self._clock.now() >= timed.expires
        async with asyncio.timeout(WAIT_MAX_S):
            while is_over and await self._status(client, timed) != "EXPIRED":
                await asyncio.sleep(POLL_S)
        if self._clock.now() < timed.expires:
            assert await self._status(client, timed) == "PENDING"
        return is_over

    def _check_stamps(self, load: Load) -> None:
        """Orders are stamped in the order in which they were made, whatever the clock did between."""
        made = sorted(
            (number(sent.answer["order_id"]), sent.answer["created_at"])
            for sent in load.requests
            if sent.kind is Kind.PLACE and sent.outcome is Outcome.DONE
        )
        for earlier, later in pairwise([self._latest, *made]):
            assert earlier[1] <= later[1], f"{later} is stamped before {earlier}"
        self._latest = made[-1] if made else self._latest

    async def _check_tokens(self, client: Client) -> None:
        """A token ends when the clock says so; one of an hour that is still to come is good."""
        here_s = self._clock.ahead_s
        self._clock.move(here_s - HOUR_S)
        await self._sign_in()
        assert (await client("GET", "/wallet/balance")).status == 200
        self._clock.move(here_s + HOUR_S)
        ended = await client("GET", "/wallet/balance")
        assert (ended.status, ended.code) == (401, "TOKEN_EXPIRED"), ended
        await self._sign_in()
        self._clock.move(here_s)
        assert (await client("GET", "/wallet/balance")).status == 200


@asynccontextmanager
async def jumping(random: Random) -> AsyncIterator[Jumps]:
    """A server whose clock can be moved; its PostgreSQL has the machine's."""
    with reachable_folder() as folder:
        clock = MovedClock(folder / "clock")
        async with trading(
            verified_every=VERIFIED_EVERY,
            PYTHONPATH=str(SEAM),
            KERB_AUTH__ACCESS_TTL_S=str(TOKEN_S),
            TORTURE_CLOCK=str(clock.path),
        ) as world:
            yield Jumps(world, clock, await world.kerb.register(world.http, EMAIL, "10000"))


async def jump(job: Job) -> None:
    """Rounds of jumps."""
    await play_rounds(job, jumping, Jumps.round)
