"""Millions of random commands, the engine against the reference, a seed at a time on every core; and the state machine, longer.

A seed that has been survived is not run again while engine/ and tests/engine/ are the same.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.table import Table

from tests.engine.both_exchanges import run
from tests.engine.exchange_machine import ExchangeMachine
from tests.engine.happenings import missing
from tests.engine.random_orders import FEATURES
from tests.torture.progress import ORDERS_SOURCES, OrdersLine, Progress

COMMANDS_PER_SEED: Final = 25_000

SHOWN: Final = (
    *(
        "Traded",
        "Refused",
        "a stop fires",
        "several stops fire",
        "a stop trails",
        "a slice is followed by another",
    ),
    *("an OCO order is shrunk by its pair", "a BRACKET order is shrunk by its pair", "a leg is armed"),
    *("a leg grows", "LIMIT CANCELLED NOT_COVERED", "trades in OPENING_AUCTION", "trades in CLOSING_AUCTION"),
    *("trades in HALT_AUCTION", "trades in EXTENDED", "HALT_AUCTION price_band", "Indicative", "TradeBusted"),
)
"""What the summary counts."""


def orders(total: int) -> None:
    """So many random commands, in seeds of 25 000. Ends the process with what differs, if anything does."""
    progress = Progress("orders", OrdersLine, ORDERS_SOURCES)
    survived = {line.seed for line in progress.lines}
    seeds = [seed for seed in range(math.ceil(total / COMMANDS_PER_SEED)) if seed not in survived]
    if survived:
        print(f"{len(survived)} seeds of these sources were survived before", flush=True)
    begun_s = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        futures = {pool.submit(run, seed, COMMANDS_PER_SEED): seed for seed in seeds}
        for count, future in enumerate(as_completed(futures), 1):
            try:
                seen = future.result()
            except AssertionError as error:
                pool.shutdown(cancel_futures=True)
                sys.exit(str(error))
            progress.add(OrdersLine(progress.sources, futures[future], COMMANDS_PER_SEED, dict(seen)))
            rate = count * COMMANDS_PER_SEED / (time.monotonic() - begun_s)
            left_s = (len(seeds) - count) * COMMANDS_PER_SEED / rate
            print(
                f"seed {futures[future]}: {count}/{len(seeds)}, {rate:,.0f} a second, {left_s:,.0f} s left",
                flush=True,
            )
    _print_summary(progress)
    progress.finished()


def _print_summary(progress: Progress[OrdersLine]) -> None:
    seen: Counter[str] = Counter()
    for line in progress.lines:
        seen += Counter(line.seen)
    commands = sum(line.commands for line in progress.lines)
    table = Table("what", "how often", title=f"{commands:,} random commands: the same events, all invariants")
    for name in SHOWN:
        table.add_row(name, f"{seen[name]:,}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    never = missing(seen, FEATURES)
    if never:
        sys.exit(f"never happened: {', '.join(never)}")


def machine(examples: int, steps: int) -> None:
    """The state machine with new random sequences; one that fails is made short and shown."""
    run_state_machine_as_test(
        ExchangeMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{examples} sequences of {steps} steps: the same events, all invariants", flush=True)
