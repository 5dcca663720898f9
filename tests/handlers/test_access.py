"""The matrix: every route × every role × own and others' objects, over real sockets. Nothing leaks.

Who may call is pinned in test_tables.py; here the running server is held to it, with the objects that paths name:
another's is answered, to the byte, like one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from aiohttp import web

from handlers import orders
from handlers.access import OBJECTS, Ownership, UndecidedAccess, access_of
from handlers.call import Call
from handlers.cors import Cors
from handlers.envelope import Answer, success
from handlers.middleware import endpoint
from handlers.request_input import order_not_found, read_order_id
from handlers.routes import ROUTES
from handlers.routing import BASE, HOLDER, PUBLIC, SIGNED_IN, Route
from server.principal import Role, Scope
from server.rate_limits import LimitClass
from tests.handlers.parking_people import car_park, debt, many_spaces
from tests.handlers.small_kerb import Client, Reply, SmallKerb, sign_in

CLIENT_ROLES: Final = frozenset({Role.TRADER, Role.MARKET_MAKER})

Find = Callable[[Client], Awaitable[list[str]]]


async def order_ids(client: Client) -> list[str]:
    """An open order and one that is final."""
    closed = (await client.place("BUY", "1", "90")).data["order_id"]
    await client("DELETE", f"/orders/{closed}")
    return [(await client.place("BUY", "1", "91")).data["order_id"], closed]


async def transaction_ids(client: Client) -> list[str]:
    """A deposit and a withdrawal."""
    deposit = (await client.deposit("1000")).data["transaction_id"]
    withdrawal = (await client("POST", "/wallet/withdraw", {"amount": "1"})).data["transaction_id"]
    return [deposit, withdrawal]


async def session_ids(client: Client) -> list[str]:
    """A second session."""
    second = Client(client.http, client.base)
    await sign_in(second, (await client("GET", "/users/profile")).data["email"])
    listed = (await second("GET", "/auth/sessions")).data
    return [session["session_id"] for session in listed if session["current"]]


async def key_ids(client: Client) -> list[str]:
    """An API key."""
    created = await client("POST", "/auth/api-keys", {"name": "robot", "scopes": ["read"]})
    return [created.data["key_id"]]


async def notification_ids(client: Client) -> list[str]:
    """What a deposit has told."""
    await client.deposit("1")
    return [(await client("GET", "/notifications")).data[0]["notification_id"]]


async def vehicle_ids(client: Client) -> list[str]:
    """A vehicle, with a plate of its own."""
    plates = len((await client("GET", "/parking/vehicles")).data)
    plate = f"V{client.account_id % 10**8}X{plates}"
    return [(await client("POST", "/parking/vehicles", {"plate": plate})).data["vehicle_id"]]


async def tags(client: Client) -> list[str]:
    """A tag of a vehicle."""
    (vehicle_id,) = await vehicle_ids(client)
    tag = f"E280{int(vehicle_id.removeprefix('veh_')):020X}"
    attached = await client("POST", f"/parking/vehicles/{vehicle_id}/tags", {"tag": tag})
    return [attached.data["tag"]]


async def booking_ids(client: Client) -> list[str]:
    """A booking, for a vehicle of its own."""
    (vehicle_id,) = await vehicle_ids(client)
    asked = {"lot_id": "lot_P1", "vehicle_id": vehicle_id}
    asked |= {"from": "2023-11-20T08:00:00Z", "to": "2023-11-20T10:00:00Z"}
    return [(await client("POST", "/parking/bookings", asked)).data["booking_id"]]


async def waiting_ids(client: Client) -> list[str]:
    """A place on the waiting list: an offer at once, for there is a space."""
    (vehicle_id,) = await vehicle_ids(client)
    asked = {"lot_id": "lot_P1", "vehicle_id": vehicle_id}
    asked |= {"from": "2023-11-21T08:00:00Z", "to": "2023-11-21T10:00:00Z"}
    return [(await client("POST", "/parking/waiting-list", asked)).data["waiting_id"]]


async def pass_ids(client: Client) -> list[str]:
    """A pass for a vehicle of its own."""
    (vehicle_id,) = await vehicle_ids(client)
    asked = {"lot_id": "lot_P1", "vehicle_id": vehicle_id, "code": "MONTH", "from": "2023-11-20T08:00:00Z"}
    return [(await client("POST", "/parking/passes", asked)).data["pass_id"]]


OWNED: Final[dict[str, tuple[Find | None, str]]] = {
    "order_id": (order_ids, "ord_999424"),
    "transaction_id": (transaction_ids, "txn_999424"),
    "session_id": (session_ids, "ses_999424"),
    "key_id": (key_ids, "key_999424"),
    "notification_id": (notification_ids, "ntf_999424"),
    "vehicle_id": (vehicle_ids, "veh_999424"),
    "tag": (tags, "E28099942400000000000000"),
    "booking_id": (booking_ids, "bkg_999424"),
    "waiting_id": (waiting_ids, "wtg_999424"),
    "pass_id": (pass_ids, "pas_999424"),
    "debt_id": (None, "dbt_999424"),
}
"""What a path names → how a user comes to have some, and the id of one that does not exist. None: not by calls alone."""


def finder(small: SmallKerb, name: str) -> Find:
    """How a user comes to have some."""

    async def debts(client: Client) -> list[str]:
        return [(await debt(small, client))["debt_id"]]

    return OWNED[name][0] or debts


GOOD_BODIES: Final[dict[str, dict[str, object]]] = {
    f"PATCH {BASE}/orders/{{order_id}}": {"quantity": "1", "price": "89"},
    f"POST {BASE}/parking/bookings/{{booking_id}}/extend": {"to": "2023-11-20T11:00:00Z"},
    f"POST {BASE}/parking/vehicles/{{vehicle_id}}/tags": {"tag": "E2809994240000000000AAAA"},
}

SHARED: Final = {"symbol": "AAPL", "lot_id": "lot_P1", "ticket_id": "tkt_1", "camera_id": "cam_east"}

EXISTING: Final = {
    "user_id": "usr_1000",
    "schedule": "standard",
    "adjustment_id": "adj_1",
    "execution_id": "exe_1",
    "bust_id": "bst_1",
    "action_id": "div_1",
    "rule": "FAT_FINGER",
    "violation_id": "vio_1",
    "floor": "G",
    "number": "G-1",
    "gate_id": "gat_P1-in",
    "tariff": "CITY",
    "stay_id": "sty_1",
    "plate": "BAD1",
}
"""What operators' paths may name beside the above."""


