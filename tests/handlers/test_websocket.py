"""A WebSocket's life over a real socket: handshake, sign-in, deadlines, limits, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import WSServerHandshakeError
from joserfc import jwt
from joserfc.jwk import OctKey

from config.settings import Settings
from handlers import ws_dispatch
from handlers.ws_messages import Unsubscribe
from server.fan_out import CONNECTIONS_PER_USER_MAX
from tests.handlers.small_kerb import SECRET, Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import connected, raw_connection, send_raw
from tests.server.stream_client import CLOSE, PING, TEXT

structs = msgspec.structs


def with_stream(settings: Settings, **changes: Any) -> Settings:
    return structs.replace(settings, stream=structs.replace(settings.stream, **changes))


@pytest.fixture
async def hasty(database_dsn: str, tmp_path: Path, settings: Settings) -> AsyncIterator[SmallKerb]:
    """A server whose deadlines are one second and that takes two connections."""
    changed = with_stream(settings, auth_timeout_s=1, ping_s=1, connections_max=2)
    async with open_small_kerb(database_dsn, tmp_path, changed) as kerb:
        yield kerb


def token(client: Client, *, lives_s: int, secret: str = SECRET) -> str:
    """A token of the client's session that ends so many seconds from now."""
    claims = jwt.decode(client.token, OctKey.import_key(SECRET)).claims
    return jwt.encode(
        {"alg": "HS256"}, claims | {"exp": int(time.time()) + lives_s}, OctKey.import_key(secret)
    )


# -- the handshake


async def test_both_paths_and_the_subprotocol_are_served(small: SmallKerb) -> None:
    for path in ("/api/v1/ws", "/v1/ws"):
        async with small.http.ws_connect(f"{small.url}{path}", protocols=("other", "kerb.v1.json")) as socket:
            assert socket.protocol == "kerb.v1.json"
            await socket.send_str('{"action":"ping","id":"p"}')
            assert await socket.receive_json(timeout=10) == {"type": "pong", "id": "p"}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param("https://evil.example", 403, id="another site"),
        pytest.param("null", 403, id="a page without an origin"),
        pytest.param("http://[broken", 403, id="nonsense"),
        pytest.param(None, 101, id="our own pages"),
    ],
)
async def test_only_our_own_pages_may_connect(small: SmallKerb, origin: str | None, status: int) -> None:
    try:
        async with connected(small, headers={"Origin": origin or small.url}) as user:
            assert (await user.ask("ping"))["type"] == "pong"
            answered = 101
    except WSServerHandshakeError as refused:
        answered = refused.status

    assert answered == status


async def test_a_call_without_an_upgrade_is_a_bad_request(small: SmallKerb) -> None:
    reply = await small.anonymous()("GET", "/ws")

    assert (reply.status, reply.code) == (400, "BAD_REQUEST")


async def test_a_handshake_with_a_token_needs_no_sign_in(small: SmallKerb) -> None:
    client = await small.trader(cash="100")
    async with connected(small, headers={"Authorization": f"Bearer {client.token}"}) as user:
        assert (await user.ask("subscribe", channels=["orders"]))["type"] == "subscribed"


# -- signing in


async def test_private_channels_and_orders_need_a_sign_in(small: SmallKerb) -> None:
    order = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": 1, "price": 90}
    async with connected(small) as user:
        answers = [
            await user.ask("subscribe", channels=["orders"]),
            await user.ask("subscribe", channels=["quotes", "balance"], symbols=["AAPL"]),
            await user.ask("order.place", order=order),
            await user.ask("order.cancel", order_id="ord_1"),
            await user.ask("orders.batch", orders=[{"place": order}]),
        ]

        assert [answer["code"] for answer in answers] == ["UNAUTHENTICATED"] * 5
        assert user.inbox == []


async def test_refused_tokens_are_counted_and_the_fifth_closes(small: SmallKerb) -> None:
    client = await small.trader()
    async with connected(small) as user:
        codes = [
            (await user.ask("auth", token=bad))["code"]
            for bad in (
                "nonsense",
                token(client, lives_s=-1),
                token(client, lives_s=60, secret="another secret, long enough"),
            )
        ]
        assert codes == ["UNAUTHENTICATED", "TOKEN_EXPIRED", "UNAUTHENTICATED"]
        assert (await user.ask("auth", token=client.token))["type"] == "ok"  # which starts the count anew
        for _ in range(5):
            assert (await user.ask("auth", token="nonsense"))["code"] == "UNAUTHENTICATED"

        assert await user.close_code() == 4401


