"""The hub over real sockets: the life of a connection, answers that wait, the end."""

from __future__ import annotations

import asyncio

from config.settings import Settings
from engine.kinds import Side
from server.principal import Principal
from server.ws_frames import CloseCode
from tests.server.market_records import trade
from tests.server.stream_client import hub_server
from tests.server.stream_market import Connect, Market, changed, sign_in, until

BUY, SELL = Side.BUY, Side.SELL


async def test_an_answer_waits_for_its_record(market: Market, connect: Connect) -> None:
    answered: list[int] = []
    market.hub.when_durable(market.seq, lambda: answered.append(1))
    market.hub.when_durable(market.seq + 2, lambda: answered.append(2))
    market.happens()
    assert answered == [1]
    market.happens()

    assert answered == [1, 2]


# -- the life of a connection


async def test_a_revoked_session_closes_all_its_connections_at_once(market: Market, connect: Connect) -> None:
    (one, client), (other, _) = await connect(), await connect()
    sign_in(market, one, 11)
    sign_in(market, other, 12)
    market.hub.close_session(11)
    frame = await client.frame()

    assert frame.close_code == 4401
    assert other.is_open


async def test_a_connection_cannot_change_hands(market: Market, connect: Connect) -> None:
    outlet, _ = await connect()
    sign_in(market, outlet, 11)

    assert not market.hub.sign_in(outlet, Principal(5, 5, frozenset(), 5, 2_000_000_000))
    assert outlet.account_id == 11


async def test_more_connections_than_allowed_are_not_taken(settings: Settings) -> None:
    market = Market(changed(settings, connections_max=1))
    async with hub_server(market.hub) as connect:
        outlet, _ = await connect()

        assert market.hub.attach(outlet.transport) is None


async def test_nothing_is_written_after_the_close_frame(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    market.follow(outlet, "AAPL")
    await client.json()
    outlet.close(CloseCode.BAD_MESSAGE)
    market.happens(trade("AAPL", 100, 1))
    outlet.send(b"{}")
    outlet.close(CloseCode.NOT_AUTHENTICATED)
    frame = await client.frame()
    client.writer.close()
    await until(lambda: not market.hub.outlets)

    assert frame.close_code == 4400
    assert await client.reader.read() == b""


async def test_the_timer_runs_only_while_somebody_is_connected(market: Market, connect: Connect) -> None:
    running = [market.hub.is_running]
    _, client = await connect()
    running.append(market.hub.is_running)
    client.writer.close()
    await until(lambda: not market.hub.outlets)
    running.append(market.hub.is_running)

    assert running == [False, True, False]
    outlet, client = await connect()
    market.follow(outlet, "AAPL")
    await client.json()
    market.happens(trade("AAPL", 100, 1))
    assert (await client.quote("AAPL"))["price"] == 1.00


async def test_a_shutdown_is_announced_and_closes_with_a_restart_code(
    market: Market, connect: Connect
) -> None:
    clients = [(await connect())[1] for _ in range(3)]
    ending = asyncio.create_task(market.hub.shutdown(5))
    for client in clients:
        assert (await client.json())["type"] == "shutdown"
        assert (await client.frame()).close_code == 1012
        client.writer.close()
    await ending

    assert not market.hub.outlets


async def test_a_shutdown_does_not_wait_for_ever(market: Market, connect: Connect) -> None:
    await connect()
    await market.hub.shutdown(0.05)
    await until(lambda: not market.hub.outlets)
