"""The documentation of the route of settlements."""

from __future__ import annotations

from typing import Final

from handlers.openapi_doc import LIMIT, ORDER_CURSOR, Doc, Example, PageMeta, Query, Tag
from handlers.settlements import SettlementJson
from server.settlements import Status

SETTLEMENTS: Final = {
    "GET /api/v1/portfolio/settlements": Doc(
        operation="list_settlements",
        summary="What settles when",
        tag=Tag.PORTFOLIO,
        about="A record for each trade that settles on a later day, newest first (US markets: the next business day). Cash from a sale "
        "can buy at once and be withdrawn after settlement: `unsettled` and `withdrawable` of the balance. Where trades settle at once there "
        "are no records.",
        answer=list[SettlementJson],
        meta=PageMeta,
        query=(
            Query("status", Status, "Only those of this status."),
            ORDER_CURSOR,
            LIMIT,
        ),
        database=True,
        examples=(
            Example(name="all", summary="The newest fifty"),
            Example(name="pending", summary="What is still to settle", query={"status": "PENDING"}),
            Example(
                name="unknown",
                summary="No such status",
                query={"status": "LATE"},
                status=400,
                code="BAD_REQUEST",
            ),
        ),
    ),
}
