"""What the naive exchange remembers: plain facts (fills, lots, entries); everything else is computed from them anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from engine.events import AnyEvent, BalanceChanged, BookChanged, OrderUpdated, Traded
from engine.kinds import (
    AccountKind,
    AccountStatus,
    CloseReason,
    OrderStatus,
    OrderType,
    Phase,
    PriceSource,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

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
    """An order and its fills. `place` is its turn in the queue of its price."""

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

    def open(self) -> bool:
        return self.status in (OrderStatus.PENDING, OrderStatus.PARTIAL)

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

    def hold_e4(self) -> int:
        """The cash that the worst that can still happen costs: nothing once it is final, nothing for a sell."""
        if self.side is Side.SELL or not self.open():
            return 0
        rest_e4 = ceil(worth(self.limit_e4, self.leaves_e8()))
        worst_fee_e4 = -(-(self.notional_e4() + rest_e4) * max(self.maker_ppm, self.taker_ppm) // 1_000_000)
        return rest_e4 + worst_fee_e4 - self.fee_e4()

    def report(self) -> OrderUpdated:
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
            hold_e4=self.hold_e4(),
            status=self.status,
            reason=self.reason,
            created_us=self.created_us,
            updated_us=self.updated_us,
            client_order_id=self.client_order_id,
            replaces_id=self.replaces_id,
            replaced_by_id=self.replaced_by_id,
            is_quote=self.is_quote,
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
        same = [lot for lot in self.lots[symbol] if lot[0] == lot_id]
        if same and self.kind is AccountKind.USER:
            same[0][1] += units_e8
            same[0][2] += cost_e4
        else:
            self.receive(symbol, lot_id, units_e8, cost_e4, since_us)
            self.lots[symbol].sort()

    def deliver(self, symbol: str, units_e8: int) -> list[tuple[int, int, int, int]]:
        """Take units from the oldest lots; returns what was taken of each, in the lot's own shape."""
        taken = []
        while units_e8:
            lot = self.lots[symbol][0]
            part_e8 = min(units_e8, lot[1])
            part_e4 = lot[2] * part_e8 // lot[1]
            taken.append((lot[0], part_e8, part_e4, lot[3]))
            lot[1] -= part_e8
            lot[2] -= part_e4
            units_e8 -= part_e8
            if lot[1] == 0:
                self.lots[symbol].pop(0)
        return taken


@dataclass
class NaiveTrade:
    """A fill, who made it by which orders, and whether it was taken back."""

    buyer: NaiveAccount
    seller: NaiveAccount
    orders: tuple[NaiveOrder, NaiveOrder]
    executed_us: int
    fill: Traded
    busted: bool = False


@dataclass
class NaiveInstrument:
    symbol: str
    currency: str
    tick_e4: int
    lot_e8: int
    price_min_e4: int
    price_max_e4: int
    calendar: str
    price_source: PriceSource
    band_bps: int
    fee_schedule: str
    reference_e4: int
    phase: Phase
    halted: bool = False
    last_e4: int = 0

    def anchor_e4(self) -> int:
        if self.price_source is PriceSource.OWN:
            return self.last_e4 or self.reference_e4
        return self.reference_e4

    def highest_e4(self, distance_bps: int) -> int:
        return self.anchor_e4() * (10_000 + distance_bps) // 10_000

    def lowest_e4(self, distance_bps: int) -> int:
        return -(-self.anchor_e4() * (10_000 - distance_bps) // 10_000)


@dataclass
class NaiveTurn:
    """One command: its ids, and what it touched, each in the order of the first touch."""

    seq: int
    now_us: int
    ids: int = 0
    events: list[AnyEvent] = field(default_factory=list)
    orders: list[NaiveOrder] = field(default_factory=list)
    levels: list[tuple[str, Side, int]] = field(default_factory=list)
    accounts: list[NaiveAccount] = field(default_factory=list)

    def new_id(self, count: int = 1) -> int:
        self.ids += count
        return self.seq * 1_000_003 + self.ids - count

    def touch(
        self,
        *,
        order: NaiveOrder | None = None,
        level_of: NaiveOrder | None = None,
        account: NaiveAccount | None = None,
    ) -> None:
        if order is not None and not any(each is order for each in self.orders):
            self.orders.append(order)
        if level_of is not None:
            level = (level_of.symbol, level_of.side, level_of.limit_e4)
            if level not in self.levels:
                self.levels.append(level)
        if account is not None and not any(each is account for each in self.accounts):
            self.accounts.append(account)

    def report(self, open_orders: list[NaiveOrder], held_e4: dict[int, int]) -> None:
        """Append what was touched, as it is now."""
        for order in self.orders:
            if order.fills or not order.is_quote:
                self.events.append(order.report())
        symbols: list[str] = []
        for symbol, _, _ in self.levels:
            if symbol not in symbols:
                symbols.append(symbol)
        for symbol in symbols:
            rows = []
            for of, side, price_e4 in self.levels:
                if of == symbol:
                    there = [
                        each
                        for each in open_orders
                        if each.resting
                        and (each.symbol, each.side, each.limit_e4) == (symbol, side, price_e4)
                    ]
                    rows.append((side, price_e4, sum(each.leaves_e8() for each in there), len(there)))
            self.events.append(BookChanged(symbol, tuple(rows)))
        for account in self.accounts:
            self.events.append(
                BalanceChanged(account.account_id, account.cash_e4, held_e4.get(account.account_id, 0))
            )