async def test_a_connection_stays_with_its_user(small: SmallKerb) -> None:
    one, other = await small.trader("one", cash="10"), await small.trader("other")
    async with connected(small, one) as user:
        for _ in range(5):
            assert (await user.ask("auth", token=other.token))["code"] == "FORBIDDEN"

        assert await user.close_code() == 4403


async def test_a_user_without_an_account_role_gets_no_private_channel(small: SmallKerb) -> None:
    admin = await small.admin()
    async with connected(small, admin) as user:
        answer = await user.ask("subscribe", channels=["orders"])

    assert (answer["type"], answer["code"], answer["temporary"]) == ("error", "FORBIDDEN", False)


async def test_an_expired_token_ends_the_connection_unless_a_newer_one_came(small: SmallKerb) -> None:
    client = await small.trader()
    async with connected(small) as kept, connected(small) as ended:
        for user in (kept, ended):
            assert (await user.ask("auth", token=token(client, lives_s=2)))["type"] == "ok"
        assert (await kept.ask("auth", token=client.token))["type"] == "ok"

        assert await ended.close_code() == 4401
        assert (await kept.ask("ping"))["type"] == "pong"


async def test_signing_out_closes_the_session_s_connections_and_no_others(small: SmallKerb) -> None:
    client, other = await small.trader("one"), await small.trader("other")
    async with (
        connected(small, client) as by_message,
        connected(small, headers={"Authorization": f"Bearer {client.token}"}) as by_header,
        connected(small, other) as stays,
    ):
        assert (await by_header.ask("ping"))["type"] == "pong"
        assert (await client("POST", "/auth/logout")).status == 200

        assert [await by_message.close_code(), await by_header.close_code()] == [4401, 4401]
        assert (await stays.ask("ping"))["type"] == "pong"
        async with connected(small) as again:
            assert (await again.ask("auth", token=client.token))["code"] == "UNAUTHENTICATED"


# -- deadlines and limits


async def test_a_client_that_only_listens_to_nothing_is_closed_and_a_reader_of_quotes_is_not(
    hasty: SmallKerb,
) -> None:
    async with connected(hasty) as idle, connected(hasty) as reader:
        await reader.ask("subscribe", channels=["quotes"], symbols=["AAPL"])

        assert await idle.close_code() == 4401
        assert (await reader.ask("ping"))["type"] == "pong"


async def test_the_server_pings_and_cuts_who_never_answers(hasty: SmallKerb) -> None:
    async with raw_connection(hasty) as client:
        send_raw(client, {"action": "subscribe", "channels": ["quotes"], "symbols": ["AAPL"]})
        opcodes = [(await client.frame()).opcode for _ in range(4)]
        assert opcodes == [TEXT, TEXT, PING, PING]
        with pytest.raises(asyncio.IncompleteReadError):
            await client.frame()


async def test_one_connection_too_many_is_told_so(hasty: SmallKerb) -> None:
    async with connected(hasty), connected(hasty), connected(hasty) as third:
        assert await third.close_code() == 4429


async def test_a_user_s_oldest_connection_makes_room_for_one_too_many(small: SmallKerb) -> None:
    client = await small.trader()
    async with AsyncExitStack() as stack:
        users = [
            await stack.enter_async_context(connected(small, client))
            for _ in range(CONNECTIONS_PER_USER_MAX + 1)
        ]

        assert await users[0].close_code() == 4409
        assert [(await user.ask("ping"))["type"] for user in (users[1], users[-1])] == ["pong", "pong"]


async def test_a_client_that_sends_nothing_but_rubbish_is_closed(small: SmallKerb) -> None:
    async with connected(small) as user:
        for _ in range(49):
            await user.socket.send_str("rubbish")
        assert (await user.ask("ping"))["type"] == "pong"  # one good message starts the count anew
        for _ in range(50):
            await user.socket.send_str("rubbish")

        assert await user.close_code() == 4400
        assert sum(message["code"] == "BAD_REQUEST" for message in user.inbox) == 99


