"""The OpenAPI 3.1 document: the route table and its documentation, put into the words of the specification.

https://spec.openapis.org/oas/v3.1.1. Nothing is said here about a single route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from handlers.access import scope_of
from handlers.envelope import ErrorJson
from handlers.error_table import ErrorRow, error_rows
from handlers.openapi_doc import Doc, Example, Query, Tag
from handlers.openapi_errors import WITHOUT_BODY, error_codes
from handlers.openapi_schemas import Schema, schema_of, schemas_of
from handlers.routing import Route
from server.rate_limits import LimitClass

VERSION: Final = "0.1.0"
BEARER: Final = "bearer"
API_KEY: Final = "apiKey"
JSON: Final = "application/json"
LIMIT_HEADERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

ABOUT: Final = """\
Trade on Kerb over HTTP. Streams are described by the AsyncAPI document at `/asyncapi.json`.

**Envelope.** A success is `{"success":true,"data":…}`, with `meta` where data belongs to a sequence number
(`as_of_seq`) or goes on (`next_cursor`). A failure is `{"success":false,"error":{"code",…}}`; the codes that an answer
can have are listed with it (`x-error-codes`), all of them at `/api/v1/errors`. More members may be added to answers.

**Numbers.** Prices, amounts and quantities are read from a JSON number or a string, exactly; they are answered as JSON
numbers with exact decimal text. More decimals than there are is refused, never rounded. An integer is written without a
fraction: `90`, not `90.0`.

**Idempotency.** Send `X-Idempotency-Key` (or `Idempotency-Key`, the same) with whatever moves money or an order, and what
an operator does: those operations have it as a parameter, all others ignore it (registering a second time is refused). The
same key and body answer what they answered before, with `Idempotency-Hit: true`. 429 and 503 never use a key up. A key is
kept for 24 hours of the market's clock: of wall time, but in a replay at 1000 times its speed for 86 s of that. What
operators propose and decide goes by wall time.

**Times** are RFC 3339, UTC. **Ids** are opaque strings with a prefix. Every answer has `X-Request-ID`; send one of your
own (1 to 64 of `A-Z a-z 0-9 . _ : -`) and it is used. `HEAD` answers wherever `GET` does. What is limited says how much is left; 429 and
503 say when to come back. A `500 INTERNAL` is a bug and belongs to no operation.
"""


def openapi(routes: Sequence[Route], docs: Mapping[str, Doc]) -> Schema:
    """The document. A route without documentation is not in it; a test finds such a route."""
    schemas, components = schemas_of(_types(docs.values()))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        doc = docs.get(route.name)
        if doc is None:
            continue
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, doc, schemas)
    components["Failure"] = _failure()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kerb",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag.title, "description": tag.value} for tag in Tag],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "parameters": {"IdempotencyKey": _IDEMPOTENCY_KEY},
            "headers": _HEADERS,
            "securitySchemes": {
                BEARER: {"type": "http", "scheme": "bearer", "description": "The access token of a login."},
                API_KEY: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "A key with the scope that the operation names (`x-api-key-scope`).",
                },
            },
        },
        "x-errors": [_row(row) for row in error_rows()],
    }


def _types(docs: Any) -> list[Any]:
    types: dict[int, Any] = {id(ErrorJson): ErrorJson}
    for doc in docs:
        for kind in (doc.answer, doc.body, doc.meta):
            if kind is not None:
                types[id(kind)] = kind
    return list(types.values())


def _operation(route: Route, doc: Doc, schemas: dict[Any, Schema]) -> Schema:
    operation: Schema = {
        "operationId": doc.operation,
        "summary": doc.summary,
        "tags": [doc.tag.title],
        "security": _security(route),
    }
    if doc.about:
        operation["description"] = doc.about
    if route.policy:
        operation["x-roles"] = sorted(role.value for role in route.policy)
        scope = scope_of(route.method, route.path, route.limit)
        if scope is not None:
            operation["x-api-key-scope"] = scope.value
    parameters = [_path_parameter(name, kind, doc.examples) for name, kind in doc.path.items()]
    parameters += [_query_parameter(query, doc.examples) for query in doc.query]
    parameters += [_query_parameter(each, doc.examples) | {"in": "header"} for each in doc.asked_headers]
    if doc.command or doc.keyed:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if parameters:
        operation["parameters"] = parameters
    if doc.body is not None:
        assert route.method not in WITHOUT_BODY, route.name
        operation["requestBody"] = _request_body(doc, schemas)
    operation["responses"] = _responses(route, doc, schemas)
    return operation


def _security(route: Route) -> list[Schema]:
    if not route.policy:
        return []
    scope = scope_of(route.method, route.path, route.limit)
    return [{BEARER: []}] if scope is None else [{BEARER: []}, {API_KEY: []}]


# -- what is sent


def _path_parameter(name: str, kind: Any, examples: tuple[Example, ...]) -> Schema:
    schema = schema_of(kind)
    values = {example.name: {"value": example.path[name]} for example in examples if name in example.path}
    return {"name": name, "in": "path", "required": True, "schema": schema, "examples": values}


def _query_parameter(query: Query, examples: tuple[Example, ...]) -> Schema:
    schema = schema_of(query.type)
    if query.default is not None:
        schema["default"] = query.default
    parameter: Schema = {
        "name": query.name,
        "in": "query",
        "description": query.about,
        "required": query.required,
        "schema": schema,
    }
    given = {
        example.name: {"summary": example.summary, "value": _typed(example.query[query.name], schema)}
        for example in examples
        if query.name in example.query
    }
    if given:
        parameter["examples"] = given
    return parameter


def _typed(text: str, schema: Schema) -> object:
    """A parameter's text as the value that its schema is about."""
    return int(text) if schema.get("type") == "integer" else text


