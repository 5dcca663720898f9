"""A state machine over the public commands: hypothesis looks for a short sequence after which the engine and the reference differ."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine import commands as c
from engine.kinds import (
    AccountStatus,
    KillScope,
    OrderClass,
    OrderType,
    SelfTradePrevention,
    Side,
    Source,
    TimeInForce,
)
from engine.terms import Leg, Terms
from tests.engine.both_exchanges import Both
from tests.engine.naive_records import NaiveOrder
from tests.engine.naive_turn import NaiveInstrument
from tests.engine.random_commands import START_US, RandomCommands
from tests.engine.random_orders import SECOND_US

PEOPLE = st.integers(0, 4)
SYMBOLS = st.sampled_from(("AAPL", "TINY", "EURX"))
SIDES = st.sampled_from(Side)
TICKS = st.integers(-6, 6)
LOTS = st.sampled_from((1, 2, 3, 10, 400, 20_000))
TIMES = st.sampled_from(TimeInForce)
POLICIES = st.sampled_from(SelfTradePrevention)
STOP_TYPES = st.sampled_from((OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP))
ORDERS = st.integers(0, 40)


class ExchangeMachine(RuleBasedStateMachine):
    """Five people, three instruments, prices within a few ticks; every rule is one command, checked in full."""

    def __init__(self) -> None:
        super().__init__()
        self.both = Both()
        self.now_us = START_US

    @initialize(seed=st.integers(0, 7))
    def open_venue(self, seed: int) -> None:
        """Calendars, instruments and accounts as the random commands have them."""
        for command in RandomCommands(seed, self.both.naive).opening():
            self.tell(c.Envelope(Source.CONFIG), command)
        for who in range(5):
            self.do(who, c.Deposit(10**7, "CARD"))

    # -- carrying out

    def tell(self, envelope: c.Envelope, command: c.AnyCommand) -> None:
        problems = self.both.problems((envelope, command, self.now_us))
        assert not problems, "\n".join([repr(command), *problems])

    def do(self, who: int, command: c.AnyCommand) -> None:
        account_id = list(self.both.naive.accounts)[who]
        self.tell(c.Envelope(Source.HTTP, account_id, account_id), command)

    def instrument(self, symbol: str) -> NaiveInstrument:
        return self.both.naive.instruments[symbol]

    def price_e4(self, symbol: str, ticks: int) -> int:
        """So many ticks from the reference."""
        instrument = self.instrument(symbol)
        return instrument.on_tick_e4() + ticks * instrument.tick_e4

    def order(self, index: int) -> NaiveOrder | None:
        orders = [order for order in self.both.naive.orders if not order.is_quote]
        return orders[index % len(orders)] if orders else None

    def owner_of(self, order: NaiveOrder) -> int:
        return list(self.both.naive.accounts).index(order.account_id)

    def place(self, who: int, symbol: str, side: Side, order_type: OrderType, lots: int, **rest: Any) -> None:
        quantity_e8 = lots * self.instrument(symbol).lot_e8
        price_e4 = rest.pop("price_e4", 0)
        time_in_force = rest.pop("time_in_force", TimeInForce.DAY)
        command = c.PlaceOrder(symbol, side, order_type, quantity_e8, price_e4, time_in_force, **rest)
        self.do(who, command)

    # -- orders

    @rule(who=PEOPLE, symbol=SYMBOLS, side=SIDES, ticks=TICKS, lots=LOTS, tif=TIMES, policy=POLICIES)
    def limit(
        self, who: int, symbol: str, side: Side, ticks: int, lots: int, tif: TimeInForce, policy: Any
    ) -> None:
        terms = Terms(expires_us=self.now_us + 3 * SECOND_US) if tif is TimeInForce.GTD else None
        self.place(
            *(who, symbol, side, OrderType.LIMIT, lots),
            price_e4=self.price_e4(symbol, ticks),
            time_in_force=tif,
            self_trade_prevention=policy,
            terms=terms,
        )

    @rule(who=PEOPLE, symbol=SYMBOLS, side=SIDES, lots=LOTS, tif=TIMES)
    def market(self, who: int, symbol: str, side: Side, lots: int, tif: TimeInForce) -> None:
        self.place(who, symbol, side, OrderType.MARKET, lots, time_in_force=tif)

    @rule(who=PEOPLE, symbol=SYMBOLS, side=SIDES, ticks=TICKS, shown=st.integers(1, 3))
    def iceberg(self, who: int, symbol: str, side: Side, ticks: int, shown: int) -> None:
        terms = Terms(display_e8=shown * self.instrument(symbol).lot_e8)
        price_e4 = self.price_e4(symbol, ticks)
        self.place(who, symbol, side, OrderType.LIMIT, 8, price_e4=price_e4, terms=terms)

    @rule(who=PEOPLE, symbol=SYMBOLS, side=SIDES, ticks=TICKS, lots=LOTS, extended=st.booleans())
    def post_only(self, who: int, symbol: str, side: Side, ticks: int, lots: int, extended: bool) -> None:
        terms = Terms(post_only=not extended, extended_hours=extended)
        price_e4 = self.price_e4(symbol, ticks)
        self.place(who, symbol, side, OrderType.LIMIT, lots, price_e4=price_e4, terms=terms)

    @rule(who=PEOPLE, symbol=SYMBOLS, side=SIDES, notional_e4=st.integers(1, 10**6), is_limit=st.booleans())
    def notional(self, who: int, symbol: str, side: Side, notional_e4: int, is_limit: bool) -> None:
        order_type = OrderType.LIMIT if is_limit else OrderType.MARKET
        price_e4 = self.price_e4(symbol, 0) if is_limit else 0
        terms = Terms(notional_e4=notional_e4)
        self.place(who, symbol, side, order_type, 0, price_e4=price_e4, terms=terms)

    @rule(who=PEOPLE, symbol=SYMBOLS, side=SIDES, kind=STOP_TYPES, ticks=st.integers(1, 6), lots=LOTS)
    def stop(self, who: int, symbol: str, side: Side, kind: OrderType, ticks: int, lots: int) -> None:
        leg = self.stop_leg(symbol, side, kind, ticks)
        terms = Terms(stop_e4=leg.stop_e4, trail_e4=leg.trail_e4)
        self.place(who, symbol, side, kind, lots, price_e4=leg.price_e4, terms=terms)

    def stop_leg(self, symbol: str, side: Side, kind: OrderType, ticks: int) -> Leg:
        """A stop so many ticks away, on the side where it has not been reached."""
        if kind is OrderType.TRAILING_STOP:
            return Leg(kind, trail_e4=ticks * self.instrument(symbol).tick_e4)
        sign = 1 if side is Side.BUY else -1
        stop_e4 = self.price_e4(symbol, sign * ticks)
        price_e4 = self.price_e4(symbol, 2 * sign * ticks) if kind is OrderType.STOP_LIMIT else 0
        return Leg(kind, price_e4, stop_e4)

    @rule(who=PEOPLE, symbol=SYMBOLS, side=SIDES, kind=STOP_TYPES, ticks=st.integers(1, 6), lots=LOTS)
    def pair(self, who: int, symbol: str, side: Side, kind: OrderType, ticks: int, lots: int) -> None:
        sign = -1 if side is Side.BUY else 1
        self.place(
            *(who, symbol, side, OrderType.LIMIT, lots),
            price_e4=self.price_e4(symbol, sign * ticks),
            order_class=OrderClass.OCO,
            legs=(self.stop_leg(symbol, side, kind, ticks),),
        )

    @rule(
        who=PEOPLE,
        symbol=SYMBOLS,
        side=SIDES,
        kind=STOP_TYPES,
        ticks=TICKS,
        away=st.integers(1, 4),
        lots=LOTS,
        legs=st.sampled_from((1, 2, 3)),
    )
    def bracket(
        self, who: int, symbol: str, side: Side, kind: OrderType, ticks: int, away: int, lots: int, legs: int
    ) -> None:
        other, sign = (Side.SELL, 1) if side is Side.BUY else (Side.BUY, -1)
        profit = Leg(OrderType.LIMIT, self.price_e4(symbol, sign * away))
        both = (profit, self.stop_leg(symbol, other, kind, away))
        chosen = {1: both[:1], 2: both[1:], 3: both}[legs]
        self.place(
            *(who, symbol, side, OrderType.LIMIT, lots),
            price_e4=self.price_e4(symbol, ticks),
            order_class=OrderClass.BRACKET if legs == 3 else OrderClass.OTO,
            legs=chosen,
        )

    @rule(index=ORDERS)
    def cancel(self, index: int) -> None:
        order = self.order(index)
        if order is not None:
            self.do(self.owner_of(order), c.CancelOrder(order.order_id))

    @rule(index=ORDERS, lots=st.integers(0, 4), ticks=TICKS, names=st.sampled_from(("price", "stop", "")))
    def replace(self, index: int, lots: int, ticks: int, names: str) -> None:
        order = self.order(index)
        if order is None:
            return
        new_e4 = self.price_e4(order.symbol, ticks)
        quantity_e8 = lots * self.instrument(order.symbol).lot_e8
        price_e4, stop_e4 = new_e4 * (names == "price"), new_e4 * (names == "stop")
        command = c.ReplaceOrder(order.order_id, quantity_e8, price_e4, stop_e4=stop_e4)
        self.do(self.owner_of(order), command)

    @rule(who=st.integers(0, 2), symbol=SYMBOLS, ticks=TICKS, lots=LOTS, spread=st.integers(1, 3))
    def quote(self, who: int, symbol: str, ticks: int, lots: int, spread: int) -> None:
        quantity_e8 = lots * self.instrument(symbol).lot_e8
        bid_e4, ask_e4 = self.price_e4(symbol, ticks - spread), self.price_e4(symbol, ticks)
        self.do(who, c.MassQuote(symbol, ((bid_e4, quantity_e8),), ((ask_e4, quantity_e8),)))

    # -- time, operators and money

    @rule(seconds=st.sampled_from((0.000_001, 0.5, 2, 5, 30)))
    def wait(self, seconds: float) -> None:
        """Time goes by; what is due is fired when it is."""
        until_us = self.now_us + round(seconds * SECOND_US)
        while due := [timer for timer in self.both.naive.timers if timer.due_us <= until_us]:
            timer = min(due, key=lambda timer: (timer.due_us, timer.timer_id))
            self.now_us = max(self.now_us, timer.due_us)
            self.tell(c.Envelope(Source.TIMER), c.FireTimer(timer.timer_id))
        self.now_us = until_us

    @rule(symbol=SYMBOLS, ticks=TICKS)
    def mark(self, symbol: str, ticks: int) -> None:
        self.do(0, c.Marks(((symbol, self.price_e4(symbol, ticks)),)))

    @rule(symbol=SYMBOLS)
    def halt_or_resume(self, symbol: str) -> None:
        is_halted = self.instrument(symbol).halted
        self.do(0, c.ResumeSymbol(symbol) if is_halted else c.HaltSymbol(symbol, "news"))

    @rule(scope=st.sampled_from(KillScope), who=PEOPLE, symbol=SYMBOLS)
    def kill(self, scope: KillScope, who: int, symbol: str) -> None:
        """A switch that is on goes off."""
        switches = sorted(self.both.naive.switches)
        if switches:
            self.do(who, c.SetKillSwitch(*switches[0], on=False, reason="over"))
            return
        account_id = list(self.both.naive.accounts)[who]
        target = {KillScope.MARKET: "", KillScope.SYMBOL: symbol, KillScope.ACCOUNT: str(account_id)}[scope]
        self.do(who, c.SetKillSwitch(scope, target, on=True, reason="test"))

    @rule(who=PEOPLE, disabled=st.booleans())
    def set_status(self, who: int, disabled: bool) -> None:
        status = AccountStatus.DISABLED if disabled else AccountStatus.ACTIVE
        account_id = list(self.both.naive.accounts)[who]
        self.do(who, c.SetAccountStatus(account_id, status, "test"))

    @rule(who=PEOPLE, amount_e4=st.sampled_from((1, 10**6, 10**9)), pays_in=st.booleans())
    def money(self, who: int, amount_e4: int, pays_in: bool) -> None:
        self.do(who, c.Deposit(amount_e4, "CARD") if pays_in else c.RequestWithdrawal(amount_e4))

    @rule(who=PEOPLE)
    def cancel_all(self, who: int) -> None:
        self.do(who, c.CancelAll(""))

    def teardown(self) -> None:
        """What both have in the end."""
        assert self.both.last_problems() == []
