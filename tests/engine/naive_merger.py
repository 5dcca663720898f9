"""Mergers of the naive exchange, from docs/corporate-actions.md: lot by lot, by fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from engine import action_events as e
from engine.corporate_commands import DeclareAction
from engine.events import Refused
from engine.kinds import AccountKind, TransactionKind
from engine.refusals import Refusal
from tests.engine.naive_delisting import close_for_good, end_all, swap, tell
from tests.engine.naive_lots import take
from tests.engine.naive_records import NaiveAccount, SoldLot
from tests.engine.naive_split import bad_ratio, restated_lots
from tests.engine.naive_turn import NaiveInstrument, NaiveTurn

if TYPE_CHECKING:
    from tests.engine.naive_exchange import NaiveExchange

CUSTODY, ISSUERS = 2, 6
MOST = 10**18
CASH_MOST_E8 = 10**9 * 10**8


class NaiveMergers:
    """Shares of one instrument become cash, shares of another, or both."""

    def __init__(self, exchange: NaiveExchange) -> None:
        self.exchange = exchange

    def refusal(self, instrument: NaiveInstrument, command: DeclareAction) -> Refused | None:
        exchange, new, old = self.exchange, command.numerator, command.denominator
        if not 0 <= command.cash_e8 <= CASH_MOST_E8:
            return Refused(Refusal.INVALID_ACTION, (("cash_e8", command.cash_e8),))
        if not command.new_symbol and (new, old) != (1, 1):
            return Refused(Refusal.INVALID_ACTION, (("numerator", new), ("denominator", old)))
        acquirer = exchange.instruments.get(command.new_symbol)
        refused = self.bad_acquirer(instrument, acquirer, command) if command.new_symbol else None
        if refused:
            return refused
        total_e4 = exchange.cash_brought_in(instrument.currency)
        for account in exchange.accounts.values():
            units_e8 = account.units_e8(command.symbol)
            total_e4 += floor(cash_for(units_e8, command.cash_e8))
            if acquirer is not None:
                part_e8 = floor(Fraction(units_e8 * new, old)) % acquirer.lot_e8
                total_e4 += ceil(Fraction(part_e8 * acquirer.anchor_e4(), 10**8))
        if total_e4 > MOST:
            return Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", MOST),))
        return None

    def bad_acquirer(
        self, instrument: NaiveInstrument, acquirer: NaiveInstrument | None, command: DeclareAction
    ) -> Refused | None:
        """Why there can't be shares of it for those of another."""
        exchange, new, old = self.exchange, command.numerator, command.denominator
        if acquirer is None:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        if acquirer.delisted:
            return Refused(Refusal.INSTRUMENT_DELISTED)
        if acquirer.currency != instrument.currency:
            return Refused(Refusal.CURRENCY_MISMATCH)
        if acquirer is instrument:
            return Refused(Refusal.INVALID_ACTION, (("numerator", new), ("denominator", old)))
        refused = bad_ratio(instrument, new, old)
        if refused:
            return refused
        if acquirer.anchor_e4() == 0:
            return Refused(Refusal.NO_REFERENCE_PRICE)
        units_e8 = sum(each.units_e8(command.symbol) for each in exchange.accounts.values())
        more_e8 = floor(Fraction(units_e8 * new, old))
        if exchange.brought_in(CUSTODY, command.new_symbol) + more_e8 > MOST:
            return Refused(Refusal.BALANCE_LIMIT, (("maximum_e8", MOST),))
        return None

    def carry_out(self, turn: NaiveTurn, instrument: NaiveInstrument, command: DeclareAction) -> None:
        exchange, symbol = self.exchange, command.symbol
        end_all(exchange, turn, symbol)
        holders = [each for each in exchange.accounts.values() if each.units_e8(symbol)]
        paid_e4 = 0
        for account in sorted(holders, key=lambda each: each.account_id):
            cash_e4 = account.cash_e4
            self.exchange_lots(turn, command, account)
            paid_e4 += account.cash_e4 - cash_e4
        close_for_good(exchange, turn, instrument, "merger")
        instrument.restated_us = command.effective_us
        acquirer = exchange.instruments.get(command.new_symbol, instrument)
        units_e8 = exchange.brought_in(CUSTODY, command.new_symbol) if command.new_symbol else 0
        tell(turn, command, acquirer, len(holders), units_e8, paid_e4)

    def exchange_lots(self, turn: NaiveTurn, command: DeclareAction, account: NaiveAccount) -> None:
        """All of an account's units for cash, for new units, and for cash for what of those is no whole lot."""
        exchange, symbol = self.exchange, command.symbol
        old = account.lots.pop(symbol)
        units_e8 = sum(lot[1] for lot in old)
        cash_e4 = floor(cash_for(units_e8, command.cash_e8))
        is_sold = cash_e4 > 0 or not command.new_symbol
        sold = self.sold_for_cash(command, old, cash_e4) if is_sold else []
        had_e8 = account.units_e8(command.new_symbol)
        part_e8, taken = self.give(command, account, old) if command.new_symbol else (0, [])
        more_e8 = account.units_e8(command.new_symbol) - had_e8
        swap(exchange, turn, command, account, units_e8, more_e8)
        if is_sold:
            kind = TransactionKind.MERGER_CASH
            self.pay(turn, command, account, kind, symbol, units_e8, cash_e4, sold)
        if part_e8:
            kind = TransactionKind.CASH_IN_LIEU
            price_e4 = exchange.instruments[command.new_symbol].anchor_e4()
            amount_e4 = ceil(Fraction(part_e8 * price_e4, 10**8))
            self.pay(turn, command, account, kind, command.new_symbol, part_e8, amount_e4, taken)

    def pay(
        self,
        turn: NaiveTurn,
        command: DeclareAction,
        account: NaiveAccount,
        kind: TransactionKind,
        symbol: str,
        units_e8: int,
        amount_e4: int,
        sold: list[SoldLot],
    ) -> None:
        account.realized_e4 += amount_e4 - sum(cost_e4 for _, _, cost_e4, _ in sold)
        txn_id, reference = turn.seq * 1_000_003 + turn.ids, f"act_{command.action_id}"
        self.exchange.move(turn, account, kind, ISSUERS, account.currency, amount_e4, reference)
        turn.events.append(
            e.FractionPaid(
                *(txn_id, command.action_id, account.account_id, symbol, units_e8, amount_e4, tuple(sold)),
                is_merger=kind is TransactionKind.MERGER_CASH,
            )
        )

    def sold_for_cash(self, command: DeclareAction, lots: list[list[int]], amount_e4: int) -> list[SoldLot]:
        """What the cash has cost of each lot; the lots are left with the rest of their cost."""
        sold: list[SoldLot] = []
        ratio = Fraction(command.numerator, command.denominator)
        all_e8, units_e8, told_e4 = sum(lot[1] for lot in lots), 0, 0
        for lot in lots:
            before_e8, units_e8 = units_e8, units_e8 + lot[1]
            cash_e4 = floor(Fraction(amount_e4 * units_e8, all_e8)) - told_e4
            told_e4 += cash_e4
            cost_e4 = lot[2]
            if command.new_symbol:
                price_e4 = self.exchange.instruments[command.new_symbol].anchor_e4()
                new_e8 = floor(units_e8 * ratio) - floor(before_e8 * ratio)
                worth_e4 = floor(Fraction(new_e8 * price_e4, 10**8))
                cost_e4 = cash_e4 - min(max(cash_e4 + worth_e4 - cost_e4, 0), cash_e4)
            lot[2] -= cost_e4
            sold.append((lot[0], lot[1], cost_e4, lot[3]))
        return sold

    def give(
        self, command: DeclareAction, account: NaiveAccount, old: list[list[int]]
    ) -> tuple[int, list[SoldLot]]:
        """New lots; what of them is no whole lot of the acquirer, and what that takes of each."""
        symbol, ratio = command.new_symbol, Fraction(command.numerator, command.denominator)
        account.lots[command.symbol] = restated_lots(old, ratio)
        account.averaged.pop(command.symbol, None)
        part_e8 = account.units_e8(command.symbol) % self.exchange.instruments[symbol].lot_e8
        taken = take(account, command.symbol, part_e8)
        had, new = account.lots.get(symbol, []), account.lots.pop(command.symbol)
        account.averaged.pop(symbol, None)
        if account.kind is AccountKind.MARKET_MAKER and had and new:
            had[0][1] += sum(lot[1] for lot in new)
            had[0][2] += sum(lot[2] for lot in new)
            new = []
        account.lots[symbol] = sorted(had + new)
        return part_e8, taken


def cash_for(units_e8: int, cash_e8: int) -> Fraction:
    """What so many units are paid, in 1/10 000 of the currency."""
    return Fraction(units_e8 * cash_e8, 10**12)
