"""Auctions: the one price at which most trades, and the trades at it. Source: docs/orders.md, "Auctions"."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import NamedTuple

from engine.calendars import CALLS
from engine.events import Indicative
from engine.iceberg import take_hidden
from engine.kinds import OrderStatus, OrderType, Phase, Side, TimeInForce
from engine.matching import linked_group, prevent_self_trade, prevent_wash_trade, settle_fill
from engine.orders import Order
from engine.risk import reference_e4
from engine.state import Instrument, State, Timer
from engine.timers import arm_indicative
from engine.turn import Turn
from engine.units import notional_down_e4, tick_down_e4
from engine.waiting import PRICED, take_back, waiting

BUY = Side.BUY
FILLED = OrderStatus.FILLED
PARTIAL = OrderStatus.PARTIAL


class Outcome(NamedTuple):
    """What an auction would do: price and volume are 0 where nothing would trade; the imbalance is buyers less sellers."""

    price_e4: int
    volume_e8: int
    imbalance_e8: int


class Interest(NamedTuple):
    """How much one side would trade. `keys` are its limits times `sign`, ascending from the one that fewest prices meet;
    `sums_e8` what there is up to each.
    """

    sign: int
    keys: list[int]
    sums_e8: list[int]

    def willing_e8(self, price_e4: int) -> int:
        """How much of this side would trade at a price."""
        index = bisect_left(self.keys, price_e4 * self.sign)
        return self.sums_e8[-1] - (self.sums_e8[index - 1] if index else 0) if self.keys else 0


def takes_part(order: Order, phase: Phase) -> bool:
    """Whether an order outside the levels takes part in an auction: what waits for that auction, or for any."""
    if phase is Phase.EXTENDED:
        return False
    if order.time_in_force is TimeInForce.OPG:
        return phase is Phase.OPENING_AUCTION
    if order.time_in_force is TimeInForce.CLS:
        return phase is Phase.CLOSING_AUCTION
    return True


def taking_part(state: State, instrument: Instrument, phase: Phase) -> tuple[list[Order], list[Order]]:
    """All buyers and all sellers of an auction: the whole book, and what waits."""
    book = state.books[instrument.symbol]
    found: tuple[list[Order], list[Order]] = ([], [])
    for side, orders in zip((book.bids, book.asks), found, strict=True):
        for level in side.levels.values():
            order = level.first
            while order is not None:
                orders.append(order)
                order = order.after
    for order in waiting(state, instrument.symbol):
        if takes_part(order, phase):
            found[0 if order.side is BUY else 1].append(order)
    return found


def interest_of(orders: list[Order], sign: int) -> Interest:
    """One side's interest; `sign` is 1 for buyers and -1 for sellers."""
    quantities: dict[int, int] = {}
    for order in orders:
        key = order.limit_e4 * sign
        quantities[key] = quantities.get(key, 0) + order.quantity_e8 - order.filled_e8
    keys = sorted(quantities)
    return Interest(sign, keys, list(accumulate([quantities[key] for key in keys])))


def is_limit(order: Order) -> bool:
    """Whether an order's limit is a price in question: it rests, or is a LIMIT for one auction alone."""
    return order.level is not None or (
        order.order_type is OrderType.LIMIT and order.time_in_force in (TimeInForce.OPG, TimeInForce.CLS)
    )


def outcome_of(instrument: Instrument, buyers: list[Order], sellers: list[Order]) -> Outcome:
    """The price of an auction: most trades, least left over, the side that is left over, nearest to the reference."""
    anchor_e4 = tick_down_e4(reference_e4(instrument), instrument.tick_e4)
    if not anchor_e4:
        return Outcome(0, 0, 0)
    demand, supply = interest_of(buyers, 1), interest_of(sellers, -1)
    candidates = {order.limit_e4: None for orders in (buyers, sellers) for order in orders if is_limit(order)}
    candidates[anchor_e4] = None
    most_e8 = least_e8 = 0
    best: list[tuple[int, int]] = []
    for price_e4 in sorted(candidates):
        bought_e8, sold_e8 = demand.willing_e8(price_e4), supply.willing_e8(price_e4)
        volume_e8, left_e8 = min(bought_e8, sold_e8), abs(bought_e8 - sold_e8)
        if volume_e8 < most_e8 or not volume_e8:
            continue
        if volume_e8 > most_e8 or left_e8 < least_e8:
            best = []
        elif left_e8 > least_e8:
            continue
        most_e8, least_e8 = volume_e8, left_e8
        best.append((price_e4, bought_e8 - sold_e8))
    if not best:
        return Outcome(0, 0, demand.willing_e8(anchor_e4) - supply.willing_e8(anchor_e4))
    price_e4, imbalance_e8 = best[0]
    if all(imbalance > 0 for _, imbalance in best):
        price_e4, imbalance_e8 = best[-1]
    elif not all(imbalance < 0 for _, imbalance in best):
        price_e4, imbalance_e8 = min(best, key=lambda each: (abs(each[0] - anchor_e4), -each[0]))
    return Outcome(price_e4, most_e8, imbalance_e8)


