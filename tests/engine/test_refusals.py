"""The table of refusals: numbered by stage, each produced, and only what may be retried consumes no key."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.refusals import RETRYABLE, Refusal

TABLES = [path for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__)]

OF_THE_SERVER = {
    Refusal.ORDER_NOT_OPEN,  # only closed orders, which the engine has forgotten, are found and not open
    Refusal.ENGINE_FAULT,  # the runtime refuses a command that made the engine raise before
}


@pytest.mark.parametrize("refusal", [each for each in Refusal if each not in OF_THE_SERVER])
def test_each_refusal_is_produced_by_a_test(refusal: Refusal) -> None:
    """The tables compare a refusal's name with what the engine answered."""
    assert any(f'"{refusal.name}"' in path.read_text() for path in TABLES)


def test_numbers_follow_the_stages() -> None:
    assert [int(refusal) for refusal in Refusal] == sorted(int(refusal) for refusal in Refusal)
    assert {int(refusal) // 100 for refusal in Refusal} == {1, 2, 3, 4, 9}


def test_only_what_time_alone_mends_may_be_retried() -> None:
    assert {Refusal.IDEMPOTENCY_CAPACITY, Refusal.ORDER_RATE_LIMIT} == RETRYABLE
