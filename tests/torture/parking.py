"""Allocation against a brute force that looks at every space, and the state machine over parking's commands, longer."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.parking.naive_allocation import compare
from tests.engine.parking.parking_machine import ParkingMachine
from tests.torture.job import Job

REQUESTS_PER_SEED: Final = 2_000
SEQUENCES: Final = 50
STEPS: Final = 150


async def allocation(job: Job) -> None:
    """Random requests in lots of 8 to 80 spaces."""
    for numbers in job.chunks(REQUESTS_PER_SEED):
        with job.round(numbers) as one:
            spaces = one.random.randrange(8, 80)
            given = compare(one.random.randrange(1 << 60), len(numbers), spaces)
            one.text = f"{spaces} spaces, {given} of {len(numbers)} requests got one"
            one.seen["given"] += given


async def parking(job: Job) -> None:
    """The state machine over parking's commands with other random sequences than `make test` has."""
    for numbers in job.chunks(SEQUENCES):
        with job.round(numbers) as one:
            seeded = seed(one.random.randrange(1 << 60))(type("Seeded", (ParkingMachine,), {}))
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
