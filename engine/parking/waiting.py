"""The waiting list: a space that comes free is offered to the first that it fits, for some minutes, then to the next.

Source: docs/parking.md, "Bookings". An offer is a booking that holds a space and no money; taking it holds the price.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import TimerKind
from engine.parking.allocation import allocate, fitting
from engine.parking.booking_commands import AcceptOffer, JoinWaitingList, LeaveWaitingList
from engine.parking.booking_records import Booking, Terms, WaitingEntry
from engine.parking.claims import minutes_of
from engine.parking.confirming import confirm, interval_refusal
from engine.parking.keeping import put_booking, put_waiting
from engine.parking.kinds import BookingStatus, LotStatus, WaitingStatus
from engine.parking.money import debt_of, funds_refusal
from engine.parking.pricing import price_of_booking, terms_now
from engine.parking.records import Parking
from engine.parking.vehicles import is_operator, vehicle_for
from engine.parking.wish import Wish
from engine.refusals import Refusal
from engine.risk import account_refusal
from engine.state import Timer
from engine.timers import add_timer, drop_timer_of
from engine.turn import Turn
from engine.units import MINUTE_US

WAITING_MAX: Final = 200
"""In one lot: each of them may be looked at when a space comes free."""


def join_waiting_list(turn: Turn, envelope: Envelope, command: JoinWaitingList) -> Refused | None:
    """Wait for a space of an interval, until it begins."""
    state = turn.state
    parking = state.parking
    refused = account_refusal(state.accounts.get(envelope.account_id))
    if refused is not None:
        return refused
    lot = parking.lots.get(command.lot)
    if lot is None:
        return Refused(Refusal.PARKING_LOT_NOT_FOUND)
    vehicle = vehicle_for(parking, envelope, command.vehicle_id)
    if vehicle is None or vehicle.account_id != envelope.account_id:
        return Refused(Refusal.VEHICLE_NOT_FOUND)
    if lot.status is LotStatus.CLOSED:
        return Refused(Refusal.PARKING_LOT_CLOSED)
    refused = interval_refusal(command.begin_us, command.end_us, turn.now_us)
    if refused is not None or command.begin_us <= turn.now_us:
        return refused or Refused(Refusal.INVALID_INTERVAL)
    waits = parking.waiting_of_lot.get(lot.lot, {})
    if len(waits) >= WAITING_MAX or any(
        parking.waiting[each].vehicle_id == vehicle.vehicle_id for each in waits
    ):
        return Refused(Refusal.WAITING_LIST_FULL, (("maximum", WAITING_MAX),))
    wish = Wish(
        *(command.space_type, vehicle.kind, vehicle.height_cm, vehicle.rights | command.rights),
        *(int(command.required), int(command.preferred), command.user_type, ""),
    )
    if not fitting(parking, lot.lot, wish):
        return Refused(Refusal.VEHICLE_DOES_NOT_FIT)
    entry = WaitingEntry(
        *(turn.new_id(), envelope.account_id, vehicle.vehicle_id, lot.lot, wish),
        *(command.begin_us, command.end_us, turn.now_us, WaitingStatus.WAITING),
    )
    put_waiting(turn, entry)
    add_timer(turn, entry.begin_us, TimerKind.WAITING_OVER, str(entry.waiting_id))
    serve_waiting(turn, lot.lot, entry.begin_us, entry.end_us)
    return None


def leave_waiting_list(turn: Turn, envelope: Envelope, command: LeaveWaitingList) -> Refused | None:
    """Wait no longer; an offer that was made goes to the next."""
    entry = turn.state.parking.waiting.get(command.waiting_id)
    if entry is None or not (is_operator(envelope) or entry.account_id == envelope.account_id):
        return Refused(Refusal.WAITING_NOT_FOUND)
    leave(turn, entry)
    return None


def leave(turn: Turn, entry: WaitingEntry) -> None:
    """Take an entry off the list, and its offer back."""
    drop_timer_of(turn.state, TimerKind.WAITING_OVER, str(entry.waiting_id))
    put_waiting(turn, replace(entry, status=WaitingStatus.LEFT))
    offer = turn.state.parking.bookings.get(entry.booking_id)
    if offer is not None:
        drop_timer_of(turn.state, TimerKind.OFFER_OVER, str(offer.booking_id))
        put_booking(turn, replace(offer, status=BookingStatus.EXPIRED))
        serve_waiting(turn, offer.lot, offer.begin_us, offer.end_us)


def serve_waiting(turn: Turn, lot: str, begin_us: int, end_us: int) -> None:
    """Something in `[begin_us, end_us)` may have come free: offer it to those who wait for a time that meets it, in their order."""
    parking = turn.state.parking
    if parking.lots[lot].status is LotStatus.CLOSED:
        return
    for waiting_id in list(parking.waiting_of_lot.get(lot, ())):
        entry = parking.waiting[waiting_id]
        if entry.status is WaitingStatus.WAITING and entry.begin_us < end_us and begin_us < entry.end_us:
            offer_space(turn, parking, entry)


def offer_space(turn: Turn, parking: Parking, entry: WaitingEntry) -> None:
    """Hold a space for who waits, if there is one, and the vehicle has no other booking then."""
    for booking_id in parking.bookings_of_vehicle.get(entry.vehicle_id, {}):
        other = parking.bookings[booking_id]
        if other.begin_us < entry.end_us and entry.begin_us < other.end_us:
            return
    vehicle = parking.vehicles.get(entry.vehicle_id)
    times = minutes_of(entry.begin_us, entry.end_us)
    found = allocate(parking, entry.lot, entry.wish, *times, avoid=parking.occupancy[entry.lot].awaited)
    if found is None or vehicle is None:
        return
    lot = parking.lots[entry.lot]
    booking = Booking(
        turn.new_id(),
        entry.account_id,
        entry.vehicle_id,
        vehicle.plate,
        entry.lot,
        found[0],
        entry.wish,
        entry.begin_us,
        entry.end_us,
        BookingStatus.HELD_OFFER,
        Terms("", 0),
        0,
        0,
        0,
        turn.now_us,
        waiting_id=entry.waiting_id,
    )
    put_booking(turn, booking)
    put_waiting(turn, replace(entry, status=WaitingStatus.OFFERED, booking_id=booking.booking_id))
    due_us = min(turn.now_us + lot.rules.offer_minutes * MINUTE_US, entry.begin_us)
    add_timer(turn, max(due_us, turn.now_us + 1), TimerKind.OFFER_OVER, str(booking.booking_id))


def accept_offer(turn: Turn, envelope: Envelope, command: AcceptOffer) -> Refused | None:
    """Take an offer: the price is held, and it is a booking like any other."""
    state = turn.state
    parking = state.parking
    offer = parking.bookings.get(command.booking_id)
    if offer is None or offer.account_id != envelope.account_id:
        return Refused(Refusal.BOOKING_NOT_FOUND)
    if offer.status is not BookingStatus.HELD_OFFER:
        return Refused(Refusal.BOOKING_NOT_OPEN, (("status", int(offer.status)),))
    account = state.accounts[offer.account_id]
    refused = account_refusal(account)
    if refused is not None:
        return refused
    lot = parking.lots[offer.lot]
    if lot.currency != account.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    if lot.status is LotStatus.CLOSED:
        return Refused(Refusal.PARKING_LOT_CLOSED)
    debt_e4 = debt_of(parking, account.account_id)
    if debt_e4 > lot.rules.debt_max_e4:
        return Refused(Refusal.PARKING_DEBT, (("debt_e4", debt_e4),))
    terms = terms_now(parking, lot, *minutes_of(offer.begin_us, offer.end_us), 0, turn.now_us)
    if isinstance(terms, Refused):
        return terms
    booking = replace(offer, terms=terms)
    price = price_of_booking(parking, booking, booking.end_us)
    if command.price_max_e4 and price.total_e4 > command.price_max_e4:
        return Refused(Refusal.PRICE_CHANGED, (("price_e4", price.total_e4),))
    refused = funds_refusal(state, account, price.total_e4)
    if refused is not None:
        return refused
    entry = parking.waiting[offer.waiting_id]
    drop_timer_of(state, TimerKind.OFFER_OVER, str(offer.booking_id))
    drop_timer_of(state, TimerKind.WAITING_OVER, str(entry.waiting_id))
    put_waiting(turn, replace(entry, status=WaitingStatus.TAKEN))
    confirm(turn, account, booking, price)
    return None


def fire_offer_over(turn: Turn, timer: Timer) -> None:
    """An offer was not taken: who waited is off the list, and the space goes to the next."""
    offer = turn.state.parking.bookings[int(timer.target)]
    leave(turn, turn.state.parking.waiting[offer.waiting_id])


def fire_waiting_over(turn: Turn, timer: Timer) -> None:
    """What somebody waited for begins now."""
    leave(turn, turn.state.parking.waiting[int(timer.target)])
