"""The documentation of the routes of lot methods and realised gains."""

from __future__ import annotations

from typing import Final, Literal

from engine.refusals import Refusal
from handlers.csv_text import CSV
from handlers.lot_method import LotMethodJson
from handlers.openapi_doc import (
    ENTRY_CURSOR,
    LIMIT,
    AsOfMeta,
    Doc,
    Example,
    PageMeta,
    Query,
    Symbol,
    Tag,
    time_query,
)
from handlers.realized_gains import RealizedGainsJson
from server.errors import NotFound

GAINS: Final = {
    "GET /api/v1/portfolio/lots/method": Doc(
        operation="get_lot_method",
        summary="Which lots a sale takes",
        tag=Tag.PORTFOLIO,
        about="FIFO until another is set.",
        answer=LotMethodJson,
        meta=AsOfMeta,
        errors=(NotFound,),
        examples=(Example(name="mine", summary="The account's method"),),
    ),
    "PUT /api/v1/portfolio/lots/method": Doc(
        operation="set_lot_method",
        summary="Set which lots a sale takes",
        tag=Tag.PORTFOLIO,
        about="From now on, for open orders too; an order's own `lot_method` comes first. After AVERAGE the lots keep their "
        "average cost.",
        body=LotMethodJson,
        answer=LotMethodJson,
        meta=AsOfMeta,
        command=True,
        refusals=(Refusal.ACCOUNT_NOT_FOUND, Refusal.ACCOUNT_DISABLED, Refusal.INVALID_TERMS),
        examples=(
            Example(name="dearest", summary="Those that cost most first", body={"lot_method": "HIFO"}),
            Example(
                name="named",
                summary="Naming lots is for single orders",
                body={"lot_method": "SPECIFIC"},
                status=400,
                code="BAD_REQUEST",
            ),
        ),
    ),
    "GET /api/v1/portfolio/realized-gains": Doc(
        operation="list_realized_gains",
        summary="What sales have realised, lot by lot",
        tag=Tag.PORTFOLIO,
        about="Newest first, with totals of all that is asked for. Short term is up to a year, by dates in UTC. Wash sales (IRS "
        "Publication 550) are marked: what of a loss is disallowed, and which lot carries it; the ledger's cost stays as it is. As "
        "CSV (`format=csv`, or `Accept: text/csv`) in one piece of at most 10 000 rows.",
        answer=RealizedGainsJson,
        meta=PageMeta,
        other_media_types=(CSV,),
        headers={"Content-Disposition": "a file name, of CSV"},
        query=(
            Query("symbol", Symbol, "Only sales of this symbol."),
            time_query("from_date", "Sold at this time or later; a date begins at midnight UTC."),
            time_query("to_date", "Sold before this time; a date includes its day."),
            Query("format", Literal["json", "csv"], "CSV gives all rows at once.", default="json"),
            ENTRY_CURSOR,
            LIMIT,
        ),
        database=True,
        examples=(
            Example(name="all", summary="The newest fifty", given="a filled order"),
            Example(
                name="year",
                summary="A year as CSV",
                given="a filled order",
                query={"from_date": "2023-01-01", "to_date": "2023-12-31", "format": "csv"},
            ),
            Example(
                name="backwards",
                summary="Ends before it begins",
                query={"from_date": "2024-02-01", "to_date": "2024-01-01"},
                status=400,
                code="BAD_REQUEST",
            ),
        ),
    ),
}
