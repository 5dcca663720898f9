"""What an order would cost, hold and leave, and whether it would be taken. Changes nothing, and nothing is journalled."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from engine.events import OrderUpdated, Refused
from engine.kinds import CloseReason, RiskRule, Side, TimeInForce
from engine.preview import Preview, preview_order
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.settlement import buying_power_e4
from engine.state import Instrument
from engine.units import average_price_e4, notional_up_e4
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal_details, success_as_of
from handlers.field_types import OrderStatusName
from handlers.numbers import NULL, ZERO, Number, NumberOrNull, cash, quantity, ratio_bps
from handlers.order_command import read_order
from handlers.order_in_session import to_place
from handlers.refusal_status import REFUSALS
from server.errors import NotFound

IMPACT_BPS: Final = 100
"""Filled so much worse than the reference price, an order moves the market: worth a warning."""


class Caution(Enum):
    """What a careful client shows before it sends the order."""

    NOTHING_TO_TRADE_WITH = "Nothing would be filled now, and the order does not wait."
    PARTLY_FILLED = "Only a part would be filled now, and the rest does not wait."
    PRICE_IMPACT = "The average price would be more than 1 % worse than the market's."
    MEETS_OWN_ORDER = "It would meet an order of your own: self-trade prevention acts."


class WarningJson(Struct, frozen=True):
    """A warning: its stable code, and a sentence. The name of a risk rule: the order would be taken, and looked at."""

    code: Annotated[
        str, Meta(extra_json_schema={"enum": [each.name for kind in (Caution, RiskRule) for each in kind]})
    ]
    message: str


class RefusalJson(Struct, frozen=True):
    """A refusal that placing the order would meet, as its error would say it."""

    code: str
    message: str
    details: dict[str, Any]


class PreviewJson(Struct, frozen=True):
    """What would come of the order now. Figures of the order are null where it could not even be formed.

    `refusals`: the first is what placing it would be answered, the others what it would meet next. `estimated_total` is fills and fee, plus the open rest
    at its limit; of a sale what fills would bring after the fee. `regulatory_fee` is the part of `fee` that
    the law takes of a sale; the rates are the account's tier's, in percent (a ppm is a
    ten-thousandth of one). `hold` is what must be available at first, fees at
    their worst included; `hold_after` is what stays held for a rest that waits.
    """

    accepted: bool
    refusals: list[RefusalJson]
    warnings: list[WarningJson]
    status: OrderStatusName | None
    filled_quantity: NumberOrNull
    average_price: NumberOrNull
    amount: NumberOrNull
    fee: NumberOrNull
    regulatory_fee: NumberOrNull
    maker_rate: NumberOrNull
    taker_rate: NumberOrNull
    estimated_total: NumberOrNull
    hold: NumberOrNull
    hold_after: NumberOrNull
    buying_power: Number
    buying_power_after: Number


async def preview(call: Call) -> Answer:
    """`POST /orders/preview`: the body of `POST /orders`; 200 also when the order would be refused."""
    command = to_place(call, read_order(call.body))
    runtime = call.services.runtime
    state, seq = runtime.state, runtime.state.seq
    account = state.accounts.get(call.principal.account_id)
    if account is None:
        raise NotFound
    found = preview_order(state, account.account_id, command, runtime.now_us())
    instrument = state.instruments.get(command.symbol)
    power_e4 = buying_power_e4(account, runtime.now_us())
    data = encoded(_preview_json(found, instrument, power_e4, account.available_e4 - power_e4))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


def _preview_json(
    found: Preview, instrument: Instrument | None, power_e4: int, withheld_e4: int
) -> PreviewJson:
    """`withheld_e4` is unsettled cash that the account may not use."""
    order = found.order
    return PreviewJson(
        accepted=not found.refusals,
        refusals=[_refusal_json(refused) for refused in found.refusals],
        warnings=[
            *(WarningJson(each.name, each.value) for each in _warnings(found, instrument)),
            *(WarningJson(rule.name, _flagged(rule)) for rule in found.flags),
        ],
        status=order.status.name if order is not None and not found.refusals else None,
        filled_quantity=quantity(order.filled_e8) if order is not None else NULL,
        average_price=_average(order),
        amount=cash(order.notional_e4) if order is not None else NULL,
        fee=cash(order.fee_e4) if order is not None else NULL,
        regulatory_fee=cash(found.regulatory_e4) if order is not None else NULL,
        maker_rate=cash(found.maker_ppm) if order is not None else NULL,
        taker_rate=cash(found.taker_ppm) if order is not None else NULL,
        estimated_total=cash(_total_e4(order)) if order is not None else NULL,
        hold=cash(found.worst_hold_e4) if order is not None else NULL,
        hold_after=(cash(order.hold_e4) if not found.refusals else ZERO) if order is not None else NULL,
        buying_power=cash(power_e4),
        buying_power_after=cash(max(0, found.cash_e4 - found.held_e4 - withheld_e4)),
    )


def _flagged(rule: RiskRule) -> str:
    return f"It would be taken, and reported for review. {REFUSALS[Refusal[rule.name]].message}"


def _refusal_json(refused: Refused) -> RefusalJson:
    return RefusalJson(refused.refusal.name, REFUSALS[refused.refusal].message, refusal_details(refused))


def _average(order: OrderUpdated | None) -> msgspec.Raw:
    if order is None or not order.filled_e8:
        return NULL
    return cash(average_price_e4(order.notional_e4, order.filled_e8))


def _total_e4(order: OrderUpdated) -> int:
    if order.side is Side.SELL:
        return order.notional_e4 - order.fee_e4
    rest_e8 = order.quantity_e8 - order.filled_e8 if order.is_open else 0
    return order.notional_e4 + order.fee_e4 + notional_up_e4(order.limit_e4, rest_e8)


def _warnings(found: Preview, instrument: Instrument | None) -> list[Caution]:
    order = found.order
    if order is None or instrument is None:
        return []
    warnings = []
    if order.reason is CloseReason.NO_LIQUIDITY and order.time_in_force is not TimeInForce.FOK:
        warnings.append(Caution.PARTLY_FILLED if order.filled_e8 else Caution.NOTHING_TO_TRADE_WITH)
    if order.filled_e8:
        market_e4 = reference_e4(instrument)
        worse_e4 = average_price_e4(order.notional_e4, order.filled_e8) - market_e4
        if ratio_bps(worse_e4 if order.side is Side.BUY else -worse_e4, market_e4) > IMPACT_BPS:
            warnings.append(Caution.PRICE_IMPACT)
    if found.meets_own:
        warnings.append(Caution.MEETS_OWN_ORDER)
    return warnings
