"""A plain RFID reader as a gate, over real sockets: a reader that speaks LLRP, and a car park on a real engine and journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.reader_settings import ReaderSettings
from config.settings import Settings
from engine.parking.gate_commands import OperateGate
from engine.parking.gate_kinds import GateOrder
from engine.parking.kinds import DecisionReason
from handlers.reader_connections import Readers
from server.llrp_codec import Kind, LlrpFault, TagReport, tlv
from server.llrp_gate import SCANS_A_SECOND_MAX
from tests.handlers.gate_yard import IN, OUT, TAG, GateYard, open_yard
from tests.handlers.llrp_reader import LlrpReader, open_reader

GPO = 2
OTHER = "E28011600000000000000002"
SETUP = [Kind.SET_READER_CONFIG, Kind.DELETE_ROSPEC, Kind.ADD_ROSPEC, Kind.ENABLE_ROSPEC, Kind.START_ROSPEC]


@pytest.fixture
async def yard(tmp_path: Path, settings: Settings) -> AsyncIterator[GateYard]:
    async with open_yard(tmp_path, settings.gate) as opened:
        yield opened


@pytest.fixture
async def device() -> AsyncIterator[LlrpReader]:
    async with open_reader() as opened:
        yield opened


@asynccontextmanager
async def connected(
    yard: GateYard, device: LlrpReader, code: str = IN, lane: int = 1
) -> AsyncIterator[Readers]:
    """Kerb's side, with pauses that a test can wait for."""
    table = ReaderSettings(
        host="127.0.0.1",
        port=device.port,
        gate=f"gat_{code}",
        lane=lane,
        gpo=GPO,
        open_ms=100,
        hold_s=1,
        rssi_min_dbm=-70,
    )
    readers = Readers(yard.runtime, yard.hub, (table,), pause_s=0.01)

    async def tick() -> None:
        while True:
            readers.tick()
            await asyncio.sleep(0.02)

    ticking = asyncio.get_running_loop().create_task(tick())
    try:
        yield readers
    finally:
        ticking.cancel()
        await readers.stop()


@asynccontextmanager
async def ready(yard: GateYard, device: LlrpReader, code: str = IN, lane: int = 1) -> AsyncIterator[Readers]:
    """Connected, and looking for tags."""
    async with connected(yard, device, code, lane) as readers:
        await device.until(lambda: readers.ready == 1 and bool(device.outputs))
        yield readers


def lines(yard: GateYard, code: str = IN) -> int:
    """The highest counter of a gate: how many lines it has sent."""
    return yard.state.parking.gate_states[code].n


def reasons(yard: GateYard, code: str = IN) -> list[DecisionReason]:
    """What the scans of a gate were answered, the oldest first."""
    kept = [line for (gate, _), line in yard.state.parking.gate_lines.items() if gate == code and line.reason]
    return [DecisionReason(line.reason) for line in sorted(kept, key=lambda line: line.n)]


async def test_a_reader_is_told_what_to_do_step_by_step(yard: GateYard, device: LlrpReader) -> None:
    async with ready(yard, device):
        assert device.asked == [*SETUP, Kind.SET_READER_CONFIG]
        assert device.keepalive_ms == 5_000
        assert device.outputs == [(GPO, False)]
        device.send(Kind.KEEPALIVE, number=77)
        await device.until(lambda: device.acks == [77])
    await device.until(lambda: device.asked[-1] is Kind.CLOSE_CONNECTION)


async def test_many_reports_of_a_tag_are_one_scan_and_the_barrier_opens_once(
    yard: GateYard, device: LlrpReader
) -> None:
    async with ready(yard, device):
        for _ in range(50):
            device.sees(TagReport(TAG, 1, 1_768_464_000_000_000, -55), TagReport(TAG, 2))
        await device.until(lambda: (GPO, True) in device.outputs)
        assert yard.runtime.durable_seq == yard.state.seq
        await device.until(lambda: device.outputs == [(GPO, False), (GPO, True), (GPO, False)])
        assert lines(yard) == 1
        assert not yard.inside()
        await device.until(lambda: bool(yard.inside()))
        assert lines(yard) == 2
        assert reasons(yard) == [DecisionReason.WALLET]
        assert (yard.hub.desk.opened, yard.hub.desk.refused) == (1, 0)


async def test_who_came_in_by_one_reader_leaves_by_another(yard: GateYard, device: LlrpReader) -> None:
    async with open_reader() as leaving, ready(yard, device), ready(yard, leaving, OUT):
        device.sees(TagReport(TAG))
        await device.until(lambda: bool(yard.inside()))
        leaving.sees(TagReport(TAG))
        await leaving.until(lambda: not yard.inside())
        assert (GPO, True) in leaving.outputs


async def test_who_may_not_pass_opens_nothing_and_is_asked_once(yard: GateYard, device: LlrpReader) -> None:
    async with ready(yard, device):
        for _ in range(20):
            device.sees(TagReport(OTHER))
        await device.until(lambda: yard.hub.desk.refused == 1)
        assert reasons(yard) == [DecisionReason.UNKNOWN_TAG]
        assert (GPO, True) not in device.outputs


async def test_weak_reports_and_what_is_no_tag_are_nothing(yard: GateYard, device: LlrpReader) -> None:
    async with ready(yard, device, lane=0):
        device.sees(TagReport(TAG, 1, 0, -71), TagReport(""), TagReport("E280"), TagReport(TAG, 65))
        device.sees(TagReport(OTHER, 1, 0, -70))
        await device.until(lambda: yard.hub.desk.refused == 1)
        assert lines(yard) == 1


