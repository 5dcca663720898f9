"""What a calendar says of a time: phase, next change, auctions ahead, hours. Source: docs/orders.md, "Sessions"."""

from __future__ import annotations

import pytest

from engine.calendars import auction_end_us, hours, is_auction_ahead, next_boundary_us, phase_at, phases_of
from engine.commands import SetCalendar
from engine.kinds import Phase
from engine.state import Calendar
from engine.units import SECOND_US
from tests.engine.world import World, refusal

S = SECOND_US
SESSIONS = ((2 * S, 70 * S), (100 * S, 170 * S))
PHASES = (
    (0, Phase.CLOSED),
    (2 * S, Phase.PRE_OPEN),
    (10 * S, Phase.OPENING_AUCTION),
    (20 * S, Phase.CONTINUOUS),
    (30 * S, Phase.CLOSING_AUCTION),
    (40 * S, Phase.POST_TRADE),
    (50 * S, Phase.EXTENDED),
    (70 * S, Phase.CLOSED),
    (100 * S, Phase.OPENING_AUCTION),
    (120 * S, Phase.CONTINUOUS),
    (170 * S, Phase.CLOSED),
)


@pytest.mark.parametrize(
    ("at_us", "phase", "boundary_us"),
    [
        (0, Phase.CLOSED, 2 * S),
        (2 * S, Phase.PRE_OPEN, 10 * S),
        (20 * S - 1, Phase.OPENING_AUCTION, 20 * S),
        (20 * S, Phase.CONTINUOUS, 30 * S),
        (69 * S, Phase.EXTENDED, 70 * S),
        (70 * S, Phase.CLOSED, 100 * S),
        (169 * S, Phase.CONTINUOUS, 170 * S),
        (170 * S, Phase.CLOSED, 0),
    ],
)
def test_phases_begin_at_their_start(at_us: int, phase: Phase, boundary_us: int) -> None:
    calendar = Calendar("XNYS", SESSIONS, 0, PHASES)
    assert phase_at(calendar, at_us) is phase
    assert next_boundary_us(calendar, at_us) == boundary_us


@pytest.mark.parametrize(
    ("at_us", "opening", "closing"),
    [
        (1 * S, True, True),
        (20 * S - 1, True, True),
        (20 * S, False, True),
        (40 * S - 1, False, True),
        (40 * S, False, False),
        (70 * S, True, False),
        (120 * S, False, False),
        (170 * S, False, False),
    ],
)
def test_an_auction_is_ahead_until_its_call_is_over(at_us: int, opening: bool, closing: bool) -> None:
    calendar = Calendar("XNYS", SESSIONS, 0, PHASES)
    assert is_auction_ahead(calendar, Phase.OPENING_AUCTION, at_us) is opening
    assert is_auction_ahead(calendar, Phase.CLOSING_AUCTION, at_us) is closing
    assert auction_end_us(calendar, Phase.CLOSING_AUCTION, at_us) in (0, 40 * S)


@pytest.mark.parametrize(
    ("from_us", "to_us", "expected"),
    [
        (0, 200 * S, [(20 * S, 40 * S), (120 * S, 170 * S)]),
        (0, 20 * S, []),
        (39 * S, 41 * S, [(20 * S, 40 * S)]),
        (40 * S, 120 * S, []),
        (41 * S, 121 * S, [(120 * S, 170 * S)]),
    ],
)
def test_the_hours_of_a_calendar_are_those_in_which_all_orders_match(
    from_us: int, to_us: int, expected: list[tuple[int, int]]
) -> None:
    assert hours(Calendar("XNYS", SESSIONS, 0, PHASES), from_us, to_us) == expected


def test_the_hours_of_a_calendar_without_phases_are_its_sessions() -> None:
    assert hours(Calendar("24x7", SESSIONS), 70 * S, 101 * S) == [SESSIONS[1]]
    assert phases_of(Calendar("24x7", SESSIONS), 0, 10**9) == []
    assert phases_of(Calendar("XNYS", SESSIONS, 0, PHASES), 10 * S, 30 * S) == list(PHASES[2:4])


@pytest.mark.parametrize(
    ("phases", "outcome"),
    [
        (PHASES, "accepted"),
        (((5, Phase.CONTINUOUS), (5, Phase.CLOSED)), "INVALID_CALENDAR"),
        (((-1, Phase.CONTINUOUS),), "INVALID_CALENDAR"),
        (((1, Phase.HALTED),), "INVALID_CALENDAR"),
        (((1, Phase.HALT_AUCTION),), "INVALID_CALENDAR"),
    ],
)
def test_a_calendar_names_phases_that_can_be_scheduled(
    phases: tuple[tuple[int, Phase], ...], outcome: str
) -> None:
    assert refusal(World().do(SetCalendar("XNYS", SESSIONS, phases))) == outcome
