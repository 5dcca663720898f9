"""Trade bust: an operator takes a fill back ("A fill is final unless an operator busts it", API.md).

**What the state remembers.** Nothing per trade: a busy day has millions. The command carries the facts of the fill as
its two executions have them in PostgreSQL, with `sold_lots`, which the fill itself reported (`Traded.sell_lots`), and the
last reports of its two orders, which the state forgets when they close. Like a deposit they are an input that the
journal keeps, so a replay needs nothing else. They are checked against all that
the state still knows: accounts, currency, arithmetic, lots, open orders, fees paid. The state keeps the ids of what was
busted, `BUST_WINDOW_US` long; an older trade is refused, so no trade is busted twice and what is kept is bounded.

**What moves back**, as one compensating transaction: cash and fees of both sides, the units, cost, realised profit. The
seller's lots become what they were. The buyer gives back the lot of this trade; of what was sold from it meanwhile the
oldest other lots take the place, which is what first-in-first-out would have sold without the trade (whatever the
account's method), and the difference in cost is realised. A buyer who cannot give the units back, or a seller the cash, is a refusal: operators
settle that first (a transfer or an adjustment), nothing is done by halves, and no one's balance goes below zero.

**What stays.** The orders: quantity filled, average price, status and fees charged stay as they were, and the busted
quantity does not come back into the book. So do Nasdaq's OUCH and ITCH with a broken trade: the execution is annulled,
no order is revived. (FIX 4.4 lets CumQty shrink for ExecType=H, Trade Cancel, and leaves to the venue whether
LeavesQty grows again.) The last price and the marks stay too: what was decided by them cannot be taken back. What the
public is shown of the day is put right elsewhere (feeds/busted_candles.py).
"""

from __future__ import annotations

from typing import Final

from engine.commands import BustTrade, Envelope
from engine.events import OrderUpdated, Refused, SoldLot, TradeBusted
from engine.kinds import AccountKind, Side
from engine.ledger import change_outside
from engine.lot_methods import spread_cost
from engine.orders import Order
from engine.positions import take_fifo
from engine.refusals import Refusal
from engine.settlement import after_bust
from engine.state import FEES_ACCOUNT_ID, REGULATORY_ACCOUNT_ID, Account, Lot, Position, State
from engine.trading import Answer
from engine.turn import Turn
from engine.units import (
    CASH_TOTAL_MAX_E4,
    DAY_US,
    ID_MAX,
    IDS_PER_SEQ,
    PRICE_MAX_E4,
    QUANTITY_MAX_E8,
    notional_down_e4,
    shares_of,
)

BUST_WINDOW_US: Final = 7 * DAY_US
"""How old a trade may be: a week covers every settlement cycle, and what is busted is remembered no longer than that."""

MARKET_MAKER = AccountKind.MARKET_MAKER


def bust_trade(turn: Turn, envelope: Envelope, command: BustTrade) -> Answer:
    """Take a fill back, whole, or refuse."""
    state = turn.state
    refused = age_refusal(state, command, turn.now_us) or facts_refusal(state, command)
    if refused is not None:
        return refused
    buyer, seller = state.accounts[command.buy_account_id], state.accounts[command.sell_account_id]
    refused = cover_refusal(buyer, seller, command)
    if refused is not None:
        return refused
    for trade_id, executed_us in list(state.busts.items()):
        if executed_us + BUST_WINDOW_US < turn.now_us:
            del state.busts[trade_id]
            state.dirty["bust"][trade_id] = None
    state.busts[command.trade_id] = command.executed_us
    state.dirty["bust"][command.trade_id] = None

    bust_id = turn.new_id(2)
    bought, sold = buyer.positions[command.symbol], seller.positions[command.symbol]
    unsettle_sell(turn, seller, sold, command)
    taken = unsettle_buy(turn, buyer, bought, command)
    law_e4 = command.sell_regulatory_e4
    fees_e4 = command.buy_fee_e4 + command.sell_fee_e4 - law_e4
    if fees_e4:
        change_outside(state, FEES_ACCOUNT_ID, buyer.currency, -fees_e4)
    if law_e4:
        change_outside(state, REGULATORY_ACCOUNT_ID, buyer.currency, -law_e4)
    if state.watches_fills:
        after_bust(turn, command, buyer, seller)
    turn.events.append(report(state, bust_id, command, buyer, bought, seller, sold, taken))
    return None


