"""Whether the terms of an order make sense, and what they make of it: flat lists of checks, in the order of docs/orders.md.

A plain order (MARKET or LIMIT without terms) is checked by engine/risk.py alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.commands import PlaceOrder
from engine.events import Refused
from engine.kinds import OrderClass, OrderType, Side, TimeInForce
from engine.lot_methods import lot_terms_refusal
from engine.notional import paid_by_e8, paid_in_book_e8
from engine.orders import Order
from engine.refusals import Refusal
from engine.risk import collar_e4, form_refusal, reference_e4, size_refusal
from engine.state import Account, Instrument, State
from engine.stops import STOP_TYPES, first_trigger_e4, reached_refusal, stop_limit_e4
from engine.terms import NO_TERMS, Leg, Special, Terms
from engine.waiting import matches_now

DAY, GTC, GTD = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
OPG, CLS = TimeInForce.OPG, TimeInForce.CLS
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
STOP_LIMIT, STOP_LOSS, TRAILING_STOP = OrderType.STOP_LIMIT, OrderType.STOP_LOSS, OrderType.TRAILING_STOP

TRAIL_MAX_PPM = 500_000
"""Half of the price: a stop further away protects nothing."""

SLICES_MAX = 100
"""An iceberg trades in so many parts at most: each is a fill of its own, and one order of another may meet them all."""

TIMES_IN_FORCE: Final[dict[OrderType, tuple[TimeInForce, ...]]] = {
    MARKET: (DAY, IOC, FOK, OPG, CLS),
    LIMIT: (DAY, GTC, GTD, IOC, FOK, OPG, CLS),
    STOP_LOSS: (DAY, GTC, GTD),
    STOP_LIMIT: (DAY, GTC, GTD),
    TRAILING_STOP: (DAY, GTC, GTD),
}
"""Order type → how long it may stay (docs/orders.md, "Time in force")."""

STAYING = (DAY, GTC, GTD)
"""Times in force of orders that rest."""


BRACKET, OCO, OTO = OrderClass.BRACKET, OrderClass.OCO, OrderClass.OTO
BUY, SELL = Side.BUY, Side.SELL
ENTRIES: Final = {BRACKET: (MARKET, LIMIT), OCO: (LIMIT,), OTO: (MARKET, LIMIT)}
"""Class → the types that its order may have."""

LEG_TYPES: Final[dict[OrderClass, tuple[tuple[OrderType, ...], ...]]] = {
    OrderClass.SIMPLE: ((),),
    OCO: tuple([(stop,) for stop in STOP_TYPES]),
    BRACKET: tuple([(LIMIT, stop) for stop in STOP_TYPES]),
    OTO: tuple([(each,) for each in (LIMIT, *STOP_TYPES)]),
}
"""Class → the types that its legs may have, in their order."""


class Asked(NamedTuple):
    """What the terms of an order come to: how much, up to which price, and how it stands."""

    quantity_e8: int
    limit_e4: int
    special: Special | None


def ask(
    state: State, account: Account, instrument: Instrument, command: PlaceOrder, now_us: int
) -> Asked | Refused:
    """Check form and size of an order that is not plain; returns what it comes to."""
    terms = command.terms or NO_TERMS
    side, order_type, quantity_e8 = command.side, command.order_type, command.quantity_e8
    by_notional = terms.notional_e4 != 0 and quantity_e8 == 0
    form_e8 = instrument.lot_e8 if by_notional else quantity_e8
    refused = form_refusal(instrument, priced_as(order_type), form_e8, command.price_e4)
    if refused is None and by_notional and terms.notional_e4 > 0 and order_type not in STOP_TYPES:
        if order_type is MARKET and not reference_e4(instrument):
            return Refused(Refusal.NO_REFERENCE_PRICE)
        quantity_e8 = quantity_of(state, instrument, command, terms.notional_e4)
        if not quantity_e8:
            return Refused(Refusal.NOTIONAL_TOO_SMALL)
    if refused is None:
        latest_us = now_us + state.limits.gtc_max_age_us
        refused = terms_refusal(
            instrument, command, terms, quantity_e8, now_us, latest_us
        ) or lot_terms_refusal(state, account, instrument.symbol, side, quantity_e8, terms)
    if refused is not None:
        return refused
    of_order = command.terms or (NO_TERMS if command.legs else None)
    asked = sized(state, instrument, side, order_type, quantity_e8, command.price_e4, of_order)
    is_armed = command.order_class is OCO
    for leg in command.legs:
        if type(asked) is Refused:
            return asked
        refused_or_leg = sized(
            *(state, instrument, side_of_legs(command), leg.order_type, quantity_e8, leg.price_e4),
            leg_terms(leg),
            is_armed=is_armed,
        )
        if type(refused_or_leg) is Refused:
            return refused_or_leg
    return asked


def sized(
    state: State,
    instrument: Instrument,
    side: Side,
    order_type: OrderType,
    quantity_e8: int,
    price_e4: int,
    terms: Terms | None,
    *,
    is_armed: bool = True,
) -> Asked | Refused:
    """Check the size of an order or leg of good form. A leg that is not armed is not held against the reference yet."""
    special = None if terms is None else Special(terms)
    limit_e4, stop_e4 = price_e4, 0
    if terms is not None and order_type in STOP_TYPES:
        if not reference_e4(instrument):
            return Refused(Refusal.NO_REFERENCE_PRICE)
        if order_type is TRAILING_STOP and not is_armed:
            return bounded(state, quantity_e8, special)
        trigger_e4, extreme_e4 = first_trigger_e4(instrument, side, order_type, terms)
        if not instrument.price_min_e4 <= trigger_e4 <= instrument.price_max_e4:
            return Refused(Refusal.INVALID_PRICE, price_bounds(instrument))
        refused = reached_refusal(instrument, side, trigger_e4) if is_armed else None
        if refused is not None:
            return refused
        special = Special(terms, trigger_e4=trigger_e4, extreme_e4=extreme_e4)
        limit_e4 = stop_limit_e4(state, instrument, side, order_type, price_e4, trigger_e4)
        stop_e4 = trigger_e4
    elif order_type is MARKET:
        limit_e4 = collar_e4(instrument, side, state.limits.market_collar_bps)
    refused = size_refusal(state, instrument, side, quantity_e8, limit_e4, stop_e4)
    return Asked(quantity_e8, limit_e4, special) if refused is None else refused


def bounded(state: State, quantity_e8: int, special: Special | None) -> Asked | Refused:
    """A leg that trails once it is armed: it has no price yet that could be checked."""
    maximum_e8 = state.limits.order_quantity_max_e8
    if quantity_e8 > maximum_e8:
        return Refused(Refusal.ORDER_TOO_LARGE, (("maximum_e8", maximum_e8),))
    return Asked(quantity_e8, 0, special)


def side_of_legs(command: PlaceOrder) -> Side:
    """The side of an order's legs: its own for a pair that it is part of, else the other."""
    if command.order_class is OCO:
        return command.side
    return SELL if command.side is BUY else BUY