def is_quiet(state: State, instrument: Instrument) -> bool:
    """Whether nothing can trade at any price, seen without a look at all orders: not crossed, and nobody waits."""
    book = state.books[instrument.symbol]
    bid, ask = book.bids.best(), book.asks.best()
    return instrument.symbol not in state.off_book and (
        bid is None or ask is None or bid.price_e4 < ask.price_e4
    )


def uncross(turn: Turn, instrument: Instrument, phase: Phase) -> None:
    """Trade at one price what the auction of a phase can. The price is the new reference of bands that halt, or there is none."""
    price_e4 = 0 if is_quiet(turn.state, instrument) else trade_at_one_price(turn, instrument, phase)
    if instrument.halt_bps:
        instrument.halt_reference_e4 = price_e4
        instrument.halt_reference_us = turn.now_us
        turn.state.dirty["instrument"][instrument.symbol] = None


def uncross_rest(turn: Turn, instrument: Instrument, phase: Phase) -> None:
    """Go on until the book is not crossed: an auction that self-trade prevention has thinned out can leave it so."""
    book = turn.state.books[instrument.symbol]
    while (
        (bid := book.bids.best()) is not None
        and (ask := book.asks.best()) is not None
        and bid.price_e4 >= ask.price_e4
    ):
        uncross(turn, instrument, phase)


def trade_at_one_price(turn: Turn, instrument: Instrument, phase: Phase) -> int:
    """Find the price and trade; returns it, or 0 when nothing traded."""
    buyers, sellers = taking_part(turn.state, instrument, phase)
    price_e4, volume_e8, _ = outcome_of(instrument, buyers, sellers)
    if not volume_e8:
        return 0
    traded_e4 = 0
    buys = queue_of([order for order in buyers if order.limit_e4 >= price_e4])
    sells = queue_of([order for order in sellers if order.limit_e4 <= price_e4])
    first_buy = first_sell = 0
    while first_buy < len(buys) and first_sell < len(sells):
        buy, sell = buys[first_buy], sells[first_sell]
        if buy.status > PARTIAL:
            first_buy += 1
        elif sell.status > PARTIAL:
            first_sell += 1
        else:
            newer, older = (buy, sell) if buy.priority > sell.priority else (sell, buy)
            group = linked_group(turn.state, newer)
            if buy.account_id == sell.account_id:
                prevent_self_trade(turn, newer, older, in_auction=True)
            elif group and older.account is not None and older.account.link_group == group:
                prevent_wash_trade(turn, newer, older)
            else:
                trade(turn, instrument, price_e4, buy, sell, newer.side)
                traded_e4 = price_e4
    return traded_e4


def queue_of(orders: list[Order]) -> list[Order]:
    """One side's queue at the auction's price: MARKET first, then better limits, then time."""

    def place(order: Order) -> tuple[int, int, int]:
        if order.order_type not in PRICED:
            return (0, 0, order.priority)
        return (1, -order.limit_e4 if order.side is BUY else order.limit_e4, order.priority)

    return sorted(orders, key=place)


def trade(turn: Turn, instrument: Instrument, price_e4: int, buy: Order, sell: Order, taker: Side) -> None:
    """Trade as much as both heads have left. Both are makers: neither came to a price that was there."""
    quantity_e8 = min(buy.leaves_e8, sell.leaves_e8)
    notional_e4 = notional_down_e4(price_e4, quantity_e8)
    trade_id = turn.new_id(2)
    for order in (buy, sell):
        take(turn, order, quantity_e8, notional_e4)
    settle_fill(turn, instrument, trade_id, price_e4, quantity_e8, notional_e4, taker, buy, sell)


def take(turn: Turn, order: Order, quantity_e8: int, notional_e4: int) -> None:
    """Count a fill to an order, in the book or outside its levels."""
    level = order.level
    is_filled = quantity_e8 == order.leaves_e8
    if level is not None:
        turn.levels[level] = None
        if is_filled:
            level.side.remove(order)
        else:
            level.quantity_e8 -= take_hidden(order, quantity_e8)
    elif is_filled:
        take_back(turn.state, order)
    order.status = FILLED if is_filled else PARTIAL
    order.filled_e8 += quantity_e8
    order.notional_e4 += notional_e4
    order.maker_notional_e4 += notional_e4
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order


def fire_indicative(turn: Turn, timer: Timer) -> None:
    """Say of every book in a call what has changed of its auction; once more in a second while there is a call."""
    state = turn.state
    calls = [symbol for symbol in sorted(state.instruments) if state.instruments[symbol].phase in CALLS]
    for symbol in calls:
        instrument = state.instruments[symbol]
        outcome = outcome_of(instrument, *taking_part(state, instrument, instrument.phase))
        if instrument.indicative != outcome:
            instrument.indicative = (outcome.price_e4, outcome.volume_e8, outcome.imbalance_e8)
            state.dirty["instrument"][symbol] = None
            turn.events.append(Indicative(symbol, *outcome))
    if calls:
        arm_indicative(turn)
