"""Public channels over a real socket: a snapshot, then what changed; nothing before it is durable."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.settings import Settings
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import WebSocketUser, connected, raw_connection, send_raw
from tests.server.stream_client import CLOSE, TEXT

structs = msgspec.structs


@pytest.fixture
async def pair(small: SmallKerb) -> tuple[Client, Client]:
    """A buyer with cash and a seller with units of AAPL."""
    return await small.trader("buyer", cash="100000"), await small.trader("seller", units=1_000)


async def trade(pair: tuple[Client, Client], price: str, quantity: str = "1") -> None:
    buyer, seller = pair
    assert (await seller.place("SELL", quantity, price)).data["status"] == "PENDING"
    assert (await buyer.place("BUY", quantity, price)).data["status"] == "FILLED"


async def quote_with(user: WebSocketUser, price: float) -> dict[str, Any]:
    """The first quote of AAPL at a price."""
    while True:
        for quote in (await user.on("quotes"))["data"]:
            if (quote["symbol"], quote["price"]) == ("AAPL", price):
                found: dict[str, Any] = quote
                return found


async def test_quotes_begin_with_a_snapshot_and_go_on_with_what_changed(
    small: SmallKerb, pair: tuple[Client, Client]
) -> None:
    async with connected(small) as user:
        answer = await user.ask(
            "subscribe", channels=["quotes"], symbols=["AAPL", "TSLA", "NOPE"], interval_ms=100
        )
        snapshot = (await user.on("quotes"))["data"]
        await trade(pair, "101.50", "2")
        changed = await quote_with(user, 101.5)

        assert answer["channels"] == {"quotes": {"symbols": ["AAPL", "TSLA"], "interval_ms": 100}}
        assert answer["errors"] == [{"symbol": "NOPE", "code": "UNKNOWN_SYMBOL"}]
        assert [quote["symbol"] for quote in snapshot] == ["AAPL", "TSLA"]
        assert set(snapshot[0]) == {
            "symbol", "price", "change", "change_percentage", "volume", "bid", "ask", "bid_size", "ask_size",
            "timestamp", "stale", "v",
        }  # fmt: skip
        assert (changed["volume"], changed["v"] > snapshot[0]["v"]) == (2, True)
        assert not any(
            quote["symbol"] == "TSLA" for message in user.inbox for quote in message.get("data", ())
        )


async def test_many_changes_between_two_turns_are_one_message_with_the_newest(
    small: SmallKerb, pair: tuple[Client, Client]
) -> None:
    async with connected(small) as user:
        await user.ask("subscribe", channels=["quotes"], symbols=["AAPL"], interval_ms=1_000)
        seen = [(await user.on("quotes"))["data"][0]]
        for cents in range(20):
            await trade(pair, f"100.{cents:02}")
        last = await quote_with(user, 100.19)

        assert last["volume"] == 20
        assert last["v"] - seen[0]["v"] >= 40  # each order and each trade counts, few are sent
        messages = [message for message in user.inbox if message.get("channel") == "quotes"]
        assert len(messages) <= 5


async def test_every_trade_is_sent_in_order_and_none_of_a_time_before_the_subscription(
    small: SmallKerb, pair: tuple[Client, Client]
) -> None:
    await trade(pair, "99.00")
    async with connected(small) as user:
        await user.ask("subscribe", channels=["trades"], symbols=["AAPL"], interval_ms=100)
        for cents in range(10):
            await trade(pair, f"100.{cents:02}")
        trades: list[dict[str, Any]] = []
        while len(trades) < 10:
            trades += (await user.on("trades"))["data"]

        assert [trade["price"] for trade in trades] == [100 + cents / 100 for cents in range(10)]
        assert all(later["n"] == earlier["n"] + 1 for earlier, later in pairwise(trades))
        assert {(trade["symbol"], trade["quantity"], trade["taker_side"]) for trade in trades} == {
            ("AAPL", 1, "BUY")
        }


async def test_unsubscribing_stops_a_channel_of_some_symbols_or_of_all(
    small: SmallKerb, pair: tuple[Client, Client]
) -> None:
    async with connected(small) as user:
        await user.ask("subscribe", channels=["quotes", "trades"], symbols=["AAPL", "TSLA"], interval_ms=100)
        some = await user.ask("unsubscribe", channels=["quotes"], symbols=["AAPL", "NOPE"])
        (outlet,) = small.services.hub.outlets
        assert {channel: sorted(names) for channel, names in outlet.follows.items()} == {
            "quotes": ["TSLA"],
            "trades": ["AAPL", "TSLA"],
        }
        assert some == {"type": "unsubscribed", "id": 2, "channels": ["quotes"]}
        user.inbox.clear()

        await trade(pair, "101.00")
        assert (await user.on("trades"))["data"][0]["price"] == 101
        assert [message for message in user.inbox if message.get("channel") == "quotes"] == []

        await user.ask("unsubscribe", channels=["quotes", "trades", "orders"])
        assert (outlet.follow_count(), outlet.cohort) == (0, None)


@pytest.mark.parametrize(
    ("interval_ms", "accepted"), [(99, False), (100, True), (1_000, True), (1_001, False), (-1, False)]
)
async def test_the_cadence_has_bounds(small: SmallKerb, interval_ms: int, accepted: bool) -> None:
    async with connected(small) as user:
        answer = await user.ask("subscribe", channels=["quotes"], symbols=["AAPL"], interval_ms=interval_ms)

    assert answer["type"] == ("subscribed" if accepted else "error")
    assert accepted or (answer["code"], answer["details"]) == ("BAD_REQUEST", {"field": "interval_ms"})


async def test_a_connection_follows_only_so_much(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    changed = structs.replace(settings, stream=structs.replace(settings.stream, subscriptions_max=3))
    async with open_small_kerb(database_dsn, tmp_path, changed) as kerb, connected(kerb) as user:
        first = await user.ask("subscribe", channels=["quotes"], symbols=["AAPL", "TSLA"])
        refused = await user.ask("subscribe", channels=["trades"], symbols=["AAPL", "TSLA"])
        again = await user.ask("subscribe", channels=["quotes", "trades"], symbols=["AAPL"])

    assert [first["type"], refused["type"], again["type"]] == ["subscribed", "error", "subscribed"]
    assert (refused["code"], refused["details"]) == ("TOO_MANY_SUBSCRIPTIONS", {"limit": 3})


async def test_a_reader_that_stops_gets_only_the_newest_later_and_is_closed_if_it_never_reads(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    stream = structs.replace(
        settings.stream, sndbuf_bytes=4_096, notsent_lowat_bytes=4_096, slow_consumer_s=1
    )
    changed = structs.replace(settings, stream=stream)
    async with open_small_kerb(database_dsn, tmp_path, changed) as kerb, raw_connection(kerb) as stuck:
        pair = await kerb.trader("buyer", cash="10000000"), await kerb.trader("seller", units=100_000)
        send_raw(
            stuck,
            {"action": "subscribe", "channels": ["quotes"], "symbols": ["AAPL"], "interval_ms": 100},
        )
        assert (await stuck.json())["type"] == "subscribed"
        (outlet,) = kerb.services.hub.outlets
        for _ in range(64):  # what a client leaves unread, at once
            outlet.write(b"\x82\x7e\x10\x00" + bytes(4_096))
        unsent = outlet.unsent_bytes()
        price = 100
        while outlet.is_open:
            price += 1 if price < 140 else -40
            await trade(pair, f"{price}.00")
            assert outlet.unsent_bytes() <= unsent + 200  # nothing is queued for it but the close frame
        opcodes = []
        while (frame := await stuck.frame()).opcode != CLOSE:
            opcodes.append(frame.opcode)

        assert frame.close_code == 4408
        assert opcodes.count(TEXT) <= 3  # the snapshot and what went before it was stuck
