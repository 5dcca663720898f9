"""An account's worth over real sockets: told when it has changed, once it is durable, and never queued."""

from __future__ import annotations

from engine.events import Posted
from engine.kinds import TransactionKind
from server.live_values import LiveValue
from tests.server.market_records import balance, order, trade
from tests.server.stream_client import TEXT
from tests.server.stream_market import Connect, Market, fill, sign_in, until

ACCOUNT = 7 << 20


def worth(market: Market, seq: int, figure: int) -> None:
    market.values[ACCOUNT] = LiveValue(seq, ("AAPL",), b'{"total_value":%d}' % figure)


async def test_it_is_told_at_once_and_when_a_price_or_a_position_has_changed(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, ACCOUNT)
    worth(market, 1, 100)
    market.hub.follow_value(outlet, 100)
    assert await client.json() == {"channel": "portfolio", "seq": 1, "data": {"total_value": 100}}

    worth(market, 1, 110)
    market.happens(trade("TSLA", 100, 1))  # a price that is not in it
    market.happens(order(ACCOUNT + 1, 5))  # somebody else's order
    market.happens(trade("AAPL", 100, 1))
    assert (await client.json())["data"] == {"total_value": 110}
    for number, event in enumerate(
        (
            order(ACCOUNT, 5),
            balance(ACCOUNT, 50),
            Posted(9, TransactionKind.TRANSFER_IN, "", ((1, "AAPL", -5, 0), (ACCOUNT, "AAPL", 5, 5))),
        )
    ):
        worth(market, market.seq + 1, 120 + number)
        market.happens(event)
        assert await client.json() == {
            "channel": "portfolio",
            "seq": market.seq,
            "data": {"total_value": 120 + number},
        }


async def test_it_waits_for_the_disk(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, ACCOUNT)
    worth(market, market.seq + 2, 100)  # made of two commands that are not durable yet
    market.hub.follow_value(outlet, 100)
    market.happens(trade("TSLA", 100, 1))
    outlet.send(b'{"marker":1}')
    assert await client.json() == {"marker": 1}
    market.happens(trade("TSLA", 101, 1))
    assert (await client.json())["seq"] == market.seq


async def test_a_client_that_does_not_read_is_told_the_newest_worth_later(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, ACCOUNT)
    worth(market, 1, 100)
    market.hub.follow_value(outlet, 100)
    await fill(market, outlet, 100)
    unsent = outlet.unsent_bytes()
    for figure in range(101, 110):
        worth(market, market.seq, figure)
        market.happens(trade("AAPL", figure, 1))
    assert outlet.unsent_bytes() == unsent
    told: list[int] = []
    while not told or told[-1] != 109:
        frame = await client.frame()
        if frame.opcode == TEXT and frame.json["channel"] == "portfolio":
            told.append(frame.json["data"]["total_value"])
    assert told == [100, 109]


async def test_what_did_not_change_is_not_told_and_nothing_after_the_end(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, ACCOUNT)
    worth(market, 1, 100)
    market.hub.follow_value(outlet, 100)
    await client.json()
    market.happens(balance(ACCOUNT, 5))
    follower = outlet.value
    assert follower is not None
    worth(market, market.seq, 100)
    await until(lambda: follower.told_seq == market.seq)
    assert market.hub.values.unfollow(outlet)
    assert (len(market.hub.values), market.hub.values.unfollow(outlet)) == (0, False)
    outlet.send(b'{"marker":1}')
    assert await client.json() == {"marker": 1}
