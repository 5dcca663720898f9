"""When new orders are refused, by a clock that the test moves: a burst never, an overload soon, and not a turn too long."""

from __future__ import annotations

import asyncio

import pytest

from config.settings import OverloadSettings
from server.admission import Admission

SETTINGS = OverloadSettings(turn_ms=10, lag_ms=40, patience_ms=100, disk_wait_ms=2_000)


class Days:
    """Turns of the loop as the test has them. Orders cost a millisecond each."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.disk_since_s: float | None = None
        self.admission = Admission(
            SETTINGS, lambda: self.disk_since_s, lambda: self.now_s, lambda: self.now_s
        )

    async def turn(self, orders: int, *, then_s: float = 0.001) -> int:
        """How many orders of a turn are taken, if so many come; `then_s` is what the loop does after reading them."""
        admission = self.admission
        assert not admission.in_turn
        admission.begin_turn()
        taken = 0
        for _ in range(orders):
            admission.reads += 1
            if not admission.refuses():
                taken += 1
                self.now_s += 0.001
        await asyncio.sleep(0)
        assert not admission.in_turn
        self.now_s += then_s
        return taken


@pytest.fixture
async def days() -> Days:
    return Days()


async def overloaded(days: Days) -> None:
    while await days.turn(150) == 150:
        pass


async def test_turns_within_the_budget_take_everything(days: Days) -> None:
    assert [await days.turn(9) for _ in range(200)] == [9] * 200


async def test_a_hundred_callers_are_no_overload_however_slow_the_machine(days: Days) -> None:
    assert [await days.turn(100) for _ in range(50)] == [100] * 50


async def test_a_burst_is_taken_whole(days: Days) -> None:
    assert await days.turn(500) == 500
    assert await days.turn(5) == 5
    assert await days.turn(90) == 90


async def test_turns_that_stay_too_long_are_cut_to_the_budget(days: Days) -> None:
    begun_s = days.now_s
    await overloaded(days)
    assert days.now_s - begun_s < 0.5
    taken = [await days.turn(150) for _ in range(50)]
    assert max(taken[:2]) <= 22  # half of the long turn before
    assert taken[2:] == [11] * 48


async def test_after_a_gap_more_is_taken_but_not_without_bound(days: Days) -> None:
    await overloaded(days)
    for gap_s, orders in (
        (0.05, 31),
        (0.9, 41),
    ):  # half of the gap and of what the turn before took; four budgets
        await days.turn(150, then_s=gap_s)
        assert abs(await days.turn(150) - orders) <= 6


async def test_it_is_over_with_the_first_turn_that_refuses_nothing(days: Days) -> None:
    await overloaded(days)
    assert await days.turn(9) == 9
    assert await days.turn(150) == 150
    assert not days.admission.is_tight


async def test_after_a_pause_a_burst_is_a_burst_again(days: Days) -> None:
    await overloaded(days)
    days.now_s += 2
    assert await days.turn(200) == 200


async def test_a_disk_that_does_not_answer_stops_new_orders_until_it_does(days: Days) -> None:
    assert await days.turn(3) == 3
    days.disk_since_s = days.now_s - 1.9
    assert await days.turn(3) == 3
    days.disk_since_s = days.now_s - 2.1
    assert await days.turn(3, then_s=0.1) == 1  # the one that has used no time
    days.disk_since_s = None
    await days.turn(3)
    assert await days.turn(3) == 3


async def test_work_after_the_reading_counts_too() -> None:
    """A loop that reads little and works long, for streams say, is as late for everybody."""
    days = Days()
    days.admission.start()
    try:
        for _ in range(10):
            await asyncio.sleep(0.011)
            days.now_s += 0.05
            if days.admission.is_tight:
                break
            days.admission.reads += 101  # no order among them
            await days.turn(1)
        else:
            raise AssertionError("never noticed")
    finally:
        days.admission.stop()


def is_probed(admission: Admission) -> bool:
    return admission._probe is not None


async def test_a_loop_with_nothing_to_read_is_left_alone(days: Days) -> None:
    admission = days.admission
    admission.start()
    try:
        assert not is_probed(admission)
        for _ in range(2):
            await days.turn(1, then_s=5)  # long work is no quiet
            assert is_probed(admission)
            while not admission._lag_s:
                await asyncio.sleep(0.001)
            while is_probed(admission):
                await asyncio.sleep(0.001)
            assert not admission._lag_s
    finally:
        admission.stop()
