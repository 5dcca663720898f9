"""Every command that the engine accepts can be written to Postgres, whatever its figures and texts.

Figures are drawn from the ends of what engine/units.py allows, texts from what the border lets through at most.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from engine.commands import (
    AdjustCash,
    AnyCommand,
    CancelAll,
    CancelOrder,
    DeclareDividend,
    Deposit,
    Envelope,
    HaltSymbol,
    LinkAccount,
    Marks,
    MassQuote,
    OpenAccount,
    PlaceOrder,
    ReplaceOrder,
    RequestWithdrawal,
    ResumeSymbol,
    SetAccountStatus,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetKillSwitch,
    SetKycTier,
    SetLimits,
    SetLotMethod,
    SetRiskRule,
    SetSettlement,
    SettleWithdrawal,
    TransferIn,
)
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.events import SettlementDue, Traded
from engine.kinds import (
    AccountKind,
    AccountStatus,
    KillScope,
    LotMethod,
    OrderType,
    PriceSource,
    RiskMode,
    RiskRule,
    SelfTradePrevention,
    Side,
    Source,
    TimeInForce,
)
from engine.risk_figures import FIGURES
from engine.units import (
    CASH_TOTAL_MAX_E4,
    ID_MAX,
    MINUTE_US,
    NOTIONAL_MAX_E4,
    PRICE_MAX_E4,
    QUANTITY_MAX_E8,
    SECURITY_TOTAL_MAX_E8,
    TIME_MAX_US,
)
from server.verify import verify
from tests.engine.bust_facts import facts_of
from tests.server.ledger_world import World, open_world

PRICES = (1, 2, 99, 10_000, PRICE_MAX_E4 // 2, PRICE_MAX_E4 - 1, PRICE_MAX_E4)
QUANTITIES = (1, 2, 10**8, QUANTITY_MAX_E8 // 2, QUANTITY_MAX_E8 - 1, QUANTITY_MAX_E8)
CASH = (1, 10**4, NOTIONAL_MAX_E4, CASH_TOTAL_MAX_E4 // 5, CASH_TOTAL_MAX_E4)
UNITS = (1, 10**8, QUANTITY_MAX_E8, SECURITY_TOTAL_MAX_E8 // 5, SECURITY_TOTAL_MAX_E8)
SYMBOLS = ("PENNY", "GOLD", "W" * 32, "Ä" * 32)
# Four bytes a character, no two runs alike, so that no compression makes an index entry shorter.
RARE = "".join(chr(0x1F300 + n * 7919 % 600) for n in range(255))

COMMON = {
    "PlaceOrder",
    "Deposit",
    "TransferIn",
    "MassQuote",
    "RequestWithdrawal",
    "CancelAll",
    "HaltSymbol",
    "AdjustCash",
    "SetLotMethod",
    "DeclareDividend",
    "BustTrade",
    "SetRiskRule",
    "SetKycTier",
    "LinkAccount",
}


class Extremes:
    """Draws commands whose figures are the smallest, the largest, or ordinary."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.pick = self.random.choice
        self.accepted: set[str] = set()
        self.fills: list[tuple[Traded, int]] = []
        self.dues: dict[int, SettlementDue] = {}

    def submit(self, command: AnyCommand, account_id: int = 0) -> None:
        key = (
            "" if self.random.random() < 0.7 else RARE[: self.pick((1, 100, 250))] + str(self.world.state.seq)
        )
        envelope = Envelope(
            self.pick(list(Source)),
            ID_MAX - account_id % 2,
            account_id,
            RARE,
            key,
            b"\xff" * 16 if key else b"",
        )
        applied = self.world.runtime.submit(command, envelope)
        self.fills += [(event, applied.now_us) for event in applied.events if isinstance(event, Traded)]
        self.dues |= {event.trade_id: event for event in applied.events if isinstance(event, SettlementDue)}
        if applied.refused is None:
            self.accepted.add(type(command).__name__)

    def found(self) -> None:
        self.submit(SetCalendar("ALWAYS", ((1, TIME_MAX_US),)))
        most = CASH_TOTAL_MAX_E4
        self.submit(
            SetFees("dear", 100_000, 100_000, ((most, 100_000, 100_000),), 1, most, 10**9 - 1, 10**12, most)
        )
        self.submit(SetFees("free", 0, 0))
        self.submit(SetSettlement("ALWAYS", self.pick((0, 10)), (1,), (most, most // 3)))
        limits = (QUANTITY_MAX_E8, NOTIONAL_MAX_E4, 10**9, 9_999, 10**9, 10**9, TIME_MAX_US)
        self.submit(SetLimits(*limits))
        for symbol in SYMBOLS:
            lot_e8 = 10**8 if symbol == "PENNY" else 1
            terms = (
                1,
                lot_e8,
                1 if lot_e8 > 1 else 10**8,
                PRICE_MAX_E4,
                PRICE_MAX_E4,
                "ALWAYS",
                PriceSource.OWN,
            )
            self.submit(SetInstrument(symbol, RARE, "USD", *terms, 9_999, self.pick(("dear", "free"))))
        for n, kind in enumerate((AccountKind.USER, AccountKind.MARKET_MAKER, AccountKind.USER)):
            self.submit(OpenAccount(ID_MAX - n, kind, "USD"))
        for account_id in self.world.state.accounts:
            self.submit(Deposit(CASH_TOTAL_MAX_E4 // 5, RARE), account_id)
            for symbol in SYMBOLS:
                self.submit(TransferIn(account_id, symbol, SECURITY_TOTAL_MAX_E8 // 5, 10**4))

    def step(self) -> None:
        pick, account_id = self.pick, self.pick(list(self.world.state.accounts))
        symbol = pick(SYMBOLS)
        orders = list(self.world.state.accounts[account_id].orders) or [1]
        withdrawals = list(self.world.state.withdrawals) or [1]
        side = pick((Side.BUY, Side.SELL))
        order_type = pick((OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET))
        price_e4 = pick(PRICES) if order_type is OrderType.LIMIT else 0
        client_order_id = pick(("", RARE[: pick((1, 64))] + str(self.world.state.seq)))
        rules = (pick(list(TimeInForce)), client_order_id, pick(list(SelfTradePrevention)))
        place = PlaceOrder(symbol, side, order_type, pick(QUANTITIES), price_e4, *rules)
        bid, ask = (pick(PRICES[:5]), pick(QUANTITIES[:3])), (pick(PRICES[5:]), pick(QUANTITIES[:3]))
        quote = MassQuote(symbol, (bid,), (ask,))
        commands: list[AnyCommand] = [
            *(place, place, place, place, place),
            Deposit(pick(CASH), RARE),
            TransferIn(account_id, symbol, pick(UNITS), pick((0, *CASH))),
            CancelOrder(pick(orders)),
            CancelAll(pick(("", symbol))),
            ReplaceOrder(pick(orders), pick((0, *QUANTITIES)), pick((0, *PRICES)), ""),
            *(quote, quote),
            Marks(((symbol, pick(PRICES)),)),
            RequestWithdrawal(pick(CASH)),
            SettleWithdrawal(pick(withdrawals), pick((True, False))),
        ]
        if self.random.random() < 0.03:
            self.stop_and_go_on(symbol, account_id)
        command = pick(commands)
        if isinstance(command, MassQuote):
            account_id = list(self.world.state.accounts)[1]  # the market maker
        self.submit(command, account_id)

    def stop_and_go_on(self, symbol: str, account_id: int) -> None:
        """Everything that an operator can stop, and start again; and the cash that one can take and give."""
        self.submit(HaltSymbol(symbol, RARE))
        self.submit(ResumeSymbol(symbol))
        targets = {KillScope.MARKET: "", KillScope.SYMBOL: symbol, KillScope.ACCOUNT: str(account_id)}
        for scope, target in targets.items():
            self.submit(SetKillSwitch(scope, target, on=True, reason=RARE))
            self.submit(SetKillSwitch(scope, target, on=False, reason=RARE))
        self.submit(SetAccountStatus(account_id, AccountStatus.DISABLED, RARE))
        self.submit(SetAccountStatus(account_id, AccountStatus.ACTIVE, RARE))
        for amount_e4 in (-self.world.state.accounts[account_id].available_e4, -1, 1, CASH_TOTAL_MAX_E4 // 5):
            self.submit(AdjustCash(account_id, amount_e4, RARE))
        self.submit(SetLotMethod(self.pick(list(LotMethod))), account_id)
        self.set_rules(symbol, account_id)
        per_unit_e8 = self.pick((1, 10**8, 10**17 - 1))
        now_us = self.world.runtime.now_us() + 1_000_000
        self.submit(
            DeclareDividend(self.pick((ID_MAX, self.world.state.seq)), symbol, per_unit_e8, now_us, now_us)
        )
        self.trade_and_bust(symbol)
        self.act_on_shares()

    def act_on_shares(self) -> None:
        """A split or a merger of the smallest or the largest figures, now and then, and what is due with it."""
        if self.random.random() < 0.8:
            return
        kind = self.pick((ActionKind.SPLIT, ActionKind.SPLIT, ActionKind.MERGER))
        symbol, other = self.random.sample(SYMBOLS, 2)
        due_us = (self.world.runtime.now_us() // MINUTE_US + 1) * MINUTE_US
        ratio = self.pick(((2, 1), (1, 2), (10_000, 1), (1, 10_000), (10_000, 9_999)))
        is_merger = kind is ActionKind.MERGER
        self.submit(
            DeclareAction(
                *(self.world.state.seq, kind, symbol, due_us, *ratio, other if is_merger else ""),
                self.pick((0, 1, 10**8, 10**17)) if is_merger else 0,
            )
        )
        self.world.runtime.fire_due_timers(due_us)

    def set_rules(self, symbol: str, account_id: int) -> None:
        """Every risk rule, with the smallest or the largest figures, so that much is violated with large figures."""
        for rule, figures in FIGURES.items():
            scope = (0, "") if rule is RiskRule.WASH_TRADE else self.pick(((0, ""), (account_id, symbol)))
            ends = tuple(self.pick((each.least, each.least, each.most)) for each in figures)
            self.submit(
                SetRiskRule(rule, self.pick((RiskMode.FLAG, RiskMode.FLAG, RiskMode.INHERIT)), ends, *scope)
            )
        self.submit(SetKycTier(account_id, self.pick((0, 1, 2, 3))))
        self.submit(LinkAccount(account_id, RARE[: self.pick((0, 64))], RARE))

    def trade_and_bust(self, symbol: str) -> None:
        """A fill at what the market says, taken back, twice."""
        accounts = list(self.world.state.accounts)
        for account_id in accounts:
            self.submit(CancelAll(""), account_id)
        buyer, seller = self.random.sample(accounts, 2)
        instrument = self.world.state.instruments[symbol]
        price_e4 = instrument.last_e4 or instrument.reference_e4
        for side, account_id in ((Side.SELL, seller), (Side.BUY, buyer)):
            order = PlaceOrder(symbol, side, OrderType.LIMIT, 10**8, price_e4, TimeInForce.GTC)
            self.submit(order, account_id)
        for fill, executed_us in self.fills[-1:] * 2:
            self.submit(facts_of(fill, executed_us, ID_MAX, RARE, due=self.dues.get(fill.trade_id)))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_accepted_is_written(database_dsn: str, tmp_path: Path, seed: int) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        extremes = Extremes(world, seed)
        extremes.found()
        for _ in range(10):
            for _ in range(60):
                extremes.step()
            await world.written()
        assert world.write_behind.refused is None
        assert extremes.accepted >= COMMON
    assert await verify(database_dsn) == []