def leg_terms(leg: Leg) -> Terms:
    """The terms that a leg has as an order."""
    return Terms(leg.stop_e4, leg.trail_e4, leg.trail_ppm)


def legs_refusal(instrument: Instrument, command: PlaceOrder) -> Refused | None:
    """Whether an order's legs are those of its class, and well formed."""
    order_class = command.order_class
    of_class = tuple([leg.order_type for leg in command.legs]) in LEG_TYPES[order_class]
    if not of_class or (
        order_class is not OrderClass.SIMPLE and command.order_type not in ENTRIES[order_class]
    ):
        return invalid("order_class", order_class)
    if order_class is OCO and command.time_in_force not in STAYING:
        return invalid("time_in_force", command.time_in_force)
    for leg in command.legs:
        refused = form_refusal(
            instrument, priced_as(leg.order_type), instrument.lot_e8, leg.price_e4
        ) or stop_terms_refusal(instrument, leg.order_type, leg.stop_e4, leg.trail_e4, leg.trail_ppm)
        if refused is not None:
            return refused
    return None


def quantity_of(state: State, instrument: Instrument, command: PlaceOrder, notional_e4: int) -> int:
    """How much an order without a quantity is for: what its amount pays."""
    if command.order_type is LIMIT:
        return paid_by_e8(notional_e4, command.price_e4, instrument.lot_e8)
    limit_e4 = collar_e4(instrument, command.side, state.limits.market_collar_bps)
    opposite = state.books[instrument.symbol].opposite(command.side)
    return paid_in_book_e8(notional_e4, opposite, limit_e4, instrument.lot_e8)


def takes_notional(command: PlaceOrder, notional_e4: int) -> bool:
    """Whether an order can be for an amount of money instead of a quantity."""
    order_type, time_in_force = command.order_type, command.time_in_force
    is_for_auction = order_type is MARKET and time_in_force in (OPG, CLS)
    return notional_e4 > 0 and not command.quantity_e8 and order_type not in STOP_TYPES and not is_for_auction


