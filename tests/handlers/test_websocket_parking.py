"""The channels `parking` and `bookings` over real sockets: what is told is what GET says, at once, and nothing is missed."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from msgspec.structs import replace

from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.booking_commands import CancelBooking
from engine.parking.kinds import SpaceState
from server.market_view import MarketView
from tests.engine.parking.parking_world import LOT, SPACES
from tests.handlers.parking_people import at_a_car_park, booking, car_park, go_in, many_spaces, vehicle
from tests.handlers.small_kerb import Client, SmallKerb
from tests.handlers.test_websocket_private import follow_each_other
from tests.handlers.websocket_user import WebSocketUser, connected

PROTO: dict[str, Any] = {"protocols": ("kerb.v1.proto",)}
Parts = dict[tuple[str, str], tuple[int, int]]


def parts_of(shown: dict[str, Any]) -> Parts:
    return {(each["floor"], each["type"]): (each["vehicles"], each["spaces"]) for each in shown["parts"]}


class Watcher:
    """What somebody who follows the lot P1 makes of its messages."""

    def __init__(self, user: WebSocketUser) -> None:
        self.user = user
        self.parts: Parts = {}
        self.figures = (-1, -1)
        self.told: dict[str, Any] = {}

    async def next(self) -> dict[str, Any]:
        """The next message; its one lot."""
        (self.told,) = (await self.user.on("parking"))["data"]
        self.parts |= parts_of(self.told)
        self.figures = (self.told["inside"], self.told["capacity"])
        return self.told

    async def until(self, inside: int, capacity: int) -> None:
        while self.figures != (inside, capacity):
            await self.next()


async def follow(user: WebSocketUser, *lots: str, **more: Any) -> dict[str, Any]:
    return await user.ask("subscribe", channels=["parking"], lots=list(lots), **more)


async def operate(small: SmallKerb, *commands: AnyCommand) -> None:
    for command in commands:
        applied = await small.services.runtime.execute(command, Envelope(Source.OPERATOR))
        assert applied.refused is None


async def agrees(small: SmallKerb, watcher: Watcher) -> None:
    """What the watcher knows is what GET says."""
    shown = (await small.anonymous()("GET", "/parking/lots/lot_P1/occupancy")).data
    assert watcher.figures == (shown["inside"], shown["capacity"])
    assert {part: figures for part, figures in watcher.parts.items() if figures[1]} == parts_of(shown)


async def test_a_car_park_is_told_whole_and_then_what_changes_in_both_forms(small: SmallKerb) -> None:
    await car_park(small)
    async with connected(small) as user, connected(small, **PROTO) as binary:
        watchers = [Watcher(user), Watcher(binary)]
        for watcher in watchers:
            answer = await follow(watcher.user, "lot_P1", "lot_P2")
            assert answer["channels"] == {"parking": {"lots": ["lot_P1"], "interval_ms": 150}}
            assert answer["errors"] == [{"lot_id": "lot_P2", "code": "PARKING_LOT_NOT_FOUND"}]
            await watcher.next()
            assert (watcher.figures, len(watcher.parts)) == ((0, 8), 7)
        driver = await small.trader("driver", cash="100")
        vehicle_id = int((await vehicle(small, driver))["vehicle_id"].removeprefix("veh_"))
        await go_in(small, small.world.state.parking.vehicles[vehicle_id].plate)
        for watcher in watchers:
            told = await watcher.next()
            assert (told["inside"], [each["vehicles"] for each in told["parts"]]) == (1, [1])
            await agrees(small, watcher)
        assert watchers[0].told == watchers[1].told


async def test_a_change_of_the_estate_is_told_too_also_of_a_lot_that_is_new(small: SmallKerb) -> None:
    await car_park(small)
    async with connected(small) as user:
        watcher = Watcher(user)
        await follow(user, "lot_P1")
        await watcher.until(0, 8)
        await many_spaces(small)
        await watcher.until(0, 48)
        await operate(small, replace(SPACES[0], state=SpaceState.MAINTENANCE))
        await watcher.until(0, 47)
        await operate(small, replace(SPACES[3], space_type=SPACES[0].space_type))
        while watcher.parts["G", "LARGE"] != (0, 0):
            await watcher.next()
        await agrees(small, watcher)
        await operate(small, replace(LOT, lot="P2"))
        await follow(user, "lot_P2")
        (other,) = (await user.on("parking"))["data"]
        assert (other["lot_id"], other["inside"], other["capacity"], other["parts"]) == ("lot_P2", 0, 0, [])


async def test_a_restart_knows_who_is_inside(small: SmallKerb) -> None:
    await car_park(small)
    driver = await small.trader("driver", cash="100")
    ticket = {"lot_id": "lot_P1", "plate": "W1"}
    assert (await driver("POST", "/parking/tickets", ticket)).status == 201
    await go_in(small, "W1")
    again = MarketView()
    again.seed(small.services.runtime.state, now_us=small.services.runtime.now_us())
    before, after = small.services.market.parking.lots["lot_P1"], again.parking.lots["lot_P1"]
    assert (after.inside, after.capacity) == (before.inside, before.capacity) == (1, 8)
    shown = [
        {part: (view.vehicles, view.spaces) for part, view in lot.parts_after(-1)} for lot in (before, after)
    ]
    assert shown[0] == shown[1]


async def test_a_change_is_told_within_200_ms_and_never_at_a_slower_cadence(small: SmallKerb) -> None:
    await car_park(small)
    driver = await small.trader("driver", cash="100")
    async with connected(small) as user:
        answer = await follow(user, "lot_P1", interval_ms=1_000)
        assert answer["channels"]["parking"]["interval_ms"] == 150
        quotes = await user.ask("subscribe", channels=["quotes"], symbols=["AAPL"], interval_ms=1_000)
        assert quotes["channels"]["quotes"]["interval_ms"] == 150
        quick = await user.ask("subscribe", channels=["quotes"], symbols=["AAPL"], interval_ms=100)
        assert quick["channels"]["quotes"]["interval_ms"] == 100
        watcher = Watcher(user)
        await watcher.until(0, 8)
        took = []
        for number in range(3):
            ticket = {"lot_id": "lot_P1", "plate": f"W{number}"}
            assert (await driver("POST", "/parking/tickets", ticket)).status == 201
            await go_in(small, f"W{number}")
            began = perf_counter()
            await watcher.until(number + 1, 8)
            took.append(perf_counter() - began)
        assert min(took) < 0.2


async def test_what_is_unfollowed_is_told_no_more_and_lots_are_asked_for(small: SmallKerb) -> None:
    await car_park(small)
    await operate(small, replace(LOT, lot="P2"))
    async with connected(small) as user:
        refused = await user.ask("subscribe", channels=["parking"], symbols=["AAPL"])
        assert (refused["code"], refused["details"]["field"]) == ("BAD_REQUEST", "lots")
        bad = await user.ask("subscribe", channels=["parking"], lots=["P1"])
        assert bad["code"] == "BAD_REQUEST"
        resumed = await follow(user, "lot_P1", resume_from=1)
        assert resumed["details"]["field"] == "resume_from"
        await follow(user, "lot_P1", "lot_P2")
        (outlet,) = small.services.hub.outlets
        assert set(outlet.follows["parking"]) == {"lot_P1", "lot_P2"}
        await user.ask("unsubscribe", channels=["parking"], lots=["lot_P2"])
        assert set(outlet.follows["parking"]) == {"lot_P1"}
        await user.ask("unsubscribe", channels=["parking"])
        assert not outlet.follows["parking"]


def as_told(shown: dict[str, Any]) -> dict[str, Any]:
    """A booking of GET as its channel tells it."""
    price = shown["price"]
    told = {name: value for name, value in shown.items() if name != "price"}
    return {**told, "total": price["total"], "tax": price["tax"], "currency": price["currency"]}


async def extended(user: Client, booking_id: str) -> dict[str, Any]:
    reply = await user("POST", f"/parking/bookings/{booking_id}/extend", {"to": "2023-11-20T11:00:00Z"})
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.data
    return found


async def test_own_bookings_are_told_as_get_has_them_and_nobody_else_s(small: SmallKerb) -> None:
    user, other = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    async with (
        connected(small, user) as stream,
        connected(small, user, **PROTO) as binary,
        connected(small, other) as stranger,
    ):
        for each in (stream, binary, stranger):
            await each.ask("subscribe", channels=["bookings"])
        booking_id = (await booking(small, user))["booking_id"]
        made = (await user("GET", f"/parking/bookings/{booking_id}")).data
        longer = await extended(user, booking_id)
        await operate(small, CancelBooking(int(booking_id.removeprefix("bkg_"))))
        messages = [await stream.on("bookings") for _ in range(3)]
        assert [message["data"] for message in messages[:2]] == [as_told(made), as_told(longer)]
        assert (messages[2]["data"]["status"], messages[2]["data"]["held"]) == ("CANCELLED", 0)
        assert follow_each_other(messages)
        assert [await binary.on("bookings") for _ in range(3)] == messages
        body = await at_a_car_park(small, other)
        times = {"from": "2023-11-20T08:00:00Z", "to": "2023-11-20T10:00:00Z"}
        theirs = await other("POST", "/parking/bookings", {**body, **times})
        assert (await stranger.on("bookings"))["data"]["booking_id"] == theirs.data["booking_id"]
        assert not [each for each in stream.inbox if each.get("channel") == "bookings"]


async def test_who_comes_back_is_told_of_the_bookings_that_were_missed(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    known = (await user("GET", "/parking/bookings")).meta["as_of_seq"]
    booking_id = (await booking(small, user))["booking_id"]
    await extended(user, booking_id)
    async with connected(small, user) as stream:
        answer = await stream.ask("subscribe", channels=["bookings"], resume_from=known)
        assert answer["channels"] == {"bookings": {"seq": known}}
        missed = [await stream.on("bookings") for _ in range(2)]
        assert (await user("DELETE", f"/parking/bookings/{booking_id}")).status == 200
        live = await stream.on("bookings")
    assert [message["data"]["status"] for message in (*missed, live)] == ["CONFIRMED"] * 2 + ["CANCELLED"]
    assert missed[0]["prev_seq"] <= known < missed[0]["seq"]
    assert follow_each_other([*missed, live])
