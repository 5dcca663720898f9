"""Replace: an open order's place is taken by one with a new id, linked both ways.

Source: docs/orders.md, "Replace". Decided first, by the checks of a new order; what the old one holds counts as free until then.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from engine.closing import close_order
from engine.commands import Envelope, ReplaceOrder
from engine.events import Refused
from engine.fee_tiers import carried_terms
from engine.kinds import CloseReason, OrderStatus, OrderType, Side
from engine.links import carries_hold, other_of, relink, set_hold
from engine.lot_methods import special_of_replacement
from engine.order_form import (
    SLICES_MAX,
    bounded,
    invalid,
    post_only_refusal,
    price_bounds,
    priced_as,
    stop_terms_refusal,
)
from engine.orders import Order
from engine.refusals import Refusal
from engine.risk import account_refusal, cover_refusal, form_refusal, market_refusal, size_refusal
from engine.risk_rules import admit
from engine.state import Account, Instrument, State
from engine.stop_book import special_of
from engine.stops import STOP_TYPES, reached_refusal, stop_limit_e4, trailing_trigger_e4
from engine.terms import NO_TERMS, Special
from engine.trading import Answer, accept, enter_book, hold_back, market_limit_e4, own_order
from engine.turn import Turn
from engine.waiting import set_aside

BUY = Side.BUY
HELD = OrderStatus.HELD
MARKET = OrderType.MARKET
TRAILING_STOP = OrderType.TRAILING_STOP


class Anew(Struct, frozen=True, gc=False):
    """What of an order is new. `keeps_place`: the quantity alone became smaller, which brings no risk that was not there."""

    quantity_e8: int
    price_e4: int
    limit_e4: int
    special: Special | None
    keeps_place: bool


def replace_order(turn: Turn, envelope: Envelope, command: ReplaceOrder) -> Answer:
    """Replace an open order by one with a new id, linked both ways.

    The command's quantity is the total, fills included; the new order is for what is left of it. A pure
    decrease keeps its place in the queue, everything else goes to the end and may trade at once.
    """
    state = turn.state
    account = state.accounts.get(envelope.account_id)
    refused = account_refusal(account)
    if refused is not None or account is None:
        return refused
    if command.client_order_id and (account.account_id, command.client_order_id) in state.client_order_ids:
        return Refused(Refusal.DUPLICATE_CLIENT_ORDER_ID)
    old = own_order(state, envelope, command.order_id)
    if old is None:
        return Refused(Refusal.ORDER_NOT_FOUND)
    instrument = state.instruments[old.symbol]
    anew = market_refusal(state, account, instrument, old.time_in_force, turn.now_us) or changed(
        state, instrument, old, command
    )
    if type(anew) is Refused:
        return anew
    assert type(anew) is Anew
    new = new_order(turn, old, anew, command.client_order_id)
    if new.special is not None:
        named = special_of_replacement(old, anew.quantity_e8)
        if type(named) is Refused:
            return named
        if named is not None:
            new.special = replace(new.special, terms=replace(new.special.terms, lots=named.terms.lots))
    if old.special is None:
        refused = cover_refusal(account, new, old.hold_e4, 0 if old.side is BUY else old.leaves_e8)
    else:
        refused = new_cover_refusal(state, account, old, new)
    if refused is None and new.special is not None and not anew.keeps_place:
        refused = post_only_refusal(state, instrument, new)
    if refused is None and state.risk is not None and not anew.keeps_place:
        refused = admit(turn, state.risk, account, instrument, new, old)
    if refused is not None:
        return refused
    take_place(turn, account, instrument, old, new, keeps_place=anew.keeps_place)
    return new.order_id


def changed(state: State, instrument: Instrument, old: Order, command: ReplaceOrder) -> Anew | Refused:
    """What the command makes of an order, or why it can't: form, then whether it changes anything, then size."""
    price_e4 = command.price_e4 or old.price_e4
    total_e8 = command.quantity_e8 or old.quantity_e8
    priced = priced_as(old.order_type)
    refused = form_refusal(instrument, priced, total_e8, 0 if priced is MARKET else price_e4)
    if refused is not None:
        return refused
    if command.price_e4 and priced is MARKET:
        return nothing_new(old)
    special = old.special
    if command.stop_e4 or command.trail_e4 or command.trail_ppm:
        moved = moved_stop(instrument, old, command)
        if type(moved) is Refused:
            return moved
        if old.status is not HELD:
            return nothing_new(old)
        special = moved
    quantity_e8 = total_e8 - old.filled_e8
    same = price_e4 == old.price_e4 and special == old.special
    is_leg = special is not None and (special.group_id or special.parent_id)
    if quantity_e8 <= 0 or (same and total_e8 == old.quantity_e8) or (is_leg and total_e8 != old.quantity_e8):
        return nothing_new(old)
    if special is not None and 0 < special.terms.display_e8 * SLICES_MAX < quantity_e8:
        return invalid("display_e8", special.terms.display_e8)
    if same and total_e8 < old.quantity_e8:
        return Anew(quantity_e8, price_e4, old.limit_e4, special, keeps_place=True)
    return sized(state, instrument, old, quantity_e8, price_e4, special)


