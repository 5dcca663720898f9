"""A second exchange, written for the eye and not for speed: one list of open orders, sorted when it matters.

It shares with the engine the commands, events, kinds and refusals, and none of the code that decides or counts.
`tests/engine/test_against_naive_book.py` asks both the same things and expects the same events.
"""

from __future__ import annotations

from engine.commands import CancelAll, CancelOrder, MassQuote, PlaceOrder, ReplaceOrder
from engine.events import Refused, Traded
from engine.kinds import (
    AccountKind,
    CloseReason,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.refusals import Refusal
from tests.engine.naive_records import NaiveFill, NaiveOrder, NaiveTrade, NaiveTurn, worth
from tests.engine.naive_rules import NaiveRules

BUY, SELL = Side.BUY, Side.SELL


class NaiveBook(NaiveRules):
    """What traders may do, and what it does to the orders."""

    # -- the commands of traders

    def place(self, turn: NaiveTurn, account_id: int, command: PlaceOrder) -> Refused | int:
        account = self.accounts.get(account_id)
        refused = self.may_act(account)
        if refused or account is None:
            return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
        if command.client_order_id and (account_id, command.client_order_id) in self.client_ids:
            return Refused(Refusal.DUPLICATE_CLIENT_ORDER_ID)
        instrument = self.instruments.get(command.symbol)
        if instrument is None:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        is_market = command.order_type is OrderType.MARKET
        refused = self.may_trade(account, instrument) or self.well_formed(
            instrument, command.quantity_e8, None if is_market else command.price_e4
        )
        if refused:
            return refused
        if is_market and command.price_e4 != 0:
            return Refused(Refusal.INVALID_PRICE)
        limit_e4 = self.collar_e4(instrument, command.side) if is_market else command.price_e4
        refused = self.sane(instrument, command.side, command.quantity_e8, limit_e4)
        if refused:
            return refused
        mine = [order for order in self.orders if order.account_id == account_id and not order.is_quote]
        if len(mine) >= self.open_orders_max:
            return Refused(Refusal.TOO_MANY_OPEN_ORDERS, (("maximum", self.open_orders_max),))
        order_id = turn.new_id()
        maker_ppm, taker_ppm = self.fees[instrument.fee_schedule]
        order = NaiveOrder(
            order_id, account_id, command.symbol, command.side, command.order_type, command.time_in_force,
            command.quantity_e8, command.price_e4, limit_e4, maker_ppm, taker_ppm, turn.now_us, turn.now_us,
            command.client_order_id, command.self_trade_prevention, 0, False, order_id,
        )  # fmt: skip
        refused = self.covered(account, [order], []) or self.all_or_nothing(order)
        if refused:
            return refused
        self.enter(turn, order)
        self.trade(turn, order)
        return order_id

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
            self.end(turn, order, OrderStatus.CANCELLED, reason)

    def replace(self, turn: NaiveTurn, account_id: int, command: ReplaceOrder) -> Refused | int:
        account = self.accounts.get(account_id)
        refused = self.may_act(account)
        if refused or account is None:
            return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
        if command.client_order_id and (account_id, command.client_order_id) in self.client_ids:
            return Refused(Refusal.DUPLICATE_CLIENT_ORDER_ID)
        mine = [
            order
            for order in self.orders
            if order.order_id == command.order_id and order.account_id == account_id and not order.is_quote
        ]
        if not mine:
            return Refused(Refusal.ORDER_NOT_FOUND)
        old = mine[0]
        instrument = self.instruments[old.symbol]
        price_e4 = old.price_e4 if command.price_e4 == 0 else command.price_e4
        total_e8 = old.quantity_e8 if command.quantity_e8 == 0 else command.quantity_e8
        refused = self.may_trade(account, instrument) or self.well_formed(instrument, total_e8, price_e4)
        if refused:
            return refused
        same_price = price_e4 == old.price_e4
        if total_e8 <= old.filled_e8() or (same_price and total_e8 == old.quantity_e8):
            return Refused(Refusal.INVALID_REPLACE, (("filled_e8", old.filled_e8()),))
        rest_e8 = total_e8 - old.filled_e8()
        only_smaller = same_price and total_e8 < old.quantity_e8
        refused = None if only_smaller else self.sane(instrument, old.side, rest_e8, price_e4)
        if refused:
            return refused
        new_id = turn.new_id()
        new = NaiveOrder(
            new_id, account_id, old.symbol, old.side, old.order_type, old.time_in_force,
            rest_e8, price_e4, price_e4, old.maker_ppm, old.taker_ppm, turn.now_us, turn.now_us,
            command.client_order_id, old.policy, old.order_id, False, old.place if only_smaller else new_id,
        )  # fmt: skip
        refused = self.covered(account, [new], [old])
        if refused:
            return refused
        old.replaced_by_id = new_id
        self.end(turn, old, OrderStatus.REPLACED, CloseReason.REPLACED)
        self.enter(turn, new)
        if only_smaller:
            new.resting = True
        else:
            self.trade(turn, new)
        return new_id

    def quote(self, turn: NaiveTurn, account_id: int, command: MassQuote) -> Refused | None:
        account = self.accounts.get(account_id)
        refused = self.may_act(account)
        if refused or account is None:
            return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
        instrument = self.instruments.get(command.symbol)
        if instrument is None:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        refused = self.may_trade(account, instrument)
        if refused:
            return refused
        if account.kind is not AccountKind.MARKET_MAKER:
            return Refused(Refusal.INVALID_QUOTE)
        if len(command.bids) > 20 or len(command.asks) > 20:
            return Refused(Refusal.INVALID_QUOTE, (("quotes_per_side_max", 20),))
        if any(bid[0] >= ask[0] for bid in command.bids for ask in command.asks):
            return Refused(Refusal.INVALID_QUOTE)
        wanted = [(BUY, *bid) for bid in command.bids] + [(SELL, *ask) for ask in command.asks]
        for side, price_e4, quantity_e8 in wanted:
            refused = self.well_formed(instrument, quantity_e8, price_e4) or self.sane(
                instrument, side, quantity_e8, price_e4
            )
            if refused:
                return refused
        maker_ppm, taker_ppm = self.fees[instrument.fee_schedule]
        quotes = []
        for side, price_e4, quantity_e8 in wanted:
            order_id = turn.new_id()
            quotes.append(
                NaiveOrder(
                    order_id,
                    account_id,
                    command.symbol,
                    side,
                    OrderType.LIMIT,
                    TimeInForce.DAY,
                    quantity_e8,
                    price_e4,
                    price_e4,
                    maker_ppm,
                    taker_ppm,
                    turn.now_us,
                    turn.now_us,
                    "",
                    SelfTradePrevention.CANCEL_NEWEST,
                    0,
                    True,
                    order_id,
                )
            )
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

    # -- what happens to orders

    def enter(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        self.orders.append(order)
        turn.touch(order=order, account=self.accounts[order.account_id] if order.side is BUY else None)
        if order.client_order_id:
            self.client_ids[order.account_id, order.client_order_id] = None

    def end(self, turn: NaiveTurn, order: NaiveOrder, status: OrderStatus, reason: CloseReason) -> None:
        order.status, order.reason, order.updated_us = status, reason, turn.now_us
        turn.touch(
            order=order,
            level_of=order if order.resting else None,
            account=self.accounts[order.account_id] if order.side is BUY else None,
        )
        self.forget(turn, order)

    def forget(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        order.resting = False
        self.orders = [other for other in self.orders if other is not order]
        if order.client_order_id:
            self.client_ids[order.account_id, order.client_order_id] = turn.now_us

    def trade(self, turn: NaiveTurn, order: NaiveOrder) -> None:
        """Fill what can be filled; then rest, or end."""
        while order.open():
            others = self.counterparties(order)
            if not others:
                break
            if others[0].account_id == order.account_id:
                self.meet_self(turn, order, others[0])
            else:
                self.fill(turn, order, others[0])
        if not order.open():
            return
        if order.order_type is OrderType.MARKET or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self.end(turn, order, OrderStatus.CANCELLED, CloseReason.NO_LIQUIDITY)
            return
        order.resting = True
        turn.touch(level_of=order)

    def meet_self(self, turn: NaiveTurn, order: NaiveOrder, other: NaiveOrder) -> None:
        smaller_e8 = min(order.leaves_e8(), other.leaves_e8())
        for each in (order, other):
            ends = {
                SelfTradePrevention.CANCEL_NEWEST: each is order,
                SelfTradePrevention.CANCEL_OLDEST: each is other,
                SelfTradePrevention.DECREMENT: each.leaves_e8() == smaller_e8,
            }[order.policy]
            if ends:
                self.end(turn, each, OrderStatus.CANCELLED, CloseReason.SELF_TRADE)
            elif order.policy is SelfTradePrevention.DECREMENT:
                each.quantity_e8 -= smaller_e8
                each.updated_us = turn.now_us
                account = self.accounts[each.account_id] if each.side is BUY else None
                turn.touch(order=each, level_of=each if each.resting else None, account=account)

    def fill(self, turn: NaiveTurn, taker: NaiveOrder, maker: NaiveOrder) -> None:
        quantity_e8 = min(taker.leaves_e8(), maker.leaves_e8())
        notional_e4 = int(worth(maker.limit_e4, quantity_e8))
        trade_id = turn.new_id(2)
        buy, sell = (taker, maker) if taker.side is BUY else (maker, taker)
        buyer, seller = self.accounts[buy.account_id], self.accounts[sell.account_id]
        fees_before = buy.fee_e4(), sell.fee_e4()
        for order in (taker, maker):
            order.fills.append(NaiveFill(notional_e4, quantity_e8, order is maker))
            order.updated_us = turn.now_us
            order.status = OrderStatus.FILLED if order.leaves_e8() == 0 else OrderStatus.PARTIAL
        buy_fee_e4, sell_fee_e4 = buy.fee_e4() - fees_before[0], sell.fee_e4() - fees_before[1]
        seller.cash_e4 += notional_e4 - sell_fee_e4
        buyer.cash_e4 -= notional_e4 + buy_fee_e4
        sold = seller.deliver(sell.symbol, quantity_e8)
        seller.realized_e4 += notional_e4 - sum(cost_e4 for _, _, cost_e4, _ in sold)
        buyer.receive(buy.symbol, trade_id, quantity_e8, notional_e4, turn.now_us)
        instrument = self.instruments[maker.symbol]
        instrument.last_e4 = maker.limit_e4
        turn.touch(order=taker, level_of=maker, account=seller)
        turn.touch(order=maker, account=buyer)
        trade = NaiveTrade(
            buyer,
            seller,
            (buy, sell),
            turn.now_us,
            Traded(
                trade_id,
                maker.symbol,
                instrument.currency,
                maker.limit_e4,
                quantity_e8,
                notional_e4,
                taker.side,
                buy.order_id,
                buy.account_id,
                buy_fee_e4,
                buyer.cash_e4,
                buyer.units_e8(buy.symbol),
                sell.order_id,
                sell.account_id,
                sell_fee_e4,
                seller.cash_e4,
                seller.units_e8(sell.symbol),
                tuple(sold),
            ),
        )
        self.trades[trade_id] = trade
        turn.events.append(trade.fill)
        for order in (taker, maker):
            if not order.open():
                self.forget(turn, order)
