"""A seeded stream of commands for a small venue, mostly sensible, sometimes hostile; it looks at the naive exchange to choose."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from msgspec.structs import replace

from engine import commands as c
from engine.kinds import (
    AccountKind,
    AccountStatus,
    KillScope,
    OrderStatus,
    OrderType,
    PriceSource,
    SelfTradePrevention,
    Side,
    Source,
    TimeInForce,
)
from tests.engine.bust_facts import facts_of
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.naive_records import NaiveAccount, NaiveInstrument, NaiveOrder

SECOND_US = 10**6
START_US = 1_000 * SECOND_US
OPEN_ORDERS_MAX = 30
LOTS_MAX = 4
SYMBOLS = ("AAPL", "TINY", "EURX", "NOPE")

Step = tuple[c.Envelope, c.AnyCommand, int]

SESSIONS = tuple(
    session
    for day in range(200)
    for session in (
        (START_US + day * 900 * SECOND_US, START_US + (day * 900 + 400) * SECOND_US),
        (START_US + (day * 900 + 400) * SECOND_US, START_US + (day * 900 + 850) * SECOND_US),
    )
)
"""Two sessions without a break between them, then a closed book for 50 s; and so on."""


class RandomCommands:
    """Commands with the time and envelope they come with, each chosen when the one before has been carried out."""

    def __init__(self, seed: int, naive: NaiveExchange) -> None:
        self.random = Random(seed)
        self.naive = naive
        self.now_us = START_US
        self.count = 0
        self.sent_keys: list[tuple[c.Envelope, c.AnyCommand]] = []
        self.trader_weights = {
            self.place: 46,
            self.cancel: 16,
            self.replace: 10,
            self.quote: 12,
            self.cancel_all: 1,
            self.money: 6,
            self.bust: 1,
            self.operate: 2.5,
        }

    def steps(self, count: int) -> Iterator[Step]:
        for command in self.opening():
            yield c.Envelope(Source.CONFIG), command, self.now_us
        for index in range(count):
            self.count = index
            self.now_us += self.random.choice((0, 0, 1, 1_000, 300_000, SECOND_US))
            timer = self.naive.timer
            if timer is not None and timer[1] <= self.now_us:
                yield c.Envelope(Source.TIMER), c.FireTimer(timer[0]), self.now_us
            yield *self.next_command(), self.now_us

    def opening(self) -> Iterator[c.AnyCommand]:
        yield c.SetCalendar("XNYS", SESSIONS)
        yield c.SetFees("dear", 2_500, 9_999)
        yield c.SetFees("rebate", 0, 333)
        yield c.SetLimits(10**12, 10**11, 12, 700, 1_000, 10_000, 60 * SECOND_US)
        yield c.SetInstrument(
            "AAPL",
            "Apple",
            "USD",
            100,
            10**6,
            10_000,
            10**8,
            1_000_000,
            "XNYS",
            PriceSource.OWN,
            1_000,
            "dear",
        )
        yield c.SetInstrument(
            "TINY", "Tiny", "USD", 1, 12_345, 8_101, 10**8, 8_500, "XNYS", PriceSource.TAPE, 500, "rebate"
        )
        yield c.SetInstrument(
            "EURX", "Euro", "EUR", 7, 10**8, 700, 7 * 10**6, 70_000, "XNYS", PriceSource.OWN, 2_000, "dear"
        )
        for user_id in range(1, 7):
            kind = AccountKind.MARKET_MAKER if user_id <= 4 else AccountKind.USER
            yield c.OpenAccount(user_id, kind, "EUR" if user_id in (4, 6) else "USD")
        for account in list(self.naive.accounts.values()):
            for instrument in self.naive.instruments.values():
                if account.currency == instrument.currency:
                    units_e8 = 10_000 * instrument.lot_e8
                    yield c.TransferIn(account.account_id, instrument.symbol, units_e8, 10**6)

    def next_command(self) -> tuple[c.Envelope, c.AnyCommand]:
        random = self.random
        command: c.AnyCommand
        if self.sent_keys and random.random() < 0.02:
            envelope, command = random.choice(self.sent_keys[-30:])
            if random.random() < 0.2:
                envelope = c.Envelope(
                    envelope.source, envelope.principal, envelope.account_id, "", envelope.key, b"x"
                )
            return envelope, command
        account_id = random.choice(list(self.naive.accounts))
        if random.random() < 0.003:
            account_id = 1
        if len(self.naive.orders) > OPEN_ORDERS_MAX:
            command = c.CancelAll("")
            account_id = random.choice(self.naive.orders).account_id
        else:
            choose = random.choices(list(self.trader_weights), weights=list(self.trader_weights.values()))[0]
            command = choose(account_id)
        if random.random() < 0.95:
            return c.Envelope(Source.HTTP, account_id, account_id), command
        envelope = c.Envelope(Source.HTTP, account_id, account_id, "", f"key{self.count}", b"digest")
        self.sent_keys.append((envelope, command))
        return envelope, command

    def instrument(self, account_id: int = 0) -> NaiveInstrument:
        """An instrument, mostly one that the account has the currency for."""
        instruments = list(self.naive.instruments.values())
        account = self.naive.accounts.get(account_id)
        if account is not None and self.random.random() < 0.98:
            instruments = [each for each in instruments if each.currency == account.currency]
        return self.random.choice(instruments)

    def price_e4(self, instrument: NaiveInstrument) -> int:
        random = self.random
        if random.random() < 0.02:
            return random.choice((0, -5, 1, 10**8, 10**13, instrument.anchor_e4() * 2))
        ticks = round(instrument.anchor_e4() / instrument.tick_e4) + round(random.gauss(0, 5))
        return ticks * instrument.tick_e4 + (random.random() < 0.01)

    def quantity_e8(self, instrument: NaiveInstrument) -> int:
        random = self.random
        if random.random() < 0.02:
            return random.choice((0, -1, instrument.lot_e8 + 1, 10**12, 2 * 10**12, 10**18))
        return instrument.lot_e8 * random.choice((1, 2, 3, 7, 40, 333, 1_000, 20_000))

    def client_id(self) -> str:
        return f"c{self.random.randrange(400)}" if self.random.random() < 0.1 else ""

    def place(self, account_id: int) -> c.AnyCommand:
        random, instrument = self.random, self.instrument(account_id)
        account = self.naive.accounts.get(account_id)
        if account is not None and len(account.lots.get(instrument.symbol, ())) > LOTS_MAX:
            return self.sell_out(account, instrument)
        is_market = random.random() < 0.12
        return c.PlaceOrder(
            "NOPE" if random.random() < 0.003 else instrument.symbol,
            random.choice((Side.BUY, Side.SELL)),
            OrderType.MARKET if is_market else OrderType.LIMIT,
            self.quantity_e8(instrument),
            int(random.random() < 0.01) if is_market else self.price_e4(instrument),
            random.choice((*[TimeInForce.DAY] * 3, *[TimeInForce.GTC] * 3, TimeInForce.IOC, TimeInForce.FOK)),
            self.client_id(),
            random.choice(list(SelfTradePrevention)),
        )

    def sell_out(self, account: NaiveAccount, instrument: NaiveInstrument) -> c.AnyCommand:
        """Sell as much as one may at almost any price, so that few lots are left to check after each command."""
        quantity_e8 = max(min(self.naive.free_e8(account, instrument.symbol), 10**11), instrument.lot_e8)
        quantity_e8 -= quantity_e8 % instrument.lot_e8
        price_e4 = instrument.anchor_e4() * 97 // 100 // instrument.tick_e4 * instrument.tick_e4
        return c.PlaceOrder(
            instrument.symbol, Side.SELL, OrderType.LIMIT, quantity_e8, price_e4, TimeInForce.IOC
        )

    def some_order(self, account_id: int) -> NaiveOrder | None:
        """One of the account's own orders; now and then anybody's."""
        orders = [
            order
            for order in self.naive.orders
            if order.account_id == account_id or self.random.random() < 0.005
        ]
        return self.random.choice(orders) if orders else None

    def cancel(self, account_id: int) -> c.AnyCommand:
        order = self.some_order(account_id)
        if order is None and self.random.random() < 0.9:
            return self.place(account_id)
        return c.CancelOrder(order.order_id if order else self.random.choice((0, -1, 2**20)))

    def cancel_all(self, account_id: int) -> c.AnyCommand:
        return c.CancelAll(self.random.choice(("", *SYMBOLS)))

    def replace(self, account_id: int) -> c.AnyCommand:
        order = self.some_order(account_id)
        if order is None:
            return c.ReplaceOrder(17, 0, 0) if self.random.random() < 0.1 else self.place(account_id)
        instrument, random = self.naive.instruments[order.symbol], self.random
        smaller_e8 = order.quantity_e8 - instrument.lot_e8 * random.randrange(5)
        quantity_e8 = random.choice((0, smaller_e8, smaller_e8, self.quantity_e8(instrument)))
        price_e4 = random.choice((0, 0, order.price_e4, self.price_e4(instrument)))
        return c.ReplaceOrder(order.order_id, quantity_e8, price_e4, self.client_id())

    def quote(self, account_id: int) -> c.AnyCommand:
        random = self.random
        makers = [each for each in self.naive.accounts.values() if each.kind is AccountKind.MARKET_MAKER]
        instrument = self.instrument(account_id)
        if account_id not in [maker.account_id for maker in makers] and random.random() < 0.9:
            return self.place(account_id)
        middle_e4 = self.price_e4(instrument)
        step_e4 = instrument.tick_e4 * random.choice((1, 2))
        bids = [
            (middle_e4 - (1 + index) * step_e4, self.quantity_e8(instrument))
            for index in range(random.randrange(4))
        ]
        asks = [
            (middle_e4 + index * step_e4, self.quantity_e8(instrument))
            for index in range(random.randrange(4))
        ]
        if random.random() < 0.02:
            asks, bids = bids, asks
        return c.MassQuote(instrument.symbol, tuple(bids), tuple(asks))

    def money(self, account_id: int) -> c.AnyCommand:
        random, instrument = self.random, self.instrument(account_id)
        amount_e4 = random.choice((-1, 0, 1, 10_000, 10**6, 10**8, 10**9))
        choice = random.randrange(10)
        if choice < 4:
            return c.Deposit(amount_e4, "CARD")
        if choice < 5:
            return c.RequestWithdrawal(random.choice((amount_e4, 10**7)))
        if choice < 7:
            return c.SettleWithdrawal(random.choice([*self.naive.withdrawals, 5]), random.random() < 0.6)
        if choice < 8:
            amount_e4 *= random.choice((-1, 1))
            return c.AdjustCash(random.choice((account_id, account_id, 4)), amount_e4, "adj_7")
        return c.TransferIn(
            random.choice((account_id, account_id, account_id, 3)),
            random.choice((instrument.symbol,) * 20 + ("NOPE",)),
            self.quantity_e8(instrument),
            random.choice((amount_e4, 777)),
        )

    def bust(self, account_id: int) -> c.AnyCommand:
        """Take back a fill, mostly one of the last; now and then one that was never made like that."""
        trades = list(self.naive.trades.values())[-30:]
        if not trades:
            return self.place(account_id)
        trade = self.random.choice(trades)
        bought, sold = (order.report() if self.random.random() < 0.8 else None for order in trade.orders)
        facts = facts_of(trade.fill, trade.executed_us, buy_order=bought, sell_order=sold)
        if self.random.random() < 0.8:
            return facts
        wrongs: list[dict[str, object]] = [
            {"trade_id": 10**15},
            {"trade_id": 0},
            {"symbol": "NOPE"},
            {"buy_account_id": 3},
            {"sell_account_id": facts.buy_account_id},
            {"notional_e4": facts.notional_e4 + 1},
            {"quantity_e8": 0, "notional_e4": 0},
            {"buy_fee_e4": 10**15},
            {"sell_fee_e4": -1},
            {"sold_lots": facts.sold_lots * 2},
            {"sold_lots": ((facts.trade_id, facts.quantity_e8, 0, 0),)},
            {"sell_fee_e4": facts.notional_e4 + 1},
            {"buy_order": bought and replace(bought, status=OrderStatus.PARTIAL)},
            {"sell_order": sold and replace(sold, account_id=3)},
        ]
        return replace(facts, **self.random.choice(wrongs))

    def operate(self, account_id: int) -> c.AnyCommand:
        """What operators do; what was stopped is mostly started again soon."""
        random, naive, symbol = self.random, self.naive, self.random.choice(SYMBOLS)
        repairs: list[c.AnyCommand] = [
            c.SetKillSwitch(scope, target, on=False, reason="over")
            for scope, target in sorted(naive.switches)
        ]
        repairs += [c.ResumeSymbol(each.symbol) for each in naive.instruments.values() if each.halted]
        repairs += [
            c.SetAccountStatus(each.account_id, AccountStatus.ACTIVE, "cleared")
            for each in naive.accounts.values()
            if each.status is AccountStatus.DISABLED
        ]
        if repairs and random.random() < 0.8:
            return random.choice(repairs)
        scope = random.choice(list(KillScope))
        target = {KillScope.MARKET: "", KillScope.SYMBOL: symbol, KillScope.ACCOUNT: str(account_id)}[scope]
        marked = self.instrument(account_id)
        step_e4 = marked.tick_e4 * random.randrange(-20, 21)
        mark_e4 = min(max(marked.anchor_e4() + step_e4, 1), marked.price_max_e4)
        return random.choice(
            (
                c.HaltSymbol(symbol, "news"),
                c.ResumeSymbol(symbol),
                c.SetKillSwitch(scope, target, on=random.random() < 0.7, reason="test"),
                c.SetAccountStatus(random.choice((account_id, 9)), AccountStatus.DISABLED, "test"),
                c.SetFees(random.choice(("dear", "rebate")), random.choice((0, 1, 100_000)), 1_234),
                c.SetLimits(
                    random.choice((10**11, 10**12)),
                    random.choice((10**9, 10**11)),
                    random.choice((3, 12)),
                    random.choice((1, 300, 1_500)),
                    1_000,
                    10_000,
                    random.choice((20, 60)) * SECOND_US,
                ),
                c.Marks(((marked.symbol, mark_e4),)),
                c.Marks(((marked.symbol, mark_e4),)),
                c.FireTimer(random.choice((0, naive.timer[0] if naive.timer else 1))),
            )
        )
