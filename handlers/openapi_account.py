"""The documentation of the routes of lots, performance, profile and preferences."""

from __future__ import annotations

from typing import Final

from handlers.lots import LotJson
from handlers.openapi_doc import LIMIT, PAGE, AsOfMeta, Doc, Example, PageMeta, Query, Symbol, Tag
from handlers.performance import PerformanceJson, PeriodName
from handlers.preferences import PreferencesJson
from handlers.users import ProfileBody, ProfileJson
from server.errors import NotFound

OVER_TIME: Final = {
    "GET /api/v1/portfolio/lots": Doc(
        operation="list_lots",
        summary="The lots that holdings are made of",
        tag=Tag.PORTFOLIO,
        about="What was bought when, at which cost; by symbol, oldest first. Which a sale takes says the account's lot method, or the order.",
        answer=list[LotJson],
        meta=PageMeta,
        query=(Query("symbol", Symbol, "Only lots of this symbol."), PAGE, LIMIT),
        errors=(NotFound,),
        examples=(Example(name="now", summary="Now", given="shares and a bid"),),
    ),
    "GET /api/v1/portfolio/performance": Doc(
        operation="get_performance",
        summary="How the account has done over a period",
        tag=Tag.PORTFOLIO,
        about="Its worth at the end of each day (UTC), and now. What is paid in or out is no gain and no loss.",
        answer=PerformanceJson,
        meta=AsOfMeta,
        query=(Query("period", PeriodName, "How far back.", default="1m"),),
        database=True,
        errors=(NotFound,),
        examples=(Example(name="year", summary="A year", given="shares and a bid", query={"period": "1y"}),),
    ),
}

PROFILE: Final = {
    "PUT /api/v1/users/profile": Doc(
        operation="set_profile",
        summary="Change one's name and telephone number",
        tag=Tag.AUTH,
        about="Replaces both: without `phone` there is none.",
        body=ProfileBody,
        answer=ProfileJson,
        database=True,
        errors=(NotFound,),
        examples=(
            Example(
                name="both",
                summary="A new name and number",
                body={"full_name": "Ada Example", "phone": "+44 20 7946 0958"},
            ),
            Example(
                name="blank",
                summary="Without a name",
                body={"full_name": " "},
                status=400,
                code="BAD_REQUEST",
            ),
        ),
    ),
    "GET /api/v1/users/preferences": Doc(
        operation="get_preferences",
        summary="What the user has set for every device",
        tag=Tag.AUTH,
        about="The defaults until they are set.",
        answer=PreferencesJson,
        database=True,
        examples=(Example(name="me", summary="The caller's"),),
    ),
    "PUT /api/v1/users/preferences": Doc(
        operation="set_preferences",
        summary="Replace the preferences",
        tag=Tag.AUTH,
        about="All of them: what is left out has its default.",
        body=PreferencesJson,
        answer=PreferencesJson,
        database=True,
        examples=(
            Example(
                name="dark",
                summary="A dark theme, and something of the client's own",
                body={"theme": "DARK", "more": {"layout": "three columns"}},
            ),
        ),
    ),
}
