"""`POST /orders/preview` over a real socket: it agrees with the order that follows, and journals nothing."""

from __future__ import annotations

from typing import Any

import pytest

from engine.state_hash import state_hash
from tests.handlers.small_kerb import Client, Reply, SmallKerb


async def previewed(client: Client, side: str, quantity: str, price: str | None = None, **more: Any) -> Reply:
    order = {"stock_symbol": "AAPL", "side": side, "quantity": quantity, "order_type": "MARKET"}
    if price is not None:
        order |= {"order_type": "LIMIT", "price": price}
    return await client("POST", "/orders/preview", order | more)


async def test_a_preview_says_what_the_order_then_does(small: SmallKerb) -> None:
    seller = await small.trader("seller", units=10)
    buyer = await small.trader("buyer", cash="2000")
    await seller.place("SELL", "4", "100")
    state = small.world.state
    before = (state_hash(state), state.seq)

    preview = await previewed(buyer, "BUY", "10", "101")

    assert preview.status == 200
    assert preview.meta == {"as_of_seq": state.seq}
    assert (state_hash(state), state.seq) == before
    assert preview.data == {
        "accepted": True, "refusals": [], "warnings": [],
        "status": "PARTIAL", "filled_quantity": 4, "average_price": 100, "amount": 400, "fee": 1,
        "regulatory_fee": 0, "maker_rate": 0.1, "taker_rate": 0.25,
        "estimated_total": 1007, "hold": 1012.525, "hold_after": 607.515,
        "buying_power": 2000, "buying_power_after": 991.485,
    }  # fmt: skip
    placed = (await buyer.place("BUY", "10", "101")).data
    for name in ("status", "filled_quantity", "average_price", "fee"):
        assert placed[name] == preview.data[name], name
    assert placed["hold"] == preview.data["hold_after"]
    balance = (await buyer("GET", "/wallet/balance")).data
    assert balance["buying_power"] == preview.data["buying_power_after"]


async def test_a_preview_of_what_would_be_refused_answers_with_the_refusals(small: SmallKerb) -> None:
    client = await small.trader(cash="50")
    preview = await previewed(client, "BUY", "10", "100", time_in_force="FOK")
    assert preview.status == 200
    assert (preview.data["accepted"], preview.data["status"]) == (False, None)
    assert preview.data["refusals"] == [
        {
            "code": "INSUFFICIENT_FUNDS",
            "message": "There is not enough available cash.",
            "details": {"required": 1002.5, "available": 50},
        },
        {
            "code": "FILL_OR_KILL",
            "message": "The order cannot be filled in full now.",
            "details": {"fillable": 0},
        },
    ]
    assert (preview.data["hold"], preview.data["hold_after"]) == (1002.5, 0)
    assert preview.data["buying_power_after"] == preview.data["buying_power"] == 50
    placed = await client.place("BUY", "10", "100", time_in_force="FOK")
    assert placed.code == "INSUFFICIENT_FUNDS"

    unknown = await previewed(client, "BUY", "1", "1", stock_symbol="NOPE")
    assert [each["code"] for each in unknown.data["refusals"]] == ["UNKNOWN_SYMBOL"]
    assert unknown.data["amount"] is None


@pytest.mark.parametrize(
    ("quantity", "price", "more", "warnings"),
    [
        ("1", None, {}, []),
        ("3", None, {}, ["PARTLY_FILLED", "PRICE_IMPACT"]),
        ("1", "99", {"time_in_force": "IOC"}, ["NOTHING_TO_TRADE_WITH"]),
        ("3", "103", {"time_in_force": "FOK"}, ["PRICE_IMPACT"]),
        ("3", "104", {}, ["MEETS_OWN_ORDER", "PRICE_IMPACT"]),
    ],
)
async def test_warnings(
    small: SmallKerb, quantity: str, price: str | None, more: dict[str, str], warnings: list[str]
) -> None:
    seller = await small.trader("seller", units=10)
    buyer = await small.trader("buyer", cash="2000", units=5)
    await seller.place("SELL", "1", "100")
    await seller.place("SELL", "1", "103")
    await buyer.place("SELL", "1", "104")
    if "PARTLY_FILLED" in warnings:
        await buyer("DELETE", "/orders")
    found = (await previewed(buyer, "BUY", quantity, price, **more)).data
    assert sorted(each["code"] for each in found["warnings"]) == warnings, found


async def test_a_preview_needs_an_account_and_a_well_formed_body(small: SmallKerb) -> None:
    assert (await previewed(small.anonymous(), "BUY", "1", "100")).status == 401
    client = await small.trader(cash="50")
    wrong = await client("POST", "/orders/preview", {"stock_symbol": "AAPL", "side": "BUY"})
    assert (wrong.status, wrong.code) == (400, "BAD_REQUEST")
    finer = await previewed(client, "BUY", "1", "1.00001")
    assert (finer.status, finer.code) == (422, "INVALID_TICK_SIZE")


async def test_a_preview_names_the_rules_that_would_refuse_or_report_it(small: SmallKerb) -> None:
    admin, client = await small.admin(), await small.trader(cash="500")
    for rule, mode in (("FAT_FINGER", "BLOCK"), ("POSITION_LIMIT", "FLAG")):
        body = {"mode": mode, "figures": {"quantity_max": 2}}
        assert (await admin("PUT", f"/admin/risk/rules/{rule}", body)).status == 200
    found = (await previewed(client, "BUY", "10", "100.001")).data
    assert [each["code"] for each in found["refusals"]] == [
        "INVALID_TICK_SIZE",
        "INSUFFICIENT_FUNDS",
        "FAT_FINGER",
    ]
    assert [each["code"] for each in found["warnings"]] == ["POSITION_LIMIT"]
    assert "reported for review" in found["warnings"][0]["message"]
    assert (await client.place("BUY", "10", "100.001")).code == "INVALID_TICK_SIZE"
    assert small.world.state.instruments["AAPL"].tick_e4 == 100
