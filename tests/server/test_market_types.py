"""What readers of market data may rely on."""

from __future__ import annotations

import pytest

from server.market_types import Interval, Quote


def quote(change_e4: int, previous_close_e4: int) -> Quote:
    return Quote("AAPL", 0, 0, 0, 0, 0, change_e4, 0, 0, 0, 0, previous_close_e4, 0, False, 1)


@pytest.mark.parametrize(
    ("change_e4", "previous_close_e4", "bps"),
    [
        (23_000, 1_762_000, 131),  # 2.30 on 176.20
        (-23_000, 1_762_000, -131),
        (1, 20_000, 1),  # half a basis point, away from zero
        (-1, 20_000, -1),
        (1, 20_001, 0),
        (5, 0, 0),  # no close known
    ],
)
def test_the_change_in_basis_points_rounds_halves_away_from_zero(
    change_e4: int, previous_close_e4: int, bps: int
) -> None:
    assert quote(change_e4, previous_close_e4).change_bps == bps


def test_intervals_have_the_names_clients_use() -> None:
    assert {interval.value: interval.minutes for interval in Interval} == {
        "1m": 1,
        "5m": 5,
        "15m": 15,
        "1h": 60,
        "1d": 1_440,
    }
