"""The documentation of the routes of public market data, and of those for monitoring."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

from handlers.docs_page import DemoLogin
from handlers.error_table import ErrorRow
from handlers.field_types import PRINTABLE
from handlers.health import ReadyJson
from handlers.market import MarketStatusJson
from handlers.openapi_doc import LIMIT, SYMBOL_PATH, Doc, Example, Query, Tag
from handlers.stocks import (
    DEPTH_DEFAULT,
    DEPTH_MAX,
    INTERVALS,
    QUERY_MAX,
    RANGES_US,
    SEARCH_DEFAULT,
    SEARCH_MAX,
    ChartJson,
    DepthJson,
    FoundJson,
    PublicTradeJson,
    QuoteJson,
    StockJson,
)
from server.errors import NotFound
from server.market_types import Interval

_AAPL: Final = {"symbol": "AAPL"}
_MISSING: Final = Example(
    name="missing",
    summary="A symbol that does not exist",
    path={"symbol": "NOPE"},
    status=404,
    code="NOT_FOUND",
)


def _one_of(values: object) -> Any:
    return Annotated[str, Meta(extra_json_schema={"enum": values})]


STOCKS: Final = {
    "GET /api/v1/stocks/search": Doc(
        operation="search_stocks",
        summary="Find instruments",
        tag=Tag.MARKET,
        about="By symbol, by the words of the name, and with a typo or two; the best first.",
        answer=list[FoundJson],
        query=(
            Query(
                "q",
                Annotated[str, Meta(min_length=1, max_length=QUERY_MAX, pattern=PRINTABLE)],
                "What to look for.",
                required=True,
            ),
            Query(
                "limit",
                Annotated[int, Meta(ge=1, le=SEARCH_MAX)],
                "How many at most.",
                default=SEARCH_DEFAULT,
            ),
        ),
        examples=(Example(name="letters", summary="By its first letters", query={"q": "aa"}),),
    ),
    "GET /api/v1/stocks/{symbol}": Doc(
        operation="get_stock",
        summary="An instrument, and what an order for it has to keep to",
        tag=Tag.MARKET,
        answer=StockJson,
        path=SYMBOL_PATH,
        errors=(NotFound,),
        examples=(Example(name="aapl", summary="AAPL", path=_AAPL), _MISSING),
    ),
    "GET /api/v1/stocks/{symbol}/quote": Doc(
        operation="get_quote",
        summary="The latest quote",
        tag=Tag.MARKET,
        answer=QuoteJson,
        path=SYMBOL_PATH,
        errors=(NotFound,),
        examples=(
            Example(name="aapl", summary="AAPL", given="shares and a bid", path=_AAPL),
            Example(
                name="untraded", summary="Before the first trade prices are null", path={"symbol": "TSLA"}
            ),
            _MISSING,
        ),
    ),
    "GET /api/v1/stocks/{symbol}/depth": Doc(
        operation="get_depth",
        summary="The order book by price",
        tag=Tag.MARKET,
        answer=DepthJson,
        path=SYMBOL_PATH,
        query=(
            Query(
                "levels",
                Annotated[int, Meta(ge=1, le=DEPTH_MAX)],
                "How many prices a side, at most.",
                default=DEPTH_DEFAULT,
            ),
        ),
        errors=(NotFound,),
        examples=(
            Example(
                name="top",
                summary="The best five",
                given="shares and a bid",
                path=_AAPL,
                query={"levels": "5"},
            ),
            _MISSING,
        ),
    ),
    "GET /api/v1/stocks/{symbol}/trades": Doc(
        operation="list_trades",
        summary="Public trades, newest first",
        tag=Tag.MARKET,
        answer=list[PublicTradeJson],
        path=SYMBOL_PATH,
        query=(LIMIT,),
        errors=(NotFound,),
        examples=(
            Example(
                name="few",
                summary="The newest five",
                given="a filled order",
                path=_AAPL,
                query={"limit": "5"},
            ),
            _MISSING,
        ),
    ),
    "GET /api/v1/stocks/{symbol}/chart": Doc(
        operation="get_chart",
        summary="Candles, oldest first",
        tag=Tag.MARKET,
        about="Regular hours only, unless `extended_hours` is true. Intervals without a trade are left out.",
        answer=ChartJson,
        path=SYMBOL_PATH,
        query=(
            Query(
                "interval",
                _one_of(list(INTERVALS)),
                "What one candle covers.",
                default=Interval.MINUTE_1.value,
            ),
            Query("range", _one_of(list(RANGES_US)), "How far back.", default="1d"),
            Query("extended_hours", bool, "With what was traded outside of regular hours.", default=False),
        ),
        errors=(NotFound,),
        examples=(
            Example(
                name="week",
                summary="A week by the hour",
                given="a filled order",
                path=_AAPL,
                query={"interval": "1h", "range": "1w"},
            ),
            _MISSING,
        ),
    ),
    "GET /api/v1/market/status": Doc(
        operation="get_market_status",
        summary="Whether the market is open",
        tag=Tag.MARKET,
        answer=MarketStatusJson,
        examples=(Example(name="now", summary="Now"),),
    ),
}

SYSTEM: Final = {
    "GET /healthz": Doc(
        operation="get_health",
        summary="The loop turns",
        tag=Tag.SYSTEM,
        answer=dict[str, str],
        envelope=False,
        examples=(Example(name="now", summary="Now"),),
    ),
    "GET /readyz": Doc(
        operation="get_readiness",
        summary="Whether commands are taken",
        tag=Tag.SYSTEM,
        answer=ReadyJson,
        other_statuses={503: "No commands are taken now; the same shape."},
        envelope=False,
        examples=(Example(name="now", summary="Now"),),
    ),
    "GET /metrics": Doc(
        operation="get_metrics",
        summary="Counters in the Prometheus text format",
        tag=Tag.SYSTEM,
        media_type="text/plain",
        envelope=False,
        examples=(Example(name="now", summary="Now"),),
    ),
    "GET /api/v1/errors": Doc(
        operation="list_errors",
        summary="Every error code",
        tag=Tag.SYSTEM,
        about="Code, HTTP status, meaning, and whether the same call may work later.",
        answer=list[ErrorRow],
        conditional=True,
        examples=(Example(name="all", summary="All"),),
    ),
    "GET /openapi.json": Doc(
        operation="get_openapi",
        summary="This document",
        tag=Tag.SYSTEM,
        answer=dict[str, Any],
        envelope=False,
        conditional=True,
        examples=(Example(name="all", summary="All"),),
    ),
    "GET /asyncapi.json": Doc(
        operation="get_asyncapi",
        summary="The messages of the WebSocket, as an AsyncAPI document",
        tag=Tag.SYSTEM,
        answer=dict[str, Any],
        envelope=False,
        conditional=True,
        examples=(Example(name="all", summary="All"),),
    ),
    "GET /kerb.proto": Doc(
        operation="get_proto",
        summary="The binary messages of the WebSocket, as a protobuf schema",
        tag=Tag.SYSTEM,
        about="Of the subprotocol `kerb.v1.proto`; its head says how a member follows from the one in JSON.",
        media_type="text/plain",
        envelope=False,
        conditional=True,
        examples=(Example(name="all", summary="All"),),
    ),
    "GET /docs": Doc(
        operation="get_docs",
        summary="A page to read this document, and to try it",
        tag=Tag.SYSTEM,
        media_type="text/html",
        envelope=False,
        conditional=True,
        examples=(Example(name="page", summary="The page"),),
    ),
    "GET /docs/docs.js": Doc(
        operation="get_docs_script",
        summary="The script of the page",
        tag=Tag.SYSTEM,
        media_type="text/javascript",
        envelope=False,
        conditional=True,
        examples=(Example(name="script", summary="The script"),),
    ),
    "GET /docs/docs.css": Doc(
        operation="get_docs_style",
        summary="The style of the page",
        tag=Tag.SYSTEM,
        media_type="text/css",
        envelope=False,
        conditional=True,
        examples=(Example(name="style", summary="The style"),),
    ),
    "GET /docs/icon.svg": Doc(
        operation="get_docs_icon",
        summary="The icon of the page",
        tag=Tag.SYSTEM,
        media_type="image/svg+xml",
        envelope=False,
        conditional=True,
        examples=(Example(name="icon", summary="The icon"),),
    ),
    "GET /docs/demo.json": Doc(
        operation="get_demo_login",
        summary="How to sign in to a demo; nothing anywhere else",
        tag=Tag.SYSTEM,
        answer=DemoLogin,
        envelope=False,
        conditional=True,
        examples=(Example(name="login", summary="The login"),),
    ),
}
