"""A state machine over the commands of parking: whatever is asked in whatever order, every invariant holds.

After each command: no two have one space, the bitmaps are those that the records make, holds are those of open bookings, what is owed
is in the ledger, each stay and each booking that is over was charged once; and now and then a state rebuilt from its rows alone goes on.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec.structs import replace

from engine.apply import Applied, apply
from engine.commands import AnyCommand, Deposit, Envelope, FireTimer, OpenAccount, RequestWithdrawal
from engine.invariants import check_invariants
from engine.kinds import AccountKind, Source
from engine.parking import booking_commands as b
from engine.parking.booking_events import BookingSet, ParkingCharged, StaySet
from engine.parking.commands import AttachTag, RegisterVehicle, RevokeTag, SetVehicleRights
from engine.parking.gate_commands import OfflinePassage, RenewGateKey, ReportPassage, ScanTag, SyncOffline
from engine.parking.gate_kinds import CredentialKind, Way
from engine.parking.kinds import (
    BookingStatus,
    ChargeKind,
    Feature,
    LotStatus,
    PassKind,
    SpaceState,
    SpaceType,
    StayStatus,
    VehicleKind,
)
from engine.parking.records import LotRules, Parking
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_records import PassProduct
from engine.parking.zones import UTC
from engine.state import State
from engine.state_hash import state_hash
from engine.timers import next_timer
from engine.units import DAY_US, MINUTE_US
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.parking.booking_world import EIGHT_US, TARIFF
from tests.engine.parking.parking_world import FLOORS, GATES, LOT, SPACES

PEOPLE = 4
WHO = st.integers(0, PEOPLE - 1)
QUARTERS = st.integers(0, 16)
LENGTHS = st.sampled_from((1, 2, 4, 8, 100))
PICK = st.integers(0, 40)
SMALL_LOT = SPACES[:3]
SOLD = (
    PassProduct("DAY", "a day", PassKind.SEASON, 1, 9_999),
    PassProduct("OWN", "a day, own space", PassKind.SEASON, 1, 10**5, reserved=True),
)
KINDS = (VehicleKind.STANDARD, VehicleKind.COMPACT, VehicleKind.STANDARD, VehicleKind.MOTORCYCLE)
CHARGED_FOR = {
    BookingStatus.CANCELLED: ChargeKind.CANCELLATION,
    BookingStatus.NO_SHOW: ChargeKind.NO_SHOW,
    BookingStatus.COMPLETED: ChargeKind.STAY,
}


class ParkingMachine(RuleBasedStateMachine):
    """Four people, one with little money, three spaces, two gates; every rule is one command or lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.now_us = EIGHT_US
        self.accounts: list[int] = []
        self.vehicles: list[int] = []
        self.n = Counter[str]()
        self.charges = Counter[tuple[ChargeKind, int]]()
        self.ended: dict[tuple[ChargeKind, int], None] = {}
        self.seen = Counter[str]()
        self.mirror = Mirror(self.state)

    @property
    def parking(self) -> Parking:
        return self.state.parking

    @initialize(closed_minutes=st.sampled_from((30, 240)), debt_max_e4=st.sampled_from((0, 10**5)))
    def open_lot(self, closed_minutes: int, debt_max_e4: int) -> None:
        """A lot with a tariff, people with vehicles and tags."""
        rules = LotRules(walk_in_minutes=closed_minutes, debt_max_e4=debt_max_e4)
        lot = replace(LOT, time_zone="UTC", tariff="STD", rules=rules)
        opening: list[AnyCommand] = [
            SetZone(UTC),
            SetTariff(replace(TARIFF, passes=SOLD)),
            lot,
            *FLOORS,
            *SMALL_LOT,
            *GATES,
        ]
        for command in opening:
            self.do(command, source=Source.CONFIG)
        for who in range(PEOPLE):
            self.do(OpenAccount(who + 1, AccountKind.USER, "USD"))
            self.accounts.append(self.state.account_by_user[who + 1])
            self.do(Deposit(10**6 if who else 10**4, "CARD"), who)
            self.do(RegisterVehicle(f"CAR{who}", KINDS[who], 150), who)
            self.vehicles.append(self.parking.vehicle_of_plate[f"CAR{who}"])
            self.do(AttachTag(self.tag(who), self.vehicles[who]), who)
        for gate in GATES:
            self.do(RenewGateKey(gate.gate_id))

    # -- carrying out

    def do(self, command: AnyCommand, who: int = -1, source: Source = Source.HTTP) -> Applied:
        self.now_us += 1
        account_id = self.accounts[who] if who >= 0 else 0
        envelope = Envelope(source, 7, account_id)
        applied = apply(self.state, envelope, command, self.now_us)
        self.look_at(command, applied)
        return applied

    def look_at(self, command: AnyCommand, applied: Applied) -> None:
        """Count charges and ends, and check everything."""
        name = type(command).__name__
        self.seen[f"{name} {'accepted' if applied.refused is None else applied.refused.refusal.name}"] += 1
        for event in applied.events:
            if isinstance(event, ParkingCharged):
                key = event.right_id if event.kind is not ChargeKind.STAY else event.stay_id
                if event.kind in (ChargeKind.STAY, ChargeKind.CANCELLATION, ChargeKind.NO_SHOW):
                    self.charges[event.kind, key] += 1
            elif isinstance(event, StaySet) and event.stay.status is StayStatus.ENDED:
                self.ended[ChargeKind.STAY, event.stay.stay_id] = None
                self.seen["a stay ends"] += 1
            elif isinstance(event, BookingSet):
                self.seen[f"booking {event.booking.status.name}"] += 1
                kind = CHARGED_FOR.get(event.booking.status)
                if kind is not None and kind is not ChargeKind.STAY:
                    self.ended[kind, event.booking.booking_id] = None
        assert self.charges == dict.fromkeys(self.ended, 1), (command, self.charges)
        assert check_invariants(self.state) == [], command
        self.mirror.cut(self.state)

    # -- what people ask

    def tag(self, who: int) -> str:
        return f"E2801160{who:04X}"

    def interval(self, begin: int, quarters: int) -> tuple[int, int]:
        begin_us = self.now_us - self.now_us % MINUTE_US + begin * 15 * MINUTE_US
        return begin_us, begin_us + quarters * 15 * MINUTE_US

    def pick(self, table: dict[int, Any], index: int) -> int:
        return list(table)[index % len(table)] if table else 1

    @rule(
        who=WHO, begin=QUARTERS, length=LENGTHS, kind=st.sampled_from((SpaceType.STANDARD, SpaceType.COMPACT))
    )
    def book(self, who: int, begin: int, length: int, kind: SpaceType) -> None:
        self.do(b.BookSpace("P1", self.vehicles[who], *self.interval(begin, length), kind), who)

    @rule(index=PICK, more=st.integers(1, 8))
    def extend(self, index: int, more: int) -> None:
        booking_id, who = self.booking(index)
        booking = self.parking.bookings.get(booking_id)
        until_us = self.now_us if booking is None else booking.end_us
        self.do(b.ExtendBooking(booking_id, until_us + more * 15 * MINUTE_US), who)

    @rule(index=PICK, by_operator=st.booleans())
    def cancel(self, index: int, by_operator: bool) -> None:
        booking_id, who = self.booking(index)
        self.do(
            b.CancelBooking(booking_id, by_operator), who, Source.OPERATOR if by_operator else Source.HTTP
        )

    def booking(self, index: int) -> tuple[int, int]:
        """Some booking, mostly with its owner."""
        booking_id = self.pick(self.parking.bookings, index)
        booking = self.parking.bookings.get(booking_id)
        if booking is None or index == 40:
            return booking_id, 0
        return booking_id, self.accounts.index(booking.account_id)

    @rule(who=WHO, begin=QUARTERS, length=LENGTHS)
    def wait(self, who: int, begin: int, length: int) -> None:
        self.do(
            b.JoinWaitingList("P1", self.vehicles[who], *self.interval(begin, length), SpaceType.STANDARD),
            who,
        )

    @rule(index=PICK, who=WHO)
    def wait_no_longer(self, index: int, who: int) -> None:
        self.do(b.LeaveWaitingList(self.pick(self.parking.waiting, index)), who)

    @rule(index=PICK)
    def accept(self, index: int) -> None:
        booking_id, who = self.booking(index)
        self.do(b.AcceptOffer(booking_id), who)

    @rule(who=WHO, days=st.integers(1, 3), reserved=st.booleans(), recurring=st.booleans())
    def sell_pass(self, who: int, days: int, reserved: bool, recurring: bool) -> None:
        begin_us, _ = self.interval(0, 1)
        kind = PassKind.RECURRING if recurring else PassKind.SEASON
        hours = (127, 8 * 60, 18 * 60) if recurring else (127, 0, 24 * 60)
        space = SMALL_LOT[0].number if reserved else ""
        sold = (
            self.vehicles[who],
            "P1",
            kind,
            begin_us,
            begin_us + days * DAY_US,
            10_000,
            100,
            *hours,
            space,
        )
        self.do(b.IssuePass(*sold), source=Source.OPERATOR)

    @rule(who=WHO, own=st.booleans(), early=st.integers(0, 8))
    def buy_pass(self, who: int, own: bool, early: int) -> None:
        begin_us, _ = self.interval(early, 1)
        self.do(b.BuyPass("P1", self.vehicles[who], "OWN" if own else "DAY", begin_us), who)

    @rule(index=PICK, who=st.integers(-1, PEOPLE - 1))
    def cancel_pass(self, index: int, who: int) -> None:
        """By an operator, or by somebody whose it is or not."""
        source = Source.OPERATOR if who < 0 else Source.HTTP
        self.do(b.CancelPass(self.pick(self.parking.passes, index)), who, source=source)

    # -- what happens at gates

    def line(self, gate: str) -> tuple[str, int, bytes]:
        self.n[gate] += 1
        return gate, self.n[gate], b"d"

    @rule(people=st.lists(st.integers(0, PEOPLE + 1), min_size=1, max_size=4), passes=st.integers(0, 9))
    def come_and_go(self, people: list[int], passes: int) -> None:
        """Who is inside leaves, who is not comes: by tag, or a walk-in by plate; one time in ten nobody passes."""
        for who in people:
            plate = f"CAR{who}" if who < PEOPLE else f"WALK{who}"
            gate = "P1-out" if plate in self.parking.stay_of_who else "P1-in"
            if who >= PEOPLE and gate == "P1-in":
                self.do(b.IssueTicket("P1", plate), source=Source.GATE)
            self.scan(who, gate, passes > 0)

    @rule(who=st.integers(0, PEOPLE + 1), gate=st.sampled_from(("P1-in", "P1-out")), passes=st.booleans())
    def scan(self, who: int, gate: str, passes: bool) -> None:
        """A scan at any gate."""
        kind = CredentialKind.TAG if who < PEOPLE else CredentialKind.PLATE
        text = self.tag(who) if who < PEOPLE else f"WALK{who}"
        self.do(ScanTag(*self.line(gate), 1, self.now_us, kind, text), source=Source.GATE)
        self.do(ReportPassage(*self.line(gate), 1, self.now_us, passes), source=Source.GATE)

    @rule(index=PICK, late=st.integers(-20, 40), stays=st.integers(0, 300))
    def arrive_and_leave(self, index: int, late: int, stays: int) -> None:
        """Who has booked comes about in time, known by the plate, and leaves some time later."""
        booking = self.parking.bookings.get(self.booking(index)[0])
        if booking is None or booking.status is not BookingStatus.CONFIRMED:
            return
        self.until(max(self.now_us, booking.begin_us + late * MINUTE_US))
        for gate in ("P1-in", "P1-out"):
            plate = CredentialKind.PLATE
            self.do(ScanTag(*self.line(gate), 1, self.now_us, plate, booking.plate), source=Source.GATE)
            self.do(ReportPassage(*self.line(gate), 1, self.now_us, passed=True), source=Source.GATE)
            self.until(self.now_us + stays * MINUTE_US)

    @rule(who=WHO, way=st.sampled_from(Way), minutes=st.integers(0, 100))
    def passes_alone(self, who: int, way: Way, minutes: int) -> None:
        """A gate was cut off when somebody passed."""
        passage = OfflinePassage(1, self.now_us - minutes * MINUTE_US, way, CredentialKind.TAG, self.tag(who))
        self.do(SyncOffline(*self.line("P1-in"), (passage,)), source=Source.GATE)

    @rule(who=st.integers(PEOPLE, PEOPLE + 1))
    def ticket(self, who: int) -> None:
        self.do(b.IssueTicket("P1", f"WALK{who}"), source=Source.GATE)

    @rule(index=PICK, who=WHO, cash=st.booleans(), lost=st.booleans())
    def pay(self, index: int, who: int, cash: bool, lost: bool) -> None:
        self.do(b.PayTicket(self.pick(self.parking.tickets, index), cash, lost), who, Source.GATE)

    # -- operators, money and time

    @rule(index=PICK, waive=st.booleans(), ago=st.integers(0, 90))
    def end_stay(self, index: int, waive: bool, ago: int) -> None:
        """Now, or as of some minutes ago: before the begin it is refused."""
        left_us = self.now_us - ago * MINUTE_US if ago else 0
        ended = b.EndStay(self.pick(self.parking.stays, index), waive, "drill", left_us)
        self.do(ended, source=Source.OPERATOR)

    @rule(who=WHO, amount_e4=st.sampled_from((1, 5_000, 10**5)), out=st.booleans())
    def money(self, who: int, amount_e4: int, out: bool) -> None:
        self.do(RequestWithdrawal(amount_e4) if out else Deposit(amount_e4, "CARD"), who)

    @rule(index=PICK, who=WHO)
    def pay_debt(self, index: int, who: int) -> None:
        self.do(b.PayDebt(self.pick(self.parking.debts, index)), who)

    @rule(
        index=st.integers(0, 2),
        state=st.sampled_from(SpaceState),
        closes=st.sampled_from((True, False, False)),
    )
    def estate(self, index: int, state: SpaceState, closes: bool) -> None:
        """A space breaks or is repaired; the lot closes for a moment."""
        known = self.parking.lots["P1"]
        command = replace(LOT, time_zone="UTC", tariff="STD", rules=known.rules)
        if closes:
            self.do(replace(command, status=LotStatus.CLOSED), source=Source.OPERATOR)
        kind = (
            SMALL_LOT[index]
            if state is not SpaceState.RETIRED
            else replace(SMALL_LOT[index], features=Feature.COVERED)
        )
        wanted = SpaceState.ACTIVE if state is SpaceState.RETIRED else state
        self.do(replace(kind, state=wanted), source=Source.OPERATOR)
        self.do(command, source=Source.OPERATOR)

    @rule(who=WHO, attach=st.booleans())
    def tags(self, who: int, attach: bool) -> None:
        self.do(AttachTag(self.tag(who), self.vehicles[who]) if attach else RevokeTag(self.tag(who), ""), who)
        self.do(SetVehicleRights(self.vehicles[who], who), source=Source.OPERATOR)

    @rule(minutes=st.sampled_from((1, 5, 15, 40, 130, 700)))
    def time_passes(self, minutes: int) -> None:
        """Timers fire on the way, as the runtime has them fire."""
        self.until(self.now_us + minutes * MINUTE_US)

    def until(self, to_us: int) -> None:
        while (timer := next_timer(self.state)) is not None and timer.due_us <= to_us:
            self.now_us = max(self.now_us, timer.due_us)
            self.do(FireTimer(timer.timer_id), source=Source.TIMER)
        self.now_us = to_us

    @rule()
    def start_again(self) -> None:
        """The state is rebuilt from its rows, which the marks alone kept up to date."""
        assert self.mirror.rows == all_rows(self.state)
        rebuilt = restored(self.mirror.rows)
        assert state_hash(rebuilt) == state_hash(self.state)
        self.state, self.mirror = rebuilt, Mirror(rebuilt)
