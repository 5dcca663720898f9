"""What clients get wrong on a WebSocket: each its documented code, the session goes on, nothing is harmed."""

from __future__ import annotations

import time
from typing import NamedTuple

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.handlers.small_kerb import SECRET, SmallKerb
from tests.handlers.websocket_user import connected, limit_order, masked, raw_connection, send_raw
from tests.server.stream_client import CLOSE, StreamClient

BAD = "BAD_REQUEST"
ORDER = msgspec.json.encode(limit_order("BUY", "1", "90"))


class Row(NamedTuple):
    """A message and the code of its answer. `message_id`: what the answer has to name."""

    name: str
    message: bytes
    code: str
    message_id: object = None


def order(name: str, old: bytes, new: bytes, code: str) -> Row:
    assert old in ORDER
    return Row(name, b'{"action":"order.place","id":7,"order":%b}' % ORDER.replace(old, new), code, 7)


def subscribe(name: str, members: bytes, code: str) -> Row:
    return Row(name, b'{"action":"subscribe","id":"s",%b}' % members, code, "s")


ROWS = [
    Row("nothing", b"", BAD),
    Row("a space", b" ", BAD),
    Row("half an object", b'{"action":"ping"', BAD),
    Row("two objects", b'{"action":"ping"}{"action":"ping"}', BAD),
    Row("a list", b'[{"action":"ping"}]', BAD),
    Row("a number", b"12", BAD),
    Row("null", b"null", BAD),
    Row("not UTF-8", b'{"action":"auth","id":3,"token":"\xff\xfe"}', BAD, 3),
    Row("a NUL byte", b'{"action":"ping"\x00}', BAD),
    Row("nested deeply", b"[" * 60_000, BAD),
    Row("nested deeply inside", b'{"action":"ping","id":1,"x":' + b'{"x":' * 10_000, BAD),
    Row("nested in an order", b'{"action":"order.place","id":8,"order":{"price":' + b"[" * 60_000, BAD),
    Row("no action", b'{"id":4}', "UNKNOWN_ACTION", 4),
    Row("an unknown action", b'{"action":"order.steal","id":4}', "UNKNOWN_ACTION", 4),
    Row("an action that is a number", b'{"action":4,"id":4}', BAD),
    Row("NUL in an action", b'{"action":"pi\\u0000ng","id":4}', "UNKNOWN_ACTION", 4),
    Row("a lone surrogate in an action", b'{"action":"\\ud800","id":4}', BAD),
    Row("an unknown member", b'{"action":"ping","id":4,"surprise":true}', BAD, 4),
    Row("an id that is a list", b'{"action":"ping","id":[1]}', BAD),
    Row("an id beyond 64 bits", b'{"action":"ping","id":99999999999999999999}', BAD),
    Row("an id that is too long", b'{"action":"ping","id":"%b"}' % (b"x" * 65), BAD),
    Row("an id that is not whole", b'{"action":"ping","id":1.5}', BAD),
    Row("a token that is a number", b'{"action":"auth","id":5,"token":5}', BAD, 5),
    Row("no token", b'{"action":"auth","id":5}', BAD, 5),
    Row("an empty token", b'{"action":"auth","id":5,"token":""}', BAD, 5),
    Row("a forged token", b'{"action":"auth","id":5,"token":"a.b.c"}', "UNAUTHENTICATED", 5),
    Row("a token with NUL", b'{"action":"auth","id":5,"token":"\\u0000"}', "UNAUTHENTICATED", 5),
    subscribe("an unknown channel", b'"channels":["gossip"]', "UNKNOWN_CHANNEL"),
    subscribe("a known and an unknown channel", b'"channels":["orders","gossip"]', "UNKNOWN_CHANNEL"),
    subscribe("NUL in a channel", b'"channels":["orders\\u0000"]', "UNKNOWN_CHANNEL"),
    subscribe("no channel", b'"channels":[]', BAD),
    subscribe("17 channels", b'"channels":[%b]' % b",".join([b'"orders"'] * 17), BAD),
    subscribe("a channel that is no list", b'"channels":"quotes"', BAD),
    subscribe("quotes of nothing", b'"channels":["quotes"]', BAD),
    subscribe("an empty symbol", b'"channels":["quotes"],"symbols":[""]', BAD),
    subscribe("a long symbol", b'"channels":["quotes"],"symbols":["%b"]' % (b"A" * 33), BAD),
    subscribe("a symbol that is a number", b'"channels":["quotes"],"symbols":[1]', BAD),
    subscribe("a null symbol", b'"channels":["quotes"],"symbols":[null]', BAD),
    subscribe("1 001 symbols", b'"channels":["quotes"],"symbols":[%b]' % b",".join([b'"A"'] * 1_001), BAD),
    subscribe("a cadence of text", b'"channels":["quotes"],"symbols":["AAPL"],"interval_ms":"1"', BAD),
    subscribe("a huge cadence", b'"channels":["quotes"],"symbols":["AAPL"],"interval_ms":1e308', BAD),
    subscribe("resuming below zero", b'"channels":["orders"],"resume_from":-1', BAD),
    subscribe("resuming beyond 64 bits", b'"channels":["orders"],"resume_from":18446744073709551616', BAD),
    subscribe("resuming quotes", b'"channels":["quotes"],"symbols":["AAPL"],"resume_from":1', BAD),
    Row("no channel to leave", b'{"action":"unsubscribe","id":6}', BAD, 6),
    Row("an unknown channel to leave", b'{"action":"unsubscribe","id":6,"channels":["x"]}', "UNKNOWN_CHANNEL", 6),
    Row("no order", b'{"action":"order.place","id":7}', BAD, 7),
    Row("a null order", b'{"action":"order.place","id":7,"order":null}', BAD, 7),
    order("an unknown field", b"{", b'{"surprise":1,', BAD),
    order("an unknown symbol", b"AAPL", b"NOPE", "UNKNOWN_SYMBOL"),
    order("NUL in a symbol", b"AAPL", b"AA\\u0000PL", BAD),
    order("an unknown side", b"BUY", b"HOLD", BAD),
    order("a quantity that is text", b'"1"', b'"many"', BAD),
    order("a quantity of NaN", b'"1"', b'"NaN"', BAD),
    order("a quantity of zero", b'"1"', b"0", "INVALID_QUANTITY"),
    order("a negative quantity", b'"1"', b"-1", "INVALID_QUANTITY"),
    order("a huge quantity", b'"1"', b"1e300", "INVALID_QUANTITY"),
    order("too many decimals", b'"90"', b"90.00001", "INVALID_TICK_SIZE"),
    order("a nested price", b'"90"', b'{"amount":90}', BAD),
    Row("a cancel of nothing", b'{"action":"order.cancel","id":9}', BAD, 9),
    Row("a cancel of a number", b'{"action":"order.cancel","id":9,"order_id":1}', BAD, 9),
    Row("no id of an order", b'{"action":"order.cancel","id":9,"order_id":"acc_1"}', "ORDER_NOT_FOUND", 9),
    Row("an order that never was", b'{"action":"order.cancel","id":9,"order_id":"ord_1"}', "ORDER_NOT_FOUND", 9),
    Row(
        "an order id beyond 64 bits",
        b'{"action":"order.cancel","id":9,"order_id":"ord_99999999999999999999"}',
        "ORDER_NOT_FOUND",
        9,
    ),
    Row(
        "a key with a space",
        b'{"action":"order.place","id":7,"idempotency_key":"a b","order":%b}' % ORDER,
        BAD,
        7,
    ),
    Row("a batch of nothing", b'{"action":"orders.batch","id":10,"orders":[]}', BAD, 10),
    Row("a batch that is an object", b'{"action":"orders.batch","id":10,"orders":{}}', BAD, 10),
    Row("a batch cut off", b'{"action":"orders.batch","id":10,"orders":[{"cancel":"ord_1"}', BAD),
]  # fmt: skip


