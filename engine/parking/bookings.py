"""Bookings: booked, extended, cancelled, or not come for. Quote and booking are decided by the same function.

Source: docs/parking.md, "Bookings". Arriving and leaving are done by the stay (engine/parking/stays.py).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import TimerKind
from engine.parking.allocation import allocate, available, fitting
from engine.parking.booking_commands import BookSpace, CancelBooking, ExtendBooking
from engine.parking.booking_records import NO_SPACE, Booking, Stay, Terms
from engine.parking.claims import minutes_of
from engine.parking.confirming import LENGTH_MAX_US, arm_no_show, confirm, interval_refusal
from engine.parking.keeping import put_booking, put_stay
from engine.parking.kinds import FEATURES_ALL, BookingStatus, ChargeKind, LotStatus
from engine.parking.money import change_hold, charge, debt_of, funds_refusal
from engine.parking.pricing import price_of_booking, terms_now
from engine.parking.records import Parking, ParkingLot, Vehicle
from engine.parking.stays import adopt, booking_of
from engine.parking.tariff_records import Price
from engine.parking.vehicles import is_operator, vehicle_for
from engine.parking.waiting import serve_waiting
from engine.parking.wish import Wish
from engine.refusals import Refusal
from engine.risk import account_refusal
from engine.state import Account, State, Timer
from engine.timers import add_timer, drop_timer_of
from engine.turn import Turn
from engine.units import BPS, MINUTE_US, refund_up_e4, tax_share_down_e4

BOOKINGS_MAX: Final = 50
"""Open at a time, of one vehicle."""


class Offer(Struct, frozen=True, gc=False):
    """What a request could be booked as: the space, the price and what it is made of, and how many spaces there are.

    `obstacle` is why it cannot be paid for now, or None.
    """

    account: Account
    vehicle: Vehicle
    wish: Wish
    space: int
    terms: Terms
    price: Price
    spaces: int
    obstacle: Refused | None


# -- the decision that a quote and a booking share


def quote(state: State, envelope: Envelope, command: BookSpace, now_us: int) -> Offer | Refused:
    """What a booking would be and cost now. Nothing changes; what it would be refused for is what this returns, but for money:
    who lacks that is told the price all the same.
    """
    parking = state.parking
    account = state.accounts.get(envelope.account_id)
    refused = account_refusal(account)
    if refused is not None or account is None:
        return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
    lot = parking.lots.get(command.lot)
    vehicle = vehicle_for(parking, envelope, command.vehicle_id)
    refused = _request_refusal(parking, account, lot, vehicle, command, now_us)
    if refused is not None or lot is None or vehicle is None:
        return refused or Refused(Refusal.VEHICLE_NOT_FOUND)
    begin, end = minutes_of(command.begin_us, command.end_us)
    wish = wish_of(vehicle, command)
    terms = terms_now(parking, lot, begin, end, command.version, now_us)
    if isinstance(terms, Refused):
        return terms
    is_soon = begin < now_us // MINUTE_US + lot.rules.walk_in_minutes
    on_the_way = parking.occupancy[lot.lot].awaited if is_soon else 0
    found = allocate(parking, lot.lot, wish, begin, end, avoid=on_the_way)
    if found is None:
        fits = fitting(parking, lot.lot, wish)
        return Refused(Refusal.PARKING_FULL if fits else Refusal.VEHICLE_DOES_NOT_FIT)
    draft = draft_of(account, vehicle, command.lot, wish, found[0], command.begin_us, command.end_us, terms)
    price = price_of_booking(parking, draft, command.end_us)
    if command.price_max_e4 and price.total_e4 > command.price_max_e4:
        return Refused(Refusal.PRICE_CHANGED, (("price_e4", price.total_e4),))
    spaces = available(parking, lot.lot, wish, begin, end)
    obstacle = funds_refusal(state, account, price.total_e4)
    return Offer(account, vehicle, wish, found[0], terms, price, spaces, obstacle)


def wish_of(vehicle: Vehicle, command: BookSpace) -> Wish:
    """What allocation looks for: what was asked for, for this vehicle, with its rights and its user's."""
    return Wish(
        command.space_type,
        vehicle.kind,
        vehicle.height_cm,
        vehicle.rights | command.rights,
        int(command.required),
        int(command.preferred),
        command.user_type,
        command.gate_id,
    )


