"""Stopping: opposite order, one deadline, and the first fault's exit code."""

from __future__ import annotations

import asyncio
import os

import pytest

from server.exit_codes import ExitCode
from server.journal_errors import JournalFailed
from server.lifecycle import REPEAT_US, Lifecycle
from server.service_manager import ServiceManager
from tests.feeds.clocks import HandClock


def lifecycle(deadline_s: float = 5.0) -> Lifecycle:
    return Lifecycle(ServiceManager({}), deadline_s)


async def test_parts_stop_in_the_opposite_order_also_after_one_failed() -> None:
    stopped: list[str] = []
    parts = lifecycle()

    async def third() -> None:
        stopped.append("third")

    def second() -> None:
        stopped.append("second")
        raise ValueError("cannot stop")

    parts.on_stop("first", lambda: stopped.append("first"))
    parts.on_stop("second", second)
    parts.on_stop("third", third)
    await parts.stop()
    assert stopped == ["third", "second", "first"]
    assert parts.exit_code is ExitCode.INTERRUPTED


async def test_what_hangs_is_cut_off_at_the_deadline() -> None:
    stopped: list[str] = []
    parts = lifecycle(deadline_s=0.05)
    parts.on_stop("first", lambda: stopped.append("first"))

    async def hanging() -> None:
        await asyncio.Event().wait()

    parts.on_stop("hanging", hanging)
    await parts.stop()
    assert (stopped, parts.exit_code) == (["first"], ExitCode.INTERRUPTED)


async def test_the_first_fault_gives_the_exit_code() -> None:
    parts = lifecycle()

    def journal() -> None:
        raise JournalFailed("the disk is full")

    parts.on_stop("the journal", journal)
    parts.fatal(ExitCode.ENGINE_FAULT, "a bug")
    parts.fatal(ExitCode.DATABASE, "later")
    await parts.run("")
    await parts.stop()
    assert (parts.exit_code, parts.reason) == (ExitCode.ENGINE_FAULT, "a bug")


async def test_ticks_come_while_it_runs() -> None:
    parts = lifecycle()
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 3:
            parts.request_stop()

    parts.on_tick(tick)
    await asyncio.wait_for(parts.run(""), 10)
    await parts.stop()
    assert (ticks, parts.exit_code) == (3, ExitCode.OK)


async def test_the_echo_of_a_signal_is_no_second_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    monkeypatch.setattr(os, "_exit", exits.append)
    watch = HandClock()
    parts = Lifecycle(ServiceManager({}), 5.0, watch)
    for _ in range(3):
        parts.request_stop()
    watch.pass_us(REPEAT_US - 1)
    parts.request_stop()
    assert (exits, parts.exit_code) == ([], ExitCode.OK)
    await asyncio.wait_for(parts.run(""), 10)
    watch.pass_us(1)
    parts.request_stop()
    assert exits == [ExitCode.INTERRUPTED]
