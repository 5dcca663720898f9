"""The cars of the day: each kind is a life, from the first request to the last gate, that knows what it must be answered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from tests.day import tariff
from tests.day.books import CENT_E4, WALK_IN, WALK_IN_LEAST, Books, Claim, Driver
from tests.day.clock import DayClock
from tests.day.controllers import Controller
from tests.day.line import Line
from tests.day.tariff import Money
from tests.handlers.small_kerb import Reply

MINUTE_S: Final = 60
POOR_CENTS: Final = 100
NO_SHOW_MINUTES: Final = 120


@dataclass
class Car:
    """A vehicle and what it does. Times are minutes of the day; a car without a `tag` is known by its plate alone.

    `booked` and `until` are its booking's interval.
    """

    owner: Driver
    plate: str
    tag: str
    kind: str
    asks: str
    arrives: int
    leaves: int
    random: Random
    booked: int = 0
    until: int = 0
    vehicle_id: str = ""
    booking_id: str = ""

    @property
    def shown(self) -> dict[str, str]:
        """What a gate sees."""
        return {"tag": self.tag} if self.tag else {"plate": self.plate}


class Traffic:
    """What cars share: the clock, the gates, the way to the server, the books.

    `is_small`: so small that a gate which lets in alone may soon have let in too many, which would be a finding.
    """

    def __init__(
        self, clock: DayClock, line: Line, books: Books, lot: str, *, is_small: bool = False
    ) -> None:
        self.is_small = is_small
        self.clock = clock
        self.line = line
        self.books = books
        self.lot = lot
        self.gates: list[Controller] = []
        self.afterwards: dict[Controller, list[Callable[[], None]]] = {}
        """What the books have to say once a gate has told what it did alone."""
        self.rejoins: dict[Controller, int] = {}
        """When a gate that is cut off will be back, in seconds."""

    async def at(self, minute: int) -> None:
        """Wait for a minute of the day. What is done in one minute is done at the same moment of it."""
        await self.clock.at(minute * MINUTE_S + minute * 37 % MINUTE_S)

    def time_of(self, minute: int) -> datetime:
        """A minute of the day, as bookings name it."""
        return self.clock.start + timedelta(minutes=minute)

    # -- gates

    def gate(self, car: Car, *, is_exit: bool, online: bool = False) -> Controller:
        """One of those that let this way."""
        fitting = [gate for gate in self.gates if gate.is_exit is is_exit and not (online and gate.offline)]
        return car.random.choice(fitting)

    async def go_in(self, car: Car, right: str) -> datetime | None:
        """Let it in by a right; when that was, or None when the lot is full."""
        gate = self.gate(car, is_exit=False)
        async with gate.lane:
            if gate.offline and self._is_told_in_time(car, gate) and gate.alone(car.tag, car.plate):
                self._claim(car)
                self.afterwards[gate].append(lambda: self._is_in(car, right))
                self.books.happened["in by a gate alone"] += 1
                car.leaves = max(car.leaves, self.rejoins[gate] // MINUTE_S + 2)
                return self.clock.now
        if gate.offline:
            gate = self.gate(car, is_exit=False, online=True)
        async with gate.lane:
            self.books.at_gates += 1
            try:
                return await self._pass_in(gate, car, right)
            finally:
                self.books.at_gates -= 1

    async def _pass_in(self, gate: Controller, car: Car, right: str) -> datetime | None:
        decision = await gate.scan(car.shown)
        now = self.clock.now
        if decision.reason == "LOT_FULL":
            self.books.full(car.asks, now, self.time_of(car.until) if car.booked else now + WALK_IN_LEAST)
            return None
        assert (decision.open, decision.reason) == (True, right), (car, right, decision)
        if car.random.random() < 0.05:
            again = await gate.scan(car.shown)
            assert (again.reason, again.space) == (decision.reason, decision.space), (decision, again)
        assert decision.space not in self.books.sent_to.values(), (car, decision)
        self.books.sent_to[car.plate] = decision.space
        await gate.passed(car.shown)
        self._claim(car)
        self._is_in(car, right)
        return now

    async def refused(self, car: Car, reason: str) -> None:
        """It is not let in."""
        gate = self.gate(car, is_exit=False, online=True)
        async with gate.lane:
            decision = await gate.scan(car.shown)
            assert (decision.open, decision.reason) == (False, reason), (car, reason, decision)
        self.books.happened[reason] += 1

    async def go_out(self, car: Car, reason: str) -> datetime:
        """It leaves, which nobody hinders; when that was."""
        gate = self.gate(car, is_exit=True)
        async with gate.lane:
            if gate.offline:
                assert gate.alone(car.tag, car.plate)
                self.afterwards[gate].append(lambda: self._is_out(car))
                self.books.happened["out by a gate alone"] += 1
                return self.clock.now
            decision = await gate.scan(car.shown)
            assert (decision.open, decision.reason) == (True, reason), (car, reason, decision)
            self.books.sent_to.pop(car.plate, None)
            await gate.passed(car.shown)
            self._is_out(car)
        return self.clock.now

    def _is_told_in_time(self, car: Car, gate: Controller) -> bool:
        """Whether there is room, and the gate is back before the booking is one that nobody has come for."""
        if self.is_small or not self.books.has_room(car.asks, self.clock.now):
            return False
        if not car.booked:
            return True
        return min(car.booked + NO_SHOW_MINUTES, car.until) > self.rejoins[gate] // MINUTE_S + 1

    def _claim(self, car: Car) -> None:
        now = self.clock.now
        until = self.time_of(car.until) if car.booked else now + WALK_IN
        self.books.claims[car.plate] = Claim(now, until, inside=True)

    def _is_in(self, car: Car, right: str) -> None:
        assert car.plate not in self.books.inside
        self.books.inside[car.plate] = right
        self.books.most_inside = max(self.books.most_inside, len(self.books.inside))
        if right == "BOOKING":
            self.books.bookings[car.booking_id] = (car.owner, "ARRIVED")
        self.books.happened[f"in by {right}"] += 1

    def _is_out(self, car: Car) -> None:
        del self.books.inside[car.plate]
        self.books.sent_to.pop(car.plate, None)
        del self.books.claims[car.plate]

    def over(
        self, car: Car, begin: datetime, left: datetime, right: str, charged_e4: int, owed_e4: int = 0
    ) -> None:
        """A stay is over, and its row must say so."""
        self.books.visits[car.plate, begin, left, right, charged_e4, owed_e4] += 1
        self.books.happened["stays"] += 1

    # -- lives

    async def booked(self, car: Car) -> None:
        """Books, comes and leaves in time, or up to three hours late: `leaves` says which."""
        price = await self.book(car)
        if price is None:
            return
        version = self.books.version
        await self.at(car.arrives)
        begin = await self.go_in(car, "BOOKING")
        if begin is None:
            await self._no_show(car, price)
            return
        if car.random.random() < 0.15:
            await self.at(car.until - 5)
            price = await self._extend(car, version) or price
        await self.at(car.leaves)
        expected = tariff.booked(
            version, car.asks, self.time_of(car.booked), self.time_of(car.until), self.clock.now
        )
        left = await self.go_out(car, "EXIT_PAID" if expected == price else "EXIT_CHARGED")
        self.books.happened["overstays"] += expected != price
        self._close(car, "COMPLETED", price)
        charged = self.books.charge("STAY", car.plate, car.owner, expected)
        self.over(car, begin, left, "BOOKING", charged)

    async def no_show(self, car: Car) -> None:
        """Books and does not come."""
        price = await self.book(car)
        if price is not None:
            await self._no_show(car, price)

    async def cancelled(self, car: Car) -> None:
        """Books and cancels: `arrives` says when. What is kept depends on how long before."""
        price = await self.book(car)
        if price is None:
            return
        await self.at(car.arrives)
        reply = await self.line.call(car.owner.client, "DELETE", f"/parking/bookings/{car.booking_id}")
        assert (reply.status, reply.data["status"]) == (200, "CANCELLED"), reply
        kept_e4 = tariff.kept(price, self.time_of(car.booked), self.clock.now)
        self._close(car, "CANCELLED", price)
        self.books.charge_e4("CANCELLATION", car.plate, car.owner, kept_e4)
        del self.books.claims[car.plate]

    async def tomorrow(self, car: Car) -> None:
        """Books for another day: at the end of this one its price is held."""
        await self.book(car)

    async def wallet(self, car: Car) -> None:
        """Comes with a tag whose account is charged; who leaves after the day's end is inside then."""
        await self.at(car.arrives)
        begin, version = await self.go_in(car, "WALLET"), self.books.version
        if begin is not None:
            await self._leave_on_wallet(car, begin, version)

    async def poor(self, car: Car) -> None:
        """Has no money for the stay: leaves all the same, is not let in again before the debt is repaid."""
        await self.at(car.arrives)
        begin, version = await self.go_in(car, "WALLET"), self.books.version
        if begin is None:
            return
        await self.at(car.leaves)
        price = tariff.stay(version, car.asks, begin, self.clock.now)
        owed_e4 = (price[0] - POOR_CENTS) * CENT_E4
        assert owed_e4 > 0, "was to stay for longer"
        left = await self.go_out(car, "EXIT_DEBT")
        charged = self.books.charge("STAY", car.plate, car.owner, price, owed_e4)
        self.over(car, begin, left, "WALLET", charged, owed_e4)
        if car.random.random() < 0.3:
            return
        minute = max(car.leaves, max(self.rejoins.values(), default=0) // MINUTE_S + 1) + 30
        await self.at(minute)
        await self.refused(car, "DEBT")
        await self.line.deposit(car.owner, 50_000)
        del self.books.owed_e4[car.plate]
        self.books.happened["debts repaid by a deposit"] += 1
        car.leaves = minute + 90
        begin, version = await self.go_in(car, "WALLET"), self.books.version
        if begin is not None:
            await self._leave_on_wallet(car, begin, version)

    async def turned_back(self, car: Car) -> None:
        """The gate opens and it turns back."""
        await self.at(car.arrives)
        gate = self.gate(car, is_exit=False, online=True)
        async with gate.lane:
            self.books.at_gates += 1
            decision = await gate.scan(car.shown)
            if decision.reason != "LOT_FULL":
                assert decision.open, decision
                await gate.turned_back(car.shown)
            self.books.at_gates -= 1
        self.books.happened["turned back"] += 1

    async def stranger(self, car: Car) -> None:
        """Has a tag that nobody knows, and follows through a gate that was not opened for it."""
        await self.at(car.arrives)
        await self.refused(car, "UNKNOWN_TAG")
        gate = self.gate(car, is_exit=False, online=True)
        async with gate.lane:
            await gate.tailgated()

    async def revoked(self, car: Car) -> None:
        """Its tag is lost, and somebody else tries it."""
        await self.at(car.arrives)
        reply = await self.line.call(car.owner.client, "DELETE", f"/parking/tags/{car.tag}")
        assert reply.status == 200, reply
        await self.refused(car, "TAG_REVOKED")

    # -- their parts

    async def _leave_on_wallet(self, car: Car, begin: datetime, version: int) -> None:
        await self.at(car.leaves)
        price = tariff.stay(version, car.asks, begin, self.clock.now)
        left = await self.go_out(car, "EXIT_CHARGED" if price[0] else "EXIT_GRACE")
        charged = self.books.charge("STAY", car.plate, car.owner, price)
        self.over(car, begin, left, "WALLET", charged)

    async def book(self, car: Car) -> Money | None:
        """Book; the price, or None when it is full."""
        await self.at(car.random.randrange(max(1, min(car.booked, car.arrives) - 30)))
        begin, until = self.time_of(car.booked), self.time_of(car.until)
        asked = {"lot_id": self.lot, "vehicle_id": car.vehicle_id, "type": car.asks}
        times = {"from": begin.isoformat(), "to": until.isoformat()}
        reply = await self.line.call(car.owner.client, "POST", "/parking/bookings", asked | times)
        if reply.status == 422:
            assert reply.code == "PARKING_FULL", reply
            self.books.full(car.asks, begin, until)
            return None
        assert reply.status == 201, reply
        price = self.priced(reply, tariff.booked(self.books.version, car.asks, begin, until))
        car.owner.held_e4 += price[0] * CENT_E4
        self.books.bookings[reply.data["booking_id"]] = (car.owner, "CONFIRMED")
        self.books.claims[car.plate] = Claim(begin, until, inside=False)
        self.books.happened["bookings"] += 1
        car.booking_id = reply.data["booking_id"]
        return price

    async def _extend(self, car: Car, version: int) -> Money | None:
        """An hour more, if nobody else has the space; then that is its end."""
        longer = {"to": self.time_of(car.until + 60).isoformat()}
        before = tariff.booked(version, car.asks, self.time_of(car.booked), self.time_of(car.until))
        reply = await self.line.call(
            car.owner.client, "POST", f"/parking/bookings/{car.booking_id}/extend", longer
        )
        if reply.status == 422:
            assert reply.code == "PARKING_FULL", reply
            return None
        assert reply.status == 200, reply
        car.until += 60
        car.leaves += 60
        price = self.priced(
            reply, tariff.booked(version, car.asks, self.time_of(car.booked), self.time_of(car.until))
        )
        car.owner.held_e4 += (price[0] - before[0]) * CENT_E4
        self.books.happened["extensions"] += 1
        return price

    async def _no_show(self, car: Car, price: Money) -> None:
        until = min(self.time_of(car.booked) + tariff.NO_SHOW_AFTER, self.time_of(car.until))
        await self.clock.at(int((until - self.clock.start).total_seconds()) + MINUTE_S)
        self._close(car, "NO_SHOW", price)
        self.books.charge("NO_SHOW", car.plate, car.owner, price)
        del self.books.claims[car.plate]

    def _close(self, car: Car, status: str, price: Money) -> None:
        car.owner.held_e4 -= price[0] * CENT_E4
        self.books.bookings[car.booking_id] = (car.owner, status)
        self.books.happened[status.lower()] += 1

    def priced(self, reply: Reply, price: Money) -> Money:
        """What the server says it costs is what it costs."""
        told = reply.data["price"]
        said = (round(told["total"] * 100), round(told["tax"] * 100))
        assert said == price, f"{price} by the terms, but {reply}"
        return price


Life = Callable[[Traffic, Car], Coroutine[Any, Any, None]]
