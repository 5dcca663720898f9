"""Under overload: new orders answer 503 at once, unread where they are plain; cancels and reads go on; no key is used up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from config.settings import OverloadSettings, Settings
from engine.events import OrderUpdated
from handlers import unread_orders
from handlers.unread_orders import ORDER_LINE, refusal_unread
from server import admission
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import connected, limit_order

HEAD = ORDER_LINE + b"Host: 127.0.0.1:8080\r\nAccept-Encoding: gzip\r\nContent-Type: application/json\r\n"
BODY = b'{"stock_symbol":"AAPL"}'
PLAIN = HEAD + b"Content-Length: 23\r\n\r\n" + BODY


def test_a_plain_order_is_refused_without_being_read() -> None:
    answer = refusal_unread(PLAIN)
    assert answer is not None
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    error = msgspec.json.decode(body)["error"]
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert (lines["Retry-After"], int(lines["Content-Length"])) == ("1", len(body))
    assert (error["code"], error["retryable"]) == ("OVERLOADED", True)
    assert error["request_id"] == lines["X-Request-ID"]
    again = refusal_unread(PLAIN.replace(b"Content-Length", b"content-length"))
    assert again is not None
    assert again != answer
    assert len(again) == len(answer)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1],
        PLAIN + b"P",
        HEAD + b"\r\n",
        HEAD + b"Content-Length: x\r\n\r\n" + BODY,
        HEAD[:40],
        *(
            HEAD + line + b"\r\nContent-Length: 23\r\n\r\n" + BODY
            for line in (
                b"Origin: https://page.example",
                b"Connection: close",
                b"Expect: 100-continue",
                b"Transfer-Encoding: chunked",
                b"Content-Encoding: gzip",
                b"X-Request-ID: mine",
                b"x-request-id: mine",
            )
        ),
    ],
)
def test_whatever_is_not_plain_is_read(data: bytes) -> None:
    assert refusal_unread(data) is None


def test_no_more_heads_are_remembered_than_many_clients_have() -> None:
    for number in range(3 * unread_orders._HEADS_MAX // 2):
        key = b"X-Idempotency-Key: %d\r\n" % number
        assert refusal_unread(HEAD + key + b"Content-Length: 23\r\n\r\n" + BODY) is not None
        assert refusal_unread(HEAD + key + b"Content-Length: 23\r\n\r\n" + BODY[1:]) is None
    assert len(unread_orders._plain_heads) <= unread_orders._HEADS_MAX
    long = b"User-Agent: %b\r\n" % (b"x" * unread_orders._HEAD_MAX_BYTES)
    assert refusal_unread(HEAD + long + b"Content-Length: 23\r\n\r\n" + BODY) is not None
    assert max(map(len, unread_orders._plain_heads)) <= unread_orders._HEAD_MAX_BYTES


@pytest.fixture
async def busy(
    database_dsn: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SmallKerb]:
    """Every turn is too long: whatever comes after the first one meets an overload, however slow the test is."""
    monkeypatch.setattr(admission, "IDLE_S", 3_600)
    monkeypatch.setattr(admission, "READS_MIN", 0)
    monkeypatch.setattr(admission, "READS_QUIET", 0)
    overload = OverloadSettings(turn_ms=0, lag_ms=1_000, patience_ms=0, disk_wait_ms=60_000)
    async with open_small_kerb(
        database_dsn, tmp_path, msgspec.structs.replace(settings, overload=overload)
    ) as kerb:
        yield kerb


def resting(kerb: SmallKerb, trader: Client) -> str:
    """An order that the engine has taken, whatever the border would have said."""
    (order,) = kerb.world.buy(trader.account_id, "AAPL", 100_000, 1).answer
    assert isinstance(order, OrderUpdated)
    return f"ord_{order.order_id}"


async def test_cancels_and_reads_pass_while_orders_are_refused(busy: SmallKerb) -> None:
    trader = await busy.trader(cash="100000")
    seq = busy.world.state.seq
    for _ in range(3):
        refused = await trader.place("BUY", "1", "10", headers={"X-Idempotency-Key": "once"})
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "OVERLOADED", "1")
    assert busy.world.state.seq == seq  # not even a key is used up
    order_id = resting(busy, trader)
    assert (await trader("GET", "/wallet/balance")).status == 200
    assert (await trader("DELETE", f"/orders/{order_id}")).data["status"] == "CANCELLED"
    refused_by_name = (await trader("POST", "/v1/orders", {}, root=True)).code
    assert refused_by_name == "OVERLOADED"
    assert busy.services.admission.refused == 4


async def test_an_order_in_one_piece_is_answered_unread_and_the_connection_goes_on(busy: SmallKerb) -> None:
    trader = await busy.trader(cash="100000")
    assert (await trader("GET", "/wallet/balance")).status == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", int(busy.url.rpartition(":")[2]))
    statuses = []
    for _ in range(4):
        writer.write(PLAIN)  # without a token: 401 from whoever looks
        head = await reader.readuntil(b"\r\n\r\n")
        statuses.append(int(head.split()[1]))
        await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r")[0]))
    assert (
        len(head.split(b"X-Request-ID: ")[1].split(b"\r")[0]) == 17
    )  # that of an answer which nobody has read for
    assert statuses[1:] == [503] * 3  # a turn that has refused nothing may come before
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: k\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_a_websocket_has_its_orders_refused_and_its_cancels_carried_out(busy: SmallKerb) -> None:
    trader = await busy.trader(cash="100000")
    order_id = resting(busy, trader)
    order = limit_order("BUY", "1", "10")
    async with connected(busy, trader) as user:
        for _ in range(2):
            refused = await user.ask("order.place", order=order)
            assert (refused["code"], refused["temporary"]) == ("OVERLOADED", True)
        results = (await user.ask("orders.batch", orders=[{"place": order}, {"cancel": order_id}]))["data"]
        assert [each.get("code") or each["data"]["status"] for each in results] == ["OVERLOADED", "CANCELLED"]
