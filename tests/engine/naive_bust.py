"""Trade busts of the naive exchange: it remembers every fill and compares what it is told with that."""

from __future__ import annotations

from engine.commands import BustTrade
from engine.events import Refused, TradeBusted
from engine.kinds import AccountKind
from engine.refusals import Refusal
from tests.engine.bust_facts import facts_of
from tests.engine.naive_lots import spread
from tests.engine.naive_records import NaiveAccount, NaiveTrade
from tests.engine.naive_rules import NaiveRules
from tests.engine.naive_turn import NaiveTurn

WEEK_US = 7 * 24 * 3600 * 10**6


def bust(rules: NaiveRules, turn: NaiveTurn, command: BustTrade) -> Refused | None:
    trade = rules.trades.get(command.trade_id)
    if trade is not None and trade.busted:
        return Refused(Refusal.TRADE_BUSTED)
    if turn.now_us - command.executed_us > WEEK_US:
        return Refused(Refusal.TRADE_TOO_OLD)
    instrument = rules.instruments.get(command.symbol)
    if instrument is not None and command.executed_us < instrument.restated_us:
        return Refused(Refusal.TRADE_BEFORE_ACTION, (("restated_us", instrument.restated_us),))
    if trade is None or not agrees(rules, trade, command):
        return Refused(Refusal.TRADE_NOT_FOUND)
    fill, buyer, seller = trade.fill, trade.buyer, trade.seller
    free_e8 = rules.free_e8(buyer, fill.symbol)
    if free_e8 < fill.quantity_e8:
        detail = (("required_e8", fill.quantity_e8), ("available_e8", free_e8))
        return Refused(Refusal.BUYER_LACKS_SHARES, detail)
    free_e4, required_e4 = rules.free_e4(seller), fill.notional_e4 - fill.sell_fee_e4
    if free_e4 < required_e4:
        detail = (("required_e4", required_e4), ("available_e4", free_e4))
        return Refused(Refusal.SELLER_LACKS_FUNDS, detail)
    trade.busted = True
    rules.note_fees(fill.currency, -fill.buy_fee_e4 - fill.sell_fee_e4)
    bust_id = turn.new_id(2)
    seller.cash_e4 -= required_e4
    buyer.cash_e4 += fill.notional_e4 + fill.buy_fee_e4
    for lot_id, units_e8, cost_e4, since_us in fill.sell_lots:
        seller.restore(fill.symbol, lot_id, units_e8, cost_e4, since_us)
        seller.realized_e4 += cost_e4
    seller.realized_e4 -= fill.notional_e4
    cost_e4, taken = give_back(buyer, trade)
    buyer.realized_e4 += fill.notional_e4 - cost_e4
    turn.touch(account=seller)
    turn.touch(account=buyer)
    turn.events.append(
        TradeBusted(
            bust_id, fill.trade_id, trade.executed_us, fill.symbol, fill.currency, fill.price_e4, fill.quantity_e8,
            fill.notional_e4, fill.taker_side, fill.buy_order_id, fill.buy_account_id, fill.buy_fee_e4,
            buyer.cash_e4, buyer.units_e8(fill.symbol), fill.sell_order_id, fill.sell_account_id,
            fill.sell_fee_e4, seller.cash_e4, seller.units_e8(fill.symbol), command.operator_id, command.reason,
            command.buy_order and rules.report(trade.orders[0]), command.sell_order and rules.report(trade.orders[1]),
            sell_lots=fill.sell_lots, buy_lots=tuple(taken),
        )
    )  # fmt: skip
    return None


def agrees(rules: NaiveRules, trade: NaiveTrade, command: BustTrade) -> bool:
    """Whether it is told what was; what it is told of an order that is open does not matter."""
    reports = (command.buy_order, command.sell_order)
    facts = facts_of(
        *(trade.fill, trade.executed_us, command.operator_id, command.reason),
        buy_order=reports[0],
        sell_order=reports[1],
    )
    return facts == command and all(
        told is None or order.open() or rules.report(order) == told
        for order, told in zip(trade.orders, reports, strict=True)
    )


def give_back(buyer: NaiveAccount, trade: NaiveTrade) -> tuple[int, list[tuple[int, int, int, int]]]:
    """Take the units from the buyer; what they had cost, and what was taken of lots that are not a pool."""
    fill = trade.fill
    lots = buyer.lots[fill.symbol]
    if buyer.kind is AccountKind.MARKET_MAKER:
        pool = lots[0]
        pool[1] -= fill.quantity_e8
        cost_e4 = min(fill.notional_e4, pool[2]) if pool[1] else pool[2]
        pool[2] -= cost_e4
        if not pool[1]:
            lots.clear()
        return cost_e4, []
    made = [(lot[0], lot[1], lot[2], lot[3]) for lot in lots if lot[0] == fill.trade_id]
    buyer.lots[fill.symbol] = [lot for lot in lots if lot[0] != fill.trade_id]
    rest_e8 = fill.quantity_e8 - sum(lot[1] for lot in made)
    pooled_e4 = sum(lot[2] for lot in lots)
    taken = made + buyer.deliver(fill.symbol, rest_e8)
    left = buyer.lots[fill.symbol]
    if not left or fill.trade_id > buyer.averaged.get(fill.symbol, 0):
        return sum(lot[2] for lot in taken), taken
    cost_e4 = min(fill.notional_e4, pooled_e4)
    told, units_e8, told_e4 = [], 0, 0
    for lot_id, part_e8, _, since_us in taken:
        units_e8 += part_e8
        part_e4 = cost_e4 * units_e8 // fill.quantity_e8 - told_e4
        told_e4 += part_e4
        told.append((lot_id, part_e8, part_e4, since_us))
    left[0][2] += pooled_e4 - cost_e4 - sum(lot[2] for lot in left)
    spread(buyer, fill.symbol)
    return cost_e4, told
