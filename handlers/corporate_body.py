"""Corporate actions as operators write and read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta, Raw, Struct, field

from engine.refusals import Refusal
from engine.units import MINUTE_US, QUANTITY_MAX_E8
from handlers.admin import REASON_MAX
from handlers.field_types import NOT_BLANK, Time, TimeIn, UserId
from handlers.numbers import NULL, AmountInOrNull, Number, NumberOrNull, is_absent, quantity, scaled
from handlers.order_body import Symbol, plain_text
from handlers.request_input import read_time_us
from server.corporate import CASH_DIVIDEND, STATUSES, CorporateAction, Proposed
from server.errors import BadRequest, RefusedAtBorder

RATIO_MAX: Final = 10_000

ActionId = Annotated[str, Meta(pattern="^(div|act)_[1-9][0-9]{0,18}$")]
ActionStatusName = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]
ActionType = Literal["CASH_DIVIDEND", "SPLIT", "SYMBOL_CHANGE", "MERGER", "DELISTING"]
ActionTypeName = Annotated[str, Meta(extra_json_schema={"enum": list(get_args(ActionType))})]
Shares = Annotated[int, Meta(ge=1, le=RATIO_MAX)]


class CorporateActionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/corporate-actions`.

    CASH_DIVIDEND: `amount_per_share` for whoever has shares at `record_at`, paid at `payment_at`. SPLIT: `new_shares` for each
    `old_shares`, at `effective_at`, a whole minute. SYMBOL_CHANGE: `new_symbol` from `effective_at` on. DELISTING: nothing trades
    from `effective_at` on. MERGER: `cash_per_share` for each share, or `new_shares` of `new_symbol` for each `old_shares`, or both.
    """

    type: ActionType
    stock_symbol: Symbol
    reason: Annotated[
        str, Meta(min_length=1, max_length=REASON_MAX), Meta(extra_json_schema={"pattern": NOT_BLANK})
    ]
    amount_per_share: AmountInOrNull = field(default_factory=Raw)
    record_at: TimeIn | None = None
    payment_at: TimeIn | None = None
    effective_at: TimeIn | None = None
    new_shares: Shares | None = None
    old_shares: Shares | None = None
    new_symbol: Symbol | None = None
    cash_per_share: AmountInOrNull = field(default_factory=Raw)


class CorporateActionJson(Struct, frozen=True):
    """A corporate action. PROPOSED, then REJECTED, or APPROVED and at once DECLARED or REFUSED by the engine; what takes effect
    at a time is EFFECTED then, or FAILED.

    `outcome` is what the ledger calls it, or the code of the refusal.
    """

    action_id: ActionId
    type: ActionTypeName
    stock_symbol: str
    amount_per_share: NumberOrNull
    record_at: Time | None
    payment_at: Time | None
    reason: str
    status: ActionStatusName
    proposed_by: UserId
    proposed_at: Time
    decided_by: UserId | None
    decided_at: Time | None
    outcome: str | None
    effective_at: Time | None
    new_shares: int | None
    old_shares: int | None
    new_symbol: str | None
    cash_per_share: NumberOrNull


def _missing(member: str, kind: str) -> RefusedAtBorder:
    return RefusedAtBorder(Refusal.INVALID_ACTION, member, f"{kind} needs it")


def _time_us(body: CorporateActionBody, member: str) -> int:
    text: str | None = getattr(body, member)
    time_us = read_time_us({member: text}, member) if text is not None else None
    if time_us is None:
        raise _missing(member, body.type)
    return time_us


def _only(body: CorporateActionBody, members: tuple[str, ...]) -> None:
    """Refuse what another type has."""
    given = {
        "amount_per_share": not is_absent(body.amount_per_share),
        "record_at": body.record_at is not None,
        "payment_at": body.payment_at is not None,
        "effective_at": body.effective_at is not None,
        "new_shares": body.new_shares is not None,
        "old_shares": body.old_shares is not None,
        "new_symbol": body.new_symbol is not None,
        "cash_per_share": not is_absent(body.cash_per_share),
    }
    for member, is_given in given.items():
        if is_given and member not in members:
            raise RefusedAtBorder(Refusal.INVALID_ACTION, member, f"{body.type} has none")


def _effective_us(body: CorporateActionBody) -> int:
    effective_us = _time_us(body, "effective_at")
    if effective_us % MINUTE_US:
        raise RefusedAtBorder(Refusal.INVALID_ACTION, "effective_at", "must be a whole minute")
    return effective_us