def age_refusal(state: State, command: BustTrade, now_us: int) -> Refused | None:
    """TRADE_BUSTED; TRADE_TOO_OLD past the window, and for a fill from before fills said which lots they sold;
    TRADE_BEFORE_ACTION where a split has made its units and prices others.
    """
    if command.trade_id in state.busts:
        return Refused(Refusal.TRADE_BUSTED)
    if not command.sold_lots or not now_us - BUST_WINDOW_US <= command.executed_us <= now_us:
        return Refused(Refusal.TRADE_TOO_OLD)
    instrument = state.instruments.get(command.symbol)
    if instrument is not None and command.executed_us < instrument.restated_us:
        return Refused(Refusal.TRADE_BEFORE_ACTION, (("restated_us", instrument.restated_us),))
    return None


def facts_refusal(state: State, command: BustTrade) -> Refused | None:
    """TRADE_NOT_FOUND unless everything that the state knows agrees with the facts."""
    buyer = state.accounts.get(command.buy_account_id)
    seller = state.accounts.get(command.sell_account_id)
    instrument = state.instruments.get(command.symbol)
    unknown = Refused(Refusal.TRADE_NOT_FOUND)
    if buyer is None or seller is None or instrument is None or buyer is seller:
        return unknown
    bought, sold = buyer.positions.get(command.symbol), seller.positions.get(command.symbol)
    if bought is None or sold is None or not buyer.currency == seller.currency == instrument.currency:
        return unknown
    trade_id, notional_e4 = command.trade_id, command.notional_e4
    fees_e4 = state.outside.get((FEES_ACCOUNT_ID, buyer.currency), 0)
    law_e4 = state.outside.get((REGULATORY_ACCOUNT_ID, buyer.currency), 0)
    agrees = (
        0 < trade_id // IDS_PER_SEQ <= state.seq
        and 0 < command.price_e4 <= PRICE_MAX_E4
        and 0 < command.quantity_e8 <= QUANTITY_MAX_E8
        and 0 <= command.operator_id <= ID_MAX
        and notional_e4 == notional_down_e4(command.price_e4, command.quantity_e8)
        and 0 <= command.buy_fee_e4 <= buyer.fees_e4
        and 0 <= command.sell_fee_e4 <= min(seller.fees_e4, notional_e4)
        and 0 <= command.sell_regulatory_e4 <= min(command.sell_fee_e4, law_e4)
        and command.buy_fee_e4 + command.sell_fee_e4 - command.sell_regulatory_e4 <= fees_e4
        and order_agrees(state, command.buy_order_id, Side.BUY, command.buy_order, command)
        and order_agrees(state, command.sell_order_id, Side.SELL, command.sell_order, command)
        and bought_lot_agrees(state.lots.get(trade_id), buyer, command)
        and all(sold_lot_agrees(state, taken, seller, command) for taken in command.sold_lots)
        and sum([units_e8 for _, units_e8, _, _ in command.sold_lots]) == command.quantity_e8
    )
    return None if agrees else unknown


def order_agrees(
    state: State, order_id: int, side: Side, reported: OrderUpdated | None, command: BustTrade
) -> bool:
    """Whether an order can have had the fill: it was there before, and is the right account's as far as that is known.

    What the state has of an open order counts more than its report; a report that says of a closed one that it is open
    is older than the state.
    """
    order: Order | OrderUpdated | None = state.orders.get(order_id)
    if order is None:
        if reported is None or not 0 < order_id < command.trade_id:
            return 0 < order_id < command.trade_id
        if reported.is_open:
            return False
        order = reported
    return (
        order.order_id == order_id
        and order.account_id == (command.buy_account_id if side is Side.BUY else command.sell_account_id)
        and order.symbol == command.symbol
        and order.side is side
        and order.filled_e8 >= command.quantity_e8
        and order.notional_e4 >= command.notional_e4
    )


