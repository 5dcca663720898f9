"""Every example of the OpenAPI document is sent to a real server, and every answer is held to its schema."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs
import pytest

from engine.commands import Envelope, SetRiskRule
from engine.kinds import RiskMode, RiskRule, Source
from handlers.openapi_doc import Example, Tag
from handlers.routes import DOCS, ROUTES
from handlers.routing import Route
from server.principal import Role
from tests.handlers.answer_schemas import AnswerSchemas
from tests.handlers.parking_people import PARKING_WORLDS
from tests.handlers.small_kerb import Client, Reply, SmallKerb

World = Callable[[SmallKerb, Client], Awaitable[dict[str, str]]]
"""Prepares what an example is about; the parts of its path that only the prepared world knows."""


async def _open_order(_: SmallKerb, user: Client) -> dict[str, str]:
    return {"order_id": (await user.place("BUY", "9", "90")).data["order_id"]}


async def _final_order(_: SmallKerb, user: Client) -> dict[str, str]:
    order_id = (await user.place("BUY", "1", "90")).data["order_id"]
    assert (await user("DELETE", f"/orders/{order_id}")).status == 200
    return {"order_id": order_id}


async def _shares_and_a_bid(small: SmallKerb, user: Client) -> dict[str, str]:
    buyer = await small.trader(f"buyer-for-{user.account_id}", cash="10000")
    seller = await small.trader(f"seller-for-{user.account_id}", units=50)
    await seller.place("SELL", "5", "99")
    await user.place("BUY", "5", "99")
    await buyer.place("BUY", "5", "98")
    return {}


async def _stop_order(small: SmallKerb, user: Client) -> dict[str, str]:
    await _shares_and_a_bid(small, user)
    body = {
        "stock_symbol": "AAPL",
        "side": "SELL",
        "order_type": "STOP_LOSS",
        "quantity": 1,
        "stop_price": 80,
    }
    return {"order_id": (await user("POST", "/orders", body)).data["order_id"]}


async def _filled_order(small: SmallKerb, user: Client) -> dict[str, str]:
    await _shares_and_a_bid(small, user)
    placed = await user.place("SELL", "2", "98")
    assert placed.data["status"] == "FILLED"
    return {"order_id": placed.data["order_id"]}


async def _deposit(_: SmallKerb, user: Client) -> dict[str, str]:
    return {"transaction_id": (await user.deposit("1.5")).data["transaction_id"]}


async def _notification(_: SmallKerb, user: Client) -> dict[str, str]:
    await user.deposit("1.5")
    return {"notification_id": (await user("GET", "/notifications")).data[0]["notification_id"]}


async def _user(small: SmallKerb, _: Client) -> dict[str, str]:
    body = {"email": "grace@example.com", "password": "a long pass phrase", "full_name": "Grace Example"}
    await small.anonymous()("POST", "/auth/register", body)
    row = await small.services.database.fetchrow("SELECT user_id FROM users WHERE email = $1", body["email"])
    assert row is not None
    return {"user_id": f"usr_{row['user_id']}"}


async def _halted(_: SmallKerb, admin: Client) -> dict[str, str]:
    assert (await admin("POST", "/admin/instruments/AAPL/halt")).status == 200
    return {}


async def _session(small: SmallKerb, user: Client) -> dict[str, str]:
    (session,) = (await user("GET", "/auth/sessions")).data
    return {"session_id": session["session_id"]}


async def _api_key(_: SmallKerb, user: Client) -> dict[str, str]:
    made = await user("POST", "/auth/api-keys", {"name": "mine", "scopes": ["read", "trade"]})
    return {"key_id": made.data["key_id"]}


async def _proposal(small: SmallKerb, _: Client) -> dict[str, str]:
    number = small.world.state.seq
    trader, other = await small.trader(f"adjusted{number}"), await small.admin(f"operator{number}")
    body = {"user_id": trader.user_id, "amount": "1.50", "reason": "a gift"}
    return {"adjustment_id": (await other("POST", "/admin/adjustments", body)).data["adjustment_id"]}


async def _trade(small: SmallKerb, _: Client) -> dict[str, str]:
    number = small.world.state.seq
    buyer = await small.trader(f"buys{number}", cash="1000")
    seller = await small.trader(f"sells{number}", units=1)
    await seller.place("SELL", "1", "100")
    order_id = (await buyer.place("BUY", "1", "100")).data["order_id"]
    (fill,) = (await buyer("GET", f"/orders/{order_id}/executions")).data
    return {"execution_id": fill["execution_id"]}


async def _proposed_bust(small: SmallKerb, user: Client) -> dict[str, str]:
    trade = (await _trade(small, user))["execution_id"]
    other = await small.admin(f"operator{small.world.state.seq}")
    reply = await other("POST", f"/admin/trades/{trade}/bust", {"reason": "a fat finger"})
    return {"bust_id": reply.data["bust_id"]}


async def _violation(small: SmallKerb, _: Client) -> dict[str, str]:
    number = small.world.state.seq
    rule = SetRiskRule(RiskRule.POSITION_LIMIT, RiskMode.FLAG, (1, 1))
    await small.services.runtime.execute(rule, Envelope(Source.OPERATOR))
    trader = await small.trader(f"careless{number}", cash="1000")
    assert (await trader.place("BUY", "1", "90")).status == 201
    off = SetRiskRule(RiskRule.POSITION_LIMIT, RiskMode.INHERIT, ())
    await small.services.runtime.execute(off, Envelope(Source.OPERATOR))
    await small.world.written()
    row = await small.services.database.fetchrow("SELECT max(violation_id) AS id FROM risk_violations")
    assert row is not None
    return {"violation_id": f"vio_{row['id']}"}


async def _proposed_dividend(small: SmallKerb, _: Client) -> dict[str, str]:
    other = await small.admin(f"operator{small.world.state.seq}")
    body = DOCS["POST /api/v1/admin/corporate-actions"].examples[0].body
    return {"action_id": (await other("POST", "/admin/corporate-actions", body)).data["action_id"]}


WORLDS: dict[str, World] = PARKING_WORLDS | {
    "a dividend that another operator has proposed": _proposed_dividend,
    "a proposal of another operator": _proposal,
    "a trade": _trade,
    "a bust that another operator has proposed": _proposed_bust,
    "a violation": _violation,
    "a session": _session,
    "an API key": _api_key,
    "an open order": _open_order,
    "a final order": _final_order,
    "a stop order": _stop_order,
    "a filled order": _filled_order,
    "shares and a bid": _shares_and_a_bid,
    "a deposit": _deposit,
    "a notification": _notification,
    "a user": _user,
    "a halted instrument": _halted,
}


REAL_IDS = ("vehicle_id",)
"""Members of bodies that are taken from the prepared world."""


async def send(client: Client, route: Route, example: Example, prepared: dict[str, str]) -> Reply:
    """The example's call, with what the prepared world knows in the place of its ids."""
    path = route.path
    for name, value in (dict(example.path) | prepared).items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    if example.query:
        path += "?" + urlencode(example.query)
    body = example.body
    if isinstance(body, dict):
        body = {
            name: prepared.get(name, value) if name in REAL_IDS else value for name, value in body.items()
        }
    return await client(route.method, path, body, root=True)