def _dividend(body: CorporateActionBody, symbol: str, reason: str) -> Proposed:
    _only(body, ("amount_per_share", "record_at", "payment_at"))
    if is_absent(body.amount_per_share):
        raise _missing("amount_per_share", body.type)
    per_unit_e8 = scaled(body.amount_per_share, "amount_per_share", 8)
    if per_unit_e8 is None or not 0 < per_unit_e8 <= QUANTITY_MAX_E8:
        problem = "must be above zero, with at most 8 decimals"
        raise RefusedAtBorder(Refusal.INVALID_AMOUNT, "amount_per_share", problem)
    record_us, payment_us = _time_us(body, "record_at"), _time_us(body, "payment_at")
    if payment_us < record_us:
        raise RefusedAtBorder(Refusal.INVALID_ACTION, "payment_at", "is before record_at")
    return Proposed(CASH_DIVIDEND, symbol, reason, per_unit_e8, record_us, payment_us)


def _split(body: CorporateActionBody, symbol: str, reason: str) -> Proposed:
    _only(body, ("effective_at", "new_shares", "old_shares"))
    new, old = body.new_shares, body.old_shares
    if new is None or old is None:
        raise _missing("new_shares" if new is None else "old_shares", body.type)
    if new == old:
        raise RefusedAtBorder(Refusal.INVALID_ACTION, "new_shares", "is as many as old_shares")
    return Proposed(
        body.type, symbol, reason, effective_us=_effective_us(body), numerator=new, denominator=old
    )


def _symbol_change(body: CorporateActionBody, symbol: str, reason: str) -> Proposed:
    _only(body, ("effective_at", "new_symbol"))
    if body.new_symbol is None:
        raise _missing("new_symbol", body.type)
    new_symbol = plain_text(body.new_symbol, "new_symbol")
    if new_symbol == symbol:
        raise RefusedAtBorder(Refusal.INVALID_ACTION, "new_symbol", "is the one that it has")
    return Proposed(body.type, symbol, reason, effective_us=_effective_us(body), new_symbol=new_symbol)


def _delisting(body: CorporateActionBody, symbol: str, reason: str) -> Proposed:
    _only(body, ("effective_at",))
    return Proposed(body.type, symbol, reason, effective_us=_effective_us(body))


def _merger(body: CorporateActionBody, symbol: str, reason: str) -> Proposed:
    of_shares = ("new_shares", "old_shares", "new_symbol")
    _only(body, ("effective_at", "cash_per_share", *of_shares))
    cash_e8 = None
    if not is_absent(body.cash_per_share):
        cash_e8 = scaled(body.cash_per_share, "cash_per_share", 8)
        if cash_e8 is None or not 0 < cash_e8 <= QUANTITY_MAX_E8:
            problem = "must be above zero, with at most 8 decimals"
            raise RefusedAtBorder(Refusal.INVALID_AMOUNT, "cash_per_share", problem)
    missing = [member for member in of_shares if getattr(body, member) is None]
    if missing and (len(missing) < len(of_shares) or cash_e8 is None):
        raise _missing(missing[0] if len(missing) < len(of_shares) else "cash_per_share", body.type)
    new_symbol = None if body.new_symbol is None else plain_text(body.new_symbol, "new_symbol")
    if new_symbol == symbol:
        raise RefusedAtBorder(Refusal.INVALID_ACTION, "new_symbol", "is the one that it has")
    return Proposed(
        body.type,
        symbol,
        reason,
        effective_us=_effective_us(body),
        numerator=body.new_shares,
        denominator=body.old_shares,
        new_symbol=new_symbol,
        cash_e8=cash_e8,
    )


_READERS: Final[dict[str, Callable[[CorporateActionBody, str, str], Proposed]]] = {
    CASH_DIVIDEND: _dividend,
    "SPLIT": _split,
    "SYMBOL_CHANGE": _symbol_change,
    "MERGER": _merger,
    "DELISTING": _delisting,
}
"""Type → what reads its members."""


def proposed_of(body: CorporateActionBody) -> Proposed:
    """What is proposed. Raises BadRequest, and RefusedAtBorder for what does not fit together."""
    reason = plain_text(body.reason, "reason")
    if not reason.strip():
        raise BadRequest("reason", "must not be blank")
    return _READERS[body.type](body, plain_text(body.stock_symbol, "stock_symbol"), reason)


def action_json(found: CorporateAction) -> CorporateActionJson:
    """A corporate action as operators see it."""
    return CorporateActionJson(
        action_id=found.name,
        type=found.kind,
        stock_symbol=found.symbol,
        amount_per_share=_number(found.per_unit_e8),
        record_at=_time(found.record_at),
        payment_at=_time(found.payment_at),
        reason=found.reason,
        status=found.status,
        proposed_by=f"usr_{found.proposed_by}",
        proposed_at=_time(found.proposed_at) or "",
        decided_by=f"usr_{found.decided_by}" if found.decided_by is not None else None,
        decided_at=_time(found.decided_at),
        outcome=found.outcome,
        effective_at=_time(found.effective_at),
        new_shares=found.numerator,
        old_shares=found.denominator,
        new_symbol=found.new_symbol,
        cash_per_share=_number(found.cash_e8),
    )


def _number(figure_e8: int | None) -> Number:
    return NULL if figure_e8 is None else quantity(figure_e8)


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
