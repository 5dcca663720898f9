"""What the naive exchange refuses for what was asked: sessions, form, terms and legs, size, in the order of docs/orders.md."""

from __future__ import annotations

from typing import Final

from engine.commands import PlaceOrder
from engine.events import Refused
from engine.kinds import (
    AccountStatus,
    KillScope,
    OrderClass,
    OrderType,
    Phase,
    Side,
    TimeInForce,
)
from engine.refusals import Refusal
from engine.terms import NO_TERMS, Leg, Terms
from tests.engine.naive_records import NaiveAccount, NaiveOrder, worth
from tests.engine.naive_rules import NaiveRules
from tests.engine.naive_turn import NaiveInstrument, highest_e4, lowest_e4

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
STOP_LOSS, STOP_LIMIT, TRAILING = OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP
STOPS: Final = (STOP_LOSS, STOP_LIMIT, TRAILING)
DAY, GTC, GTD = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD
STAYING: Final = (DAY, GTC, GTD)
LEG_TYPES: Final[dict[OrderClass, list[tuple[OrderType, ...]]]] = {
    OrderClass.SIMPLE: [()],
    OrderClass.OCO: [(kind,) for kind in STOPS],
    OrderClass.BRACKET: [(LIMIT, kind) for kind in STOPS],
    OrderClass.OTO: [(kind,) for kind in (LIMIT, *STOPS)],
}
"""The legs that each class of order may have."""


def invalid(member: str, value: int) -> Refused:
    return Refused(Refusal.INVALID_TERMS, ((member, value),))