def bought_lot_agrees(lot: Lot | None, buyer: Account, command: BustTrade) -> bool:
    """Whether what is left of the lot that the fill made, if anything, is the buyer's and no more than the fill."""
    return lot is None or (
        lot.account_id == buyer.account_id
        and lot.symbol == command.symbol
        and (lot.units_e8 <= command.quantity_e8 or buyer.kind is MARKET_MAKER)
    )


def sold_lot_agrees(state: State, taken: SoldLot, seller: Account, command: BustTrade) -> bool:
    """Whether a part of a lot can have been sold: it was there before, and what is left of it is the seller's."""
    lot_id, units_e8, cost_e4, acquired_us = taken
    if (
        not 0 < lot_id < command.trade_id
        or units_e8 <= 0
        or not 0 <= cost_e4 <= CASH_TOTAL_MAX_E4
        or not 0 <= acquired_us <= command.executed_us
    ):
        return False
    lot = state.lots.get(lot_id)
    return lot is None or (lot.account_id, lot.symbol, lot.acquired_us) == (
        seller.account_id,
        command.symbol,
        acquired_us,
    )


def cover_refusal(buyer: Account, seller: Account, command: BustTrade) -> Refused | None:
    """Whether both sides can give back what they got. What open orders hold stays with them."""
    bought = buyer.positions[command.symbol]
    available_e8 = bought.units_e8 - bought.held_e8
    if available_e8 < command.quantity_e8:
        detail = (("required_e8", command.quantity_e8), ("available_e8", available_e8))
        return Refused(Refusal.BUYER_LACKS_SHARES, detail)
    required_e4 = command.notional_e4 - command.sell_fee_e4
    if seller.available_e4 < required_e4:
        detail = (("required_e4", required_e4), ("available_e4", seller.available_e4))
        return Refused(Refusal.SELLER_LACKS_FUNDS, detail)
    return None


def unsettle_sell(turn: Turn, seller: Account, position: Position, command: BustTrade) -> None:
    """The seller pays the proceeds back, gets fee and lots back, and has realised nothing."""
    seller.cash_e4 -= command.notional_e4 - command.sell_fee_e4
    seller.fees_e4 -= command.sell_fee_e4
    cost_e4 = put_back(turn.state, seller, position, command.sold_lots)
    position.realized_e4 -= command.notional_e4 - cost_e4
    seller.realized_e4 -= command.notional_e4 - cost_e4
    turn.accounts[seller.account_id] = seller


def unsettle_buy(turn: Turn, buyer: Account, position: Position, command: BustTrade) -> tuple[SoldLot, ...]:
    """The buyer gets cash and fee back and gives the units back; what was taken of its lots.

    With the trade's lot untouched nothing is realised.
    """
    buyer.cash_e4 += command.notional_e4 + command.buy_fee_e4
    buyer.fees_e4 -= command.buy_fee_e4
    cost_e4, taken = take_back(turn.state, buyer, position, command)
    position.realized_e4 += command.notional_e4 - cost_e4
    buyer.realized_e4 += command.notional_e4 - cost_e4
    turn.accounts[buyer.account_id] = buyer
    return taken


def put_back(state: State, account: Account, position: Position, sold_lots: tuple[SoldLot, ...]) -> int:
    """Restore what a sale took of each lot, a lot that is gone with its old id and age; returns the cost.

    A market maker's pool gets everything, whichever lot it was then (engine/positions.py).
    """
    lots = position.lots
    total_e4 = 0
    for lot_id, units_e8, cost_e4, acquired_us in sold_lots:
        pooled = account.kind is MARKET_MAKER and lots
        lot = next(iter(lots.values())) if pooled else lots.get(lot_id)
        if lot is None:
            lot = Lot(lot_id, account.account_id, position.symbol, 0, 0, acquired_us)
            lots[lot_id] = state.lots[lot_id] = lot
        lot.units_e8 += units_e8
        lot.cost_e4 += cost_e4
        state.dirty["lot"][lot.lot_id] = None
        position.units_e8 += units_e8
        total_e4 += cost_e4
    for lot_id in sorted(lots):  # oldest first, as ever
        lots.move_to_end(lot_id)
    position.cost_e4 += total_e4
    position.averaged_lot_id, position.dearest = 0, None
    state.dirty["position"][account.account_id, position.symbol] = None
    return total_e4


