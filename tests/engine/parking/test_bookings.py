"""Bookings from the quote to the end: what is held, captured and given back, and who gets the last space."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.apply import apply
from engine.commands import Envelope, SetAccountStatus
from engine.kinds import AccountStatus, Source
from engine.parking.booking_commands import BookSpace, CancelBooking, ExtendBooking
from engine.parking.booking_events import BookingSet, FindingReported, ParkingCharged
from engine.parking.bookings import Offer, quote
from engine.parking.commands import RegisterVehicle, SetSpace
from engine.parking.kinds import (
    BookingStatus,
    ChargeKind,
    FindingKind,
    LotStatus,
    SpaceState,
    SpaceType,
    VehicleKind,
)
from engine.parking.tariff_commands import SetTariff
from engine.state import (
    PARKING_DEBT_ACCOUNT_ID,
    PARKING_REVENUE_ACCOUNT_ID,
    PARKING_TAX_ACCOUNT_ID,
)
from engine.units import MINUTE_US
from tests.engine.parking.booking_world import TARIFF, BookingWorld, clock, receipt
from tests.engine.parking.parking_world import LOT, SPACES
from tests.engine.world import e4, of_kind, refusal

ONE = SPACES[:1]


def statuses(events: list[object]) -> list[str]:
    return [event.booking.status.name for event in events if isinstance(event, BookingSet)]


def test_a_quote_is_what_the_booking_then_costs() -> None:
    world = BookingWorld()
    asked = world.asked("ann", "9:00", "11:00")
    offer = quote(world.state, Envelope(Source.HTTP, 0, world.ids["ann"]), asked, world.now_us)
    assert isinstance(offer, Offer)
    assert (offer.price.total_e4, offer.price.tax_e4, offer.spaces) == (e4("2"), 3_300, 3)
    assert offer.obstacle is None
    world.open("eve", cash="1")
    world.vehicle("eve", "EVE1")
    short = quote(world.state, envelope_of(world, "eve"), world.asked("eve", "9:00", "11:00"), world.now_us)
    assert isinstance(short, Offer)
    assert short.obstacle is not None
    assert (short.price, short.obstacle.refusal.name) == (offer.price, "INSUFFICIENT_FUNDS")
    booking = world.booked("ann", "9:00", "11:00")
    assert (booking.price_e4, booking.tax_e4, booking.hold_e4) == (e4("2"), 3_300, e4("2"))
    assert world.cash("ann") == ("100", "2")
    assert (booking.terms.tariff, booking.terms.version, world.number(booking)) == ("STD", 1, "G-1")


def test_the_table_of_refusals() -> None:
    world = BookingWorld(spaces=ONE)
    good = world.asked("ann", "9:00", "10:00")
    world.open("eve", cash="0")
    world.vehicle("eve", "EVE1")
    world.open("hans", cash="10", currency="EUR")
    world.vehicle("hans", "HANS1")
    table: list[tuple[BookSpace, str, str]] = [
        (replace(good, lot="P9"), "ann", "PARKING_LOT_NOT_FOUND"),
        (replace(good, vehicle_id=1), "ann", "VEHICLE_NOT_FOUND"),
        (good, "bob", "VEHICLE_NOT_FOUND"),
        (good, "", "ACCOUNT_NOT_FOUND"),
        (world.asked("hans", "9:00", "10:00"), "hans", "CURRENCY_MISMATCH"),
        (world.asked("ann", "7:59", "10:00"), "ann", "INVALID_INTERVAL"),
        (world.asked("ann", "9:00", "9:00"), "ann", "INVALID_INTERVAL"),
        (world.asked("ann", "9:00", "+31 9:01"), "ann", "INVALID_INTERVAL"),
        (world.asked("ann", "+401 9:00", "+401 9:01"), "ann", "INVALID_INTERVAL"),
        (replace(good, begin_us=good.begin_us + 1), "ann", "INVALID_INTERVAL"),
        (replace(good, required=8), "ann", "INVALID_INTERVAL"),
        (world.asked("ann", "9:00", "10:00", SpaceType.EV), "ann", "VEHICLE_DOES_NOT_FIT"),
        (replace(good, version=2), "ann", "QUOTE_EXPIRED"),
        (replace(good, price_max_e4=e4("0.99")), "ann", "PRICE_CHANGED"),
        (world.asked("eve", "9:00", "10:00"), "eve", "INSUFFICIENT_FUNDS"),
        (replace(good, price_max_e4=e4("1")), "ann", "accepted"),
        (world.asked("ann", "9:30", "10:30"), "ann", "BOOKING_OVERLAPS"),
        (world.asked("bob", "9:30", "10:30"), "bob", "PARKING_FULL"),
        (world.asked("bob", "10:00", "10:30"), "bob", "accepted"),
    ]
    for command, who, expected in table:
        assert refusal(world.do(command, who)) == expected, command
    assert world.cash("ann") == ("100", "1")
    world.operator(replace(LOT, status=LotStatus.CLOSED, time_zone="UTC", tariff="STD"))
    assert refusal(world.do(world.asked("bob", "11:00", "12:00"), "bob")) == "PARKING_LOT_CLOSED"
    world.operator(replace(LOT, lot="P2", tariff="STD", time_zone="Nowhere"))
    elsewhere = replace(world.asked("bob", "11:00", "12:00"), lot="P2")
    assert refusal(world.do(elsewhere, "bob")) == "ZONE_NOT_FOUND"
    world.operator(replace(LOT, tariff="OTHER", time_zone="UTC"))
    assert refusal(world.do(world.asked("bob", "11:00", "12:00"), "bob")) == "TARIFF_NOT_FOUND"
    world.operator(SetAccountStatus(world.ids["bob"], AccountStatus.DISABLED, ""))
    assert refusal(world.do(world.asked("bob", "11:00", "12:00"), "bob")) == "ACCOUNT_DISABLED"


def test_a_vehicle_has_so_many_bookings_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.parking.bookings.BOOKINGS_MAX", 2)
    world = BookingWorld()
    world.booked("ann", "9:00", "10:00")
    world.booked("ann", "10:00", "11:00")
    assert refusal(world.do(world.asked("ann", "11:00", "12:00"), "ann")) == "TOO_MANY_BOOKINGS"


def test_a_repeated_key_books_once() -> None:
    world = BookingWorld()
    asked = world.asked("ann", "9:00", "10:00")
    first = world.do(asked, "ann", key="k", digest=b"d", principal=5)
    again = world.do(asked, "ann", key="k", digest=b"d", principal=5)
    assert (again.duplicate, again.answer) == (True, first.answer)
    assert len(world.parking.bookings) == 1


def test_a_booking_keeps_the_tariff_it_was_quoted_at() -> None:
    world = BookingWorld()
    world.operator(SetTariff(replace(TARIFF, rates=((SpaceType.STANDARD, 10_000),))))
    assert world.booked("ann", "9:00", "10:00", version=1).price_e4 == e4("1")
    assert world.booked("bob", "9:00", "10:00").price_e4 == e4("2")
    world.to("8:11")
    assert refusal(world.do(world.asked("ann", "11:00", "12:00", version=1), "ann")) == "QUOTE_EXPIRED"


def test_who_comes_and_leaves_in_time_pays_what_was_held() -> None:
    world = BookingWorld()
    world.booked("ann", "9:00", "11:00")
    assert world.right("ANN1") == ("WALLET", "G-2")  # too early for the booking, whose space is kept
    world.to("8:45")
    assert world.right("ANN1") == ("BOOKING", "G-1")
    stay = world.enter("ANN1")
    assert world.number(stay) == "G-1"
    world.to("10:15")
    reason, charged = world.leave("ANN1")
    assert (reason, charged.total_e4, charged.paid_e4, charged.owed_e4) == ("EXIT_PAID", e4("2"), e4("2"), 0)
    assert world.cash("ann") == ("98", "0")
    assert world.balance(PARKING_REVENUE_ACCOUNT_ID) == e4("2") - 3_300
    assert world.balance(PARKING_TAX_ACCOUNT_ID) == 3_300
    assert world.parking.bookings == {}
    assert world.parking.stays == {}
    assert sum([line.amount_e4 for line in charged.lines]) == charged.total_e4


def test_who_came_on_the_wallet_before_the_booking_has_arrived_when_it_begins() -> None:
    """The time until the booking is charged as a walk-in's, the booking once; nobody is a no-show who is inside."""
    world = BookingWorld()
    world.booked("ann", "9:00", "13:00")
    world.booked("bob", "9:00", "10:00")
    for plate in ("ANN1", "BOB1"):
        assert world.right(plate)[0] == "WALLET"
        assert world.enter(plate).right.name == "WALLET"
    world.to("9:40")
    reason, charged = world.leave("BOB1")  # before anybody asked whether he came
    assert (reason, charged.total_e4) == ("EXIT_CHARGED", e4("2"))
    assert statuses(world.to("11:30")) == ["ARRIVED"]
    assert world.leave("ANN1")[1].total_e4 == e4("5")
    assert (world.cash("ann"), world.cash("bob")) == (("95", "0"), ("98", "0"))
    assert world.parking.bookings == {}


