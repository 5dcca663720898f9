"""No answer shows anything before it is on the disk."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import aiohttp
import pytest

from config.settings import Settings
from server.disk import Disk
from server.journal_errors import JournalFailed
from tests.handlers.small_kerb import Reply, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import connected


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


async def test_no_answer_and_no_read_shows_what_is_not_durable(disk_gate: Event, small: SmallKerb) -> None:
    client = await small.trader(cash="1000", units=5)
    other = await small.trader("other", cash="1000")
    known = (await client.place("BUY", "1", "90")).data["order_id"]
    closed = (await client.place("BUY", "1", "90", time_in_force="IOC")).data["order_id"]
    await small.world.written()  # so that only the handler's own wait is in the way
    durable_seq = small.services.runtime.durable_seq

    disk_gate.clear()
    placing = asyncio.ensure_future(client.place("SELL", "1", "110"))
    while small.world.state.seq == durable_seq:
        await asyncio.sleep(0)
    paths = (
        "/wallet/balance",
        "/portfolio",
        "/portfolio/holdings",
        "/orders",
        "/orders?status=PENDING",
        "/orders/history",
        f"/orders/{known}",
        f"/orders/{closed}",
        f"/orders/{known}/executions",
        "/wallet/transactions",
    )
    reads = [asyncio.ensure_future(client("GET", path)) for path in paths]
    try:
        depth = await other("GET", "/stocks/AAPL/depth")
        assert depth.data["asks"] == []
        for _ in range(10):  # as much as any of the reads asks of the database
            assert (await other("GET", "/users/profile")).status == 200
        assert small.services.runtime.durable_seq == durable_seq
        done = [path for path, read in zip(paths, reads, strict=True) if read.done()]
        assert (done, placing.done()) == ([], False)
    finally:
        disk_gate.set()

    for path, read in zip(paths, reads, strict=True):
        reply = await read
        assert (reply.status, reply.meta["as_of_seq"] > durable_seq) == (200, True), path
    assert (await placing).status == 201
    assert (await other("GET", "/stocks/AAPL/depth")).data["asks"] == [[110, 1, 1]]


async def test_every_way_to_send_a_command_answers_when_it_is_durable(
    disk_gate: Event, small: SmallKerb
) -> None:
    client = await small.trader(cash="10000", units=50)
    other = await small.trader("other", cash="1000")
    first, second, third = [(await client.place("BUY", "1", "90")).data["order_id"] for _ in range(3)]
    order = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": "1", "price": "91"}
    async with connected(small, client) as caller, connected(small, client) as follower:
        assert (await follower.ask("subscribe", channels=["orders", "balance"]))["type"] == "subscribed"
        durable_seq = small.services.runtime.durable_seq
        disk_gate.clear()
        commands = {
            "place": client.place("BUY", "1", "91", headers={"Idempotency-Key": "once"}),
            "cancel": client("DELETE", f"/orders/{first}"),
            "replace": client("PATCH", f"/orders/{second}", {"quantity": "2"}),
            "deposit": client("POST", "/wallet/deposit", {"amount": "1", "payment_method": "CARD"}),
            "withdraw": client("POST", "/wallet/withdraw", {"amount": "1"}),
            "cancel all": client("DELETE", "/orders?symbol=MSFT"),
        }
        waiting: dict[str, asyncio.Future[object]] = {
            name: asyncio.ensure_future(command) for name, command in commands.items()
        }
        try:
            while small.world.state.seq < durable_seq + len(commands):
                await asyncio.sleep(0)
            repeat = client.place("BUY", "1", "91", headers={"Idempotency-Key": "once"})
            waiting["the same key again"] = asyncio.ensure_future(repeat)
            batch = [{"place": order}, {"cancel": third}]
            waiting["socket"] = asyncio.ensure_future(caller.ask("orders.batch", orders=batch))
            waiting["follower"] = asyncio.ensure_future(follower.receive())
            while small.world.state.seq < durable_seq + len(commands) + len(batch):
                await asyncio.sleep(0)
            for _ in range(10):  # as many turns as any of the answers takes
                assert (await other("GET", "/users/profile")).status == 200
            assert small.services.runtime.durable_seq == durable_seq
            assert [name for name, answer in waiting.items() if answer.done()] == []
        finally:
            disk_gate.set()
            await asyncio.gather(*waiting.values())


async def test_a_disk_that_fails_under_a_command_leaves_it_unanswered_and_takes_no_more(
    database_dsn: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[object] = []
    later: list[Reply] = []
    metrics: list[bytes] = []

    all_wait = Event()

    def full(disk: Disk, fd: int) -> None:
        all_wait.wait(30)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def lose_the_disk() -> None:
        async with open_small_kerb(database_dsn, tmp_path, settings) as small:
            client = await small.trader(cash="1000", units=5)
            resting = (await client.place("BUY", "1", "90")).data["order_id"]
            deposit = {"amount": "1", "payment_method": "CARD"}
            monkeypatch.setattr(Disk, "fdatasync", full)
            commands = [
                client.place("BUY", "1", "90"),
                client("PATCH", f"/orders/{resting}", {"price": 91}),
                client("POST", "/wallet/deposit", deposit),
            ]
            runtime = small.services.runtime
            last_seq = runtime.state.seq + len(commands)
            calls = asyncio.gather(*commands, return_exceptions=True)
            while runtime.state.seq < last_seq:
                await asyncio.sleep(0)
            all_wait.set()
            cut.extend(await calls)
            later.append(await client.place("BUY", "1", "90"))
            later.append(await client("POST", "/wallet/deposit", deposit))
            metrics.append(await small.services.metrics.render())

    with pytest.raises(JournalFailed):  # at the end, as the journal cannot be closed
        await lose_the_disk()
    assert all(isinstance(each, aiohttp.ClientConnectionError) for each in cut), cut
    answers = [(reply.status, reply.code, reply.error["retryable"]) for reply in later]
    assert answers == [(503, "SHUTTING_DOWN", True)] * 2
    assert all("Retry-After" in reply.headers for reply in later)
    assert b"kerb_http_faults_total 0.0" in metrics[0]
