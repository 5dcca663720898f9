"""The naive exchange's state, and what it refuses: rules in the order in which they are decided."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from engine.events import Refused
from engine.kinds import AccountStatus, KillScope, Phase, SelfTradePrevention, Side, TimeInForce
from engine.refusals import Refusal
from tests.engine.naive_records import NaiveAccount, NaiveInstrument, NaiveOrder, NaiveTrade, worth

BUY, SELL = Side.BUY, Side.SELL


class NaiveRules:
    """Open orders, accounts and instruments, what follows from them, and what is refused."""

    def __init__(self) -> None:
        self.accounts: dict[int, NaiveAccount] = {}
        self.instruments: dict[str, NaiveInstrument] = {}
        self.fees: dict[str, tuple[int, int]] = {}
        self.orders: list[NaiveOrder] = []
        self.trades: dict[int, NaiveTrade] = {}
        self.withdrawals: dict[int, tuple[int, int]] = {}
        self.client_ids: dict[tuple[int, str], int | None] = {}
        self.switches: set[tuple[KillScope, str]] = set()
        self.quantity_max_e8 = 10**17
        self.value_max_e4 = 10**15
        self.open_orders_max = 1_000
        self.collar_bps = 500

    # -- what follows from the open orders

    def held_e4(self, account_id: int) -> int:
        return sum(order.hold_e4() for order in self.orders if order.account_id == account_id) + sum(
            amount_e4 for owner, amount_e4 in self.withdrawals.values() if owner == account_id
        )

    def free_e4(self, account: NaiveAccount) -> int:
        return account.cash_e4 - self.held_e4(account.account_id)

    def free_e8(self, account: NaiveAccount, symbol: str) -> int:
        promised_e8 = sum(
            order.leaves_e8()
            for order in self.orders
            if (order.account_id, order.symbol, order.side) == (account.account_id, symbol, SELL)
        )
        return account.units_e8(symbol) - promised_e8

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

    # -- what is refused

    def may_act(self, account: NaiveAccount | None) -> Refused | None:
        if account is not None and account.status is AccountStatus.DISABLED:
            return Refused(Refusal.ACCOUNT_DISABLED)
        return None

    def may_trade(self, account: NaiveAccount, instrument: NaiveInstrument) -> Refused | None:
        stopping = {
            (KillScope.MARKET, ""),
            (KillScope.SYMBOL, instrument.symbol),
            (KillScope.ACCOUNT, str(account.account_id)),
        }
        if self.switches & stopping:
            return Refused(Refusal.KILL_SWITCH_ON)
        if instrument.halted:
            return Refused(Refusal.SYMBOL_HALTED)
        if instrument.phase is Phase.CLOSED:
            return Refused(Refusal.SESSION_CLOSED)
        if account.currency != instrument.currency:
            return Refused(Refusal.CURRENCY_MISMATCH)
        return None

    def well_formed(
        self, instrument: NaiveInstrument, quantity_e8: int, price_e4: int | None
    ) -> Refused | None:
        if quantity_e8 <= 0 or quantity_e8 > 10**17:
            return Refused(Refusal.INVALID_QUANTITY)
        if quantity_e8 % instrument.lot_e8 != 0:
            return Refused(Refusal.INVALID_LOT_SIZE, (("lot_e8", instrument.lot_e8),))
        if price_e4 is None:
            return None
        low_e4, high_e4 = instrument.price_min_e4, instrument.price_max_e4
        if price_e4 < low_e4 or price_e4 > high_e4:
            return Refused(Refusal.INVALID_PRICE, (("price_min_e4", low_e4), ("price_max_e4", high_e4)))
        if price_e4 % instrument.tick_e4 != 0:
            return Refused(Refusal.INVALID_TICK_SIZE, (("tick_e4", instrument.tick_e4),))
        return None

    def sane(
        self, instrument: NaiveInstrument, side: Side, quantity_e8: int, limit_e4: int
    ) -> Refused | None:
        anchor_e4 = instrument.anchor_e4()
        if anchor_e4 == 0:
            return Refused(Refusal.NO_REFERENCE_PRICE)
        high_e4, low_e4 = (
            instrument.highest_e4(instrument.band_bps),
            instrument.lowest_e4(instrument.band_bps),
        )
        if side is BUY and limit_e4 > high_e4:
            return Refused(Refusal.PRICE_OUT_OF_BAND, (("bound_e4", high_e4), ("reference_e4", anchor_e4)))
        if side is SELL and limit_e4 < low_e4:
            return Refused(Refusal.PRICE_OUT_OF_BAND, (("bound_e4", low_e4), ("reference_e4", anchor_e4)))
        if quantity_e8 > self.quantity_max_e8:
            return Refused(Refusal.ORDER_TOO_LARGE, (("maximum_e8", self.quantity_max_e8),))
        if worth(limit_e4, quantity_e8) > self.value_max_e4:
            return Refused(Refusal.ORDER_VALUE_TOO_LARGE, (("maximum_e4", self.value_max_e4),))
        return None

    def collar_e4(self, instrument: NaiveInstrument, side: Side) -> int:
        distance_bps = min(self.collar_bps, instrument.band_bps)
        tick_e4 = instrument.tick_e4
        if side is BUY:
            price_e4 = instrument.highest_e4(distance_bps) // tick_e4 * tick_e4
        else:
            price_e4 = ceil(Fraction(instrument.lowest_e4(distance_bps), tick_e4)) * tick_e4
        return sorted([instrument.price_min_e4, price_e4, instrument.price_max_e4])[1]

    def covered(
        self, account: NaiveAccount, wanted: list[NaiveOrder], given_up: list[NaiveOrder]
    ) -> Refused | None:
        need_e4 = sum(order.hold_e4() for order in wanted)
        have_e4 = self.free_e4(account) + sum(order.hold_e4() for order in given_up)
        if need_e4 > have_e4:
            return Refused(Refusal.INSUFFICIENT_FUNDS, (("required_e4", need_e4), ("available_e4", have_e4)))
        sells = [order for order in wanted if order.side is SELL]
        if not sells:
            return None
        need_e8 = sum(order.leaves_e8() for order in sells)
        have_e8 = self.free_e8(account, sells[0].symbol)
        have_e8 += sum(order.leaves_e8() for order in given_up if order.side is SELL)
        if need_e8 > have_e8:
            return Refused(Refusal.INSUFFICIENT_SHARES, (("required_e8", need_e8), ("available_e8", have_e8)))
        return None

    def all_or_nothing(self, order: NaiveOrder) -> Refused | None:
        if order.time_in_force is not TimeInForce.FOK:
            return None
        found_e8 = 0
        for other in self.counterparties(order):
            if other.account_id != order.account_id:
                found_e8 += other.leaves_e8()
            elif order.policy is not SelfTradePrevention.CANCEL_OLDEST:
                break
        if found_e8 < order.quantity_e8:
            return Refused(Refusal.FILL_OR_KILL, (("fillable_e8", found_e8),))
        return None
