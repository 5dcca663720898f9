"""What the OpenAPI document says of a route, as a typed declaration: one `Doc` a row of the route table.

What follows from the row itself (who may call, limits, the errors of a body or of credentials) is not repeated here;
handlers/openapi.py derives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from engine.refusals import Refusal
from handlers.field_types import PRINTABLE
from handlers.request_input import LIMIT_DEFAULT, LIMIT_MAX, PAGE_MAX
from server.errors import KerbError

SYMBOL_MAX: Final = 32

Symbol = Annotated[str, Meta(min_length=1, max_length=SYMBOL_MAX, pattern=PRINTABLE)]


class Tag(Enum):
    """The parts of the contract, and what each is for."""

    ORDERS = "Placing, replacing, cancelling and reading orders."
    WALLET = "Cash: balance, deposits, withdrawals, the statement."
    PORTFOLIO = "What is held, what it is worth, what it has brought."
    NOTIFICATIONS = "What the user has been told, and what of it was read."
    PARKING = "Car parks: what is free, what it costs, vehicles and their tags."
    MARKET = "Instruments and their public market data."
    AUTH = "Users and sessions."
    ADMIN = "What an operator can stop."
    DIALECTS = "The same orders and money in the words of other documents."
    SYSTEM = "For monitoring, and the documents of the contract."

    @property
    def title(self) -> str:
        """The name in the document."""
        return self.name.title()


class Query(Struct, frozen=True):
    """A query parameter: its type with its bounds, and what it is for."""

    name: str
    type: Any
    about: str
    default: Any = None
    required: bool = False


class Example(Struct, frozen=True, kw_only=True):
    """A call as somebody would make it, run as a test. `status` 0 is the route's own.

    `given` names the state of the world that the call needs, and that the test prepares: it gives parts of the path
    their real values, and may stand for the caller.
    """

    name: str
    summary: str
    given: str = ""
    path: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    body: Any = None
    status: int = 0
    code: str = ""


class Link(Struct, frozen=True):
    """Where an answer leads to: `value` (a JSON pointer into its body) is `parameter` of another operation."""

    operation: str
    parameter: str
    value: str


class AsOfMeta(Struct, frozen=True):
    """`as_of_seq` is the journal sequence that the data belongs to."""

    as_of_seq: int


class PageMeta(Struct, frozen=True, omit_defaults=True):
    """As of which journal sequence, and how to go on: by `page`, or by `next_cursor`, which is left out at the end."""

    as_of_seq: int
    limit: int
    page: int | None = None
    total: int | None = None
    next_cursor: str | None = None


class Doc(Struct, frozen=True, kw_only=True):
    """A route for its readers. `operation` names it in clients that are generated.

    `answer` is the type of `data` (of the whole answer when not `envelope`), None for one that is no JSON, `headers` what it may
    have beside the common ones, `asked_headers` what the call has; `other_media_types` are what a client may ask for instead. `command`: it gives the
    engine a command, which takes an idempotency key; `keyed`: it takes one all the same. `refusals` and `errors` are those
    that the row itself does not imply.
    """

    operation: str
    summary: str
    tag: Tag
    examples: tuple[Example, ...]
    about: str = ""
    answer: Any = None
    status: int = 200
    other_statuses: Mapping[int, str] = {}
    meta: type[Struct] | None = None
    envelope: bool = True
    media_type: str = "application/json"
    other_media_types: tuple[str, ...] = ()
    body: type[Struct] | None = None
    body_optional: bool = False
    query: tuple[Query, ...] = ()
    headers: Mapping[str, str] = {}
    asked_headers: tuple[Query, ...] = ()
    path: Mapping[str, Any] = {}
    command: bool = False
    keyed: bool = False
    database: bool = False
    in_path: bool = False
    conditional: bool = False
    refusals: tuple[Refusal, ...] = ()
    errors: tuple[type[KerbError], ...] = ()
    links: tuple[Link, ...] = ()


def missing(summary: str, path: Mapping[str, str], code: str = "NOT_FOUND", *, body: Any = None) -> Example:
    """A call for something that is not there: 404."""
    return Example(name="missing", summary=summary, path=path, body=body, status=404, code=code)


def time_query(name: str, about: str) -> Query:
    """A parameter that is a date or a time."""
    form = {"anyOf": [{"format": "date"}, {"format": "date-time"}]}
    return Query(name, Annotated[str, Meta(extra_json_schema=form)], about)


def _cursor(form: str) -> Query:
    return Query(
        "cursor", Annotated[str, Meta(pattern=f"^{form}$")], "`meta.next_cursor` of the page before."
    )


LIMIT: Final = Query(
    "limit", Annotated[int, Meta(ge=1, le=LIMIT_MAX)], "How many at most.", default=LIMIT_DEFAULT
)
PAGE: Final = Query(
    "page",
    Annotated[int, Meta(ge=1, le=PAGE_MAX)],
    "Which page, from 1. Only the first 10 000 items can be reached by page; follow `meta.next_cursor` beyond.",
    default=1,
)
ORDER_CURSOR: Final = _cursor("[0-9]{1,19}")
ENTRY_CURSOR: Final = _cursor("[0-9]{1,19}-[0-9]{1,4}")
SYMBOL: Final = Query("symbol", Symbol, "Only orders for this symbol.")
SYMBOL_PATH: Final = {"symbol": Symbol}
