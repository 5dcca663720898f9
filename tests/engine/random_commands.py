"""A seeded stream of commands for a small venue, mostly sensible, sometimes hostile; it looks at the naive exchange to choose."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from msgspec.structs import replace

from engine import commands as c
from engine.kinds import (
    AccountKind,
    AccountStatus,
    KillScope,
    LotMethod,
    OrderStatus,
    Phase,
    PriceSource,
    Source,
    TimerKind,
)
from tests.engine.bust_facts import facts_of
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.naive_turn import NaiveTimer
from tests.engine.random_actions import RandomActions
from tests.engine.random_orders import FEATURES, SECOND_US

START_US = 1_000 * SECOND_US
OPEN_ORDERS_MAX = 22
DAYS = 80
"""25 000 commands take about 50 of them."""

Step = tuple[c.Envelope, c.AnyCommand, int]

PLAIN = c.SetCalendar(
    "PLAIN",
    tuple(
        (START_US + (day * 130 + start) * SECOND_US, START_US + (day * 130 + start + 60) * SECOND_US)
        for day in range(DAYS)
        for start in (0, 60)
    ),
)
"""Two sessions without a break between them, then a closed book for 10 s; and so on."""

LISTINGS = (
    c.SetInstrument(
        *("AAPL", "Apple", "USD", 100, 10**6, 10_000, 10**8, 1_000_000),
        *("PLAIN", PriceSource.OWN, 1_000, "dear"),
    ),
    c.SetInstrument(
        *("TINY", "Tiny", "USD", 1, 12_345, 8_101, 10**8, 8_500),
        *("PLAIN", PriceSource.TAPE, 500, "rebate"),
    ),
    c.SetInstrument(
        *("EURX", "Euro", "EUR", 7, 10**8, 700, 7 * 10**6, 70_000),
        *("PLAIN", PriceSource.OWN, 2_000, "dear"),
    ),
)

FULL_DAY = (
    (0, Phase.PRE_OPEN),
    (4, Phase.OPENING_AUCTION),
    (9, Phase.CONTINUOUS),
    (80, Phase.CLOSING_AUCTION),
    (85, Phase.POST_TRADE),
    (88, Phase.EXTENDED),
    (98, Phase.CLOSED),
    (102, Phase.EXTENDED),
)
"""Seconds of a day and the phases that begin then. The day ends when POST_TRADE begins, or EXTENDED, or with the auction."""


def full_calendar(random: Random) -> c.SetCalendar:
    """Days of 110 s with all phases; now and then one is missing."""
    sessions, phases = [], []
    for day in range(DAYS):
        begin_us = START_US + day * 110 * SECOND_US
        close_s = random.choice((85, 88, 98))
        sessions.append((begin_us, begin_us + close_s * SECOND_US))
        for start_s, phase in FULL_DAY:
            if random.random() < 0.9:
                phases.append((begin_us + start_s * SECOND_US, phase))
    return replace(c.SetCalendar("FULL", tuple(sessions)), phases=tuple(phases))


class RandomCommands(RandomActions):
    """Commands with the time and envelope they come with, each chosen when the one before has been carried out."""

    def __init__(self, seed: int, naive: NaiveExchange, features: frozenset[str] = FEATURES) -> None:
        super().__init__(seed, naive, features)
        self.now_us = START_US
        self.count = 0
        self.sent_keys: list[tuple[c.Envelope, c.AnyCommand]] = []
        self.trader_weights = {
            self.place: 46,
            self.cancel: 12,
            self.replace: 12,
            self.quote: 12,
            self.cancel_all: 1,
            self.money: 6,
            self.bust: 1,
            self.operate: 2.5,
        }
        if "splits" in features:
            self.trader_weights[self.split] = 0.5
        if "lots" in features:
            self.trader_weights[self.lot_method] = 0.3
        if "actions" in features:
            self.trader_weights |= {self.another_symbol: 0.11, self.merger: 0.12, self.delisting: 0.06}

    def steps(self, count: int) -> Iterator[Step]:
        for command in self.opening():
            yield c.Envelope(Source.CONFIG), command, self.now_us
        told_us = self.now_us
        for index in range(count):
            self.count = index
            self.now_us += self.random.choice((0, 0, 1, 1_000, 300_000, SECOND_US))
            while (timer := self.due_timer()) is not None:
                told_us = max(told_us, timer.due_us)
                yield c.Envelope(Source.TIMER), c.FireTimer(timer.timer_id), told_us
            told_us = self.now_us
            listing = self.missing_listing()
            if listing is not None:
                yield c.Envelope(Source.CONFIG), listing, self.now_us
                for transfer in self.stock(self.naive.instruments[listing.symbol]):
                    yield c.Envelope(Source.CONFIG), transfer, self.now_us
            yield *self.next_command(), self.now_us

    def limits(
        self, quantity_max_e8: int, value_max_e4: int, orders_max: int, collar_bps: int, key_ttl_s: int
    ) -> c.SetLimits:
        limits = c.SetLimits(
            quantity_max_e8, value_max_e4, orders_max, collar_bps, 1_000, 10_000, key_ttl_s * SECOND_US
        )
        return replace(limits, gtc_max_age_us=150 * SECOND_US) if "gtd" in self.features else limits

    def due_timer(self) -> NaiveTimer | None:
        """What is due, the first first, and of those that are due together corporate actions."""
        due = [timer for timer in self.naive.timers if timer.due_us <= self.now_us]
        return min(due, key=self.place_of) if due else None

    @staticmethod
    def place_of(timer: NaiveTimer) -> tuple[int, bool, int]:
        return (timer.due_us, timer.kind is not TimerKind.CORPORATE_ACTION, timer.timer_id)

    def opening(self) -> Iterator[c.AnyCommand]:
        has_phases, random = "auctions" in self.features, self.random
        yield PLAIN
        if has_phases:
            yield full_calendar(random)
        yield c.SetFees("dear", 2_500, 9_999)
        yield c.SetFees("rebate", 0, 333)
        yield self.limits(10**12, 10**11, 20, 700, 60)
        for listing in LISTINGS:
            calendar = "FULL" if has_phases and random.random() < 0.7 else "PLAIN"
            bands: dict[str, Any] = {}
            if "halts" in self.features and random.random() < 0.5:
                bands = {"halt_bps": random.choice((6, 10, 20)), "halt_window_us": 3 * SECOND_US}
                bands |= {
                    "halt_us": random.choice((4, 15)) * SECOND_US,
                    "resume_auction": random.random() < 0.5,
                }
            self.templates += (replace(listing, calendar=calendar, **bands),)
        yield from self.templates
        for user_id in range(1, 6):
            kind = AccountKind.MARKET_MAKER if user_id <= 3 else AccountKind.USER
            yield c.OpenAccount(user_id, kind, "EUR" if user_id in (3, 4) else "USD")
        for instrument in list(self.naive.instruments.values()):
            yield from self.stock(instrument)

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

    def money(self, account_id: int) -> c.AnyCommand:
        random, instrument = self.random, self.instrument(account_id)
        amount_e4 = random.choice((-1, 0, 1, 10_000, 10**6, 10**8, 10**9))
        choice = random.randrange(10)
        if choice < 4:
            return c.Deposit(amount_e4, "CARD")
        if choice < 5:
            account = self.naive.accounts.get(account_id)
            all_e4 = self.naive.free_e4(account) if account else 0
            return c.RequestWithdrawal(random.choice((amount_e4, 10**7, all_e4, all_e4)))
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

    def lot_method(self, account_id: int) -> c.AnyCommand:
        return c.SetLotMethod(self.random.choice(list(LotMethod)))

    def bust(self, account_id: int) -> c.AnyCommand:
        """Take back a fill, mostly one of the last; now and then one that was never made like that."""
        trades = list(self.naive.trades.values())[-30:]
        if not trades:
            return self.place(account_id)
        trade = self.random.choice(trades)
        bought, sold = (
            self.naive.report(order) if self.random.random() < 0.8 else None for order in trade.orders
        )
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
        random, naive = self.random, self.naive
        symbol = random.choice(self.about_to_change() * 3 + self.symbols())
        left = self.about_to_change() if random.random() < 0.8 else []
        repairs: list[c.AnyCommand] = [
            c.SetKillSwitch(scope, target, on=False, reason="over")
            for scope, target in sorted(naive.switches)
            if target not in left
        ]
        repairs += [
            c.ResumeSymbol(each.symbol)
            for each in naive.instruments.values()
            if each.halted and each.symbol not in left
        ]
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
                self.limits(
                    random.choice((10**11, 10**12)),
                    random.choice((10**9, 10**11)),
                    random.choice((3, 20, 20, 20)),
                    random.choice((1, 300, 1_500)),
                    random.choice((20, 60)),
                ),
                c.Marks(((marked.symbol, mark_e4),)),
                c.Marks(((marked.symbol, mark_e4),)),
                c.FireTimer(random.choice((0, *(timer.timer_id for timer in naive.timers)))),
            )
        )
