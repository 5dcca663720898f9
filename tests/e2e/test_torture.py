"""The torture's record: a rerun goes on, a failure stays, other sources and seeds begin anew."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.torture.__main__ import arguments, count
from tests.torture.job import FAILURES_MAX, Job, TooManyFailures
from tests.torture.summary import Result, passed, show
from tests.torture.table import ATTACKS


def job(folder: Path, asked: int, *, seed: int = 0, fresh: bool = False) -> Job:
    return Job("a", asked, sources=("tests/torture",), folder=folder, seed=seed, fresh=fresh)


def survive(one: Job, *numbers: int) -> None:
    for number in numbers:
        with one.round(number) as round_:
            round_.seen["orders"] += number


def test_a_rerun_goes_on_and_a_fresh_one_does_not(tmp_path: Path) -> None:
    survive(job(tmp_path, 3), 0, 1)
    again = job(tmp_path, 3)
    assert (list(again.todo()), again.reached, again.seen) == ([2], 2, {"orders": 1})
    assert not passed(again)
    survive(again, 2)
    assert passed(again)
    assert list(job(tmp_path, 3, seed=1).todo()) == [0, 1, 2]
    assert list(job(tmp_path, 5).todo()) == [3, 4]
    assert list(job(tmp_path, 3, fresh=True).todo()) == [0, 1, 2]
    assert list(job(tmp_path, 3).todo()) == [0, 1, 2]


def test_other_sources_begin_anew(tmp_path: Path) -> None:
    survive(job(tmp_path, 3), 0)
    assert list(Job("a", 3, sources=("tests/sql",), folder=tmp_path).todo()) == [0, 1, 2]


def test_a_chunk_is_survived_as_a_whole(tmp_path: Path) -> None:
    one = job(tmp_path, 25)
    with one.round(range(10, 20)):
        pass
    assert list(one.chunks(10)) == [range(10), range(20, 25)]
    with one.round(range(20, 25)):
        pass
    assert list(job(tmp_path, 30).chunks(10)) == [range(10), range(20, 30)]


def test_a_failure_is_tried_again_and_stays_on_the_record(tmp_path: Path) -> None:
    one = job(tmp_path, 2)
    with one.round(0):
        raise AssertionError("lost an order")
    survive(one, 1)
    again = job(tmp_path, 2)
    assert list(again.todo()) == [0]
    survive(again, 0)
    assert (again.reached, len(again.failures), passed(again)) == (2, 1, False)
    text = show([Result(again, "rounds")], 60.0, tmp_path).read_text()
    assert "| a | 2 | 2 | rounds | 1 | 0.0 | 1 orders | FAILED |" in text
    assert "AssertionError: lost an order" in text


def test_many_failures_end_an_attack(tmp_path: Path) -> None:
    one = job(tmp_path, 10)
    for number in range(FAILURES_MAX - 1):
        with one.round(number):
            raise OSError
    with pytest.raises(TooManyFailures), one.round(FAILURES_MAX):
        raise OSError
    assert len(one.failures) == FAILURES_MAX


def test_what_fails_between_the_rounds_is_a_failure_too(tmp_path: Path) -> None:
    one = job(tmp_path, 1)
    with one.outside_of_rounds():
        survive(one, 0)
    assert passed(one)
    with one.outside_of_rounds():
        raise OSError
    assert (one.reached, passed(one), passed(job(tmp_path, 1))) == (1, False, False)


def test_a_round_has_the_same_randomness_whenever_it_is_run(tmp_path: Path) -> None:
    def first(random: Random) -> int:
        return random.randrange(1 << 60)

    one, another = job(tmp_path, 2), job(tmp_path, 2, seed=7)
    assert first(one.random(1)) == first(one.random(1))
    assert len({first(one.random(0)), first(one.random(1)), first(another.random(1))}) == 3


def test_a_line_that_a_kill_has_cut_off_is_left_out(tmp_path: Path) -> None:
    survive(job(tmp_path, 3), 0, 1)
    path = tmp_path / "a.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    cut = job(tmp_path, 3)
    survive(cut, *cut.todo())
    assert job(tmp_path, 3).reached == 3


def test_the_table_has_one_row_a_name_and_its_counts_are_chosen() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))
    assert all(0 < attack.default <= attack.full for attack in ATTACKS)
    attack = ATTACKS[0]
    assert count(attack, arguments([])) == attack.default
    assert count(attack, arguments(["--full"])) == attack.full
    assert count(attack, arguments(["--full", "--count", "5"])) == 5
    with pytest.raises(SystemExit):
        arguments(["nonsense"])
