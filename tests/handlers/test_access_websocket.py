"""The matrix on the WebSocket: every channel and action × every role, own and others' objects. Nothing leaks."""

from __future__ import annotations

from typing import Any, Final

import pytest

from handlers.access import CHANNEL_POLICIES
from handlers.ws_messages import ACTIONS
from handlers.ws_subscriptions import PARKING, PRIVATE_CHANNELS, PUBLIC_CHANNELS
from server.gate_stream import GATES
from server.principal import Role
from server.private_channels import OF_THE_VENUE, RISK
from tests.handlers.small_kerb import Client, SmallKerb
from tests.handlers.test_access import CLIENT_ROLES, order_ids, person
from tests.handlers.websocket_user import Message, WebSocketUser, connected, limit_order

ORDER_ACTIONS: Final[dict[str, dict[str, Any]]] = {
    "order.place": {"order": limit_order("BUY", "1", "50")},
    "order.cancel": {"order_id": "ord_999424"},
    "orders.batch": {"orders": [{"place": limit_order("BUY", "1", "50")}]},
}
"""What trades → a message that does."""

HARMLESS: Final = {"auth", "subscribe", "unsubscribe", "ping"}


def test_every_action_is_in_the_matrix() -> None:
    assert ORDER_ACTIONS.keys() | HARMLESS == ACTIONS


async def refusal(user: WebSocketUser, action: str, members: dict[str, Any]) -> str:
    """The code of what refused a message; '' when nothing did."""
    answer = await user.ask(action, **members)
    return str(answer["code"]) if answer["type"] == "error" else ""


@pytest.mark.parametrize("role", [None, *Role])
async def test_every_channel_and_action_answers_every_role_as_it_should(
    small: SmallKerb, role: Role | None
) -> None:
    client = await person(small, role) if role is not None else None
    denied = "" if role in CLIENT_ROLES else "UNAUTHENTICATED" if role is None else "FORBIDDEN"
    async with connected(small, client) as user:
        for channel in sorted(PUBLIC_CHANNELS):
            what = {"lots": ["lot_P1"]} if channel == PARKING else {"symbols": ["AAPL"]}
            assert await refusal(user, "subscribe", {"channels": [channel], **what}) == ""
        for channel in sorted(PRIVATE_CHANNELS):
            allowed = role in CHANNEL_POLICIES[channel]
            expected = "" if allowed else "UNAUTHENTICATED" if role is None else "FORBIDDEN"
            what = {"lots": ["lot_P1"]} if channel == GATES else {}
            assert await refusal(user, "subscribe", {"channels": [channel], **what}) == expected, channel
        for action, members in ORDER_ACTIONS.items():
            code = await refusal(user, action, members)
            assert code == (denied or ("ORDER_NOT_FOUND" if action == "order.cancel" else "")), action
        assert (await user.ask("ping"))["type"] == "pong"


async def test_a_stranger_s_channels_say_nothing_of_a_victim(small: SmallKerb) -> None:
    client = await small.trader("client", cash="1000")
    victim = await small.trader("victim", cash="100000")
    async with connected(small, client) as user, connected(small, victim) as other:
        for each in (user, other):
            for channel in sorted(PRIVATE_CHANNELS):
                await each.ask("subscribe", channels=[channel], resume_from=0)
        marks = [*await order_ids(victim), f"acc_{victim.account_id}", victim.user_id]
        await other.on("orders")
        placed = (await client.place("BUY", "1", "90")).data["order_id"]
        mine = await user.find(lambda message: placed in repr(message))
        heard = [mine, *user.inbox]
        assert [mark for mark in marks if mark in repr(heard)] == []


async def test_another_s_order_is_answered_like_one_that_is_not_there(small: SmallKerb) -> None:
    client = await small.trader("client", cash="1000")
    victim = await small.trader("victim", cash="100000")
    async with connected(small, client) as user:
        nothing = await user.ask("order.cancel", order_id="ord_999424")
        for order_id in await order_ids(victim):
            answer = await user.ask("order.cancel", order_id=order_id)
            assert without_id(answer) == without_id(nothing)
            batch = await user.ask("orders.batch", orders=[{"cancel": order_id}])
            assert batch["data"] == [without_id(nothing)]
    assert [order["status"] for order in (await victim("GET", "/orders?status=PENDING")).data] == ["PENDING"]


def without_id(message: Message) -> Message:
    return {name: value for name, value in message.items() if name != "id"}


async def test_a_connection_stays_its_first_user_s(small: SmallKerb) -> None:
    client, other = await small.trader("client"), await small.trader("other")
    async with connected(small, client) as user:
        answer = await user.ask("auth", token=other.token)
        assert (answer["type"], answer["code"]) == ("error", "FORBIDDEN")


@pytest.mark.parametrize(
    ("scopes", "may_read", "may_trade"),
    [(["read"], True, False), (["trade"], False, True), (["withdraw"], False, False)],
)
async def test_an_api_key_s_scopes_hold_on_the_websocket_too(
    small: SmallKerb, scopes: list[str], may_read: bool, may_trade: bool
) -> None:
    client = await small.trader(cash="1000")
    made = await client("POST", "/auth/api-keys", {"name": "robot", "scopes": scopes})
    key = Client(small.http, small.url, made.data["api_key"])
    async with connected(small, key) as user:
        for channel in sorted(PRIVATE_CHANNELS):
            code = await refusal(user, "subscribe", {"channels": [channel]})
            expected = "" if may_read else "SCOPE_MISSING"
            assert code == ("FORBIDDEN" if channel in OF_THE_VENUE else expected), channel
        for action, members in ORDER_ACTIONS.items():
            code = await refusal(user, action, members)
            assert (code == "SCOPE_MISSING") == (not may_trade), action


def test_the_venue_s_channels_are_for_operators_and_all_other_private_ones_for_clients() -> None:
    assert CHANNEL_POLICIES[RISK] == {Role.RISK, Role.ADMIN}
    assert CHANNEL_POLICIES[GATES] == {Role.PARKING_OPERATOR, Role.ADMIN}
    assert {channel for channel, policy in CHANNEL_POLICIES.items() if policy == set(CLIENT_ROLES)} == (
        PRIVATE_CHANNELS - OF_THE_VENUE
    )
