"""Duplicate requests, at the same time and across a crash: one effect, one answer; another body is always refused.

A round makes new keys: orders of every fate, deposits, withdrawals.
1. storm: each key several times at once, over HTTP and WebSocket; of some two bodies race for one key
2. kill -9 somewhere in it, and a restart
3. storm again, whole; then each key once more, and with another body: 422 IDEMPOTENCY_KEY_REUSED
Afterwards the journal, which is what the engine has done, has each key once, at the sequence that was answered.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

import aiohttp

from server.codec import decode_record
from server.data_folder import DataFolder
from server.demo import MAKER, PASSWORD
from server.disk import Disk
from server.journal_reader import read_records
from server.journal_scan import scan_journal
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.duplicate_keys import (
    PRICE,
    SYMBOL,
    Copy,
    Keyed,
    Tally,
    check_one_winner,
    deposit,
    order,
    paid_in,
    shuffled,
    take,
    withdrawal,
)
from tests.torture.raw_clients import (
    PIPELINE,
    SOCKET_BATCH,
    HttpPipe,
    RawConnection,
    SocketPipe,
    http_pipe,
    socket_pipe,
)

USERS: Final = 8
HTTP_CONNECTIONS: Final = 8
ENVIRON: Final = {
    "KERB_IDEMPOTENCY__KEYS_PER_USER_MAX": "1000000",
    "KERB_IDEMPOTENCY__KEYS_MAX": "2000000",
    "KERB_LOG__LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Size:
    """How much a round has: keys, and how often each is sent in the storm before the crash and in the one after it."""

    keys: int
    before: int
    after: int


ROUND: Final = Size(keys=2_000, before=4, after=3)

DUPLICATES_A_ROUND: Final = 10_000
"""A round sends at least so many, however early its crash is."""


class Duplicates:
    """A server, its users, and rounds."""

    def __init__(self, kerb: KerbProcess, http: aiohttp.ClientSession) -> None:
        self.kerb = kerb
        self._http = http
        self._users: list[Client] = []
        self._maker: Client
        self._heads: list[bytes] = []
        self._all: list[Keyed] = []

    async def prepare(self) -> None:
        """Users with cash, and a market maker whose offers they buy."""
        self._maker = await self.kerb.sign_in(self._http, MAKER.email, PASSWORD)
        for number in range(USERS):
            self._users.append(await self.kerb.register(self._http, f"twin{number}@example.com", "50000000"))
        self._heads = [b"Authorization: Bearer %b\r\n" % user.token.encode() for user in self._users]

    @property
    def _port(self) -> int:
        return int(self.kerb.url.rpartition(":")[2])

    # -- what is sent

    def _make(self, random: Random, number: int, count: int) -> list[Keyed]:
        """New keys: 8 of 10 are orders, one is a deposit, one a withdrawal. No two have the same amount."""
        made = []
        for place in range(count):
            key = f"r{number}-{place}"
            cents = 10_000 + len(self._all) + place
            path, other_path, bodies = "", "", (b"", b"")
            if place % 10 < 8:
                bodies = (order(place % 10, cents), order(place % 10, cents + 1))
            else:
                path, other_path = "/wallet/deposit", "/wallet/deposit"
                bodies = (deposit(cents), deposit(cents + 1))
                if place % 10 == 9:
                    path, bodies = "/wallet/withdraw", (withdrawal(cents), deposit(cents))
            made.append(
                Keyed(random.randrange(USERS), key, path, other_path, bodies, races=place % 20 in (3, 8, 19))
            )
        return made

    def _over_http(self, keyed: Keyed, which: int) -> bytes:
        body, path = keyed.bodies[which], (keyed.path, keyed.other_path)[which] or "/orders"
        return (
            b"POST /api/v1%b HTTP/1.1\r\nHost: localhost\r\n%bContent-Type: application/json\r\n"
            b"X-Idempotency-Key: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (path.encode(), self._heads[keyed.user], keyed.key.encode(), len(body), body)
        )

    # -- a storm

    async def storm(self, copies: Sequence[Copy], random: Random, tally: Tally) -> None:
        """Send all copies, spread over many connections; returns when every one is answered or the server is gone."""
        over_http: list[list[Copy]] = [[] for _ in range(HTTP_CONNECTIONS)]
        over_socket: list[list[Copy]] = [[] for _ in range(USERS)]
        for copy in copies:
            keyed = copy[0]
            if not keyed.path and random.randrange(5) < 3:
                over_socket[keyed.user].append(copy)
            else:
                random.choice(over_http).append(copy)
        pipes = [await http_pipe(self._port) for _ in over_http]
        sockets = [await socket_pipe(self._port, user.token) for user in self._users]
        await asyncio.gather(
            *(self._pump_http(pipe, mine, tally) for pipe, mine in zip(pipes, over_http, strict=True)),
            *(self._pump_socket(pipe, mine, tally) for pipe, mine in zip(sockets, over_socket, strict=True)),
        )
        every: list[RawConnection] = [*pipes, *sockets]
        for pipe in every:
            pipe.close()

    async def _pump_http(self, pipe: HttpPipe, copies: Sequence[Copy], tally: Tally) -> None:
        for start in range(0, len(copies), PIPELINE):
            some = copies[start : start + PIPELINE]
            tally.sent += len(some)
            if not take(some, await pipe.ask([self._over_http(*copy) for copy in some]), tally):
                return

    async def _pump_socket(self, pipe: SocketPipe, copies: Sequence[Copy], tally: Tally) -> None:
        for start in range(0, len(copies), SOCKET_BATCH):
            some = copies[start : start + SOCKET_BATCH]
            tally.sent += len(some)
            tally.over_socket += len(some)
            items = [
                b'{"place":%b,"idempotency_key":"%b"}' % (keyed.bodies[which], keyed.key.encode())
                for keyed, which in some
            ]
            if not take(some, await pipe.ask(items), tally):
                return

    # -- a round

    async def round(self, number: int, random: Random, size: Size = ROUND) -> Tally:
        """One round. Raises AssertionError with the key that had a second effect or another answer."""
        tally = Tally(keys=size.keys)
        wall = await self._maker.place(
            "SELL", str(2 * size.keys), PRICE, stock_symbol=SYMBOL, time_in_force="GTC"
        )
        assert wall.status == 201, wall
        made = self._make(random, number, size.keys)
        self._all += made
        copies = shuffled(made, size.before, random)
        enough = int(random.uniform(0.2, 1.1) * len(copies))
        storm = asyncio.create_task(self.storm(copies, random, tally))
        while not storm.done() and tally.answered < enough:
            await asyncio.sleep(0.002)
        await self.kerb.kill()
        await storm
        await self._restart()
        for keyed in made:
            keyed.is_settled = any(keyed.said)
        await self.storm(shuffled(made, size.after, random), random, tally)
        for keyed in made:
            assert any(keyed.said), f"{keyed.key} has no answer"
            keyed.is_settled = True
        last = [(keyed, which) for keyed in made for which in (0, 1)]
        random.shuffle(last)
        await self.storm(last, random, tally)
        check_one_winner(made)
        for user in (*self._users, self._maker):
            assert (await user("DELETE", "/orders")).status == 200
        assert tally.duplicates >= size.keys * (size.after + 2), tally
        return tally

    async def _restart(self) -> None:
        await self.kerb.start()
        for client in (*self._users, self._maker):
            client.base = self.kerb.url

    async def finish(self) -> None:
        """Everything that was done was done once: by the journal, by the statements, and by `run.py verify`."""
        await self._check_statements()
        await self.kerb.kill()
        self._check_journal()
        await self._restart()
        await self.kerb.verify()

    async def _check_statements(self) -> None:
        """Each user's statement has as many deposits as that user's keys made."""
        for number, user in enumerate(self._users):
            made = sum(paid_in(keyed) for keyed in self._all if keyed.user == number)
            found = 0
            cursor = ""
            while True:
                path = "/wallet/transactions?limit=500" + (f"&cursor={cursor}" if cursor else "")
                reply = await user("GET", path)
                found += sum(line["type"] == "DEPOSIT" for line in reply.data)
                cursor = reply.meta.get("next_cursor") or ""
                if not cursor:
                    break
            assert found == made + 1, (
                f"user {number}: {found} deposits, {made} keys and the first one made some"
            )

    def _check_journal(self) -> None:
        """Each key is in the journal once, at the sequence that its id says."""
        data_dir = self.kerb.data_dir
        journal_id = DataFolder.journal_id_in(data_dir)
        assert journal_id is not None
        disk = Disk()
        scan = scan_journal(disk, data_dir / DataFolder.JOURNAL_NAME, journal_id, 0)
        seen: Counter[str] = Counter()
        seqs: dict[str, int] = {}
        for seq, data in read_records(disk, scan.segments, 1, scan.last_seq):
            key = decode_record(data).envelope.key
            if key:
                seen[key] += 1
                seqs[key] = seq
        twice = [key for key, times in seen.items() if times > 1]
        assert not twice, f"{len(twice)} keys had a second effect, first {twice[0]}"
        for keyed in self._all:
            assert keyed.key in seqs, f"{keyed.key} was answered and is not in the journal"
            known = keyed.seq or seqs[keyed.key]
            assert known == seqs[keyed.key], (
                f"{keyed.key} was answered as of {known}, done at {seqs[keyed.key]}"
            )


@asynccontextmanager
async def duplicates(**environ: str) -> AsyncIterator[Duplicates]:
    """A running server in a temporary folder, ready for the first round."""
    with reachable_folder() as folder:
        async with (
            running_kerb(folder / "kerb", **ENVIRON | environ) as kerb,
            aiohttp.ClientSession() as http,
        ):
            one = Duplicates(kerb, http)
            await one.prepare()
            yield one
