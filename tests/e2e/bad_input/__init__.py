"""What clients get wrong, as one table: a request, a message or bytes, and the answer that API.md promises for it.

Three lists, as there are three ways to be wrong: REQUESTS over HTTP, MESSAGES over a WebSocket, and WIRE, which is no
HTTP. tests/e2e/test_bad_input.py sends them to a running server, in order; a row that needs another before it says so.
"""

from __future__ import annotations

from typing import Final

from tests.e2e.bad_input.orders import ORDERS
from tests.e2e.bad_input.others import OTHERS
from tests.e2e.bad_input.rows import Message, Request
from tests.e2e.bad_input.streams import MESSAGES, WIRE
from tests.e2e.bad_input.terms import TERMS

REQUESTS: Final = [*ORDERS, *TERMS, *OTHERS]

__all__ = ["MESSAGES", "REQUESTS", "WIRE", "Message", "Request"]