async def test_a_message_may_have_64_kib_and_not_one_byte_more(small: SmallKerb) -> None:
    message = b'{"action":"ping","id":1%b}'
    fits = message % (b" " * (65_536 - len(message) + 2))
    async with connected(small) as user:
        await user.socket.send_str(fits.decode())
        assert (await user.receive())["type"] == "pong"
        await user.socket.send_str(fits.decode() + " ")
        assert await user.close_code() == 1009


async def test_limits_of_calls_hold_for_subscriptions_and_never_close(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    limits = structs.replace(settings.limits, calls_per_minute=30)
    async with open_small_kerb(database_dsn, tmp_path, structs.replace(settings, limits=limits)) as kerb:
        client = await kerb.trader()
        async with connected(kerb, client) as user:
            answers = [await user.ask("subscribe", channels=["quotes"], symbols=["AAPL"]) for _ in range(31)]
            refused = [answer for answer in answers if answer["type"] == "error"]

            assert refused
            assert (refused[0]["code"], refused[0]["temporary"]) == ("RATE_LIMITED", True)
            assert refused[0]["details"]["retry_after_s"] > 0
            assert (await user.ask("ping"))["type"] == "pong"


# -- the end


async def test_a_shutdown_is_announced_and_closes_with_restart(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with connected(small, client) as user:
        await user.send({"action": "order.place", "id": "last", "order": ORDER})
        while not small.services.hub._answers and not small.world.state.orders:
            await asyncio.sleep(0)
        ending = asyncio.create_task(small.services.hub.shutdown(5))
        code = await user.close_code()
        await ending

        assert code == 1012
        assert [message["type"] for message in user.inbox if message.get("id") == "last"] == ["ok"]
        assert "shutdown" in [message["type"] for message in user.inbox]
    with pytest.raises(WSServerHandshakeError) as refused:
        async with connected(small):
            pass
    assert refused.value.status == 503


ORDER = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": 1, "price": 90}


async def test_a_client_that_leaves_is_forgotten(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with connected(small, client) as user:
        await user.ask("subscribe", channels=["orders", "balance"])
        await user.ask("subscribe", channels=["quotes", "trades"], symbols=["AAPL"])
        await user.socket.close(code=1000)
        assert user.socket.close_code == 1000
    hub = small.services.hub
    async with asyncio.timeout(10):
        while hub.outlets:
            await asyncio.sleep(0)

    assert (hub.wheel.cohorts, hub._by_session, hub._by_user, hub.is_running) == ({}, {}, {}, False)


async def test_a_client_that_vanishes_while_its_order_is_written_does_no_harm(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with raw_connection(small, client.token) as raw:
        send_raw(raw, {"action": "order.place", "id": 1, "order": ORDER})
        await raw.writer.drain()
    async with asyncio.timeout(10):
        while small.services.hub.outlets:
            await asyncio.sleep(0)

    async with connected(small, client) as user:
        assert (await user.place("BUY", "1", "80"))["type"] == "ok"


async def test_a_broken_frame_ends_in_a_close_and_harms_nobody(small: SmallKerb) -> None:
    async with raw_connection(small) as raw:
        raw.writer.write(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
        while (frame := await raw.frame()).opcode != CLOSE:
            pass
        assert frame.close_code == 1002
    async with connected(small) as user:
        assert (await user.ask("ping"))["type"] == "pong"


async def test_a_fault_of_ours_closes_its_connection_and_is_counted(
    small: SmallKerb, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(session: object, message: object) -> None:
        raise ZeroDivisionError

    async with connected(small) as bystander, connected(small) as user:
        with monkeypatch.context() as patched:
            patched.setitem(ws_dispatch.MESSAGES, Unsubscribe, broken)
            await user.send({"action": "unsubscribe", "channels": ["quotes"]})
            assert await user.close_code() == 1011
        metrics = (await small.anonymous()("GET", "/metrics", root=True)).body

        assert b"kerb_http_faults_total 1.0" in metrics
        assert (await bystander.ask("ping"))["type"] == "pong"
