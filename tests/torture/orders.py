"""Millions of random commands, the engine against the reference, a seed at a time on every core; and the state machine, longer.

What has been survived is not run again while engine/ and tests/engine/ are the same.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Final

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.both_exchanges import run
from tests.engine.exchange_machine import ExchangeMachine
from tests.engine.happenings import missing
from tests.engine.random_orders import FEATURES
from tests.torture.job import Job, TooManyFailures

COMMANDS_PER_SEED: Final = 25_000
SEEDS_PER_SEED: Final = 1_000_000
"""Another seed of the attack has other seeds for all its commands."""

COMPLETE: Final = 1_000_000
"""After so many commands everything has to have happened at least once."""

SEQUENCES: Final = 50
STEPS: Final = 200

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


async def orders(job: Job) -> None:
    """Random commands in seeds of 25 000. In a million of them everything that can happen has to happen."""
    begun_s = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        futures = {
            pool.submit(run, _seed(job, numbers), len(numbers)): numbers
            for numbers in job.chunks(COMMANDS_PER_SEED)
        }
        try:
            for future in as_completed(futures):
                numbers, error = futures[future], future.exception()
                seconds, begun_s = time.monotonic() - begun_s, time.monotonic()
                if isinstance(error, Exception):
                    job.failed(numbers, error, seconds)
                else:
                    job.survived(numbers, seconds, f"seed {_seed(job, numbers)}", future.result())
        except TooManyFailures:
            pool.shutdown(cancel_futures=True)
            raise
    never = missing(job.seen, FEATURES) if job.reached >= COMPLETE else []
    assert not never, f"never happened: {', '.join(never)}"


def _seed(job: Job, numbers: range) -> int:
    return job.seed * SEEDS_PER_SEED + numbers.start // COMMANDS_PER_SEED


async def machine(job: Job) -> None:
    """The state machine with other random sequences than `make test` has; one that fails is made short and shown."""
    for numbers in job.chunks(SEQUENCES):
        with job.round(numbers) as one:
            seeded = seed(one.random.randrange(1 << 60))(type("Seeded", (ExchangeMachine,), {}))
            run_state_machine_as_test(
                seeded,
                settings=settings(
                    max_examples=len(numbers),
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    print_blob=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
