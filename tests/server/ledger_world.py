"""A small venue for tests of the write-behind: a real engine, journal and database, without the border."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from config.settings import WriteBehindSettings
from engine.apply import ENGINE_VERSION, Applied
from engine.commands import (
    AnyCommand,
    CancelOrder,
    DeclareDividend,
    Deposit,
    Envelope,
    MassQuote,
    OpenAccount,
    PlaceOrder,
    RequestWithdrawal,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetLotMethod,
    SettleWithdrawal,
    TransferIn,
)
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind, ActionStage
from engine.events import AccountOpened, Traded
from engine.kinds import AccountKind, LotMethod, OrderType, PriceSource, Side, Source, TimeInForce
from engine.state import State
from engine.units import MINUTE_US
from server.disk import Disk
from server.exit_codes import ExitCode
from server.journal import Journal
from server.poison import PoisonBox
from server.recovery import load_state
from server.replay import replay
from server.runtime import Runtime
from server.watermark import Watermark, claim
from server.write_behind import WriteBehind
from tests.engine.bust_facts import facts_of

JOURNAL_ID = bytes(range(16))
START_US = 1_700_000_000_000_000
UNIT_E8 = 100_000_000
SYMBOLS = ("AAPL", "TSLA")
SETTINGS = WriteBehindSettings(
    batch_records_max=4_096, interval_ms=5, backlog_soft_bytes=1 << 30, backlog_hard_bytes=1 << 31
)


class SteppingClock:
    """Each look at it is a millisecond after the one before."""

    def __init__(self) -> None:
        self.us = START_US

    def now_us(self) -> int:
        self.us += 1_000
        return self.us


class World:
    """Traders, a market maker and two symbols. `maker_id` quotes, `account_ids` trade."""

    def __init__(self, runtime: Runtime, write_behind: WriteBehind) -> None:
        self.runtime = runtime
        self.write_behind = write_behind
        self.instance = ""
        self.fatal: list[tuple[ExitCode, str]] = []
        self.account_ids: list[int] = []
        self.maker_id = 0
        self.fills: list[tuple[Traded, int]] = []

    @property
    def state(self) -> State:
        return self.runtime.state

    def submit(self, command: AnyCommand, account_id: int = 0, key: str = "") -> Applied:
        envelope = Envelope(Source.HTTP, account_id or 1, account_id, "req", key, b"digest" if key else b"")
        applied = self.runtime.submit(command, envelope)
        assert applied.refused is None or account_id, applied.refused
        self.fills += [(event, applied.now_us) for event in applied.events if isinstance(event, Traded)]
        return applied

    def found(self, traders: int) -> None:
        """List the symbols, open the accounts, give them cash and units. Their sales take lots in different ways."""
        self.submit(SetCalendar("ALWAYS", ((1, 10**17),)))
        self.submit(SetFees("standard", 1_000, 2_500))
        for symbol in SYMBOLS:
            terms = (100, 1_000_000, 100, 10**8, 1_000_000, "ALWAYS", PriceSource.OWN, 5_000, "standard")
            self.submit(SetInstrument(symbol, f"{symbol} Inc", "USD", *terms))
        self.maker_id = self.open_account(9_000, AccountKind.MARKET_MAKER)
        self.account_ids = [self.open_account(5_000 + n, AccountKind.USER) for n in range(traders)]
        methods = (LotMethod.FIFO, LotMethod.AVERAGE, LotMethod.HIFO, LotMethod.LIFO)
        for account_id, method in zip(self.account_ids, methods, strict=False):
            self.submit(SetLotMethod(method), account_id)

    def open_account(self, user_id: int, kind: AccountKind) -> int:
        opened = self.submit(OpenAccount(user_id, kind, "USD")).answer[0]
        assert isinstance(opened, AccountOpened)
        self.submit(Deposit(10**12, "BANK_TRANSFER"), opened.account_id)
        for symbol in SYMBOLS:
            self.submit(TransferIn(opened.account_id, symbol, 10_000 * UNIT_E8, 10**10))
        return opened.account_id

    def buy(self, account_id: int, symbol: str, price_e4: int, units: int, key: str = "") -> Applied:
        return self._place(account_id, symbol, Side.BUY, price_e4, units, key)

    def sell(self, account_id: int, symbol: str, price_e4: int, units: int, key: str = "") -> Applied:
        return self._place(account_id, symbol, Side.SELL, price_e4, units, key)

    def _place(
        self, account_id: int, symbol: str, side: Side, price_e4: int, units: int, key: str
    ) -> Applied:
        order = PlaceOrder(
            symbol, side, OrderType.LIMIT, units * UNIT_E8, price_e4, TimeInForce.GTC, key and f"c-{key}"
        )
        return self.submit(order, account_id, key)

    def trade_at_random(self, commands: int, seed: int) -> None:
        """Orders that rest, cross or go, quotes, deposits and withdrawals."""
        random = Random(seed)
        for n in range(commands):
            account_id = random.choice(self.account_ids)
            symbol = random.choice(SYMBOLS)
            dice = random.random()
            if dice < 0.30:
                mine = list(self.state.accounts[account_id].orders)
                if mine:
                    self.submit(CancelOrder(random.choice(mine)), account_id)
            elif dice < 0.34:
                price_e4 = 1_000_000 + 100 * random.randint(-20, 20)
                bids = tuple((price_e4 - 100 * (n + 1), 5 * UNIT_E8) for n in range(3))
                asks = tuple((price_e4 + 100 * (n + 1), 5 * UNIT_E8) for n in range(3))
                self.submit(MassQuote(symbol, bids, asks), self.maker_id)
            elif dice < 0.36:
                self.submit(Deposit(random.randint(1, 10**7), "CARD"), account_id)
            elif dice < 0.39:
                self.submit(RequestWithdrawal(random.randint(1, 10**7)), account_id)
            elif dice < 0.41 and self.state.withdrawals:
                withdrawal_id = random.choice(list(self.state.withdrawals))
                self.submit(SettleWithdrawal(withdrawal_id, random.random() < 0.7))
            else:
                place = self.buy if random.random() < 0.5 else self.sell
                price_e4 = 1_000_000 + 100 * random.randint(-10, 10)
                key = f"key-{seed}-{n}" if random.random() < 0.5 else ""
                place(account_id, symbol, price_e4, random.randint(1, 9), key)

    def bust_at_random(self, busts: int, seed: int) -> int:
        """Take some of the last fills back; returns how many could be."""
        random = Random(seed)
        chosen = random.sample(self.fills[-4 * busts :], busts)
        return sum(
            self.submit(facts_of(fill, executed_us), fill.buy_account_id).refused is None
            for fill, executed_us in chosen
        )

    def pay_dividend(self, dividend_id: int) -> None:
        """Recorded and paid as soon as it is declared."""
        due_us = self.runtime.now_us() + 5_000
        self.submit(DeclareDividend(dividend_id, SYMBOLS[0], 24 * 10**6, due_us, due_us))
        self.runtime.fire_due_timers(due_us)

    def clock_leap(self, seconds: int) -> None:
        """Let the clock go on by so much before the next command."""
        clock = self.runtime.clock
        assert isinstance(clock, SteppingClock)
        clock.us += seconds * 1_000_000

    def split(self, action_id: int) -> None:
        """Ten shares for three from the next minute on, so that somebody has a fraction."""
        due_us = (self.runtime.now_us() // MINUTE_US + 1) * MINUTE_US
        declared = DeclareAction(action_id, ActionKind.SPLIT, SYMBOLS[0], due_us, 10, 3)
        assert self.submit(declared).refused is None
        self.runtime.fire_due_timers(due_us)
        assert self.state.actions[action_id].stage is ActionStage.DONE

    async def written(self) -> None:
        """Everything submitted so far is in Postgres."""
        await self.runtime.wait_durable(self.state.seq)
        await self.write_behind.barrier(30.0)
        assert self.write_behind.applied_seq == self.state.seq


@asynccontextmanager
async def open_world(
    dsn: str,
    folder: Path,
    settings: WriteBehindSettings = SETTINGS,
    journal_id: bytes = JOURNAL_ID,
    disk: Disk | None = None,
    segment_bytes: int = 1 << 20,
) -> AsyncIterator[World]:
    """Recover from database and journal as Kerb does, then run until the block ends. Nothing is drained."""
    watermark = Watermark(dsn, journal_id, ENGINE_VERSION)
    connection, applied_seq = await claim(watermark, first=True)
    journal = Journal.open(
        folder / "journal",
        applied_seq,
        journal_id=journal_id,
        engine_version=ENGINE_VERSION,
        segment_bytes=segment_bytes,
        tail_records=1_000,
        disk=disk,
    )
    state, applied_seq = await load_state(connection)
    replay(state, journal.read(applied_seq + 1))
    fatal: list[tuple[ExitCode, str]] = []
    runtime = Runtime(
        state,
        journal,
        SteppingClock(),
        pending_max_bytes=1 << 30,
        poison=PoisonBox(folder / "poison"),
        on_fatal=lambda code, reason: fatal.append((code, reason)),
    )
    failures: list[BaseException] = []
    journal.start(failures.append)
    write_behind = WriteBehind(
        runtime,
        watermark,
        connection,
        applied_seq,
        settings,
        lambda code, reason: fatal.append((code, reason)),
    )
    write_behind.start()
    world = World(runtime, write_behind)
    world.fatal = fatal
    world.instance = watermark.instance
    try:
        yield world
    finally:
        await write_behind.close()
        await journal.close()
        await asyncio.sleep(0)