def nothing_new(old: Order) -> Refused:
    """The command leaves the order as it is, leaves nothing of it, or asks for what the order does not have."""
    return Refused(Refusal.INVALID_REPLACE, (("filled_e8", old.filled_e8),))


def sized(
    state: State, instrument: Instrument, old: Order, quantity_e8: int, price_e4: int, special: Special | None
) -> Anew | Refused:
    """Check what is new by the size that it has now: a held stop against the reference, its limit by its trigger."""
    limit_e4, stop_e4 = price_e4, 0
    if special is not None and old.order_type in STOP_TYPES:
        stop_e4 = special.trigger_e4
        if stop_e4 and not instrument.price_min_e4 <= stop_e4 <= instrument.price_max_e4:
            return Refused(Refusal.INVALID_PRICE, price_bounds(instrument))
        refused = None
        if old.status is HELD and special.is_armed:
            refused = reached_refusal(instrument, old.side, stop_e4)
        if refused is not None:
            return refused
        if not stop_e4:
            asked = bounded(state, quantity_e8, special)
            if type(asked) is Refused:
                return asked
            return Anew(quantity_e8, price_e4, 0, special, keeps_place=False)
        limit_e4 = stop_limit_e4(state, instrument, old.side, old.order_type, price_e4, stop_e4)
    elif old.order_type is MARKET:
        limit_e4 = market_limit_e4(state, instrument, old.side)
    refused = size_refusal(state, instrument, old.side, quantity_e8, limit_e4, stop_e4)
    return Anew(quantity_e8, price_e4, limit_e4, special, keeps_place=False) if refused is None else refused


def moved_stop(instrument: Instrument, old: Order, command: ReplaceOrder) -> Special | Refused:
    """The special of an order with the command's stop or trail in it. A trail takes the place of the other kind; the extreme stays."""
    special = old.special or Special(NO_TERMS)
    terms = special.terms
    if command.stop_e4:
        terms = replace(terms, stop_e4=command.stop_e4)
    if command.trail_e4 or command.trail_ppm:
        terms = replace(terms, trail_e4=command.trail_e4, trail_ppm=command.trail_ppm)
    refused = stop_terms_refusal(instrument, old.order_type, terms.stop_e4, terms.trail_e4, terms.trail_ppm)
    if refused is not None:
        return refused
    trigger_e4 = terms.stop_e4
    if old.order_type is TRAILING_STOP:
        trigger_e4 = 0
        if special.extreme_e4:
            trigger_e4 = trailing_trigger_e4(old.side, terms, special.extreme_e4, instrument.tick_e4)
    return replace(special, terms=terms, trigger_e4=trigger_e4)


def new_order(turn: Turn, old: Order, anew: Anew, client_order_id: str) -> Order:
    """The order that takes an order's place; nothing is held for it yet."""
    new_id = turn.new_id()
    new = Order(
        new_id, old.account_id, old.symbol, old.side, old.order_type, old.time_in_force,
        anew.quantity_e8, anew.price_e4, anew.limit_e4, old.maker_ppm, old.taker_ppm, turn.now_us, turn.now_us,
        client_order_id, old.self_trade_prevention, old.order_id, False, old.priority if anew.keeps_place else new_id,
    )  # fmt: skip
    special = anew.special
    if special is not None:
        new.special = replace(special, shown_e8=0) if special.shown_e8 else special
    if old.fee_terms is not None:
        new.fee_terms = carried_terms(old)
    if old.status is HELD:
        new.status = HELD
    return new


def new_cover_refusal(state: State, account: Account, old: Order, new: Order) -> Refused | None:
    """Whether the account covers a replacement, and the other of its pair, with what the old ones hold. A leg that is not armed
    holds nothing.
    """
    special = old.special
    if special is None or not (special.group_id or special.parent_id):
        return cover_refusal(account, new, old.hold_e4, 0 if old.side is BUY else old.leaves_e8)
    if not special.is_armed:
        return None
    other = other_of(state, old) if special.group_id else None
    freed_e4 = old.hold_e4 + (other.hold_e4 if other is not None else 0)
    return cover_refusal(account, new, freed_e4, 0 if old.side is BUY else old.leaves_e8, other)


def take_place(
    turn: Turn, account: Account, instrument: Instrument, old: Order, new: Order, *, keeps_place: bool
) -> None:
    """End the old order and accept the new one, where the old one stood or by the way of a new one."""
    old.replaced_by_id = new.order_id
    if old.special is not None and not carries_hold(
        old
    ):  # the other of its pair holds for both, now what the replacement needs
        other = other_of(turn.state, old) if special_of(old).is_armed else None
        if other is not None and old.side is BUY:
            set_hold(turn, other, new.hold_e4)
        new.hold_e4 = 0
        old.position = None
    waits = old.level is None
    if old.level is not None and keeps_place:
        turn.levels[old.level.side.swap(old, new)] = None
    close_order(turn, old, OrderStatus.REPLACED, CloseReason.REPLACED)
    accept(turn, account, new)
    if old.special is not None:
        relink(turn, old, new)
    if new.status is HELD:
        hold_back(turn.state, new)
    elif waits and keeps_place:
        set_aside(turn.state, new)
    elif not keeps_place:
        enter_book(turn, instrument, new)
