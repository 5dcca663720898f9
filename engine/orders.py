"""An order while it is open, and the price level it rests in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from engine.events import OrderUpdated
from engine.fees import FeeTerms, commission_e4, regulatory_e4
from engine.kinds import CloseReason, OrderStatus, OrderType, SelfTradePrevention, Side, TimeInForce
from engine.terms import Special
from engine.units import fee_parts_up_e4, notional_up_e4, worst_cost_up_e4

if TYPE_CHECKING:
    from engine.book import BookSide
    from engine.state import Account, Position


class Order(Struct, eq=False):
    """An open order. Rates are those of its acceptance; `priority` orders the queue of its price level.

    `maker_notional_e4` is the part of `notional_e4` that was filled while resting. `fee_terms` is None where the fee is a
    matter of rates alone; `regulatory_e4` is the part of `fee_e4` that the law takes. `level`, `before` and
    `after` are the links of the book and belong to `engine.book` alone. `account`, and the `position` that holds a
    sell's units, are set when the order is accepted or rebuilt: looking them up again costs more than a step of matching.

    Orders are made far more often than a field of theirs changes, so they are structs: cheap to make, dearer to
    write. Levels, accounts and positions are the other way round: slotted classes.
    """

    order_id: int
    account_id: int
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity_e8: int
    price_e4: int
    limit_e4: int
    maker_ppm: int
    taker_ppm: int
    created_us: int
    updated_us: int
    client_order_id: str
    self_trade_prevention: SelfTradePrevention
    replaces_id: int
    is_quote: bool
    priority: int
    filled_e8: int = 0
    notional_e4: int = 0
    maker_notional_e4: int = 0
    fee_e4: int = 0
    hold_e4: int = 0
    status: OrderStatus = OrderStatus.PENDING
    reason: CloseReason = CloseReason.NONE
    replaced_by_id: int = 0
    special: Special | None = None
    fee_terms: FeeTerms | None = None
    regulatory_e4: int = 0
    level: Level | None = None
    before: Order | None = None
    after: Order | None = None
    account: Account | None = None
    position: Position | None = None

    def __repr__(self) -> str:
        left = f"{self.leaves_e8}/{self.quantity_e8}"
        return f"<Order {self.order_id} {self.side.name} {left} {self.symbol} at {self.limit_e4} {self.status.name}>"

    @property
    def leaves_e8(self) -> int:
        """What is still to be filled."""
        return self.quantity_e8 - self.filled_e8

    def snapshot(self) -> OrderUpdated:
        """The order as an event, for rows, answers and streams."""
        return OrderUpdated(
            self.order_id,
            self.account_id,
            self.symbol,
            self.side,
            self.order_type,
            self.time_in_force,
            self.quantity_e8,
            self.price_e4,
            self.limit_e4,
            self.filled_e8,
            self.notional_e4,
            self.fee_e4,
            self.hold_e4,
            self.status,
            self.reason,
            self.created_us,
            self.updated_us,
            self.client_order_id,
            self.replaces_id,
            self.replaced_by_id,
            self.is_quote,
            self.special,
        )


@dataclass(slots=True, eq=False)
class Level:
    """The orders at one price, first come first served: a list linked through the orders themselves.

    `key` is the price of an ask and minus the price of a bid, so that the best level has the lowest key.
    """

    key: int
    price_e4: int
    side: BookSide
    quantity_e8: int = 0
    count: int = 0
    first: Order | None = None
    last: Order | None = None

    def __repr__(self) -> str:
        return f"<Level {self.quantity_e8} in {self.count} at {self.price_e4}>"


def buy_hold_e4(order: Order) -> int:
    """The cash that an open buy must hold: the rest at its limit, and the worst fee on the whole, less what was charged.

    A pure function of the order. A fill at or below the limit lowers it by at least what the fill costs,
    so captures never exceed the hold (DESIGN.md §3).
    """
    rate_ppm = order.maker_ppm if order.maker_ppm > order.taker_ppm else order.taker_ppm
    rest_e8 = order.quantity_e8 - order.filled_e8
    if order.fee_terms is not None:
        rest_e4 = notional_up_e4(order.limit_e4, rest_e8)
        rates_e4 = fee_parts_up_e4(0, 0, order.notional_e4 + rest_e4, rate_ppm)
        return rest_e4 + commission_e4(order.fee_terms, rates_e4) - order.fee_e4
    return worst_cost_up_e4(order.limit_e4, rest_e8, order.notional_e4, rate_ppm) - order.fee_e4


def pair_hold_e4(order: Order, other: Order) -> int:
    """The cash that a pair of open buys must hold, of which one quantity trades: what is left at the higher limit, and the worst
    fee on what both filled and what is left, less what was charged. One unit more, for fees are rounded up for each.
    """
    limit_e4 = order.limit_e4 if order.limit_e4 > other.limit_e4 else other.limit_e4
    rate_ppm = max(order.maker_ppm, order.taker_ppm, other.maker_ppm, other.taker_ppm)
    rest_e8 = order.quantity_e8 - order.filled_e8
    notional_e4 = order.notional_e4 + other.notional_e4
    hold_e4 = worst_cost_up_e4(limit_e4, rest_e8, notional_e4, rate_ppm) + 1
    for each in (order, other):
        hold_e4 -= each.fee_e4
        if each.fee_terms is not None:  # either may have to pay a minimum
            hold_e4 += each.fee_terms.before_e4 + each.fee_terms.order_min_e4 - each.fee_terms.paid_e4
    return hold_e4


def fee_due_e4(order: Order) -> int:
    """What the rates make of everything filled so far, each part at its own rate, rounded up once."""
    maker_notional_e4 = order.maker_notional_e4
    taker_notional_e4 = order.notional_e4 - maker_notional_e4
    return fee_parts_up_e4(maker_notional_e4, order.maker_ppm, taker_notional_e4, order.taker_ppm)


def charge_terms(order: Order, quantity_e8: int, notional_e4: int) -> tuple[int, int]:
    """Bring the fee of an order with fee terms up to date after a fill of it (the arguments are the fill's).

    Returns what is charged now, and the part of it that the law takes. A sale is never charged more than its fill
    brings; what is still due of the commission is charged with the next.
    """
    terms = order.fee_terms
    assert terms is not None
    law_e4 = 0
    if order.side is Side.SELL:
        law_e4 = regulatory_e4(terms, order.filled_e8, order.notional_e4, quantity_e8, notional_e4)
    fee_e4 = commission_e4(terms, fee_due_e4(order)) - (order.fee_e4 - order.regulatory_e4)
    if order.side is Side.SELL and fee_e4 > notional_e4 - law_e4:
        fee_e4 = notional_e4 - law_e4
    order.regulatory_e4 += law_e4
    order.fee_e4 += fee_e4 + law_e4
    return fee_e4 + law_e4, law_e4
