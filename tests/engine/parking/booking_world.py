"""A car park with a tariff to write tests of bookings, stays and money in: 1.00 an hour, a half hour at a time, tax of 20 % within."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from engine.apply import Applied
from engine.commands import AnyCommand
from engine.invariants import check_invariants
from engine.kinds import Source
from engine.parking.booking_commands import BookSpace, IssueTicket
from engine.parking.booking_events import BookingSet, ParkingCharged, StaySet, TicketSet
from engine.parking.booking_records import Booking, Stay, Ticket
from engine.parking.commands import SetSpace
from engine.parking.entry import entry_right
from engine.parking.kinds import DecisionReason, SpaceType
from engine.parking.records import LotRules
from engine.parking.stays import exit_right, go_in, go_out
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_records import Tariff
from engine.parking.zones import UTC
from engine.turn import Turn
from engine.units import DAY_US, HOUR_US, MINUTE_US
from tests.engine.parking.parking_world import FLOORS, GATES, LOT, SPACES, ParkingWorld
from tests.engine.world import START_US, World, of_kind

RATES = ((SpaceType.STANDARD, 5_000),)
TARIFF = Tariff(name="STD", currency="USD", unit_minutes=30, rates=RATES, tax_bps=2_000)
STANDARD = SpaceType.STANDARD

EIGHT_US = 100 * DAY_US + 8 * HOUR_US
"""Eight o'clock of the day on which tests happen."""


def clock(text: str) -> int:
    """A time of that day: clock("9:30"); clock("+1 9:30") is the next day's."""
    days, _, time = text.rpartition(" ")
    hours, minutes = time.split(":")
    return 100 * DAY_US + int(days or 0) * DAY_US + int(hours) * HOUR_US + int(minutes) * MINUTE_US


class BookingWorld(ParkingWorld):
    """Lot "P1" at 1.00 an hour; it is eight o'clock; "ann" and "bob" have 100 and a car each, "ANN1" and "BOB1"."""

    def __init__(self, *, spaces: Sequence[SetSpace] = SPACES, rules: LotRules | None = None) -> None:
        World.__init__(self)
        self.vehicles = {}
        self.operator(SetZone(UTC))
        self.operator(SetTariff(TARIFF))
        lot = replace(LOT, time_zone="UTC", tariff="STD")
        self.operator(lot if rules is None else replace(lot, rules=rules))
        rows: list[AnyCommand] = [*FLOORS, *spaces, *GATES]
        for row in rows:
            self.operator(row)
        assert self.now_us < START_US + 1_000
        self.now_us = EIGHT_US
        for who in ("ann", "bob"):
            self.open(who, cash="100")
            self.vehicle(who, f"{who.upper()}1")

    def to(self, text: str) -> list[object]:
        """Let time pass, and timers with it; returns their events."""
        return list(self.advance(clock(text)))

    def asked(self, who: str, begin: str, end: str, kind: SpaceType = STANDARD, **more: Any) -> BookSpace:
        """A booking as it is asked for."""
        vehicle_id = self.vehicles[f"{who.upper()}1"]
        return BookSpace("P1", vehicle_id, clock(begin), clock(end), kind, **more)

    def booked(self, who: str, begin: str, end: str, kind: SpaceType = STANDARD, **more: Any) -> Booking:
        """Book; the booking."""
        (made,) = of_kind(self.do(self.asked(who, begin, end, kind, **more), who), BookingSet)
        return made.booking

    def right(self, plate: str) -> tuple[str, str]:
        """What the gate would say at entry, and the space."""
        vehicle_id = self.parking.vehicle_of_plate.get(plate, 0)
        vehicle = self.parking.vehicles.get(vehicle_id)
        reason, _, space = entry_right(self.state, "P1", vehicle, plate, self.now_us)
        return reason.name, space

    def enter(self, plate: str) -> Stay:
        """Go in by whatever right there is, as a gate does it."""
        vehicle = self.parking.vehicles.get(self.parking.vehicle_of_plate.get(plate, 0))
        reason, right_id, _ = entry_right(self.state, "P1", vehicle, plate, self.now_us)
        turn = self.turn()
        assert go_in(turn, "P1", plate, "P1-in", vehicle, reason, right_id, self.now_us)
        (begun,) = [event for event in self.done(turn) if isinstance(event, StaySet)]
        return begun.stay

    def leave(self, plate: str) -> tuple[str, ParkingCharged]:
        """Go out, as a gate does it; what the gate says, and the receipt."""
        reason = exit_right(self.state, "P1", plate, self.now_us)
        turn = self.turn()
        assert go_out(turn, "P1", plate, self.now_us)
        (charged,) = [event for event in self.done(turn) if isinstance(event, ParkingCharged)]
        return reason.name, charged

    def turn(self) -> Turn:
        """A command's turn, for what gates' commands call."""
        self.now_us += 1
        return Turn(self.state, self.state.seq + 1, self.now_us)

    def done(self, turn: Turn) -> list[object]:
        """The end of that turn, as `apply` does it."""
        turn.finish()
        self.state.seq, self.state.last_us = turn.seq, turn.now_us
        self.state.dirty["clock"]["clock"] = None
        self.check()
        return list(turn.events)

    def check(self) -> None:
        """Every invariant holds."""
        assert check_invariants(self.state) == []

    def ticket(self, plate: str = "", code: str = "") -> Ticket:
        """A walk-in gets a ticket."""
        applied = self.do(IssueTicket("P1", plate, code), source=Source.GATE)
        (issued,) = of_kind(applied, TicketSet)
        return issued.ticket

    def number(self, record: Booking | Stay) -> str:
        """The number of a record's space."""
        return "" if record.space < 0 else self.parking.numbers["P1"][record.space]

    def balance(self, outside_id: int) -> int:
        """What an outside account has in USD."""
        return self.state.outside.get((outside_id, "USD"), 0)


def receipt(applied: Applied) -> ParkingCharged:
    """The one receipt of a command."""
    (charged,) = of_kind(applied, ParkingCharged)
    return charged


OPENING = (DecisionReason.BOOKING, DecisionReason.PASS, DecisionReason.TICKET, DecisionReason.WALLET)
