"""A booking is confirmed: the price is held, the space taken, and a time set until which the vehicle has to come."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.events import Refused
from engine.kinds import TimerKind
from engine.parking.booking_records import Booking
from engine.parking.keeping import put_booking
from engine.parking.kinds import BookingStatus
from engine.parking.money import change_hold
from engine.parking.tariff_records import Price
from engine.refusals import Refusal
from engine.state import Account
from engine.timers import add_timer, drop_timer_of
from engine.turn import Turn
from engine.units import DAY_US, MINUTE_US

LENGTH_MAX_US: Final = 31 * DAY_US
AHEAD_MAX_US: Final = 400 * DAY_US


def interval_refusal(begin_us: int, end_us: int, now_us: int) -> Refused | None:
    """Whole minutes, from this minute on, at most 31 days long and 400 days ahead."""
    if (
        begin_us % MINUTE_US
        or end_us % MINUTE_US
        or not now_us - now_us % MINUTE_US <= begin_us < end_us
        or end_us - begin_us > LENGTH_MAX_US
        or begin_us > now_us + AHEAD_MAX_US
    ):
        return Refused(Refusal.INVALID_INTERVAL, (("begin_us", begin_us), ("end_us", end_us)))
    return None


def confirm(turn: Turn, account: Account, booking: Booking, price: Price) -> None:
    """Hold the price, take the space, and wait for the vehicle."""
    change_hold(turn, account, price.total_e4)
    put_booking(
        turn,
        replace(
            booking,
            status=BookingStatus.CONFIRMED,
            price_e4=price.total_e4,
            tax_e4=price.tax_e4,
            hold_e4=price.total_e4,
        ),
    )
    arm_no_show(turn, booking)


def arm_no_show(turn: Turn, booking: Booking) -> None:
    """Set the time until which the vehicle has to come."""
    rules = turn.state.parking.lots[booking.lot].rules
    due_us = min(booking.begin_us + rules.no_show_after * MINUTE_US, booking.end_us)
    target = str(booking.booking_id)
    drop_timer_of(turn.state, TimerKind.BOOKING_NO_SHOW, target)
    add_timer(turn, max(due_us, turn.now_us + 1), TimerKind.BOOKING_NO_SHOW, target)
