"""Twice what the server can do, again and again: it goes on accepting, refuses the rest at once, takes cancels, recovers."""

from __future__ import annotations

from typing import Final

from bench.order_load import OrderLoad
from bench.overload import Turn, loaded, turn
from server.admission import BUDGETS_MAX
from tests.torture.job import Job

SECONDS: Final = 4.0
TRIES_MAX: Final = 4
LATE_MAX_MS: Final = 100.0
GOODPUT_MIN: Final = 0.75
"""Of the most. bench/overload.py asks for 0.9; what is not accepted is answered too, and that costs a seventh of an order."""

REFUSED_MAX_MS: Final = 50.0
ACCEPTED_MAX_MS: Final = 200.0
CALM_SHARE: Final = 0.8
"""A server that has less of its core is judged by what it had: turns are longer then, by design and by the clock."""


def check(one: Turn) -> None:
    """What is promised under overload. Raises AssertionError."""
    refused, accepted = one.twice.by_status["503"], one.twice.by_status["201"]
    longer = 1.0 if one.share >= CALM_SHARE else BUDGETS_MAX / one.share
    assert refused[1] <= REFUSED_MAX_MS * longer, (refused, one.share)
    assert accepted[1] <= ACCEPTED_MAX_MS * longer, (accepted, one.share)
    if one.share >= CALM_SHARE:
        assert one.goodput >= GOODPUT_MIN * one.most, (one.goodput, one.most)
    assert one.goodput > 0
    assert one.probe.cancels_ms
    assert not one.probe.failed, one.probe.failed
    assert set(one.after.statuses) == {"201"}, one.after.statuses


async def _brought(load: OrderLoad, number: int) -> Turn:
    """A turn in which the load came as it should: on a machine that is taken away from it, it comes in heaps."""
    for attempt in range(TRIES_MAX):
        came = await turn(load, number * TRIES_MAX + attempt, SECONDS)
        if came.twice.late_ms <= LATE_MAX_MS and came.twice.by_status.get("503"):
            return came
    raise AssertionError(f"the load never came evenly: {came.twice}")


async def overload(job: Job) -> None:
    """One server meets all the rounds."""
    numbers = list(job.todo())
    if not numbers:
        return
    async with loaded() as load:
        for number in numbers:
            with job.round(number) as one:
                came = await _brought(load, number)
                share = came.goodput / came.most
                one.text = f"{came.most:.0f} orders/s, {share:.2f} of it under twice as many, with {came.share:.2f} of a core"
                one.seen["accepted"] += came.twice.statuses.get("201", 0)
                one.seen["refused"] += came.twice.statuses.get("503", 0)
                one.seen["cancelled"] += len(came.probe.cancels_ms)
                check(came)
