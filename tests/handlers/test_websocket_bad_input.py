"""What clients get wrong on a WebSocket beside the table of tests/e2e/bad_input: frames, tokens, hostile text."""

from __future__ import annotations

import time

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.handlers.small_kerb import SECRET, SmallKerb
from tests.handlers.websocket_user import connected, masked, raw_connection
from tests.server.stream_client import CLOSE

BAD = "BAD_REQUEST"


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
