"""Private streams: nothing lost, nothing doubled, memory bounded, resumable."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest

from config.settings import Settings
from engine.kinds import Side
from server.private_channels import BALANCE, ORDERS
from server.private_streams import JOINED_MAX_BYTES, STREAMS_PER_LIMIT, WRITE_MAX_BYTES
from tests.server.market_records import balance, durable, order
from tests.server.stream_client import CLOSE, TEXT, StreamClient, hub_server
from tests.server.stream_market import Connect, Market, changed, fill, sign_in

BUY, SELL = Side.BUY, Side.SELL


async def test_private_events_carry_their_sequence_and_the_one_before(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, 11)
    assert market.hub.private.subscribe(outlet, ORDERS, None) == market.seq
    market.happens(order(11, 1))
    market.happens(order(12, 2))
    market.happens(order(11, 3))
    first, second = await client.json(), await client.json()

    assert (first["seq"], first["data"]["order_id"]) == (2, "ord_1")
    assert (second["seq"], second["prev_seq"], second["data"]["order_id"]) == (4, 2, "ord_3")


async def test_a_stuck_client_holds_one_place_in_memory_and_misses_nothing(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, 11)
    market.hub.private.subscribe(outlet, BALANCE, None)
    await fill(market, outlet, 100)
    unsent = outlet.unsent_bytes()
    for units in range(500):
        market.happens(balance(11, units))
    assert outlet.unsent_bytes() <= unsent

    seen: list[dict[str, Any]] = []
    while len(seen) < 500:
        frame = await client.frame()
        if frame.opcode == TEXT and frame.json["channel"] == BALANCE:
            seen.append(frame.json)
    assert [message["data"]["balance"] for message in seen] == list(range(500))
    assert all(later["prev_seq"] == earlier["seq"] for earlier, later in pairwise(seen))


async def test_clients_that_do_not_read_are_set_aside_and_found_again(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, 11)
    private = market.hub.private
    private.subscribe(outlet, ORDERS, None)
    await fill(market, outlet, 100)
    market.happens(order(11, 1))
    market.happens(order(12, 2))

    assert (len(private._behind), len(private._full), private.is_behind) == (0, 1, True)
    while (frame := await client.frame()).opcode != TEXT or frame.json["channel"] != ORDERS:
        pass
    assert frame.json["data"]["order_id"] == "ord_1"
    assert not private.is_behind


async def test_two_clients_of_one_account_both_get_everything(market: Market, connect: Connect) -> None:
    pairs = [await connect() for _ in range(2)]
    for outlet, _ in pairs:
        sign_in(market, outlet, 11)
        market.hub.private.subscribe(outlet, ORDERS, None)
    for number in range(20):
        market.happens(order(11, number))

    for _, client in pairs:
        assert [(await client.json())["data"]["order_id"] for _ in range(20)] == [
            f"ord_{n}" for n in range(20)
        ]


def after(messages: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    return [(message["seq"], message["prev_seq"], message["data"]["order_id"]) for message in messages]


async def resumed(
    connect: Connect, market: Market, resume_from: int | None
) -> tuple[int | None, StreamClient]:
    """A new client of account 11 that resumes its orders: what the hub says, and its end."""
    outlet, client = await connect()
    sign_in(market, outlet, 11)
    return market.hub.private.subscribe(outlet, ORDERS, resume_from), client


async def test_resuming_gives_every_event_after_the_sequence_and_then_goes_on_live(
    market: Market, connect: Connect
) -> None:
    seqs = [market.happens(order(11, number), order(12, 90 + number)) for number in range(6)]
    known, client = await resumed(connect, market, seqs[2])
    replayed = [await client.json() for _ in range(3)]
    seqs.append(market.happens(order(11, 6)))
    live = await client.json()

    assert known == seqs[2]
    assert after([*replayed, live]) == [
        (seqs[3], seqs[2], "ord_3"),
        (seqs[4], seqs[3], "ord_4"),
        (seqs[5], seqs[4], "ord_5"),
        (seqs[6], seqs[5], "ord_6"),
    ]


async def test_the_first_message_after_a_resume_proves_that_nothing_lies_between(
    market: Market, connect: Connect
) -> None:
    first = market.happens(order(11, 1))
    market.happens(order(12, 2))
    as_of = market.happens(order(12, 3))  # what a GET answered: no event of this account
    next_one = market.happens(order(11, 4))
    _, client = await resumed(connect, market, as_of)

    message = await client.json()

    assert (message["seq"], message["prev_seq"]) == (next_one, first)
    assert message["prev_seq"] <= as_of < message["seq"]


async def test_a_record_with_several_events_says_that_more_follow(market: Market, connect: Connect) -> None:
    before = market.happens(order(11, 1))
    several = market.happens(order(11, 2), order(11, 3), order(11, 4))
    _, client = await resumed(connect, market, before)
    messages = [await client.json() for _ in range(3)]
    _, late = await resumed(connect, market, several)
    market.happens(order(11, 5))

    assert [message.get("more", False) for message in messages] == [True, True, False]
    assert after(messages) == [
        (several, before, "ord_2"),
        (several, several, "ord_3"),
        (several, several, "ord_4"),
    ]
    assert after([await late.json()]) == [(several + 1, several, "ord_5")]


@pytest.mark.parametrize(
    ("resume_from", "answer"),
    [
        pytest.param(None, 7, id="from now on"),
        pytest.param(7, 7, id="from the newest sequence"),
        pytest.param(4, 4, id="from the oldest sequence that is complete in memory"),
        pytest.param(3, None, id="from where something is forgotten"),
        pytest.param(0, None, id="from the beginning"),
        pytest.param(8, None, id="from a future that has not happened here"),
    ],
)
async def test_what_can_be_resumed_is_exactly_what_memory_is_complete_for(
    settings: Settings, resume_from: int | None, answer: int | None
) -> None:
    market = Market(changed(settings, resume_events_max=3))
    for number in range(2, 8):
        market.happens(order(11, number))
    async with hub_server(market.hub) as connect:
        said, _ = await resumed(connect, market, resume_from)

        assert said == answer


async def test_memory_is_bounded_for_all_accounts_together(settings: Settings) -> None:
    market = Market(changed(settings, resume_events_max=10))
    for number in range(500):
        market.happens(order(100 + number, number))

    assert len(market.hub.private._order) == 10 * STREAMS_PER_LIMIT
    assert len(market.hub.private._streams) == 10 * STREAMS_PER_LIMIT


async def test_an_account_without_events_in_memory_resumes_only_from_where_memory_is_complete(
    settings: Settings,
) -> None:
    market = Market(changed(settings, resume_events_max=1))
    market.happens(order(11, 1))
    for number in range(STREAMS_PER_LIMIT):
        market.happens(order(200 + number, number))
    async with hub_server(market.hub) as connect:
        forgotten, _ = await resumed(connect, market, 1)
        complete, client = await resumed(connect, market, 2)
        happened = market.happens(order(11, 9))

        assert (forgotten, complete) == (None, 2)
        assert after([await client.json()]) == [(happened, 2, "ord_9")]


async def test_after_a_restart_memory_is_filled_from_the_journal(settings: Settings, market: Market) -> None:
    records = [durable(seq, order(11, seq)) for seq in range(50, 60)]
    market.hub.private.seed_from_records(records, applied_seq=60)
    async with hub_server(market.hub) as connect:
        too_old, _ = await resumed(connect, market, 48)
        known, client = await resumed(connect, market, 57)
        messages = [await client.json() for _ in range(2)]

        assert (too_old, known) == (None, 57)
        assert after(messages) == [(58, 57, "ord_58"), (59, 58, "ord_59")]
        assert market.hub.private.seq == 60


async def test_a_client_whose_next_event_is_forgotten_is_closed(settings: Settings) -> None:
    market = Market(changed(settings, resume_events_max=5, sndbuf_bytes=4_096, notsent_lowat_bytes=4_096))
    async with hub_server(market.hub) as connect:
        outlet, client = await connect()
        sign_in(market, outlet, 11)
        market.hub.private.subscribe(outlet, ORDERS, None)
        await fill(market, outlet, 100)
        for number in range(6):
            market.happens(order(11, number))
        while (frame := await client.frame()).opcode != CLOSE:
            pass

        assert frame.close_code == 4408
        assert (market.hub.private.slow, market.hub.slow) == (1, 1)


async def test_a_long_replay_is_sent_in_pieces_that_the_client_can_take(
    market: Market, connect: Connect
) -> None:
    first = market.seq
    count = 3 * WRITE_MAX_BYTES // 80
    for number in range(min(count, 9_000)):
        market.happens(order(11, number))
    most = 0
    _, client = await resumed(connect, market, first)
    (outlet,) = market.hub.outlets
    for number in range(min(count, 9_000)):
        assert (await client.json())["data"]["order_id"] == f"ord_{number}"
        most = max(most, outlet.unsent_bytes())

    assert 0 < most <= WRITE_MAX_BYTES + 4_096


async def test_events_appended_while_a_replay_runs_come_after_it(market: Market, connect: Connect) -> None:
    first = market.seq
    for number in range(5_000):
        market.happens(order(11, number))
    _, client = await resumed(connect, market, first)
    await client.json()
    for number in range(5_000, 5_100):
        market.happens(order(11, number))

    assert [(await client.json())["data"]["order_id"] for _ in range(5_099)] == [
        f"ord_{n}" for n in range(1, 5_100)
    ]


async def test_unsubscribing_ends_a_stream(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, 11)
    market.hub.private.subscribe(outlet, ORDERS, None)
    market.hub.private.subscribe(outlet, BALANCE, None)
    assert market.hub.private.unsubscribe(outlet, ORDERS)
    assert not market.hub.private.unsubscribe(outlet, ORDERS)
    market.happens(order(11, 1), balance(11, 5))

    assert (await client.json())["channel"] == BALANCE


async def test_a_text_that_was_made_for_the_answer_is_sent_for_that_event_and_no_other(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, 11)
    private = market.hub.private
    assert not private.has_readers(11, ORDERS)
    private.subscribe(outlet, ORDERS, None)
    assert private.has_readers(11, ORDERS)
    answered, other = order(11, 1), order(11, 2)
    private.prepare(market.seq + 1, answered, b'{"order_id":"made before"}')
    market.happens(answered, other)
    private.prepare(market.seq + 1, order(11, 3), b'{"order_id":"of another object"}')
    market.happens(order(11, 3))
    ids = [(await client.json())["data"]["order_id"] for _ in range(3)]

    assert ids == ["made before", "ord_2", "ord_3"]
    assert private._prepared == {}


class Counting:
    """A transport that remembers what it was given."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self._transport.write(data)


async def test_what_one_command_tells_a_client_goes_out_in_one_write(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    sign_in(market, outlet, 11)
    outlet.transport = transport = cast(Any, Counting(outlet.transport))
    for channel in (ORDERS, BALANCE):
        market.hub.private.subscribe(outlet, channel, None)
    market.happens(order(11, 1), balance(11, 5))
    assert [(await client.json())["channel"] for _ in range(2)] == [ORDERS, BALANCE]
    assert len(transport.written) == 1

    long_ago, count = market.seq, JOINED_MAX_BYTES // 40
    for number in range(count):
        market.happens(order(11, number), balance(11, number))
        await client.json(), await client.json()
    del transport.written[:]
    for channel in (ORDERS, BALANCE):
        market.hub.private.subscribe(outlet, channel, long_ago)
    market.hub.private.send_behind()
    assert min(map(len, transport.written)) > JOINED_MAX_BYTES
    seen = [await client.json() for _ in range(2 * count)]
    for channel in (ORDERS, BALANCE):
        mine = [message for message in seen if message["channel"] == channel]
        assert len(mine) == count
        assert all(later["prev_seq"] == earlier["seq"] for earlier, later in pairwise(mine))