def test_who_is_inside_gets_out_whatever_became_of_the_lots_zone() -> None:
    world = BookingWorld()
    world.enter("ANN1")
    world.operator(replace(LOT, time_zone="Nowhere", tariff=""))
    world.to("9:00")
    assert world.leave("ANN1")[1].total_e4 == e4("1")


def test_overstay_is_charged_after_the_grace_and_what_is_missing_is_a_debt() -> None:
    world = BookingWorld()
    world.booked("ann", "9:00", "10:00")
    world.booked("bob", "9:00", "10:00")
    world.to("9:00")
    world.enter("ANN1")
    world.enter("BOB1")
    world.to("10:09")
    assert world.leave("BOB1")[1].total_e4 == e4("1")
    world.to("10:40")
    reason, charged = world.leave("ANN1")
    assert (reason, charged.total_e4) == ("EXIT_CHARGED", e4("2"))
    assert world.cash("ann") == ("98", "0")
    assert world.balance(PARKING_DEBT_ACCOUNT_ID) == 0


def test_a_booking_is_extended_for_the_difference() -> None:
    world = BookingWorld(spaces=ONE)
    booking = world.booked("ann", "9:00", "10:00")
    world.booked("bob", "12:00", "13:00")
    extend = ExtendBooking(booking.booking_id, clock("11:00"))
    assert refusal(world.do(extend, "bob")) == "BOOKING_NOT_FOUND"
    assert refusal(world.do(replace(extend, end_us=clock("10:00")), "ann")) == "INVALID_INTERVAL"
    assert refusal(world.do(replace(extend, end_us=clock("12:30")), "ann")) == "PARKING_FULL"
    assert refusal(world.do(extend, "ann")) == "accepted"
    assert world.cash("ann") == ("100", "2")
    world.to("9:00")
    world.enter("ANN1")
    assert refusal(world.do(replace(extend, end_us=clock("12:30")), "ann")) == "PARKING_FULL"
    assert refusal(world.do(replace(extend, end_us=clock("12:00")), "ann")) == "accepted"
    assert world.cash("ann") == ("100", "3")
    world.to("11:50")
    assert world.leave("ANN1")[1].total_e4 == e4("3")


