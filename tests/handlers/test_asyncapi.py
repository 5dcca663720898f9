"""The AsyncAPI document: valid, total over the messages, and true of what is really sent."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from handlers.asyncapi import BINARY, asyncapi
from handlers.asyncapi_examples import EXAMPLES, TOLD
from handlers.asyncapi_messages import CLIENT, SERVER
from handlers.ws_dispatch import MESSAGES
from handlers.ws_messages import Batch, Place, PlainBatch, PlainPlace
from server.ws_frames import CloseCode
from tests.handlers.answer_schemas import closed
from tests.handlers.parking_people import booking, car_park, walk_in
from tests.handlers.small_kerb import SmallKerb
from tests.handlers.websocket_user import WebSocketUser, connected

SPECIFICATION = Path(__file__).with_name("asyncapi-3.0.0.schema.json")


@cache
def document() -> dict[str, Any]:
    """The document as clients read it."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(asyncapi()))
    return decoded


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    """The schema of a message, by its name in the document, with nothing allowed but what it names."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": closed(document()["components"])}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def kind_of(message: dict[str, Any]) -> str:
    """The name of a message of the server."""
    if "type" in message:
        return "".join(part.title() for part in message["type"].split("_"))
    channel: str = message["channel"]
    return {"balance": "Balances", "portfolio": "Portfolios"}.get(channel, channel.title())


def test_it_is_a_valid_asyncapi_document() -> None:
    schema = msgspec.json.decode(SPECIFICATION.read_bytes())
    jsonschema_rs.Draft7Validator(schema).validate(document())
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.Draft7Validator(schema).validate(document() | {"operations": {"receive": {}}})


def test_every_message_of_a_client_is_described_with_an_example() -> None:
    plain: dict[type, type] = {PlainPlace: Place, PlainBatch: Batch}
    assert set(CLIENT) == {plain.get(kind, kind) for kind in MESSAGES}
    assert set(EXAMPLES) == set(CLIENT)
    messages = document()["components"]["messages"]
    assert set(messages) == {BINARY, *(kind.__name__ for kind in (*CLIENT, *SERVER))}
    with_examples: list[type[msgspec.Struct]] = [*CLIENT, *TOLD]
    for kind in with_examples:
        for example in messages[kind.__name__]["examples"]:
            validator(kind.__name__).validate(example["payload"])


def test_every_close_code_is_explained() -> None:
    for code in CloseCode:
        assert f" {int(code)} " in document()["info"]["description"], code


async def test_examples_are_taken_and_everything_that_is_sent_is_described(small: SmallKerb) -> None:
    maker = await small.trader("maker", units=10)
    user = await small.trader("user", cash="10000")
    resting = (await user.place("BUY", "1", "89")).data["order_id"]
    seen: set[str] = set()
    answers = {"Subscribe": "Subscribed", "Unsubscribe": "Unsubscribed", "Ping": "Pong"}

    async def note(connection: WebSocketUser, until: str) -> None:
        while True:
            message = await connection.receive()
            kind = kind_of(message)
            validator(kind).validate(message)
            seen.add(kind)
            if kind == until:
                return

    async with connected(small) as connection:
        for kind in CLIENT:
            for example in EXAMPLES[kind]:
                text = msgspec.json.encode(example).decode().replace("ord_1750073344", resting)
                sent = msgspec.json.decode(text.replace("eyJhbGciOi…", user.token))
                await connection.send(sent)
                await note(connection, answers.get(kind.__name__, "Ok"))
        await connection.send({"action": "subscribe", "channels": ["trades"], "symbols": ["AAPL", "NOPE"]})
        await note(connection, "Subscribed")
        await maker.place("SELL", "1", "90")
        await note(connection, "Trades")
        await connection.send({"action": "subscribe", "channels": ["depth"], "symbols": ["AAPL"]})
        await note(connection, "Depth")
        await connection.send({"action": "subscribe", "channels": ["candles"], "symbols": ["AAPL"]})
        await note(connection, "Candles")
        await connection.send({"action": "subscribe", "channels": ["auctions"], "symbols": ["AAPL"]})
        await note(connection, "Auctions")
        await connection.send({"action": "subscribe", "channels": ["portfolio"]})
        await note(connection, "Portfolios")
        await connection.send({"action": "nothing", "id": "x"})
        await note(connection, "Error")
        await connection.send({"action": "subscribe", "channels": ["orders"], "resume_from": 2**60})
        await note(connection, "ResyncRequired")
        await car_park(small)
        await connection.send({"action": "subscribe", "channels": ["parking"], "lots": ["lot_P1", "lot_P2"]})
        await note(connection, "Parking")
        await connection.send({"action": "subscribe", "channels": ["bookings"]})
        await booking(small, user)
        await note(connection, "Bookings")
        operator = await small.admin()
        async with connected(small, operator) as desk:
            await desk.send({"action": "subscribe", "channels": ["risk"]})
            await note(desk, "Subscribed")
            body = {"mode": "FLAG", "figures": {"quantity_max": "0.5"}}
            assert (await operator("PUT", "/admin/risk/rules/FAT_FINGER", body)).status == 200
            await user.place("BUY", "1", "80")
            await note(desk, "Risk")
            await desk.send({"action": "subscribe", "channels": ["gates"], "lots": ["lot_P1"]})
            await note(desk, "Subscribed")
            await walk_in(small, user)
            await note(desk, "Gates")
        ending = asyncio.create_task(small.services.hub.shutdown(5))
        await note(connection, "Shutdown")
        assert await connection.close_code() == CloseCode.RESTART
        await ending
    assert seen == {kind.__name__ for kind in SERVER}
