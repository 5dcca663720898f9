"""What comes after a command's own work in the naive exchange: legs are armed, stops see prices, stops fire."""

from __future__ import annotations

from engine.kinds import CloseReason, OrderStatus, OrderType, Phase, Side
from tests.engine.naive_matching import NaiveMatching
from tests.engine.naive_records import NaiveOrder
from tests.engine.naive_turn import NaiveTurn


class NaiveStops(NaiveMatching):
    """Legs and stops."""

    def settle_down(self, turn: NaiveTurn) -> None:
        """Arm legs, show prints, fire one stop; until there is nothing of it left to do."""
        while True:
            self.arm_all(turn)
            self.show_prints(turn)
            turn.marked = [
                order
                for order in turn.marked
                if order.status is OrderStatus.HELD
                and self.instruments[order.symbol].phase is Phase.CONTINUOUS
            ]
            if not turn.marked:
                return
            self.fire(turn, min(turn.marked, key=lambda order: order.place))

    # -- stops

    def show_prints(self, turn: NaiveTurn) -> None:
        for index, (symbol, price_e4) in enumerate(turn.prints):
            if self.instruments[symbol].phase is not Phase.CONTINUOUS:
                continue
            for order in self.orders:
                if (
                    order.symbol == symbol
                    and order.status is OrderStatus.HELD
                    and order.armed
                    and not any(order is each for each in turn.marked)
                    and index >= turn.armed_at.get(order.order_id, 0)
                ):
                    self.show(turn, order, price_e4)
        turn.prints = []
        turn.armed_at = {}

    def show(self, turn: NaiveTurn, order: NaiveOrder, price_e4: int) -> None:
        """Move a trailing stop; mark what is reached."""
        if order.order_type is OrderType.TRAILING_STOP:
            best_e4 = (min if order.side is Side.BUY else max)(order.extreme_e4, price_e4)
            if best_e4 != order.extreme_e4:
                order.extreme_e4 = best_e4
                order.trigger_e4 = self.trigger_e4(self.instruments[order.symbol], order)
                self.touch(turn, order)
        if self.reached(order, price_e4):
            turn.marked.append(order)

    def fire(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        order.triggered_us = turn.now_us
        order.status = OrderStatus.PENDING
        order.place = turn.new_id()
        pair = self.pair_of(order, self.orders)
        held_e4 = 0 if pair is None else self.hold_e4(pair)
        if order.takes_any_price():
            instrument, accepted_e4 = self.instruments[order.symbol], order.limit_e4
            order.limit_e4 = self.collar_e4(instrument, order.side, instrument.anchor_e4())
            if order.side is Side.BUY and self.free_e4(self.accounts[order.account_id]) < 0:
                order.limit_e4 = accepted_e4
        if pair is not None and self.hold_e4(pair) != held_e4:
            turn.touch(order=pair)
        self.touch(turn, order)
        self.trade(turn, order)

    # -- legs

    def arm_all(self, turn: NaiveTurn) -> None:
        """Give the legs of each parent that was filled what it was filled since."""
        while True:
            parents = [parent for parent in turn.parents if parent.filled_e8() > parent.handed_e8]
            if not parents:
                return
            parent = min(parents, key=lambda parent: parent.order_id)
            filled_e8 = parent.filled_e8() - parent.handed_e8
            parent.handed_e8 = parent.filled_e8()
            legs = [leg for leg in self.orders if leg.order_id in parent.children]
            self.arm(turn, sorted(legs, key=lambda leg: parent.children.index(leg.order_id)), filled_e8)

    def arm(self, turn: NaiveTurn, legs: list[NaiveOrder], filled_e8: int) -> None:
        new = [leg for leg in legs if not leg.armed]
        for leg in legs:
            if leg.armed:
                leg.quantity_e8 += filled_e8
                if leg.status is not OrderStatus.HELD:
                    leg.place = turn.new_id()
            else:
                leg.armed, leg.quantity_e8, leg.place = True, filled_e8, turn.new_id()
                self.price_it(self.instruments[leg.symbol], leg)
            self.touch(turn, leg)
        if legs and legs[0].side is Side.BUY and self.free_e4(self.accounts[legs[0].account_id]) < 0:
            self.end(turn, legs[0], OrderStatus.CANCELLED, CloseReason.NOT_COVERED)
        for leg in new:
            if leg.open() and leg.is_stop():
                turn.armed_at[leg.order_id] = len(turn.prints)
                if self.reached(leg, self.instruments[leg.symbol].anchor_e4()):
                    turn.marked.append(leg)
            elif leg.open():
                leg.status = OrderStatus.PENDING
                self.trade(turn, leg)
