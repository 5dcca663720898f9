"""Notifications over HTTP: who is told what, what has been read, and that nobody hears of anybody else."""

from __future__ import annotations

from typing import Any

import pytest

from engine.commands import Envelope, SetKillSwitch
from engine.kinds import KillScope, Source
from server.verify import verify
from tests.handlers.parking_people import booking
from tests.handlers.small_kerb import Client, Reply, SmallKerb, sign_in


def kinds(reply: Reply) -> list[str]:
    return [each["kind"] for each in reply.data]


async def kinds_of(client: Client, query: str = "") -> list[str]:
    """What the user has been told, newest first."""
    return kinds(await client("GET", f"/notifications{query}"))


def set_apart(notification: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: notification[name] for name in names}


async def test_an_order_tells_when_it_begins_to_fill_and_when_it_is_done(small: SmallKerb) -> None:
    maker = await small.trader("maker", units=20)
    user = await small.trader("user", cash="10000")
    placed = (await user.place("BUY", "10", "100")).data
    for units in ("3", "2", "5"):
        await maker.place("SELL", units, "99.50")
    reply = await user("GET", "/notifications")
    filled, partly, deposit = reply.data

    assert kinds(reply) == ["ORDER_FILLED", "ORDER_PARTIALLY_FILLED", "DEPOSIT_CREDITED"]
    assert reply.meta == {"as_of_seq": small.world.state.seq, "limit": 50, "unread": 3}
    assert filled["body"] == "Bought 10 AAPL at 100.00 USD."
    assert partly == {
        "notification_id": partly["notification_id"], "kind": "ORDER_PARTIALLY_FILLED", "topic": "ORDERS",
        "severity": "INFO", "title": "Order partly filled",
        "body": "Bought 3 of 10 AAPL at 100.00 USD so far; the rest is open.", "order_id": placed["order_id"],
        "transaction_id": None, "symbol": "AAPL", "side": "BUY", "quantity": 10, "filled_quantity": 3,
        "average_price": 100, "amount": 300, "currency": "USD", "reason": None, "lot_id": None, "booking_id": None,
        "created_at": partly["created_at"], "read_at": None,
    }  # fmt: skip
    statement = (await user("GET", "/wallet/transactions?page=1")).data
    assert deposit["transaction_id"] == statement[-1]["transaction_id"]
    assert set_apart(deposit, "amount", "order_id", "quantity") == {
        "amount": 10_000,
        "order_id": None,
        "quantity": None,
    }
    assert kinds(await maker("GET", "/notifications")) == ["ORDER_FILLED"] * 3 + ["SHARES_RECEIVED"]


async def test_what_the_user_has_asked_for_is_not_told(small: SmallKerb) -> None:
    user = await small.trader(cash="10000")
    placed = (await user.place("BUY", "1", "90")).data["order_id"]
    await user("PATCH", f"/orders/{placed}", {"price": "89"})
    await user("DELETE", "/orders")
    await user.place("BUY", "1", "90", time_in_force="IOC")
    assert await kinds_of(user) == ["DEPOSIT_CREDITED"]


async def test_what_an_operator_does_is_told(small: SmallKerb) -> None:
    operator, second = await small.admin(), await small.admin("second")
    user = await small.trader(cash="10000")
    order_id = (await user.place("BUY", "1", "90")).data["order_id"]
    proposal = {"user_id": user.user_id, "amount": "-1.50", "reason": "a mistake of ours"}
    adjustment = (await operator("POST", "/admin/adjustments", proposal)).data["adjustment_id"]
    assert (await second("POST", f"/admin/adjustments/{adjustment}/approve")).status == 200
    for stop in (True, False):
        switch = SetKillSwitch(KillScope.ACCOUNT, str(user.account_id), stop, "looking into it")
        await small.services.runtime.execute(switch, Envelope(Source.OPERATOR))
    await operator("POST", f"/admin/users/{user.user_id}/disable", {"reason": "a secret suspicion"})
    await operator("POST", f"/admin/users/{user.user_id}/enable")
    await sign_in(user, "trader@example.com")
    reply = await user("GET", "/notifications")

    assert kinds(reply) == [
        "ACCOUNT_ENABLED",
        "ACCOUNT_DISABLED",
        "ORDER_CANCELLED",
        "CASH_ADJUSTED",
        "DEPOSIT_CREDITED",
    ]
    _, disabled, cancelled, adjusted, _ = reply.data
    assert set_apart(cancelled, "order_id", "reason", "severity") == {
        "order_id": order_id,
        "reason": "KILL_SWITCH",
        "severity": "WARNING",
    }
    assert (adjusted["amount"], adjusted["body"]) == (
        -1.5,
        "An operator has taken 1.50 USD from your account.",
    )
    assert disabled["severity"] == "CRITICAL"
    assert b"suspicion" not in reply.body


async def test_a_withdrawal_is_told_when_it_is_paid(small: SmallKerb) -> None:
    user = await small.trader(cash="100")
    withdrawal = (await user("POST", "/wallet/withdraw", {"amount": "40"})).data["transaction_id"]
    while (await user("GET", f"/wallet/transactions/{withdrawal}")).data["status"] == "PENDING":
        pass
    paid, _ = (await user("GET", "/notifications")).data
    assert set_apart(paid, "kind", "transaction_id", "amount", "body") == {
        "kind": "WITHDRAWAL_PAID",
        "transaction_id": withdrawal,
        "amount": -40,
        "body": "40.00 USD were paid to your bank.",
    }


