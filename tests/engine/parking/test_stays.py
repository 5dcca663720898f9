"""Stays, tickets, passes, the waiting list, and what each costs; debts, and how they are repaid."""

from __future__ import annotations

from msgspec.structs import replace

from engine.commands import AnyCommand, Deposit, RequestWithdrawal, SettleWithdrawal
from engine.events import Posted
from engine.kinds import Source, TransactionKind
from engine.parking.booking_commands import (
    AcceptOffer,
    CancelBooking,
    EndStay,
    IssueTicket,
    JoinWaitingList,
    LeaveWaitingList,
    PayDebt,
    PayTicket,
)
from engine.parking.booking_events import (
    BookingSet,
    DebtSet,
    OccupancyChanged,
    TicketSet,
    WaitingSet,
)
from engine.parking.commands import BlockPlate, RemoveVehicle
from engine.parking.kinds import ChargeKind, LotStatus, SpaceType, TicketStatus, WaitingStatus
from engine.parking.records import LotRules
from engine.parking.tariff_commands import SetTariff
from engine.parking.tariff_records import LostTicketRule
from engine.state import (
    PARKING_CASH_ACCOUNT_ID,
    PARKING_DEBT_ACCOUNT_ID,
    PARKING_REVENUE_ACCOUNT_ID,
    PARKING_TAX_ACCOUNT_ID,
)
from tests.engine.parking.booking_world import STANDARD, TARIFF, BookingWorld, clock, receipt
from tests.engine.parking.parking_world import LOT, SPACES
from tests.engine.world import e4, of_kind, refusal

ONE = SPACES[:1]


def test_a_tag_alone_is_charged_to_its_wallet() -> None:
    world = BookingWorld()
    assert world.right("ANN1") == ("WALLET", "G-1")
    stay = world.enter("ANN1")
    assert (stay.from_us, stay.until_us) == (clock("8:00"), clock("12:00"))
    world.to("9:45")
    reason, charged = world.leave("ANN1")
    assert (reason, charged.total_e4, charged.owed_e4) == ("EXIT_CHARGED", e4("2"), 0)
    assert world.cash("ann") == ("98", "0")
    assert world.balance(PARKING_REVENUE_ACCOUNT_ID) + world.balance(PARKING_TAX_ACCOUNT_ID) == e4("2")


def test_a_walk_in_takes_as_much_time_as_there_is() -> None:
    world = BookingWorld(spaces=ONE)
    world.booked("bob", "9:10", "10:00")
    stay = world.enter("ANN1")
    assert stay.until_us == clock("9:10")
    world.leave("ANN1")
    world.to("8:41")
    assert world.right("ANN1") == ("LOT_FULL", "")


def test_who_stays_longer_keeps_the_space_as_long_as_nobody_needs_it() -> None:
    world = BookingWorld(spaces=ONE)
    world.enter("ANN1")
    world.to("12:10")
    (stay,) = world.parking.stays.values()
    assert stay.until_us == clock("12:30")
    assert refusal(world.do(world.asked("bob", "12:20", "13:00"), "bob")) == "PARKING_FULL"
    assert refusal(world.do(world.asked("bob", "12:30", "13:00"), "bob")) == "accepted"


def test_a_closed_lot_lets_out() -> None:
    world = BookingWorld()
    world.enter("ANN1")
    world.operator(replace(LOT, time_zone="UTC", tariff="STD", status=LotStatus.CLOSED))
    assert world.right("BOB1") == ("LOT_CLOSED", "")
    assert refusal(world.do(IssueTicket("P1", "NEW1"), source=Source.GATE)) == "PARKING_LOT_CLOSED"
    world.to("8:20")
    assert world.leave("ANN1")[0] == "EXIT_CHARGED"


def test_what_stands_in_the_way_is_said_most_specifically() -> None:
    world = BookingWorld(spaces=ONE)
    assert world.right("NOBODY") == ("UNKNOWN_TAG", "")
    world.booked("bob", "12:00", "13:00")
    world.booked("ann", "8:00", "12:00")
    assert world.right("BOB1") == ("TOO_EARLY", "")
    world.to("8:10")
    assert world.right("ANN1") == ("BOOKING", "G-1")


