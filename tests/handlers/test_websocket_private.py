"""Private channels over a real socket: every event of one's own account once, in order, and resumable."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.settings import Settings
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import (
    Message,
    WebSocketUser,
    connected,
    limit_order,
    raw_connection,
    send_raw,
)
from tests.server.stream_client import CLOSE, TEXT
from tests.server.stream_market import until

structs = msgspec.structs


def follow_each_other(messages: Sequence[Message]) -> bool:
    """Whether nothing lies between any message and the next."""
    return all(later["prev_seq"] == earlier["seq"] for earlier, later in pairwise(messages))


async def test_orders_and_balance_are_streamed_with_their_sequence(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    other = await small.trader("other", cash="1000")
    async with connected(small, client) as user:
        subscribed = await user.ask("subscribe", channels=["orders", "balance"])
        known = subscribed["channels"]["orders"]["seq"]
        assert subscribed["channels"] == {"orders": {"seq": known}, "balance": {"seq": known}}
        assert subscribed["errors"] == []
        await other.place("BUY", "1", "95")
        placed = (await client.place("BUY", "2", "90")).data
        await client("DELETE", f"/orders/{placed['order_id']}")
        orders = [await user.on("orders") for _ in range(2)]
        balances = [await user.on("balance") for _ in range(2)]

        assert [set(message) for message in orders] == [{"channel", "seq", "prev_seq", "data"}] * 2
        assert orders[0]["data"] == placed
        assert orders[1]["data"]["status"] == "CANCELLED"
        assert orders[0]["prev_seq"] <= known < orders[0]["seq"]
        assert follow_each_other(orders)
        assert follow_each_other(balances)
        assert [message["data"]["held"] for message in balances] == [180.45, 0]
        wallet = (await client("GET", "/wallet/balance")).data
        assert balances[-1]["data"] == wallet


async def test_what_http_says_and_what_is_streamed_after_its_as_of_seq_fit_together(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    await client.place("BUY", "1", "90")
    seen = await client("GET", "/orders")
    await client.place("BUY", "1", "91")
    await client.place("BUY", "1", "92")
    async with connected(small, client) as user:
        await user.ask("subscribe", channels=["orders"], resume_from=seen.meta["as_of_seq"])
        resumed = [await user.on("orders") for _ in range(2)]

        assert [message["data"]["price"] for message in resumed] == [91, 92]
        assert resumed[0]["prev_seq"] <= seen.meta["as_of_seq"] < resumed[0]["seq"]


async def test_a_client_that_comes_back_misses_nothing_and_sees_nothing_twice(small: SmallKerb) -> None:
    client = await small.trader(cash="100000")
    seen: list[Message] = []
    async with connected(small, client) as maker:
        for visit in range(4):
            async with connected(small, client) as user:
                resume = {"resume_from": seen[-1]["seq"]} if seen else {}
                await user.ask("subscribe", channels=["orders"], **resume)
                batch = [{"place": limit_order("BUY", "1", str(50 + visit))}] * 10
                await maker.ask("orders.batch", orders=batch)
                while len(seen) < 10 * visit + 5 + visit:
                    seen.append(await user.on("orders"))
        async with connected(small, client) as user:
            await user.ask("subscribe", channels=["orders"], resume_from=seen[-1]["seq"])
            while len(seen) < 40:
                seen.append(await user.on("orders"))
            await maker.place("BUY", "1", "60")
            seen.append(await user.on("orders"))

    ids = [message["data"]["order_id"] for message in seen]
    assert len(set(ids)) == len(ids)
    assert [message["data"]["price"] for message in seen] == [50] * 10 + [51] * 10 + [52] * 10 + [53] * 10 + [
        60
    ]
    assert follow_each_other(seen)


@pytest.mark.parametrize("where", ["before what is remembered", "in the future"])
async def test_what_cannot_be_resumed_is_told_so_and_a_get_helps(
    database_dsn: str, tmp_path: Path, settings: Settings, where: str
) -> None:
    changed = structs.replace(settings, stream=structs.replace(settings.stream, resume_events_max=3))
    async with open_small_kerb(database_dsn, tmp_path, changed) as kerb:
        client = await kerb.trader(cash="1000")
        for _ in range(6):
            await client.place("BUY", "1", "80")
        async with connected(kerb, client) as user:
            resume_from = 1 if where.startswith("before") else 1_000_000
            answer = await user.ask("subscribe", channels=["orders"], resume_from=resume_from)
            as_of_seq = (await client("GET", "/orders")).meta["as_of_seq"]
            again = await user.ask("subscribe", channels=["orders"], resume_from=as_of_seq)
            await client.place("BUY", "1", "81")
            event = await user.on("orders")

        assert answer == {"type": "resync_required", "id": 2, "channel": "orders", "seq": as_of_seq}
        assert again["type"] == "subscribed"
        assert (event["data"]["price"], event["prev_seq"] <= as_of_seq < event["seq"]) == (81, True)


async def test_nobody_sees_another_account_s_events_also_when_resuming(small: SmallKerb) -> None:
    one, other = await small.trader("one", cash="1000"), await small.trader("other", cash="1000")
    await one.place("BUY", "1", "80")
    async with connected(small, other) as user:
        await user.ask("subscribe", channels=["orders", "balance"], resume_from=small.world.state.seq - 1)
        await one.place("BUY", "1", "81")
        await other.place("BUY", "1", "82")
        event = await user.on("orders")

        assert event["data"]["price"] == 82
        assert [message["channel"] for message in user.inbox if "channel" in message] in (["balance"], [])


async def test_a_consumer_that_does_not_read_is_closed_and_resumes_without_a_hole(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    stream = structs.replace(
        settings.stream, sndbuf_bytes=4_096, notsent_lowat_bytes=4_096, slow_consumer_s=1
    )
    async with open_small_kerb(database_dsn, tmp_path, structs.replace(settings, stream=stream)) as kerb:
        client = await kerb.trader(cash="1000000")
        seen: list[dict[str, Any]] = []
        async with connected(kerb, client) as maker, raw_connection(kerb, client.token) as slow:
            send_raw(slow, {"action": "subscribe", "channels": ["orders"]})
            assert (await slow.json())["type"] == "subscribed"
            for _ in range(4):
                await place_many(maker, 500)
            outlets = list(kerb.services.hub.outlets)
            await until(lambda: not all(outlet.is_open for outlet in outlets))
            assert (await maker.ask("ping"))["type"] == "pong"
            await place_many(maker, 10)
            while (frame := await slow.frame()).opcode != CLOSE:
                if frame.opcode == TEXT:
                    seen.append(frame.json)
            assert frame.close_code == 4408

        assert 0 < len(seen) < 2_010
        async with connected(kerb, client) as user:
            await user.ask("subscribe", channels=["orders"], resume_from=seen[-1]["seq"])
            while len(seen) < 2_010:
                seen.append(await user.on("orders"))
        assert len({message["data"]["order_id"] for message in seen}) == 2_010
        assert follow_each_other(seen)


async def place_many(maker: WebSocketUser, count: int) -> None:
    """Orders that find nobody and are cancelled at once, so that they are no open orders."""
    order = limit_order("BUY", "1", "50", time_in_force="IOC")
    answer = await maker.ask("orders.batch", orders=[{"place": order}] * count)
    assert {result.get("code", "ok") for result in answer["data"]} == {"ok"}


async def test_unsubscribing_and_following_again_from_there_leaves_no_hole(small: SmallKerb) -> None:
    client: Client = await small.trader(cash="1000")
    async with connected(small, client) as user:
        await user.ask("subscribe", channels=["orders"])
        await client.place("BUY", "1", "80")
        first = await user.on("orders")
        await user.ask("unsubscribe", channels=["orders"])
        await client.place("BUY", "1", "81")
        await user.ask("subscribe", channels=["orders"], resume_from=first["seq"])
        await client.place("BUY", "1", "82")
        rest = [await user.on("orders") for _ in range(2)]

        assert [message["data"]["price"] for message in (first, *rest)] == [80, 81, 82]
        assert follow_each_other([first, *rest])
