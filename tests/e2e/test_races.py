"""What happens at the same moment: money is spent once, and a key has one effect."""

from __future__ import annotations

import asyncio

import aiohttp

from server.demo import PASSWORD, TRADERS
from tests.kerb_process import KerbProcess

ROUNDS = 1_000
TOGETHER = 100


async def test_of_two_buys_at_once_with_money_for_one_exactly_one_is_accepted(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    """1 000 rounds over two connections. A share at 200.00 with the worst-case fee of 0.1 % costs 200.20."""
    user = await kerb.register(http, "two-buys@example.com", "200.19")
    other = await kerb.sign_in(http, "two-buys@example.com", user.password)
    too_little = await user.place("BUY", "1", "200.00")
    assert (too_little.status, too_little.code) == (422, "INSUFFICIENT_FUNDS")
    await user.deposit("0.01")
    for round_number in range(ROUNDS):
        replies = await asyncio.gather(user.place("BUY", "1", "200.00"), other.place("BUY", "1", "200.00"))
        accepted = [reply for reply in replies if reply.status == 201]
        refused = [reply for reply in replies if reply.status == 422]
        assert (len(accepted), len(refused)) == (1, 1), (round_number, replies)
        assert refused[0].code == "INSUFFICIENT_FUNDS"
        cancelled = await user("DELETE", f"/orders/{accepted[0].data['order_id']}")
        assert cancelled.data["status"] == "CANCELLED"
    assert (await user("GET", "/wallet/balance")).data["available"] == 200.20
    await kerb.verify()


async def test_the_same_key_a_hundred_times_at_once_is_one_order_with_one_answer(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    user = await kerb.sign_in(http, TRADERS[0].email, PASSWORD)
    key = {"X-Idempotency-Key": "one-and-only"}
    replies = await asyncio.gather(*(user.place("BUY", "1", "200.00", headers=key) for _ in range(TOGETHER)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    hits = [reply.headers.get("Idempotency-Hit") for reply in replies]
    assert sorted(hits, key=str) == [None] + ["true"] * (TOGETHER - 1)
    orders = (await user("GET", "/orders?status=PENDING")).data
    assert [order["order_id"] for order in orders] == [replies[0].data["order_id"]]
    altered = await user.place("BUY", "2", "200.00", headers=key)
    assert (altered.status, altered.code) == (422, "IDEMPOTENCY_KEY_REUSED")
