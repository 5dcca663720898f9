"""Profile and preferences: what a user sets is what a user gets, and nobody else's changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handlers.small_kerb import SmallKerb

DEFAULTS: dict[str, Any] = {
    "theme": "SYSTEM", "language": "en", "time_zone": "UTC", "default_order_type": "LIMIT",
    "default_time_in_force": "DAY", "confirm_orders": True, "chart_interval": "1m",
    "notifications": {"orders": True, "deposits": True, "parking": True, "price_alerts": True, "news": False}, "more": {},
}  # fmt: skip


async def test_a_profile_is_replaced_and_everybody_elses_stays(small: SmallKerb) -> None:
    client, other = await small.trader("one"), await small.trader("two")
    before = (await other("GET", "/users/profile")).data
    wanted = {"full_name": "Zoë O'Neill", "phone": "+44 20 7946 0958"}
    changed = await client("PUT", "/users/profile", wanted)
    assert changed.status == 200
    assert changed.data == (await client("GET", "/users/profile")).data
    assert (changed.data["full_name"], changed.data["phone"]) == ("Zoë O'Neill", "+44 20 7946 0958")
    assert (await client("PUT", "/users/profile", {"full_name": "Zoë"})).data["phone"] is None
    assert (await other("GET", "/users/profile")).data == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "full_name"),
        ({"full_name": " "}, "full_name"),
        ({"full_name": "a\u0000b"}, "full_name"),
        ({"full_name": "A", "phone": "none"}, "phone"),
        ({"full_name": "A", "email": "b@example.com"}, "email"),
        ({"full_name": "A" * 201}, "full_name"),
    ],
)
async def test_a_profile_that_cannot_be_is_refused_by_field(small: SmallKerb, body: Any, field: str) -> None:
    client = await small.trader()
    before = (await client("GET", "/users/profile")).data
    reply = await client("PUT", "/users/profile", body)
    assert (reply.status, reply.code, reply.error["details"]["field"]) == (400, "BAD_REQUEST", field)
    assert (await client("GET", "/users/profile")).data == before


async def test_preferences_are_defaults_until_they_are_set(small: SmallKerb) -> None:
    client, other = await small.trader("one"), await small.trader("two")
    assert (await client("GET", "/users/preferences")).data == DEFAULTS
    wanted = {"theme": "DARK", "notifications": {"news": True}, "more": {"layout": "three columns"}}
    stored = await client("PUT", "/users/preferences", wanted)
    expected = DEFAULTS | wanted | {"notifications": DEFAULTS["notifications"] | {"news": True}}
    assert stored.data == expected
    assert (await client("GET", "/users/preferences")).data == expected
    assert (await other("GET", "/users/preferences")).data == DEFAULTS
    assert (await client("PUT", "/users/preferences", {})).data == DEFAULTS


@pytest.mark.parametrize(
    "body",
    [
        {"theme": "PINK"},
        {"colour": "red"},
        {"language": "english"},
        {"chart_interval": "2m"},
        {"notifications": {"orders": 1}},
        {"more": {f"n{number}": "x" for number in range(33)}},
        {"more": {"name": "x" * 257}},
        {"more": {"name": "\u0000"}},
        {"more": {"name": {}}},
        [],
    ],
    ids=str,
)
async def test_preferences_are_typed_and_bounded(small: SmallKerb, body: Any) -> None:
    client = await small.trader()
    reply = await client("PUT", "/users/preferences", body)
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    assert (await client("GET", "/users/preferences")).data == DEFAULTS
