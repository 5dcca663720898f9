"""The risk table: flat lists of checks, decided in the order of their refusals, before anything changes."""

from __future__ import annotations

from engine.calendars import AUCTION_OF, is_auction_ahead
from engine.events import Refused
from engine.fillable import fillable_e8
from engine.kinds import AccountStatus, KillScope, OrderType, Phase, PriceSource, Side, TimeInForce
from engine.orders import Order, buy_hold_e4, pair_hold_e4
from engine.refusals import Refusal
from engine.state import Account, Instrument, State
from engine.units import (
    PRICE_MAX_E4,
    QUANTITY_MAX_E8,
    QUANTITY_SCALE,
    band_down_e4,
    band_up_e4,
    tick_down_e4,
    tick_up_e4,
)

BUY = Side.BUY
CLOSED = Phase.CLOSED
CLS = TimeInForce.CLS
CONTINUOUS = Phase.CONTINUOUS
DISABLED = AccountStatus.DISABLED
FOK = TimeInForce.FOK
MARKET = OrderType.MARKET
OPG = TimeInForce.OPG
OWN = PriceSource.OWN

AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
"""Times in force that end where nothing matches."""


def reference_e4(instrument: Instrument) -> int:
    """The price that bands and collars are measured from: the last trade where our own trades make the price."""
    if instrument.price_source is OWN and instrument.last_e4:
        return instrument.last_e4
    return instrument.reference_e4


def collar_e4(instrument: Instrument, side: Side, collar_bps: int, anchor_e4: int = 0) -> int:
    """The limit of a MARKET order: the reference and the collar, on the tick, within the instrument's bounds.

    Where the instrument's band is narrower than the venue's collar, the band is the collar. `anchor_e4` instead of the
    reference, where it is given.
    """
    if not anchor_e4:
        anchor_e4 = reference_e4(instrument)
    if collar_bps > instrument.band_bps:
        collar_bps = instrument.band_bps
    if side is BUY:
        price_e4 = tick_down_e4(band_up_e4(anchor_e4, collar_bps), instrument.tick_e4)
        return min(max(price_e4, instrument.price_min_e4), instrument.price_max_e4)
    price_e4 = tick_up_e4(band_down_e4(anchor_e4, collar_bps), instrument.tick_e4)
    return max(min(price_e4, instrument.price_max_e4), instrument.price_min_e4)


def market_refusal(
    state: State, account: Account, instrument: Instrument, time_in_force: TimeInForce, now_us: int
) -> Refused | None:
    """Whether this account may send orders of this time in force for this instrument now."""
    switches = state.kill_switches
    if switches and (
        (KillScope.MARKET, "") in switches
        or (KillScope.SYMBOL, instrument.symbol) in switches
        or (KillScope.ACCOUNT, str(account.account_id)) in switches
    ):
        return Refused(Refusal.KILL_SWITCH_ON)
    if instrument.phase is not CONTINUOUS or time_in_force is OPG or time_in_force is CLS:
        refused = session_refusal(state, instrument, time_in_force, now_us)
        if refused is not None:
            return refused
    if account.currency != instrument.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    return None


def session_refusal(
    state: State, instrument: Instrument, time_in_force: TimeInForce, now_us: int
) -> Refused | None:
    """Whether a book takes orders of this time in force in its phase (docs/orders.md, "Sessions")."""
    if instrument.is_delisted:
        return Refused(Refusal.INSTRUMENT_DELISTED)
    if instrument.halted:
        return Refused(Refusal.SYMBOL_HALTED)
    calendar = state.calendars[instrument.calendar]
    auction = AUCTION_OF.get(time_in_force)
    if auction is not None:
        is_open = is_auction_ahead(calendar, auction, now_us)
    elif instrument.phase is CLOSED and not calendar.phases:
        is_open = False
    else:
        is_open = instrument.phase is CONTINUOUS or time_in_force not in AT_ONCE
    return None if is_open else Refused(Refusal.SESSION_CLOSED)


def account_refusal(account: Account | None) -> Refused | None:
    """Whether there is an account, and it may act."""
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if account.status is DISABLED:
        return Refused(Refusal.ACCOUNT_DISABLED)
    return None


def form_refusal(
    instrument: Instrument, order_type: OrderType, quantity_e8: int, price_e4: int
) -> Refused | None:
    """Whether quantity and price are well formed for the instrument. MARKET has no price (0)."""
    if not 0 < quantity_e8 <= QUANTITY_MAX_E8:
        return Refused(Refusal.INVALID_QUANTITY)
    if quantity_e8 % instrument.lot_e8:
        return Refused(Refusal.INVALID_LOT_SIZE, (("lot_e8", instrument.lot_e8),))
    if order_type is MARKET:
        if price_e4:
            return Refused(Refusal.INVALID_PRICE)
        return None
    if not instrument.price_min_e4 <= price_e4 <= instrument.price_max_e4:
        bounds = (("price_min_e4", instrument.price_min_e4), ("price_max_e4", instrument.price_max_e4))
        return Refused(Refusal.INVALID_PRICE, bounds)
    if price_e4 % instrument.tick_e4:
        return Refused(Refusal.INVALID_TICK_SIZE, (("tick_e4", instrument.tick_e4),))
    return None


