"""What time does to connections: pings, deadlines, slow clients, expired sessions."""

from __future__ import annotations

from config.settings import Settings
from engine.kinds import Side
from server.connection_care import PING_MS, ConnectionCare
from server.ws_frames import CloseCode
from tests.server.stream_client import CLOSE, PING, TEXT, hub_server
from tests.server.stream_market import Connect, Market, changed, fill, sign_in, until

BUY, SELL = Side.BUY, Side.SELL


async def test_a_client_that_stays_stuck_is_closed_as_a_slow_consumer(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    await fill(market, outlet, 100)
    await until(lambda: not outlet.is_open)
    while (frame := await client.frame()).opcode != CLOSE:
        pass

    assert frame.close_code == 4408
    assert market.hub.care.slow == 1


async def test_a_client_that_catches_up_in_time_stays(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    await fill(market, outlet, 100)
    while (frame := await client.frame()).opcode != TEXT or frame.json["data"][0]["price"] != 1.00:
        pass
    await until(lambda: not market.hub.care.stuck)

    assert outlet.is_open
    assert outlet.stuck_since == 0


async def test_a_client_that_neither_signs_in_nor_subscribes_is_closed(settings: Settings) -> None:
    market = Market(changed(settings, auth_timeout_s=1))
    async with hub_server(market.hub) as connect:
        _, idle = await connect()
        reader, reading = await connect()
        market.follow(reader, "AAPL")
        signed_in, _ = await connect()
        sign_in(market, signed_in, 11)
        closed = await idle.frame()
        await reading.json()

        assert closed.close_code == 4401
        assert reader.is_open
        assert signed_in.is_open


async def test_clients_that_came_together_are_not_pinged_together(
    market: Market, connect: Connect, settings: Settings
) -> None:
    care = ConnectionCare(settings.stream, market.clock)
    outlets = [(await connect())[0] for _ in range(20)]
    places = [outlet.ping_bucket for outlet in outlets]  # in the ring of the hub's own care
    for outlet in outlets:
        care.admit(outlet, 0.0)
    pinged = []
    for _ in range(settings.stream.ping_s * 1_000 // PING_MS):
        before = sum(outlet.pings_unanswered for outlet in outlets)
        care.ping(0.0)
        pinged.append(sum(outlet.pings_unanswered for outlet in outlets) - before)
    for outlet, place in zip(outlets, places, strict=True):
        outlet.ping_bucket = place

    assert max(pinged) == 1
    assert sum(pinged) == len(outlets)
    assert not any(pinged[: len(pinged) // 2]), "the first ping of each is almost a whole period away"


async def test_a_session_that_expires_closes_its_connection(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    now_s = market.clock.us // 1_000_000
    sign_in(market, outlet, 11, expires_s=now_s + 60)
    sign_in(market, outlet, 11, expires_s=now_s + 120)
    market.clock.us += 61_000_000
    market.hub.care.turn(0)
    assert outlet.is_open
    market.clock.us += 60_000_000
    frame = await client.frame()

    assert frame.close_code == 4401


async def test_pings_come_from_the_wheel_and_a_silent_peer_is_cut(settings: Settings) -> None:
    market = Market(changed(settings, ping_s=1))
    async with hub_server(market.hub) as connect:
        outlet, client = await connect()
        market.follow(outlet, "AAPL")
        await client.json()
        assert [(await client.frame()).opcode for _ in range(2)] == [PING, PING]
        await until(lambda: not market.hub.outlets)

        assert market.hub.care.lost == 1


async def test_a_close_frame_that_is_not_answered_ends_in_a_cut(market: Market, connect: Connect) -> None:
    outlet, _ = await connect()
    outlet.close(CloseCode.BAD_MESSAGE)
    market.hub.care.turn(100.0)
    assert market.hub.outlets
    market.hub.care.turn(200.0)
    await until(lambda: not market.hub.outlets)

    assert not market.hub.care.closing
