"""Price-time priority: an incoming order against the other side of the book, fill by fill."""

from __future__ import annotations

from typing import Final

from engine.book import BookSide
from engine.closing import close_order, forget_order
from engine.events import Traded
from engine.halts import begin_halt_call, may_trade_at
from engine.iceberg import take_hidden, take_shown, visible_e8
from engine.kinds import (
    CloseReason,
    OrderStatus,
    PriceSource,
    RiskMode,
    RiskRule,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.ledger import change_outside, settle_buy, settle_sell
from engine.links import follow_fill, shrink_other, shrink_plan
from engine.orders import Level, Order, buy_hold_e4
from engine.settlement import after_fill
from engine.state import FEES_ACCOUNT_ID, REGULATORY_ACCOUNT_ID, Instrument, State
from engine.turn import Turn
from engine.units import notional_down_e4
from engine.violations import violate

BLOCK = RiskMode.BLOCK
BUY = Side.BUY
CANCELLED = OrderStatus.CANCELLED
CANCEL_NEWEST = SelfTradePrevention.CANCEL_NEWEST
CANCEL_OLDEST = SelfTradePrevention.CANCEL_OLDEST
FILLED = OrderStatus.FILLED
FOK = TimeInForce.FOK
OWN = PriceSource.OWN
PARTIAL = OrderStatus.PARTIAL
SELF_TRADE = CloseReason.SELF_TRADE

SLICE_IDS_MAX: Final = 30_000
"""How many ids a command may have made when a taker that has met a slice goes on: 10 000 fills by slices. A FOK order is refused
when it would meet more of them (engine/fillable.py).
"""


def match(turn: Turn, instrument: Instrument, side: BookSide, order: Order) -> None:
    """Fill an accepted order against the other side of its book until its limit, its quantity or self-trade prevention ends it."""
    limit_key = order.limit_e4 * side.sign
    account_id = order.account_id
    linked = linked_group(turn.state, order) if turn.state.risk is not None else ""
    halts = instrument.halt_bps
    while order.status <= PARTIAL:
        level = side.best()
        if level is None or level.key > limit_key:
            return
        resting = level.first
        if resting is None:
            raise RuntimeError(f"level {level.key} of {order.symbol} is empty")
        if resting.account_id == account_id:
            prevent_self_trade(turn, order, resting)
        elif linked and resting.account is not None and resting.account.link_group == linked:
            prevent_wash_trade(turn, order, resting)
        elif halts and not may_trade_at(turn, instrument, level.price_e4):
            begin_halt_call(turn, instrument, "price_band")
            return
        else:
            fill(turn, instrument, level, order, resting)


def fill(turn: Turn, instrument: Instrument, level: Level, taker: Order, maker: Order) -> None:
    """Trade as much as both orders have left at the maker's price, and settle it."""
    if maker.special is not None:
        fill_special(turn, instrument, level, taker, maker)
        return
    taker_left_e8 = taker.quantity_e8 - taker.filled_e8
    maker_left_e8 = maker.quantity_e8 - maker.filled_e8
    quantity_e8 = taker_left_e8 if taker_left_e8 < maker_left_e8 else maker_left_e8
    price_e4 = level.price_e4
    notional_e4 = notional_down_e4(price_e4, quantity_e8)
    trade_id = turn.new_id(2)
    turn.levels[level] = None
    if quantity_e8 == maker_left_e8:
        level.side.remove(maker)
        maker.status = FILLED
    else:
        level.quantity_e8 -= quantity_e8
        maker.status = PARTIAL
    maker.filled_e8 += quantity_e8
    maker.notional_e4 += notional_e4
    maker.maker_notional_e4 += notional_e4
    maker.updated_us = turn.now_us
    turn.orders[maker.order_id] = maker
    taker.status = FILLED if quantity_e8 == taker_left_e8 else PARTIAL  # it was touched when it was accepted
    taker.filled_e8 += quantity_e8
    taker.notional_e4 += notional_e4

    taker_side = taker.side
    buy, sell = (taker, maker) if taker_side is BUY else (maker, taker)
    settle_fill(turn, instrument, trade_id, price_e4, quantity_e8, notional_e4, taker_side, buy, sell)


def fill_special(turn: Turn, instrument: Instrument, level: Level, taker: Order, maker: Order) -> None:
    """The same with a maker that has terms: of an iceberg the slice is met, and the next one shown.

    Slices have no end in the number of orders, so the rest of a taker ends when its command has made enough ids of them.
    """
    taker_left_e8 = taker.quantity_e8 - taker.filled_e8
    maker_left_e8 = maker.quantity_e8 - maker.filled_e8
    offered_e8 = visible_e8(maker)
    quantity_e8 = taker_left_e8 if taker_left_e8 < offered_e8 else offered_e8
    price_e4 = level.price_e4
    notional_e4 = notional_down_e4(price_e4, quantity_e8)
    trade_id = turn.new_id(2)
    turn.levels[level] = None
    if quantity_e8 == maker_left_e8:
        level.side.remove(maker)
        maker.status = FILLED
    else:
        level.quantity_e8 -= quantity_e8
        maker.status = PARTIAL
    maker.filled_e8 += quantity_e8
    maker.notional_e4 += notional_e4
    maker.maker_notional_e4 += notional_e4
    maker.updated_us = turn.now_us
    turn.orders[maker.order_id] = maker
    if maker.status is PARTIAL and take_shown(maker, quantity_e8):
        next_slice(turn, level, maker)
    taker.status = FILLED if quantity_e8 == taker_left_e8 else PARTIAL
    taker.filled_e8 += quantity_e8
    taker.notional_e4 += notional_e4

    taker_side = taker.side
    buy, sell = (taker, maker) if taker_side is BUY else (maker, taker)
    settle_fill(turn, instrument, trade_id, price_e4, quantity_e8, notional_e4, taker_side, buy, sell)
    if turn.ids >= SLICE_IDS_MAX and taker.status is PARTIAL and taker.time_in_force is not FOK:
        close_order(turn, taker, CANCELLED, CloseReason.TOO_MANY_FILLS)


def next_slice(turn: Turn, level: Level, order: Order) -> None:
    """Have an iceberg whose slice is gone show the next one, at the end of its price's queue."""
    level.side.remove(order)
    order.priority = turn.new_id()
    level.side.add(order)


def settle_fill(
    turn: Turn,
    instrument: Instrument,
    trade_id: int,
    price_e4: int,
    quantity_e8: int,
    notional_e4: int,
    taker_side: Side,
    buy: Order,
    sell: Order,
) -> None:
    """Pay and deliver a fill that both orders have taken, report it, and forget what is filled. Auctions end here too."""
    sell_fee_e4, law_e4, seller, sold, sold_lots = settle_sell(turn, sell, notional_e4, quantity_e8)
    buy_fee_e4, buyer, bought = settle_buy(turn, buy, notional_e4, quantity_e8, trade_id)
    state, symbol = turn.state, instrument.symbol
    if buy_fee_e4 or sell_fee_e4:
        change_outside(state, FEES_ACCOUNT_ID, instrument.currency, buy_fee_e4 + sell_fee_e4 - law_e4)
        if law_e4:
            change_outside(state, REGULATORY_ACCOUNT_ID, instrument.currency, law_e4)
    turn.events.append(
        Traded(
            trade_id,
            symbol,
            instrument.currency,
            price_e4,
            quantity_e8,
            notional_e4,
            taker_side,
            buy.order_id,
            buy.account_id,
            buy_fee_e4,
            buyer.cash_e4,
            bought.units_e8,
            sell.order_id,
            sell.account_id,
            sell_fee_e4,
            seller.cash_e4,
            sold.units_e8,
            sold_lots,
            law_e4,
        )
    )
    if state.watches_fills:
        fees_e4 = (buy_fee_e4, sell_fee_e4)
        after_fill(turn, instrument, trade_id, quantity_e8, notional_e4, buy, sell, fees_e4, sold_lots)
    if instrument.last_e4 != price_e4:
        instrument.last_e4 = price_e4
        state.dirty["instrument"][symbol] = None
        # A price that stays has been seen by every armed stop: at their acceptance, or as a print.
        if state.stops and instrument.price_source is OWN and symbol in state.stops:
            turn.note_print(symbol, price_e4)
    if buy.status is FILLED:
        forget_order(turn, buy)
    if sell.status is FILLED:
        forget_order(turn, sell)
    if buy.special is not None:
        follow_fill(turn, buy, quantity_e8)
    if sell.special is not None:
        follow_fill(turn, sell, quantity_e8)


def prevent_self_trade(turn: Turn, order: Order, resting: Order, *, in_auction: bool = False) -> None:
    """Act on an order that meets one of its own account, as the incoming order asks."""
    policy = order.self_trade_prevention
    if policy is CANCEL_NEWEST:
        close_order(turn, order, CANCELLED, SELF_TRADE)
    elif policy is CANCEL_OLDEST:
        close_order(turn, resting, CANCELLED, SELF_TRADE)
    elif in_auction:
        by_e8 = min(order.leaves_e8, resting.leaves_e8)
        decrement(turn, order, by_e8)
        decrement(turn, resting, by_e8)
    else:
        decrement_slice(turn, order, resting)


def linked_group(state: State, order: Order) -> str:
    """The group whose accounts an order may not trade with; '' when it may trade with all."""
    account = order.account
    if state.risk is None or state.risk.wash_mode is not BLOCK or account is None:
        return ""
    return account.link_group


def prevent_wash_trade(turn: Turn, order: Order, resting: Order) -> None:
    """An order met one of a linked account: what is left of the incoming one ends. Nobody ends another customer's order.

    An order of its own was refused before it came here (risk_rules.wash_trade); these are quotes, stops and leftovers.
    """
    figures = (("counterparty_id", resting.account_id), ("counterparty_order_id", resting.order_id))
    at = (order.account_id, order.symbol, order.order_id, order.side, order.quantity_e8 - order.filled_e8)
    violate(turn, RiskRule.WASH_TRADE, BLOCK, *at, resting.limit_e4, figures)
    close_order(turn, order, CANCELLED, SELF_TRADE)


def decrement(turn: Turn, order: Order, by_e8: int) -> None:
    """Take what would have traded off an order; it ends when nothing is left of it. Of an iceberg what is hidden goes first."""
    if order.leaves_e8 == by_e8:
        close_order(turn, order, CANCELLED, SELF_TRADE)
        return
    if order.level is not None:
        order.level.quantity_e8 -= take_hidden(order, by_e8)
        turn.levels[order.level] = None
    shrink(turn, order, by_e8)


def decrement_slice(turn: Turn, order: Order, resting: Order) -> None:
    """Take the smaller rest off both orders of the same account; one or both end, and nothing trades.

    Of an iceberg the slice is met, as by a fill.
    """
    by_e8 = min(order.leaves_e8, visible_e8(resting))
    level = resting.level
    assert level is not None
    decrement(turn, order, by_e8)
    if resting.leaves_e8 == by_e8:
        close_order(turn, resting, CANCELLED, SELF_TRADE)
        return
    level.quantity_e8 -= by_e8
    turn.levels[level] = None
    shrink(turn, resting, by_e8)
    if take_shown(resting, by_e8):
        next_slice(turn, level, resting)


def shrink(turn: Turn, order: Order, by_e8: int) -> None:
    """Make an open order smaller, and what it holds with it. What its level shows is the caller's."""
    account, position = order.account, order.position
    assert account is not None
    order.quantity_e8 -= by_e8
    order.updated_us = turn.now_us
    in_pair = order.special is not None and order.special.group_id
    if position is None:
        if not in_pair:
            hold_e4 = buy_hold_e4(order)
            account.held_e4 -= order.hold_e4 - hold_e4
            order.hold_e4 = hold_e4
        turn.accounts[account.account_id] = account
    else:
        position.held_e8 -= by_e8
        turn.state.dirty["position"][order.account_id, order.symbol] = None
    turn.orders[order.order_id] = order
    if in_pair:
        shrink_other(turn, order, by_e8)
    if order.special is not None:
        shrink_plan(turn, order, by_e8)
