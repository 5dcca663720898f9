"""Passes and calendars over real sockets: whose they are, what they look like, and what a gate says to forged codes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from config.settings import Settings
from engine.commands import AnyCommand, Deposit, Envelope
from engine.kinds import Source
from engine.parking.booking_commands import BookSpace, CancelBooking, JoinWaitingList
from engine.parking.booking_events import BookingSet
from engine.parking.booking_records import Booking
from engine.parking.kinds import BookingStatus, Feature, SpaceType
from engine.units import HOUR_US
from handlers.parking_copies import STATUSES, calendar_entry
from server.calendar_text import calendar_text
from server.gate_client import GateClient
from server.gate_messages import Decision
from server.gate_protocol import Fault
from tests.engine.parking.parking_world import LOT
from tests.handlers.gate_yard import AT, IN, OUT, GateYard, open_yard
from tests.handlers.parking_people import at_a_car_park, booking
from tests.handlers.small_kerb import Client, SmallKerb

# -- the gate


@pytest.fixture
async def yard(tmp_path: Path, settings: Settings) -> AsyncIterator[GateYard]:
    async with open_yard(tmp_path, settings.gate) as opened:
        yield opened


def booked(yard: GateYard) -> int:
    """A booking of the yard's driver, that has just begun."""
    (vehicle,) = yard.state.parking.vehicles.values()
    begin_us = -(-yard.runtime.now_us() // 60_000_000) * 60_000_000
    asked = BookSpace("P1", vehicle.vehicle_id, begin_us, begin_us + HOUR_US, SpaceType.STANDARD)
    done = yard.do(asked, Source.HTTP, vehicle.account_id)
    (event,) = [event for event in done.events if isinstance(event, BookingSet)]
    return event.booking.booking_id


async def shown(gate: GateClient, code: Any) -> Decision:
    """What a gate's scanner is answered."""
    answer = await gate.report("scan", code=code, lane=1, at=AT)
    assert isinstance(answer, Decision)
    return answer


async def test_the_code_of_a_booking_opens_and_what_is_forged_does_not(yard: GateYard) -> None:
    (vehicle,) = yard.state.parking.vehicles.values()
    yard.do(Deposit(1_000_000, ""), Source.HTTP, vehicle.account_id)
    booking_id = booked(yard)
    code, _ = yard.hub.codes.made(booking_id, yard.runtime.now_us())
    old, _ = yard.hub.codes.made(booking_id, yard.runtime.now_us() - 48 * HOUR_US)
    body, _, signature = code.rpartition(".")
    entry, leave = await yard.connect(IN), await yard.connect(OUT)
    forged = [
        f"{body}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'E'}",
        f"{body}.{'A' * 26}",
        f"{old.rpartition('.')[0]}.{signature}",
        f"KB1.{booking_id + 1}.{body.rpartition('.')[2]}.{signature}",
        code + "A",
    ]
    for each in forged:
        assert (await shown(entry, each)).reason == "CODE_FORGED", each
    assert (await shown(entry, code.lower())).reason == "UNKNOWN_TAG"
    assert (await shown(entry, code + "'; --")).reason == "MALFORMED_TAG"
    assert (await shown(entry, old)).reason == "CODE_EXPIRED"
    assert yard.inside() == set()
    opened = await shown(entry, code)
    assert (opened.open, opened.reason) == (True, "BOOKING")
    await entry.report("passed", lane=1, at=AT)
    assert yard.inside() == {"KERB1"}
    assert (await shown(entry, code)).reason == "ALREADY_INSIDE"
    assert (await shown(leave, forged[0])).open is False
    assert (await shown(leave, old)).reason.startswith("EXIT_")
    await leave.report("passed", lane=1, at=AT)
    assert (await shown(entry, code)).reason == "CODE_VOID"
    assert yard.hub.faults.counts[Fault.BAD_LINE] == 0


# -- over HTTP


async def test_a_pass_is_of_its_booking_and_is_kept_in_no_cache(small: SmallKerb) -> None:
    user, other = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    booking_id = (await booking(small, user))["booking_id"]
    path = f"/parking/bookings/{booking_id}/pass"
    reply = await user("GET", path)
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    made = reply.data
    mine = (await user("GET", f"/parking/bookings/{booking_id}")).data
    assert {name: made[name] for name in ("booking_id", "lot_id", "space", "plate", "from", "to")} == {
        name: mine[name] for name in ("booking_id", "lot_id", "space", "plate", "from", "to")
    }
    assert small.services.gates is not None
    read = small.services.gates.codes.read(made["code"])
    assert read is not None
    assert (f"bkg_{read[0]}", read[1] > small.services.runtime.now_us()) == (booking_id, True)
    for client, status, code in (
        (other, 404, "BOOKING_NOT_FOUND"),
        (small.anonymous(), 401, "UNAUTHENTICATED"),
    ):
        for form in ("json", "svg", "png"):
            refused = await client("GET", f"{path}?format={form}")
            assert (refused.status, refused.code) == (status, code)
    assert (await user("GET", f"{path}?format=gif")).status == 400
    assert (await user("GET", "/parking/bookings/KERB/pass")).status == 404
    await user("DELETE", f"/parking/bookings/{booking_id}")
    assert (await user("GET", path)).code == "BOOKING_NOT_FOUND"


async def test_an_api_key_that_only_reads_gets_no_pass(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    booking_id = (await booking(small, user))["booking_id"]
    made = await user("POST", "/auth/api-keys", {"name": "robot", "scopes": ["read"]})
    headers = {"X-API-Key": made.data["api_key"]}
    robot = small.anonymous()
    assert (await robot("GET", f"/parking/bookings/{booking_id}", headers=headers)).status == 200
    assert (await robot("GET", "/parking/bookings.ics", headers=headers)).status == 200
    assert (await robot("GET", f"/parking/bookings/{booking_id}/pass", headers=headers)).status == 403


async def test_a_pass_is_a_picture_too(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    path = f"/parking/bookings/{(await booking(small, user))['booking_id']}/pass"
    svg, png = await asyncio.gather(user("GET", f"{path}?format=svg"), user("GET", f"{path}?format=png"))
    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert svg.body.startswith(
        b'<?xml version="1.0" encoding="utf-8"?>\n<svg xmlns="http://www.w3.org/2000/svg"'
    )
    assert b"<script" not in svg.body
    assert png.headers["Content-Type"] == "image/png"
    assert png.body.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.headers["Cache-Control"] == svg.headers["Cache-Control"] == "no-store"


def unfolded(body: bytes) -> list[str]:
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    return body.decode().replace("\r\n ", "").split("\r\n")


async def test_a_calendar_has_the_callers_open_bookings(small: SmallKerb) -> None:
    user, other = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    booking_id = (await booking(small, user))["booking_id"]
    reply = await user("GET", "/parking/bookings.ics")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    lines = unfolded(reply.body)
    assert [line for line in lines if line.startswith(("UID", "DTSTART", "DTEND", "STATUS", "LOCATION"))] == [
        *(f"UID:{booking_id}@kerb", "DTSTART:20231120T080000Z", "DTEND:20231120T100000Z"),
        *("STATUS:CONFIRMED", "LOCATION:Old Harbour\\, Quay 1"),
    ]
    assert "BEGIN:VEVENT" not in unfolded((await other("GET", "/parking/bookings.ics")).body)
    assert (await small.anonymous()("GET", "/parking/bookings.ics")).status == 401
    hostile = replace(LOT, name="Ünter; den, Linden\\" * 5)
    await small.services.runtime.execute(hostile, Envelope(Source.OPERATOR))
    lines = unfolded((await user("GET", "/parking/bookings.ics")).body)
    assert f"UID:{booking_id}@kerb" in lines
    assert any(line.startswith("SUMMARY:Parking: Ünter\\; den\\, Linden\\\\") for line in lines)
    await user("DELETE", f"/parking/bookings/{booking_id}")
    lines = unfolded((await user("GET", "/parking/bookings.ics")).body)
    assert [line for line in lines if line.startswith(("UID", "STATUS"))] == [
        *(f"UID:{booking_id}@kerb", "STATUS:CANCELLED"),
    ]
    assert "BEGIN:VEVENT" not in unfolded((await other("GET", "/parking/bookings.ics")).body)
    small.world.clock_leap(40 * 86_400)
    assert "BEGIN:VEVENT" not in unfolded((await user("GET", "/parking/bookings.ics")).body)


async def offered(small: SmallKerb, user: Client, neighbour: Client) -> Booking:
    """What the user is offered when the neighbour gives the one charger back."""
    runtime = small.services.runtime
    await at_a_car_park(small, user)

    async def do(client: Client, command: AnyCommand) -> list[Booking]:
        applied = await runtime.execute(command, Envelope(Source.HTTP, 1, client.account_id))
        assert applied.refused is None, applied.refused
        return [event.booking for event in applied.events if isinstance(event, BookingSet)]

    begin_us = (runtime.now_us() // HOUR_US + 5) * HOUR_US
    ids = []
    for client in (neighbour, user):
        plate = {"plate": f"EV{client.account_id % 10**6}", "electric": True}
        made = await client("POST", "/parking/vehicles", plate)
        ids.append(int(made.data["vehicle_id"].removeprefix("veh_")))
    asked = (begin_us, begin_us + HOUR_US, SpaceType.EV, int(Feature.CHARGER))
    (taken,) = await do(neighbour, BookSpace("P1", ids[0], *asked))
    await do(user, JoinWaitingList("P1", ids[1], *asked))
    _, offer = await do(neighbour, CancelBooking(taken.booking_id))
    return offer


async def test_an_offer_has_no_pass_yet_and_is_tentative(small: SmallKerb) -> None:
    user, neighbour = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    offer = await offered(small, user, neighbour)
    assert offer.status is BookingStatus.HELD_OFFER
    refused = await user("GET", f"/parking/bookings/bkg_{offer.booking_id}/pass")
    assert (refused.status, refused.code) == (409, "BOOKING_NOT_OPEN")
    assert "STATUS:TENTATIVE" in unfolded((await user("GET", "/parking/bookings.ics")).body)
    parking = small.world.state.parking
    for status in BookingStatus:
        entry = calendar_entry(parking, replace(offer, status=status))
        lines = unfolded(calendar_text("x", [entry], 0))
        assert f"STATUS:{STATUSES[status]}" in lines
        assert f"UID:bkg_{offer.booking_id}@kerb" in lines
    assert STATUSES[BookingStatus.CANCELLED] == "CANCELLED"
