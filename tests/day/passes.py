"""The lives of cars with a pass: bought for the day at once, at no further charge within its times."""

from __future__ import annotations

from fractions import Fraction

from tests.day import tariff
from tests.day.books import Driver
from tests.day.cars import Car, Traffic

AWAY_MINUTES = 45


async def season(traffic: Traffic, car: Car) -> None:
    """Buys one for a week, comes and goes twice."""
    await _buy(traffic, car, "WEEK")
    await traffic.at(car.arrives)
    for _ in range(2):
        begin = await traffic.go_in(car, "PASS")
        if begin is None:
            return
        await traffic.at(car.leaves)
        left = await traffic.go_out(car, "EXIT_PAID")
        charged = traffic.books.charge("STAY", car.plate, car.owner, (0, 0))
        traffic.over(car, begin, left, "PASS", charged)
        back = max([car.leaves, *(at // 60 for at in traffic.rejoins.values())]) + AWAY_MINUTES
        await traffic.at(back)
        car.leaves = back + AWAY_MINUTES


async def by_day(traffic: Traffic, car: Car) -> None:
    """Buys one for the hours of the day; who stays beyond them pays from their end on."""
    await _buy(traffic, car, "BY-DAY")
    await traffic.at(car.arrives)
    begin, version = await traffic.go_in(car, "PASS"), traffic.books.version
    if begin is None:
        return
    await traffic.at(car.leaves)
    now, until = traffic.clock.now, tariff.end_of_pass(begin)
    is_late = now > until + tariff.LATE_GRACE
    price = tariff.stay(version, car.asks, until, now) if is_late else (0, 0)
    left = await traffic.go_out(car, "EXIT_CHARGED" if price[0] else "EXIT_PAID")
    charged = traffic.books.charge("STAY", car.plate, car.owner, price)
    traffic.over(car, begin, left, "PASS", charged)
    traffic.books.happened["beyond the hours of a pass"] += price[0] > 0


async def _buy(traffic: Traffic, car: Car, code: str) -> None:
    """From this minute on."""
    await traffic.at(car.random.randrange(max(1, car.arrives - 60)))
    driver: Driver = car.owner
    begins = traffic.clock.now.replace(second=0).isoformat()
    body = {"lot_id": traffic.lot, "vehicle_id": car.vehicle_id, "code": code, "from": begins}
    reply = await traffic.line.call(driver.client, "POST", "/parking/passes", body)
    assert reply.status == 201, reply
    price = tariff.with_tax(Fraction(tariff.PASSES[code]))
    traffic.priced(reply, price)
    traffic.books.charge("PASS", car.plate, driver, price)
    traffic.books.passes[reply.data["pass_id"]] = driver
    traffic.books.happened["passes"] += 1