def names_of(route: Route) -> list[str]:
    return re.findall(r"\{(\w+)\}", route.path)


def path_with(route: Route, ids: dict[str, str]) -> str:
    absent = {name: missing for name, (_, missing) in OWNED.items()}
    return route.path.format_map(SHARED | EXISTING | absent | ids)


async def person(small: SmallKerb, role: Role) -> Client:
    """A user with this role and no other. Cash first: only a client may pay in."""
    client = await small.trader(role.value.replace("_", "-"), cash="100000")
    user_id = int(client.user_id.removeprefix("usr_"))
    await small.services.database.execute(
        "UPDATE users SET roles = ARRAY[$2] WHERE user_id = $1", user_id, role.value
    )
    await again(client, role)
    return client


async def again(client: Client, role: Role) -> None:
    """A new session."""
    await sign_in(client, f"{role.value.replace('_', '-')}@example.com")


async def call(client: Client, route: Route, path: str, body: dict[str, object] | None = None) -> Reply:
    sent = (body or {}) if route.method in ("POST", "PUT", "PATCH") else None
    return await client(route.method, path, sent, root=True)


def said(reply: Reply) -> tuple[int, object]:
    """Status and body without the request's id."""
    error = {key: value for key, value in reply.error.items() if key != "request_id"}
    return reply.status, error