def test_a_debt_keeps_out_until_it_is_repaid_by_the_next_deposit() -> None:
    world = BookingWorld(spaces=SPACES[:2])
    world.open("eve", cash="0.5")
    world.vehicle("eve", "EVE1")
    world.enter("EVE1")
    world.to("9:30")
    reason, charged = world.leave("EVE1")
    assert (reason, charged.paid_e4, charged.owed_e4) == ("EXIT_DEBT", e4("0.5"), e4("1"))
    assert world.cash("eve") == ("0", "0")
    assert world.balance(PARKING_DEBT_ACCOUNT_ID) == -e4("1")
    assert world.right("EVE1") == ("DEBT", "")
    assert refusal(world.do(world.asked("eve", "10:00", "11:00"), "eve")) == "PARKING_DEBT"
    assert refusal(world.do(IssueTicket("P1", "EVE1"), "eve")) == "PARKING_DEBT"  # no way around it
    part = world.do(Deposit(e4("0.4"), "CARD"), "eve")
    assert [each.debt.amount_e4 for each in of_kind(part, DebtSet)] == [e4("0.6")]
    whole = world.do(Deposit(e4("5"), "CARD"), "eve")
    assert [each.kind for each in of_kind(whole, Posted)] == [
        TransactionKind.DEPOSIT,
        TransactionKind.PARKING_DEBT_REPAID,
    ]
    assert world.cash("eve") == ("4.4", "0")
    assert world.balance(PARKING_DEBT_ACCOUNT_ID) == 0
    assert world.right("EVE1") == ("WALLET", "G-1")
    assert refusal(world.do(IssueTicket("P1", "EVE1"), "eve")) == "accepted"


def test_a_withdrawal_takes_only_what_a_debt_leaves() -> None:
    world = BookingWorld()
    world.do(RequestWithdrawal(e4("99")), "ann")
    world.enter("ANN1")
    world.to("11:00")
    world.leave("ANN1")
    (debt,) = world.parking.debts.values()
    assert debt.amount_e4 == e4("2")
    world.do(Deposit(e4("1"), "CARD"), "ann")
    assert refusal(world.do(RequestWithdrawal(1), "ann")) == "INSUFFICIENT_FUNDS"
    assert refusal(world.do(PayDebt(debt.debt_id), "bob")) == "DEBT_NOT_FOUND"
    assert refusal(world.do(PayDebt(debt.debt_id), "ann")) == "INSUFFICIENT_FUNDS"
    (withdrawal_id,) = world.state.withdrawals
    world.do(SettleWithdrawal(withdrawal_id, paid=False))
    assert world.cash("ann") == ("99", "0")
    assert debts_of(world) == [e4("1")]
    assert refusal(world.do(RequestWithdrawal(e4("98.0001")), "ann")) == "INSUFFICIENT_FUNDS"
    world.do(Deposit(e4("0.25"), "CARD"), "ann")  # a deposit repays by what it brings
    assert debts_of(world) == [e4("0.75")]
    assert refusal(world.do(RequestWithdrawal(e4("98.25")), "ann")) == "accepted"


def debts_of(world: BookingWorld) -> list[int]:
    return [debt.amount_e4 for debt in world.parking.debts.values()]


def test_a_walk_in_pays_at_the_machine_and_has_some_minutes_to_leave() -> None:
    world = BookingWorld()
    ticket = world.ticket(code="T-1")
    who = "code:T-1"
    assert world.right(who) == ("TICKET", "G-1")
    world.enter(who)
    world.to("9:00")
    pay = PayTicket(ticket.ticket_id, cash=True)
    assert refusal(world.do(pay, "ann")) == "INVALID_TICKET"
    charged = receipt(world.do(pay, source=Source.GATE))
    assert (charged.kind, charged.total_e4, charged.cash) == (ChargeKind.TICKET, e4("1"), True)
    assert world.balance(PARKING_CASH_ACCOUNT_ID) == -e4("1")
    assert refusal(world.do(pay, source=Source.GATE)) == "TICKET_PAID"
    world.to("9:14")
    assert world.leave(who)[0] == "EXIT_PAID"
    assert world.parking.tickets == {}


