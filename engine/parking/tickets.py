"""Walk-ins: a ticket lets in by plate or printed code, is paid at a machine or from a wallet, and leaves some minutes to go.

Whoever stays longer than those pays from the payment on. Operators end stays that nobody can pay for. Source: docs/parking.md,
"Stays and money".
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import Source, TimerKind
from engine.parking.booking_commands import EndStay, IssueTicket, PayDebt, PayTicket
from engine.parking.booking_records import CODE_PREFIX, NO_SPACE, Stay, Ticket
from engine.parking.codes import is_code
from engine.parking.entry import place_of_walk_in, wish_of_ticket
from engine.parking.keeping import put_stay, put_ticket
from engine.parking.kinds import ChargeKind, LotStatus, TicketStatus
from engine.parking.money import charge, debt_of, funds_refusal, repay
from engine.parking.pricing import price_of_stay, terms_now
from engine.parking.stays import go_out
from engine.parking.vehicles import REASON_MAX, VEHICLE_HEIGHT_MAX_CM, is_blocked, is_plate
from engine.refusals import Refusal
from engine.risk import account_refusal
from engine.state import Timer
from engine.timers import add_timer
from engine.turn import Turn
from engine.units import MINUTE_US

UNUSED_US: Final = 10 * MINUTE_US
"""A ticket that nobody came in with is closed after so long."""

MACHINES: Final = (Source.OPERATOR, Source.GATE)
"""Who takes cash."""


def issue_ticket(turn: Turn, envelope: Envelope, command: IssueTicket) -> Refused | None:
    """Give a walk-in a ticket, if there is a space. The code is the machine's; nobody else has it."""
    parking = turn.state.parking
    lot = parking.lots.get(command.lot)
    if lot is None:
        return Refused(Refusal.PARKING_LOT_NOT_FOUND)
    if lot.status is LotStatus.CLOSED:
        return Refused(Refusal.PARKING_LOT_CLOSED)
    who = command.plate or CODE_PREFIX + command.code
    vehicle = parking.vehicles.get(parking.vehicle_of_plate.get(who, 0))
    is_own = vehicle is not None and vehicle.account_id == envelope.account_id
    if envelope.source not in MACHINES and vehicle is not None and not is_own:
        return Refused(Refusal.PLATE_TAKEN)
    if (
        not (is_plate(command.plate) if command.plate else is_code(command.code))
        or bool(command.plate) is bool(command.code)
        or not 0 <= command.height_cm <= VEHICLE_HEIGHT_MAX_CM
        or is_blocked(parking, plate=command.plate)
    ):
        return Refused(Refusal.INVALID_TICKET)
    if who in parking.ticket_of_who or who in parking.stay_of_who:
        return Refused(Refusal.TICKET_EXISTS)
    now = turn.now_us // MINUTE_US
    terms = terms_now(parking, lot, now, now + 1, 0, turn.now_us)
    if isinstance(terms, Refused):
        return terms
    owed_e4 = sum([debt_e4_of(turn, each) for each in parking.debts_of_plate.get(who, {})])
    kind, height_cm = command.kind, command.height_cm
    if vehicle is not None:  # a ticket is no way around what its account owes, nor around its size
        owed_e4 += debt_of(parking, vehicle.account_id)
        kind, height_cm = vehicle.kind, max(height_cm, vehicle.height_cm)
    if (
        owed_e4 > lot.rules.debt_max_e4
    ):  # told at the machine, and to who has registered the plate; to nobody else
        is_told = is_own or envelope.source in MACHINES
        return Refused(Refusal.PARKING_DEBT if is_told else Refusal.INVALID_TICKET)
    ticket = Ticket(
        *(turn.new_id(), lot.lot, who, kind, height_cm),
        *(TicketStatus.ISSUED, turn.now_us),
    )
    if place_of_walk_in(parking, lot, wish_of_ticket(ticket), turn.now_us).space == NO_SPACE:
        return Refused(Refusal.PARKING_FULL)
    put_ticket(turn, ticket)
    add_timer(turn, turn.now_us + UNUSED_US, TimerKind.TICKET_OVER, str(ticket.ticket_id))
    return None


