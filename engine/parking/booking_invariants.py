"""What must hold of claims, bookings, stays, timers and debts after every command. Slow; part of `check_invariants`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from engine.kinds import TimerKind
from engine.parking.booking_records import NO_SPACE, Booking, Pass, Stay
from engine.parking.claims import claim_of
from engine.parking.kinds import (
    BookingStatus,
    EntryRight,
    PassStatus,
    StayStatus,
    TicketStatus,
    WaitingStatus,
)
from engine.parking.occupancy import Claim, Occupancy
from engine.state import PARKING_DEBT_ACCOUNT_ID, State

TIMER_OF: Final = {
    BookingStatus.HELD_OFFER: TimerKind.OFFER_OVER,
    BookingStatus.CONFIRMED: TimerKind.BOOKING_NO_SHOW,
}
"""Status of a booking → the timer that ends it."""

PARKING_TIMER_KINDS = (
    TimerKind.BOOKING_NO_SHOW,
    TimerKind.STAY_OVER,
    TimerKind.OFFER_OVER,
    TimerKind.WAITING_OVER,
    TimerKind.PASS_OVER,
    TimerKind.TICKET_OVER,
)


def broken_rights(state: State) -> Iterator[str]:
    """Every broken invariant of what somebody has in a lot, in words."""
    yield from broken_claims(state)
    yield from broken_bookings(state)
    yield from broken_stays(state)
    yield from broken_timers(state)
    yield from broken_debts(state)


def broken_claims(state: State) -> Iterator[str]:
    """No two have one space at one time, and the bitmaps are those that bookings, stays and passes make, made anew."""
    parking = state.parking
    fresh = {lot: Occupancy() for lot in parking.lots}
    taken: dict[tuple[str, int], list[Claim]] = {}
    owners: tuple[tuple[int, Booking | Stay | Pass], ...] = (
        *parking.bookings.items(),
        *parking.stays.items(),
        *parking.passes.items(),
    )
    for owner, record in owners:
        claim = claim_of(record)
        if claim is not None:
            fresh[claim[0]].add(*claim[1:], owner)
            taken.setdefault(claim[:2], []).append((claim[2], claim[3], owner))
    for (lot, index), claims in taken.items():
        claims.sort()
        for before, after in pairwise(claims):
            if after[0] < before[1]:
                yield f"{before[2]} and {after[2]} both have space {index} of {lot}"
    inside: dict[str, int] = {}
    for stay in parking.stays.values():
        inside[stay.lot] = inside.get(stay.lot, 0) + 1
        if stay.space != NO_SPACE:
            if fresh[stay.lot].inside >> stay.space & 1:
                yield f"two stand on space {stay.space} of {stay.lot}"
            fresh[stay.lot].inside |= 1 << stay.space
    if {lot: count for lot, count in parking.inside.items() if count} != inside:
        yield f"{parking.inside} are inside, not {inside}"
    for lot, occupancy in parking.occupancy.items():
        if occupancy != fresh.get(lot):
            yield f"the bitmaps of {lot} are not those of its bookings, stays and passes"


def broken_bookings(state: State) -> Iterator[str]:
    """Records that are over are gone, and what hangs together knows each other."""
    parking = state.parking
    for booking_id, booking in parking.bookings.items():
        has_stay = booking.status is BookingStatus.ARRIVED
        stay = parking.stays.get(booking.stay_id)
        if has_stay is not (stay is not None and stay.right_id == booking_id):
            yield f"booking {booking_id} is {booking.status.name} with stay {booking.stay_id}"
        is_offer = booking.status is BookingStatus.HELD_OFFER
        entry = parking.waiting.get(booking.waiting_id)
        if is_offer is not (entry is not None and entry.booking_id == booking_id):
            yield f"booking {booking_id} is {booking.status.name} with waiting entry {booking.waiting_id}"
        if booking.hold_e4 < booking.price_e4 or (is_offer and booking.hold_e4):
            yield f"booking {booking_id} costs {booking.price_e4} and holds {booking.hold_e4}"
        if booking.status > BookingStatus.ARRIVED:
            yield f"booking {booking_id} is {booking.status.name} and still kept"
    for waiting_id, waits in parking.waiting.items():
        if (waits.status is WaitingStatus.OFFERED) is not (waits.booking_id in parking.bookings):
            yield f"waiting entry {waiting_id} is {waits.status.name} with offer {waits.booking_id}"


def broken_stays(state: State) -> Iterator[str]:
    """Who is inside is inside once, with the right that let in; tickets and passes that are over are gone."""
    parking = state.parking
    if parking.stay_of_who != {stay.who: stay_id for stay_id, stay in parking.stays.items()}:
        yield "plates and codes do not lead to their stays"
    for stay_id, stay in parking.stays.items():
        if stay.status is not StayStatus.INSIDE:
            yield f"stay {stay_id} of {stay.who} is over and still kept"
        if stay.right is EntryRight.BOOKING and stay.right_id not in parking.bookings:
            yield f"stay {stay_id} has a booking that is over"
        if stay.right is EntryRight.TICKET and stay.right_id not in parking.tickets:
            yield f"stay {stay_id} has a ticket that is closed"
    for ticket_id, ticket in parking.tickets.items():
        if (ticket.status is TicketStatus.ISSUED) is (ticket.stay_id in parking.stays):
            yield f"ticket {ticket_id} is {ticket.status.name} with stay {ticket.stay_id}"
    for pass_id, each in parking.passes.items():
        if each.status is not PassStatus.ACTIVE:
            yield f"pass {pass_id} is {each.status.name} and still kept"


def broken_timers(state: State) -> Iterator[str]:
    """Each record has the timer that ends it, and there are no others."""
    parking = state.parking
    wanted = [
        *((TIMER_OF[each.status], key) for key, each in parking.bookings.items() if each.status in TIMER_OF),
        *((TimerKind.STAY_OVER, key) for key, stay in parking.stays.items() if stay.until_us),
        *((TimerKind.PASS_OVER, key) for key in parking.passes),
        *((TimerKind.WAITING_OVER, key) for key in parking.waiting),
        *((TimerKind.TICKET_OVER, key) for key, ticket in parking.tickets.items() if not ticket.stay_id),
    ]
    armed = [(kind, int(target)) for kind, target in state.timer_ids if kind in PARKING_TIMER_KINDS]
    if sorted(armed) != sorted(wanted):
        yield f"parking's timers are {sorted(armed)}, not {sorted(wanted)}"


def broken_debts(state: State) -> Iterator[str]:
    """What is owed is what the ledger has as receivable."""
    parking = state.parking
    owed: dict[str, int] = {}
    for debt_id, debt in parking.debts.items():
        owed[debt.currency] = owed.get(debt.currency, 0) + debt.amount_e4
        if debt.amount_e4 <= 0 or debt.debt_id != debt_id or debt.account_id not in (0, debt_id):
            yield f"debt {debt_id} is {debt.amount_e4} of account {debt.account_id}"
    for (account_id, currency), balance_e4 in state.outside.items():
        if account_id == PARKING_DEBT_ACCOUNT_ID and -balance_e4 != owed.pop(currency, 0):
            yield f"debts in {currency} are not what the ledger has: {-balance_e4}"
    if any(owed.values()):
        yield f"debts {owed} are not in the ledger"