async def answer_to(raw: StreamClient, message: bytes) -> dict[str, object]:
    """The answer to a raw message; a ping behind it shows that the session goes on."""
    raw.writer.write(masked(message))
    send_raw(raw, {"action": "ping", "id": "after"})
    answer = await raw.json()
    assert await raw.json() == {"type": "pong", "id": "after"}
    return answer


async def test_each_bad_message_has_its_code_and_the_session_goes_on(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    balance = (await client("GET", "/wallet/balance")).data
    wrong = []
    for row in ROWS:
        async with raw_connection(small, client.token) as raw:
            answer = await answer_to(raw, row.message)
            seen = (answer["type"], answer.get("code"), answer.get("id"), answer.get("temporary"))
            if seen != ("error", row.code, row.message_id, False) or not answer["message"]:
                wrong.append((row.name, answer))

    assert wrong == []
    assert len(ROWS) >= 20
    assert not small.world.state.orders
    assert not small.world.fatal
    assert (await client("GET", "/wallet/balance")).data == balance
    assert (await client.place("BUY", "1", "90")).status == 201


async def test_a_binary_message_is_refused(small: SmallKerb) -> None:
    async with connected(small) as user:
        await user.socket.send_bytes(b'{"action":"ping","id":1}')

        assert (await user.receive())["code"] == BAD
        assert (await user.ask("ping"))["type"] == "pong"


async def test_an_expired_and_a_forged_token_have_codes_of_their_own(small: SmallKerb) -> None:
    client = await small.trader()
    claims = jwt.decode(client.token, OctKey.import_key(SECRET)).claims
    expired = claims | {"exp": int(time.time()) - 1}
    async with connected(small) as user:
        codes = [
            (await user.ask("auth", token=jwt.encode({"alg": "HS256"}, body, OctKey.import_key(key))))["code"]
            for body, key in ((expired, SECRET), (claims, "another secret, which is long enough"))
        ]

    assert codes == ["TOKEN_EXPIRED", "UNAUTHENTICATED"]


async def test_somebody_else_s_order_is_like_none(small: SmallKerb) -> None:
    one, other = await small.trader("one", cash="1000"), await small.trader("other")
    order_id = (await one.place("BUY", "1", "80")).data["order_id"]
    async with connected(small, other) as user:
        foreign = await user.ask("order.cancel", order_id=order_id)
        none = await user.ask("order.cancel", order_id="ord_1")

    assert (foreign["code"], foreign["message"]) == (none["code"], none["message"])
    assert (await one("GET", f"/orders/{order_id}")).data["status"] == "PENDING"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(masked(b"x", opcode=3), 1002, id="an unknown opcode"),
        pytest.param(b"\xf1\x80\x00\x00\x00\x00", 1002, id="reserved bits"),
        pytest.param(b"\x89\xfe\x00\x7e\x00\x00\x00\x00" + bytes(126), 1002, id="a long ping"),
        pytest.param(masked(b"\x03\xe7", opcode=8), 1002, id="a close code that is none"),
        pytest.param(b"\x81\xff" + (1 << 62).to_bytes(8, "big") + bytes(4), 1009, id="4 exabytes"),
    ],
)
async def test_a_broken_frame_closes_its_connection_and_no_other(
    small: SmallKerb, frame: bytes, code: int
) -> None:
    async with connected(small) as bystander, raw_connection(small) as raw:
        raw.writer.write(frame)
        answer = await raw.frame()

        assert (answer.opcode, answer.close_code) == (CLOSE, code)
        assert (await bystander.ask("ping"))["type"] == "pong"


async def test_text_of_a_client_comes_back_only_as_json(small: SmallKerb) -> None:
    hostile = '"}\u0000</script>\u2028\U0001f600'
    async with connected(small) as user:
        answer = await user.ask("subscribe", channels=[hostile])
        assert answer["details"] == {"channel": hostile}
        answer = await user.ask("subscribe", channels=["quotes"], symbols=[hostile])
        assert answer["errors"] == [{"symbol": hostile, "code": "UNKNOWN_SYMBOL"}]
        await user.send({"action": "ping", "id": hostile})
        assert (await user.receive()) == {"type": "pong", "id": hostile}
