"""Ticks into the last-value table with candles, batched and single, against bare numpy assignment."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from bench.figures import median_ratio, report
from feeds.candles import CandleBook
from feeds.last_value import LastValueTable
from feeds.tape_csv import Ints

SYMBOLS = 500
BATCH = 10_000  # what 10 ms of a million ticks a second hold
BATCHES = 50
SINGLE_TICKS = 50_000
ROUNDS = 5
BATCH_MUST_PER_S = 1_000_000
SINGLE_MUST_PER_S = 100_000
START_US = 1_381_325_400_000_000

Batch = tuple[Ints, Ints, Ints, Ints]


def make_batches() -> list[Batch]:
    """Random symbols, prices and sizes; a batch spans 10 ms and the whole crosses no less than a few minutes."""
    random = np.random.default_rng(1)
    batches = []
    for index in range(BATCHES):
        start_us = START_US + index * 5_000_000
        batches.append(
            (
                random.integers(0, SYMBOLS, BATCH),
                start_us + np.arange(BATCH, dtype=np.int64),
                random.integers(10_000, 2_000_000, BATCH),
                random.integers(1, 1_000, BATCH) * 100_000_000,
            )
        )
    return batches


def make_table() -> LastValueTable:
    """A table and candles for all symbols."""
    table = LastValueTable(CandleBook(minutes_kept=60))
    for number in range(SYMBOLS):
        table.register(f"S{number:03}")
    return table


def run_ceiling(batches: list[Batch]) -> int:
    """Bare numpy assignment of price, size and time; no candles."""
    prices, sizes, times = (np.zeros(SYMBOLS, dtype=np.int64) for _ in range(3))
    for numbers, time_us, price_e4, quantity_e8 in batches:
        prices[numbers] = price_e4
        sizes[numbers] = quantity_e8
        times[numbers] = time_us
    return BATCH * len(batches)


def run_batched(batches: list[Batch]) -> int:
    """The batch path of the replays."""
    table = make_table()
    for batch in batches:
        table.trades(*batch)
    return BATCH * len(batches)


def run_single(batches: list[Batch]) -> int:
    """One tick at a time."""
    table = make_table()
    count = 0
    for batch in batches[: SINGLE_TICKS // BATCH]:
        for tick in zip(*(column.tolist() for column in batch), strict=True):
            table.trade(*tick)
            count += 1
    return count


def rate(run: Callable[[list[Batch]], int], batches: list[Batch]) -> float:
    """Ticks per second of this thread's processor time."""
    start = time.thread_time()
    count = run(batches)
    return count / (time.thread_time() - start)


def show(name: str, ours: list[float], ceilings: list[float], must: int, aim: int) -> None:
    """Prints one path."""
    report(
        name,
        median(ours),
        "ticks/s",
        must=must,
        aim=aim,
        peer=median(ceilings),
        ratio=median_ratio(ours, ceilings),
        clock="cpu",
    )


def main() -> None:
    """Both paths and bare assignment, interleaved. The batched one is that of feeds; single ticks come from our own trades."""
    batches = make_batches()
    ceilings, batched, single = [], [], []
    for _ in range(ROUNDS):
        ceilings.append(rate(run_ceiling, batches))
        batched.append(rate(run_batched, batches))
        single.append(rate(run_single, batches))
    show("ticks_batch", batched, ceilings, BATCH_MUST_PER_S, BATCH_MUST_PER_S)
    show("ticks_single", single, ceilings, SINGLE_MUST_PER_S, BATCH_MUST_PER_S)


if __name__ == "__main__":
    main()
