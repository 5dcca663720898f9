"""The runtime: one way in, time that never goes back, timers before commands, and nothing shown after a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import server.runtime
from engine.apply import ENGINE_VERSION, Applied
from engine.commands import CancelAll, Deposit, Envelope, OpenAccount, SetCalendar, SetFees, SetInstrument
from engine.events import AccountOpened, DayEnded, PhaseChanged, Traded
from engine.kinds import AccountKind, Phase, PriceSource, Source
from engine.refusals import Refusal
from engine.state import State
from server.codec import Record
from server.errors import Overloaded, ReadOnly, ShuttingDown
from server.exit_codes import ExitCode
from server.journal import Journal
from server.journal_errors import JournalFailed
from server.poison import PoisonBox
from server.replay import replay
from server.runtime import Gate, Runtime

SYSTEM = Envelope(Source.CONFIG)
HOUR_US = 3_600_000_000


class SetClock:
    def __init__(self, us: int) -> None:
        self.us = us

    def now_us(self) -> int:
        return self.us


class Desk:
    """A runtime over a real journal, its clock, and what it said when it ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SetClock(1_000 * HOUR_US)
        self.fatal: list[tuple[ExitCode, str]] = []
        self.journal = Journal.open(
            folder / "journal", 0, journal_id=bytes(16), engine_version=ENGINE_VERSION, segment_bytes=1 << 20
        )
        state = State()
        self.replayed = replay(state, self.journal.read(1))
        self.runtime = Runtime(
            state,
            self.journal,
            self.clock,
            pending_max_bytes=1 << 20,
            poison=PoisonBox(folder / "poison"),
            on_fatal=lambda code, reason: self.fatal.append((code, reason)),
        )
        self.heard: list[Record] = []
        self.runtime.add_listener(self.heard.extend)
        self.journal.start(lambda error: None)

    def open_account(self, user_id: int) -> int:
        opened = self.runtime.submit(OpenAccount(user_id, AccountKind.USER, "USD"), SYSTEM).answer[0]
        assert isinstance(opened, AccountOpened)
        return opened.account_id


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    await desk.journal.close()


async def test_listeners_hear_each_record_once_in_order_and_only_when_durable(desk: Desk) -> None:
    for user_id in range(1, 51):
        desk.open_account(user_id)
    assert desk.heard == []
    await desk.runtime.wait_durable(50)
    assert [record.seq for record in desk.heard] == list(range(1, 51))
    assert desk.runtime.durable_records(after=48)[0].seq == 49


async def test_records_with_an_event_are_found_among_all(desk: Desk) -> None:
    desk.open_account(1)
    desk.runtime.submit(SetFees("standard", 0, 0), SYSTEM)
    desk.open_account(2)
    await desk.runtime.wait_durable(3)
    find = desk.runtime.durable_records_with
    assert [record.seq for record in find(AccountOpened, after=0)] == [1, 3]
    assert [record.seq for record in find(AccountOpened, after=1)] == [3]
    assert [record.seq for record in find(Traded, after=0)] == []
    assert [record.seq for record in find(Traded, AccountOpened, after=0)] == [1, 3]


async def test_time_never_goes_back(desk: Desk) -> None:
    desk.open_account(1)
    desk.clock.us -= HOUR_US
    desk.open_account(2)
    await desk.runtime.wait_durable(2)
    first, second = desk.heard
    assert first.now_us == second.now_us == desk.runtime.now_us()


