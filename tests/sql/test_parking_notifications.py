"""What happens in a car park is told to its drivers: the engine's own records, each thing once."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from engine.commands import Deposit
from engine.events import AnyEvent
from engine.parking.booking_commands import (
    AcceptOffer,
    BuyPass,
    CancelBooking,
    ExtendBooking,
    JoinWaitingList,
    LeaveWaitingList,
)
from engine.parking.kinds import PassKind
from engine.parking.tariff_commands import SetTariff
from engine.parking.tariff_records import PassProduct
from engine.turn import Turn
from server.notification_text import KINDS, Topic, body_text
from sql.notifications import Notification, NotificationKind, notable_of, notifications_of
from tests.engine.parking.booking_world import STANDARD, TARIFF, BookingWorld, clock
from tests.engine.parking.parking_world import SPACES
from tests.engine.world import e4
from tests.server.market_records import durable

DAY = PassProduct("DAY", "a day", PassKind.SEASON, 1, e4("5"))


class TellingWorld(BookingWorld):
    """A lot with one space, and what its drivers were told."""

    def __init__(self) -> None:
        self.notes: list[Notification] = []
        super().__init__(spaces=SPACES[:1])
        self.operator(SetTariff(replace(TARIFF, passes=(DAY,), overstay_fee_e4=e4("200"))))
        self.notes.clear()

    def look_at(self, events: Iterable[AnyEvent]) -> None:
        record = durable(self.state.seq, *events)
        super().look_at(record.events)
        self.notes += notifications_of(record, notable_of(record), self.state.accounts)

    def done(self, turn: Turn) -> list[object]:
        done = super().done(turn)
        self.look_at(turn.events)
        return done

    def heard(self) -> list[str]:
        """To whom, what and how much, since the last time."""
        names = {account_id: name for name, account_id in self.ids.items()}
        said = [
            f"{names[each.account_id]} {each.kind.name} {each.amount_e4 / 10_000:g}" for each in self.notes
        ]
        self.notes.clear()
        return said


def test_a_booking_is_told_when_it_stands_and_when_it_ends() -> None:
    world = TellingWorld()
    booking = world.booked("ann", "10:00", "11:00")
    (note,) = world.notes
    assert (note.reference_id, note.symbol) == (booking.booking_id, "P1")
    assert body_text(note, "USD") == "A space in lot_P1 is booked for you, for 1.00 USD."
    assert world.heard() == ["ann BOOKING_CONFIRMED 1"]
    world.do(ExtendBooking(booking.booking_id, clock("11:30")), "ann")
    assert world.heard() == []
    world.to("8:30")
    world.do(CancelBooking(booking.booking_id), "ann")
    assert body_text(world.notes[0], "USD").endswith("was cancelled: 1.50 USD of its price were kept.")
    assert world.heard() == ["ann BOOKING_CANCELLED -1.5"]
    free = world.booked("ann", "+3 10:00", "+3 11:00")
    world.do(CancelBooking(free.booking_id), "ann")
    assert body_text(world.notes[1], "USD") == "Your booking in lot_P1 was cancelled. It costs nothing."
    world.notes.clear()
    world.booked("bob", "9:00", "9:30")
    world.to("10:00")
    assert world.heard() == ["bob BOOKING_CONFIRMED 0.5", "bob BOOKING_NOT_USED -0.5"]


def test_who_stays_too_long_is_told_at_the_end_and_what_is_owed_and_repaid() -> None:
    world = TellingWorld()
    booking = world.booked("ann", "8:10", "9:00")
    world.to("8:10")
    world.enter("ANN1")
    world.notes.clear()
    world.do(ExtendBooking(booking.booking_id, clock("9:30")), "ann")
    world.to("9:29")
    assert world.heard() == []
    world.to("9:30")
    assert world.heard() == ["ann BOOKING_OVERSTAYED 0"]
    world.to("10:30")
    world.notes.clear()
    owed_e4 = world.leave("ANN1")[1].owed_e4
    assert owed_e4 > e4("100")
    assert world.heard() == [f"ann PARKING_DEBT {-owed_e4 / 10_000:g}"]
    world.do(Deposit(e4("500"), "CARD"), "ann")
    assert world.heard() == ["ann DEPOSIT_CREDITED 500", f"ann PARKING_DEBT_PAID {-owed_e4 / 10_000:g}"]


def test_an_offer_is_told_to_who_is_first_and_a_pass_when_it_is_over() -> None:
    world = TellingWorld()
    taken = world.booked("ann", "10:00", "11:00")
    world.do(JoinWaitingList("P1", world.vehicles["BOB1"], clock("10:00"), clock("11:00"), STANDARD), "bob")
    assert world.heard() == ["ann BOOKING_CONFIRMED 1"]
    world.do(CancelBooking(taken.booking_id), "ann")
    assert world.heard() == ["ann BOOKING_CANCELLED -1", "bob SPACE_OFFERED 0"]
    (offer,) = world.parking.bookings.values()
    world.do(AcceptOffer(offer.booking_id), "bob")
    assert world.heard() == ["bob BOOKING_CONFIRMED 1"]
    world.do(JoinWaitingList("P1", world.vehicles["ANN1"], clock("12:00"), clock("13:00"), STANDARD), "ann")
    (waiting_id,) = world.parking.waiting
    world.do(LeaveWaitingList(waiting_id), "ann")
    assert world.heard() == ["ann SPACE_OFFERED 0"]
    world.do(BuyPass("P1", world.vehicles["ANN1"], "DAY", clock("9:00")), "ann")
    assert world.heard() == []
    world.to("+1 9:00")
    assert world.heard() == ["bob BOOKING_NOT_USED -1", "ann PASS_ENDED 0"]


def test_every_kind_about_parking_has_a_sentence() -> None:
    for kind, about in KINDS.items():
        if about.topic is Topic.PARKING:
            note = Notification(1, 5, 0, kind, reference_id=7, symbol="P1", amount_e4=-15_000)
            assert body_text(note, "USD").endswith("."), kind
    assert body_text(Notification(1, 5, 0, NotificationKind.PARKING_DEBT_PAID, amount_e4=-15_000), "USD") == (
        "1.50 USD that you owed for parking were paid."
    )
