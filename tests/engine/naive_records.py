"""What the naive exchange remembers: plain facts (fills, lots, entries); everything else is computed from them anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from engine.events import OrderUpdated, Traded
from engine.kinds import (
    AccountKind,
    AccountStatus,
    CloseReason,
    LotMethod,
    OrderClass,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.terms import NO_TERMS, Special, Terms

SoldLot = tuple[int, int, int, int]

UNIT = 10**8
"""Quantities are in hundred-millionths."""


def worth(price_e4: int, quantity_e8: int) -> Fraction:
    """Price times quantity, exactly."""
    return Fraction(price_e4 * quantity_e8, UNIT)


@dataclass
class NaiveFill:
    notional_e4: int
    quantity_e8: int
    as_maker: bool


@dataclass
class NaiveOrder:
    """An order and its fills. `place` is its turn in the queue of its price.

    It is in the levels (`resting`), or waits for a phase (`waiting`), or is HELD, or is over. `shown_e8` is the slice of an
    iceberg in the levels. A leg has its parent's fills as its quantity once it is `armed`; `handed_e8` of a parent's fills are
    its legs' already, and `before_e8` were those of the orders that it replaced.
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
    policy: SelfTradePrevention
    replaces_id: int
    is_quote: bool
    place: int
    fills: list[NaiveFill] = field(default_factory=list)
    status: OrderStatus = OrderStatus.PENDING
    reason: CloseReason = CloseReason.NONE
    replaced_by_id: int = 0
    resting: bool = False
    waiting: bool = False
    terms: Terms | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    parent_id: int = 0
    group_id: int = 0
    children: tuple[int, ...] = ()
    planned_e8: int = 0
    armed: bool = True
    trigger_e4: int = 0
    extreme_e4: int = 0
    triggered_us: int = 0
    shown_e8: int = 0
    handed_e8: int = 0
    before_e8: int = 0
    was_resting: bool = False
    was_shown_e8: int = 0

    def open(self) -> bool:
        return self.status in (OrderStatus.HELD, OrderStatus.PENDING, OrderStatus.PARTIAL)

    def asked(self) -> Terms:
        return self.terms or NO_TERMS

    def takes_any_price(self) -> bool:
        """It never rests: MARKET, and what a stop becomes without a price."""
        return self.order_type in (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TRAILING_STOP)

    def is_stop(self) -> bool:
        return self.order_type in (OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)

    def in_reach_e8(self) -> int:
        """What a taker meets of it now: the slice of an iceberg."""
        return self.shown_e8 if self.asked().display_e8 else self.leaves_e8()

    def show_a_slice(self) -> None:
        """An iceberg in the levels shows so much and not more than it has."""
        if self.asked().display_e8:
            self.shown_e8 = min(self.asked().display_e8, self.leaves_e8()) if self.resting else 0

    def filled_e8(self) -> int:
        return sum(fill.quantity_e8 for fill in self.fills)

    def leaves_e8(self) -> int:
        return self.quantity_e8 - self.filled_e8()

    def notional_e4(self) -> int:
        return sum(fill.notional_e4 for fill in self.fills)

    def fee_e4(self) -> int:
        """All its fills' fees together, rounded up once."""
        millionths = sum(
            fill.notional_e4 * (self.maker_ppm if fill.as_maker else self.taker_ppm) for fill in self.fills
        )
        return -(-millionths // 1_000_000)

    def report(self, hold_e4: int) -> OrderUpdated:
        return OrderUpdated(
            order_id=self.order_id,
            account_id=self.account_id,
            symbol=self.symbol,
            side=self.side,
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            quantity_e8=self.quantity_e8,
            price_e4=self.price_e4,
            limit_e4=self.limit_e4,
            filled_e8=self.filled_e8(),
            notional_e4=self.notional_e4(),
            fee_e4=self.fee_e4(),
            hold_e4=hold_e4,
            status=self.status,
            reason=self.reason,
            created_us=self.created_us,
            updated_us=self.updated_us,
            client_order_id=self.client_order_id,
            replaces_id=self.replaces_id,
            replaced_by_id=self.replaced_by_id,
            is_quote=self.is_quote,
            special=self.special(),
        )

    def special(self) -> Special | None:
        if self.terms is None and self.order_class is OrderClass.SIMPLE:
            return None
        return Special(
            terms=self.asked(),
            order_class=self.order_class,
            parent_id=self.parent_id,
            group_id=self.group_id,
            children=self.children,
            planned_e8=self.planned_e8,
            is_armed=self.armed,
            trigger_e4=self.trigger_e4,
            extreme_e4=self.extreme_e4,
            triggered_us=self.triggered_us,
            shown_e8=self.shown_e8,
        )


@dataclass
class NaiveAccount:
    """Cash, and per symbol the lots [lot id, units, cost, since], oldest first."""

    account_id: int
    user_id: int
    kind: AccountKind
    currency: str
    status: AccountStatus = AccountStatus.ACTIVE
    cash_e4: int = 0
    contributed_e4: int = 0
    realized_e4: int = 0
    lots: dict[str, list[list[int]]] = field(default_factory=dict)
    lot_method: LotMethod = LotMethod.FIFO
    averaged: dict[str, int] = field(default_factory=dict)
    """Of each symbol the newest lot whose cost was averaged, until a split, a merger or a bust brings others in."""

    def units_e8(self, symbol: str) -> int:
        return sum(lot[1] for lot in self.lots.get(symbol, ()))

    def receive(self, symbol: str, lot_id: int, units_e8: int, cost_e4: int, since_us: int) -> None:
        lots = self.lots.setdefault(symbol, [])
        if lots and self.kind is AccountKind.MARKET_MAKER:
            lots[0][1] += units_e8
            lots[0][2] += cost_e4
        else:
            lots.append([lot_id, units_e8, cost_e4, since_us])

    def restore(self, symbol: str, lot_id: int, units_e8: int, cost_e4: int, since_us: int) -> None:
        """Give units back to the lot that they were taken from."""
        self.averaged.pop(symbol, None)
        same = [lot for lot in self.lots[symbol] if lot[0] == lot_id]
        if same and self.kind is AccountKind.USER:
            same[0][1] += units_e8
            same[0][2] += cost_e4
        else:
            self.receive(symbol, lot_id, units_e8, cost_e4, since_us)
            self.lots[symbol].sort()

    def deliver(self, symbol: str, units_e8: int) -> list[SoldLot]:
        """Take units from the oldest lots; returns what was taken of each, in the lot's own shape."""
        taken = []
        while units_e8:
            taken.append(self.take_of(symbol, self.lots[symbol][0], units_e8))
            units_e8 -= taken[-1][1]
        return taken

    def take_of(self, symbol: str, lot: list[int], units_e8: int) -> SoldLot:
        """So many units of a lot, or all that it has."""
        part_e8 = min(units_e8, lot[1])
        part_e4 = lot[2] * part_e8 // lot[1]
        lot[1] -= part_e8
        lot[2] -= part_e4
        if lot[1] == 0:
            self.lots[symbol] = [each for each in self.lots[symbol] if each is not lot]
        return (lot[0], part_e8, part_e4, lot[3])


@dataclass
class NaiveTrade:
    """A fill, who made it by which orders, and whether it was taken back."""

    buyer: NaiveAccount
    seller: NaiveAccount
    orders: tuple[NaiveOrder, NaiveOrder]
    executed_us: int
    fill: Traded
    busted: bool = False
