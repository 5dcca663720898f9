"""The lives of cars that come without booking or tag: a ticket by plate, paid from somebody's phone, late, lost, or never."""

from __future__ import annotations

from datetime import timedelta

from tests.day import tariff
from tests.day.books import CENT_E4, Driver
from tests.day.cars import Car, Traffic

LEAVES_LATE = timedelta(minutes=25)


async def paid(traffic: Traffic, car: Car) -> None:
    """Pays and leaves within the minutes that there are for it."""
    await _stay(traffic, car, "TICKET", late=False)


async def late(traffic: Traffic, car: Car) -> None:
    """Pays and stays on: the clock has run again since the payment, and nobody is there to pay for that."""
    await _stay(traffic, car, "TICKET", late=True)


async def lost(traffic: Traffic, car: Car) -> None:
    """Has lost the ticket and pays for that."""
    await _stay(traffic, car, "LOST_TICKET", late=False)


async def unpaid(traffic: Traffic, car: Car) -> None:
    """Leaves without a word: the plate owes it, and gets no other ticket."""
    if not await _ticket(traffic, car):
        return
    begin, version = await traffic.go_in(car, "TICKET"), traffic.books.version
    if begin is None:
        return
    await traffic.at(car.leaves)
    price = tariff.stay(version, car.asks, begin, traffic.clock.now)
    left = await traffic.go_out(car, "EXIT_DEBT" if price[0] else "EXIT_GRACE")
    charged = traffic.books.charge("STAY", car.plate, None, price, price[0] * CENT_E4)
    traffic.over(car, begin, left, "TICKET", charged, charged)
    if price[0]:
        await traffic.at(max([car.leaves, *(at // 60 for at in traffic.rejoins.values())]) + 20)
        body = {"lot_id": traffic.lot, "plate": car.plate, "kind": car.kind}
        reply = await traffic.line.call(car.owner.client, "POST", "/parking/tickets", body)
        # the plate is nobody's, so nobody is told that it owes something
        assert (reply.status, reply.code) == (422, "INVALID_TICKET"), reply
        traffic.books.happened["tickets refused for a debt"] += 1


async def unused(traffic: Traffic, car: Car) -> None:
    """Takes a ticket and goes somewhere else; the next hour it may have another."""
    for minute in (car.arrives, car.arrives + 60):
        await traffic.at(minute)
        if not await _ticket(traffic, car):
            return
    traffic.books.happened["unused tickets"] += 1


async def _stay(traffic: Traffic, car: Car, kind: str, *, late: bool) -> None:
    """In, to the phone, and out: at once or late."""
    ticket_id = await _ticket(traffic, car)
    begin = await traffic.go_in(car, "TICKET") if ticket_id else None
    if begin is None:
        return
    version = traffic.books.version
    await traffic.at(car.leaves)
    paid_at = traffic.clock.now
    payer = car.owner
    await _pay(traffic, car, ticket_id, payer, kind)
    price_of = tariff.lost if kind == "LOST_TICKET" else tariff.stay
    charged = traffic.books.charge(kind, car.plate, payer, price_of(version, car.asks, begin, paid_at))
    minutes = car.random.randrange(20, 90) if late else car.random.randrange(15)
    await traffic.at(car.leaves + minutes)
    more, reason = (0, 0), "EXIT_PAID"
    if traffic.clock.now > paid_at + tariff.EXIT_MINUTES:
        more, reason = tariff.stay(version, car.asks, paid_at, traffic.clock.now), "EXIT_DEBT"
    left = await traffic.go_out(car, reason)
    owed = traffic.books.charge("STAY", car.plate, None, more, more[0] * CENT_E4)
    traffic.over(car, begin, left, "TICKET", charged + owed, owed)
    traffic.books.happened["left later than paid for"] += bool(owed)


async def _ticket(traffic: Traffic, car: Car) -> str:
    """A ticket for the plate; '' when it is full."""
    await traffic.at(car.arrives)
    body = {"lot_id": traffic.lot, "plate": car.plate, "kind": car.kind}
    reply = await traffic.line.call(car.owner.client, "POST", "/parking/tickets", body)
    if reply.status == 422:
        assert reply.code == "PARKING_FULL", reply
        now = traffic.clock.now
        traffic.books.full(car.asks, now, now + timedelta(minutes=30))
        return ""
    assert reply.status == 201, reply
    return str(reply.data["ticket_id"])


async def _pay(traffic: Traffic, car: Car, ticket_id: str, payer: Driver, kind: str) -> None:
    body = {"lost": kind == "LOST_TICKET"}
    reply = await traffic.line.call(payer.client, "POST", f"/parking/tickets/{ticket_id}/pay", body)
    assert (reply.status, reply.data["kind"]) == (200, kind), (car, reply)
    traffic.books.happened["tickets paid"] += 1