def post_only_refusal(state: State, instrument: Instrument, order: Order) -> Refused | None:
    """Whether an order that must not take would find somebody at its price or better: anybody, in a book that matches it."""
    if order.special is None or not order.special.terms.post_only or not matches_now(order, instrument.phase):
        return None
    opposite = state.books[order.symbol].opposite(order.side)
    best = opposite.best()
    if best is None or best.key > order.limit_e4 * opposite.sign:
        return None
    return Refused(Refusal.POST_ONLY_WOULD_TAKE)


def priced_as(order_type: OrderType) -> OrderType:
    """LIMIT for a type that has a price, MARKET for one that has none."""
    return LIMIT if order_type is LIMIT or order_type is STOP_LIMIT else MARKET


def price_bounds(instrument: Instrument) -> tuple[tuple[str, int], ...]:
    """The detail of an INVALID_PRICE."""
    return (("price_min_e4", instrument.price_min_e4), ("price_max_e4", instrument.price_max_e4))


def invalid(member: str, value: int) -> Refused:
    """A combination that makes no sense, named by the member that makes it so."""
    figure = int(value)  # a flag too: the detail is kept as figures
    return Refused(Refusal.INVALID_TERMS, ((member, figure),))


def terms_refusal(
    instrument: Instrument, command: PlaceOrder, terms: Terms, quantity_e8: int, now_us: int, latest_us: int
) -> Refused | None:
    """Whether an order's terms fit its type, its time in force and each other. `latest_us` is when a GTD may end at most."""
    order_type, time_in_force = command.order_type, command.time_in_force
    as_ever = order_type is MARKET and time_in_force is GTC and command.terms is None
    if time_in_force not in TIMES_IN_FORCE[order_type] and not as_ever:
        return invalid("time_in_force", time_in_force)
    expires_us = terms.expires_us
    if expires_us if time_in_force is not GTD else not now_us < expires_us <= latest_us:
        return invalid("expires_us", terms.expires_us)
    return stop_terms_refusal(
        instrument, order_type, terms.stop_e4, terms.trail_e4, terms.trail_ppm
    ) or resting_terms_refusal(instrument, command, terms, quantity_e8)


def stop_terms_refusal(
    instrument: Instrument, order_type: OrderType, stop_e4: int, trail_e4: int, trail_ppm: int
) -> Refused | None:
    """Whether stop and trail are those of the type, and well formed. Also for legs."""
    if order_type is TRAILING_STOP:
        if stop_e4:
            return invalid("stop_e4", stop_e4)
        if trail_ppm and not trail_e4:
            return None if 0 < trail_ppm <= TRAIL_MAX_PPM else invalid("trail_ppm", trail_ppm)
        if trail_ppm or not 0 < trail_e4 <= instrument.price_max_e4:
            return invalid("trail_e4", trail_e4)
        if trail_e4 % instrument.tick_e4:
            return Refused(Refusal.INVALID_TICK_SIZE, (("tick_e4", instrument.tick_e4),))
        return None
    if trail_e4:
        return invalid("trail_e4", trail_e4)
    if trail_ppm:
        return invalid("trail_ppm", trail_ppm)
    if order_type is not STOP_LOSS and order_type is not STOP_LIMIT:
        return invalid("stop_e4", stop_e4) if stop_e4 else None
    if not instrument.price_min_e4 <= stop_e4 <= instrument.price_max_e4:
        return Refused(Refusal.INVALID_PRICE, price_bounds(instrument))
    if stop_e4 % instrument.tick_e4:
        return Refused(Refusal.INVALID_TICK_SIZE, (("tick_e4", instrument.tick_e4),))
    return None


def resting_terms_refusal(
    instrument: Instrument, command: PlaceOrder, terms: Terms, quantity_e8: int
) -> Refused | None:
    """Whether what is for orders that rest is asked of one that does."""
    rests = command.order_type is LIMIT and command.time_in_force in STAYING
    display_e8 = terms.display_e8
    is_slice = 0 < display_e8 < quantity_e8 <= display_e8 * SLICES_MAX and not display_e8 % instrument.lot_e8
    if display_e8 and not (rests and is_slice):
        return invalid("display_e8", display_e8)
    if terms.post_only and not rests:
        return invalid("post_only", terms.post_only)
    if terms.notional_e4 and not takes_notional(command, terms.notional_e4):
        return invalid("notional_e4", terms.notional_e4)
    refused = legs_refusal(instrument, command)
    if refused is not None:
        return refused
    if terms.extended_hours and not rests:
        return invalid("extended_hours", terms.extended_hours)
    return None