def take_back(
    state: State, account: Account, position: Position, command: BustTrade
) -> tuple[int, tuple[SoldLot, ...]]:
    """Take the units of a busted purchase out of a position; their cost, and what was taken of a customer's lots.

    First what is left of the lot that it made, then the oldest. Of a market maker's pool, and of lots whose cost was
    averaged with this one's, they cost what was paid for them, as far as the pool goes, and all of it when they are its last.
    """
    lots = position.lots
    if account.kind is not MARKET_MAKER:
        if command.trade_id in lots:
            lots.move_to_end(command.trade_id, last=False)  # no larger than the fill, so it goes whole
        pooled_e4 = position.cost_e4
        cost_e4, taken = take_fifo(state, position, command.quantity_e8)
        position.dearest = None
        if position.averaged_lot_id < command.trade_id or not lots:
            return cost_e4, taken
        cost_e4 = min(command.notional_e4, pooled_e4)
        costs = shares_of(cost_e4, [units_e8 for _, units_e8, _, _ in taken])
        taken = tuple([(lot[0], lot[1], each, lot[3]) for lot, each in zip(taken, costs, strict=True)])
        position.cost_e4 = pooled_e4 - cost_e4
        spread_cost(state, position)
        position.averaged_lot_id = next(reversed(lots))
        return cost_e4, taken
    (pool,) = lots.values()
    cost_e4 = min(command.notional_e4, pool.cost_e4)
    if pool.units_e8 == command.quantity_e8:
        cost_e4 = pool.cost_e4
        del lots[pool.lot_id], state.lots[pool.lot_id]
    pool.units_e8 -= command.quantity_e8
    pool.cost_e4 -= cost_e4
    position.units_e8 -= command.quantity_e8
    position.cost_e4 -= cost_e4
    state.dirty["lot"][pool.lot_id] = None
    state.dirty["position"][account.account_id, position.symbol] = None
    return cost_e4, ()


def last_report(state: State, order_id: int, reported: OrderUpdated | None) -> OrderUpdated | None:
    """An order as it stays: the state knows the open ones, of a closed one the last report holds."""
    order = state.orders.get(order_id)
    return reported if reported is None or order is None else order.snapshot()


def report(
    state: State,
    bust_id: int,
    command: BustTrade,
    buyer: Account,
    bought: Position,
    seller: Account,
    sold: Position,
    taken: tuple[SoldLot, ...],
) -> TradeBusted:
    """The event of a bust that has been carried out."""
    return TradeBusted(
        bust_id=bust_id,
        trade_id=command.trade_id,
        executed_us=command.executed_us,
        symbol=command.symbol,
        currency=buyer.currency,
        price_e4=command.price_e4,
        quantity_e8=command.quantity_e8,
        notional_e4=command.notional_e4,
        taker_side=command.taker_side,
        buy_order_id=command.buy_order_id,
        buy_account_id=buyer.account_id,
        buy_fee_e4=command.buy_fee_e4,
        buy_cash_e4=buyer.cash_e4,
        buy_units_e8=bought.units_e8,
        sell_order_id=command.sell_order_id,
        sell_account_id=seller.account_id,
        sell_fee_e4=command.sell_fee_e4,
        sell_cash_e4=seller.cash_e4,
        sell_units_e8=sold.units_e8,
        operator_id=command.operator_id,
        reason=command.reason,
        buy_order=last_report(state, command.buy_order_id, command.buy_order),
        sell_order=last_report(state, command.sell_order_id, command.sell_order),
        sell_regulatory_e4=command.sell_regulatory_e4,
        sell_lots=command.sold_lots,
        buy_lots=taken,
    )
