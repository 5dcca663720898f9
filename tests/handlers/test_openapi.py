"""The OpenAPI document: valid, total over the route table, and true of the tables that it was made from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from engine.refusals import Refusal
from handlers.error_status import STATUSES
from handlers.error_table import error_rows
from handlers.field_types import EntryName, LiquidityName
from handlers.openapi import VERSION, openapi
from handlers.openapi_schemas import RULES, schema_of
from handlers.routes import DOCS, ROUTES
from handlers.routing import PUBLIC
from handlers.ws_subscriptions import TooManySubscriptions, UnknownChannel
from server.errors import RefusedAtBorder
from sql.entries import EntryKind, Liquidity

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as clients read it."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi(ROUTES, DOCS)))
    return decoded


def test_it_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    validate(document, cls=OpenAPIV31SpecValidator)


def test_every_route_is_documented_and_nothing_else_is(document: dict[str, Any]) -> None:
    assert set(DOCS) == {route.name for route in ROUTES}
    documented = {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    assert documented == {route.name for route in ROUTES}


def test_operations_have_names_of_their_own_and_say_who_may_call(document: dict[str, Any]) -> None:
    names = [doc.operation for doc in DOCS.values()]
    assert len(names) == len(set(names))
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        bearer: dict[str, list[str]] = {"bearer": []}
        key: dict[str, list[str]] = {"apiKey": []}
        assert operation["security"] in ([[]] if route.policy == PUBLIC else [[bearer], [bearer, key]])
        assert (key in operation["security"]) == ("x-api-key-scope" in operation)
        assert operation.get("x-roles", []) == sorted(role.value for role in route.policy)


def test_every_part_of_a_path_is_described() -> None:
    for route in ROUTES:
        assert set(re.findall(r"\{(\w+)\}", route.path)) == set(DOCS[route.name].path), route.name


def test_links_lead_to_operations(document: dict[str, Any]) -> None:
    parameters = {doc.operation: set(doc.path) for doc in DOCS.values()}
    for doc in DOCS.values():
        for link in doc.links:
            assert link.parameter in parameters[link.operation], doc.operation


def test_it_says_by_which_clock_idempotency_keys_are_kept(document: dict[str, Any]) -> None:
    assert (
        "24 hours of the market's clock"
        in document["components"]["parameters"]["IdempotencyKey"]["description"]
    )
    assert "24 hours of the market's clock" in document["info"]["description"].replace("\n", " ")


def test_what_takes_an_idempotency_key_has_it_as_a_parameter_and_the_rest_are_these(
    document: dict[str, Any],
) -> None:
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    without = [
        path
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "get" and key not in operation.get("parameters", [])
    ]
    ignoring = (
        "auth/",
        "users/pr",
        "notifications/",
        "orders/preview",
        "parking/quotes",
        "parking/passes/quotes",
        "parking/cameras/",
    )
    assert [path for path in without if not path.removeprefix("/api/v1/").startswith(ignoring)] == []
    register = document["paths"]["/api/v1/auth/register"]["post"]
    assert register["description"].startswith("Takes no idempotency key")


def test_the_version_is_that_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_names_of_kinds_that_only_the_database_has_are_complete() -> None:
    assert schema_of(LiquidityName)["enum"] == [side.name for side in Liquidity]
    assert schema_of(EntryName)["enum"] == [kind.name for kind in EntryKind if kind is not EntryKind.NONE]


def test_every_schema_can_be_used(document: dict[str, Any]) -> None:
    for name in document["components"]["schemas"]:
        jsonschema_rs.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        )


def inlined(schema: Any, components: dict[str, Any]) -> Any:
    """A schema with what it refers to in place."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return inlined(components[schema["$ref"].rsplit("/", 1)[1]], components)
        return {name: inlined(part, components) for name, part in schema.items()}
    return [inlined(part, components) for part in schema] if isinstance(schema, list) else schema


def test_requests_can_be_made_of_the_schema_of_every_body(document: dict[str, Any]) -> None:
    """Tools that make requests unfold what members depend on each other, and give up where that is too much."""
    components = document["components"]["schemas"]
    bodies = {name: inlined(components[name], components) for name in components if name.endswith("Body")}
    assert bodies
    forms = {
        name: jsonschema_rs.canonicalize(body, draft=jsonschema_rs.Draft202012).kind
        for name, body in bodies.items()
    }
    assert [name for name, kind in forms.items() if kind is jsonschema_rs.canonical.CanonicalKind.RAW] == []