def test_what_is_overstayed_does_not_become_booked_time() -> None:
    world = BookingWorld()
    booking = world.booked("ann", "8:10", "9:00")
    world.to("8:10")
    world.enter("ANN1")
    world.to("9:10")
    longer = ExtendBooking(booking.booking_id, clock("9:30"))
    assert refusal(world.do(longer, "ann")) == "BOOKING_NOT_OPEN"
    world.operator(SetTariff(replace(TARIFF, overstay_fee_e4=e4("9"))))
    other = world.booked("bob", "9:15", "9:45")
    world.to("9:15")
    world.enter("BOB1")
    world.to("9:54")
    assert refusal(world.do(ExtendBooking(other.booking_id, clock("11:00")), "bob")) == "accepted"
    world.to("10:30")
    assert world.leave("BOB1")[1].total_e4 == e4("2")


def test_the_zone_of_a_lot_stays_while_bookings_are_open() -> None:
    world = BookingWorld()
    booking = world.booked("ann", "9:00", "10:00")
    moved = replace(LOT, time_zone="Europe/Berlin", tariff="STD")
    assert refusal(world.operator(moved)) == "INVALID_ESTATE"
    world.do(CancelBooking(booking.booking_id), "ann")
    assert refusal(world.operator(moved)) == "accepted"