async def test_timers_that_are_due_go_before_the_command_each_at_its_own_time(desk: Desk) -> None:
    start_us = desk.clock.us
    sessions = tuple((start_us + n * HOUR_US, start_us + n * HOUR_US + HOUR_US // 2) for n in range(1, 4))
    desk.runtime.submit(SetFees("standard", 0, 0), SYSTEM)
    desk.runtime.submit(SetCalendar("day", sessions), SYSTEM)
    terms = (100, 10**8, 100, 10**8, 10**6, "day", PriceSource.OWN, 1_000, "standard")
    desk.runtime.submit(SetInstrument("AAPL", "Apple", "USD", *terms), SYSTEM)
    desk.clock.us = start_us + 3 * HOUR_US + 1
    desk.open_account(1)
    await desk.runtime.wait_durable(desk.runtime.state.seq)
    fired = desk.heard[3:-1]
    assert [record.now_us for record in fired] == [
        *sessions[0], *sessions[1], sessions[2][0],
    ]  # fmt: skip
    phases = [event.phase for record in fired for event in record.events if isinstance(event, PhaseChanged)]
    assert phases == [Phase.CONTINUOUS, Phase.CLOSED] * 2 + [Phase.CONTINUOUS]
    assert sum(isinstance(event, DayEnded) for record in fired for event in record.events) == 2
    assert desk.heard[-1].now_us == desk.clock.us


async def test_a_tick_fires_timers_when_nothing_else_happens(desk: Desk) -> None:
    desk.runtime.submit(SetCalendar("day", ((desk.clock.us + 5, desk.clock.us + 10),)), SYSTEM)
    desk.runtime.tick()
    assert desk.runtime.state.seq == 1
    desk.clock.us += 5
    desk.runtime.tick()
    assert desk.runtime.state.seq == 2


@pytest.mark.parametrize(("gate", "error"), [(Gate.NO_NEW_ORDERS, Overloaded), (Gate.READ_ONLY, ReadOnly)])
async def test_a_closed_gate_consumes_nothing_and_lets_cancels_pass(
    desk: Desk, gate: Gate, error: type[Exception]
) -> None:
    account_id = desk.open_account(1)
    envelope = Envelope(Source.HTTP, 1, account_id, "", "key", b"digest")
    desk.runtime.gate = gate
    with pytest.raises(error):
        desk.runtime.submit(Deposit(5, "CARD"), envelope)
    if gate is Gate.NO_NEW_ORDERS:
        assert desk.runtime.submit(CancelAll(""), Envelope(Source.HTTP, 1, account_id)).refused is None
    desk.runtime.gate = Gate.OPEN
    applied = desk.runtime.submit(Deposit(5, "CARD"), envelope)
    assert (applied.refused, applied.duplicate) == (None, False)


async def test_a_stopped_runtime_takes_nothing(desk: Desk) -> None:
    desk.runtime.stop()
    with pytest.raises(ShuttingDown):
        desk.open_account(1)
    desk.runtime.tick()
    assert desk.runtime.state.seq == 0


async def test_a_fault_ends_all_acknowledgement_and_the_command_is_refused_after_the_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    account_id = desk.open_account(1)
    await desk.runtime.wait_durable(1)
    pending = desk.runtime.submit(OpenAccount(2, AccountKind.USER, "USD"), SYSTEM)
    waiting = desk.runtime.wait_durable(pending.seq)
    poisonous, envelope = Deposit(13, "CARD"), Envelope(Source.HTTP, 1, account_id, "request")

    def fails(*_: object) -> Applied:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(server.runtime, "apply", fails)
        with pytest.raises(ZeroDivisionError):
            desk.runtime.submit(poisonous, envelope)
    with pytest.raises(JournalFailed, match="halted after sequence 1"):
        await waiting
    with pytest.raises(ShuttingDown):
        desk.open_account(3)
    assert [code for code, _ in desk.fatal] == [ExitCode.ENGINE_FAULT]
    assert [record.seq for record in desk.heard] == [1]
    await desk.journal.close()

    again = Desk(tmp_path)
    assert again.replayed == 2, "what was appended before the fault is in the journal, the poison is not"
    refused = again.runtime.submit(poisonous, envelope).refused
    assert refused is not None
    assert refused.refusal is Refusal.ENGINE_FAULT
    assert again.runtime.submit(Deposit(14, "CARD"), envelope).refused is None
    await again.journal.close()