def draft_of(
    account: Account,
    vehicle: Vehicle,
    lot: str,
    wish: Wish,
    space: int,
    begin_us: int,
    end_us: int,
    terms: Terms,
) -> Booking:
    """A booking that has no id, price and hold yet."""
    return Booking(
        *(0, account.account_id, vehicle.vehicle_id, vehicle.plate, lot, space, wish, begin_us, end_us),
        *(BookingStatus.CONFIRMED, terms, 0, 0, 0, 0),
    )


def _request_refusal(
    parking: Parking,
    account: Account,
    lot: ParkingLot | None,
    vehicle: Vehicle | None,
    command: BookSpace,
    now_us: int,
) -> Refused | None:
    """What is wrong with a request before spaces and prices are looked at."""
    if lot is None:
        return Refused(Refusal.PARKING_LOT_NOT_FOUND)
    if vehicle is None or vehicle.account_id != account.account_id:
        return Refused(Refusal.VEHICLE_NOT_FOUND)
    if lot.currency != account.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    if lot.status is LotStatus.CLOSED:
        return Refused(Refusal.PARKING_LOT_CLOSED)
    refused = interval_refusal(command.begin_us, command.end_us, now_us)
    if refused is not None:
        return refused
    if not (0 <= command.required <= FEATURES_ALL and 0 <= command.preferred <= FEATURES_ALL):
        return Refused(Refusal.INVALID_INTERVAL)
    mine = parking.bookings_of_vehicle.get(vehicle.vehicle_id, {})
    for booking_id in mine:
        other = parking.bookings[booking_id]
        if other.begin_us < command.end_us and command.begin_us < other.end_us:
            return Refused(Refusal.BOOKING_OVERLAPS, (("booking_id", booking_id),))
    if len(mine) >= BOOKINGS_MAX:
        return Refused(Refusal.TOO_MANY_BOOKINGS, (("maximum", BOOKINGS_MAX),))
    debt_e4 = debt_of(parking, account.account_id)
    if debt_e4 > lot.rules.debt_max_e4:
        return Refused(Refusal.PARKING_DEBT, (("debt_e4", debt_e4),))
    return None


# -- the commands


def book_space(turn: Turn, envelope: Envelope, command: BookSpace) -> Refused | None:
    """Book a space: hold the price and take it."""
    offer = quote(turn.state, envelope, command, turn.now_us)
    if isinstance(offer, Refused):
        return offer
    if offer.obstacle is not None:
        return offer.obstacle
    draft = draft_of(
        *(offer.account, offer.vehicle, command.lot, offer.wish, offer.space),
        *(command.begin_us, command.end_us, offer.terms),
    )
    booking = replace(draft, booking_id=turn.new_id(), created_us=turn.now_us)
    confirm(turn, offer.account, booking, offer.price)
    return None


def booking_for(parking: Parking, envelope: Envelope, booking_id: int) -> Booking | None:
    """An open booking, if the asker may act on it."""
    booking = parking.bookings.get(booking_id)
    if booking is None or is_operator(envelope) or booking.account_id == envelope.account_id:
        return booking
    return None


def extend_booking(turn: Turn, envelope: Envelope, command: ExtendBooking) -> Refused | None:
    """Book the space for longer; before arrival another space will do as well. The difference is held."""
    state = turn.state
    parking = state.parking
    booking = booking_for(parking, envelope, command.booking_id)
    if booking is None or booking.status is BookingStatus.HELD_OFFER:
        return Refused(Refusal.BOOKING_NOT_FOUND)
    grace_us = parking.lots[booking.lot].rules.late_grace * MINUTE_US
    if turn.now_us > booking.end_us + grace_us:  # what is overstay now does not become booked time
        return Refused(Refusal.BOOKING_NOT_OPEN, (("status", int(booking.status)),))
    if (
        command.end_us <= booking.end_us
        or command.end_us % MINUTE_US
        or command.end_us - booking.begin_us > LENGTH_MAX_US
    ):
        return Refused(Refusal.INVALID_INTERVAL, (("end_us", command.end_us),))
    for other_id in parking.bookings_of_vehicle[booking.vehicle_id]:
        other = parking.bookings[other_id]
        if other_id != booking.booking_id and booking.end_us <= other.begin_us < command.end_us:
            return Refused(Refusal.BOOKING_OVERLAPS, (("booking_id", other_id),))
    price = price_of_booking(parking, booking, command.end_us)
    more_e4 = max(0, price.total_e4 - booking.hold_e4)
    account = state.accounts[booking.account_id]
    refused = funds_refusal(state, account, more_e4)
    if refused is not None:
        return refused
    longer = replace(
        booking,
        end_us=command.end_us,
        price_e4=price.total_e4,
        tax_e4=price.tax_e4,
        hold_e4=booking.hold_e4 + more_e4,
    )
    space = space_for_longer(parking, booking, command.end_us)
    if space is None:
        return Refused(Refusal.PARKING_FULL)
    change_hold(turn, account, more_e4)
    put_booking(turn, replace(longer, space=space))
    if booking.status is BookingStatus.CONFIRMED:
        arm_no_show(turn, longer)
    else:
        keep_space(turn, parking.stays[booking.stay_id], command.end_us)
    return None