@pytest.mark.parametrize(
    ("kind", "body", "valid"),
    [
        ("OrderBody", {"order_type": "LIMIT", "price": 1}, True),
        ("OrderBody", {"order_type": "LIMIT", "price": "1.5e2"}, True),
        ("OrderBody", {"order_type": "LIMIT"}, False),
        ("OrderBody", {"order_type": "LIMIT", "price": None}, False),
        ("OrderBody", {"order_type": "LIMIT", "price": "much"}, False),
        ("OrderBody", {"order_type": "MARKET"}, True),
        ("OrderBody", {"order_type": "MARKET", "price": None}, True),
        ("OrderBody", {"order_type": "MARKET", "price": 1}, False),
        ("OrderBody", {"order_type": "MARKET", "quantity": 0}, False),
        ("OrderBody", {"order_type": "MARKET", "surprise": 1}, False),
        ("OrderBody", {"order_type": "STOP_LOSS", "stop_price": 1}, True),
        ("OrderBody", {"order_type": "STOP_LOSS"}, False),
        ("OrderBody", {"order_type": "STOP_LOSS", "stop_price": 1, "price": 1}, False),
        ("OrderBody", {"order_type": "STOP_LIMIT", "stop_price": 1, "price": 1}, True),
        ("OrderBody", {"order_type": "STOP_LIMIT", "price": 1}, False),
        ("OrderBody", {"order_type": "TRAILING_STOP", "trail_amount": 1}, True),
        ("OrderBody", {"order_type": "TRAILING_STOP", "trail_percent": 50}, True),
        ("OrderBody", {"order_type": "TRAILING_STOP", "trail_percent": 51}, False),
        ("OrderBody", {"order_type": "TRAILING_STOP", "trail_amount": 1, "trail_percent": 1}, False),
        ("OrderBody", {"order_type": "TRAILING_STOP"}, False),
        ("OrderBody", {"order_type": "MARKET", "notional": 5}, False),
        ("OrderBody", {"order_type": "MARKET", "notional": 5, "quantity": None}, True),
        ("OrderBody", {"order_type": "MARKET", "quantity": None}, False),
        ("OrderBody", {"order_type": "MARKET", "time_in_force": "GTD"}, False),
        ("OrderBody", {"order_type": "LIMIT", "price": 1, "expires_at": "2030-01-01T00:00:00Z"}, False),
        ("OrderBody", {"order_type": "MARKET", "lot_method": "SPECIFIC", "lots": [{"lot_id": "lot_1", "quantity": 1}]}, True),
        ("OrderBody", {"order_type": "MARKET", "take_profit": {"price": 1}}, False),
        ("OrderBody", {"order_type": "MARKET", "order_class": "OTO", "take_profit": {"price": 1}}, True),
        ("OrderBody", {"order_type": "MARKET", "order_class": "OCO", "take_profit": {"price": 1}}, False),
        ("OrderBody", {"order_type": "MARKET", "order_class": "BRACKET", "take_profit": {"price": 1}}, False),
        ("OrderBody", {"order_type": "MARKET", "order_class": "BRACKET", "take_profit": {"price": 1}, "stop_loss": {"stop_price": 1}}, True),
        ("OrderBody", {"order_type": "MARKET", "order_class": "OTO", "stop_loss": {"trail_amount": 1}}, True),
        ("OrderBody", {"order_type": "MARKET", "order_class": "OTO", "stop_loss": {"trail_amount": 1, "price": 1}}, False),
        ("OrderBody", {"order_type": "MARKET", "order_class": "OTO", "stop_loss": {}}, False),
        ("PlaceTradeBody", {"trailAmount": 1}, True),
        ("PlaceTradeBody", {"trailAmount": 1, "stopPrice": 1}, False),
        ("PlaceTradeBody", {"pricePerShare": 1, "stopPrice": 1}, True),
        ("PlaceTradeBody", {"orderClass": "OCO"}, False),
        ("PlaceTradeBody", {"orderClass": "OCO", "stopLoss": {"trailPercent": 1}}, True),
        ("ReplaceBody", {"stop_price": 1}, True),
        ("ReplaceBody", {"trail_amount": 1, "trail_percent": 1}, False),
        ("ReplaceBody", {"price": 1, "notional": None, "post_only": False}, True),
        ("ReplaceBody", {"price": 1}, True),
        ("ReplaceBody", {"quantity": "2"}, True),
        ("ReplaceBody", {"quantity": "2", "price": None}, True),
        ("ReplaceBody", {}, False),
        ("ReplaceBody", {"price": None}, False),
        ("KillSwitchBody", {"scope": "MARKET", "on": True}, True),
        ("KillSwitchBody", {"scope": "MARKET", "on": True, "target": "AAPL"}, False),
        ("KillSwitchBody", {"scope": "SYMBOL", "on": True, "target": "AAPL"}, True),
        ("KillSwitchBody", {"scope": "SYMBOL", "on": True}, False),
    ],
)  # fmt: skip
def test_rules_about_several_fields_are_said(
    document: dict[str, Any], kind: str, body: dict[str, Any], valid: bool
) -> None:
    if kind == "OrderBody":
        body = {"stock_symbol": "AAPL", "side": "BUY", "quantity": 1} | body
    if kind == "PlaceTradeBody":
        body = {"stockSymbol": "AAPL", "tradeType": "buy", "quantity": 1} | body
    schema = {"$ref": f"#/components/schemas/{kind}", "components": document["components"]}
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(body) == valid


def test_every_rule_is_about_a_body_that_is_documented(document: dict[str, Any]) -> None:
    assert {kind.__name__ for kind in RULES} <= set(document["components"]["schemas"])


def test_the_table_of_errors_is_total() -> None:
    rows = {row.code: row for row in error_rows()}
    assert len(rows) == len(error_rows())
    shell = {error.code for error in STATUSES if error is not RefusedAtBorder}
    stream = {UnknownChannel.code, TooManySubscriptions.code, "UNKNOWN_ACTION"}
    assert set(rows) == {refusal.name for refusal in Refusal} | shell | stream
    for row in rows.values():
        assert row.meaning.endswith("."), row
        assert row.retryable == (row.status in (429, 503)), row
        assert row.status is not None or row.code in stream, row


def test_every_code_that_an_operation_names_is_in_the_table_with_its_status(document: dict[str, Any]) -> None:
    rows = {row.code: row for row in error_rows()}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                for code in response.get("x-error-codes", ()):
                    row = rows[code]
                    assert int(status) in (row.status, row.status_in_path), (path, code)


def test_schemas_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"]
    assert [name for name in names if not re.fullmatch("[A-Z][A-Za-z0-9]*", name)] == []
