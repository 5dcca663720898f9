"""The rows of the table of bad input: their types, and short ways to write the frequent ones."""

from __future__ import annotations

from typing import Final, NamedTuple

BAD: Final = "BAD_REQUEST"
TYPE: Final = "UNSUPPORTED_MEDIA_TYPE"
ORDER: Final = b'{"stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","quantity":1,"price":90}'
DEPOSIT: Final = b'{"amount":1,"payment_method":"CARD"}'
REGISTER: Final = b'{"email":"a@example.com","password":"long enough","full_name":"A"}'


class Request(NamedTuple):
    """A request and its answer. `field`: what the answer has to name. `who` sends it: see `callers` in the test.

    `path` is below /api/v1, with `root` below /.
    """

    name: str
    method: str
    path: str
    body: bytes | None
    status: int
    code: str
    field: str | None = None
    headers: dict[str, str] | None = None
    who: str = "trader"
    root: bool = False


class Message(NamedTuple):
    """A WebSocket message and the code of its answer. `message_id`: what the answer has to name."""

    name: str
    message: bytes
    code: str
    message_id: object = None


def order(name: str, old: bytes, new: bytes, status: int, code: str, field: str | None = None) -> Request:
    assert old in ORDER
    return Request(name, "POST", "/orders", ORDER.replace(old, new), status, code, field)


def deposit(name: str, amount: bytes, status: int, code: str) -> Request:
    body = DEPOSIT.replace(b'"amount":1', b'"amount":' + amount)
    return Request(name, "POST", "/wallet/deposit", body, status, code, "amount" if status == 400 else None)


def register(name: str, old: bytes, new: bytes, field: str) -> Request:
    assert old in REGISTER
    return Request(name, "POST", "/auth/register", REGISTER.replace(old, new), 400, BAD, field)


def get(name: str, path: str, status: int, code: str, field: str | None = None) -> Request:
    return Request(name, "GET", path, None, status, code, field)


def put(name: str, path: str, body: bytes, field: str, who: str = "trader") -> Request:
    return Request(name, "PUT", path, body, 400, BAD, field, None, who)


def post(
    name: str, path: str, body: bytes, status: int, code: str, field: str | None = None, who: str = "trader"
) -> Request:
    return Request(name, "POST", path, body, status, code, field, None, who)


def desk(
    name: str, method: str, path: str, body: bytes | None, status: int, code: str, field: str | None = None
) -> Request:
    """An operator's call."""
    return Request(name, method, f"/admin{path}", body, status, code, field, None, "operator")


def other(
    name: str, method: str, path: str, body: bytes | None, status: int, code: str, field: str | None = None
) -> Request:
    """A call of another dialect, or of what has no version."""
    return Request(name, method, path, body, status, code, field, root=True)


def headed(name: str, header: str, value: str, status: int, code: str, field: str | None = None) -> Request:
    """A good order with a bad header."""
    return Request(name, "POST", "/orders", ORDER, status, code, field, {header: value})
