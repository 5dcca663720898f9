"""Two drivers want the last space for the same time at the same moment: one has it, the other's money is untouched."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import aiohttp

from server.demo import OPERATOR, PASSWORD
from tests.handlers.small_kerb import Client, Reply
from tests.kerb_process import running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.aftermath import e4
from tests.torture.job import Job

LOT: Final = "lot_LAST"
TARIFF: Final = {
    "currency": "USD",
    "unit_minutes": 30,
    "rates": {"STANDARD": "1.50"},
    "tax_bps": 800,
    "tax_inclusive": False,
}
PRICE_E4: Final = 32_400
"""Of the hour that each round is about."""
ESTATE: Final = "kind,floor,number,name,level,type\nFLOOR,F,,Ground,0,\nSPACE,F,1,,,STANDARD\n"
AHEAD: Final = timedelta(days=2)
"""Bookings are cancelled after each round: so long before, everything is given back."""
SLOTS: Final = 24 * 300
ROUNDS_PER_CHUNK: Final = 100
CASH: Final = "100"


@dataclass
class Rival:
    """Somebody with a vehicle, and what the wallet showed before the round."""

    client: Client
    vehicle_id: str
    wallet: dict[str, Any]
    wins: int = 0


class Rivalry:
    """A car park with one space and two who want it. `now` is about the server's time."""

    def __init__(self, rivals: Sequence[Rival], now: datetime) -> None:
        self.rivals = list(rivals)
        self._first = now.replace(minute=0, second=0, microsecond=0) + AHEAD

    @classmethod
    async def begin(cls, operator: Client, drivers: Sequence[Client], now: datetime) -> Rivalry:
        """Found the car park; `drivers` are two without vehicles."""
        paths = ("/admin/parking/tariffs/LAST", f"/admin/parking/lots/{LOT}")
        lot = {"name": "Last", "time_zone": "Europe/Berlin", "currency": "USD", "tariff": "LAST"}
        for path, body in zip(paths, (TARIFF, lot), strict=True):
            assert (await operator("PUT", path, body)).status == 200
        made = await operator("POST", f"{paths[1]}/import", {"csv": ESTATE})
        assert made.status == 200, made
        rivals = []
        for place, client in enumerate(drivers):
            vehicle = await client("POST", "/parking/vehicles", {"plate": f"RIVAL{place}"})
            assert vehicle.status == 201, vehicle
            rivals.append(Rival(client, vehicle.data["vehicle_id"], await _wallet(client)))
        return cls(rivals, now)

    async def race(self, number: int, random: Random) -> Counter[str]:
        """One round. Raises AssertionError for two bookings, none, or a loser whose money has changed."""
        begin = self._first + timedelta(hours=number % SLOTS)
        times = {"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat()}
        asked = [
            (rival, place)
            for rival in random.sample(self.rivals, len(self.rivals))
            for place in range(random.choice((1, 1, 2)))  # an impatient driver's phone asks twice
        ]
        replies = await asyncio.gather(*(self._book(rival, times, number) for rival, _ in asked))
        booked: dict[str, Rival] = {}
        lost: list[Rival] = []
        for (rival, _), reply in zip(asked, replies, strict=True):
            if reply.status == 201:
                booked[reply.data["booking_id"]] = rival
            else:
                assert (reply.status, reply.code) == (422, "PARKING_FULL"), reply
                lost.append(rival)
        assert len(booked) == 1, f"{len(booked)} bookings of one space: {replies}"
        ((booking_id, winner),) = booked.items()
        assert lost, replies
        assert winner not in lost, f"one request, two answers: {replies}"
        winner.wins += 1
        await self._look(winner, booking_id)
        cancelled = await winner.client("DELETE", f"/parking/bookings/{booking_id}")
        assert cancelled.status == 200, cancelled
        assert await _wallet(winner.client) == winner.wallet, "not everything was given back"
        return Counter({"requests": len(asked), "asked twice": len(asked) - 2})

    async def _look(self, winner: Rival, booking_id: str) -> None:
        """The winner's price is held, and nobody else has anything."""
        for rival in self.rivals:
            wallet = await _wallet(rival.client)
            open_now = [each["booking_id"] for each in (await rival.client("GET", "/parking/bookings")).data]
            if rival is not winner:
                assert wallet == rival.wallet, f"{rival.wallet} became {wallet} of who has lost"
                assert open_now == []
                continue
            assert open_now == [booking_id]
            assert wallet["balance"] == rival.wallet["balance"]
            assert e4(wallet["held"]) == e4(rival.wallet["held"]) + PRICE_E4, wallet
            assert e4(wallet["available"]) == e4(rival.wallet["available"]) - PRICE_E4, wallet

    async def _book(self, rival: Rival, times: dict[str, str], number: int) -> Reply:
        body = {"lot_id": LOT, "vehicle_id": rival.vehicle_id, **times}
        headers = {"X-Idempotency-Key": f"{rival.vehicle_id}-{number}"}
        return await rival.client("POST", "/parking/bookings", body, headers=headers)


async def _wallet(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client("GET", "/wallet/balance")).data
    return found


async def last_space(job: Job) -> None:
    """Rounds in chunks, all of one server, whose books are looked at in the end."""
    chunks = list(job.chunks(ROUNDS_PER_CHUNK))
    if not chunks:
        return
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        with reachable_folder() as folder:
            async with running_kerb(folder / "kerb") as kerb:
                operator = await kerb.sign_in(http, OPERATOR.email, PASSWORD)
                drivers = [await kerb.register(http, f"rival{place}@example.com", CASH) for place in range(2)]
                rivalry = await Rivalry.begin(operator, drivers, datetime.now(UTC))
                for numbers in chunks:
                    with job.round(numbers) as one:
                        for number in numbers:
                            one.seen += await rivalry.race(number, one.random)
                        one.text = f"wins so far {[rival.wins for rival in rivalry.rivals]}"
                await kerb.verify()
