"""Orders over a WebSocket: the same commands and refusals as over HTTP, answered when they are durable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from config.settings import Settings
from server.disk import Disk
from tests.handlers.small_kerb import SmallKerb, open_small_kerb
from tests.handlers.websocket_user import connected, limit_order

structs = msgspec.structs


async def test_an_order_is_placed_and_cancelled_and_http_sees_the_same(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with connected(small, client) as user:
        placed = await user.place("BUY", "2", "90.50", idempotency_key="k-1")
        order_id = placed["data"]["order_id"]
        over_http = (await client("GET", f"/orders/{order_id}")).data
        cancelled = await user.ask("order.cancel", order_id=order_id)

        assert placed["type"] == cancelled["type"] == "ok"
        assert placed["data"] == over_http
        assert (placed["data"]["status"], placed["data"]["hold"]) == ("PENDING", 181.4525)
        assert (cancelled["data"]["status"], cancelled["data"]["reason"]) == ("CANCELLED", "USER")
        assert (await client("GET", f"/orders/{order_id}")).data == cancelled["data"]


async def test_a_refusal_has_the_engine_s_code_and_details(small: SmallKerb) -> None:
    client = await small.trader(cash="100")
    async with connected(small, client) as user:
        answer = await user.place("BUY", "10", "90")

    assert answer == {
        "type": "error",
        "id": 2,
        "code": "INSUFFICIENT_FUNDS",
        "message": "There is not enough available cash.",
        "temporary": False,
        "details": {"required": 902.25, "available": 100},
    }


async def test_the_same_key_is_answered_the_same_and_once(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with connected(small, client) as user:
        first = await user.place("BUY", "1", "90", idempotency_key="same")
        second = await user.place("BUY", "1.0", "90.00", idempotency_key="same")
        other = await user.place("BUY", "1", "91", idempotency_key="same")
        over_http = await client.place("BUY", "1", "90", headers={"X-Idempotency-Key": "same"})

        assert second == {"type": "ok", "id": 3, "idempotency_hit": True, "data": first["data"]}
        assert (other["type"], other["code"]) == ("error", "IDEMPOTENCY_KEY_REUSED")
        assert over_http.headers["Idempotency-Hit"] == "true"
        assert over_http.data["order_id"] == first["data"]["order_id"]
        assert len(small.world.state.orders) == 1


async def test_a_refusal_is_repeated_like_an_order_and_says_so(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with connected(small, client) as user:
        first = await user.place("BUY", "100", "90", idempotency_key="once")
        await client.deposit("100000")
        second = await user.place("BUY", "100", "90", idempotency_key="once")
        other = await user.place("BUY", "1", "90", idempotency_key="once")

    assert (first["type"], first["code"]) == ("error", "INSUFFICIENT_FUNDS")
    assert "idempotency_hit" not in first
    assert second == first | {"id": second["id"], "idempotency_hit": True}
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert "idempotency_hit" not in other
    assert not small.world.state.orders


async def test_a_batch_has_a_result_for_each_item_in_order(small: SmallKerb) -> None:
    client, other = await small.trader(cash="1000"), await small.trader("other", cash="1000")
    async with connected(small, client) as user, connected(small, other) as stranger:
        foreign = (await stranger.place("BUY", "1", "80"))["data"]["order_id"]
        mine = (await user.place("BUY", "1", "80"))["data"]["order_id"]
        gone = (await user.place("BUY", "1", "80", idempotency_key="gone"))["data"]["order_id"]
        await user.ask("order.cancel", order_id=gone)
        answer = await user.ask(
            "orders.batch",
            orders=[
                {"place": limit_order("BUY", "1", "85")},
                {"cancel": mine},
                {"place": limit_order("BUY", "1", "85.001")},
                {"place": limit_order("BUY", "many", "85")},
                {"cancel": foreign},
                {"cancel": gone},
                {"cancel": "ord_99999999999999999999"},
                {"cancel": "nonsense"},
                {"place": limit_order("BUY", "1", "85") | {"surprise": 1}},
                {"place": limit_order("BUY", "1", "85"), "cancel": mine},
                {},
                "text",
                {"place": limit_order("BUY", "1", "85", order_class="OTO")},
                {"place": limit_order("BUY", "1", "84", order_class="SIMPLE", post_only=False)},
                {"place": limit_order("BUY", "100", "90")},
                {"place": limit_order("BUY", "1", "86"), "idempotency_key": "in-batch"},
            ],
        )

        results = answer["data"]
        assert answer["type"] == "ok"
        assert [result.get("code", result["type"]) for result in results] == [
            "ok",
            "ok",
            "INVALID_TICK_SIZE",
            "BAD_REQUEST",
            "ORDER_NOT_FOUND",
            "ORDER_NOT_OPEN",
            "ORDER_NOT_FOUND",
            "ORDER_NOT_FOUND",
            "BAD_REQUEST",
            "BAD_REQUEST",
            "BAD_REQUEST",
            "BAD_REQUEST",
            "BAD_REQUEST",
            "ok",
            "INSUFFICIENT_FUNDS",
            "ok",
        ]
        assert (results[1]["data"]["order_id"], results[1]["data"]["status"]) == (mine, "CANCELLED")
        assert sorted(order.limit_e4 for order in small.world.state.orders.values()) == [
            800_000,
            840_000,
            850_000,
            860_000,
        ]


async def test_a_batch_of_500_is_carried_out_and_one_of_501_is_not(small: SmallKerb) -> None:
    client = await small.trader(cash="100000")
    item = {"place": {**limit_order("BUY", "1", "80"), "time_in_force": "IOC"}}
    async with connected(small, client) as user:
        answer = await user.ask("orders.batch", orders=[item] * 500)
        seq = small.world.state.seq
        refused = await user.ask("orders.batch", orders=[{"cancel": "ord_1"}] * 501)

        assert len({result["data"]["order_id"] for result in answer["data"]}) == 500
        assert (refused["code"], refused["details"]) == ("BAD_REQUEST", {"field": "orders"})
        assert small.world.state.seq == seq


async def test_a_batch_whose_heading_is_wrong_does_nothing(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    item = {"place": limit_order("BUY", "1", "80")}
    async with connected(small, client) as user:
        answers = [
            await user.ask("orders.batch", orders=[item], surprise=1),
            await user.ask("orders.batch", orders=[item, {}], surprise=1),
            await user.ask("orders.batch", orders=[]),
            await user.ask("orders.batch", orders=item),
            await user.ask("orders.batch"),
        ]

        assert [answer["code"] for answer in answers] == ["BAD_REQUEST"] * 5
        assert not small.world.state.orders


async def test_fills_and_kills_are_seen_by_both_sides(small: SmallKerb) -> None:
    buyer, seller = await small.trader("buyer", cash="2000"), await small.trader("seller", units=10)
    async with connected(small, buyer) as bids, connected(small, seller) as asks:
        await bids.ask("subscribe", channels=["orders"])
        resting = (await bids.place("BUY", "10", "100"))["data"]
        sold = await asks.place("SELL", "4", "100")
        events = [(await bids.on("orders"))["data"] for _ in range(2)]
        rest = await bids.ask("order.cancel", order_id=resting["order_id"])

        assert (sold["data"]["status"], sold["data"]["average_price"]) == ("FILLED", 100)
        assert [(event["status"], event["filled_quantity"]) for event in events] == [
            ("PENDING", 0),
            ("PARTIAL", 4),
        ]
        assert (rest["data"]["status"], rest["data"]["filled_quantity"]) == ("CANCELLED", 4)


async def test_the_limit_of_orders_holds_and_cancels_of_open_orders_are_free(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    limits = structs.replace(settings.limits, orders_per_minute=3, calls_per_minute=20)
    async with open_small_kerb(database_dsn, tmp_path, structs.replace(settings, limits=limits)) as kerb:
        client = await kerb.trader(cash="1000")
        async with connected(kerb, client) as user:
            batch = await user.ask("orders.batch", orders=[{"place": limit_order("BUY", "1", "80")}] * 5)
            results = batch["data"]
            placed = [result["data"]["order_id"] for result in results[:3]]
            cancels = await user.ask("orders.batch", orders=[{"cancel": order_id} for order_id in placed])
            seq = kerb.world.state.seq
            floods = await user.ask("orders.batch", orders=[{"cancel": "ord_77"}] * 100)

            assert [result.get("code", "ok") for result in results] == ["ok"] * 3 + ["RATE_LIMITED"] * 2
            assert results[3]["temporary"] is True
            assert results[3]["details"]["retry_after_s"] > 0
            assert [result["type"] for result in cancels["data"]] == ["ok"] * 3
            codes = [result["code"] for result in floods["data"]]
            assert set(codes) == {"ORDER_NOT_FOUND", "RATE_LIMITED"}
            assert kerb.world.state.seq - seq <= 20


# -- durability


@pytest.fixture
def disk_gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """While it is cleared, every sync of the disk waits."""
    gate = Event()
    gate.set()
    sync = Disk.fdatasync

    def gated(disk: Disk, fd: int) -> None:
        gate.wait(30)
        sync(disk, fd)

    monkeypatch.setattr(Disk, "fdatasync", gated)
    yield gate
    gate.set()


async def test_nothing_is_answered_or_streamed_before_it_is_on_the_disk(
    disk_gate: Event, small: SmallKerb
) -> None:
    client = await small.trader(cash="1000")
    async with connected(small, client) as user, connected(small) as public:
        await user.ask("subscribe", channels=["orders", "balance"])
        await public.ask("subscribe", channels=["quotes"], symbols=["AAPL"], interval_ms=100)
        await public.on("quotes")
        hub, seq = small.services.hub, small.world.state.seq

        disk_gate.clear()
        try:
            await user.send({"action": "order.place", "id": "one", "order": limit_order("BUY", "1", "90")})
            await user.send(
                {"action": "orders.batch", "id": "two", "orders": [{"place": limit_order("BUY", "1", "91")}]}
            )
            while small.world.state.seq < seq + 2:
                await asyncio.sleep(0)
            turns = hub.wheel.tick
            while hub.wheel.tick < turns + 40:  # two of the public client's turns
                await asyncio.sleep(0.001)
            assert (await user.ask("ping"))["type"] == "pong"
            assert (await public.ask("ping"))["type"] == "pong"
            assert (user.inbox, public.inbox) == ([], [])
        finally:
            disk_gate.set()

        answers = [await user.answer("one"), await user.answer("two")]
        assert [answer["type"] for answer in answers] == ["ok", "ok"]
        assert [(await user.on("orders"))["data"]["price"] for _ in range(2)] == [90, 91]
        assert (await public.on("quotes"))["data"][0]["bid"] in (90, 91)


async def test_a_client_may_have_64_answers_due_and_the_next_message_waits(
    disk_gate: Event, small: SmallKerb
) -> None:
    client = await small.trader(cash="100000")
    async with connected(small, client) as user:
        seq = small.world.state.seq
        disk_gate.clear()
        try:
            for number in range(100):
                order = limit_order("BUY", "1", "80", client_order_id=f"c-{number}")
                await user.send({"action": "order.place", "id": f"n-{number}", "order": order})
            while small.world.state.seq < seq + 64:
                await asyncio.sleep(0)
            for _ in range(200):
                await asyncio.sleep(0)
            assert small.world.state.seq == seq + 64
        finally:
            disk_gate.set()
        answers: list[dict[str, Any]] = [
            await user.find(lambda message: str(message.get("id")).startswith("n-")) for _ in range(100)
        ]

        assert [answer["id"] for answer in answers] == [f"n-{number}" for number in range(100)]
