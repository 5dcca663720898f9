"""Who stays longer than planned, and whose space is not to be had: others are moved to other spaces as long as there are any.

A stay whose time on its space is over keeps it while it is free; a booking that needs it is moved. Where there is no other space,
both have a right to one, and operators are told. Source: docs/parking.md, "Bookings".
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.kinds import TimerKind
from engine.parking.allocation import allocate
from engine.parking.booking_events import FindingReported
from engine.parking.booking_records import Booking
from engine.parking.claims import CLAIMING, minutes_of
from engine.parking.keeping import put_booking, put_stay
from engine.parking.kinds import FindingKind
from engine.parking.stays import report
from engine.state import Timer
from engine.timers import add_timer
from engine.turn import Turn
from engine.units import MINUTE_US

AGAIN_US: Final = 5 * MINUTE_US
"""When a contested space is looked at again."""


def fire_stay_over(turn: Turn, timer: Timer) -> None:
    """A vehicle is still inside when its time on its space is over: it keeps it for as long as the lot's shortest walk-in."""
    parking = turn.state.parking
    stay = parking.stays[int(timer.target)]
    occupancy = parking.occupancy[stay.lot]
    least = parking.lots[stay.lot].rules.walk_in_minimum
    start = max(stay.until_us, turn.now_us - turn.now_us % MINUTE_US) // MINUTE_US
    limit = start + least
    if occupancy.free_until(stay.space, start, limit) == start:
        claim = occupancy.claim_at(stay.space, start)
        booking = None if claim is None else parking.bookings.get(claim[2])
        if booking is None or not move(turn, booking):
            report(turn, FindingKind.SPACE_CONTESTED, stay, 0 if booking is None else booking.booking_id)
            add_timer(turn, turn.now_us + AGAIN_US, TimerKind.STAY_OVER, timer.target)
            return
    until_us = occupancy.free_until(stay.space, start, limit) * MINUTE_US
    from_us = stay.from_us if start * MINUTE_US == stay.until_us else start * MINUTE_US
    put_stay(turn, replace(stay, from_us=from_us, until_us=until_us))
    add_timer(turn, max(until_us, turn.now_us + 1), TimerKind.STAY_OVER, timer.target)


def move(turn: Turn, booking: Booking) -> bool:
    """Give a booking that has not arrived another space; False when there is none, and nothing changes."""
    parking = turn.state.parking
    if booking.status not in CLAIMING:
        return False
    begin, end = minutes_of(booking.begin_us, booking.end_us)
    avoid = 1 << booking.space | parking.occupancy[booking.lot].awaited
    if booking.begin_us <= turn.now_us + AGAIN_US:
        avoid |= parking.occupancy[booking.lot].standing
    found = allocate(parking, booking.lot, booking.wish, begin, end, avoid=avoid)
    if found is None:
        return False
    put_booking(turn, replace(booking, space=found[0]))
    return True


def vacate(turn: Turn, lot: str, index: int) -> None:
    """A space is not allocated any more: what is booked on it is moved; what cannot be stays, and operators are told."""
    parking = turn.state.parking
    for _, _, owner in list(parking.occupancy[lot].claims.get(index, ())):
        booking = parking.bookings.get(owner)
        if booking is not None and not move(turn, booking):
            turn.events.append(
                FindingReported(FindingKind.MAINTENANCE_STUCK, lot, index, 0, booking.booking_id)
            )
