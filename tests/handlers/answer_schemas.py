"""Holds an answer to the OpenAPI document, strictly: nothing may be missing, and nothing there that is not said."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs
import msgspec

from handlers.openapi import openapi
from handlers.routes import DOCS, ROUTES
from handlers.routing import Route
from tests.handlers.small_kerb import Reply


class AnswerSchemas:
    """The validators of a document; clients may meet more members later, tests may not now."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document: dict[str, Any] = closed(document)
        self._validators: dict[tuple[str, int], jsonschema_rs.Draft202012Validator] = {}

    @staticmethod
    @cache
    def of_the_document() -> AnswerSchemas:
        """Those of the document that the server serves."""
        return AnswerSchemas(msgspec.json.decode(msgspec.json.encode(openapi(ROUTES, DOCS))))

    def check(self, route: Route, reply: Reply) -> None:
        """Raises AssertionError for an answer that is not as the document says."""
        operation = self._document["paths"][route.path][route.method.lower()]
        response = operation["responses"].get(str(reply.status))
        assert response is not None, f"{route.name}: {reply.status} is not documented: {reply}"
        for name, reference in response["headers"].items():
            header = self._header(reference)
            if header["required"]:
                assert name in reply.headers, f"{route.name}: {name} is missing: {reply}"
        if reply.status == 304:
            assert reply.body == b""
            return
        media_type = reply.headers["Content-Type"].partition(";")[0]
        assert media_type in response["content"], reply
        if media_type != "application/json":
            return
        self._validator(route, reply.status, response).validate(reply.json)
        if not reply.json.get("success", True) if isinstance(reply.json, dict) else False:
            assert reply.code in response["x-error-codes"], f"{route.name}: {reply}"

    def _header(self, header: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in header:
            found: dict[str, Any] = self._document["components"]["headers"][header["$ref"].rpartition("/")[2]]
            return found
        return header

    def _validator(
        self, route: Route, status: int, response: dict[str, Any]
    ) -> jsonschema_rs.Draft202012Validator:
        key = (route.name, status)
        if key not in self._validators:
            schema = response["content"]["application/json"]["schema"]
            self._validators[key] = jsonschema_rs.Draft202012Validator(
                schema | {"components": self._document["components"]}, validate_formats=True
            )
        return self._validators[key]


def closed(schema: Any) -> Any:
    """The schema with nothing allowed in an object but what it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    if parts.get("type") == "object" and isinstance(parts.get("properties"), dict):
        parts.setdefault("additionalProperties", False)
    return parts
