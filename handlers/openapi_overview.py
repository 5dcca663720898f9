"""The documentation of the routes of the whole market: movers, indices, calendars."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from handlers.calendar import NAME_MAX, CalendarJson
from handlers.field_types import PRINTABLE
from handlers.indices import IndexJson
from handlers.movers import MOVERS_DEFAULT, MOVERS_MAX, MoverJson
from handlers.openapi_doc import Doc, Example, Query, Tag, time_query
from server.errors import NotFound

_LIMIT: Final = Query(
    "limit", Annotated[int, Meta(ge=1, le=MOVERS_MAX)], "How many at most.", default=MOVERS_DEFAULT
)


def _movers(operation: str, summary: str) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.MARKET,
        answer=list[MoverJson],
        query=(_LIMIT,),
        examples=(
            Example(name="now", summary="Now", given="shares and a bid"),
            Example(name="three", summary="Three", query={"limit": "3"}),
        ),
    )


OVERVIEW: Final = {
    "GET /api/v1/market/top-gainers": _movers("list_top_gainers", "What has risen most today"),
    "GET /api/v1/market/top-losers": _movers("list_top_losers", "What has fallen most today"),
    "GET /api/v1/market/most-active": _movers("list_most_active", "What was traded most today"),
    "GET /api/v1/market/indices": Doc(
        operation="list_indices",
        summary="Market indices, at the last prices",
        tag=Tag.MARKET,
        answer=list[IndexJson],
        examples=(Example(name="now", summary="Now"),),
    ),
    "GET /api/v1/market/calendar": Doc(
        operation="list_sessions_of_calendars",
        summary="When the market is open",
        tag=Tag.MARKET,
        about="Sessions that touch the span from `from` to `to`: by default the next 30 days, at most 366.",
        answer=list[CalendarJson],
        query=(
            time_query("from", "The beginning; a date begins at midnight UTC."),
            time_query("to", "The end, after the beginning; a date includes its day."),
            Query(
                "calendar",
                Annotated[str, Meta(min_length=1, max_length=NAME_MAX, pattern=PRINTABLE)],
                "Only this calendar.",
            ),
        ),
        errors=(NotFound,),
        examples=(
            Example(name="next", summary="The next 30 days"),
            Example(name="week", summary="A week", query={"from": "2023-11-13", "to": "2023-11-17"}),
            Example(
                name="missing",
                summary="A calendar that does not exist",
                query={"calendar": "NOPE"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
}
