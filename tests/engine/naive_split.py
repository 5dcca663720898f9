"""Splits of the naive exchange, from docs/corporate-actions.md: every figure anew, by fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from engine import action_events as e
from engine.corporate_commands import DeclareAction
from engine.events import Refused
from engine.kinds import CloseReason, OrderStatus, OrderType, Side, TimeInForce, TransactionKind
from engine.refusals import Refusal
from tests.engine.naive_lots import named_next, take
from tests.engine.naive_records import NaiveAccount, NaiveOrder
from tests.engine.naive_turn import NaiveInstrument, NaiveTurn

if TYPE_CHECKING:
    from tests.engine.naive_exchange import NaiveExchange

CUSTODY, ISSUERS = 2, 6
MOST = 10**18


class NaiveSplits:
    """What a split does."""

    def __init__(self, exchange: NaiveExchange) -> None:
        self.exchange = exchange

    def refusal(self, instrument: NaiveInstrument, command: DeclareAction) -> Refused | None:
        new, old = command.numerator, command.denominator
        if command.new_symbol or command.cash_e8:
            return Refused(Refusal.INVALID_ACTION)
        if new == old:
            return Refused(Refusal.INVALID_ACTION, (("numerator", new), ("denominator", old)))
        refused = bad_ratio(instrument, new, old)
        if refused:
            return refused
        anchor_e4 = instrument.anchor_e4()
        if anchor_e4 == 0:
            return Refused(Refusal.NO_REFERENCE_PRICE)
        price_e4 = restated_e4(anchor_e4, Fraction(new, old))
        if price_e4 < instrument.price_min_e4 or price_e4 > instrument.price_max_e4:
            return Refused(Refusal.INVALID_ACTION, (("reference_e4", price_e4),))
        units_e8 = sum(each.units_e8(command.symbol) for each in self.exchange.accounts.values())
        if floor(Fraction(units_e8 * new, old)) > MOST:
            return Refused(Refusal.BALANCE_LIMIT, (("maximum_e8", MOST),))
        return None

    def carry_out(self, turn: NaiveTurn, instrument: NaiveInstrument, command: DeclareAction) -> None:
        exchange, symbol = self.exchange, command.symbol
        ratio = Fraction(command.numerator, command.denominator)
        price = Fraction(instrument.anchor_e4()) / ratio
        self.orders(turn, instrument, ratio)
        holders = [each for each in exchange.accounts.values() if each.units_e8(symbol)]
        paid_e4 = 0
        for account in sorted(holders, key=lambda each: each.account_id):
            paid_e4 += self.account(turn, command, instrument, account, price)
        for name in (
            "last_e4",
            "reference_e4",
            "previous_close_e4",
            "close_e4",
            "halt_reference_e4",
        ):
            setattr(instrument, name, restated_e4(getattr(instrument, name), ratio))
        instrument.restated_us = command.effective_us
        turn.events.append(
            e.ActionEffected(
                *(command.action_id, command.kind, symbol, command.effective_us, command.numerator),
                *(command.denominator, len(holders), exchange.brought_in(CUSTODY, symbol), paid_e4),
                *(instrument.last_e4, instrument.reference_e4, instrument.previous_close_e4),
            )
        )
        turn.prints.append((symbol, instrument.anchor_e4()))

    # -- accounts

    def account(
        self,
        turn: NaiveTurn,
        command: DeclareAction,
        instrument: NaiveInstrument,
        account: NaiveAccount,
        price: Fraction,
    ) -> int:
        """New units, and cash for what is no whole lot; returns the cash."""
        symbol, ratio = command.symbol, Fraction(command.numerator, command.denominator)
        had_e8 = account.units_e8(symbol)
        account.lots[symbol] = restated_lots(account.lots[symbol], ratio)
        account.averaged.pop(symbol, None)
        part_e8 = account.units_e8(symbol) % instrument.lot_e8
        sold = take(account, symbol, part_e8)
        reference = f"act_{command.action_id}"
        more_e8 = account.units_e8(symbol) - had_e8
        if more_e8:
            kind = TransactionKind.CORPORATE_ACTION
            self.exchange.move(turn, account, kind, CUSTODY, symbol, more_e8, reference)
        if not part_e8:
            return 0
        amount_e4 = ceil(price * part_e8 / 10**8)
        account.realized_e4 += amount_e4 - sum(cost_e4 for _, _, cost_e4, _ in sold)
        txn_id = turn.seq * 1_000_003 + turn.ids
        kind = TransactionKind.CASH_IN_LIEU
        self.exchange.move(turn, account, kind, ISSUERS, account.currency, amount_e4, reference)
        turn.events.append(
            e.FractionPaid(
                *(txn_id, command.action_id, account.account_id, symbol, part_e8, amount_e4),
                tuple(sold),
            )
        )
        return amount_e4

    # -- orders

    def orders(self, turn: NaiveTurn, instrument: NaiveInstrument, ratio: Fraction) -> None:
        exchange = self.exchange
        mine = [order for order in exchange.orders if order.symbol == instrument.symbol]
        for order in sorted(mine, key=exchange.from_the_top):
            if order.open() and not self.stays(instrument, order, ratio):
                exchange.end(turn, order, OrderStatus.CANCELLED, CloseReason.CORPORATE_ACTION)
        staying = [order for order in mine if order.open()]
        left_e8 = {order.order_id: order.leaves_e8() for order in staying}
        for order in staying:
            exchange.touch(turn, order)
            restate(instrument, order, ratio)
            exchange.touch(turn, order)
        for order in staying:
            parents = [each for each in staying if each.order_id == order.parent_id]
            for parent in parents:
                order.planned_e8 += parent.leaves_e8() - left_e8[parent.order_id]

    def stays(self, instrument: NaiveInstrument, order: NaiveOrder, ratio: Fraction) -> bool:
        """Whether it can be an order for new shares."""
        if ratio < 1 or order.is_quote or order.time_in_force not in (TimeInForce.GTC, TimeInForce.GTD):
            return False
        before = [order.price_e4, order.limit_e4, order.asked().stop_e4, order.trigger_e4]
        trial = changed_copy(order)
        restate(instrument, trial, ratio)
        after = [trial.price_e4, trial.limit_e4, trial.asked().stop_e4, trial.trigger_e4]
        if any(was and now < instrument.price_min_e4 for was, now in zip(before, after, strict=True)):
            return False
        return trial.quantity_e8 <= 10**17


def changed_copy(order: NaiveOrder) -> NaiveOrder:
    copied = NaiveOrder(**{name: getattr(order, name) for name in order.__dataclass_fields__})
    copied.fills = list(order.fills)
    return copied


def bad_ratio(instrument: NaiveInstrument, new: int, old: int) -> Refused | None:
    """Whether there can't be so many new shares for so many old ones."""
    if not (0 < new <= 10_000 and 0 < old <= 10_000):
        return Refused(Refusal.INVALID_ACTION, (("numerator", new), ("denominator", old)))
    if Fraction(instrument.lot_e8 * new, old) < 1:
        return Refused(Refusal.INVALID_ACTION, (("lot_e8", instrument.lot_e8),))
    return None


