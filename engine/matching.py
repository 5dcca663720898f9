"""Price-time priority: an incoming order against the other side of the book, fill by fill."""

from __future__ import annotations

from engine.book import BookSide
from engine.closing import close_order, forget_order
from engine.events import Traded
from engine.fee_tiers import count_volume
from engine.halts import band_e4, begin_halt_call, may_trade_at
from engine.kinds import (
    CloseReason,
    OrderStatus,
    PriceSource,
    RiskMode,
    RiskRule,
    SelfTradePrevention,
    Side,
)
from engine.ledger import change_outside, settle_buy, settle_sell
from engine.orders import Level, Order, buy_hold_e4
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
OWN = PriceSource.OWN
PARTIAL = OrderStatus.PARTIAL
SELF_TRADE = CloseReason.SELF_TRADE


def fillable_e8(state: State, side: BookSide, order: Order) -> int:
    """How much of an order the book would fill now, for FOK: up to its quantity.

    Its own resting orders count for nothing: they end the matching (cancel newest, decrement) or go (cancel oldest).
    """
    limit_key = order.limit_e4 * side.sign
    found_e8 = 0
    bounds_e4 = None
    instrument = state.instruments[order.symbol]
    for level in side.best_first():
        if level.key > limit_key:
            break
        resting = level.first
        while resting is not None:
            if resting.account_id != order.account_id:
                if instrument.halt_bps:  # no farther than the band; the order is new, so it was made now
                    bounds_e4 = bounds_e4 or band_e4(instrument, order.updated_us, level.price_e4)
                    if not bounds_e4[0] <= level.price_e4 <= bounds_e4[1]:
                        return found_e8
                found_e8 += resting.leaves_e8
                if found_e8 >= order.quantity_e8:
                    return order.quantity_e8
            elif order.self_trade_prevention is not CANCEL_OLDEST:
                return found_e8
            resting = resting.after
    return found_e8


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
    if buy_fee_e4 or sell_fee_e4:
        change_outside(turn.state, FEES_ACCOUNT_ID, instrument.currency, buy_fee_e4 + sell_fee_e4 - law_e4)
        if law_e4:
            change_outside(turn.state, REGULATORY_ACCOUNT_ID, instrument.currency, law_e4)
    if turn.state.watches_fills:
        count_volume(turn.state, buyer.account_id, notional_e4, turn.now_us, turn.now_us)
        count_volume(turn.state, seller.account_id, notional_e4, turn.now_us, turn.now_us)
    turn.events.append(
        Traded(
            trade_id,
            instrument.symbol,
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
    if instrument.last_e4 != price_e4:
        instrument.last_e4 = price_e4
        state = turn.state
        state.dirty["instrument"][instrument.symbol] = None
        # A price that stays has been seen by every armed stop: at their acceptance, or as a print.
        if state.stops and instrument.price_source is OWN and instrument.symbol in state.stops:
            turn.note_print(instrument.symbol, price_e4)
    if buy.status is FILLED:
        forget_order(turn, buy)
    if sell.status is FILLED:
        forget_order(turn, sell)


def prevent_self_trade(turn: Turn, order: Order, resting: Order) -> None:
    """Act on an order that meets one of its own account, as the incoming order asks."""
    policy = order.self_trade_prevention
    if policy is CANCEL_NEWEST:
        close_order(turn, order, CANCELLED, SELF_TRADE)
    elif policy is CANCEL_OLDEST:
        close_order(turn, resting, CANCELLED, SELF_TRADE)
    else:
        decrement(turn, order, resting)


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


def decrement(turn: Turn, order: Order, resting: Order) -> None:
    """Take the smaller rest off both orders of the same account; one or both end, and nothing trades."""
    by_e8 = min(order.leaves_e8, resting.leaves_e8)
    for each in (order, resting):
        if each.leaves_e8 == by_e8:
            close_order(turn, each, CANCELLED, SELF_TRADE)
        else:
            shrink(turn, each, by_e8)


def shrink(turn: Turn, order: Order, by_e8: int) -> None:
    """Make an open order smaller, and what it holds with it."""
    account, position, level = order.account, order.position, order.level
    assert account is not None
    if level is not None:
        level.quantity_e8 -= by_e8
        turn.levels[level] = None
    order.quantity_e8 -= by_e8
    order.updated_us = turn.now_us
    if position is None:
        hold_e4 = buy_hold_e4(order)
        account.held_e4 -= order.hold_e4 - hold_e4
        order.hold_e4 = hold_e4
        turn.accounts[account.account_id] = account
    else:
        position.held_e8 -= by_e8
        turn.state.dirty["position"][order.account_id, order.symbol] = None
    turn.orders[order.order_id] = order
