"""A restart between two visits of a client: what it missed comes from the journal's newest records."""

from __future__ import annotations

from pathlib import Path

from config.settings import Settings
from engine.events import BalanceChanged, OrderUpdated
from engine.kinds import AccountKind
from feeds.candles import CandleBook
from server.candle_streams import CandleStreams
from server.fan_out import Hub
from server.market_view import MarketView
from server.principal import Principal, Role
from server.private_channels import ORDERS
from tests.server.ledger_world import World, open_world
from tests.server.stream_client import StreamClient, hub_server
from tests.server.stream_market import Connect, HandClock, encode_balance, encode_order


def hub_of(world: World, settings: Settings, records_max: int = 10_000) -> Hub:
    """A hub as a start makes it: seeded from the recovered journal, then fed by the runtime."""
    runtime = world.runtime
    market, clock = MarketView(), HandClock()
    hub = Hub(
        market,
        settings.stream,
        {OrderUpdated: encode_order, BalanceChanged: encode_balance},
        {},
        clock,
        CandleStreams(market, CandleBook(), clock.now_us),
        lambda *_: None,
    )
    recent = runtime.durable_records(after=runtime.durable_seq - records_max)
    hub.private.seed_from_records(recent, runtime.durable_seq)
    runtime.add_listener(hub.listener)
    return hub


async def resume(connect: Connect, hub: Hub, account_id: int, seq: int) -> tuple[int | None, StreamClient]:
    outlet, client = await connect()
    principal = Principal(1, account_id, frozenset({Role.TRADER}), 1, 2_000_000_000)
    assert hub.sign_in(outlet, principal)
    return hub.private.subscribe(outlet, ORDERS, seq), client


async def test_a_client_resumes_across_a_restart_without_a_hole(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=0)
        account_id = world.open_account(7, AccountKind.USER)
        seqs = [world.buy(account_id, "AAPL", 900_000, 1).seq for _ in range(5)]
        await world.runtime.wait_durable(seqs[-1])
    async with open_world(database_dsn, tmp_path) as world:
        hub = hub_of(world, settings)
        async with hub_server(hub) as connect:
            known, client = await resume(connect, hub, account_id, seqs[1])
            live = world.buy(account_id, "AAPL", 910_000, 1).seq
            messages = [await client.json() for _ in range(4)]

    assert known == seqs[1]
    assert [(message["prev_seq"], message["seq"]) for message in messages] == [
        (seqs[1], seqs[2]),
        (seqs[2], seqs[3]),
        (seqs[3], seqs[4]),
        (seqs[4], live),
    ]


async def test_what_the_journal_s_newest_records_do_not_reach_needs_a_resync(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=0)
        account_id = world.open_account(7, AccountKind.USER)
        seqs = [world.buy(account_id, "AAPL", 900_000, 1).seq for _ in range(5)]
        await world.runtime.wait_durable(seqs[-1])
        hub = hub_of(world, settings, records_max=2)
        async with hub_server(hub) as connect:
            forgotten, _ = await resume(connect, hub, account_id, seqs[1])
            known, client = await resume(connect, hub, account_id, seqs[2])
            messages = [await client.json() for _ in range(2)]

    assert (forgotten, known) == (None, seqs[2])
    assert [message["seq"] for message in messages] == seqs[3:]


async def test_an_empty_journal_seeds_nothing(database_dsn: str, tmp_path: Path, settings: Settings) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        hub = hub_of(world, settings)
        assert hub.private.seq == world.state.seq == 0
        answered: list[int] = []
        hub.when_durable(0, lambda: answered.append(0))
        assert answered == [0]
