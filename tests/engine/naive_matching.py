"""What happens to the orders of the naive exchange: they enter, meet, fill, shrink each other, wait, and end."""

from __future__ import annotations

from engine.events import PhaseChanged, Traded
from engine.kinds import (
    CloseReason,
    OrderStatus,
    Phase,
    PriceSource,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TimerKind,
)
from tests.engine.naive_forms import NaiveForms
from tests.engine.naive_lots import sell as sell_units
from tests.engine.naive_records import NaiveFill, NaiveOrder, NaiveTrade, worth
from tests.engine.naive_turn import NaiveInstrument, NaiveTimer, NaiveTurn

BUY, SELL = Side.BUY, Side.SELL
CANCELLED = OrderStatus.CANCELLED


class NaiveMatching(NaiveForms):
    """Matching in continuous trading, and what the orders that hang together do to each other."""

    # -- in and out

    def enter(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        self.orders.append(order)
        self.touch(turn, order)
        if order.client_order_id:
            self.client_ids[order.account_id, order.client_order_id] = None

    def touch(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        order.updated_us = turn.now_us
        turn.touch(
            order=order,
            level_of=order if order.resting else None,
            account=self.accounts[order.account_id] if order.side is BUY else None,
        )

    def rest(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        """In the levels, at its place."""
        order.resting, order.waiting = True, False
        order.show_a_slice()
        self.touch(turn, order) if order.asked().display_e8 else turn.touch(level_of=order)

    def wait(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        """Outside of the levels, until its time has come."""
        turn.touch(level_of=order if order.resting else None)
        order.resting, order.waiting = False, True
        if order.shown_e8:
            order.show_a_slice()
            self.touch(turn, order)

    def end(self, turn: NaiveTurn, order: NaiveOrder, status: OrderStatus, reason: CloseReason) -> None:
        """Over; and so is what hangs on it."""
        self.touch(turn, order)
        order.status, order.reason = status, reason
        self.forget(turn, order)
        if reason in (CloseReason.REPLACED, CloseReason.PARENT):
            return
        other = self.pair_of(order, self.orders)
        if other is not None:
            self.end(turn, other, CANCELLED, CloseReason.PAIR)
        if not order.fills:
            for leg in [leg for leg in self.orders if leg.parent_id == order.order_id and not leg.armed]:
                self.end(turn, leg, CANCELLED, CloseReason.PARENT)

    def forget(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        order.resting = order.waiting = False
        order.show_a_slice()
        self.orders = [other for other in self.orders if other is not order]
        self.timers = [
            timer
            for timer in self.timers
            if (timer.kind, timer.target) != (TimerKind.ORDER_EXPIRY, str(order.order_id))
        ]
        if order.client_order_id:
            self.client_ids[order.account_id, order.client_order_id] = turn.now_us

    # -- continuous trading

    def trade(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        """Fill what can be filled; then rest, wait or end."""
        instrument = self.instruments[order.symbol]
        while order.open() and self.matches(order):
            others = self.counterparties(order)
            if not others:
                break
            other = others[0]
            if other.account_id == order.account_id:
                smaller_e8 = min(order.leaves_e8(), other.in_reach_e8())
                self.meet_self(turn, order, other, smaller_e8, from_slice=True)
                self.next_slice(turn, other)
            elif self.halts(turn, instrument, other.limit_e4):
                break
            else:
                quantity_e8 = min(order.leaves_e8(), other.in_reach_e8())
                self.fill(turn, order, other, other.limit_e4, quantity_e8, is_auction=False)
                self.next_slice(turn, other)
        if not order.open():
            return
        if not self.matches(order):
            self.wait(turn, order) if self.waits(order) else self.rest(turn, order)
        elif order.takes_any_price() or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self.end(turn, order, CANCELLED, CloseReason.NO_LIQUIDITY)
        else:
            self.rest(turn, order)

    def next_slice(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        """What an iceberg shows when its slice is gone; at the end of the queue."""
        if order.open() and order.asked().display_e8 and order.shown_e8 == 0:
            order.place = turn.new_id()
            order.show_a_slice()
            self.touch(turn, order)

    def meet_self(
        self,
        turn: NaiveTurn,
        newer: NaiveOrder,
        older: NaiveOrder,
        smaller_e8: int,
        *,
        from_slice: bool,
    ) -> None:
        """No trade between orders of one account; what happens instead is the newer one's choice."""
        policy = newer.policy
        for each in (newer, older):
            ends = {
                SelfTradePrevention.CANCEL_NEWEST: each is newer,
                SelfTradePrevention.CANCEL_OLDEST: each is older,
                SelfTradePrevention.DECREMENT: each.leaves_e8() == smaller_e8,
            }[policy]
            if ends:
                self.end(turn, each, CANCELLED, CloseReason.SELF_TRADE)
            elif policy is SelfTradePrevention.DECREMENT:
                self.shrink(turn, each, smaller_e8, from_slice=from_slice)
                other = self.pair_of(each, self.orders)
                if other is not None:
                    self.shrink(turn, other, smaller_e8)

    def shrink(
        self, turn: NaiveTurn, order: NaiveOrder, quantity_e8: int, *, from_slice: bool = False
    ) -> None:
        """Smaller without a trade; an iceberg shows as much as before where it can."""
        order.quantity_e8 -= quantity_e8
        slice_e8 = max(order.shown_e8 - quantity_e8, 0) if from_slice else order.shown_e8
        order.shown_e8 = min(slice_e8, order.leaves_e8())
        self.touch(turn, order)
        for leg in [leg for leg in self.orders if leg.order_id in order.children]:
            leg.planned_e8 -= quantity_e8
            leg.quantity_e8 -= 0 if leg.armed else quantity_e8
            self.touch(turn, leg)
        if order.leaves_e8() == 0:
            self.end(turn, order, CANCELLED, CloseReason.PAIR)

    def fill(
        self,
        turn: NaiveTurn,
        taker: NaiveOrder,
        maker: NaiveOrder,
        price_e4: int,
        quantity_e8: int,
        *,
        is_auction: bool,
    ) -> None:
        notional_e4 = int(worth(price_e4, quantity_e8))
        trade_id = turn.new_id(2)
        buy, sell = (taker, maker) if taker.side is BUY else (maker, taker)
        buyer, seller = self.accounts[buy.account_id], self.accounts[sell.account_id]
        fees_before = buy.fee_e4(), sell.fee_e4()
        for order in (taker, maker):
            order.fills.append(NaiveFill(notional_e4, quantity_e8, is_auction or order is maker))
            if is_auction:
                order.shown_e8 = min(order.shown_e8, order.leaves_e8())
            elif order.shown_e8:
                order.shown_e8 -= quantity_e8
            self.touch(turn, order)
            order.status = OrderStatus.FILLED if order.leaves_e8() == 0 else OrderStatus.PARTIAL
            if order.children and not any(order is each for each in turn.parents):
                turn.parents.append(order)
        buy_fee_e4, sell_fee_e4 = buy.fee_e4() - fees_before[0], sell.fee_e4() - fees_before[1]
        seller.cash_e4 += notional_e4 - sell_fee_e4
        buyer.cash_e4 -= notional_e4 + buy_fee_e4
        sold = sell_units(seller, sell, quantity_e8)
        seller.realized_e4 += notional_e4 - sum(cost_e4 for _, _, cost_e4, _ in sold)
        buyer.receive(buy.symbol, trade_id, quantity_e8, notional_e4, turn.now_us)
        instrument = self.instruments[maker.symbol]
        self.note_fees(instrument.currency, buy_fee_e4 + sell_fee_e4)
        instrument.last_e4 = price_e4
        if instrument.price_source is PriceSource.OWN:
            turn.prints.append((instrument.symbol, price_e4))
        turn.touch(account=seller)
        turn.touch(account=buyer)
        trade = NaiveTrade(
            buyer,
            seller,
            (buy, sell),
            turn.now_us,
            Traded(
                trade_id, maker.symbol, instrument.currency, price_e4, quantity_e8, notional_e4, taker.side,
                buy.order_id, buy.account_id, buy_fee_e4, buyer.cash_e4, buyer.units_e8(buy.symbol),
                sell.order_id, sell.account_id, sell_fee_e4, seller.cash_e4, seller.units_e8(sell.symbol),
                tuple(sold),
            ),
        )  # fmt: skip
        self.trades[trade_id] = trade
        turn.events.append(trade.fill)
        for order in (taker, maker):
            if order.status is OrderStatus.FILLED:
                self.forget(turn, order)
            other = self.pair_of(order, self.orders)
            if other is not None:
                self.shrink(turn, other, quantity_e8)

    # -- price bands that halt

    def halts(self, turn: NaiveTurn, instrument: NaiveInstrument, price_e4: int) -> bool:
        """Whether a trade would be outside of the band; trading stops before it then."""
        band = (instrument.halt_reference_e4, instrument.halt_set_us, instrument.last_e4)
        allowed, band = self.within_band(instrument, price_e4, turn.now_us, band)
        instrument.halt_reference_e4, instrument.halt_set_us = band[:2]
        if allowed:
            return False
        self.begin_halt(turn, instrument, "price_band")
        return True

    def begin_halt(self, turn: NaiveTurn, instrument: NaiveInstrument, reason: str) -> None:
        """The call before trading goes on."""
        instrument.phase = Phase.HALT_AUCTION
        turn.events.append(PhaseChanged(instrument.symbol, Phase.HALT_AUCTION, reason))
        due_us = turn.now_us + instrument.halt_us
        self.timers.append(NaiveTimer(turn.new_id(), due_us, TimerKind.REOPEN, instrument.symbol))
        instrument.indicated = (0, 0, 0)
        self.watch_calls(turn)

    def watch_calls(self, turn: NaiveTurn) -> None:
        """One timer a second tells what all calls would give."""
        is_watched = any(timer.kind is TimerKind.INDICATIVE for timer in self.timers)
        if not is_watched and any(instrument.is_call() for instrument in self.instruments.values()):
            due_us = turn.now_us + 10**6
            self.timers.append(NaiveTimer(turn.new_id(), due_us, TimerKind.INDICATIVE, ""))