def test_who_does_not_leave_in_those_minutes_pays_from_the_payment_on() -> None:
    world = BookingWorld()
    ticket = world.ticket(plate="NEW1")
    world.enter("NEW1")
    world.to("9:00")
    assert receipt(world.do(PayTicket(ticket.ticket_id), "bob")).total_e4 == e4("1")
    assert world.cash("bob") == ("99", "0")
    world.to("9:31")
    reason, charged = world.leave("NEW1")
    assert (reason, charged.owed_e4, charged.account_id) == ("EXIT_DEBT", e4("1"), 0)
    (debt,) = world.parking.debts.values()
    assert (debt.plate, debt.amount_e4) == ("NEW1", e4("1"))
    assert refusal(world.do(IssueTicket("P1", "NEW1"), source=Source.GATE)) == "PARKING_DEBT"
    assert refusal(world.do(PayDebt(debt.debt_id), "ann")) == "accepted"
    assert world.cash("ann") == ("99", "0")
    assert refusal(world.do(IssueTicket("P1", "NEW1"), source=Source.GATE)) == "accepted"


def test_a_lost_ticket_costs_what_the_tariff_says() -> None:
    world = BookingWorld()
    world.operator(SetTariff(replace(TARIFF, lost_ticket_e4=e4("20"))))
    ticket = world.ticket(code="T-1")
    world.enter("code:T-1")
    world.to("9:00")
    charged = receipt(world.do(PayTicket(ticket.ticket_id, cash=True, lost=True), source=Source.OPERATOR))
    assert (charged.kind, charged.total_e4) == (ChargeKind.LOST_TICKET, e4("20"))


def test_a_driver_who_says_that_the_ticket_is_lost_saves_nothing_by_it() -> None:
    world = BookingWorld()
    flat = replace(TARIFF, lost_ticket_e4=e4("2"), lost_ticket_rule=LostTicketRule.FLAT)
    world.operator(SetTariff(flat))
    ticket = world.ticket(plate="NEW1")
    world.enter("NEW1")
    world.to("13:00")
    charged = receipt(world.do(PayTicket(ticket.ticket_id, lost=True), "ann"))
    assert (charged.kind, charged.total_e4) == (ChargeKind.LOST_TICKET, e4("5"))
    world.to("13:20")
    again = receipt(world.do(PayTicket(ticket.ticket_id, cash=True, lost=True), source=Source.OPERATOR))
    assert again.total_e4 == e4("2")


def test_a_plate_is_not_anybodys() -> None:
    world = BookingWorld()
    assert refusal(world.do(IssueTicket("P1", "ANN1"), "bob")) == "PLATE_TAKEN"
    assert refusal(world.do(IssueTicket("P1", "ANN1"), "ann")) == "accepted"
    ticket = world.ticket(plate="NEW1")
    stay = world.enter("NEW1")
    world.to("9:00")
    world.leave("NEW1")
    assert world.parking.debts[stay.stay_id].plate == "NEW1"
    assert ticket.ticket_id not in world.parking.tickets
    assert refusal(world.do(IssueTicket("P1", "NEW1"), "bob")) == "INVALID_TICKET"
    assert refusal(world.do(IssueTicket("P1", "NEW1"), source=Source.GATE)) == "PARKING_DEBT"
    world.vehicle("bob", "NEW1")
    assert refusal(world.do(IssueTicket("P1", "NEW1"), "bob")) == "PARKING_DEBT"


