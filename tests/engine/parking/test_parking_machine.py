"""Hypothesis over the commands of parking: 25 sequences of 40 here, thousands of 150 in `python -m tests.torture parking`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.engine.parking.parking_machine import ParkingMachine

TestParking = ParkingMachine.TestCase
TestParking.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
