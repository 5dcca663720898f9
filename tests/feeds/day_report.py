"""What came of a trading day, counted from its events alone, and whether it adds up with the state in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct

from engine.apply import Applied
from engine.commands import AnyCommand, PlaceOrder
from engine.events import (
    DayEnded,
    DaySettled,
    Indicative,
    OrderUpdated,
    PhaseChanged,
    Refused,
    SettlementDue,
    Traded,
)
from engine.kinds import OrderStatus, OrderType, Phase
from engine.state import FEES_ACCOUNT_ID, Account, State
from engine.units import notional_down_e4

AUCTIONS = {Phase.OPENING_AUCTION: "opening", Phase.CLOSING_AUCTION: "closing"}
STOPS = (OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


class PhaseFigures(Struct):
    """Of the commands that came while a phase ruled: orders, fills, volume, notional. A call's fills are its auction's."""

    orders: int = 0
    refused: int = 0
    fills: int = 0
    volume_e8: int = 0
    notional_e4: int = 0


class Auction(Struct):
    """An auction as it was said and as it came."""

    said: tuple[int, int, int] = (0, 0, 0)
    prices_e4: set[int] = set()
    volume_e8: int = 0
    fills: int = 0


class DayReport:
    """Figures by phase, auctions, orders by how they ended, and what each account bought, sold and paid."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.phases: dict[Phase, PhaseFigures] = {}
        self.auctions: dict[str, Auction] = {}
        self.orders: dict[int, OrderUpdated] = {}
        self.cash_e4: Counter[int] = Counter()
        self.units_e8: Counter[int] = Counter()
        self.filled_e8: Counter[int] = Counter()
        self.due_e4: Counter[int] = Counter()
        self.settles: set[int] = set()
        self.settled: list[int] = []
        self.fees_e4 = 0
        self.refusals: Counter[str] = Counter()
        self.fired = 0
        self.day_ends: list[DayEnded] = []
        self.last_e4 = 0
        self.problems: list[str] = []

    def take(self, phase: Phase, command: AnyCommand, applied: Applied) -> None:
        """Count a command that came while a phase ruled."""
        figures = self.phases.setdefault(phase, PhaseFigures())
        figures.orders += isinstance(command, PlaceOrder)
        for event in applied.events:
            if isinstance(event, Traded):
                self.take_fill(phase, figures, event)
            elif isinstance(event, OrderUpdated):
                known = self.orders.get(event.order_id)
                if known is not None and known.status is OrderStatus.HELD and event.special is not None:
                    self.fired += event.special.triggered_us == applied.now_us
                self.orders[event.order_id] = event
            elif isinstance(event, Refused):
                figures.refused += 1
                self.refusals[event.refusal.name] += 1
            elif isinstance(event, Indicative) and not self.day_ends:
                said = (event.price_e4, event.volume_e8, event.imbalance_e8)
                self.auctions.setdefault(AUCTIONS[phase], Auction()).said = said
            elif isinstance(event, DayEnded):
                self.day_ends.append(event)
            elif isinstance(event, SettlementDue):
                self.due_e4[event.buy_account_id] += event.buy_amount_e4
                self.due_e4[event.sell_account_id] += event.sell_amount_e4
                self.settles.add(event.settlement_day)
            elif isinstance(event, DaySettled):
                self.settled.append(event.settlement_day)
            elif isinstance(event, PhaseChanged) and event.phase in AUCTIONS:
                self.auctions.setdefault(AUCTIONS[event.phase], Auction())

    def take_fill(self, phase: Phase, figures: PhaseFigures, fill: Traded) -> None:
        """Count a fill on both sides."""
        figures.fills += 1
        figures.volume_e8 += fill.quantity_e8
        figures.notional_e4 += fill.notional_e4
        if phase in AUCTIONS and not self.day_ends:
            auction = self.auctions[AUCTIONS[phase]]
            auction.prices_e4.add(fill.price_e4)
            auction.volume_e8 += fill.quantity_e8
            auction.fills += 1
        if fill.notional_e4 != notional_down_e4(fill.price_e4, fill.quantity_e8):
            self.problems.append(f"fill {fill.trade_id} is not worth its price times its size")
        self.cash_e4[fill.buy_account_id] -= fill.notional_e4 + fill.buy_fee_e4
        self.cash_e4[fill.sell_account_id] += fill.notional_e4 - fill.sell_fee_e4
        self.units_e8[fill.buy_account_id] += fill.quantity_e8
        self.units_e8[fill.sell_account_id] -= fill.quantity_e8
        self.filled_e8[fill.buy_order_id] += fill.quantity_e8
        self.filled_e8[fill.sell_order_id] += fill.quantity_e8
        self.fees_e4 += fill.buy_fee_e4 + fill.sell_fee_e4
        self.last_e4 = fill.price_e4

    @property
    def volume_e8(self) -> int:
        """All that was traded."""
        return sum(each.volume_e8 for each in self.phases.values())

    def close(self, state: State, started: Mapping[int, tuple[int, int]]) -> None:
        """Hold what the fills say against the state, and against what everybody started with."""
        for account_id, (cash_e4, units_e8) in started.items():
            self.problems.extend(self.account_problems(state.accounts[account_id], cash_e4, units_e8))
        self.problems.extend(self.sum_problems(state))
        for name, auction in self.auctions.items():
            if len(auction.prices_e4) > 1:
                self.problems.append(f"the {name} auction had the prices {sorted(auction.prices_e4)}")
            if {auction.said[0]} != auction.prices_e4 or auction.said[1] != auction.volume_e8:
                self.problems.append(f"the {name} auction was not what had been said: {auction.said}")

    def account_problems(self, account: Account, cash_e4: int, units_e8: int) -> Iterator[str]:
        """An account that began with this cash and these units has what its fills made of them, and holds for its orders."""
        name, position = f"account {account.account_id}", account.positions[self.symbol]
        if account.cash_e4 != cash_e4 + self.cash_e4[account.account_id]:
            yield f"{name} has {account.cash_e4} in cash, by its fills another sum"
        if position.units_e8 != units_e8 + self.units_e8[account.account_id]:
            yield f"{name} has {position.units_e8} units, by its fills others"
        if (account.held_e4, position.held_e8) != self.still_held(account.account_id):
            yield f"{name} holds what no open order needs"

    def sum_problems(self, state: State) -> Iterator[str]:
        """Orders, fills, shares, cash, fees and the close agree with each other."""
        for order_id, filled_e8 in self.filled_e8.items():
            if order_id not in self.orders or self.orders[order_id].filled_e8 != filled_e8:
                yield f"order {order_id} says another quantity than its fills"
        if sum(self.filled_e8.values()) != 2 * self.volume_e8:
            yield "what buyers and sellers have is not twice the volume"
        if sum(self.units_e8.values()) or sum(self.cash_e4.values()) != -self.fees_e4:
            yield "shares or cash were made or lost"
        if state.outside.get((FEES_ACCOUNT_ID, "USD"), 0) != self.fees_e4:
            yield "the fees are not where they belong"
        if {order_id for order_id, each in self.orders.items() if each.is_open} != set(state.orders):
            yield "what is open by the reports is not what is open"
        if self.day_ends[0].previous_close_e4 != max(self.auctions["closing"].prices_e4):
            yield "the day did not end with its closing auction's price"
        if self.due_e4 != self.cash_e4:
            yield "what was due at settlement is not what the fills came to"
        if [*self.settles] != self.settled or any(each.unsettled_e4 for each in state.accounts.values()):
            yield f"due were the days {self.settles}, settled {self.settled}"

    def still_held(self, account_id: int) -> tuple[int, int]:
        """What the account's open orders hold by their last reports: cash, and units of sells."""
        mine = [each for each in self.orders.values() if each.account_id == account_id and each.is_open]
        sells = [each for each in mine if each.side.name == "SELL"]
        return sum(each.hold_e4 for each in mine), sum(each.quantity_e8 - each.filled_e8 for each in sells)

    def ends(self) -> Counter[str]:
        """How many orders stand how, by status and reason."""
        return Counter(
            each.status.name + (f" {each.reason.name}" if each.reason else "")
            for each in self.orders.values()
            if not each.is_quote
        )

    def stops(self) -> Counter[str]:
        """The same of stops alone."""
        return Counter(
            each.status.name + (f" {each.reason.name}" if each.reason else "")
            for each in self.orders.values()
            if each.order_type in STOPS
        )

    def text(self) -> str:
        """The report to read."""
        lines = [f"{'phase':<16} {'orders':>7} {'refused':>7} {'fills':>7} {'volume':>12} {'notional':>18}"]
        for phase, each in self.phases.items():
            if phase is Phase.CLOSED and not each.orders:
                continue
            lines.append(
                f"{phase.name:<16} {each.orders:>7} {each.refused:>7} {each.fills:>7} {each.volume_e8 / 1e8:>12,.0f}"
                f" {each.notional_e4 / 1e4:>18,.2f}"
            )
        lines.append(f"{'all':<16} {'':>7} {'':>7} {'':>7} {self.volume_e8 / 1e8:>12,.0f}")
        for name, auction in self.auctions.items():
            price_e4 = max(auction.prices_e4, default=0)
            lines.append(
                f"{name}: {auction.volume_e8 / 1e8:,.0f} at {price_e4 / 1e4:.2f} in {auction.fills} fills; said before:"
                f" {auction.said[1] / 1e8:,.0f} at {auction.said[0] / 1e4:.2f}, imbalance {auction.said[2] / 1e8:+,.0f}"
            )
        lines.append(f"stops fired: {self.fired}; " + listed(self.stops()))
        lines.append("orders: " + listed(self.ends()))
        lines.append("refusals: " + (listed(self.refusals) or "none"))
        lines.append(f"settled: {', '.join(f'{moment_of_day(day):%Y-%m-%d}' for day in self.settled)}")
        lines.append(f"fees: {self.fees_e4 / 1e4:,.2f}; last price {self.last_e4 / 1e4:.2f}")
        lines.extend(
            self.problems or ["it adds up: volumes, fills, cash, shares, fees, holds, orders and settlement"]
        )
        return "\n".join(lines)


def moment_of_day(day: int) -> date:
    """The date of a day since the epoch."""
    return date(1970, 1, 1) + timedelta(days=day)


def listed(counts: Mapping[str, int]) -> str:
    """Counts in one line, in the order of their names."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
