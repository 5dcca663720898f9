"""How long `run.py serve` takes until it serves: the first time, again, and with a million commands to recover.

    python -m bench.start [COMMANDS TO RECOVER]

First: an empty folder, so the database is made. Warm: the same folder after a clean stop. Recovery: the journal has been
given that many commands more (45 % new orders, 40 % cancels, 10 % crossing, 5 % replacements) by the real runtime, of which
the database knows nothing, as after a long outage of it; they are replayed and compared before anything is served.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Final

import uvloop

from bench.figures import report
from bench.order_load import cpu_s, remove_database
from engine.apply import ENGINE_VERSION
from engine.commands import CancelOrder, Deposit, Envelope, OpenAccount, PlaceOrder, ReplaceOrder, TransferIn
from engine.kinds import AccountKind, OrderType, Side, Source, TimeInForce
from engine.risk import reference_e4
from engine.state import State, new_dirty
from engine.units import CASH_SCALE, IDS_PER_SEQ, QUANTITY_SCALE
from server.clock import WallClock
from server.data_folder import DataFolder
from server.exit_codes import ExitCode
from server.journal import Journal
from server.poison import PoisonBox
from server.replay import replay
from server.runtime import Runtime
from tests.kerb_process import ROOT, KerbProcess, running_kerb

COMMANDS: Final = 1_000_000
STARTS: Final = 3
ACCOUNTS: Final = 2_000
PER_TURN: Final = 256
TICK_E4: Final = 100
FIRST_MUST_S: Final = 20.0
WARM_MUST_S, WARM_AIM_S = 5.0, 2.0
RECOVERY_MUST_S, RECOVERY_AIM_S = 20.0, 10.0


class Trading:
    """Submits the mix of commands to a runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._random = Random(1)
        self._accounts: list[int] = []
        self._open: list[tuple[int, int]] = []
        state = runtime.state
        self._middles = {symbol: reference_e4(state.instruments[symbol]) for symbol in state.instruments}
        self._symbols = list(self._middles)

    def open_accounts(self) -> None:
        """Accounts with cash and shares."""
        submit = self._runtime.submit
        operator = Envelope(Source.OPERATOR)
        for number in range(ACCOUNTS):
            opened = submit(OpenAccount(10**6 + number, AccountKind.USER, "USD"), operator)
            assert opened.refused is None, opened
            account_id = self._runtime.state.account_by_user[10**6 + number]
            self._accounts.append(account_id)
            submit(Deposit(10**8 * CASH_SCALE, "CARD"), Envelope(Source.OPERATOR, 0, account_id))
            for symbol in self._symbols:
                submit(TransferIn(account_id, symbol, 10**5 * QUANTITY_SCALE, CASH_SCALE), operator)

    def command(self) -> None:
        """One command of the mix."""
        dice = self._random.random()
        if dice < 0.45 or not self._open:
            self._place(crossing=False)
        elif dice < 0.55:
            self._place(crossing=True)
        else:
            at = self._random.randrange(len(self._open))
            order_id, account_id = self._open[at]
            self._open[at] = self._open[-1]
            self._open.pop()
            if dice < 0.95:
                self._runtime.submit(CancelOrder(order_id), self._envelope(account_id))
            else:
                order = self._runtime.state.orders.get(order_id)
                more_e8 = order.quantity_e8 + QUANTITY_SCALE if order else QUANTITY_SCALE
                applied = self._runtime.submit(
                    ReplaceOrder(order_id, more_e8, 0, ""), self._envelope(account_id)
                )
                self._open.append((applied.seq * IDS_PER_SEQ, account_id))

    def _place(self, *, crossing: bool) -> None:
        random = self._random
        account_id = random.choice(self._accounts)
        symbol = random.choice(self._symbols)
        side = random.choice((Side.BUY, Side.SELL))
        away = -40 if crossing else random.randrange(1, 40)
        price_e4 = (self._middles[symbol] // TICK_E4 + (-away if side is Side.BUY else away)) * TICK_E4
        tif = TimeInForce.IOC if crossing else TimeInForce.GTC
        order = PlaceOrder(
            symbol, side, OrderType.LIMIT, random.randrange(1, 10) * QUANTITY_SCALE, price_e4, tif
        )
        applied = self._runtime.submit(order, self._envelope(account_id))
        if not crossing:
            self._open.append((applied.seq * IDS_PER_SEQ, account_id))

    def _envelope(self, account_id: int) -> Envelope:
        return Envelope(Source.HTTP, account_id, account_id, f"bench-{self._runtime.state.seq:x}")


async def lengthen_journal(folder: DataFolder, commands: int) -> None:
    """Add commands to the journal of a Kerb that has stopped."""
    journal = Journal.open(
        folder.journal_folder, 0, journal_id=folder.journal_id(), engine_version=ENGINE_VERSION
    )
    state = State()
    replay(state, journal.read(1))

    def fatal(code: ExitCode, reason: str) -> None:
        raise SystemExit(f"{code!r}: {reason}")

    runtime = Runtime(
        state,
        journal,
        WallClock(),
        pending_max_bytes=1 << 30,
        poison=PoisonBox(folder.path / "poison"),
        on_fatal=fatal,
    )
    journal.start(lambda error: fatal(ExitCode.JOURNAL_IO, str(error)))
    trading = Trading(runtime)
    trading.open_accounts()
    for done in range(commands):
        trading.command()
        if not done % PER_TURN:
            state.dirty = new_dirty()
            await asyncio.sleep(0)
    await runtime.wait_durable(state.seq)
    await journal.close()


def make_journal(path: Path, commands: int) -> None:
    """In a child, so that its memory is not this process's."""
    subprocess.run(
        [sys.executable, "-m", "bench.start", "--journal", str(path), str(commands)], cwd=ROOT, check=True
    )


async def start_s(kerb: KerbProcess) -> tuple[float, float]:
    """Start until it serves: seconds of the clock, and of its processor."""
    begun = perf_counter()
    await kerb.start()
    return perf_counter() - begun, cpu_s(kerb.pid)


async def first_and_warm(path: Path) -> None:
    """Both kinds of quick start; the last folder stays for the recovery, stopped."""
    first: list[float] = []
    warm: list[float] = []
    for number in range(STARTS):
        begun = perf_counter()
        async with running_kerb(path / f"kerb{number}") as kerb:
            first.append(perf_counter() - begun)
            await kerb.stop()
            warm.append((await start_s(kerb))[0])
        remove_database(path / f"kerb{number}")
    report("start_first", median(first), "s", must=FIRST_MUST_S, lower_is_better=True, max_s=max(first))
    report(
        "start_warm",
        median(warm),
        "s",
        must=WARM_MUST_S,
        aim=WARM_AIM_S,
        lower_is_better=True,
        max_s=max(warm),
    )


async def recovery(path: Path, commands: int) -> None:
    """Start with a long journal, then end it all at once: the database would need minutes to catch up."""
    async with running_kerb(path) as kerb:
        await kerb.stop()
        await asyncio.to_thread(make_journal, path, commands)
        size = sum(file.stat().st_size for file in (path / "journal").iterdir())
        seconds, used_s = await start_s(kerb)
        report(
            "recovery",
            seconds,
            "s",
            must=RECOVERY_MUST_S if commands == COMMANDS else None,
            aim=RECOVERY_AIM_S if commands == COMMANDS else None,
            lower_is_better=True,
            commands=commands,
            cpu_s=used_s,
            journal_mb=size / 2**20,
            rss_mb=kerb.rss_bytes / 2**20,
        )
        await kerb.kill()
    remove_database(path)


def main() -> None:
    """Measure and print; with `--journal` only lengthen a journal."""
    if sys.argv[1:2] == ["--journal"]:
        gc.freeze()
        gc.disable()
        with (
            DataFolder.own(Path(sys.argv[2])) as data,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(lengthen_journal(data, int(sys.argv[3])))
        return
    commands = int(sys.argv[1]) if len(sys.argv) > 1 else COMMANDS
    parent = ROOT / "var"
    parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix="bench-") as folder:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(first_and_warm(Path(folder)))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(recovery(Path(folder) / "long", commands))


if __name__ == "__main__":
    main()
