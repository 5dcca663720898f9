"""The market clock never goes back, whatever is done to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.market_clock import MarketClock
from server.clock import WallClock
from tests.feeds.clocks import HandClock

BASE_US = 1_381_291_200_000_000
SECOND = 1_000_000


def test_wall_time_passes_as_it_is() -> None:
    wall = HandClock(BASE_US)
    clock = MarketClock(wall)
    assert clock.now_us() == BASE_US
    wall.pass_us(SECOND)
    assert (clock.now_us(), clock.speed, clock.is_replay) == (BASE_US + SECOND, 1, False)


def test_an_adjusted_wall_clock_stands_still_instead_of_going_back() -> None:
    wall = HandClock(BASE_US)
    clock = MarketClock(wall)
    clock.now_us()
    wall.time_us -= 3_600 * SECOND
    assert clock.now_us() == BASE_US


def test_the_machines_clock_fits() -> None:
    clock = MarketClock(WallClock())
    assert clock.now_us() > BASE_US


@pytest.mark.parametrize("speed", [1, 60, 1_000])
def test_a_replay_passes_at_its_speed(speed: int) -> None:
    wall = HandClock()
    clock = MarketClock(wall, base_us=BASE_US, speed=speed)
    assert clock.now_us() == BASE_US
    wall.pass_us(SECOND)
    assert clock.now_us() == BASE_US + speed * SECOND


def test_pause_keeps_the_time_and_resume_goes_on_from_there() -> None:
    wall = HandClock()
    clock = MarketClock(wall, base_us=BASE_US, speed=10)
    wall.pass_us(SECOND)
    clock.pause()
    wall.pass_us(50 * SECOND)
    assert (clock.now_us(), clock.is_paused) == (BASE_US + 10 * SECOND, True)
    clock.resume()
    wall.pass_us(SECOND)
    assert clock.now_us() == BASE_US + 20 * SECOND


def test_a_new_speed_counts_from_now_on() -> None:
    wall = HandClock()
    clock = MarketClock(wall, base_us=BASE_US, speed=1_000)
    wall.pass_us(SECOND)
    clock.set_speed(1)
    wall.pass_us(SECOND)
    assert clock.now_us() == BASE_US + 1_001 * SECOND


def test_it_restarts_from_a_later_time_but_not_from_an_earlier_one() -> None:
    wall = HandClock()
    clock = MarketClock(wall, base_us=BASE_US)
    wall.pass_us(SECOND)
    assert clock.now_us() == BASE_US + SECOND
    clock.restart_from(BASE_US + 100 * SECOND)
    assert clock.now_us() == BASE_US + 100 * SECOND
    with pytest.raises(ValueError, match="never goes back"):
        clock.restart_from(BASE_US)


@pytest.mark.parametrize("speed", [0, -1, 1_001])
def test_other_speeds_are_refused(speed: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        MarketClock(HandClock(), base_us=BASE_US, speed=speed)


def test_wall_time_cannot_be_paused() -> None:
    with pytest.raises(ValueError, match="only a replay"):
        MarketClock(HandClock()).pause()


@given(
    st.lists(
        st.tuples(st.sampled_from(["pass", "pause", "resume", "speed"]), st.integers(1, 1_000)), max_size=40
    )
)
def test_no_sequence_of_changes_makes_it_go_back(steps: list[tuple[str, int]]) -> None:
    wall = HandClock()
    clock = MarketClock(wall, base_us=BASE_US)
    last_us = clock.now_us()
    for action, value in steps:
        if action == "pass":
            wall.pass_us(value)
        elif action == "pause":
            clock.pause()
        elif action == "resume":
            clock.resume()
        else:
            clock.set_speed(value)
        now_us = clock.now_us()
        assert now_us >= last_us
        last_us = now_us