async def test_every_route_answers_every_role_as_its_policy_says(small: SmallKerb) -> None:
    await small.trader("bystander")
    people = {role: await person(small, role) for role in Role}
    checked = 0
    for route in ROUTES:
        path = path_with(route, {})
        if route.policy != PUBLIC:
            refused = await call(small.anonymous(), route, path)
            assert (refused.status, refused.code) == (401, "UNAUTHENTICATED"), route.name
            forged = await call(Client(small.http, small.url, "forged.token.x"), route, path)
            assert (forged.status, forged.code) == (401, "UNAUTHENTICATED"), route.name
        for role, client in people.items():
            reply = await call(client, route, path)
            if route.policy == PUBLIC or role in route.policy:
                assert reply.status < 500, (route.name, role, reply)
                assert route.policy == PUBLIC or reply.status not in (401, 403), (route.name, role, reply)
            else:
                assert (reply.status, reply.code) == (403, "FORBIDDEN"), (route.name, role, reply)
            checked += 1
            if route.method != "GET":
                await again(client, role)
    assert checked == len(ROUTES) * len(Role)


@pytest.mark.parametrize("role", sorted(CLIENT_ROLES))
async def test_what_is_another_s_is_answered_like_what_is_not_there(small: SmallKerb, role: Role) -> None:
    await car_park(small)
    await many_spaces(small)
    client = await person(small, role)
    victim = await small.trader("victim", cash="100000")
    routes = [route for route in ROUTES if access_of(route).owned]
    assert {name for route in routes for name in names_of(route) if name not in SHARED} == OWNED.keys()
    for route in routes:
        (name,) = (name for name in names_of(route) if name in OWNED)
        find, absent = finder(small, name), OWNED[name][1]
        body = GOOD_BODIES.get(route.name)
        nothing = await call(client, route, path_with(route, {name: absent}), body)
        assert nothing.status == 404, (route.name, nothing)
        badly = await call(client, route, path_with(route, {name: absent}))
        for malformed in ("1", "ord_", "x" * 200, "ord_0", "txn_-1", "%00", "ses_9223372036854775808"):
            reply = await call(client, route, path_with(route, {name: malformed}), body)
            assert said(reply) == said(nothing), (route.name, malformed)
        for other in await find(victim):
            stranger = await call(client, route, path_with(route, {name: other}), body)
            assert said(stranger) == said(nothing), (route.name, other)
            stranger = await call(client, route, path_with(route, {name: other}))
            assert said(stranger) == said(badly), (route.name, other)
        for own in await find(client):
            mine = await call(client, route, path_with(route, {name: own}), body)
            assert mine.status < 500, (route.name, own, mine)
            assert mine.status not in (401, 403, 404), (route.name, own, mine)


async def test_nothing_of_a_victim_has_changed_after_all_that(small: SmallKerb) -> None:
    client = await small.trader("client", cash="1000")
    victim = await small.trader("victim", cash="100000")
    (open_order, _), (key,), (session,) = (
        await order_ids(victim),
        await key_ids(victim),
        await session_ids(victim),
    )
    for path in (f"/orders/{open_order}", f"/auth/api-keys/{key}", f"/auth/sessions/{session}"):
        assert (await client("DELETE", path)).status == 404
    assert (await client("PATCH", f"/orders/{open_order}", {"price": "50"})).status == 404
    assert (await victim("GET", f"/orders/{open_order}")).data["status"] == "PENDING"
    assert [each["key_id"] for each in (await victim("GET", "/auth/api-keys")).data] == [key]
    assert session in {each["session_id"] for each in (await victim("GET", "/auth/sessions")).data}
    assert (await client("GET", "/auth/api-keys")).data == []


async def test_lists_are_one_s_own(small: SmallKerb) -> None:
    """Every list and figure of a stranger is what it would be if the victim did not exist."""
    client = await small.trader("client", cash="1000")
    victim = await small.trader("victim", cash="100000")
    marks = [*await order_ids(victim), *await transaction_ids(victim), *await key_ids(victim)]
    marks += [
        *await session_ids(victim),
        *await notification_ids(victim),
        victim.user_id,
        "victim@example.com",
    ]
    for route in ROUTES:
        if route.method == "GET" and Role.TRADER in route.policy and not names_of(route):
            reply = await client("GET", route.path, root=True)
            text = reply.body.decode()
            assert [mark for mark in marks if f'"{mark}"' in text] == [], route.name
    assert (await client("GET", "/wallet/balance")).data["balance"] == 1000


async def careless(call: Call) -> Answer:
    """A handler that forgets to ask whose the order is."""
    order = call.services.runtime.state.orders.get(read_order_id(call.path("order_id")))
    if order is None:
        raise order_not_found()
    return success({"account": order.account_id})