def size_refusal(
    state: State, instrument: Instrument, side: Side, quantity_e8: int, limit_e4: int, stop_e4: int = 0
) -> Refused | None:
    """Whether price and size are sane: the band against the reference (only on the side that could hurt), size, value.

    A buy far below or a sell far above the market is harmless and rests. A stop order's band is around its stop.
    """
    limits = state.limits
    anchor_e4 = instrument.reference_e4  # as `reference_e4`, without a call for each order
    if instrument.price_source is OWN and instrument.last_e4:
        anchor_e4 = instrument.last_e4
    if not anchor_e4:
        return Refused(Refusal.NO_REFERENCE_PRICE)
    if stop_e4:
        anchor_e4 = stop_e4
    if limit_e4 > anchor_e4 if side is BUY else limit_e4 < anchor_e4:
        band_e4 = band_up_e4 if side is BUY else band_down_e4
        bound_e4 = band_e4(anchor_e4, instrument.band_bps)
        if limit_e4 > bound_e4 if side is BUY else limit_e4 < bound_e4:
            return Refused(Refusal.PRICE_OUT_OF_BAND, (("bound_e4", bound_e4), ("reference_e4", anchor_e4)))
    if quantity_e8 > limits.order_quantity_max_e8:
        return Refused(Refusal.ORDER_TOO_LARGE, (("maximum_e8", limits.order_quantity_max_e8),))
    # Not divided, so that nothing is rounded; the limit is never above NOTIONAL_MAX_E4 (engine/market.py).
    if limit_e4 * quantity_e8 > limits.order_value_max_e4 * QUANTITY_SCALE:
        return Refused(Refusal.ORDER_VALUE_TOO_LARGE, (("maximum_e4", limits.order_value_max_e4),))
    return None


def cover_refusal(
    account: Account, order: Order, freed_e4: int, freed_e8: int, other: Order | None = None
) -> Refused | None:
    """Whether the account can cover an order in full, and the other of its pair. What an order that it replaces gives back
    counts as free.

    On success a buy's hold stands in `order.hold_e4`; nothing has been taken from the account yet.
    """
    if order.side is BUY:
        hold_e4 = buy_hold_e4(order) if other is None else pair_hold_e4(order, other)
        available_e4 = account.cash_e4 - account.held_e4 + freed_e4
        if hold_e4 > available_e4:
            return Refused(
                Refusal.INSUFFICIENT_FUNDS, (("required_e4", hold_e4), ("available_e4", available_e4))
            )
        if account.unsettled_e4 and account.settled_only_until_us > order.created_us:
            settled_e4 = available_e4 - account.unsettled_e4
            if hold_e4 > settled_e4:
                return Refused(
                    Refusal.UNSETTLED_FUNDS,
                    (
                        ("required_e4", hold_e4),
                        ("settled_e4", max(0, settled_e4)),
                        ("settled_only_until_us", account.settled_only_until_us),
                    ),
                )
        order.hold_e4 = hold_e4
        return None
    position = account.positions.get(order.symbol)
    available_e8 = freed_e8 + (position.units_e8 - position.held_e8 if position is not None else 0)
    required_e8 = order.quantity_e8 - order.filled_e8
    if required_e8 > available_e8:
        return Refused(
            Refusal.INSUFFICIENT_SHARES, (("required_e8", required_e8), ("available_e8", available_e8))
        )
    return None


def fill_or_kill_refusal(state: State, order: Order) -> Refused | None:
    """Whether a FOK order cannot be filled in full now."""
    if order.time_in_force is FOK:
        found_e8 = fillable_e8(state, state.books[order.symbol].opposite(order.side), order)
        if found_e8 < order.quantity_e8:
            return Refused(Refusal.FILL_OR_KILL, (("fillable_e8", found_e8),))
    return None


def instrument_bounds_hold(tick_e4: int, lot_e8: int, price_min_e4: int, price_max_e4: int) -> bool:
    """Whether prices are on the tick and within the engine's bounds."""
    return (
        tick_e4 > 0
        and 0 < lot_e8 <= QUANTITY_MAX_E8
        and 0 < price_min_e4 <= price_max_e4 <= PRICE_MAX_E4
        and price_min_e4 % tick_e4 == 0
        and price_max_e4 % tick_e4 == 0
    )
