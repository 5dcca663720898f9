"""Hypothesis over the public commands: 50 sequences of 100 here, 2 000 of 200 in `python -m tests.torture machine`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.engine.exchange_machine import ExchangeMachine

TestExchange = ExchangeMachine.TestCase
TestExchange.settings = settings(
    max_examples=50,
    stateful_step_count=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