async def test_a_careless_handler_gives_nothing_away(small: SmallKerb) -> None:
    route = Route("GET", f"{BASE}/careless/{{order_id}}", careless, HOLDER, LimitClass.CALLS)
    app = web.Application()
    app.router.add_route("GET", route.path, endpoint(route, small.services, Cors(())))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        client, victim = await small.trader("client", cash="1000"), await small.trader("victim", cash="1000")
        order_id = (await victim.place("BUY", "1", "90")).data["order_id"]
        client.base = victim.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert (await victim("GET", f"/careless/{order_id}")).status == 200
        assert said(await client("GET", f"/careless/{order_id}")) == said(
            await client("GET", "/careless/ord_999424")
        )
        anybody = Client(small.http, client.base)
        assert (await anybody("GET", f"/careless/{order_id}")).status == 401
    finally:
        await runner.cleanup()


def test_every_route_has_been_decided_on() -> None:
    """The table is whole: what a path names has an owner or is everybody's, and operators' routes are theirs alone."""
    for route in ROUTES:
        access = access_of(route)
        assert (access.ownership is None) == (not names_of(route)), route.name
        assert (access.ownership is Ownership.OPERATED) == (
            route.path.startswith(f"{BASE}/admin/") and bool(names_of(route))
        ), route.name
    for name, kind in OBJECTS.items():
        assert (kind.ownership is Ownership.CALLER) == (name in OWNED), name
        assert (kind.ownership is Ownership.SHARED) == (name in SHARED), name


@pytest.mark.parametrize(
    ("path", "policy", "complaint"),
    [
        ("/api/v1/letters/{letter_id}", HOLDER, "whose is letter_id?"),
        ("/api/v1/orders/{order_id}/notes/{note_id}", HOLDER, "whose is note_id?"),
        ("/api/v1/orders/{order_id}/public", PUBLIC, "open to anybody"),
        ("/api/v1/admin/users", SIGNED_IN, "open to clients"),
        ("/api/v1/admin/users", PUBLIC, "open to clients"),
        ("/api/v1/admin/orders/{order_id}", HOLDER, "open to clients"),
    ],
)
def test_a_route_that_nobody_has_decided_on_is_refused_at_wiring(
    path: str, policy: frozenset[Role], complaint: str
) -> None:
    with pytest.raises(UndecidedAccess, match=re.escape(complaint)):
        access_of(Route("GET", path, orders.cancel, policy, LimitClass.CALLS))


WITH_A_KEY: Final = {
    Scope.TRADE: {
        "POST /api/v1/orders",
        "DELETE /api/v1/orders",
        "PATCH /api/v1/orders/{order_id}",
        "DELETE /api/v1/orders/{order_id}",
        "POST /api/v1/orders/preview",
        "POST /v1/orders",
        "DELETE /v1/orders/{order_id}",
        "POST /trade/place",
        "POST /trade/{order_id}/cancel",
    },
    Scope.WITHDRAW: {"POST /api/v1/wallet/withdraw"},
}
"""All that an API key may change."""


def test_what_an_api_key_may_change_is_listed() -> None:
    changing = [route for route in ROUTES if route.method != "GET" and route.policy != PUBLIC]
    for scope, names in WITH_A_KEY.items():
        assert {route.name for route in changing if access_of(route).scope is scope} <= names
    assert {access_of(route).scope for route in changing} == {Scope.TRADE, Scope.WITHDRAW, None}


async def test_every_route_asks_an_api_key_for_its_scope(small: SmallKerb) -> None:
    client = await small.trader(cash="100000")
    keys = {}
    for scope in Scope:
        made = await client("POST", "/auth/api-keys", {"name": scope.value, "scopes": [scope.value]})
        keys[scope] = Client(small.http, small.url, made.data["api_key"])
    for route in ROUTES:
        if Role.TRADER not in route.policy:
            continue
        wanted = access_of(route).scope
        for scope, key in keys.items():
            reply = await call(key, route, path_with(route, {}))
            refused = reply.status == 403 and reply.code == "SCOPE_MISSING"
            assert refused == (scope is not wanted), (route.name, scope, reply)
    assert (await client("GET", "/auth/sessions")).status == 200