def test_before_arrival_a_longer_booking_may_be_on_another_space() -> None:
    world = BookingWorld(spaces=SPACES[:2])
    booking = world.booked("ann", "9:00", "10:00")
    world.do(RegisterVehicle("BOB2", VehicleKind.STANDARD), "bob")
    other = replace(world.asked("bob", "10:00", "11:00"), vehicle_id=world.vehicles["BOB1"])
    assert refusal(world.do(other, "bob")) == "accepted"
    extended = of_kind(world.do(ExtendBooking(booking.booking_id, clock("10:30")), "ann"), BookingSet)
    assert [world.number(each.booking) for each in extended] == ["G-2"]


@pytest.mark.parametrize(
    ("at", "kept"), [("8:00", "0"), ("+1 9:00", "0"), ("+1 9:01", "1"), ("+2 7:00", "1"), ("+2 7:01", "2")]
)
def test_cancelling_gives_back_what_the_lots_table_says(at: str, kept: str) -> None:
    """24 h and 2 h before the begin at 9:00 of the day after next; what is kept is charged, tax and all."""
    world = BookingWorld()
    booking = world.booked("ann", "+2 9:00", "+2 11:00")
    world.advance(clock(at) - 1 if at != "8:00" else world.now_us)
    applied = world.do(CancelBooking(booking.booking_id, whole=True), "ann")
    charged = receipt(applied)
    assert (charged.kind, charged.total_e4) == (ChargeKind.CANCELLATION, e4(kept))
    assert world.cash("ann") == (str(100 - int(kept)), "0")
    assert refusal(world.do(CancelBooking(booking.booking_id), "ann")) == "BOOKING_NOT_FOUND"


def test_an_operator_may_give_back_everything() -> None:
    world = BookingWorld()
    booking = world.booked("ann", "9:00", "11:00")
    assert refusal(world.do(CancelBooking(booking.booking_id), "bob")) == "BOOKING_NOT_FOUND"
    assert receipt(world.operator(CancelBooking(booking.booking_id, whole=True))).total_e4 == 0
    assert world.cash("ann") == ("100", "0")


def test_who_is_inside_cannot_cancel() -> None:
    world = BookingWorld()
    booking = world.booked("ann", "8:00", "9:00")
    world.enter("ANN1")
    assert refusal(world.do(CancelBooking(booking.booking_id), "ann")) == "BOOKING_NOT_OPEN"


def test_who_does_not_come_pays_everything_and_the_space_is_free() -> None:
    world = BookingWorld(spaces=ONE)
    world.booked("ann", "9:00", "13:00")
    events = world.to("10:59")
    assert statuses(events) == []
    events = world.to("11:00")
    assert statuses(events) == ["NO_SHOW"]
    (charged,) = [event for event in events if isinstance(event, ParkingCharged)]
    assert (charged.kind, charged.total_e4) == (ChargeKind.NO_SHOW, e4("4"))
    assert world.cash("ann") == ("96", "0")
    assert refusal(world.do(world.asked("bob", "11:05", "12:00"), "bob")) == "accepted"


def test_a_booking_whose_space_is_still_occupied_gets_another() -> None:
    world = BookingWorld(spaces=SPACES[:2])
    world.booked("ann", "8:00", "9:00")
    world.enter("ANN1")
    bobs = world.booked("bob", "9:00", "10:00")
    assert world.number(bobs) == "G-1"
    world.to("8:59")
    assert world.right("BOB1") == ("BOOKING", "G-2")
    events = world.to("9:00")  # ann keeps her space while somebody else can be moved
    assert [world.number(event.booking) for event in events if isinstance(event, BookingSet)] == ["G-2"]
    assert world.number(world.enter("BOB1")) == "G-2"


def test_two_with_a_right_to_one_space_are_reported() -> None:
    world = BookingWorld(spaces=ONE)
    world.booked("ann", "8:00", "9:00")
    world.enter("ANN1")
    bobs = world.booked("bob", "9:00", "10:00")
    found = [event for event in world.to("9:00") if isinstance(event, FindingReported)]
    assert [(each.kind, each.booking_id) for each in found] == [
        (FindingKind.SPACE_CONTESTED, bobs.booking_id)
    ]
    assert world.right("BOB1") == ("LOT_FULL", "")
    world.to("9:05")
    world.leave("ANN1")
    assert world.right("BOB1") == ("BOOKING", "G-1")


