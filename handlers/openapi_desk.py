"""The documentation of the operators' desk: orders and users, limits and fees, adjustments, the audit."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from engine.refusals import Refusal
from handlers.admin_adjustments import AdjustmentBody, AdjustmentId, AdjustmentJson, StatusName
from handlers.admin_audit import AuditJson
from handlers.admin_desk import SearchText, UserJson
from handlers.admin_risk import FeesBody, FeesJson, LimitsBody, LimitsJson
from handlers.field_types import AccountId, UserId
from handlers.openapi_doc import LIMIT, PAGE, SYMBOL, AsOfMeta, Doc, Example, PageMeta, Query, Symbol, Tag
from handlers.openapi_order import OrderJson
from handlers.openapi_trading import STATUS
from server.errors import Conflict, NotFound, Overloaded, ReadOnly, ShuttingDown


class OperatorOrderJson(OrderJson, frozen=True, kw_only=True):
    """An order, and whose it is."""

    account_id: AccountId
    user_id: UserId


class ListMeta(Struct, frozen=True, omit_defaults=True):
    """How a list goes on: `next_cursor` is left out at the end."""

    limit: int
    next_cursor: str | None = None


CURSOR: Final = Query(
    "cursor", Annotated[str, Meta(pattern="^[0-9]{1,19}$")], "`meta.next_cursor` of the page before."
)
_USER: Final = Query("user_id", UserId, "Only this user's.")
_UNTIL_START: Final = "In force at once and until the next start, when config decides again."
_ADJUSTMENT: Final = {"adjustment_id": AdjustmentId}
_MISSING: Final = Example(
    name="missing",
    summary="An adjustment that does not exist",
    path={"adjustment_id": "adj_99999"},
    status=404,
    code="NOT_FOUND",
)


def _decision(operation: str, summary: str, about: str, *, posts: bool) -> Doc:
    return Doc(
        operation=operation,
        summary=summary,
        tag=Tag.ADMIN,
        about=about,
        answer=AdjustmentJson,
        path=_ADJUSTMENT,
        keyed=True,
        database=True,
        errors=(NotFound, Conflict, *((Overloaded, ReadOnly, ShuttingDown) if posts else ())),
        examples=(
            Example(
                name="another",
                summary="What another operator has proposed",
                given="a proposal of another operator",
                path={"adjustment_id": "adj_1"},
            ),
            _MISSING,
        ),
    )


DESK: Final[dict[str, Any]] = {
    "GET /api/v1/admin/orders": Doc(
        operation="list_everybodys_orders",
        summary="Everybody's orders",
        tag=Tag.ADMIN,
        about="Newest first, each as its owner sees it, with the owner.",
        answer=list[OperatorOrderJson],
        meta=PageMeta,
        query=(
            Query("account_id", AccountId, "Only this account's."),
            _USER,
            SYMBOL,
            STATUS,
            CURSOR,
            LIMIT,
        ),
        database=True,
        errors=(NotFound,),
        examples=(Example(name="open", summary="Open orders", query={"status": "PENDING,PARTIAL"}),),
    ),
    "GET /api/v1/admin/users": Doc(
        operation="list_users",
        summary="Users",
        tag=Tag.ADMIN,
        about="Those whose address or name contains the text, by id, with their accounts.",
        answer=list[UserJson],
        meta=PageMeta,
        query=(Query("q", SearchText, "What to look for."), PAGE, LIMIT),
        database=True,
        examples=(Example(name="search", summary="By a part of the address", query={"q": "example.com"}),),
    ),
    "GET /api/v1/admin/limits": Doc(
        operation="get_limits",
        summary="The risk limits in force",
        tag=Tag.ADMIN,
        answer=LimitsJson,
        meta=AsOfMeta,
        examples=(Example(name="now", summary="Now"),),
    ),
    "PUT /api/v1/admin/limits": Doc(
        operation="set_limits",
        summary="Change the risk limits",
        tag=Tag.ADMIN,
        about=_UNTIL_START,
        body=LimitsBody,
        answer=LimitsJson,
        meta=AsOfMeta,
        command=True,
        refusals=(
            Refusal.INVALID_LIMITS,
            Refusal.INVALID_AMOUNT,
            Refusal.INVALID_QUANTITY,
            Refusal.INVALID_LOT_SIZE,
        ),
        examples=(
            Example(
                name="tighter",
                summary="Smaller orders",
                body={
                    "order_quantity_max": 100_000,
                    "order_value_max": "1000000.00",
                    "open_orders_max": 500,
                    "market_collar_bps": 300,
                },
            ),
            Example(
                name="nothing",
                summary="A limit of nothing",
                body={
                    "order_quantity_max": 0,
                    "order_value_max": 1,
                    "open_orders_max": 500,
                    "market_collar_bps": 300,
                },
                status=422,
                code="INVALID_LIMITS",
            ),
        ),
    ),
    "GET /api/v1/admin/fees": Doc(
        operation="list_fees",
        summary="The fee schedules in force",
        tag=Tag.ADMIN,
        answer=list[FeesJson],
        meta=AsOfMeta,
        examples=(Example(name="now", summary="Now"),),
    ),
    "PUT /api/v1/admin/fees/{schedule}": Doc(
        operation="set_fees",
        summary="Change a fee schedule",
        tag=Tag.ADMIN,
        about=f"For orders from now on; those that were accepted keep their rates. {_UNTIL_START}",
        body=FeesBody,
        answer=FeesJson,
        meta=AsOfMeta,
        path={"schedule": Symbol},
        command=True,
        refusals=(Refusal.INVALID_LIMITS,),
        errors=(NotFound,),
        examples=(
            Example(
                name="cheaper",
                summary="A twentieth of a percent for takers",
                path={"schedule": "standard"},
                body={"maker_ppm": 0, "taker_ppm": 500},
            ),
            Example(
                name="missing",
                summary="A schedule that does not exist",
                path={"schedule": "none"},
                body={"maker_ppm": 0, "taker_ppm": 500},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "GET /api/v1/admin/adjustments": Doc(
        operation="list_adjustments",
        summary="Cash adjustments",
        tag=Tag.ADMIN,
        about="Newest first.",
        answer=list[AdjustmentJson],
        meta=ListMeta,
        query=(Query("status", StatusName, "Only those that stand so."), CURSOR, LIMIT),
        database=True,
        examples=(
            Example(name="waiting", summary="What waits for a decision", query={"status": "PROPOSED"}),
        ),
    ),
    "POST /api/v1/admin/adjustments": Doc(
        operation="propose_adjustment",
        summary="Propose to give cash to an account, or to take it",
        tag=Tag.ADMIN,
        about="Nothing moves before another operator approves.",
        body=AdjustmentBody,
        answer=AdjustmentJson,
        status=201,
        keyed=True,
        database=True,
        refusals=(Refusal.INVALID_AMOUNT,),
        errors=(NotFound,),
        examples=(
            Example(
                name="missing",
                summary="For a user who does not exist",
                body={"user_id": "usr_9", "amount": "12.50", "reason": "a fee that was charged twice"},
                status=404,
                code="NOT_FOUND",
            ),
            Example(
                name="back",
                summary="A fee is given back",
                body={"user_id": "usr_1000", "amount": "12.50", "reason": "a fee that was charged twice"},
            ),
        ),
    ),
    "POST /api/v1/admin/adjustments/{adjustment_id}/approve": _decision(
        "approve_adjustment",
        "Approve what another operator has proposed",
        "It is posted at once, or REFUSED by the engine, which `outcome` says. Repeated, it goes on where it was cut off.",
        posts=True,
    ),
    "POST /api/v1/admin/adjustments/{adjustment_id}/reject": _decision(
        "reject_adjustment", "Turn down what another operator has proposed", "Nothing moves.", posts=False
    ),
    "GET /api/v1/admin/audit": Doc(
        operation="list_audit",
        summary="What operators did",
        tag=Tag.ADMIN,
        about="Every change that was asked for, whatever came of it; newest first. Rows are only ever added.",
        answer=list[AuditJson],
        meta=ListMeta,
        query=(_USER, CURSOR, LIMIT),
        database=True,
        errors=(NotFound,),
        examples=(Example(name="all", summary="By all of them"),),
    ),
}
