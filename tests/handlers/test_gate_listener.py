"""The gates' port: handshakes, lines, what ends a connection, what gates are sent, all over real sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.settings import Settings
from engine.kinds import Source
from engine.parking.commands import RevokeTag
from engine.parking.gate_commands import OperateGate, RenewGateKey
from engine.parking.gate_kinds import GateOrder
from server.gate_client import GateClient, GateRefused, body_of
from server.gate_messages import Ack, AllowList, Decision, GateCommand
from server.gate_protocol import Fault
from tests.handlers.gate_yard import AT, IN, OUT, TAG, GateYard, hasty, open_yard

HELLO = b'{"type":"hello","gate_id":"gat_in","nonce":"%b","firmware":"","protocol":1}\n' % (b"0" * 32)


@pytest.fixture
async def yard(tmp_path: Path, settings: Settings) -> AsyncIterator[GateYard]:
    async with open_yard(tmp_path, settings.gate) as opened:
        yield opened


async def answer_to(yard: GateYard, data: bytes) -> bytes:
    """All that the server says to somebody who sends this and then waits until the connection ends."""
    reader, writer = await asyncio.open_connection(*yard.address)
    writer.write(data)
    answered = b""
    try:
        while piece := await reader.read(65_536):
            answered += piece
    except ConnectionResetError:
        pass
    writer.close()
    return answered


async def test_a_vehicle_is_let_in_and_out(yard: GateYard) -> None:
    entry, leave = await yard.connect(IN), await yard.connect(OUT)
    assert entry.welcome is not None
    assert (entry.welcome.lot_id, entry.welcome.direction, entry.welcome.n) == ("lot_P1", "ENTRY", 0)
    assert await entry.scan(TAG, AT) == Decision(1, True, "WALLET", "S-1", "Welcome")
    assert await entry.report("passed", lane=1, at=AT) == Ack(2)
    answer = await leave.scan(TAG, AT)
    assert answer.open
    assert await leave.report("passed", lane=1, at=AT) == Ack(2)
    assert not (await leave.scan(TAG, AT)).open


async def test_a_scan_is_answered_when_it_is_durable(yard: GateYard) -> None:
    gate = await yard.connect()
    runtime = yard.runtime
    await gate.scan(TAG, AT)
    assert runtime.durable_seq == runtime.state.seq


async def test_the_same_line_again_is_answered_as_before_and_has_one_effect(yard: GateYard) -> None:
    gate = await yard.connect()
    scan, passed = body_of("scan", 1, tag=TAG, lane=1, at=AT), body_of("passed", 2, lane=1, at=AT)
    first, acked = await gate.ask(scan, 1), await gate.ask(passed, 2)
    lines = yard.state.parking.gate_states[IN].lines
    assert await gate.ask(scan, 1) == first
    gate.close()
    again = await yard.connect()
    assert again.welcome is not None
    assert again.welcome.n == 2
    assert await again.ask(passed, 2) == acked
    assert await again.ask(scan, 1) == first
    assert (yard.state.parking.gate_states[IN].lines, yard.inside()) == (lines, {"KERB1"})


@pytest.mark.parametrize("n", [5, 4, 1])
async def test_another_line_at_or_below_the_highest_counter_ends_the_connection(
    yard: GateYard, n: int
) -> None:
    gate = await yard.connect()
    await gate.ask(body_of("scan", 5, tag=TAG, lane=1, at=AT), 5)
    with pytest.raises(GateRefused):
        await gate.ask(body_of("scan", n, tag=TAG, lane=1, at="2026-01-15T08:00:01Z"), n)
    assert yard.hub.faults.counts[Fault.WRONG_COUNTER] == 1


async def test_a_heartbeat_is_answered_and_its_counter_is_used(yard: GateYard) -> None:
    gate = await yard.connect()
    assert (await gate.report("heartbeat")).n == 1
    for kind, members in (("heartbeat", {}), ("passed", {"lane": 1, "at": AT})):
        again = await yard.connect(n=gate.n)
        await again.report("heartbeat")
        with pytest.raises(GateRefused):
            await again.ask(body_of(kind, again.n, **members), again.n)
    assert yard.hub.faults.counts[Fault.WRONG_COUNTER] == 2


async def test_a_newer_connection_of_the_same_gate_replaces_the_older(yard: GateYard) -> None:
    older = await yard.connect()
    newer = await yard.connect()
    await older.closed
    assert (await newer.scan(TAG, AT)).open
    assert yard.hub.faults.counts[Fault.REPLACED] == 1
    assert len(yard.hub.links) == 1


@pytest.mark.parametrize(
    ("gate_id", "code", "fault"),
    [
        ("gat_in", OUT, Fault.WRONG_PROOF),
        ("gat_nowhere", IN, Fault.UNKNOWN_GATE),
    ],
)
async def test_who_cannot_prove_it_gets_a_challenge_and_nothing_more(
    yard: GateYard, gate_id: str, code: str, fault: Fault
) -> None:
    with pytest.raises(GateRefused):
        await GateClient.connect(yard.address, gate_id, yard.secret(code))
    assert yard.hub.faults.counts[fault] == 1
    assert not yard.hub.links


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", Fault.BAD_LINE),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n", Fault.BAD_LINE),
        (b"x" * 4_096, Fault.LINE_TOO_LONG),
        (HELLO.replace(b'"protocol":1', b'"protocol":0'), Fault.WRONG_PROTOCOL),
        (HELLO.replace(b"gat_in", b"gat_'; DROP TABLE gates; --"), Fault.BAD_LINE),
        (HELLO.replace(b"gat_in", b"gat_\\u0000"), Fault.BAD_LINE),
    ],
)
async def test_what_is_no_hello_is_ended_without_a_word(yard: GateYard, data: bytes, fault: Fault) -> None:
    assert await answer_to(yard, data) == b""
    assert yard.hub.faults.counts[fault] == 1


async def test_lines_before_the_proof_open_nothing(yard: GateYard) -> None:
    scan = body_of("scan", 1, tag=TAG, lane=1, at=AT) + b',"mac":"' + b"0" * 64 + b'"}\n'
    answered = await answer_to(yard, HELLO + scan)
    assert answered.count(b"\n") == 1
    assert b"challenge" in answered
    assert yard.hub.faults.counts[Fault.BAD_LINE] == 1


async def test_a_line_of_another_session_is_not_taken(yard: GateYard) -> None:
    gate = await yard.connect()
    body = body_of("scan", 1, tag=TAG, lane=1, at=AT)
    await gate.ask(body, 1)
    other = await yard.connect(OUT)
    other.key = gate.key
    with pytest.raises(GateRefused):
        await other.ask(body, 1)
    assert yard.hub.faults.counts[Fault.WRONG_MAC] == 1


async def test_slow_handshakes_and_silent_gates_are_ended(tmp_path: Path, settings: Settings) -> None:
    async with open_yard(tmp_path, hasty(settings.gate)) as yard:
        gate = await yard.connect()
        assert gate.transport is not None
        assert await answer_to(yard, HELLO[:20]) == b""
        assert yard.hub.faults.counts[Fault.HANDSHAKE_TIMEOUT] == 1
        await gate.closed
        assert yard.hub.faults.counts[Fault.SILENT] == 1


async def test_connections_are_bounded_by_address_and_in_all(tmp_path: Path, settings: Settings) -> None:
    few = replace(settings.gate, connections_max=4, connections_per_address_max=3)
    async with open_yard(tmp_path, few) as yard:
        held = [await asyncio.open_connection(*yard.address) for _ in range(4)]
        oldest, _ = held[0]
        with suppress(ConnectionResetError):
            assert await oldest.read() == b""
        assert yard.hub.faults.counts[Fault.TOO_MANY_CONNECTIONS] == 1
        assert (await (await yard.connect()).scan(TAG, AT)).open
        assert yard.hub.faults.counts[Fault.TOO_MANY_CONNECTIONS] == 2
        for _, writer in held:
            writer.close()
            with suppress(ConnectionResetError):
                await writer.wait_closed()


async def test_an_operators_word_reaches_the_connected_gate(yard: GateYard) -> None:
    said: list[GateCommand | AllowList] = []
    gate = await GateClient.connect(yard.address, "gat_in", yard.secret(IN), on_unasked=said.append)
    yard.do(OperateGate(IN, GateOrder.LOCK, 0, "works"))
    assert not (await gate.scan(TAG, AT)).open
    yard.do(OperateGate(IN, GateOrder.UNLOCK, 0, "done"))
    assert (await gate.scan(TAG, AT)).open
    commands = [each for each in said if isinstance(each, GateCommand)]
    assert [(each.n, each.do, each.by, each.locked) for each in commands] == [
        (1, "LOCK", "usr_7", True),
        (2, "SYNC", "usr_7", False),
    ]


async def test_a_new_secret_ends_the_connection_and_the_old_secret(yard: GateYard) -> None:
    gate, old = await yard.connect(), yard.secret(IN)
    yard.do(RenewGateKey(IN))
    await gate.closed
    with pytest.raises(GateRefused):
        await GateClient.connect(yard.address, "gat_in", old)
    assert (await (await yard.connect()).scan(TAG, AT)).open


async def test_a_list_comes_with_the_connection_and_anew_when_a_tag_is_revoked(yard: GateYard) -> None:
    lists: asyncio.Queue[AllowList] = asyncio.Queue()

    def hear(message: GateCommand | AllowList) -> None:
        if isinstance(message, AllowList):
            lists.put_nowait(message)

    gate = await GateClient.connect(yard.address, "gat_in", yard.secret(IN), on_unasked=hear)
    first = await lists.get()
    assert (first.part, first.parts, first.entries) == (1, 1, (TAG,))
    yard.do(RevokeTag(TAG, "lost"), Source.OPERATOR)
    assert (await gate.scan(TAG, AT)).reason == "TAG_REVOKED"
    second = await lists.get()
    assert second.entries == ()
    assert second.version > first.version


async def test_a_shutdown_answers_what_was_taken(yard: GateYard) -> None:
    gate = await yard.connect()
    answers = [gate.report("scan", tag=TAG, lane=1, at=AT) for _ in range(20)]
    async with asyncio.timeout(10):
        while yard.hub.links["in"].n < 20:
            await asyncio.sleep(0)
    await yard.listener.stop()
    assert [(await answer).n for answer in answers] == list(range(1, 21))
    await gate.closed
    with pytest.raises(ConnectionRefusedError):
        await yard.connect()


async def test_every_refused_try_is_in_the_log_once(yard: GateYard, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kerb.gates")
    for _ in range(50):
        await answer_to(yard, b"nonsense\n")
    yard.hub.faults.flush()
    lines = [record.message for record in caplog.records if record.name == "kerb.gates"]
    single = [line for line in lines if line.startswith("refused BAD_LINE from 127.0.0.1")]
    assert len(single) == 20
    assert [line for line in lines if "more" in line] == ["refused 30 more: BAD_LINE 30"]
