"""The documentation of the risk desk: rules and exceptions, violations and reviews, linked accounts, KYC tiers."""

from __future__ import annotations

from typing import Any, Final

from engine.refusals import Refusal
from handlers.admin_customers import LinkBody, LinkJson, TierBody, TierJson
from handlers.admin_risk_rules import ExceptionBody, ExceptionJson, RuleBody, RuleJson
from handlers.admin_violations import ReviewBody, RuleQuery
from handlers.field_types import AccountId, UserId
from handlers.openapi_desk import CURSOR
from handlers.openapi_doc import LIMIT, AsOfMeta, Doc, Example, PageMeta, Query, Symbol, Tag
from handlers.violation_json import ReviewedJson, ReviewStatusName, RiskRuleName, ViolationId
from server.errors import Conflict, NotFound

_RULE: Final = {"rule": RiskRuleName}
_USER: Final = {"user_id": UserId}
_FIGURE_REFUSALS: Final = (
    Refusal.INVALID_RISK_RULE,
    Refusal.INVALID_AMOUNT,
    Refusal.INVALID_QUANTITY,
    Refusal.INVALID_LOT_SIZE,
)


def _missing_user(body: dict[str, Any]) -> Example:
    return Example(
        name="missing",
        summary="A user who does not exist",
        path={"user_id": "usr_9"},
        body=body,
        status=404,
        code="NOT_FOUND",
    )