def space_for_longer(parking: Parking, booking: Booking, end_us: int) -> int | None:
    """The space on which a booking can last until a time: its own, or another one before arrival."""
    occupancy = parking.occupancy[booking.lot]
    begin, end = minutes_of(booking.begin_us, end_us)
    until = booking.end_us // MINUTE_US
    stay = parking.stays.get(booking.stay_id)
    if stay is not None:
        until = max(until, stay.until_us // MINUTE_US)
        if stay.space == NO_SPACE:
            return booking.space
    index = booking.space if stay is None else stay.space
    if until >= end or occupancy.free_until(index, until, end) == end:
        return index
    if stay is not None:
        return None
    found = allocate(parking, booking.lot, booking.wish, begin, end, avoid=1 << index | occupancy.awaited)
    return None if found is None else found[0]


def keep_space(turn: Turn, stay: Stay, until_us: int) -> None:
    """A stay keeps its space until a later time, when it is looked at again."""
    if stay.from_us < stay.until_us < until_us:
        put_stay(turn, replace(stay, until_us=until_us))
        target = str(stay.stay_id)
        drop_timer_of(turn.state, TimerKind.STAY_OVER, target)
        add_timer(turn, until_us, TimerKind.STAY_OVER, target)


def cancel_booking(turn: Turn, envelope: Envelope, command: CancelBooking) -> Refused | None:
    """Cancel before arrival; the lot's table says what is given back. An operator may give back everything."""
    booking = booking_for(turn.state.parking, envelope, command.booking_id)
    if booking is None:
        return Refused(Refusal.BOOKING_NOT_FOUND)
    if booking.status is not BookingStatus.CONFIRMED:
        return Refused(Refusal.BOOKING_NOT_OPEN, (("status", int(booking.status)),))
    is_whole = command.whole and is_operator(envelope)
    refund_bps = BPS if is_whole else refund_share_bps(turn.state.parking, booking, turn.now_us)
    kept_e4 = booking.price_e4 - refund_up_e4(booking.price_e4, refund_bps)
    close(turn, booking, BookingStatus.CANCELLED, ChargeKind.CANCELLATION, kept_e4)
    return None


def refund_share_bps(parking: Parking, booking: Booking, now_us: int) -> int:
    """What the lot's table gives back so long before the begin."""
    for before, share_bps in parking.lots[booking.lot].rules.refunds:
        if now_us <= booking.begin_us - before * MINUTE_US:
            return share_bps
    return 0


def close(turn: Turn, booking: Booking, status: BookingStatus, kind: ChargeKind, kept_e4: int) -> None:
    """End a booking whose vehicle did not come: a part of the price is kept, the rest of the hold released, the space free."""
    tax_e4 = tax_share_down_e4(booking.tax_e4, kept_e4, booking.price_e4)
    account = turn.state.accounts[booking.account_id]
    drop_timer_of(turn.state, TimerKind.BOOKING_NO_SHOW, str(booking.booking_id))
    charge(
        *(turn, kind, booking.lot, Price(kept_e4, tax_e4, ()), account),
        hold_e4=booking.hold_e4,
        right_id=booking.booking_id,
        who=booking.plate,
    )
    put_booking(turn, replace(booking, status=status, hold_e4=0))
    serve_waiting(turn, booking.lot, booking.begin_us, booking.end_us)


def fire_no_show(turn: Turn, timer: Timer) -> None:
    """Nobody came in time: the whole price is kept. Who is inside already, on the vehicle's wallet, has come."""
    parking = turn.state.parking
    booking = parking.bookings[int(timer.target)]
    stay = parking.stays.get(parking.stay_of_who.get(booking.plate, 0))
    if stay is not None and booking_of(parking, stay, turn.now_us) is booking:
        adopt(turn, stay, booking)
        return
    close(turn, booking, BookingStatus.NO_SHOW, ChargeKind.NO_SHOW, booking.price_e4)
