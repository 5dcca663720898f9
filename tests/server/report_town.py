"""Three car parks and people who come and go at random over a change of the clocks, for tests of the reports."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from engine.apply import Applied
from engine.commands import AnyCommand, Deposit, Envelope, OpenAccount
from engine.events import AccountOpened
from engine.kinds import AccountKind, Source
from engine.parking import booking_commands as b
from engine.parking.commands import ImportEstate, RegisterVehicle, SetFloor, SetGate, SetSpace
from engine.parking.gate_commands import RenewGateKey, ReportPassage, ScanTag
from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import Direction, PassKind, SpaceType, VehicleKind
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.units import DAY_US, HOUR_US, MINUTE_US
from server.zone_rules import zone_now
from tests.engine.parking.parking_world import LOT
from tests.engine.parking.tariff_world import CITY
from tests.server.ledger_world import World

LOTS = {
    "P1": ("Europe/Berlin", "USD"),
    "P2": ("Europe/Berlin", "EUR"),
    "N1": ("America/New_York", "USD"),
}
KINDS = (SpaceType.STANDARD, SpaceType.STANDARD, SpaceType.COMPACT, SpaceType.LARGE)


class Town:
    """P1 and P2 in Berlin, N1 in New York; P2 takes euros. Drivers have dollars, every third hardly any."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.drivers: dict[str, tuple[int, int]] = {}  # by plate: account, vehicle

    def do(self, command: AnyCommand, account_id: int = 0, source: Source = Source.GATE) -> Applied:
        return self.world.runtime.submit(command, Envelope(source, 7, account_id))

    def found(self, drivers: int) -> None:
        now_us = self.world.runtime.now_us()
        for lot, (zone_name, currency) in LOTS.items():
            zone = zone_now(zone_name, now_us)
            assert zone is not None
            spaces = [SetSpace(lot, f"S-{n}", "G", KINDS[n % len(KINDS)]) for n in range(12)]
            gates = (
                SetGate(f"{lot}-in", lot, "In", Direction.ENTRY),
                SetGate(f"{lot}-out", lot, "Out", Direction.EXIT),
            )
            opening: tuple[AnyCommand, ...] = (
                SetTariff(replace(CITY, name=lot, currency=currency, tax_bps=1_900)),
                SetZone(zone),
                replace(LOT, lot=lot, name=f"Lot {lot}", time_zone=zone_name, currency=currency, tariff=lot),
                ImportEstate(lot, (SetFloor(lot, "G", "Ground", 0),), tuple(spaces), gates),
                *(RenewGateKey(gate.gate_id) for gate in gates),
            )
            for command in opening:
                assert self.do(command, source=Source.CONFIG).refused is None, command
        for n in range(drivers):
            opened = self.do(OpenAccount(100 + n, AccountKind.USER, "USD")).answer[0]
            assert isinstance(opened, AccountOpened)
            self.do(Deposit(100 if n % 3 == 0 else 10**7, "CARD"), opened.account_id)
            self.do(RegisterVehicle(f"CAR{n}", VehicleKind.STANDARD, 150), opened.account_id)
            vehicle_id = self.world.state.parking.vehicle_of_plate[f"CAR{n}"]
            self.drivers[f"CAR{n}"] = (opened.account_id, vehicle_id)

    def minutes(self, minutes: float) -> None:
        """Let time pass: what is due is done when it is due."""
        self.world.clock_leap(int(minutes * 60))
        self.world.runtime.fire_due_timers(self.world.runtime.now_us())

    def goes(self, gate: str, plate: str) -> None:
        """Somebody is at a gate, known by the plate, and passes if it opens."""
        state = self.world.state.parking.gate_states[gate]
        now_us = self.world.runtime.now_us()
        self.do(ScanTag(gate, state.n + 1, b"d", 1, now_us, CredentialKind.PLATE, plate))
        self.do(ReportPassage(gate, state.n + 2, b"d", 1, now_us, passed=True))

    def live(self, steps: int, minutes_max: int) -> None:
        """Somebody does something, and some minutes pass; again and again."""
        plates = [*self.drivers, *(f"WALK{n}" for n in range(6))]
        for _ in range(steps):
            self.minutes(self.random.uniform(0, minutes_max))
            plate = self.random.choice(plates)
            if plate in self.world.state.parking.stay_of_who:
                if self.random.random() < 0.4:
                    self._leaves(plate)
            else:
                self._comes(plate)

    def linger(self) -> None:
        """Walk-ins who are inside at the end; in each lot one has paid."""
        for lot in LOTS:
            for plate in (f"{lot}PAID", f"{lot}FREE"):
                self.do(b.IssueTicket(lot, plate))
                self.goes(f"{lot}-in", plate)
            self.minutes(40)
            paid = self.do(b.PayTicket(self.world.state.parking.ticket_of_who[f"{lot}PAID"], cash=True))
            assert paid.refused is None

    def _leaves(self, plate: str) -> None:
        parking = self.world.state.parking
        stay = parking.stays[parking.stay_of_who[plate]]
        ticket = parking.ticket_of_who.get(plate)
        if ticket is not None and self.random.random() < 0.7:
            payer, _ = self.random.choice(list(self.drivers.values()))
            if stay.lot == "P2" or self.random.random() < 0.5:
                payer = 0  # at a machine
            self.do(b.PayTicket(ticket, cash=not payer, lost=self.random.random() < 0.3), payer)
            if self.random.random() < 0.3:
                return  # stays a while, perhaps too long
        self.goes(f"{stay.lot}-out", plate)

    def _comes(self, plate: str) -> None:
        account_id, vehicle_id = self.drivers.get(plate, (0, 0))
        lot = self.random.choice(list(LOTS) if not account_id else ["P1", "N1"])
        if not account_id:
            self.do(b.IssueTicket(lot, plate))
        elif self.random.random() < 0.4:
            self._books(lot, account_id, vehicle_id)
            return
        elif self.random.random() < 0.1:
            self.do(Deposit(5_000, "CARD"), account_id)
        self.goes(f"{lot}-in", plate)

    def _books(self, lot: str, account_id: int, vehicle_id: int) -> None:
        begin_us = self.world.runtime.now_us() // MINUTE_US * MINUTE_US + self.random.randint(1, 5) * HOUR_US
        dice = self.random.random()
        if dice < 0.2:
            price_e4 = self.random.randint(1, 9) * 10_000
            days = DAY_US * self.random.randint(1, 3)
            self.do(
                b.IssuePass(
                    *(vehicle_id, lot, PassKind.SEASON, begin_us, begin_us + days, price_e4, price_e4 // 5)
                ),
                source=Source.OPERATOR,
            )
            return
        kind = self.random.choice((SpaceType.STANDARD, SpaceType.LARGE))
        asked = b.BookSpace(lot, vehicle_id, begin_us, begin_us + HOUR_US, kind)
        booked = self.do(asked, account_id, Source.HTTP)
        if booked.refused is None and dice < 0.5:
            booking_id = next(reversed(self.world.state.parking.bookings))
            self.minutes(30)
            self.do(b.CancelBooking(booking_id), account_id, Source.HTTP)