RISK: Final[dict[str, Any]] = {
    "GET /api/v1/admin/risk/rules": Doc(
        operation="list_risk_rules",
        summary="The risk rules in force",
        tag=Tag.ADMIN,
        about="In the order in which they are judged.",
        answer=list[RuleJson],
        meta=AsOfMeta,
        examples=(Example(name="now", summary="Now"),),
    ),
    "PUT /api/v1/admin/risk/rules/{rule}": Doc(
        operation="set_risk_rule",
        summary="Switch a risk rule on or off, or change its figures",
        tag=Tag.ADMIN,
        about="FLAG: an order that breaks it is taken, and the violation waits for review. BLOCK: it is refused with the "
        "rule's name. In force at once and until the next start, when config decides again.",
        body=RuleBody,
        answer=RuleJson,
        meta=AsOfMeta,
        path=_RULE,
        command=True,
        refusals=_FIGURE_REFUSALS,
        errors=(NotFound,),
        examples=(
            Example(
                name="flag",
                summary="More than 30 orders in five minutes are looked at",
                path={"rule": "RAPID_TRADING"},
                body={"mode": "FLAG", "figures": {"orders_max": 30}},
            ),
            Example(
                name="nothing",
                summary="A limit of no orders at all",
                path={"rule": "RAPID_TRADING"},
                body={"mode": "FLAG", "figures": {"orders_max": 0}},
                status=422,
                code="INVALID_RISK_RULE",
            ),
            Example(
                name="missing",
                summary="A rule that does not exist",
                path={"rule": "NONE"},
                body={"mode": "FLAG"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "GET /api/v1/admin/risk/exceptions": Doc(
        operation="list_risk_exceptions",
        summary="Exceptions from the risk rules",
        tag=Tag.ADMIN,
        about="What holds instead for an account, an instrument, or an account in an instrument; the narrowest counts.",
        answer=list[ExceptionJson],
        meta=AsOfMeta,
        examples=(Example(name="now", summary="Now"),),
    ),
    "PUT /api/v1/admin/risk/exceptions/{rule}": Doc(
        operation="set_risk_exception",
        summary="Make an exception from a risk rule, or take it away",
        tag=Tag.ADMIN,
        about="For a user, an instrument, or both. It stays until it is taken away with INHERIT.",
        body=ExceptionBody,
        answer=ExceptionJson,
        meta=AsOfMeta,
        path=_RULE,
        command=True,
        refusals=(*_FIGURE_REFUSALS, Refusal.UNKNOWN_SYMBOL, Refusal.ACCOUNT_NOT_FOUND),
        errors=(NotFound,),
        examples=(
            Example(
                name="symbol",
                summary="No more than 500 units of an instrument in one order",
                path={"rule": "FAT_FINGER"},
                body={"mode": "BLOCK", "stock_symbol": "AAPL", "figures": {"quantity_max": 500}},
            ),
            Example(
                name="missing",
                summary="For a user who does not exist",
                path={"rule": "FAT_FINGER"},
                body={"mode": "OFF", "user_id": "usr_9"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "GET /api/v1/admin/risk/violations": Doc(
        operation="list_violations",
        summary="Violations of risk rules",
        tag=Tag.ADMIN,
        about="Newest first. The `risk` channel of the WebSocket tells of each when it happens.",
        answer=list[ReviewedJson],
        meta=PageMeta,
        query=(
            Query("rule", RuleQuery, "Only those of this rule."),
            Query("status", ReviewStatusName, "Only those that stand so."),
            Query("account_id", AccountId, "Only this account's."),
            Query("user_id", UserId, "Only this user's."),
            Query("symbol", Symbol, "Only those in this instrument."),
            CURSOR,
            LIMIT,
        ),
        database=True,
        errors=(NotFound,),
        examples=(
            Example(
                name="open",
                summary="What nobody has decided on",
                given="a violation",
                query={"status": "OPEN"},
            ),
        ),
    ),
    "POST /api/v1/admin/risk/violations/{violation_id}/review": Doc(
        operation="review_violation",
        summary="Decide on a violation",
        tag=Tag.ADMIN,
        about="DISMISSED and CONFIRMED are final; ESCALATED can be decided once more.",
        body=ReviewBody,
        answer=ReviewedJson,
        path={"violation_id": ViolationId},
        keyed=True,
        database=True,
        errors=(NotFound, Conflict),
        examples=(
            Example(
                name="dismiss",
                summary="It was nothing",
                given="a violation",
                path={"violation_id": "vio_1"},
                body={"decision": "DISMISSED", "note": "moved the holdings of another broker here"},
            ),
            Example(
                name="missing",
                summary="A violation that does not exist",
                path={"violation_id": "vio_99999"},
                body={"decision": "DISMISSED", "note": "nothing"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "GET /api/v1/admin/risk/links": Doc(
        operation="list_linked_accounts",
        summary="Accounts that belong together",
        tag=Tag.ADMIN,
        about="By group. Accounts of one group do not trade with each other where WASH_TRADE blocks.",
        answer=list[LinkJson],
        meta=AsOfMeta,
        examples=(Example(name="now", summary="Now"),),
    ),
    "PUT /api/v1/admin/users/{user_id}/link": Doc(
        operation="link_account",
        summary="Put an account into a group of accounts that belong together",
        tag=Tag.ADMIN,
        body=LinkBody,
        answer=LinkJson,
        meta=AsOfMeta,
        path=_USER,
        command=True,
        errors=(NotFound,),
        refusals=(Refusal.INVALID_RISK_RULE, Refusal.ACCOUNT_NOT_FOUND),
        examples=(
            Example(
                name="link",
                summary="One owner, two accounts",
                given="a user",
                path={"user_id": "usr_1000"},
                body={"group": "case-2026-117", "reason": "the same bank account"},
            ),
            _missing_user({"group": "case-2026-117"}),
        ),
    ),
    "PUT /api/v1/admin/users/{user_id}/kyc-tier": Doc(
        operation="set_kyc_tier",
        summary="Say how well a customer is known",
        tag=Tag.ADMIN,
        about="The rule KYC_LIMIT bounds what each tier may buy in a day; tier 3 has no limit.",
        body=TierBody,
        answer=TierJson,
        meta=AsOfMeta,
        path=_USER,
        command=True,
        database=True,
        errors=(NotFound,),
        refusals=(Refusal.INVALID_RISK_RULE, Refusal.ACCOUNT_NOT_FOUND),
        examples=(
            Example(
                name="enhanced",
                summary="Income and source of funds are known",
                given="a user",
                path={"user_id": "usr_1000"},
                body={"tier": 3, "reason": "tax documents of 2025"},
            ),
            _missing_user({"tier": 1}),
        ),
    ),
}
