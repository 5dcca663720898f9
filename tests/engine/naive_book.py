"""A second exchange, written for the eye and not for speed: one list of open orders, sorted when it matters.

It shares with the engine the commands, events, kinds and refusals, and none of the code that decides or counts: it was
written from docs/orders.md. `tests/engine/test_against_naive_book.py` asks both the same things and expects the same events.
"""

from __future__ import annotations

from engine.commands import CancelAll, CancelOrder, MassQuote, PlaceOrder
from engine.events import Refused
from engine.kinds import (
    AccountKind,
    CloseReason,
    OrderClass,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TimerKind,
)
from engine.refusals import Refusal
from engine.terms import NO_TERMS, Leg
from tests.engine.naive_forms import terms_of
from tests.engine.naive_lots import bad_lots
from tests.engine.naive_records import NaiveAccount, NaiveOrder
from tests.engine.naive_sessions import NaiveSessions
from tests.engine.naive_turn import NaiveInstrument, NaiveTimer, NaiveTurn

BUY, SELL = Side.BUY, Side.SELL


class NaiveBook(NaiveSessions):
    """What traders may do, and what it does to the orders."""

    def place(self, turn: NaiveTurn, account_id: int, command: PlaceOrder) -> Refused | int:
        account = self.accounts.get(account_id)
        refused = self.may_act(account)
        if refused or account is None:
            return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
        legs = command.legs
        refused = self.taken(account_id, [command.client_order_id, *(leg.client_order_id for leg in legs)])
        if refused:
            return refused
        instrument = self.instruments.get(command.symbol)
        if instrument is None:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        refused = self.may_trade(account, instrument, command.time_in_force, turn.now_us)
        if refused:
            return refused
        quantity_e8 = self.quantity_of(instrument, command)
        if isinstance(quantity_e8, Refused):
            return quantity_e8
        refused = self.good_terms(instrument, command, quantity_e8, turn.now_us) or bad_lots(
            self, account, command, quantity_e8
        )
        if refused:
            return refused
        orders = self.make(turn, account, instrument, command, quantity_e8)
        for order in orders:
            is_now = order is orders[0] or command.order_class is OrderClass.OCO
            refused = self.sane(instrument, order, checks_stop=is_now)
            if refused:
                return refused
        mine = [order for order in self.orders if order.account_id == account_id and not order.is_quote]
        if len(mine) + len(orders) > self.open_orders_max:
            return Refused(Refusal.TOO_MANY_OPEN_ORDERS, (("maximum", self.open_orders_max),))
        refused = (
            self.covered(account, orders, [])
            or self.all_or_nothing(orders[0], turn.now_us)
            or self.would_take(orders[0])
        )
        if refused:
            return refused
        for order in orders:
            self.enter(turn, order)
        if command.time_in_force is TimeInForce.GTD:
            self.expire_later(turn, orders[0])
        if not orders[0].is_stop():
            self.trade(turn, orders[0])
        return orders[0].order_id

    def quantity_of(self, instrument: NaiveInstrument, command: PlaceOrder) -> Refused | int:
        """Its quantity, or what its notional pays; and whether quantity and price are in form."""
        notional_e4 = (command.terms or NO_TERMS).notional_e4
        if not notional_e4 or command.quantity_e8:
            return (
                self.good_quantity(instrument, command.quantity_e8)
                or self.good_price_of(instrument, command.order_type, command.price_e4)
                or command.quantity_e8
            )
        refused = self.good_price_of(instrument, command.order_type, command.price_e4)
        if refused:
            return refused
        is_market = command.order_type is OrderType.MARKET
        if notional_e4 < 0 or not (is_market or command.order_type is OrderType.LIMIT):
            return 0
        if is_market and instrument.anchor_e4() == 0:
            return Refused(Refusal.NO_REFERENCE_PRICE)
        limit_e4 = command.price_e4
        if is_market:
            limit_e4 = self.collar_e4(instrument, command.side, instrument.anchor_e4())
        quantity_e8 = self.notional_e8(instrument, command.side, notional_e4, limit_e4, is_market=is_market)
        return quantity_e8 or Refused(Refusal.NOTIONAL_TOO_SMALL)

    def make(
        self,
        turn: NaiveTurn,
        account: NaiveAccount,
        instrument: NaiveInstrument,
        command: PlaceOrder,
        quantity_e8: int,
    ) -> list[NaiveOrder]:
        """The order and its legs, with their ids and links; priced, where they are not armed later."""
        maker_ppm, taker_ppm = self.fees[instrument.fee_schedule]
        order_id = turn.new_id()
        order = NaiveOrder(
            order_id, account.account_id, command.symbol, command.side, command.order_type, command.time_in_force,
            quantity_e8, command.price_e4, 0, maker_ppm, taker_ppm, turn.now_us, turn.now_us,
            command.client_order_id, command.self_trade_prevention, 0, False, order_id,
            terms=command.terms, order_class=command.order_class,
        )  # fmt: skip
        legs = [self.make_leg(turn, order, leg) for leg in command.legs]
        if command.order_class in (OrderClass.OCO, OrderClass.BRACKET):
            group_id = turn.new_id()
            for each in legs if command.order_class is OrderClass.BRACKET else [order, *legs]:
                each.group_id = group_id
        if command.order_class in (OrderClass.BRACKET, OrderClass.OTO):
            order.children = tuple(leg.order_id for leg in legs)
        for each in [order, *legs]:
            if each.is_stop():
                each.status = OrderStatus.HELD
            if each.armed or each.order_type is not OrderType.TRAILING_STOP:
                self.price_it(instrument, each)
        return [order, *legs]

    def make_leg(self, turn: NaiveTurn, parent: NaiveOrder, leg: Leg) -> NaiveOrder:
        is_pair = parent.order_class is OrderClass.OCO
        side = parent.side if is_pair else (SELL if parent.side is BUY else BUY)
        tif = parent.time_in_force
        if tif not in (TimeInForce.DAY, TimeInForce.GTC):
            tif = TimeInForce.GTC
        order_id = turn.new_id()
        return NaiveOrder(
            order_id, parent.account_id, parent.symbol, side, leg.order_type, tif,
            parent.quantity_e8, leg.price_e4, 0, parent.maker_ppm, parent.taker_ppm, turn.now_us, turn.now_us,
            leg.client_order_id, parent.policy, 0, False, order_id,
            status=OrderStatus.HELD, terms=terms_of(leg), order_class=parent.order_class,
            parent_id=0 if is_pair else parent.order_id, planned_e8=0 if is_pair else parent.quantity_e8,
            armed=is_pair,
        )  # fmt: skip

    def expire_later(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        due_us = order.asked().expires_us
        self.timers.append(NaiveTimer(turn.new_id(), due_us, TimerKind.ORDER_EXPIRY, str(order.order_id)))

    def would_take(self, order: NaiveOrder) -> Refused | None:
        if order.asked().post_only and self.matches(order) and self.counterparties(order):
            return Refused(Refusal.POST_ONLY_WOULD_TAKE)
        return None

    # -- cancels

    def cancel(self, turn: NaiveTurn, account_id: int, command: CancelOrder) -> Refused | int:
        for order in self.orders:
            if order.order_id == command.order_id and order.account_id == account_id and not order.is_quote:
                self.end(turn, order, OrderStatus.CANCELLED, CloseReason.USER)
                return order.order_id
        return Refused(Refusal.ORDER_NOT_FOUND)

    def cancel_all(self, turn: NaiveTurn, account_id: int, command: CancelAll) -> Refused | None:
        if account_id not in self.accounts:
            return Refused(Refusal.ACCOUNT_NOT_FOUND)
        if command.symbol and command.symbol not in self.instruments:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        self.end_all_of(turn, account_id, command.symbol, CloseReason.CANCEL_ALL)
        return None

    def end_all_of(self, turn: NaiveTurn, account_id: int, symbol: str, reason: CloseReason) -> None:
        """Orders by id first, then quotes."""
        mine = [
            order for order in self.orders if order.account_id == account_id and symbol in ("", order.symbol)
        ]
        for order in sorted(mine, key=lambda order: (order.is_quote, order.order_id)):
            if order.open():
                self.end(turn, order, OrderStatus.CANCELLED, reason)

    # -- quotes

    def quote(self, turn: NaiveTurn, account_id: int, command: MassQuote) -> Refused | None:
        account = self.accounts.get(account_id)
        refused = self.may_act(account)
        if refused or account is None:
            return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
        instrument = self.instruments.get(command.symbol)
        if instrument is None:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        refused = self.may_trade(account, instrument, TimeInForce.DAY, turn.now_us)
        if refused:
            return refused
        if account.kind is not AccountKind.MARKET_MAKER:
            return Refused(Refusal.INVALID_QUOTE)
        if len(command.bids) > 20 or len(command.asks) > 20:
            return Refused(Refusal.INVALID_QUOTE, (("quotes_per_side_max", 20),))
        if any(bid[0] >= ask[0] for bid in command.bids for ask in command.asks):
            return Refused(Refusal.INVALID_QUOTE)
        wanted = [(BUY, *bid) for bid in command.bids] + [(SELL, *ask) for ask in command.asks]
        maker_ppm, taker_ppm = self.fees[instrument.fee_schedule]
        quotes = []
        for side, price_e4, quantity_e8 in wanted:
            order_id = turn.new_id()
            order = NaiveOrder(
                order_id, account_id, command.symbol, side, OrderType.LIMIT, TimeInForce.DAY,
                quantity_e8, price_e4, price_e4, maker_ppm, taker_ppm, turn.now_us, turn.now_us,
                "", SelfTradePrevention.CANCEL_NEWEST, 0, True, order_id,
            )  # fmt: skip
            refused = (
                self.good_quantity(instrument, quantity_e8)
                or self.good_price(instrument, price_e4)
                or self.sane(instrument, order, checks_stop=False)
            )
            if refused:
                return refused
            quotes.append(order)
        old_quotes = [
            order
            for order in self.orders
            if order.is_quote and (order.account_id, order.symbol) == (account_id, command.symbol)
        ]
        refused = self.covered(account, quotes, old_quotes)
        if refused:
            return refused
        for old in old_quotes:
            self.end(turn, old, OrderStatus.CANCELLED, CloseReason.REQUOTED)
        for order in quotes:
            self.enter(turn, order)
            self.trade(turn, order)
        return None
