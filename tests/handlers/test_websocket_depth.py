"""The `depth` channel over a real socket: applied to its snapshot, its steps are what GET /stocks/{symbol}/depth says."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from aiohttp import WSMsgType

from config.settings import Settings
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import PATIENCE_S, WebSocketUser, connected, raw_connection, send_raw
from tests.server.stream_book import ClientBook, exact
from tests.server.stream_client import CLOSE, TEXT

structs = msgspec.structs


class DepthReader:
    """Keeps the books of what a connection follows."""

    def __init__(self, user: WebSocketUser) -> None:
        self.user = user
        self.books: dict[str, ClientBook] = {}

    async def read(self) -> None:
        """Take the next message of the channel."""
        while True:
            received = await self.user.socket.receive(PATIENCE_S)
            assert received.type is WSMsgType.TEXT, received
            message = exact(received.data.encode())
            if message.get("channel") == "depth":
                for step in message["data"]:
                    self.books.setdefault(step["symbol"], ClientBook()).apply(step)
                return

    async def until_seq(self, symbol: str, seq: int) -> ClientBook:
        while symbol not in self.books or self.books[symbol].seq < seq:
            await self.read()
        return self.books[symbol]


async def depth_of(client: Client, symbol: str) -> dict[str, Any]:
    reply = await client("GET", f"/stocks/{symbol}/depth?levels=200")
    assert reply.status == 200, reply
    return dict(exact(reply.body)["data"])


async def trade_at_random(random: Random, pair: tuple[Client, Client], count: int) -> None:
    """Orders, fills and cancels of two traders around a price."""
    opened: list[tuple[Client, str]] = []
    for _ in range(count):
        if opened and random.random() < 0.3:
            client, order_id = opened.pop(random.randrange(len(opened)))
            await client("DELETE", f"/orders/{order_id}")
            continue
        buys = random.random() < 0.5
        client = pair[0] if buys else pair[1]
        cents = random.randint(9_950, 10_005) if buys else random.randint(9_995, 10_050)
        reply = await client.place(
            "BUY" if buys else "SELL", str(random.randint(1, 9)), f"{cents // 100}.{cents % 100:02d}"
        )
        if reply.status == 201 and reply.data["status"] == "PENDING":
            opened.append((client, reply.data["order_id"]))


async def test_steps_applied_to_the_snapshot_are_the_book(small: SmallKerb) -> None:
    pair = await small.trader("buyer", cash="1000000"), await small.trader("seller", units=10_000)
    await trade_at_random(Random(1), pair, 20)
    async with connected(small) as early, connected(small) as late:
        for user, interval_ms in ((early, 100), (late, 250)):
            answer = await user.ask(
                "subscribe", channels=["depth"], symbols=["AAPL", "NOPE"], interval_ms=interval_ms
            )
            assert answer["channels"] == {"depth": {"symbols": ["AAPL"], "interval_ms": interval_ms}}
            assert answer["errors"] == [{"symbol": "NOPE", "code": "UNKNOWN_SYMBOL"}]
        readers = [DepthReader(early), DepthReader(late)]
        for seed in range(2, 6):
            await trade_at_random(Random(seed), pair, 20)
            truth = await depth_of(pair[0], "AAPL")
            for reader in readers:
                book = await reader.until_seq("AAPL", truth["seq"])
                for name in ("bids", "asks"):
                    assert book.side(name) == [tuple(level) for level in truth[name]]
        for reader in readers:
            assert (reader.books["AAPL"].snapshots, reader.books["AAPL"].deltas > 0) == (1, True)


async def test_following_again_gives_a_new_snapshot_and_steps_that_follow_it(small: SmallKerb) -> None:
    pair = await small.trader("buyer", cash="100000"), await small.trader("seller", units=100)
    async with connected(small) as user:
        reader = DepthReader(user)
        for _ in range(2):
            await user.send(
                {"action": "subscribe", "channels": ["depth"], "symbols": ["AAPL"], "interval_ms": 100}
            )
        await pair[0].place("BUY", "1", "99.00")
        truth = await depth_of(pair[0], "AAPL")
        book = await reader.until_seq("AAPL", truth["seq"])
        assert (book.snapshots, book.side("bids")) == (2, [(Decimal(99), Decimal(1), 1)])

        (outlet,) = small.services.hub.outlets
        log = small.services.market.symbols["AAPL"].depth
        assert log.followers == 1
        await user.ask("unsubscribe", channels=["depth"])
        assert (log.followers, outlet.follow_count()) == (0, 0)


async def test_the_last_follower_takes_the_memory_with_it(small: SmallKerb) -> None:
    log = small.services.market.symbols["AAPL"].depth
    async with connected(small) as user:
        await user.ask("subscribe", channels=["depth", "quotes"], symbols=["AAPL"])
        assert log.followers == 1
    async with asyncio.timeout(PATIENCE_S):
        while small.services.hub.outlets:
            await asyncio.sleep(0)
    assert log.followers == 0


async def test_a_reader_that_stopped_gets_one_merged_step_or_a_new_snapshot(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    stream = structs.replace(settings.stream, sndbuf_bytes=4_096, notsent_lowat_bytes=4_096)
    changed = structs.replace(settings, stream=stream)
    async with open_small_kerb(database_dsn, tmp_path, changed) as kerb, raw_connection(kerb) as stuck:
        pair = await kerb.trader("buyer", cash="1000000"), await kerb.trader("seller", units=10_000)
        send_raw(
            stuck, {"action": "subscribe", "channels": ["depth"], "symbols": ["AAPL"], "interval_ms": 100}
        )
        assert (await stuck.json())["type"] == "subscribed"
        (outlet,) = kerb.services.hub.outlets
        for _ in range(64):
            outlet.write(b"\x82\x7e\x10\x00" + bytes(4_096))
        await trade_at_random(Random(7), pair, 40)
        async with asyncio.timeout(PATIENCE_S):
            while not outlet.stuck_since:
                await asyncio.sleep(0.001)
        truth = await depth_of(pair[0], "AAPL")
        book = ClientBook()
        while book.seq < truth["seq"]:
            frame = await stuck.frame()
            assert frame.opcode != CLOSE
            if frame.opcode == TEXT:
                for step in exact(frame.payload)["data"]:
                    book.apply(step)

        assert book.deltas <= 3  # not one for each change
        assert book.side("bids") == [tuple(level) for level in truth["bids"]]
