"""The AsyncAPI 3 document of the WebSocket: its messages, both ways, made from their types.

https://www.asyncapi.com/docs/reference/specification/v3.0.0. A message is sent by whoever's operation it is: `receive`
is what the server receives.
"""

from __future__ import annotations

from typing import Any, Final

from handlers.asyncapi_examples import EXAMPLES, TOLD
from handlers.asyncapi_messages import CLIENT, SERVER
from handlers.openapi import VERSION
from handlers.openapi_schemas import Schema, schemas_of
from handlers.websocket import PATHS
from server.wire import SCHEMA, Wire
from server.ws_frames import CloseCode

_CLOSE_CODES: Final = {
    CloseCode.NORMAL: "closed as asked",
    CloseCode.GOING_AWAY: "the server goes away",
    CloseCode.TOO_BIG: "a message of more than 64 KiB",
    CloseCode.FAULT: "a bug here; come back",
    CloseCode.RESTART: "a restart; come back in a moment",
    CloseCode.BAD_MESSAGE: "too many malformed messages",
    CloseCode.NOT_AUTHENTICATED: "the session has ended; get a new token first",
    CloseCode.NOT_ALLOWED: "somebody else's token",
    CloseCode.SLOW_CONSUMER: "too slow; come back and resume",
    CloseCode.REPLACED: "another connection took over",
    CloseCode.TOO_MANY: "too many connections; come back later",
}

BINARY: Final = "Data"
"""The one message that is not JSON."""

ABOUT: Final = f"""\
Market data and private streams, and orders. Connect to `{PATHS[0]}` (or `{PATHS[1]}`), subprotocol `{Wire.JSON.value}` (or none).
Messages are JSON text of at most 64 KiB. With the subprotocol `{Wire.PROTO.value}` the messages of channels come as binary ones instead,
each a `Data` of the protobuf schema at `/kerb.proto`, with equal values; everything else stays JSON text. Quotes, trades, depth, candles, auctions and parking need no login; `orders`, `balance`,
`notifications`, `portfolio` and `bookings` do (and `risk`, with the role `risk` or `admin`, and `gates`, with `parking_operator` or `admin`), by
the `Authorization` header of the handshake or by an `auth` message.

An error never closes a good session. A private stream is never cut: `prev_seq` proves that nothing is missing, and
`resume_from` goes on after a sequence. Close codes: {", ".join(f"{int(code)} {why}" for code, why in _CLOSE_CODES.items())}.
"""


def asyncapi() -> Schema:
    """The document."""
    schemas, components = schemas_of((*CLIENT, *SERVER))
    messages: dict[str, Any] = {}
    for kind in (*CLIENT, *SERVER):
        name = kind.__name__
        messages[name] = {
            "name": name,
            "summary": (kind.__doc__ or "").strip().splitlines()[0],
            "contentType": "application/json",
            "payload": schemas[id(kind)],
        }
        if examples := EXAMPLES.get(kind) or TOLD.get(kind):
            messages[name]["examples"] = [{"payload": example} for example in examples]
    messages[BINARY] = {
        "name": BINARY,
        "summary": f"A message of any channel, with the subprotocol {Wire.PROTO.value}.",
        "contentType": "application/x-protobuf",
        "payload": {
            "schemaFormat": "application/vnd.google.protobuf;version=3",
            "schema": SCHEMA.read_text(encoding="utf-8"),
        },
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kerb streams",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache 2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {"host": "{host}", "protocol": "ws", "variables": {"host": {"default": "127.0.0.1:8080"}}}
        },
        "channels": {
            "socket": {
                "address": PATHS[0],
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "receive": _operation("receive", "What a client sends.", [kind.__name__ for kind in CLIENT]),
            "send": _operation(
                "send", "What the server answers and streams.", [*(kind.__name__ for kind in SERVER), BINARY]
            ),
        },
        "components": {"messages": messages, "schemas": dict(sorted(components.items()))},
    }


def _operation(action: str, summary: str, names: list[str]) -> Schema:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"} for name in names],
    }