def debt_e4_of(turn: Turn, debt_id: int) -> int:
    """What is owed by an id that a plate leads to."""
    return turn.state.parking.debts[debt_id].amount_e4


def pay_ticket(turn: Turn, envelope: Envelope, command: PayTicket) -> Refused | None:
    """Pay what a ticket's stay costs until now: from the envelope's account, or in cash at a machine."""
    state = turn.state
    parking = state.parking
    ticket = parking.tickets.get(command.ticket_id)
    stay = None if ticket is None else parking.stays.get(ticket.stay_id)
    if ticket is None or stay is None:
        return Refused(Refusal.TICKET_NOT_FOUND)
    if turn.now_us <= ticket.leave_until_us:
        return Refused(Refusal.TICKET_PAID, (("leave_until_us", ticket.leave_until_us),))
    account = None
    lot = parking.lots[ticket.lot]
    price = price_of_stay(parking, stay, turn.now_us, lost_ticket=command.lost)
    if command.lost and envelope.source not in MACHINES:  # nobody has looked for the ticket: it saves nothing
        price = max(price, price_of_stay(parking, stay, turn.now_us), key=lambda each: each.total_e4)
    if not command.cash:
        account = state.accounts.get(envelope.account_id)
        refused = account_refusal(account)
        if refused is not None or account is None:
            return refused
        if account.currency != lot.currency:
            return Refused(Refusal.CURRENCY_MISMATCH)
        refused = funds_refusal(state, account, price.total_e4)
        if refused is not None:
            return refused
    elif envelope.source not in MACHINES:
        return Refused(Refusal.INVALID_TICKET)
    charge(
        *(turn, ChargeKind.LOST_TICKET if command.lost else ChargeKind.TICKET, lot.lot, price, account),
        stay_id=stay.stay_id,
        right_id=ticket.ticket_id,
        who=ticket.who,
        cash=command.cash,
    )
    leave_until_us = turn.now_us + lot.rules.exit_minutes * MINUTE_US
    put_ticket(
        turn,
        replace(
            ticket,
            status=TicketStatus.PAID,
            paid_e4=ticket.paid_e4 + price.total_e4,
            leave_until_us=leave_until_us,
        ),
    )
    charged_e4 = stay.charged_e4 + price.total_e4
    put_stay(turn, replace(stay, paid_us=turn.now_us, charged_e4=charged_e4))
    return None


def fire_ticket_over(turn: Turn, timer: Timer) -> None:
    """Nobody came in with a ticket."""
    put_ticket(turn, replace(turn.state.parking.tickets[int(timer.target)], status=TicketStatus.CLOSED))


def end_stay(turn: Turn, envelope: Envelope, command: EndStay) -> Refused | None:
    """An operator lets somebody out, charged as ever or for nothing."""
    stay: Stay | None = turn.state.parking.stays.get(command.stay_id)
    if stay is None:
        return Refused(Refusal.STAY_NOT_FOUND)
    if len(command.reason) > REASON_MAX:
        return Refused(Refusal.INVALID_TICKET)
    left_us = command.left_us or turn.now_us
    if not stay.begin_us <= left_us <= turn.now_us:
        return Refused(Refusal.INVALID_INTERVAL, (("begin_us", stay.begin_us),))
    go_out(turn, stay.lot, stay.who, left_us, waive=command.waive)
    return None


def pay_debt(turn: Turn, envelope: Envelope, command: PayDebt) -> Refused | None:
    """Pay a debt from the envelope's account: its own, or that of a plate."""
    state = turn.state
    debt = state.parking.debts.get(command.debt_id)
    if debt is None or debt.account_id not in (0, envelope.account_id):
        return Refused(Refusal.DEBT_NOT_FOUND)
    account = state.accounts.get(envelope.account_id)
    refused = account_refusal(account)
    if refused is not None or account is None:
        return refused
    if account.currency != debt.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    refused = funds_refusal(state, account, debt.amount_e4)
    if refused is not None:
        return refused
    repay(turn, account, debt, debt.amount_e4)
    return None
