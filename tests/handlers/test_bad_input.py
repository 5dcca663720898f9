"""What clients get wrong, over a real socket: each its documented status and code, none a 5xx, none does harm."""

from __future__ import annotations

import gzip
from typing import NamedTuple

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.handlers.small_kerb import SECRET, Client, SmallKerb

JSON = {"Content-Type": "application/json"}
ORDER = b'{"stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","quantity":1,"price":90}'
DEPOSIT = b'{"amount":1,"payment_method":"CARD"}'
REGISTER = b'{"email":"a@example.com","password":"long enough","full_name":"A"}'


class Row(NamedTuple):
    """A request and its answer. `field`: what the answer has to name."""

    name: str
    method: str
    path: str
    body: bytes | None
    status: int
    code: str
    field: str | None = None
    headers: dict[str, str] | None = None


def order(name: str, old: bytes, new: bytes, status: int, code: str, field: str | None = None) -> Row:
    assert old in ORDER
    return Row(name, "POST", "/orders", ORDER.replace(old, new), status, code, field)


def deposit(name: str, amount: bytes, status: int, code: str) -> Row:
    return Row(
        name, "POST", "/wallet/deposit", DEPOSIT.replace(b'"amount":1', b'"amount":' + amount), status, code, "amount" if status == 400 else None
    )  # fmt: skip


def register(name: str, old: bytes, new: bytes, field: str) -> Row:
    assert old in REGISTER
    return Row(name, "POST", "/auth/register", REGISTER.replace(old, new), 400, "BAD_REQUEST", field)


def get(name: str, path: str, status: int, code: str, field: str | None = None) -> Row:
    return Row(name, "GET", path, None, status, code, field)


