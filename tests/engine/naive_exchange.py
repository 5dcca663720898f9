"""The rest of the naive exchange: money, operators, calendars, keys, and the entry that takes any command."""

from __future__ import annotations

from dataclasses import dataclass

from engine import commands as c
from engine import events as e
from engine.corporate_commands import DeclareAction
from engine.kinds import (
    AccountStatus,
    CloseReason,
    KillScope,
    OrderStatus,
    TransactionKind,
)
from engine.refusals import Refusal
from tests.engine.naive_actions import NaiveActions
from tests.engine.naive_bust import bust
from tests.engine.naive_lots import set_method
from tests.engine.naive_records import NaiveAccount
from tests.engine.naive_replace import NaiveReplace
from tests.engine.naive_turn import NaiveInstrument, NaiveTurn

BANK, CUSTODY, ADJUSTMENTS = 1, 2, 4
MOST = 10**18

Answer = e.Refused | int | None


@dataclass
class NaiveResult:
    events: tuple[e.AnyEvent, ...]
    answer: tuple[e.AnyEvent, ...]
    duplicate: bool = False


@dataclass
class NaiveKey:
    digest: bytes
    created_us: int
    answer: tuple[e.AnyEvent, ...]


class NaiveExchange(NaiveReplace):
    """All commands."""

    def __init__(self) -> None:
        super().__init__()
        self.seq = 0
        self.keys: dict[tuple[int, str], NaiveKey] = {}
        self.key_ttl_us = 86_400 * 10**6
        self.actions = NaiveActions(self)

    def apply(self, envelope: c.Envelope, command: c.AnyCommand, now_us: int) -> NaiveResult:
        known = self.keys.get((envelope.principal, envelope.key))
        if envelope.key and known is not None and known.created_us + self.key_ttl_us > now_us:
            if known.digest != envelope.digest:
                return NaiveResult((), (e.Refused(Refusal.IDEMPOTENCY_KEY_REUSED),))
            return NaiveResult((), known.answer, duplicate=True)
        for key, record in list(self.keys.items()):
            if record.created_us + self.key_ttl_us <= now_us:
                del self.keys[key]
        for client_id, closed_us in list(self.client_ids.items()):
            if closed_us is not None and closed_us + self.key_ttl_us <= now_us:
                del self.client_ids[client_id]
        self.seq += 1
        turn = NaiveTurn(self.seq, now_us)
        outcome = self.decide(turn, envelope.account_id, command)
        if isinstance(outcome, e.Refused):
            turn.events = [outcome]
        else:
            self.settle_down(turn)
            self.finish(turn)
        events = tuple(turn.events)
        answer = events
        if isinstance(outcome, int):
            answer = tuple(
                event for event in events if isinstance(event, e.OrderUpdated) and event.order_id == outcome
            )
        elif isinstance(command, c.CancelAll) and outcome is None:
            answer = tuple(event for event in events if isinstance(event, e.OrderUpdated))
        if envelope.key:
            self.keys[envelope.principal, envelope.key] = NaiveKey(envelope.digest, now_us, answer)
        return NaiveResult(events, answer)

    def decide(self, turn: NaiveTurn, account_id: int, command: c.AnyCommand) -> Answer:
        match command:
            case c.PlaceOrder():
                return self.place(turn, account_id, command)
            case c.CancelOrder():
                return self.cancel(turn, account_id, command)
            case c.CancelAll():
                return self.cancel_all(turn, account_id, command)
            case c.ReplaceOrder():
                return self.replace(turn, account_id, command)
            case c.MassQuote():
                return self.quote(turn, account_id, command)
            case c.AdjustCash():
                return self.adjust(turn, command)
            case c.SetLotMethod():
                return set_method(self, turn, account_id, command)
            case c.BustTrade():
                return bust(self, turn, command)
            case DeclareAction():
                return self.actions.declare(turn, command)
            case c.Deposit() | c.RequestWithdrawal() | c.SettleWithdrawal() | c.TransferIn():
                return self.money(turn, account_id, command)
            case _:
                return self.operate(turn, command)

    # -- money

    def money(
        self,
        turn: NaiveTurn,
        account_id: int,
        command: c.Deposit | c.RequestWithdrawal | c.SettleWithdrawal | c.TransferIn,
    ) -> Answer:
        if isinstance(command, c.SettleWithdrawal):
            return self.settle(turn, command)
        owner_id = command.account_id if isinstance(command, c.TransferIn) else account_id
        account = self.accounts.get(owner_id)
        if account is None:
            return e.Refused(Refusal.ACCOUNT_NOT_FOUND)
        if isinstance(command, c.TransferIn):
            return self.receive_units(turn, account, command)
        if isinstance(command, c.RequestWithdrawal) and account.status is AccountStatus.DISABLED:
            return e.Refused(Refusal.ACCOUNT_DISABLED)
        if command.amount_e4 <= 0:
            return e.Refused(Refusal.INVALID_AMOUNT)
        if isinstance(command, c.Deposit):
            if max(self.cash_brought_in(account.currency), account.contributed_e4) + command.amount_e4 > MOST:
                return e.Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", MOST),))
            account.contributed_e4 += command.amount_e4
            self.move(
                turn,
                account,
                TransactionKind.DEPOSIT,
                BANK,
                account.currency,
                command.amount_e4,
                command.method,
            )
            return None
        free_e4 = self.free_e4(account)
        if command.amount_e4 > free_e4:
            detail = (("required_e4", command.amount_e4), ("available_e4", free_e4))
            return e.Refused(Refusal.INSUFFICIENT_FUNDS, detail)
        withdrawal_id = turn.new_id()
        self.withdrawals[withdrawal_id] = (account_id, command.amount_e4)
        turn.touch(account=account)
        turn.events.append(e.WithdrawalRequested(withdrawal_id, account_id, command.amount_e4))
        return None

    def adjust(self, turn: NaiveTurn, command: c.AdjustCash) -> Answer:
        account = self.accounts.get(command.account_id)
        if account is None:
            return e.Refused(Refusal.ACCOUNT_NOT_FOUND)
        if command.amount_e4 == 0:
            return e.Refused(Refusal.INVALID_AMOUNT)
        free_e4 = self.free_e4(account)
        if free_e4 + command.amount_e4 < 0:
            detail = (("required_e4", -command.amount_e4), ("available_e4", free_e4))
            return e.Refused(Refusal.INSUFFICIENT_FUNDS, detail)
        if max(self.cash_brought_in(account.currency), account.contributed_e4) + command.amount_e4 > MOST:
            return e.Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", MOST),))
        account.contributed_e4 += command.amount_e4
        kind, currency = TransactionKind.ADJUSTMENT, account.currency
        self.move(turn, account, kind, ADJUSTMENTS, currency, command.amount_e4, command.reference)
        return None

    def settle(self, turn: NaiveTurn, command: c.SettleWithdrawal) -> Answer:
        if command.withdrawal_id not in self.withdrawals:
            return e.Refused(Refusal.WITHDRAWAL_NOT_FOUND)
        owner, amount_e4 = self.withdrawals.pop(command.withdrawal_id)
        account = self.accounts[owner]
        turn.touch(account=account)
        turn.events.append(e.WithdrawalSettled(command.withdrawal_id, owner, amount_e4, command.paid))
        if command.paid:
            account.contributed_e4 -= amount_e4
            reference = str(command.withdrawal_id)
            self.move(
                turn, account, TransactionKind.WITHDRAWAL, BANK, account.currency, -amount_e4, reference
            )
        return None

    def receive_units(self, turn: NaiveTurn, account: NaiveAccount, command: c.TransferIn) -> Answer:
        instrument = self.instruments.get(command.symbol)
        if instrument is None:
            return e.Refused(Refusal.UNKNOWN_SYMBOL)
        if instrument.currency != account.currency:
            return e.Refused(Refusal.CURRENCY_MISMATCH)
        if command.quantity_e8 <= 0 or command.quantity_e8 % instrument.lot_e8:
            return e.Refused(Refusal.INVALID_QUANTITY)
        if command.cost_e4 < 0 or account.contributed_e4 + command.cost_e4 > MOST:
            return e.Refused(Refusal.INVALID_AMOUNT)
        if self.brought_in(CUSTODY, command.symbol) + command.quantity_e8 > MOST:
            return e.Refused(Refusal.BALANCE_LIMIT, (("maximum_e8", MOST),))
        account.contributed_e4 += command.cost_e4
        turn.touch(account=account)
        lot_id = turn.seq * 1_000_003 + turn.ids
        account.receive(command.symbol, lot_id, command.quantity_e8, command.cost_e4, turn.now_us)
        self.move(
            turn, account, TransactionKind.TRANSFER_IN, CUSTODY, command.symbol, command.quantity_e8, ""
        )
        return None

    def cash_brought_in(self, currency: str) -> int:
        return self.brought_in(BANK, currency) + self.brought_in(ADJUSTMENTS, currency)

    def brought_in(self, outside_id: int, asset: str) -> int:
        return -self.outside.get((outside_id, asset), 0)

    def move(
        self,
        turn: NaiveTurn,
        account: NaiveAccount,
        kind: TransactionKind,
        outside_id: int,
        asset: str,
        amount: int,
        reference: str,
    ) -> None:
        """One transaction between the account and the outside."""
        self.outside[outside_id, asset] = self.outside.get((outside_id, asset), 0) - amount
        if asset == account.currency:
            account.cash_e4 += amount
            turn.touch(account=account)
        balance = account.cash_e4 if asset == account.currency else account.units_e8(asset)
        mine = (account.account_id, asset, amount, balance)
        theirs = (outside_id, asset, -amount, self.outside[outside_id, asset])
        turn.events.append(e.Posted(turn.new_id(2), kind, reference, (mine, theirs)))

    # -- operators and time

    def take_effect(self, turn: NaiveTurn, action_id: int) -> None:
        self.actions.take_effect(turn, action_id)

    def operate(self, turn: NaiveTurn, command: c.AnyCommand) -> Answer:
        match command:
            case c.SetCalendar():
                self.set_calendar(turn, command)
            case c.FireTimer():
                return self.fire_timer(turn, command)
            case c.SetFees():
                self.fees[command.schedule] = (command.maker_ppm, command.taker_ppm)
            case c.SetLimits():
                self.quantity_max_e8 = command.order_quantity_max_e8
                self.value_max_e4 = command.order_value_max_e4
                self.open_orders_max = command.open_orders_max
                self.collar_bps = command.market_collar_bps
                self.key_ttl_us = command.key_ttl_us
                self.gtc_max_age_us = command.gtc_max_age_us
            case c.SetInstrument():
                return self.list_instrument(turn, command)
            case c.OpenAccount():
                account = NaiveAccount(turn.new_id(), command.user_id, command.kind, command.currency)
                self.accounts[account.account_id] = account
                turn.events.append(
                    e.AccountOpened(account.account_id, command.user_id, command.kind, command.currency)
                )
                turn.touch(account=account)
            case c.SetAccountStatus():
                return self.set_status(turn, command)
            case c.Marks():
                if any(symbol not in self.instruments for symbol, _ in command.prices):
                    return e.Refused(Refusal.UNKNOWN_SYMBOL)
                for symbol, price_e4 in command.prices:
                    self.note_mark(turn, self.instruments[symbol], price_e4)
            case c.HaltSymbol() | c.ResumeSymbol():
                return self.halt_or_resume(turn, command)
            case c.SetKillSwitch():
                return self.kill(turn, command)
        return None

    def list_instrument(self, turn: NaiveTurn, command: c.SetInstrument) -> Answer:
        """List it; what is delisted stays that, with whatever config says of it."""
        fields = {name: getattr(command, name) for name in e.InstrumentSet.__struct_fields__}
        turn.events.append(e.InstrumentSet(**fields))
        known = self.instruments.get(command.symbol)
        if known is not None:
            turn.events.append(e.PhaseChanged(command.symbol, known.phase, "changed"))
            return None
        phase = self.calendars[command.calendar].phase_at(turn.now_us)
        instrument = NaiveInstrument(
            command.symbol, command.currency, command.tick_e4, command.lot_e8, command.price_min_e4,
            command.price_max_e4, command.calendar, command.price_source, command.band_bps,
            command.fee_schedule, command.reference_e4, phase, command.halt_bps, command.halt_window_us,
            command.halt_us, command.resume_auction,
        )  # fmt: skip
        instrument.name = command.name
        instrument.previous_close_e4 = instrument.listed_e4 = command.reference_e4
        self.instruments[command.symbol] = instrument
        turn.events.append(e.PhaseChanged(command.symbol, phase, "listed"))
        self.watch_calls(turn)
        return None

    def set_status(self, turn: NaiveTurn, command: c.SetAccountStatus) -> Answer:
        account = self.accounts.get(command.account_id)
        if account is None:
            return e.Refused(Refusal.ACCOUNT_NOT_FOUND)
        account.status = command.status
        turn.events.append(e.AccountStatusChanged(account.account_id, command.status, command.reason))
        turn.touch(account=account)
        if command.status is AccountStatus.DISABLED:
            self.end_all_of(turn, account.account_id, "", CloseReason.ACCOUNT_DISABLED)
        return None

    def kill(self, turn: NaiveTurn, command: c.SetKillSwitch) -> Answer:
        scope, target = command.scope, command.target
        if scope is KillScope.SYMBOL and target not in self.instruments:
            return e.Refused(Refusal.UNKNOWN_SYMBOL)
        if scope is KillScope.ACCOUNT and target not in map(str, self.accounts):
            return e.Refused(Refusal.ACCOUNT_NOT_FOUND)
        turn.events.append(e.KillSwitchSet(scope, target, command.on, command.reason))
        if not command.on:
            self.switches.discard((scope, target))
            return None
        self.switches.add((scope, target))
        if scope is KillScope.ACCOUNT:
            self.end_all_of(turn, int(target), "", CloseReason.KILL_SWITCH)
            return None
        hit = [order for order in self.orders if scope is KillScope.MARKET or order.symbol == target]
        for order in sorted(hit, key=lambda order: (order.symbol, *self.from_the_top(order))):
            if not order.open():
                continue
            self.end(turn, order, OrderStatus.CANCELLED, CloseReason.KILL_SWITCH)
        return None
