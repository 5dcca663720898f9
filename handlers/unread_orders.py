"""Refuses orders under overload without reading them: their bytes are looked at for no more than where they end.

A refusal has to cost a tenth of an order, or refusing takes what accepting needs. Whatever is not the plainest of calls goes the
usual way, and is refused there in the same words.
"""

from __future__ import annotations

import secrets
import time
from itertools import count
from typing import Final

from handlers.envelope import failure
from handlers.whole_response import whole_answer
from server.errors import Overloaded

ORDER_LINE: Final = b"POST /api/v1/orders HTTP/1.1\r\n"

_NOT_PLAIN: Final = (
    *(b"rigin:", b"lose", b"xpect:", b"pgrade:", b"ransfer-E", b"ransfer-e", b"ontent-E", b"ontent-e"),
    *(b"equest-I", b"equest-i"),
)
"""Origin, Connection: close, Expect, Upgrade, an encoding, an id of the client's own: somewhere in the head."""

_HEADS_MAX: Final = 2_048
_HEAD_MAX_BYTES: Final = 1_024
_plain_heads: dict[bytes, int] = {}
"""Head of a plain call → the length of its body. A client says the same again and again, and looking at a head takes longer than all
else that is done here.
"""

_ID_LENGTH: Final = 17
_PREFIX: Final = secrets.token_hex(4).encode()
_numbers = count(1)


class _Template:
    """The answer of this second, cut where the request's id stands in it."""

    __slots__ = ("parts", "second")

    def __init__(self) -> None:
        self.second = 0
        self.parts: list[bytes] = []

    def cut(self, second: int) -> None:
        mark = "#" * _ID_LENGTH
        answer = failure(Overloaded(), mark)
        more = "".join(f"{name}: {value}\r\n" for name, value in (answer.headers or {}).items())
        whole = whole_answer(
            answer.status, answer.body, answer.content_type, f"X-Request-ID: {mark}\r\n{more}"
        )
        self.parts = whole.split(mark.encode())
        self.second = second


_template = _Template()


def refusal_unread(data: bytes) -> bytes | None:
    """The answer to one whole plain call to ORDER_LINE, and nothing behind it; None when it has to be read."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[: end + 4]
    length = _plain_heads.get(head)
    if length is None:
        length = _length_in(head)
        if length is None:
            return None
        if len(_plain_heads) >= _HEADS_MAX:
            _plain_heads.clear()
        if len(head) <= _HEAD_MAX_BYTES:
            _plain_heads[head] = length
    if len(head) + length != len(data):
        return None
    second = int(time.time())
    if second != _template.second:
        _template.cut(second)
    return (b"%b-%08x" % (_PREFIX, next(_numbers) & 0xFFFFFFFF)).join(_template.parts)


def _length_in(head: bytes) -> int | None:
    """The length of the body that a head tells of; None where the call is not plain."""
    at = head.find(b"ontent-Length:")
    if at < 0:
        at = head.find(b"ontent-length:")
    if at < 0 or any(sign in head for sign in _NOT_PLAIN):
        return None
    try:
        return int(head[at + 14 : head.index(b"\r", at)])
    except ValueError:
        return None