def test_nobody_is_sent_to_a_space_on_which_somebody_stands() -> None:
    """Two stay too long, and one of the bookings that need their spaces is cancelled: its space is free in the books alone."""
    world = BookingWorld(spaces=SPACES[:2])
    for who in ("cal", "dan"):
        world.open(who, cash="100")
        world.vehicle(who, f"{who.upper()}1")
    for who in ("ann", "cal"):
        world.booked(who, "8:00", "9:00")
        world.enter(f"{who.upper()}1")
    bobs, dans = world.booked("bob", "9:00", "10:00"), world.booked("dan", "9:00", "10:00")
    assert [world.number(each) for each in (bobs, dans)] == ["G-1", "G-2"]
    world.to("9:01")
    world.operator(CancelBooking(dans.booking_id, whole=True))
    assert world.right("BOB1") == ("LOT_FULL", "")
    events = world.to("9:06")
    assert [event for event in events if isinstance(event, BookingSet)] == []
    found = [event for event in events if isinstance(event, FindingReported)]
    assert [each.booking_id for each in found] == [bobs.booking_id]
    world.leave("CAL1")
    assert world.right("BOB1") == ("BOOKING", "G-2")
    moved = [event.booking for event in world.to("9:11") if isinstance(event, BookingSet)]
    assert [(each.plate, world.number(each)) for each in moved] == [("BOB1", "G-2")]


def test_maintenance_moves_what_is_booked_or_says_that_it_cannot() -> None:
    world = BookingWorld(spaces=SPACES[:2])
    booking = world.booked("ann", "9:00", "10:00")
    broken = replace(SPACES[0], state=SpaceState.MAINTENANCE)
    moved = of_kind(world.operator(broken), BookingSet)
    assert [world.number(each.booking) for each in moved] == ["G-2"]
    stuck = world.operator(replace(SPACES[1], state=SpaceState.MAINTENANCE))
    (found,) = of_kind(stuck, FindingReported)
    assert (found.kind, found.booking_id) == (FindingKind.MAINTENANCE_STUCK, booking.booking_id)
    assert refusal(world.do(world.asked("bob", "9:00", "10:00"), "bob")) == "VEHICLE_DOES_NOT_FIT"
    assert refusal(world.operator(SetSpace("P1", "G-2", "G", SpaceType.LARGE))) == "INVALID_ESTATE"


def test_a_space_in_use_is_not_retired() -> None:
    world = BookingWorld()
    world.booked("ann", "9:00", "10:00")
    assert refusal(world.operator(replace(SPACES[0], state=SpaceState.RETIRED))) == "INVALID_ESTATE"
    assert refusal(world.operator(replace(SPACES[1], state=SpaceState.RETIRED))) == "accepted"


def envelope_of(world: BookingWorld, who: str) -> Envelope:
    return Envelope(Source.HTTP, 0, world.ids[who])


def test_two_users_and_the_last_space() -> None:
    """A thousand rounds: one booking each round, the money of the other untouched."""
    world = BookingWorld(spaces=ONE)
    for number in range(1_000):
        begin_us = clock("9:00") + number * 60 * MINUTE_US
        first, second = ("ann", "bob") if number % 2 else ("bob", "ann")
        before = world.account(second).cash_e4, world.account(second).held_e4
        results = []
        for who in (first, second):
            asked = world.asked(who, "9:00", "10:00")
            asked = replace(asked, begin_us=begin_us, end_us=begin_us + 60 * MINUTE_US)
            results.append(refusal(apply(world.state, envelope_of(world, who), asked, world.now_us)))
        assert results == ["accepted", "PARKING_FULL"]
        assert (world.account(second).cash_e4, world.account(second).held_e4) == before
        (booking_id,) = world.parking.bookings
        cancel = CancelBooking(booking_id, whole=True)
        apply(world.state, Envelope(Source.OPERATOR), cancel, world.now_us)
    world.check()


def test_statuses_are_numbered_as_the_tables_have_them() -> None:
    assert [int(each) for each in BookingStatus] == [1, 2, 3, 4, 5, 6, 7]
