"""WebSocket messages that are wrong, and bytes that are no HTTP at all."""

from __future__ import annotations

from typing import Final

from tests.e2e.bad_input.rows import BAD, ORDER, Message


def sent(name: str, old: bytes, new: bytes, code: str) -> Message:
    """An order over the WebSocket."""
    assert old in ORDER
    return Message(name, b'{"action":"order.place","id":7,"order":%b}' % ORDER.replace(old, new), code, 7)


def subscribe(name: str, members: bytes, code: str) -> Message:
    return Message(name, b'{"action":"subscribe","id":"s",%b}' % members, code, "s")


MESSAGES: Final = [
    Message("nothing", b"", BAD),
    Message("a space", b" ", BAD),
    Message("half an object", b'{"action":"ping"', BAD),
    Message("two objects", b'{"action":"ping"}{"action":"ping"}', BAD),
    Message("a list", b'[{"action":"ping"}]', BAD),
    Message("a number", b"12", BAD),
    Message("null", b"null", BAD),
    Message("not UTF-8", b'{"action":"auth","id":3,"token":"\xff\xfe"}', BAD, 3),
    Message("a NUL byte", b'{"action":"ping"\x00}', BAD),
    Message("nested deeply", b"[" * 60_000, BAD),
    Message("nested deeply inside", b'{"action":"ping","id":1,"x":' + b'{"x":' * 10_000, BAD),
    Message("nested in an order", b'{"action":"order.place","id":8,"order":{"price":' + b"[" * 60_000, BAD),
    Message("no action", b'{"id":4}', "UNKNOWN_ACTION", 4),
    Message("an unknown action", b'{"action":"order.steal","id":4}', "UNKNOWN_ACTION", 4),
    Message("an action that is a number", b'{"action":4,"id":4}', BAD),
    Message("NUL in an action", b'{"action":"pi\\u0000ng","id":4}', "UNKNOWN_ACTION", 4),
    Message("a lone surrogate in an action", b'{"action":"\\ud800","id":4}', BAD),
    Message("an unknown member", b'{"action":"ping","id":4,"surprise":true}', BAD, 4),
    Message("an id that is a list", b'{"action":"ping","id":[1]}', BAD),
    Message("an id beyond 64 bits", b'{"action":"ping","id":99999999999999999999}', BAD),
    Message("an id that is too long", b'{"action":"ping","id":"%b"}' % (b"x" * 65), BAD),
    Message("an id that is not whole", b'{"action":"ping","id":1.5}', BAD),
    Message("a token that is a number", b'{"action":"auth","id":5,"token":5}', BAD, 5),
    Message("no token", b'{"action":"auth","id":5}', BAD, 5),
    Message("an empty token", b'{"action":"auth","id":5,"token":""}', BAD, 5),
    Message("a forged token", b'{"action":"auth","id":5,"token":"a.b.c"}', "UNAUTHENTICATED", 5),
    Message("a token with NUL", b'{"action":"auth","id":5,"token":"\\u0000"}', "UNAUTHENTICATED", 5),
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
    Message("no channel to leave", b'{"action":"unsubscribe","id":6}', BAD, 6),
    Message("an unknown channel to leave", b'{"action":"unsubscribe","id":6,"channels":["x"]}', "UNKNOWN_CHANNEL", 6),
    Message("no order", b'{"action":"order.place","id":7}', BAD, 7),
    Message("a null order", b'{"action":"order.place","id":7,"order":null}', BAD, 7),
    sent("an unknown field", b"{", b'{"surprise":1,', BAD),
    sent("an unknown symbol", b"AAPL", b"NOPE", "UNKNOWN_SYMBOL"),
    sent("NUL in a symbol", b"AAPL", b"AA\\u0000PL", BAD),
    sent("an unknown side", b"BUY", b"HOLD", BAD),
    sent("a quantity that is text", b'"quantity":1', b'"quantity":"many"', BAD),
    sent("a quantity of NaN", b'"quantity":1', b'"quantity":"NaN"', BAD),
    sent("a quantity of zero", b'"quantity":1', b'"quantity":0', "INVALID_QUANTITY"),
    sent("a negative quantity", b'"quantity":1', b'"quantity":-1', "INVALID_QUANTITY"),
    sent("a huge quantity", b'"quantity":1', b'"quantity":1e300', "INVALID_QUANTITY"),
    sent("too many decimals", b'"price":90', b'"price":90.00001', "INVALID_TICK_SIZE"),
    sent("a nested price", b'"price":90', b'"price":{"amount":90}', BAD),
    Message("a cancel of nothing", b'{"action":"order.cancel","id":9}', BAD, 9),
    Message("a cancel of a number", b'{"action":"order.cancel","id":9,"order_id":1}', BAD, 9),
    Message("no id of an order", b'{"action":"order.cancel","id":9,"order_id":"acc_1"}', "ORDER_NOT_FOUND", 9),
    Message("an order that never was", b'{"action":"order.cancel","id":9,"order_id":"ord_1"}', "ORDER_NOT_FOUND", 9),
    Message("an order id beyond 64 bits", b'{"action":"order.cancel","id":9,"order_id":"ord_99999999999999999999"}', "ORDER_NOT_FOUND", 9),
    Message("a key with a space", b'{"action":"order.place","id":7,"idempotency_key":"a b","order":%b}' % ORDER, BAD, 7),
    Message("a batch of nothing", b'{"action":"orders.batch","id":10,"orders":[]}', BAD, 10),
    Message("a batch that is an object", b'{"action":"orders.batch","id":10,"orders":{}}', BAD, 10),
    Message("a batch cut off", b'{"action":"orders.batch","id":10,"orders":[{"cancel":"ord_1"}', BAD),
    Message("a byte order mark", b'\xef\xbb\xbf{"action":"ping","id":1}', BAD),
    Message("the action twice, the last one counts", b'{"action":"ping","action":"order.steal","id":4}', "UNKNOWN_ACTION", 4),
    Message("a token of 5 000 characters", b'{"action":"auth","id":5,"token":"%b"}' % (b"x" * 5_000), BAD, 5),
    Message("an API key that is none", b'{"action":"auth","id":5,"token":"kerb_x"}', "UNAUTHENTICATED", 5),
    Message("tied by a text", b'{"action":"auth","id":5,"token":"x","cancel_on_disconnect":"yes"}', BAD, 5),
    subscribe("a candle of an interval that is none", b'"channels":["candles"],"symbols":["AAPL"],"intervals":["2m"]', BAD),
    subscribe("a cadence of 1 ms", b'"channels":["quotes"],"symbols":["AAPL"],"interval_ms":1', BAD),
    Message("a lone surrogate in a symbol", b'{"action":"subscribe","channels":["quotes"],"symbols":["\\ud800"]}', BAD),
    sent("a price of five decimals", b'"price":90', b'"price":"90.00001"', "INVALID_TICK_SIZE"),
    sent("a stop order, which is still to come", b"LIMIT", b"STOP_LIMIT", "NOT_SUPPORTED"),
    sent("post only, which is still to come", b"{", b'{"post_only":true,', "NOT_SUPPORTED"),
    sent("a class that is none", b"{", b'{"order_class":"FIRST",', BAD),
    sent("shares that are not there", b'"BUY","order_type":"LIMIT","quantity":1,"price":90', b'"SELL","order_type":"LIMIT","quantity":1,"price":230', "INSUFFICIENT_SHARES"),
    sent("a LIMIT without a price", b',"price":90', b"", BAD),
    Message("a batch of 501", b'{"action":"orders.batch","id":10,"orders":[%b]}' % b",".join([b'{"cancel":"ord_1"}'] * 501), BAD, 10),
]  # fmt: skip

WIRE: Final[dict[str, bytes]] = {
    "no method": b"\x00\x01\x02\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "another version": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a negative length": b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    "two lengths": b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks, but not at last": b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a header over two lines": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
    "a space before the colon": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    "a long line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
    "too many headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 5_000 + b"\r\n",
    "a byte in the query": b"GET /api/v1/stocks/search?q=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
}  # fmt: skip
"""What is no HTTP: 400 in the envelope, and the connection is closed."""
