"""The documentation of trade busts."""

from __future__ import annotations

from typing import Any, Final

from handlers.admin_busts import BustBody, BustId, BustJson, BustStatusName
from handlers.field_types import ExecutionId
from handlers.openapi_desk import CURSOR, ListMeta
from handlers.openapi_doc import LIMIT, Doc, Example, Query, Tag
from server.errors import Conflict, NotFound, Overloaded, ReadOnly, ShuttingDown

_REASON: Final = {"reason": "an order with a price that nobody could have meant"}


def _decision(operation: str, summary: str, about: str, *, busts: bool) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.ADMIN,
        about=about,
        answer=BustJson,
        path={"bust_id": BustId},
        keyed=True,
        database=True,
        errors=(NotFound, Conflict, *((Overloaded, ReadOnly, ShuttingDown) if busts else ())),
        examples=(
            Example(
                name="another",
                summary="What another operator has proposed",
                given="a bust that another operator has proposed",
                path={"bust_id": "bst_1"},
            ),
            Example(
                name="missing",
                summary="A proposal that does not exist",
                path={"bust_id": "bst_99999"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    )


BUSTS: Final[dict[str, Any]] = {
    "POST /api/v1/admin/trades/{execution_id}/bust": Doc(
        operation="propose_bust",
        summary="Propose to take a trade back",
        tag=Tag.ADMIN,
        about="The id is the execution of either side. Nothing moves before another operator approves. Then cash, fees, "
        "units and lots of both sides go back in one transaction; the orders stay as they were, and what they had filled "
        "does not come back into the book. The executions say `busted`.",
        body=BustBody,
        answer=BustJson,
        status=201,
        path={"execution_id": ExecutionId},
        keyed=True,
        database=True,
        errors=(NotFound, Conflict),
        examples=(
            Example(
                name="trade",
                summary="Somebody's trade",
                given="a trade",
                path={"execution_id": "exe_1"},
                body=_REASON,
            ),
            Example(
                name="missing",
                summary="A trade that does not exist",
                path={"execution_id": "exe_99999"},
                body=_REASON,
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "GET /api/v1/admin/busts": Doc(
        operation="list_busts",
        summary="Trade busts",
        tag=Tag.ADMIN,
        about="Newest first.",
        answer=list[BustJson],
        meta=ListMeta,
        query=(Query("status", BustStatusName, "Only those that stand so."), CURSOR, LIMIT),
        database=True,
        examples=(
            Example(name="waiting", summary="What waits for a decision", query={"status": "PROPOSED"}),
        ),
    ),
    "POST /api/v1/admin/busts/{bust_id}/approve": _decision(
        "approve_bust",
        "Approve a bust that another operator has proposed",
        "It is carried out at once, or REFUSED by the engine, which `outcome` says: BUYER_LACKS_SHARES, "
        "SELLER_LACKS_FUNDS, TRADE_TOO_OLD (a week), TRADE_BUSTED. Repeated, it goes on where it was cut off.",
        busts=True,
    ),
    "POST /api/v1/admin/busts/{bust_id}/reject": _decision(
        "reject_bust", "Turn down a bust that another operator has proposed", "Nothing moves.", busts=False
    ),
}
