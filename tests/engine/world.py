"""A small venue to write tests in: people by name, prices and quantities as decimal text, invariants after every command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from engine.apply import Applied, apply
from engine.book import BookSide
from engine.commands import (
    AnyCommand,
    CancelAll,
    CancelOrder,
    Deposit,
    Envelope,
    FireTimer,
    MassQuote,
    OpenAccount,
    PlaceOrder,
    ReplaceOrder,
    SetCalendar,
    SetFees,
    SetInstrument,
    TransferIn,
)
from engine.events import AnyEvent, OrderUpdated, Traded
from engine.invariants import check_invariants
from engine.kinds import (
    AccountKind,
    OrderClass,
    OrderStatus,
    OrderType,
    Phase,
    PriceSource,
    SelfTradePrevention,
    Side,
    Source,
    TimeInForce,
)
from engine.orders import Order
from engine.state import Account, State
from engine.status_table import REACHABLE
from engine.terms import Leg, Terms
from engine.timers import next_timer

BUY, SELL = Side.BUY, Side.SELL
DAY, GTC, IOC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
OPG, CLS = TimeInForce.OPG, TimeInForce.CLS
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
NEWEST, OLDEST = SelfTradePrevention.CANCEL_NEWEST, SelfTradePrevention.CANCEL_OLDEST
DECREMENT = SelfTradePrevention.DECREMENT

START_US = 1_000_000
ALWAYS = ((0, 10**15),)

E = TypeVar("E", bound=AnyEvent)


def e4(text: str) -> int:
    """Cash or a price from decimal text: e4("178.50") == 1785000."""
    return scaled(text, 10**4)


def e8(text: str) -> int:
    """A quantity from decimal text: e8("0.5") == 50000000."""
    return scaled(text, 10**8)


def scaled(text: str, scale: int) -> int:
    value = Decimal(text) * scale
    assert value == int(value), f"{text} has too many decimals"
    return int(value)


def stock(
    symbol: str = "AAPL",
    *,
    tick: str = "0.01",
    lot: str = "0.01",
    low: str = "1",
    high: str = "100000",
    reference: str = "100",
    band_bps: int = 2_000,
    source: PriceSource = PriceSource.OWN,
    calendar: str = "24x7",
    currency: str = "USD",
    fees: str = "std",
    halt_bps: int = 0,
    resume_auction: bool = False,
) -> SetInstrument:
    """The listing of an ordinary stock around 100."""
    return SetInstrument(
        symbol,
        symbol,
        currency,
        e4(tick),
        e8(lot),
        e4(low),
        e4(high),
        e4(reference),
        calendar,
        source,
        band_bps,
        fees,
        halt_bps,
        resume_auction=resume_auction,
    )


class World:
    """One engine state with AAPL listed, always open, and no fees unless a test wants them."""

    def __init__(
        self,
        *,
        maker_ppm: int = 0,
        taker_ppm: int = 0,
        sessions: tuple[tuple[int, int], ...] = ALWAYS,
        phases: tuple[tuple[int, Phase], ...] = (),
        listings: Sequence[SetInstrument] = (stock(),),
    ) -> None:
        self.state = State()
        self.now_us = START_US
        self.ids: dict[str, int] = {}
        self.statuses: dict[int, OrderStatus] = {}
        self.do(SetCalendar("24x7", sessions, phases))
        self.do(SetFees("std", maker_ppm, taker_ppm))
        for listing in listings:
            self.do(listing)

    def do(
        self,
        command: AnyCommand,
        who: str = "",
        *,
        key: str = "",
        digest: bytes = b"",
        principal: int = 0,
        source: Source = Source.HTTP,
    ) -> Applied:
        """Carry a command out a microsecond later; every invariant must hold after it."""
        self.now_us += 1
        envelope = Envelope(source, principal, self.ids.get(who, 0), "", key, digest)
        applied = apply(self.state, envelope, command, self.now_us)
        assert check_invariants(self.state) == []
        self.look_at(applied.events)
        return applied

    def look_at(self, events: Iterable[AnyEvent]) -> None:
        """Every report of an order says a status that the one before may have become."""
        for event in events:
            if isinstance(event, OrderUpdated):
                before = self.statuses.get(event.order_id)
                if before is not None:
                    step = f"{event.order_id}: {before.name} to {event.status.name}"
                    assert event.status in REACHABLE[before], step
                self.statuses[event.order_id] = event.status

    def advance(self, to_us: int) -> list[AnyEvent]:
        """Fire what is due until a time, as the runtime does; returns the events."""
        events: list[AnyEvent] = []
        while (timer := next_timer(self.state)) is not None and timer.due_us <= to_us:
            self.now_us = max(self.now_us, timer.due_us)
            events += self.do(FireTimer(timer.timer_id), source=Source.TIMER).events
        self.now_us = max(self.now_us, to_us)
        return events

    def open(
        self, who: str, *, cash: str = "0", shares: str = "0", maker: bool = False, currency: str = "USD"
    ) -> int:
        """Open an account, with cash and with shares of AAPL (cost 10 each)."""
        kind = AccountKind.MARKET_MAKER if maker else AccountKind.USER
        user_id = len(self.ids) + 1
        self.do(OpenAccount(user_id, kind, currency))
        account_id = self.ids[who] = self.state.account_by_user[user_id]
        if e4(cash):
            self.do(Deposit(e4(cash), "CARD"), who)
        if e8(shares):
            self.do(TransferIn(account_id, "AAPL", e8(shares), 10 * e4(shares)))
        return account_id

    def place(
        self,
        who: str,
        side: Side,
        quantity: str,
        price: str | None,
        time_in_force: TimeInForce = DAY,
        *,
        symbol: str = "AAPL",
        client_id: str = "",
        policy: SelfTradePrevention = NEWEST,
        key: str = "",
        digest: bytes = b"",
    ) -> Applied:
        """Place an order; a price of None is a MARKET order."""
        command = PlaceOrder(
            symbol,
            side,
            MARKET if price is None else LIMIT,
            e8(quantity),
            0 if price is None else e4(price),
            time_in_force,
            client_id,
            policy,
        )
        return self.do(command, who, key=key, digest=digest, principal=self.ids.get(who, 0))

    def order(
        self,
        who: str,
        side: Side,
        quantity: str,
        order_type: OrderType,
        time_in_force: TimeInForce = GTC,
        *,
        price: str = "0",
        symbol: str = "AAPL",
        client_id: str = "",
        policy: SelfTradePrevention = NEWEST,
        order_class: OrderClass = OrderClass.SIMPLE,
        legs: Sequence[Leg] = (),
        **terms: Any,
    ) -> Applied:
        """Place an order with terms. Those that are text are prices and notionals, or quantities (`display`): as e4 and e8."""
        return self.do(
            PlaceOrder(
                symbol,
                side,
                order_type,
                e8(quantity),
                e4(price),
                time_in_force,
                client_id,
                policy,
                terms_of(**terms),
                order_class,
                tuple(legs),
            ),
            who,
        )

    def of_order(self, order: OrderUpdated | int) -> Order:
        """An open order as the engine has it."""
        return self.state.orders[order if isinstance(order, int) else order.order_id]

    def buy(self, who: str, quantity: str, price: str | None, tif: TimeInForce = DAY) -> OrderUpdated:
        return self.accepted(self.place(who, BUY, quantity, price, tif))

    def sell(self, who: str, quantity: str, price: str | None, tif: TimeInForce = DAY) -> OrderUpdated:
        return self.accepted(self.place(who, SELL, quantity, price, tif))

    def cancel(self, who: str, order: OrderUpdated) -> Applied:
        return self.do(CancelOrder(order.order_id), who)

    def cancel_all(self, who: str, symbol: str = "") -> Applied:
        return self.do(CancelAll(symbol), who)

    def replace(
        self, who: str, order: OrderUpdated, *, quantity: str = "0", price: str = "0", client_id: str = ""
    ) -> Applied:
        return self.do(ReplaceOrder(order.order_id, e8(quantity), e4(price), client_id), who)

    def quote(
        self, who: str, bids: Sequence[tuple[str, str]], asks: Sequence[tuple[str, str]], symbol: str = "AAPL"
    ) -> Applied:
        """Quote (quantity, price) pairs, best first."""
        sides = [tuple((e4(price), e8(quantity)) for quantity, price in pairs) for pairs in (bids, asks)]
        return self.do(MassQuote(symbol, sides[0], sides[1]), who)

    def accepted(self, applied: Applied) -> OrderUpdated:
        """The order that answers an accepted command."""
        (answer,) = applied.answer
        assert isinstance(answer, OrderUpdated), answer
        return answer

    def account(self, who: str) -> Account:
        return self.state.accounts[self.ids[who]]

    def cash(self, who: str) -> tuple[str, str]:
        """Cash, and what of it is held, as text."""
        account = self.account(who)
        return shown(account.cash_e4, 10**4), shown(account.held_e4, 10**4)

    def shares(self, who: str, symbol: str = "AAPL") -> tuple[str, str]:
        """Units, and how many of them are promised to open sells, as text."""
        position = self.account(who).positions[symbol]
        return shown(position.units_e8, 10**8), shown(position.held_e8, 10**8)

    def book(self, symbol: str = "AAPL") -> tuple[list[str], list[str]]:
        """Bids and asks, best first, each level as "quantity@price" and, from two orders on, "xcount"."""
        book = self.state.books[symbol]
        return levels_of(book.bids), levels_of(book.asks)


def terms_of(**terms: Any) -> Terms:
    """Terms by short names: stop="99" is stop_e4, display="5" is display_e8; others as they are."""
    named: dict[str, Any] = {}
    for name, value in terms.items():
        if isinstance(value, str):
            named[f"{name}_e8" if name == "display" else f"{name}_e4"] = (e8 if name == "display" else e4)(
                value
            )
        else:
            named[name] = value
    return Terms(**named)


def levels_of(side: BookSide) -> list[str]:
    return [
        f"{shown(level.quantity_e8, 10**8)}@{shown(level.price_e4, 10**4)}"
        + (f"x{level.count}" if level.count > 1 else "")
        for level in side.best_first()
    ]


def shown(value: int, scale: int) -> str:
    """A scaled integer as short decimal text: shown(1785000, 10**4) == "178.5"."""
    return f"{(Decimal(value) / scale).normalize():f}"


def of_kind(applied: Applied, kind: type[E]) -> list[E]:
    """The events of one kind."""
    return [event for event in applied.events if isinstance(event, kind)]


def fills(applied: Applied) -> list[str]:
    """The trades of a command as "quantity@price"."""
    return [
        f"{shown(trade.quantity_e8, 10**8)}@{shown(trade.price_e4, 10**4)}"
        for trade in of_kind(applied, Traded)
    ]


def refusal(applied: Applied) -> str:
    """The refusal's name, or "accepted"."""
    return applied.refused.refusal.name if applied.refused else "accepted"