@pytest.mark.parametrize("tag", Tag, ids=lambda tag: tag.title)
async def test_examples_are_answered_as_they_say(small: SmallKerb, tag: Tag) -> None:
    operator = await small.admin()
    wrong = []
    for route in ROUTES:
        doc = DOCS[route.name]
        for example in doc.examples if doc.tag is tag else ():
            name = f"{doc.operation}-{example.name}"
            caller = (
                operator
                if Role.ADMIN in route.policy and Role.TRADER not in route.policy
                else await small.trader(name, cash="10000")
            )
            prepared = await WORLDS[example.given](small, caller) if example.given else {}
            reply = await send(caller, route, example, prepared)
            if reply.status != (example.status or doc.status) or (
                example.code and reply.code != example.code
            ):
                wrong.append((name, reply))
            AnswerSchemas.of_the_document().check(route, reply)
    assert wrong == []


def test_every_operation_has_an_example_that_succeeds() -> None:
    without = [name for name, doc in DOCS.items() if not any(not each.code for each in doc.examples)]
    assert without == [  # whose tokens are good once, or who would lock the caller out: see the flow test
        "POST /api/v1/auth/refresh-token",
        "POST /api/v1/auth/reset-password",
        "POST /api/v1/auth/change-password",
        "POST /api/v1/parking/cameras/{camera_id}/reads",  # a camera signs it: tests/handlers/test_cameras.py
    ]


async def test_tokens_and_statements_too_have_the_shape_that_is_said(small: SmallKerb) -> None:
    schemas = AnswerSchemas.of_the_document()
    user = await small.trader("flow", cash="5000")
    maker = await small.trader("maker", units=20)
    routes = {route.name: route for route in ROUTES}

    async def check(name: str, *, body: Any = None, path: str = "") -> Reply:
        route = routes[name]
        reply = await user(route.method, path or route.path, body, root=True)
        assert reply.status < 300, reply
        schemas.check(route, reply)
        return reply

    await check("POST /api/v1/auth/refresh-token", body={"refresh_token": user.refresh_token})
    change = {"current_password": user.password, "new_password": "another long pass phrase"}
    await check("POST /api/v1/auth/change-password", body=change)
    await maker.place("SELL", "3", "100")
    await user.place("BUY", "5", "100", client_order_id="mine")
    await user("POST", "/wallet/withdraw", {"amount": 7})
    for name in (
        "GET /api/v1/wallet/transactions",
        "GET /api/v1/orders",
        "GET /api/v1/orders/history",
        "GET /api/v1/portfolio",
        "GET /portfolio",
        "GET /api/v1/market/status",
    ):
        await check(name)
    page = await check("GET /api/v1/wallet/transactions", path="/api/v1/wallet/transactions?limit=1")
    assert page.meta["next_cursor"]
    await check("GET /api/v1/stocks/{symbol}/trades", path="/api/v1/stocks/AAPL/trades")
    await check("GET /api/v1/stocks/{symbol}/depth", path="/api/v1/stocks/AAPL/depth")


async def test_what_the_document_does_not_say_is_found(small: SmallKerb) -> None:
    schemas = AnswerSchemas.of_the_document()
    user = await small.trader("user", cash="10")
    route = next(route for route in ROUTES if route.name == "GET /api/v1/wallet/balance")
    reply = await user("GET", "/wallet/balance")
    schemas.check(route, reply)
    for wrong in (
        Reply(reply.status, reply.headers, reply.body.replace(b'"held":0.00', b'"held":"0.00"')),
        Reply(reply.status, reply.headers, reply.body.replace(b'"held":0.00,', b"")),
        Reply(reply.status, reply.headers, reply.body.replace(b'"held":0.00', b'"held":0.00,"more":1')),
        Reply(202, reply.headers, reply.body),
        Reply(reply.status, {"Content-Type": "application/json"}, reply.body),
    ):
        assert wrong.body != reply.body or (wrong.status, wrong.headers) != (reply.status, reply.headers)
        with pytest.raises((AssertionError, jsonschema_rs.ValidationError)):
            schemas.check(route, wrong)