async def test_who_waits_behind_another_is_let_in_after_that(yard: GateYard, device: LlrpReader) -> None:
    yard.add_vehicle(5_001, "KERB2", OTHER)
    async with ready(yard, device):
        device.sees(TagReport(TAG))
        device.sees(TagReport(OTHER))
        await device.until(lambda: len(reasons(yard)) == 2)
        assert reasons(yard) == [DecisionReason.WALLET, DecisionReason.LANE_BUSY]

        def second_in() -> bool:
            device.sees(TagReport(OTHER))
            return reasons(yard)[-1] is DecisionReason.WALLET and device.outputs.count((GPO, True)) == 2

        await device.until(second_in)


async def test_operators_open_and_lock_a_reader_as_any_gate(yard: GateYard, device: LlrpReader) -> None:
    async with ready(yard, device):
        yard.do(OperateGate(IN, GateOrder.OPEN, 1, "fire drill"))
        await device.until(lambda: (GPO, True) in device.outputs)
        yard.do(OperateGate(IN, GateOrder.LOCK, 0, "closed"))
        device.sees(TagReport(TAG))
        await device.until(lambda: yard.hub.desk.refused == 1)
        assert reasons(yard) == [DecisionReason.GATE_LOCKED]
        assert device.outputs.count((GPO, True)) == 1


async def test_a_lost_reader_is_connected_again_and_its_counter_goes_on(
    yard: GateYard, device: LlrpReader
) -> None:
    async with ready(yard, device) as readers:
        device.sees(TagReport(OTHER))
        await device.until(lambda: yard.hub.desk.refused == 1)
        device.hang_up()
        await device.until(lambda: device.connections == 2 and readers.ready == 1)
        device.sees(TagReport(TAG))
        await device.until(lambda: yard.hub.desk.opened == 1)
        assert lines(yard) == 2
        assert readers.faults[LlrpFault.CLOSED] == 1


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x04\x3d\xff\xff\xff\xff\0\0\0\1", LlrpFault.BAD_LENGTH),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", LlrpFault.BAD_LENGTH),
        (b"\x00\x3d\0\0\0\x0a\0\0\0\1", LlrpFault.BAD_VERSION),
        (b"\x04\x3d\0\0\0\x0f\0\0\0\1\0\xf0\xff\xff\0", LlrpFault.BAD_PARAMETER),
        (b"\x04\x1e\0\0\0\x12\0\0\0\x63\1\x1f\0\x08\0\0\0\0", LlrpFault.UNEXPECTED),
        (b"\x04\x64\0\0\0\x12\0\0\0\0\1\x1f\0\x08\0\x6d\0\0", LlrpFault.REFUSED),
    ],
)
async def test_bytes_that_are_none_of_the_protocol_end_the_connection_logged_once(
    yard: GateYard, device: LlrpReader, data: bytes, fault: LlrpFault, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "kerb.gates"):
        async with ready(yard, device) as readers:
            device.send_bytes(data)
            await device.until(lambda: device.connections == 2 and readers.ready == 1)
            assert readers.faults[fault] == 1
            assert sum(readers.faults.values()) == 1
    [record] = caplog.records
    assert fault.value in record.message
    assert lines(yard) == 0


@pytest.mark.parametrize(
    ("attempt", "refuses", "fault"),
    [(3, None, LlrpFault.NOT_ADMITTED), (0, Kind.ADD_ROSPEC, LlrpFault.REFUSED)],
)
async def test_a_reader_that_does_not_do_it_is_asked_again_and_again_and_logged_once(
    yard: GateYard,
    device: LlrpReader,
    attempt: int,
    refuses: Kind | None,
    fault: LlrpFault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    device.attempt, device.refuses = attempt, refuses
    with caplog.at_level(logging.WARNING, "kerb.gates"):
        async with connected(yard, device) as readers:
            await device.until(lambda: readers.faults[fault] >= 3)
            assert readers.ready == 0
    assert len(caplog.records) == 1


async def test_a_gate_has_one_voice(
    yard: GateYard, device: LlrpReader, caplog: pytest.LogCaptureFixture
) -> None:
    controller = await yard.connect(IN)
    async with ready(yard, device):
        for _ in range(5):
            device.sees(TagReport(TAG))
        device.send(Kind.KEEPALIVE, number=1)
        await device.until(lambda: device.acks == [1])
    assert lines(yard) == 0
    assert [record.message for record in caplog.records if "controller" in record.message] == [
        "reader of gat_in: a gate controller is connected as this gate"
    ]
    controller.close()


async def test_a_reader_that_makes_tags_up_is_bounded(yard: GateYard, device: LlrpReader) -> None:
    async with ready(yard, device):
        device.sees(*[TagReport(f"E28011600000{number:012X}") for number in range(1, 1_001)])
        device.send(Kind.KEEPALIVE, number=1)
        await device.until(lambda: device.acks == [1])
        assert 0 < lines(yard) <= 2 * SCANS_A_SECOND_MAX


async def test_messages_and_parameters_that_kerb_does_not_know_are_passed_over(
    yard: GateYard, device: LlrpReader
) -> None:
    async with ready(yard, device) as readers:
        device.send(1_023, b"anything")
        device.send(Kind.RO_ACCESS_REPORT, tlv(1_023, b"of a maker"))
        device.sees(TagReport(TAG))
        await device.until(lambda: yard.hub.desk.opened == 1)
        assert sum(readers.faults.values()) == 0