def test_the_table_of_tickets() -> None:
    world = BookingWorld(spaces=ONE)
    world.operator(BlockPlate("BAD1", on=True, reason=""))
    world.open("hans", cash="10", currency="EUR")
    table: list[tuple[AnyCommand, str]] = [
        (IssueTicket("P9", "X1"), "PARKING_LOT_NOT_FOUND"),
        (IssueTicket("P1"), "INVALID_TICKET"),
        (IssueTicket("P1", "X1", "T-1"), "INVALID_TICKET"),
        (IssueTicket("P1", "x 1"), "INVALID_TICKET"),
        (IssueTicket("P1", code="x 1"), "INVALID_TICKET"),
        (IssueTicket("P1", "BAD1"), "INVALID_TICKET"),
        (IssueTicket("P1", "X1", height_cm=1_001), "INVALID_TICKET"),
        (IssueTicket("P1", "X1", height_cm=300), "PARKING_FULL"),
        (IssueTicket("P1", "X1"), "accepted"),
        (IssueTicket("P1", "X1"), "TICKET_EXISTS"),
        (PayTicket(1), "TICKET_NOT_FOUND"),
        (EndStay(1, waive=True, reason=""), "STAY_NOT_FOUND"),
    ]
    for command, expected in table:
        assert refusal(world.do(command, source=Source.OPERATOR)) == expected, command
    (ticket_id,) = world.parking.tickets
    assert refusal(world.do(PayTicket(ticket_id), "ann")) == "TICKET_NOT_FOUND"  # nobody is inside with it
    stay = world.enter("X1")
    world.to("10:00")
    assert refusal(world.do(PayTicket(ticket_id), "hans")) == "CURRENCY_MISMATCH"
    assert refusal(world.operator(EndStay(stay.stay_id, waive=True, reason="x" * 201))) == "INVALID_TICKET"
    ended = world.operator(EndStay(stay.stay_id, waive=True, reason="no fault of his"))
    assert receipt(ended).total_e4 == 0
    assert world.parking.stays == {}


def test_a_car_that_left_unseen_pays_to_when_it_left() -> None:
    world = BookingWorld()
    stay = world.enter("ANN1")
    world.to("12:00")
    for left_us in (stay.begin_us - 1, clock("12:01")):
        gone = EndStay(stay.stay_id, waive=False, reason="seen on a camera", left_us=left_us)
        assert refusal(world.operator(gone)) == "INVALID_INTERVAL"
    ended = world.operator(replace(gone, left_us=clock("9:00")))
    assert (receipt(ended).total_e4, world.cash("ann")) == (e4("1"), ("99", "0"))
    assert world.parking.stays == {}


def test_a_ticket_that_nobody_uses_is_closed() -> None:
    world = BookingWorld()
    world.ticket(plate="NEW1")
    (closed,) = [event for event in world.to("8:11") if isinstance(event, TicketSet)]
    assert closed.ticket.status is TicketStatus.CLOSED
    assert world.right("NEW1") == ("UNKNOWN_TAG", "")


def waiting_for(world: BookingWorld, who: str, begin: str = "9:00", end: str = "10:00") -> JoinWaitingList:
    return JoinWaitingList("P1", world.vehicles[f"{who.upper()}1"], clock(begin), clock(end), STANDARD)


def test_a_freed_space_is_offered_to_the_first_and_then_to_the_next() -> None:
    world = BookingWorld(spaces=ONE)
    booking = world.booked("ann", "12:00", "14:00")
    for who in ("bob", "cal"):
        if who == "cal":
            world.open("cal", cash="10")
            world.vehicle("cal", "CAL1")
        assert refusal(world.do(waiting_for(world, who, "12:00", "13:00"), who)) == "accepted"
    cancelled = world.do(CancelBooking(booking.booking_id), "ann")
    offered = [event.booking for event in of_kind(cancelled, BookingSet) if event.booking.waiting_id]
    assert [(each.plate, each.status.name, each.hold_e4) for each in offered] == [("BOB1", "HELD_OFFER", 0)]
    assert refusal(world.do(world.asked("ann", "12:00", "13:00"), "ann")) == "PARKING_FULL"
    assert refusal(world.do(AcceptOffer(offered[0].booking_id), "cal")) == "BOOKING_NOT_FOUND"
    events = world.to("8:11")
    offers = [
        e.booking for e in events if isinstance(e, BookingSet) and e.booking.status.name == "HELD_OFFER"
    ]
    assert [each.plate for each in offers] == ["CAL1"]
    taken = world.do(AcceptOffer(offers[0].booking_id), "cal")
    assert [event.entry.status for event in of_kind(taken, WaitingSet)] == [WaitingStatus.TAKEN]
    assert world.cash("cal") == ("10", "1")
    assert refusal(world.do(AcceptOffer(offers[0].booking_id), "cal")) == "BOOKING_NOT_OPEN"
    assert world.parking.waiting == {}


