"""What stands in the book of an instrument, and what is on its way, when a corporate action takes it: by name."""

from __future__ import annotations

from engine.kinds import KillScope, OrderStatus, Phase, TimeInForce
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.naive_records import NaiveOrder

CALLS = (Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION)


def standing(naive: NaiveExchange, action_id: int) -> frozenset[str]:
    """All that an action finds at its symbol."""
    symbol = naive.actions.declared[action_id].symbol
    instrument = naive.instruments[symbol]
    found = {name for each in naive.orders if each.symbol == symbol for name in names_of(each)}
    others = [each for each in naive.actions.pending() if each.action_id != action_id]
    facts = {
        "a halt": instrument.halted,
        "the call of a halt": instrument.phase is Phase.HALT_AUCTION,
        "an auction's call": instrument.phase in CALLS,
        "a kill switch": (KillScope.SYMBOL, symbol) in naive.switches,
        "another action": any(each.symbol == symbol for each in others),
        "a merger into it": any(each.new_symbol == symbol for each in others),
        "a delisted book": instrument.delisted,
        "a lot": any(each.units_e8(symbol) for each in naive.accounts.values()),
    }
    return frozenset(found | {name for name, is_so in facts.items() if is_so})


def names_of(order: NaiveOrder) -> set[str]:
    """What kind of an open order it is; one may be several."""
    if order.is_quote:
        return {"a quote"}
    facts = {
        "an iceberg": order.shown_e8 > 0,
        "a waiting order": order.waiting,
        "an unarmed leg": not order.armed,
        "an armed leg": order.parent_id != 0 and order.armed,
        "a pair": order.group_id != 0,
        "a parent": order.children != (),
        "a stop": order.status is OrderStatus.HELD and order.armed,
        "a part fill": order.status is OrderStatus.PARTIAL,
        "an order with an end": order.time_in_force is TimeInForce.GTD,
        "an order for an auction": order.time_in_force in (TimeInForce.OPG, TimeInForce.CLS),
    }
    return {order.order_type.name, *(name for name, is_so in facts.items() if is_so)}
