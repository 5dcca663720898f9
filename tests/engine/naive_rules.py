"""The naive exchange's state, and what follows from it: what is held, who meets whom, what an order may cost."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from engine.events import BalanceChanged, BookChanged, OrderUpdated, Refused
from engine.kinds import KillScope, OrderType, Phase, PriceSource, SelfTradePrevention, Side, TimeInForce
from engine.refusals import Refusal
from tests.engine.naive_records import UNIT, NaiveAccount, NaiveOrder, NaiveTrade, worth
from tests.engine.naive_turn import (
    NaiveCalendar,
    NaiveInstrument,
    NaiveTimer,
    NaiveTurn,
    highest_e4,
    lowest_e4,
)

BUY, SELL = Side.BUY, Side.SELL
FEES = 3


class NaiveRules:
    """Open orders, accounts and instruments, and what follows from them."""

    def __init__(self) -> None:
        self.accounts: dict[int, NaiveAccount] = {}
        self.instruments: dict[str, NaiveInstrument] = {}
        self.calendars: dict[str, NaiveCalendar] = {}
        self.timers: list[NaiveTimer] = []
        self.fees: dict[str, tuple[int, int]] = {}
        self.orders: list[NaiveOrder] = []
        self.trades: dict[int, NaiveTrade] = {}
        self.withdrawals: dict[int, tuple[int, int]] = {}
        self.client_ids: dict[tuple[int, str], int | None] = {}
        self.outside: dict[tuple[int, str], int] = {}
        self.switches: set[tuple[KillScope, str]] = set()
        self.quantity_max_e8 = 10**17
        self.value_max_e4 = 10**15
        self.open_orders_max = 1_000
        self.collar_bps = 500
        self.gtc_max_age_us = 2**62

    def listed(self) -> list[NaiveInstrument]:
        return [each for each in self.instruments.values() if not each.delisted]

    def note_fees(self, currency: str, amount_e4: int) -> None:
        """What the venue has earned with it."""
        self.outside[FEES, currency] = self.outside.get((FEES, currency), 0) + amount_e4

    # -- what is held

    def pair_of(self, order: NaiveOrder, among: list[NaiveOrder]) -> NaiveOrder | None:
        """The other order of an OCO pair, while it is open."""
        if not order.group_id:
            return None
        others = [
            other
            for other in among
            if other.group_id == order.group_id and other is not order and other.open()
        ]
        return others[0] if others else None

    def hold_e4(self, order: NaiveOrder, among: list[NaiveOrder] | None = None) -> int:
        """The cash that the worst that can still happen costs: nothing once it is final, nothing for a sell."""
        if order.side is SELL or not order.open() or not order.armed:
            return 0
        other = self.pair_of(order, self.orders if among is None else among)
        if other is not None and other.order_type is OrderType.LIMIT and order.is_stop():
            return 0
        both = [order] if other is None else [order, other]
        rest_e4 = ceil(worth(max(each.limit_e4 for each in both), order.leaves_e8()))
        rate_ppm = max(max(each.maker_ppm, each.taker_ppm) for each in both)
        paid_e4 = sum(each.notional_e4() for each in both)
        worst_fee_e4 = -(-(paid_e4 + rest_e4) * rate_ppm // 1_000_000)
        return rest_e4 + worst_fee_e4 - sum(each.fee_e4() for each in both) + len(both) - 1

    def held_e4(self, account_id: int) -> int:
        return sum(self.hold_e4(order) for order in self.orders if order.account_id == account_id) + sum(
            amount_e4 for owner, amount_e4 in self.withdrawals.values() if owner == account_id
        )

    def free_e4(self, account: NaiveAccount) -> int:
        return account.cash_e4 - self.held_e4(account.account_id)

    def promised_e8(self, order: NaiveOrder, among: list[NaiveOrder]) -> int:
        """The units that an open sell holds; of a pair the limit order holds them."""
        if order.side is BUY or not order.open() or not order.armed:
            return 0
        other = self.pair_of(order, among)
        if other is not None and other.order_type is OrderType.LIMIT and order.is_stop():
            return 0
        return order.leaves_e8()

    def free_e8(self, account: NaiveAccount, symbol: str) -> int:
        return account.units_e8(symbol) - sum(
            self.promised_e8(order, self.orders)
            for order in self.orders
            if (order.account_id, order.symbol) == (account.account_id, symbol)
        )

    def covered(
        self, account: NaiveAccount, wanted: list[NaiveOrder], given_up: list[NaiveOrder]
    ) -> Refused | None:
        """Whether the account can hold what is wanted in place of what is given up, each with its pair."""
        before = self.orders
        after = [order for order in before if not any(order is old for old in given_up)] + wanted
        news, olds = self.with_pairs(wanted, after), self.with_pairs(given_up, before)
        need_e4 = sum(self.hold_e4(order, after) for order in news)
        have_e4 = self.free_e4(account) + sum(self.hold_e4(order, before) for order in olds)
        if need_e4 > have_e4:
            return Refused(Refusal.INSUFFICIENT_FUNDS, (("required_e4", need_e4), ("available_e4", have_e4)))
        need_e8 = sum(self.promised_e8(order, after) for order in news)
        if need_e8 == 0:
            return None
        have_e8 = self.free_e8(account, wanted[0].symbol)
        have_e8 += sum(self.promised_e8(order, before) for order in olds)
        if need_e8 > have_e8:
            return Refused(Refusal.INSUFFICIENT_SHARES, (("required_e8", need_e8), ("available_e8", have_e8)))
        return None

    def with_pairs(self, orders: list[NaiveOrder], among: list[NaiveOrder]) -> list[NaiveOrder]:
        found = list(orders)
        for order in orders:
            other = self.pair_of(order, among)
            if other is not None and not any(other is each for each in found):
                found.append(other)
        return found

    # -- who meets whom

    def matches(self, order: NaiveOrder) -> bool:
        """Whether its book trades at once, and with it."""
        phase = self.instruments[order.symbol].phase
        if phase is Phase.EXTENDED:
            return order.asked().extended_hours
        is_for_auction = order.time_in_force in (TimeInForce.OPG, TimeInForce.CLS)
        return phase is Phase.CONTINUOUS and not is_for_auction

    def waits(self, order: NaiveOrder) -> bool:
        """Whether an order that does not match now stays outside of the levels."""
        if order.takes_any_price() or order.time_in_force in (
            TimeInForce.IOC,
            TimeInForce.FOK,
            TimeInForce.OPG,
            TimeInForce.CLS,
        ):
            return True
        return self.instruments[order.symbol].phase is Phase.EXTENDED and not order.asked().extended_hours

    def counterparties(self, order: NaiveOrder) -> list[NaiveOrder]:
        """Who an order may trade with now: best price first, then who came first."""
        found = [
            other
            for other in self.orders
            if other.resting
            and other.symbol == order.symbol
            and other.side is not order.side
            and (other.limit_e4 <= order.limit_e4 if order.side is BUY else other.limit_e4 >= order.limit_e4)
        ]
        return sorted(
            found, key=lambda other: (other.limit_e4 if order.side is BUY else -other.limit_e4, other.place)
        )

    def all_or_nothing(self, order: NaiveOrder, now_us: int) -> Refused | None:
        """Go through the queue as a FOK order would: slice by slice, each pair once, within the band that halts."""
        if order.time_in_force is not TimeInForce.FOK:
            return None
        instrument = self.instruments[order.symbol]
        band = (instrument.halt_reference_e4, instrument.halt_set_us, instrument.last_e4)
        queue = self.counterparties(order)
        left_e8 = {other.order_id: other.leaves_e8() for other in queue}
        found_e8 = 0
        while queue and found_e8 < order.quantity_e8:
            other = queue.pop(0)
            if other.account_id == order.account_id:
                if order.policy is not SelfTradePrevention.CANCEL_OLDEST:
                    break
                continue
            allowed, band = self.within_band(instrument, other.limit_e4, now_us, band)
            if not allowed:
                break
            slice_e8 = min(other.asked().display_e8 or left_e8[other.order_id], left_e8[other.order_id])
            if left_e8[other.order_id] == other.leaves_e8():
                slice_e8 = min(other.in_reach_e8(), slice_e8)
            for each in self.with_pairs([other], queue):
                left_e8[each.order_id] -= slice_e8
            found_e8 += slice_e8
            if left_e8[other.order_id] > 0:
                same = [each for each in queue if each.limit_e4 == other.limit_e4]
                queue.insert(len(same), other)
            queue = [each for each in queue if left_e8[each.order_id] > 0]
        if found_e8 < order.quantity_e8:
            return Refused(Refusal.FILL_OR_KILL, (("fillable_e8", found_e8),))
        return None

    def within_band(
        self, instrument: NaiveInstrument, price_e4: int, now_us: int, band: tuple[int, int, int]
    ) -> tuple[bool, tuple[int, int, int]]:
        """Whether a trade may happen, and (reference, when it was set, last price) after it."""
        reference_e4, set_us, last_e4 = band
        if not instrument.halt_bps or instrument.phase is not Phase.CONTINUOUS:
            return True, (reference_e4, set_us, price_e4)
        if reference_e4 == 0:
            return True, (price_e4, now_us, price_e4)
        if now_us - set_us >= instrument.halt_window_us:
            reference_e4, set_us = last_e4, now_us
        lowest, highest = (
            lowest_e4(reference_e4, instrument.halt_bps),
            highest_e4(reference_e4, instrument.halt_bps),
        )
        if not lowest <= price_e4 <= highest:
            return False, (reference_e4, set_us, last_e4)
        return True, (reference_e4, set_us, price_e4)

    # -- prices

    def collar_e4(self, instrument: NaiveInstrument, side: Side, anchor_e4: int) -> int:
        distance_bps = min(self.collar_bps, instrument.band_bps)
        tick_e4 = instrument.tick_e4
        if side is BUY:
            price_e4 = highest_e4(anchor_e4, distance_bps) // tick_e4 * tick_e4
        else:
            price_e4 = ceil(Fraction(lowest_e4(anchor_e4, distance_bps), tick_e4)) * tick_e4
        return sorted([instrument.price_min_e4, price_e4, instrument.price_max_e4])[1]

    def trigger_e4(self, instrument: NaiveInstrument, order: NaiveOrder) -> int:
        """Where a trailing stop fires: so far from its extreme, on the tick, away from it."""
        terms = order.asked()
        distance = terms.trail_e4 or Fraction(order.extreme_e4 * terms.trail_ppm, 1_000_000)
        if order.side is SELL:
            return (order.extreme_e4 - distance) // instrument.tick_e4 * instrument.tick_e4
        return ceil(Fraction(order.extreme_e4 + distance) / instrument.tick_e4) * instrument.tick_e4

    def reached(self, order: NaiveOrder, price_e4: int) -> bool:
        return price_e4 >= order.trigger_e4 if order.side is BUY else price_e4 <= order.trigger_e4

    def notional_e8(
        self, instrument: NaiveInstrument, side: Side, notional_e4: int, limit_e4: int, *, is_market: bool
    ) -> int:
        """The largest multiple of the lot that the amount pays."""
        budget, quantity_e8 = notional_e4 * UNIT, 0
        there = [other for other in self.orders if other.resting and other.symbol == instrument.symbol]
        there = [other for other in there if other.side is not side] if is_market else []
        for other in sorted(there, key=lambda other: other.limit_e4 if side is BUY else -other.limit_e4):
            if (other.limit_e4 <= limit_e4) if side is BUY else (other.limit_e4 >= limit_e4):
                part_e8 = min(other.in_reach_e8(), budget // other.limit_e4)
                quantity_e8 += part_e8
                budget -= part_e8 * other.limit_e4
                if part_e8 < other.in_reach_e8():
                    return quantity_e8 // instrument.lot_e8 * instrument.lot_e8
        quantity_e8 += budget // limit_e4
        return quantity_e8 // instrument.lot_e8 * instrument.lot_e8

    def note_mark(self, turn: NaiveTurn, instrument: NaiveInstrument, price_e4: int) -> None:
        instrument.reference_e4 = price_e4
        if instrument.price_source is PriceSource.TAPE:
            turn.prints.append((instrument.symbol, price_e4))

    # -- reports

    def report(self, order: NaiveOrder) -> OrderUpdated:
        return order.report(self.hold_e4(order))

    def finish(self, turn: NaiveTurn) -> None:
        """Append what was touched, as it is now."""
        for order in turn.orders:
            if order.fills or not order.is_quote:
                turn.events.append(self.report(order))
        for symbol in dict.fromkeys(symbol for symbol, _, _ in turn.levels):
            rows = []
            for of, side, price_e4 in turn.levels:
                if of == symbol:
                    there = [
                        each
                        for each in self.orders
                        if each.resting
                        and (each.symbol, each.side, each.limit_e4) == (symbol, side, price_e4)
                    ]
                    rows.append((side, price_e4, sum(each.in_reach_e8() for each in there), len(there)))
            turn.events.append(BookChanged(symbol, tuple(rows)))
        for account in turn.accounts:
            turn.events.append(
                BalanceChanged(account.account_id, account.cash_e4, self.held_e4(account.account_id))
            )
