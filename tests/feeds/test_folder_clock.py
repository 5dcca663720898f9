"""A data folder belongs to one clock: wall time and recorded days do not push each other about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.loading import ConfigError
from config.settings import MarketSettings
from feeds.folder_clock import WALL_TIME, stamped_by
from feeds.market_feed import MarketFeed, RecordedDay, make_feed
from server.clock import WallClock
from tests.feeds.conftest import MakeTape

MakeDay = Callable[..., RecordedDay]
HOUR_US = 3_600_000_000


def simulated() -> MarketFeed:
    return make_feed(MarketSettings(feed="simulator", speed=1, seed=1, symbols=()))


@pytest.fixture
def make_day(make_tape: MakeTape) -> MakeDay:
    def make(day: str = "20131009") -> RecordedDay:
        tape = make_tape(f"aig_{day}_trade.zip", "34200000,480000,10,P,0,0\n")
        return RecordedDay(MarketSettings(feed=str(tape), speed=1000, seed=1, symbols=()))

    return make


class TestWallTime:
    def test_a_folder_that_lies_in_the_past_is_taken(self, tmp_path: Path) -> None:
        simulated().continue_after(0, tmp_path)
        simulated().continue_after(WallClock().now_us() - HOUR_US, tmp_path)
        assert stamped_by(tmp_path) == WALL_TIME

    def test_a_clock_that_was_set_back_a_little_is_no_reason_to_refuse(self, tmp_path: Path) -> None:
        simulated().continue_after(WallClock().now_us() + 50_000_000, tmp_path)

    def test_an_hour_that_wall_time_itself_was_ahead_is_waited_for(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        now_us = WallClock().now_us()
        simulated().continue_after(now_us, tmp_path)
        simulated().continue_after(now_us + HOUR_US, tmp_path)
        assert "the market's stands still until" in caplog.text
        with pytest.raises(ConfigError, match=r"still to come .*wall time was there"):
            simulated().continue_after(now_us + 3 * HOUR_US, tmp_path)

    def test_a_folder_whose_time_is_still_to_come_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"still to come .* Choose another data_dir"):
            simulated().continue_after(WallClock().now_us() + HOUR_US, tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestARecordedDay:
    def test_it_begins_in_a_new_folder_and_goes_on_in_the_middle(
        self, tmp_path: Path, make_day: MakeDay
    ) -> None:
        day = make_day()
        start_us = day.clock.now_us()
        day.continue_after(0, tmp_path)
        assert day.clock.now_us() == start_us
        again = make_day()
        again.continue_after(start_us + HOUR_US, tmp_path)
        assert again.clock.now_us() == start_us + HOUR_US
        assert stamped_by(tmp_path) == "the recorded day 2013-10-09 of AIG"

    def test_it_goes_on_long_after_its_end(self, tmp_path: Path, make_day: MakeDay) -> None:
        day = make_day()
        day.continue_after(0, tmp_path)
        late_us = day.clock.now_us() + 1_000 * HOUR_US
        again = make_day()
        again.continue_after(late_us, tmp_path)
        assert again.clock.now_us() == late_us

    def test_a_folder_of_wall_time_is_refused(self, tmp_path: Path, make_day: MakeDay) -> None:
        now_us = WallClock().now_us()
        simulated().continue_after(now_us, tmp_path)
        with pytest.raises(ConfigError, match=r"by wall time, which is past .* Choose another data_dir"):
            make_day().continue_after(now_us, tmp_path)
        assert stamped_by(tmp_path) == WALL_TIME

    def test_an_earlier_day_is_refused_and_a_later_one_taken(self, tmp_path: Path, make_day: MakeDay) -> None:
        day = make_day("20131009")
        day.continue_after(0, tmp_path)
        last_us = day.clock.now_us() + HOUR_US
        with pytest.raises(ConfigError, match="the recorded day 2013-10-09 of AIG, which is past"):
            make_day("20131008").continue_after(last_us, tmp_path)
        make_day("20131010").continue_after(last_us, tmp_path)
        assert stamped_by(tmp_path) == "the recorded day 2013-10-10 of AIG"

    def test_a_folder_without_word_is_its_own_while_its_time_lies_in_the_day(
        self, tmp_path: Path, make_day: MakeDay
    ) -> None:
        day = make_day()
        in_the_day_us = day.clock.now_us() + HOUR_US
        with pytest.raises(ConfigError, match="by another clock"):
            day.continue_after(in_the_day_us + 24 * HOUR_US, tmp_path)
        day.continue_after(in_the_day_us, tmp_path)
        assert day.clock.now_us() == in_the_day_us