def restated_e4(price_e4: int, ratio: Fraction) -> int:
    """Half up, and at least one; there may be none."""
    return max(1, floor(price_e4 / ratio + Fraction(1, 2))) if price_e4 else 0


def restated_lots(lots: list[list[int]], ratio: Fraction) -> list[list[int]]:
    """Units by the ratio, each sum from the oldest on rounded down. An empty lot's cost goes on to the next, or back."""
    found: list[list[int]] = []
    had_e8 = have_e8 = over_e4 = 0
    for lot_id, units_e8, cost_e4, since_us in lots:
        had_e8 += units_e8
        new_e8 = floor(had_e8 * ratio) - have_e8
        have_e8 += new_e8
        over_e4 += cost_e4
        if new_e8:
            found.append([lot_id, new_e8, over_e4, since_us])
            over_e4 = 0
    found[-1][2] += over_e4
    return found


def spread_names(named: list[tuple[int, int]], units_e8: int) -> list[tuple[int, int]]:
    """What an order names of lots, for so many new units in all; each sum from the first on rounded down."""
    all_e8 = sum(each_e8 for _, each_e8 in named)
    found, had_e8, have_e8 = [], 0, 0
    for lot_id, each_e8 in named:
        had_e8 += each_e8
        new_e8 = floor(Fraction(units_e8 * had_e8, all_e8)) - have_e8
        have_e8 += new_e8
        if new_e8:
            found.append((lot_id, new_e8))
    return found


def restate(instrument: NaiveInstrument, order: NaiveOrder, ratio: Fraction) -> None:
    """Give an order the figures that the page says."""
    tick_e4, lot_e8 = instrument.tick_e4, instrument.lot_e8

    def low(price_e4: int) -> int:
        return floor(price_e4 / ratio / tick_e4) * tick_e4

    def high(price_e4: int) -> int:
        return ceil(price_e4 / ratio / tick_e4) * tick_e4

    before_e8, filled_e8 = order.leaves_e8(), order.filled_e8()
    left_e8 = floor(before_e8 * ratio / lot_e8) * lot_e8
    limit, stop = (low, high) if order.side is Side.BUY else (high, low)
    order.quantity_e8 = order.filled_e8() + left_e8
    order.price_e4, order.limit_e4 = limit(order.price_e4), limit(order.limit_e4)
    order.shown_e8 = min(ceil(floor(order.shown_e8 * ratio) / Fraction(lot_e8)) * lot_e8, left_e8)
    if order.terms is not None:
        lots = order.terms.lots
        sold = named_next(lots, 0, filled_e8)
        left = spread_names(named_next(lots, filled_e8, before_e8), left_e8)
        order.terms = changed(
            order.terms,
            stop_e4=stop(order.terms.stop_e4),
            trail_e4=high(order.terms.trail_e4),
            display_e8=ceil(floor(order.terms.display_e8 * ratio) / Fraction(lot_e8)) * lot_e8,
            lots=(*sold, *left) if lots else (),
        )
    if order.order_type is OrderType.TRAILING_STOP and order.extreme_e4:
        order.extreme_e4 = restated_e4(order.extreme_e4, ratio)
        distance = order.asked().trail_e4 or Fraction(order.extreme_e4 * order.asked().trail_ppm, 10**6)
        if order.side is Side.SELL:
            order.trigger_e4 = floor((order.extreme_e4 - distance) / Fraction(tick_e4)) * tick_e4
        else:
            order.trigger_e4 = ceil((order.extreme_e4 + distance) / Fraction(tick_e4)) * tick_e4
    elif order.trigger_e4:
        order.trigger_e4 = order.asked().stop_e4