class NaiveForms(NaiveRules):
    """Refusals that hang on the command, the clock and the reference price alone."""

    def may_act(self, account: NaiveAccount | None) -> Refused | None:
        if account is not None and account.status is AccountStatus.DISABLED:
            return Refused(Refusal.ACCOUNT_DISABLED)
        return None

    def taken(self, account_id: int, client_order_ids: list[str]) -> Refused | None:
        given = [each for each in client_order_ids if each]
        if len(set(given)) < len(given) or any((account_id, each) in self.client_ids for each in given):
            return Refused(Refusal.DUPLICATE_CLIENT_ORDER_ID)
        return None

    def may_trade(
        self, account: NaiveAccount, instrument: NaiveInstrument, time_in_force: TimeInForce, now_us: int
    ) -> Refused | None:
        stopping = {
            (KillScope.MARKET, ""),
            (KillScope.SYMBOL, instrument.symbol),
            (KillScope.ACCOUNT, str(account.account_id)),
        }
        if self.switches & stopping:
            return Refused(Refusal.KILL_SWITCH_ON)
        if instrument.delisted:
            return Refused(Refusal.INSTRUMENT_DELISTED)
        if instrument.halted:
            return Refused(Refusal.SYMBOL_HALTED)
        calendar = self.calendars[instrument.calendar]
        auction = {
            TimeInForce.OPG: Phase.OPENING_AUCTION,
            TimeInForce.CLS: Phase.CLOSING_AUCTION,
        }.get(time_in_force)
        if (
            (instrument.phase is Phase.CLOSED and not calendar.phases)
            or (auction and not calendar.has_ahead(auction, now_us))
            or (
                time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
                and instrument.phase is not Phase.CONTINUOUS
            )
        ):
            return Refused(Refusal.SESSION_CLOSED)
        if account.currency != instrument.currency:
            return Refused(Refusal.CURRENCY_MISMATCH)
        return None

    def good_quantity(self, instrument: NaiveInstrument, quantity_e8: int) -> Refused | None:
        if quantity_e8 <= 0 or quantity_e8 > 10**17:
            return Refused(Refusal.INVALID_QUANTITY)
        if quantity_e8 % instrument.lot_e8 != 0:
            return Refused(Refusal.INVALID_LOT_SIZE, (("lot_e8", instrument.lot_e8),))
        return None

    def good_price(self, instrument: NaiveInstrument, price_e4: int) -> Refused | None:
        low_e4, high_e4 = instrument.price_min_e4, instrument.price_max_e4
        if price_e4 < low_e4 or price_e4 > high_e4:
            return Refused(Refusal.INVALID_PRICE, (("price_min_e4", low_e4), ("price_max_e4", high_e4)))
        if price_e4 % instrument.tick_e4 != 0:
            return Refused(Refusal.INVALID_TICK_SIZE, (("tick_e4", instrument.tick_e4),))
        return None

    def good_price_of(
        self, instrument: NaiveInstrument, order_type: OrderType, price_e4: int
    ) -> Refused | None:
        if order_type in (LIMIT, STOP_LIMIT):
            return self.good_price(instrument, price_e4)
        return Refused(Refusal.INVALID_PRICE) if price_e4 != 0 else None

    def good_stop(self, instrument: NaiveInstrument, order_type: OrderType, terms: Terms) -> Refused | None:
        """The stop, or the trail, that its type needs, and nothing else."""
        stop_e4, trail_e4, trail_ppm = terms.stop_e4, terms.trail_e4, terms.trail_ppm
        if order_type is not TRAILING and trail_e4:
            return invalid("trail_e4", trail_e4)
        if order_type is not TRAILING and trail_ppm:
            return invalid("trail_ppm", trail_ppm)
        if order_type not in (STOP_LOSS, STOP_LIMIT) and stop_e4:
            return invalid("stop_e4", stop_e4)
        if order_type in (STOP_LOSS, STOP_LIMIT):
            return self.good_price(instrument, stop_e4)
        if order_type is not TRAILING:
            return None
        if trail_ppm and not trail_e4:
            return None if 0 < trail_ppm <= 500_000 else invalid("trail_ppm", trail_ppm)
        if trail_ppm or not 0 < trail_e4 <= instrument.price_max_e4:
            return invalid("trail_e4", trail_e4)
        if trail_e4 % instrument.tick_e4:
            return Refused(Refusal.INVALID_TICK_SIZE, (("tick_e4", instrument.tick_e4),))
        return None

    def good_terms(
        self, instrument: NaiveInstrument, command: PlaceOrder, quantity_e8: int, now_us: int
    ) -> Refused | None:
        terms, order_type, tif = command.terms or NO_TERMS, command.order_type, command.time_in_force
        stays = order_type is LIMIT and tif in STAYING
        if order_type is MARKET and (tif is GTD or (tif is GTC and command.terms is not None)):
            return invalid("time_in_force", tif)
        if order_type in STOPS and tif not in STAYING:
            return invalid("time_in_force", tif)
        if tif is GTD and not now_us < terms.expires_us <= now_us + self.gtc_max_age_us:
            return invalid("expires_us", terms.expires_us)
        if tif is not GTD and terms.expires_us:
            return invalid("expires_us", terms.expires_us)
        refused = self.good_stop(instrument, order_type, terms)
        if refused:
            return refused
        display_e8 = terms.display_e8
        if display_e8 and not (
            stays and 0 < display_e8 < quantity_e8 <= 100 * display_e8 and display_e8 % instrument.lot_e8 == 0
        ):
            return invalid("display_e8", display_e8)
        if terms.post_only and not stays:
            return invalid("post_only", 1)
        times = (DAY, TimeInForce.IOC, TimeInForce.FOK) if order_type is MARKET else tuple(TimeInForce)
        if terms.notional_e4 and (
            order_type not in (MARKET, LIMIT)
            or tif not in times
            or command.quantity_e8
            or terms.notional_e4 < 0
        ):
            return invalid("notional_e4", terms.notional_e4)
        refused = self.good_legs(instrument, command)
        if refused:
            return refused
        if terms.extended_hours and not stays:
            return invalid("extended_hours", 1)
        return None

    def good_legs(self, instrument: NaiveInstrument, command: PlaceOrder) -> Refused | None:
        order_class, tif = command.order_class, command.time_in_force
        if tuple(leg.order_type for leg in command.legs) not in LEG_TYPES[order_class]:
            return invalid("order_class", order_class)
        if order_class is OrderClass.OCO and command.order_type is not LIMIT:
            return invalid("order_class", order_class)
        if order_class is not OrderClass.SIMPLE and command.order_type not in (MARKET, LIMIT):
            return invalid("order_class", order_class)
        if order_class is OrderClass.OCO and tif not in STAYING:
            return invalid("time_in_force", tif)
        for leg in command.legs:
            refused = self.good_price_of(instrument, leg.order_type, leg.price_e4) or self.good_stop(
                instrument, leg.order_type, terms_of(leg)
            )
            if refused:
                return refused
        return None

    def sane(self, instrument: NaiveInstrument, order: NaiveOrder, *, checks_stop: bool) -> Refused | None:
        """Reference, stop, band, quantity and value. `checks_stop`: whether a stop must not have been reached."""
        anchor_e4 = instrument.anchor_e4()
        if anchor_e4 == 0:
            return Refused(Refusal.NO_REFERENCE_PRICE)
        if order.is_stop() and order.trigger_e4:
            refused = self.good_trigger(instrument, order)
            if refused is None and checks_stop and self.reached(order, anchor_e4):
                detail = (("reference_e4", anchor_e4),)
                refused = Refused(Refusal.STOP_PRICE_REACHED, detail)
            if refused:
                return refused
            anchor_e4 = order.trigger_e4
        limit_e4, quantity_e8 = order.limit_e4, order.leaves_e8()
        high_e4, low_e4 = (
            highest_e4(anchor_e4, instrument.band_bps),
            lowest_e4(anchor_e4, instrument.band_bps),
        )
        if limit_e4 and order.side is BUY and limit_e4 > high_e4:
            return Refused(Refusal.PRICE_OUT_OF_BAND, (("bound_e4", high_e4), ("reference_e4", anchor_e4)))
        if limit_e4 and order.side is SELL and limit_e4 < low_e4:
            return Refused(Refusal.PRICE_OUT_OF_BAND, (("bound_e4", low_e4), ("reference_e4", anchor_e4)))
        if quantity_e8 > self.quantity_max_e8:
            return Refused(Refusal.ORDER_TOO_LARGE, (("maximum_e8", self.quantity_max_e8),))
        if worth(limit_e4, quantity_e8) > self.value_max_e4:
            return Refused(Refusal.ORDER_VALUE_TOO_LARGE, (("maximum_e4", self.value_max_e4),))
        return None

    def good_trigger(self, instrument: NaiveInstrument, order: NaiveOrder) -> Refused | None:
        low_e4, high_e4 = instrument.price_min_e4, instrument.price_max_e4
        if low_e4 <= order.trigger_e4 <= high_e4:
            return None
        return Refused(Refusal.INVALID_PRICE, (("price_min_e4", low_e4), ("price_max_e4", high_e4)))

    def price_it(self, instrument: NaiveInstrument, order: NaiveOrder) -> None:
        """Its trigger, and the price it may trade at: its own, or the collar around the reference or the trigger."""
        anchor_e4 = instrument.anchor_e4()
        if order.order_type is TRAILING:
            order.extreme_e4 = order.extreme_e4 or anchor_e4
            order.trigger_e4 = self.trigger_e4(instrument, order)
        elif order.is_stop():
            order.trigger_e4 = order.asked().stop_e4
        if not order.takes_any_price():
            order.limit_e4 = order.price_e4
        elif order.is_stop():
            order.limit_e4 = self.collar_e4(instrument, order.side, order.trigger_e4)
        else:
            order.limit_e4 = self.collar_e4(instrument, order.side, anchor_e4)


def terms_of(leg: Leg) -> Terms:
    return Terms(stop_e4=leg.stop_e4, trail_e4=leg.trail_e4, trail_ppm=leg.trail_ppm)
