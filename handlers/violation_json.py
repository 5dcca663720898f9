"""A violation of a risk rule as JSON: in the list of the risk desk, and in its channel of the WebSocket."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Raw, Struct

from engine.events import RiskViolated
from engine.kinds import RiskRule
from engine.state import State
from handlers.envelope import encoded
from handlers.field_types import AccountId, OrderId, SideName, Time, UserId, names
from handlers.numbers import Number, cash, quantity
from handlers.order_json import time_text
from server.risk_desk import STATUSES, Reviewed

ViolationId = Annotated[str, Meta(pattern="^vio_[1-9][0-9]{0,18}$")]
RiskRuleName = Annotated[str, Meta(extra_json_schema=names(RiskRule))]
ViolationModeName = Annotated[str, Meta(extra_json_schema={"enum": ["FLAG", "BLOCK"]})]
ReviewStatusName = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]

_ID_PREFIXES: Final = {"counterparty_id": "acc_", "counterparty_order_id": "ord_", "trade_id": "exe_"}


class ViolationJson(Struct, frozen=True):
    """A violation. FLAG: the order was taken, BLOCK: it was stopped. `order_id` is null for an order that was refused.

    `price` is the order's, of a MARKET order the worst that it allowed; of a trade between linked accounts the trade's.
    `figures` are what the rule looked at.
    """

    violation_id: ViolationId
    at: Time
    rule: RiskRuleName
    mode: ViolationModeName
    account_id: AccountId
    user_id: UserId
    stock_symbol: str
    order_id: OrderId | None
    side: SideName
    quantity: Number
    price: Number
    figures: dict[str, Any]


class ReviewedJson(ViolationJson, frozen=True):
    """A violation, and what was made of it. OPEN: nobody has decided yet. ESCALATED: it can be decided once more."""

    status: ReviewStatusName
    reviewed_by: UserId | None
    reviewed_at: Time | None
    note: str | None


def figures_json(figures: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    """Figures with the unit taken off their names: decimals as numbers, ids with their prefixes, spans in seconds."""
    found: dict[str, Any] = {}
    for name, figure in figures:
        stem, _, unit = name.rpartition("_")
        match unit:
            case "e4":
                found[stem] = cash(figure)
            case "e8":
                found[stem] = quantity(figure)
            case "id":
                found[name] = f"{_ID_PREFIXES[name]}{figure}"
            case _:
                found[name] = figure
    return found


def violation_json(state: State, event: RiskViolated) -> ViolationJson:
    """A violation as the risk desk sees it."""
    return ViolationJson(*_members(state, event))


def reviewed_json(state: State, reviewed: Reviewed) -> ReviewedJson:
    """A violation with its review."""
    moment = reviewed.reviewed_at
    decided: tuple[Any, ...] = (
        reviewed.status,
        f"usr_{reviewed.reviewed_by}" if reviewed.reviewed_by is not None else None,
        moment.isoformat().replace("+00:00", "Z") if moment is not None else None,
        reviewed.note,
    )
    members = (*_members(state, reviewed.event), *decided)
    return ReviewedJson(*members)


def _members(state: State, event: RiskViolated) -> tuple[Any, ...]:
    """The members of a ViolationJson, in their order."""
    return (
        f"vio_{event.violation_id}",
        time_text(event.violated_us),
        event.rule.name,
        event.mode.name,
        f"acc_{event.account_id}",
        f"usr_{state.accounts[event.account_id].user_id}",
        event.symbol,
        f"ord_{event.order_id}" if event.order_id else None,
        event.side.name,
        quantity(event.quantity_e8),
        cash(event.price_e4),
        figures_json(event.figures),
    )


def figure_texts(figures: tuple[tuple[str, int], ...]) -> list[tuple[str, str]]:
    """Names and texts of figures, as protobuf has them."""
    return [
        (name, bytes(value).decode() if isinstance(value, Raw) else str(value))
        for name, value in figures_json(figures).items()
    ]


class ViolationEncoder:
    """The JSON of a violation that has just happened, for the `risk` channel: without a review, which comes later."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, event: RiskViolated) -> bytes:
        return encoded(violation_json(self._state, event))