BAD = "BAD_REQUEST"
ROWS = [
    Row("nothing", "POST", "/orders", b"", 400, BAD, "body", JSON),
    Row("half an object", "POST", "/orders", ORDER[:-1], 400, BAD, "body"),
    Row("two objects", "POST", "/orders", ORDER + ORDER, 400, BAD, "body"),
    Row("a list", "POST", "/orders", b"[" + ORDER + b"]", 400, BAD, "body"),
    Row("a string", "POST", "/orders", b'"order"', 400, BAD, "body"),
    Row("null", "POST", "/orders", b"null", 400, BAD, "body"),
    Row("not UTF-8", "POST", "/orders", ORDER.replace(b"AAPL", b"\xff\xfe"), 400, BAD, "body"),
    Row("deeply nested", "POST", "/orders", b"[" * 100_000, 400, BAD, "body"),
    Row("deeply nested inside", "POST", "/orders", ORDER[:-1] + b',"x":' + b"[" * 100_000, 400, BAD),
    Row("a byte order mark", "POST", "/orders", b"\xef\xbb\xbf" + ORDER, 400, BAD, "body"),
    order("a comment", b"{", b"{/* */", 400, BAD, "body"),
    order("an unknown field", b"{", b'{"surprise":1,', 400, BAD, "surprise"),
    order("a missing field", b',"quantity":1', b"", 400, BAD, "quantity"),
    order("a number for a symbol", b'"AAPL"', b"5", 400, BAD, "stock_symbol"),
    order("an empty symbol", b'"AAPL"', b'""', 400, BAD, "stock_symbol"),
    order("a long symbol", b"AAPL", b"A" * 1_000, 400, BAD, "stock_symbol"),
    order("NUL in a symbol", b"AAPL", b"AA\\u0000PL", 400, BAD, "stock_symbol"),
    order("a lone surrogate", b"AAPL", b"\\ud800", 400, BAD, "body"),
    order("an unknown symbol", b"AAPL", b"NOPE", 422, "UNKNOWN_SYMBOL"),
    order("a symbol in lower case", b"AAPL", b"aapl", 422, "UNKNOWN_SYMBOL"),
    order("a symbol that is SQL", b"AAPL", b"'; DROP TABLE users;--", 422, "UNKNOWN_SYMBOL"),
    order("an unknown side", b"BUY", b"HOLD", 400, BAD, "side"),
    order("a null side", b'"BUY"', b"null", 400, BAD, "side"),
    order("an unknown type", b"LIMIT", b"HOPE", 400, BAD, "order_type"),
    order("a text for a quantity", b'"quantity":1', b'"quantity":"many"', 400, BAD, "quantity"),
    order("a boolean quantity", b'"quantity":1', b'"quantity":true', 400, BAD, "quantity"),
    order("an object quantity", b'"quantity":1', b'"quantity":{}', 400, BAD, "quantity"),
    order("a null quantity", b'"quantity":1', b'"quantity":null', 400, BAD, "quantity"),
    order("NaN", b'"quantity":1', b'"quantity":NaN', 400, BAD, "body"),
    order("NaN as a text", b'"quantity":1', b'"quantity":"NaN"', 400, BAD, "quantity"),
    order("Infinity", b'"quantity":1', b'"quantity":-Infinity', 400, BAD, "body"),
    order("Infinity as a text", b'"quantity":1', b'"quantity":"Infinity"', 400, BAD, "quantity"),
    order("an octal number", b'"quantity":1', b'"quantity":01', 400, BAD, "body"),
    order("an endless exponent", b'"quantity":1', b'"quantity":1e999999999', 400, BAD, "quantity"),
    order("a huge quantity", b'"quantity":1', b'"quantity":1e300', 422, "INVALID_QUANTITY"),
    order("many digits", b'"quantity":1', b'"quantity":' + b"9" * 5_000, 400, BAD, "quantity"),
    order("a tiny quantity", b'"quantity":1', b'"quantity":1e-300', 422, "INVALID_LOT_SIZE"),
    order("nine decimals", b'"quantity":1', b'"quantity":0.000000001', 422, "INVALID_LOT_SIZE"),
    order("below the lot", b'"quantity":1', b'"quantity":0.001', 422, "INVALID_LOT_SIZE"),
    order("no quantity", b'"quantity":1', b'"quantity":0', 422, "INVALID_QUANTITY"),
    order("minus zero", b'"quantity":1', b'"quantity":-0.0', 422, "INVALID_QUANTITY"),
    order("a negative quantity", b'"quantity":1', b'"quantity":-1', 422, "INVALID_QUANTITY"),
    order("five decimals", b'"price":90', b'"price":90.00001', 422, "INVALID_TICK_SIZE"),
    order("off the tick", b'"price":90', b'"price":90.0001', 422, "INVALID_TICK_SIZE"),
    order("a huge price", b'"price":90', b'"price":1e300', 422, "INVALID_PRICE"),
    order("no price", b'"price":90', b'"price":0', 422, "INVALID_PRICE"),
    order("a negative price", b'"price":90', b'"price":-90', 422, "INVALID_PRICE"),
    order("a LIMIT without a price", b',"price":90', b"", 400, BAD, "price"),
    order("a MARKET with a price", b"LIMIT", b"MARKET", 400, BAD, "price"),
    order("far above the market", b'"price":90', b'"price":500000', 422, "INVALID_PRICE"),
    order("an unknown time in force", b"{", b'{"time_in_force":"SOON",', 400, BAD, "time_in_force"),
    order("a long client_order_id", b"{", b'{"client_order_id":"%b",' % (b"x" * 65), 400, BAD, "client_order_id"),
    order("NUL in a client_order_id", b"{", b'{"client_order_id":"a\\u0000",', 400, BAD, "client_order_id"),
    order("more than there is", b'"quantity":1', b'"quantity":1000', 422, "INSUFFICIENT_FUNDS"),
    order("shares that are not there", b"BUY", b"SELL", 422, "INSUFFICIENT_SHARES"),
    Row("an oversize body", "POST", "/orders", b" " * (1 << 20) + ORDER, 413, "BODY_TOO_LARGE"),
    Row("a form", "POST", "/orders", b"a=b", 415, "UNSUPPORTED_MEDIA_TYPE", None, {"Content-Type": "application/x-www-form-urlencoded"}),
    Row("no content type", "POST", "/orders", ORDER, 415, "UNSUPPORTED_MEDIA_TYPE", None, {"Content-Type": ""}),
    Row("a lying content encoding", "POST", "/orders", ORDER, 415, "UNSUPPORTED_MEDIA_TYPE", None, {"Content-Encoding": "gzip"}),
    Row("an oversize body in gzip", "POST", "/orders", gzip.compress(b" " * (4 << 20)), 415, "UNSUPPORTED_MEDIA_TYPE", None, {"Content-Encoding": "gzip"}),
    Row("a key with a space", "POST", "/orders", ORDER, 400, BAD, "X-Idempotency-Key", {"X-Idempotency-Key": "a b"}),
    Row("an empty key", "POST", "/orders", ORDER, 400, BAD, "X-Idempotency-Key", {"X-Idempotency-Key": ""}),
    Row("a long key", "POST", "/orders", ORDER, 400, BAD, "X-Idempotency-Key", {"X-Idempotency-Key": "x" * 200}),
    Row("two keys", "POST", "/orders", ORDER, 400, BAD, "Idempotency-Key", {"X-Idempotency-Key": "a", "Idempotency-Key": "b"}),
    get("an id that is none", "/orders/first", 404, "ORDER_NOT_FOUND"),
    get("an id of another kind", "/orders/txn_1", 404, "ORDER_NOT_FOUND"),
    get("a number for an id", "/orders/1", 404, "ORDER_NOT_FOUND"),
    get("an id beyond everything", "/orders/ord_9223372036854775807", 404, "ORDER_NOT_FOUND"),
    get("an id that overflows", "/orders/ord_99999999999999999999", 404, "ORDER_NOT_FOUND"),
    get("NUL in an id", "/orders/ord_1%00", 404, "ORDER_NOT_FOUND"),
    get("bytes that are no text in an id", "/orders/ord_%ff", 404, "ORDER_NOT_FOUND"),
    get("an order that never was", "/orders/ord_5", 404, "ORDER_NOT_FOUND"),
    get("executions of no order", "/orders/ord_5/executions", 404, "ORDER_NOT_FOUND"),
    Row("cancelling no order", "DELETE", "/orders/ord_5", None, 404, "ORDER_NOT_FOUND"),
    Row("cancelling an unknown symbol", "DELETE", "/orders?symbol=NOPE", None, 422, "UNKNOWN_SYMBOL"),
    Row("replacing nothing", "PATCH", "/orders/ord_5", b"{}", 400, BAD, "quantity"),
    Row("replacing no order", "PATCH", "/orders/ord_5", b'{"price":1}', 404, "ORDER_NOT_FOUND"),
    Row("a fixed path in a method of its neighbour", "PATCH", "/orders/history", b'{"quantity":1}', 405, "METHOD_NOT_ALLOWED"),
    Row("replacing by zero", "PATCH", "/orders/ord_5", b'{"quantity":0}', 422, "INVALID_QUANTITY", "quantity"),
    get("a status that is none", "/orders?status=DONE", 400, BAD, "status"),
    get("an empty status", "/orders?status=", 400, BAD, "status"),
    get("page 0", "/orders?page=0", 400, BAD, "page"),
    get("page x", "/orders?page=x", 400, BAD, "page"),
    get("a page too far", "/orders?page=99999&limit=500", 400, BAD, "page"),
    get("limit 501", "/orders?limit=501", 400, BAD, "limit"),
    get("limit -1", "/orders/history?limit=-1", 400, BAD, "limit"),
    get("a cursor of ours that is not", "/orders/history?cursor=zzz", 400, BAD, "cursor"),
    get("a cursor of spaces", "/wallet/transactions?cursor=%20", 400, BAD, "cursor"),
    get("NUL in a symbol filter", "/orders?symbol=A%00", 400, BAD, "symbol"),
    get("a day that does not exist", "/orders/history?from_date=2025-02-30", 400, BAD, "from_date"),
    get("a time without a zone", "/orders/history?to_date=2025-02-03T00:00:00", 400, BAD, "to_date"),
    get("an end before the beginning", "/orders/history?from_date=2025-02-03&to_date=2025-01-01", 400, BAD, "to_date"),
    get("an unknown instrument", "/stocks/NOPE/quote", 404, "NOT_FOUND"),
    get("NUL in an instrument", "/stocks/A%00/depth", 404, "NOT_FOUND"),
    get("an unknown interval", "/stocks/AAPL/chart?interval=2m", 400, BAD, "interval"),
    get("an unknown range", "/stocks/AAPL/chart?range=ever", 400, BAD, "range"),
    get("too many levels", "/stocks/AAPL/depth?levels=100000", 400, BAD, "levels"),
    get("no search text", "/stocks/search", 400, BAD, "q"),
    get("a transaction that never was", "/wallet/transactions/txn_5", 404, "NOT_FOUND"),
    get("a withdrawal that never was", "/wallet/transactions/wdr_5", 404, "NOT_FOUND"),
    get("an id of nothing", "/wallet/transactions/'--", 404, "NOT_FOUND"),
    get("nothing here", "/nothing/here", 404, "NOT_FOUND"),
    get("a path upwards", "/orders/../../etc/passwd", 404, "NOT_FOUND"),
    Row("the wrong method", "PUT", "/orders", b"{}", 405, "METHOD_NOT_ALLOWED"),
    Row("a method from elsewhere", "PROPFIND", "/orders", None, 405, "METHOD_NOT_ALLOWED"),
    deposit("no money", b"0", 422, "INVALID_AMOUNT"),
    deposit("negative money", b"-1", 422, "INVALID_AMOUNT"),
    deposit("fractions of a fraction", b"0.00001", 422, "INVALID_AMOUNT"),
    deposit("all the money", b"1e18", 422, "INVALID_AMOUNT"),
    deposit("more than fits", b"100000000000000", 422, "BALANCE_LIMIT"),
    deposit("money in words", b'"ten"', 400, BAD),
    Row("an unknown way to pay", "POST", "/wallet/deposit", b'{"amount":1,"payment_method":"GOLD"}', 400, BAD, "payment_method"),
    Row("more than the balance", "POST", "/wallet/withdraw", b'{"amount":"1000.0001"}', 422, "INSUFFICIENT_FUNDS"),
    register("an address without a domain", b"a@example.com", b"a@", "email"),
    register("an address with a NUL", b"a@example.com", b"a\\u0000@example.com", "email"),
    register("a long address", b"a@example.com", b"a" * 300 + b"@example.com", "email"),
    register("a short password", b"long enough", b"short", "password"),
    register("a long password", b"long enough", b"x" * 257, "password"),
    register("a blank name", b'"A"', b'" "', "full_name"),
    register("a NUL in a name", b'"A"', b'"A\\u0000"', "full_name"),
    register("a phone of letters", b"}", b',"phone":"call me"}', "phone"),
    register("a role for oneself", b"}", b',"roles":["admin"]}', "roles"),
    Row("a login without a password", "POST", "/auth/login", b'{"email":"a@example.com"}', 400, BAD, "password"),
    Row("NUL in a login", "POST", "/auth/login", b'{"email":"\\u0000","password":"x"}', 400, BAD, "email"),
    Row("a refresh token of ours that is not", "POST", "/auth/refresh-token", b'{"refresh_token":"x"}', 401, "UNAUTHENTICATED"),
    Row("an operator's call by a trader", "POST", "/admin/kill-switch", b'{"scope":"MARKET","on":true}', 403, "FORBIDDEN"),
]  # fmt: skip


