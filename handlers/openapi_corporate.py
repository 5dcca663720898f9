"""The documentation of corporate actions and dividends."""

from __future__ import annotations

from typing import Any, Final

from engine.refusals import Refusal
from handlers.corporate_body import ActionId, ActionStatusName, CorporateActionBody, CorporateActionJson
from handlers.dividends import DividendJson
from handlers.openapi_desk import CURSOR, ListMeta
from handlers.openapi_doc import (
    LIMIT,
    ORDER_CURSOR,
    Doc,
    Example,
    PageMeta,
    Query,
    Symbol,
    Tag,
    time_query,
)
from server.errors import Conflict, NotFound, Overloaded, ReadOnly, ShuttingDown

_DIVIDEND: Final = {
    "type": "CASH_DIVIDEND",
    "stock_symbol": "AAPL",
    "amount_per_share": "0.24",
    "record_at": "2099-02-09T21:00:00Z",
    "payment_at": "2099-02-15T14:00:00Z",
    "reason": "first quarter",
}


_SPLIT: Final = {
    "type": "SPLIT",
    "stock_symbol": "AAPL",
    "new_shares": 2,
    "old_shares": 1,
    "effective_at": "2099-06-10T06:00:00Z",
    "reason": "two for one",
}


def _decision(operation: str, summary: str, about: str, *, declares: bool) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.ADMIN,
        about=about,
        answer=CorporateActionJson,
        path={"action_id": ActionId},
        keyed=True,
        database=True,
        errors=(NotFound, Conflict, *((Overloaded, ReadOnly, ShuttingDown) if declares else ())),
        examples=(
            Example(
                name="another",
                summary="What another operator has proposed",
                given="a dividend that another operator has proposed",
                path={"action_id": "div_1"},
            ),
            Example(
                name="missing",
                summary="A proposal that does not exist",
                path={"action_id": "div_99999"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    )


CORPORATE: Final[dict[str, Any]] = {
    "GET /api/v1/portfolio/dividends": Doc(
        operation="list_dividends",
        summary="What shares have paid",
        tag=Tag.PORTFOLIO,
        about="Newest first. What is recorded and still to be paid stands on top of the first page, RECORDED.",
        answer=list[DividendJson],
        meta=PageMeta,
        query=(
            Query("symbol", Symbol, "Only those of this symbol."),
            time_query("from_date", "Paid at this time or later; a date begins at midnight UTC."),
            time_query("to_date", "Paid before this time; a date includes its day."),
            ORDER_CURSOR,
            LIMIT,
        ),
        database=True,
        examples=(Example(name="all", summary="The newest fifty", given="a deposit"),),
    ),
    "POST /api/v1/admin/corporate-actions": Doc(
        operation="propose_corporate_action",
        summary="Propose a corporate action",
        tag=Tag.ADMIN,
        about="A cash dividend: whoever has shares at `record_at` is paid at `payment_at`. At the record time open GTC and GTD "
        "orders to buy at a limit, and stop orders to sell, come down by it, unless they say `do_not_reduce`. A split: every account "
        "gets `new_shares` for `old_shares` at `effective_at`, a whole minute, and cash for what is no whole lot; with more new shares "
        "than old GTC and GTD orders are adjusted, all others are cancelled. A symbol change: shares and orders go on under `new_symbol`. "
        "A delisting: all orders are cancelled, holders keep what they have. A merger: cash, or shares of another instrument, or both "
        "for every share; the instrument is delisted. Members of another type are refused. Nothing happens "
        "before another operator approves.",
        body=CorporateActionBody,
        answer=CorporateActionJson,
        status=201,
        keyed=True,
        database=True,
        refusals=(Refusal.INVALID_AMOUNT, Refusal.INVALID_ACTION),
        errors=(NotFound,),
        examples=(
            Example(name="dividend", summary="A quarterly dividend", body=_DIVIDEND),
            Example(name="split", summary="Two new shares for one", body=_SPLIT),
            Example(
                name="symbol_change",
                summary="Another symbol",
                body={name: _SPLIT[name] for name in ("stock_symbol", "effective_at")}
                | {"type": "SYMBOL_CHANGE", "new_symbol": "AAPLX", "reason": "a new name"},
            ),
            Example(
                name="merger",
                summary="Shares and cash",
                body=_SPLIT
                | {
                    "type": "MERGER",
                    "new_symbol": "MSFT",
                    "cash_per_share": "12.5",
                    "reason": "taken over",
                },
            ),
            Example(
                name="half",
                summary="A split that does not say how many old shares",
                body={name: value for name, value in _SPLIT.items() if name != "old_shares"},
                status=422,
                code="INVALID_ACTION",
            ),
            Example(
                name="backwards",
                summary="Paid before it is recorded",
                body=_DIVIDEND | {"payment_at": "2099-02-01T14:00:00Z"},
                status=422,
                code="INVALID_ACTION",
            ),
        ),
    ),
    "GET /api/v1/admin/corporate-actions": Doc(
        operation="list_corporate_actions",
        summary="Corporate actions",
        tag=Tag.ADMIN,
        about="Newest first.",
        answer=list[CorporateActionJson],
        meta=ListMeta,
        query=(Query("status", ActionStatusName, "Only those."), CURSOR, LIMIT),
        database=True,
        examples=(Example(name="open", summary="Undecided ones", query={"status": "PROPOSED"}),),
    ),
    "POST /api/v1/admin/corporate-actions/{action_id}/approve": _decision(
        "approve_corporate_action",
        "Approve a corporate action",
        "By another operator than proposed it. The engine takes it on at once, or refuses; it happens at its times.",
        declares=True,
    ),
    "POST /api/v1/admin/corporate-actions/{action_id}/reject": _decision(
        "reject_corporate_action", "Reject a corporate action", "By another operator.", declares=False
    ),
}
