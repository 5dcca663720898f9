"""What parking's timers do when they are due: a part of the engine's table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.kinds import TimerKind
from engine.parking.bookings import fire_no_show
from engine.parking.moving import fire_stay_over
from engine.parking.passes import fire_pass_over
from engine.parking.tickets import fire_ticket_over
from engine.parking.waiting import fire_offer_over, fire_waiting_over
from engine.state import Timer
from engine.turn import Turn

PARKING_TIMERS: Final[dict[TimerKind, Callable[[Turn, Timer], None]]] = {
    TimerKind.BOOKING_NO_SHOW: fire_no_show,
    TimerKind.STAY_OVER: fire_stay_over,
    TimerKind.OFFER_OVER: fire_offer_over,
    TimerKind.WAITING_OVER: fire_waiting_over,
    TimerKind.PASS_OVER: fire_pass_over,
    TimerKind.TICKET_OVER: fire_ticket_over,
}
"""Kind of a timer → what it does."""
