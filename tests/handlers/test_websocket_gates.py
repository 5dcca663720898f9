"""What happens at gates, told to the operators of the car park: durable, in order, resumable, and to nobody else."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.booking_events import FindingReported
from engine.parking.commands import AttachTag, RevokeTag, SetGate
from engine.parking.gate_commands import RenewGateKey, ReportPassage, ScanTag
from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import Direction, FindingKind
from engine.units import IDS_PER_SEQ
from server.codec import Record
from server.gate_client import GateClient
from server.gate_stream import gate_entries
from tests.engine.parking.parking_world import LOT
from tests.handlers.parking_people import car_park, go_in, vehicle
from tests.handlers.small_kerb import SmallKerb
from tests.handlers.test_websocket_private import follow_each_other
from tests.handlers.websocket_user import Message, WebSocketUser, connected

PROTO: dict[str, Any] = {"protocols": ("kerb.v1.proto",)}
TAG = "E28011600000000000000001"


async def do(small: SmallKerb, command: AnyCommand, source: Source = Source.OPERATOR) -> None:
    applied = await small.services.runtime.execute(command, Envelope(source))
    assert applied.refused is None, applied.refused


async def heard(user: WebSocketUser, count: int) -> list[Message]:
    return [await user.on("gates") for _ in range(count)]


def told(messages: list[Message]) -> list[tuple[str, str | None, bool | None, bool]]:
    """(kind, reason, open, alarm) of each."""
    found = []
    for message in messages:
        data = message["data"]
        found.append((data["kind"], data["reason"], data["open"], data["alarm"]))
    return found


async def test_scans_passages_findings_and_orders_are_told_in_both_forms_and_stand_in_the_access_log(
    small: SmallKerb,
) -> None:
    await car_park(small)
    await do(small, RenewGateKey("P1-in"))
    operator = await small.admin()
    async with connected(small, operator) as user, connected(small, operator, **PROTO) as binary:
        for each in (user, binary):
            answer = await each.ask("subscribe", channels=["gates"], lots=["lot_P1", "lot_NONE"])
            assert answer["channels"]["gates"]["lots"] == ["lot_P1"]
            assert answer["errors"] == [{"lot_id": "lot_NONE", "code": "PARKING_LOT_NOT_FOUND"}]
        driver = await small.trader("driver", cash="100")
        vehicle_id = int((await vehicle(small, driver))["vehicle_id"].removeprefix("veh_"))
        await go_in(small, small.world.state.parking.vehicles[vehicle_id].plate)
        now_us = small.services.runtime.now_us()
        await do(small, AttachTag(TAG, vehicle_id))
        await do(small, RevokeTag(TAG, "lost"))
        await do(small, ScanTag("P1-in", 3, b"3", 1, now_us, CredentialKind.TAG, TAG), Source.GATE)
        await do(small, ReportPassage("P1-in", 4, b"4", 1, now_us, passed=True), Source.GATE)
        lock = {"command": "LOCK", "reason": "works in the lane"}
        await operator("POST", "/admin/parking/gates/gat_P1-in/commands", lock)
        messages = await heard(user, 5)
        assert told(messages) == [
            ("DECISION", "WALLET", True, False),
            ("PASSED", "ENTRY", None, False),
            ("DECISION", "TAG_REVOKED", False, True),
            ("FINDING", "TAILGATING", None, True),
            ("ORDER", "LOCK", None, False),
        ]
        assert follow_each_other(messages)
        ordered = messages[-1]["data"]
        assert (ordered["operator_id"], ordered["what"]) == (operator.user_id, "works in the lane")
        assert await heard(binary, 5) == messages
    logs = await operator("GET", "/admin/parking/access-logs?lot_id=lot_P1&limit=5")
    shown = [{name: row[name] for name in row} for row in reversed(logs.data)]
    assert [{name: each["data"][name] for name in shown[0]} for each in messages] == shown
    assert (await operator("GET", "/admin/parking/access-logs?lot_id=lot_P2")).data == []


async def test_a_gate_that_connects_and_is_lost_is_told_and_nothing_before_it_is_durable(
    small: SmallKerb,
) -> None:
    await car_park(small)
    operator = await small.admin()
    given = await operator("POST", "/admin/parking/gates/gat_P1-in/secret")
    address = ("127.0.0.1", small.services.gate_port)
    async with connected(small, operator) as user:
        await user.ask("subscribe", channels=["gates"], lots=["lot_P1"])
        secret = bytes.fromhex(given.data["secret"])
        first = await GateClient.connect(address, "gat_P1-in", secret)
        second = await GateClient.connect(address, "gat_P1-in", secret)
        await first.closed
        assert second.transport is not None
        second.transport.write(b"no line of the protocol\n")
        messages = await heard(user, 3)
        assert told(messages) == [
            ("CONNECTED", None, None, False),
            ("CONNECTED", None, None, False),
            ("LOST", None, None, True),
        ]
        assert [message["data"]["what"] for message in messages] == [None, "REPLACED", "WRONG_MAC"]
        assert messages[-1]["seq"] <= small.services.runtime.durable_seq
        assert not small.world.state.parking.gate_states["P1-in"].connected


async def test_who_comes_back_is_told_what_was_missed_and_each_car_park_is_a_stream_of_its_own(
    small: SmallKerb,
) -> None:
    await car_park(small)
    await do(small, replace(LOT, lot="P2"))
    await do(small, SetGate("P2-in", "P2", "In", Direction.ENTRY))
    known = small.world.state.seq
    for gate in ("P1-in", "P2-in", "P1-in", "P2-in"):
        await do(small, RenewGateKey(gate))
    operator = await small.admin()
    async with connected(small, operator) as user:
        answer = await user.ask("subscribe", channels=["gates"], lots=["lot_P1"], resume_from=known)
        assert answer["channels"] == {"gates": {"lots": ["lot_P1"], "seq": known}}
        mine = await heard(user, 2)
        assert [message["data"]["lot_id"] for message in mine] == ["lot_P1"] * 2
        assert follow_each_other(mine)
        await user.ask("subscribe", channels=["gates"], lots=["lot_P2"])
        await user.ask("unsubscribe", channels=["gates"], lots=["lot_P1"])
        for gate in ("P1-in", "P2-in"):
            await do(small, RenewGateKey(gate))
        assert (await user.on("gates"))["data"]["lot_id"] == "lot_P2"
        await user.send(
            {"action": "subscribe", "channels": ["gates"], "lots": ["lot_P2"], "resume_from": 2**60}
        )
        resync = await user.find(lambda message: message.get("type") == "resync_required")
        assert (resync["channel"], resync["lot_id"]) == ("gates", "lot_P2")
        await user.ask("unsubscribe", channels=["gates"])
        assert not next(iter(small.services.hub.outlets)).cursors
        refused = await user.ask("subscribe", channels=["gates"])
        assert (refused["code"], refused["details"]["field"]) == ("BAD_REQUEST", "lots")


async def test_what_is_found_in_a_car_park_is_told_with_its_space(small: SmallKerb) -> None:
    await car_park(small)
    parking = small.world.state.parking
    found = FindingReported(FindingKind.SPACE_CONTESTED, "P1", 2, 17, 18)
    record = Record(9, 1_000_000, Envelope(Source.TIMER), RevokeTag(TAG, ""), (found,))
    (entry,) = gate_entries(record, found, parking.gates)
    encode = small.services.hub.private._encoders[type(entry)]
    data = msgspec.json.decode(encode(entry))
    assert (data["kind"], data["reason"], data["alarm"]) == ("FINDING", "SPACE_CONTESTED", True)
    assert (data["entry_id"], data["gate_id"], data["lot_id"]) == (None, None, "lot_P1")
    assert data["space"] == parking.space_at("P1", 2).number
    assert (data["booking_id"], data["stay_id"]) == ("bkg_18", "sty_17")


async def test_gates_that_were_connected_when_the_server_ended_are_told_lost(small: SmallKerb) -> None:
    hub = small.services.gates
    assert hub is not None
    await car_park(small)
    await do(small, RenewGateKey("P1-in"))
    operator = await small.admin()
    async with connected(small, operator) as user:
        await user.ask("subscribe", channels=["gates"], lots=["lot_P1"])
        hub.note_link("P1-in", True, "")
        await heard(user, 1)
        hub.note_restart()
        (lost,) = await heard(user, 1)
        assert (lost["data"]["kind"], lost["data"]["what"]) == ("LOST", "RESTART")
        assert lost["data"]["entry_id"] == f"acl_{lost['seq'] * IDS_PER_SEQ}"