async def test_pages_join_and_unread_ones_can_be_asked_for(small: SmallKerb) -> None:
    user = await small.trader()
    for amount in range(1, 8):
        await user.deposit(str(amount))
    seen: list[float] = []
    query = "?limit=3"
    for more in (True, True, False):
        page = await user("GET", f"/notifications{query}")
        seen += [each["amount"] for each in page.data]
        assert ("next_cursor" in page.meta) == more
        query = f"?limit=3&cursor={page.meta.get('next_cursor')}"
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    newest, _, third = (await user("GET", "/notifications?limit=3")).data
    assert (await user("POST", f"/notifications/{third['notification_id']}/read")).status == 200
    unread = await user("GET", "/notifications?unread_only=true")
    assert [each["amount"] for each in unread.data] == [7, 6, 4, 3, 2, 1]
    assert unread.meta["unread"] == 6
    marked = await user("POST", "/notifications/read", {"up_to": third["notification_id"]})
    assert marked.data == {"marked": 4, "unread": 2}
    assert (await user("POST", "/notifications/read", {"up_to": newest["notification_id"]})).data == {
        "marked": 2,
        "unread": 0,
    }
    assert await kinds_of(user, "?unread_only=true") == []
    assert len(await kinds_of(user)) == 7


async def test_reading_again_changes_nothing(small: SmallKerb) -> None:
    user = await small.trader(cash="1")
    (told,) = (await user("GET", "/notifications")).data
    path = f"/notifications/{told['notification_id']}/read"
    first = await user("POST", path)
    assert first.data == told | {"read_at": first.data["read_at"]}
    assert first.data["read_at"] is not None
    assert (await user("POST", path)).data == first.data
    assert (await user("GET", "/notifications")).data == [first.data]


async def test_nobody_reads_or_marks_another_s(small: SmallKerb) -> None:
    victim, other = await small.trader("victim", cash="5"), await small.trader("other", cash="6")
    (told,) = (await victim("GET", "/notifications")).data
    refused = await other("POST", f"/notifications/{told['notification_id']}/read")
    assert (refused.status, refused.code) == (404, "NOT_FOUND")
    assert (await other("POST", "/notifications/read", {"up_to": "ntf_9223372036854775807"})).data[
        "marked"
    ] == 1
    assert (await victim("GET", "/notifications")).data == [told]
    assert [each["amount"] for each in (await other("GET", "/notifications")).data] == [6]


@pytest.mark.parametrize(
    ("silenced", "left"),
    [
        ({"orders": False}, ["DEPOSIT_CREDITED"]),
        ({"deposits": False}, ["ORDER_FILLED"]),
        ({"orders": False, "deposits": False}, []),
        ({"news": False}, ["ORDER_FILLED", "DEPOSIT_CREDITED"]),
    ],
)
async def test_the_preferences_silence_kinds(
    small: SmallKerb, silenced: dict[str, bool], left: list[str]
) -> None:
    maker = await small.trader("maker", units=5)
    user = await small.trader("user", cash="1000")
    await maker.place("SELL", "1", "100")
    await user.place("BUY", "1", "100")
    assert (await user("PUT", "/users/preferences", {"notifications": silenced})).status == 200
    reply = await user("GET", "/notifications")
    assert (kinds(reply), reply.meta["unread"]) == (left, len(left))
    assert (await user("PUT", "/users/preferences", {})).status == 200
    assert await kinds_of(user) == ["ORDER_FILLED", "DEPOSIT_CREDITED"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/notifications?unread_only=yes", None),
        ("GET", "/notifications?cursor=ntf_1", None),
        ("GET", "/notifications?limit=0", None),
        ("POST", "/notifications/read", {}),
        ("POST", "/notifications/read", {"up_to": "1"}),
        ("POST", "/notifications/read", {"up_to": "ntf_1", "all": True}),
    ],
)
async def test_what_is_malformed_is_refused(
    small: SmallKerb, method: str, path: str, body: dict[str, object] | None
) -> None:
    reply = await (await small.trader())(method, path, body)
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")


async def test_the_books_say_so_too(small: SmallKerb, database_dsn: str) -> None:
    maker, user = await small.trader("maker", units=5), await small.trader("user", cash="1000")
    await maker.place("SELL", "2", "100")
    await user.place("BUY", "2", "100")
    assert await kinds_of(user) == ["ORDER_FILLED", "DEPOSIT_CREDITED"]
    await small.services.write_behind.barrier()
    assert await verify(database_dsn) == []


async def test_what_happens_to_a_booking_is_told_and_may_be_silenced(small: SmallKerb) -> None:
    user = await small.trader(cash="100")
    booking_id = (await booking(small, user))["booking_id"]
    await user("DELETE", f"/parking/bookings/{booking_id}")
    gone, booked, _ = (await user("GET", "/notifications")).data
    assert (gone["kind"], gone["amount"], gone["booking_id"]) == ("BOOKING_CANCELLED", None, booking_id)
    assert (booked["kind"], booked["topic"], booked["amount"]) == ("BOOKING_CONFIRMED", "PARKING", 8)
    assert (booked["lot_id"], booked["booking_id"], booked["symbol"]) == ("lot_P1", booking_id, None)
    assert (booked["quantity"], booked["transaction_id"]) == (None, None)
    await user("PUT", "/users/preferences", {"notifications": {"parking": False}})
    kinds = [each["kind"] for each in (await user("GET", "/notifications")).data]
    assert kinds == ["BOOKING_CANCELLED", "DEPOSIT_CREDITED"]