def test_who_owes_something_takes_no_offer() -> None:
    world = BookingWorld(spaces=ONE)
    taken = world.booked("bob", "11:00", "12:00")
    world.open("eve", cash="1")
    world.vehicle("eve", "EVE1")
    world.enter("EVE1")
    world.do(waiting_for(world, "eve", "11:00", "11:30"), "eve")
    world.to("10:00")
    assert world.leave("EVE1")[1].owed_e4 == e4("1")
    world.do(CancelBooking(taken.booking_id), "bob")
    (offer,) = world.parking.bookings.values()
    assert refusal(world.do(AcceptOffer(offer.booking_id), "eve")) == "PARKING_DEBT"
    world.do(Deposit(e4("3"), "CARD"), "eve")
    assert refusal(world.do(AcceptOffer(offer.booking_id, e4("0.49")), "eve")) == "PRICE_CHANGED"
    assert refusal(world.do(AcceptOffer(offer.booking_id, e4("0.50")), "eve")) == "accepted"
    assert world.cash("eve") == ("2", "0.5")


def test_who_waits_may_leave_and_time_ends_it_too() -> None:
    world = BookingWorld(spaces=ONE)
    world.booked("ann", "8:30", "12:00")
    world.do(waiting_for(world, "bob"), "bob")
    (waiting_id,) = world.parking.waiting
    assert refusal(world.do(LeaveWaitingList(waiting_id), "ann")) == "WAITING_NOT_FOUND"
    assert refusal(world.do(waiting_for(world, "bob"), "bob")) == "WAITING_LIST_FULL"
    assert refusal(world.do(LeaveWaitingList(waiting_id), "bob")) == "accepted"
    world.do(waiting_for(world, "bob"), "bob")
    assert refusal(world.do(RemoveVehicle(world.vehicles["BOB1"]), "bob")) == "VEHICLE_IN_USE"
    world.to("9:00")
    assert world.parking.waiting == {}
    assert refusal(world.do(RemoveVehicle(world.vehicles["BOB1"]), "bob")) == "accepted"


def test_an_offer_that_is_left_goes_to_nobody_when_nobody_waits() -> None:
    world = BookingWorld(spaces=ONE)
    assert (
        refusal(world.do(waiting_for(world, "bob"), "bob")) == "accepted"
    )  # a space is free: offered at once
    (offer,) = world.parking.bookings.values()
    assert offer.status.name == "HELD_OFFER"
    world.do(LeaveWaitingList(offer.waiting_id), "bob")
    assert world.parking.bookings == {}
    assert refusal(world.do(world.asked("ann", "9:00", "10:00"), "ann")) == "accepted"


def test_occupancy_is_told_as_vehicles_come_and_go() -> None:
    world = BookingWorld()
    world.enter("ANN1")
    world.to("9:00")
    assert (world.parking.inside, world.parking.occupancy["P1"].inside) == ({"P1": 1}, 1)
    (stay_id,) = world.parking.stays
    (changed,) = of_kind(world.operator(EndStay(stay_id, waive=False, reason="")), OccupancyChanged)
    assert (changed.inside, changed.capacity, changed.parts) == (0, 8, (("G", SpaceType.STANDARD, 0, 2),))


def test_a_lot_without_a_minimum_of_time_has_rules_of_its_own() -> None:
    world = BookingWorld(spaces=ONE, rules=LotRules(walk_in_minutes=60, walk_in_minimum=60))
    world.booked("bob", "8:59", "10:00")
    assert world.right("ANN1") == ("LOT_FULL", "")
