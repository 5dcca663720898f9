"""Orders tied to their connection are cancelled however it ends, over real sockets; no others are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.settings import Settings
from handlers.ws_tied_orders import CANCELS_A_TURN
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import (
    PATIENCE_S,
    WebSocketUser,
    connected,
    limit_order,
    masked,
    raw_connection,
    send_raw,
)
from tests.server.stream_client import StreamClient

structs = msgspec.structs


async def tied(user: WebSocketUser, client: Client, on: bool = True) -> None:
    answer = await user.ask("auth", token=client.token, cancel_on_disconnect=on)
    assert answer["type"] == "ok"


def open_orders(kerb: SmallKerb, client: Client) -> int:
    return len(kerb.services.runtime.state.accounts[client.account_id].orders)


async def all_cancelled(kerb: SmallKerb, client: Client, left: int = 0) -> None:
    """Come back when only so many orders are open."""
    async with asyncio.timeout(PATIENCE_S):
        while open_orders(kerb, client) > left:
            await asyncio.sleep(0.001)


async def statuses(client: Client) -> dict[str, int]:
    found: dict[str, int] = {}
    for order in (await client("GET", "/orders?limit=100")).data:
        found[order["status"]] = found.get(order["status"], 0) + 1
    return found


async def raw_with_order(client: Client, raw: StreamClient) -> None:
    """A raw connection with one tied order."""
    send_raw(raw, {"action": "auth", "token": client.token, "cancel_on_disconnect": True})
    send_raw(raw, {"action": "order.place", "id": 7, "order": limit_order("BUY", "1", "90.00")})
    while (await raw.json()).get("id") != 7:
        pass


async def test_only_orders_of_the_connection_since_it_was_asked_for_are_cancelled(small: SmallKerb) -> None:
    client = await small.trader(cash="10000")
    await client.place("BUY", "1", "91.00")
    async with connected(small, client) as other, connected(small, client) as user:
        await other.place("BUY", "1", "92.00")
        await user.place("BUY", "1", "93.00")
        await tied(user, client)
        first = await user.place("BUY", "1", "94.00")
        batch = [{"place": limit_order("BUY", "1", "95.00")}, {"place": limit_order("BUY", "1", "0")}]
        second = (await user.ask("orders.batch", orders=batch))["data"][0]
        await tied(user, client, on=False)
        await user.place("BUY", "1", "96.00")
        await user.socket.close()
        await all_cancelled(small, client, left=4)
        orders = (await client("GET", "/orders?limit=100")).data
    cancelled = {order["order_id"] for order in orders if order["status"] == "CANCELLED"}
    assert cancelled == {first["data"]["order_id"], second["data"]["order_id"]}
    assert len(orders) == 6


async def test_filled_and_cancelled_orders_are_left_alone_and_one_that_is_partly_filled_is_not(
    small: SmallKerb,
) -> None:
    buyer, seller = await small.trader("buyer", cash="10000"), await small.trader("seller", units=10)
    async with connected(small) as user:
        await tied(user, buyer)
        gone = await user.place("BUY", "1", "90.00")
        await user.place("BUY", "1", "95.00")
        await user.place("BUY", "5", "94.00")
        assert (await user.ask("order.cancel", order_id=gone["data"]["order_id"]))["type"] == "ok"
        await seller.place("SELL", "3", "94.00")
    await all_cancelled(small, buyer)
    assert await statuses(buyer) == {"CANCELLED": 2, "FILLED": 1}
    portfolio = (await buyer("GET", "/portfolio")).data
    assert portfolio["buying_power"] == portfolio["cash_balance"]


async def test_a_reset_a_half_close_and_a_close_frame_are_ends(small: SmallKerb) -> None:
    client = await small.trader(cash="10000")

    def reset(raw: StreamClient) -> None:
        raw.writer.transport.abort()

    def half_close(raw: StreamClient) -> None:
        raw.writer.write_eof()

    def close(raw: StreamClient) -> None:
        raw.writer.write(masked(b"\x03\xe8", opcode=8))

    def broken_frame(raw: StreamClient) -> None:
        raw.writer.write(b"\xff\xff\xff")

    for end in (reset, half_close, close, broken_frame):
        async with raw_connection(small) as raw:
            await raw_with_order(client, raw)
            assert open_orders(small, client) == 1
            end(raw)
            await all_cancelled(small, client)
    assert await statuses(client) == {"CANCELLED": 4}


async def test_the_end_of_a_session_is_one(small: SmallKerb) -> None:
    client = await small.trader(cash="10000")
    async with connected(small) as user:
        await tied(user, client)
        await user.place("BUY", "1", "90.00")
        assert (await client("POST", "/auth/logout")).status == 200
        assert await user.close_code() == 4401
        await all_cancelled(small, client)


@pytest.mark.parametrize("how", ["silent", "slow"])
async def test_a_client_that_is_silent_or_too_slow_is_cut_and_its_orders_with_it(
    database_dsn: str, tmp_path: Path, settings: Settings, how: str
) -> None:
    changes: dict[str, Any] = {
        "sndbuf_bytes": 4_096,
        "notsent_lowat_bytes": 4_096,
        "ping_s": 1,
        "slow_consumer_s": 1,
    }
    changed = structs.replace(settings, stream=structs.replace(settings.stream, **changes))
    async with open_small_kerb(database_dsn, tmp_path, changed) as kerb, raw_connection(kerb) as raw:
        client = await kerb.trader(cash="10000")
        await raw_with_order(client, raw)
        (outlet,) = kerb.services.hub.outlets
        if how == "slow":
            for _ in range(64):
                outlet.write(b"\x82\x7e\x10\x00" + bytes(4_096))
        await all_cancelled(kerb, client)
        assert (outlet.close_code, outlet in kerb.services.hub.outlets) == (
            4408 if how == "slow" else 0,
            how == "slow",
        )


async def test_a_planned_stop_cancels_while_commands_are_taken_and_takes_no_order_after_that(
    small: SmallKerb,
) -> None:
    client = await small.trader(cash="1000000")
    async with connected(small) as user:
        await tied(user, client)
        count = 2 * CANCELS_A_TURN + 50
        answer = await user.ask("orders.batch", orders=[{"place": limit_order("BUY", "1", "90.00")}] * count)
        assert {item["type"] for item in answer["data"]} == {"ok"}
        assert open_orders(small, client) == count
        await small.services.hub.end_orders()
        assert open_orders(small, client) == 0
        late = await user.place("BUY", "1", "90.00")
        assert (late["code"], late["temporary"]) == ("SHUTTING_DOWN", True)
        await small.services.hub.end_orders()  # once more does nothing
        assert open_orders(small, client) == 0


async def test_without_asking_orders_stay(small: SmallKerb) -> None:
    client = await small.trader(cash="10000")
    async with connected(small, client) as user:
        await user.place("BUY", "1", "90.00")
    async with asyncio.timeout(PATIENCE_S):
        while small.services.hub.outlets:
            await asyncio.sleep(0)
    assert await statuses(client) == {"PENDING": 1}