def _request_body(doc: Doc, schemas: dict[Any, Schema]) -> Schema:
    examples = {
        example.name: {"summary": example.summary, "value": example.body}
        for example in doc.examples
        if example.body is not None
    }
    return {
        "required": not doc.body_optional,
        "content": {JSON: {"schema": schemas[id(doc.body)], "examples": examples}},
    }


# -- what is answered


def _responses(route: Route, doc: Doc, schemas: dict[Any, Schema]) -> Schema:
    headers = _headers(route, doc)
    responses: dict[int, Schema] = {doc.status: {"description": doc.summary, "headers": headers}}
    responses[doc.status]["content"] = {doc.media_type: _content(doc, schemas)}
    for other in doc.other_media_types:
        responses[doc.status]["content"][other] = {"schema": {"type": "string"}}
    if doc.links:
        responses[doc.status]["links"] = {
            link.operation: {
                "operationId": link.operation,
                "parameters": {link.parameter: f"$response.body#{link.value}"},
            }
            for link in doc.links
        }
    for status, about in doc.other_statuses.items():
        responses[status] = {
            "description": about,
            "headers": headers,
            "content": {doc.media_type: _content(doc, schemas)},
        }
    if doc.conditional:
        responses[304] = {"description": "What the client has is still current.", "headers": headers}
    for status, codes in error_codes(route, doc).items():
        responses[status] = _failed(status, codes, doc)
    return {str(status): responses[status] for status in sorted(responses)}


def _content(doc: Doc, schemas: dict[Any, Schema]) -> Schema:
    if doc.answer is None:
        return {"schema": {"type": "string"}}
    data = schemas[id(doc.answer)]
    if not doc.envelope:
        return {"schema": data}
    envelope: Schema = {
        "type": "object",
        "properties": {"success": {"const": True}, "data": data},
        "required": ["success", "data"],
    }
    if doc.meta is not None:
        envelope["properties"]["meta"] = schemas[id(doc.meta)]
        envelope["required"].append("meta")
    return {"schema": envelope}


def _failed(status: int, codes: tuple[str, ...], doc: Doc) -> Schema:
    headers = {"X-Request-ID": _ref("X-Request-ID")}
    if status in (429, 503):
        headers["Retry-After"] = _ref("Retry-After")
    if status == 429:
        headers |= {name: _ref(name) for name in LIMIT_HEADERS}
    if status == 401:
        headers["WWW-Authenticate"] = _ref("WWW-Authenticate")
    if (doc.command or doc.keyed) and status not in (429, 503):
        headers["Idempotency-Hit"] = _ref("Idempotency-Hit")
    return {
        "description": ", ".join(codes),
        "headers": headers,
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Failure"}}},
        "x-error-codes": list(codes),
    }


def _headers(route: Route, doc: Doc) -> Schema:
    names = ["X-Request-ID"]
    if route.limit is not LimitClass.NONE:
        names += LIMIT_HEADERS
    if doc.command or doc.keyed:
        names.append("Idempotency-Hit")
    if doc.conditional:
        names.append("ETag")
    own = {name: _header(about, {"type": "string"}, required=False) for name, about in doc.headers.items()}
    return {name: _ref(name) for name in names} | own


def _ref(header: str) -> Schema:
    return {"$ref": f"#/components/headers/{header}"}


def _failure() -> Schema:
    return {
        "title": "Failure",
        "description": "The envelope of every failure.",
        "type": "object",
        "properties": {"success": {"const": False}, "error": {"$ref": "#/components/schemas/Error"}},
        "required": ["success", "error"],
    }


def _row(row: ErrorRow) -> Schema:
    return {name: getattr(row, name) for name in ErrorRow.__struct_fields__}


def _header(about: str, schema: Schema, *, required: bool = True) -> Schema:
    return {"description": about, "required": required, "schema": schema}


_COUNT: Final = {"type": "integer", "minimum": 0}
_HEADERS: Final = {
    "X-Request-ID": _header("The name of this call in our logs.", {"type": "string", "minLength": 1}),
    "RateLimit-Limit": _header("How many calls there are in a period.", _COUNT),
    "RateLimit-Remaining": _header("How many of them are left.", _COUNT),
    "RateLimit-Reset": _header("Seconds until all of them are there again.", _COUNT),
    "Retry-After": _header("Come back after so many seconds.", {"type": "integer", "minimum": 1}),
    "Idempotency-Hit": _header(
        "The key was used before with the same body: this is what was answered then.",
        {"const": "true"},
        required=False,
    ),
    "ETag": _header("Send it back as If-None-Match.", {"type": "string"}),
    "WWW-Authenticate": _header("How to sign in.", {"const": "Bearer"}),
}
_IDEMPOTENCY_KEY: Final = {
    "name": "X-Idempotency-Key",
    "in": "header",
    "description": "The same key and body have one effect and one answer, for 24 hours of the market's clock. "
    "`Idempotency-Key` is the same.",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}
