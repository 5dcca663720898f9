"""Trade busts over real sockets: two operators, both sides' books, what their owners see, and `verify`."""

from __future__ import annotations

import asyncio

import asyncpg

from engine.invariants import check_invariants
from engine.state_hash import state_hash
from server.recovery import load_state
from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb

REASON = {"reason": "a price that nobody could have meant"}


async def trade(buyer: Client, seller: Client) -> tuple[str, str]:
    """A fill of 2 at 100; the buyer's order and the buyer's execution."""
    assert (await seller.place("SELL", "2", "100")).status == 201
    order_id = (await buyer.place("BUY", "2", "100")).data["order_id"]
    (fill,) = (await buyer("GET", f"/orders/{order_id}/executions")).data
    assert fill["busted"] is False
    return order_id, fill["execution_id"]


async def proposed(operator: Client, execution_id: str) -> str:
    reply = await operator("POST", f"/admin/trades/{execution_id}/bust", REASON)
    assert (reply.status, reply.data["status"], reply.data["outcome"]) == (201, "PROPOSED", None), reply
    return str(reply.data["bust_id"])


async def test_a_trade_is_busted_by_two_operators_once(small: SmallKerb, database_dsn: str) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    buyer, seller = await small.trader("buyer", cash="1000"), await small.trader("seller", units=5)
    before = [(await who("GET", "/wallet/balance")).data["balance"] for who in (buyer, seller)]
    order_id, execution_id = await trade(buyer, seller)
    bust_id = await proposed(one, execution_id)
    assert (await one("POST", f"/admin/trades/{execution_id}/bust", REASON)).code == "CONFLICT"
    assert (await one("POST", f"/admin/busts/{bust_id}/approve")).code == "FORBIDDEN"
    assert (await buyer("POST", f"/admin/busts/{bust_id}/approve")).status == 403

    replies = await asyncio.gather(*(two("POST", f"/admin/busts/{bust_id}/approve") for _ in range(5)))
    assert {reply.status for reply in replies} <= {200, 409}
    busted = next(reply.data for reply in replies if reply.status == 200)
    assert (busted["status"], busted["decided_by"], busted["buy_execution_id"]) == (
        "BUSTED",
        two.user_id,
        execution_id,
    )
    assert [(await who("GET", "/wallet/balance")).data["balance"] for who in (buyer, seller)] == before
    assert (await buyer("GET", "/portfolio/holdings")).data == []
    (holding,) = (await seller("GET", "/portfolio/holdings")).data
    assert holding["quantity"] == 5
    (fill,) = (await buyer("GET", f"/orders/{order_id}/executions")).data
    assert fill["busted"] is True
    order = (await buyer("GET", f"/orders/{order_id}")).data
    assert (order["status"], order["filled_quantity"]) == ("FILLED", 2)
    lines = (await buyer("GET", "/wallet/transactions")).data
    back = [line for line in lines if line["type"] == "BUST"]
    assert [(line["amount"], line["transaction_id"], line["reference_id"]) for line in back] == [
        (200, busted["outcome"], order_id)
    ]
    assert (await one("POST", f"/admin/trades/{execution_id}/bust", REASON)).code == "CONFLICT"
    assert (await one("GET", "/admin/busts?status=BUSTED")).data == [busted]
    async with asyncio.timeout(10):
        while (await buyer("GET", "/stocks/AAPL/chart?interval=1m")).data["candles"]:
            await asyncio.sleep(0.01)

    await small.world.written()
    assert check_invariants(small.world.state) == []
    assert await verify(database_dsn) == []
    connection = await asyncpg.connect(database_dsn)
    stored, _ = await load_state(connection)
    await connection.close()
    assert state_hash(stored) == state_hash(small.world.state)


async def test_what_cannot_be_given_back_is_refused_and_can_be_proposed_again(small: SmallKerb) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    buyer, seller = await small.trader("buyer", cash="1000"), await small.trader("seller", units=5)
    _, execution_id = await trade(buyer, seller)
    held = (await buyer.place("SELL", "1", "120")).data["order_id"]
    refused = await two("POST", f"/admin/busts/{await proposed(one, execution_id)}/approve")
    assert (refused.data["status"], refused.data["outcome"]) == ("REFUSED", "BUYER_LACKS_SHARES")
    await buyer("DELETE", f"/orders/{held}")
    rejected = await two("POST", f"/admin/busts/{await proposed(one, execution_id)}/reject")
    assert (rejected.status, rejected.data["status"]) == (200, "REJECTED")
    sellers = f"exe_{int(execution_id.removeprefix('exe_')) + 1}"
    approved = await two("POST", f"/admin/busts/{await proposed(one, sellers)}/approve")
    assert (approved.data["status"], approved.data["sell_execution_id"]) == ("BUSTED", sellers)


async def test_an_approval_that_was_cut_off_goes_on_and_busts_once(small: SmallKerb) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    buyer, seller = await small.trader("buyer", cash="1000"), await small.trader("seller", units=5)
    _, execution_id = await trade(buyer, seller)
    bust_id = await proposed(one, execution_id)
    done = (await two("POST", f"/admin/busts/{bust_id}/approve")).data
    await small.services.database.execute(
        "UPDATE trade_busts SET status = 'APPROVED', outcome = NULL WHERE bust_id = $1",
        int(bust_id.removeprefix("bst_")),
    )
    seq = small.world.state.seq
    assert (await two("POST", f"/admin/busts/{bust_id}/approve")).data == done
    assert small.world.state.seq == seq