async def send(client: Client, row: Row) -> str:
    """What is wrong with the answer to a row; '' for nothing."""
    reply = await client(row.method, row.path, raw=row.body, headers=row.headers)
    if reply.status != row.status or reply.code != row.code:
        return f"{row.name}: {reply}"
    if row.field is not None and reply.error["details"].get("field") != row.field:
        return f"{row.name}: names {reply.error['details']}"
    if not reply.error["message"] or reply.headers["X-Request-ID"] != reply.error["request_id"]:
        return f"{row.name}: {reply.error}"
    return ""


async def test_every_row_is_answered_as_documented_and_does_no_harm(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    assert len(ROWS) >= 120
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [wrong for row in ROWS if (wrong := await send(client, row))] == []
    assert (await client("GET", "/wallet/balance")).data["available"] == 1000
    assert (await client("GET", "/orders")).data == []
    assert (await client.place("BUY", "1", "90")).status == 201
    assert small.services.metrics._faults == 0


async def test_other_peoples_objects_do_not_exist(small: SmallKerb) -> None:
    owner = await small.trader("owner", cash="1000")
    other = await small.trader("other", cash="1000")
    open_id = (await owner.place("BUY", "1", "90")).data["order_id"]
    closed_id = (await owner.place("BUY", "1", "90")).data["order_id"]
    await owner("DELETE", f"/orders/{closed_id}")
    transaction_id = (await owner("GET", "/wallet/transactions")).data[0]["transaction_id"]
    withdrawal_id = (await owner("POST", "/wallet/withdraw", {"amount": 1})).data["transaction_id"]
    for order_id in (open_id, closed_id):
        for method, path, body in (
            ("GET", f"/orders/{order_id}", None),
            ("GET", f"/orders/{order_id}/executions", None),
            ("DELETE", f"/orders/{order_id}", None),
            ("PATCH", f"/orders/{order_id}", {"price": 80}),
        ):
            reply = await other(method, path, body)
            assert (reply.status, reply.code) == (404, "ORDER_NOT_FOUND"), (method, path)
    for known in (transaction_id, withdrawal_id):
        assert (await owner("GET", f"/wallet/transactions/{known}")).status == 200
        assert (await other("GET", f"/wallet/transactions/{known}")).status == 404
    assert (await owner("GET", f"/orders/{open_id}")).data["status"] == "PENDING"


def token(claims: dict[str, object], secret: str = SECRET) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "UNAUTHENTICATED"),
        ("", "UNAUTHENTICATED"),
        ("Bearer", "UNAUTHENTICATED"),
        ("Bearer ", "UNAUTHENTICATED"),
        ("Basic YTpi", "UNAUTHENTICATED"),
        ("Bearer x.y.z", "UNAUTHENTICATED"),
        ("Bearer " + "x" * 6_000, "UNAUTHENTICATED"),
        ("expired", "TOKEN_EXPIRED"),
        ("forged", "UNAUTHENTICATED"),
        ("unsigned", "UNAUTHENTICATED"),
    ],
)
async def test_without_a_good_token_nothing_private_answers(
    small: SmallKerb, header: str | None, code: str
) -> None:
    claims = {"iss": "kerb", "sub": "1000", "sid": 1, "acc": 1, "roles": ["admin", "trader"], "exp": 2**40}
    made = {
        "expired": "Bearer " + token(claims | {"exp": 1_000}),
        "forged": "Bearer " + token(claims, "another-secret-of-the-same-length-0123456789"),
        "unsigned": "Bearer eyJhbGciOiJub25lIn0." + token(claims).split(".")[1] + ".",
    }
    headers = {} if header is None else {"Authorization": made.get(header, header)}
    anybody = small.anonymous()
    for method, path in (
        ("GET", "/wallet/balance"),
        ("POST", "/orders"),
        ("GET", "/portfolio"),
        ("POST", "/admin/kill-switch"),
    ):
        reply = await anybody(method, path, headers=headers)
        assert (reply.status, reply.code) == (401, code), (method, path, reply)
    assert (await anybody("GET", "/stocks/AAPL/quote", headers=headers)).status == 200
