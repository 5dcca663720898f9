"""Lives on a disk that lies: what was told is never taken back, whatever moment the process dies at; and a seed is one life."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.life import Life

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_whatever_moment_it_dies_at_what_was_told_is_there_and_the_rows_are_the_journals() -> None:
    life = Life("a")
    life.run(80)
    assert life.seen["POWER"] > 40
    assert life.seen["KILL"] > 0
    assert life.seen["acknowledgements"] > 300
    assert life.seen["crashes soon after a crash"] > 0


def test_what_somebody_saw_is_what_the_records_say_for_ever() -> None:
    life = Life("r", with_readers=True)
    life.prunes = True
    life.run(30)
    assert life.seen["messages and GETs"] > 200
    assert life.seen["segments pruned"] > 10


def test_one_seed_is_one_life_whatever_the_hash_seed_and_the_command_line_runs_it() -> None:
    ways = (
        ("run.py", "torture", "--seed", "7", "--crashes", "1"),
        ("-m", "tests.simulation", "7", "1", "once"),
    )
    lines = {
        subprocess.run(
            [sys.executable, *way],
            cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": str(hash_seed)},
        ).stdout
        for hash_seed, way in enumerate(ways)
    }  # fmt: skip
    assert len(lines) == 1
    assert "seed 7: trace " in lines.pop()
