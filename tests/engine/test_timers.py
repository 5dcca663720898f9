"""Timers come by (due, id), whatever the order in which they were made, and a recovered state has the same order."""

from __future__ import annotations

from engine.action_events import ActionEffected
from engine.commands import PlaceOrder
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.events import OrderUpdated, PhaseChanged
from engine.kinds import OrderStatus, TimeInForce, TimerKind
from engine.state import State
from engine.terms import Terms
from engine.timers import DEAD_MAX, add_timer, drop_timer, drop_timer_of, next_timer
from engine.turn import Turn
from engine.units import MINUTE_US, SECOND_US
from tests.engine.mirror import all_rows, restored
from tests.engine.world import BUY, LIMIT, World, e4, e8

S = SECOND_US


def good_till(world: World, due_us: int) -> int:
    """A GTD order; its id."""
    terms = Terms(expires_us=due_us)
    command = PlaceOrder("AAPL", BUY, LIMIT, e8("1"), e4("99"), TimeInForce.GTD, terms=terms)
    return world.accepted(world.do(command, "ann")).order_id


def ended(world: World, to_us: int) -> list[int]:
    """The orders that end until a time, in the order in which they do."""
    reports = [event for event in world.advance(to_us) if isinstance(event, OrderUpdated)]
    assert {report.status for report in reports} <= {OrderStatus.EXPIRED}
    return [report.order_id for report in reports]


def test_timers_come_in_the_order_of_what_is_due_then_of_their_ids() -> None:
    world = World()
    world.open("ann", cash="10000")
    due = (50 * S, 40 * S, 20 * S, 40 * S, 30 * S, 10 * S)
    orders = [good_till(world, due_us) for due_us in due]
    last, second_at_40, at_20, third_at_40, at_30, first = orders
    assert ended(world, 20 * S) == [first, at_20]
    world.state = restored(all_rows(world.state))
    assert ended(world, 60 * S) == [at_30, second_at_40, third_at_40, last]


def test_corporate_actions_come_before_what_is_due_with_them() -> None:
    """A book that opens at the minute of a split opens with new shares, also where the state was recovered in between."""
    world = World(sessions=((MINUTE_US, 9 * MINUTE_US),))
    world.open("ann", cash="1000", shares="10")
    for action_id in (1, 2):
        world.do(DeclareAction(action_id, ActionKind.SPLIT, "AAPL", MINUTE_US, 2, 1))
    world.state = restored(all_rows(world.state))
    told = world.advance(MINUTE_US)
    names = [type(event).__name__ for event in told if isinstance(event, ActionEffected | PhaseChanged)]
    assert names == ["ActionEffected", "ActionEffected", "PhaseChanged"]
    assert [event.action_id for event in told if isinstance(event, ActionEffected)] == [1, 2]


def test_disarmed_timers_do_not_pile_up_and_the_others_keep_their_order() -> None:
    """Lanes that are passed within seconds, stays that end hours before their time."""
    state = State()
    turn = Turn(state, 1, 0)
    for number in range(6_000):
        add_timer(turn, 10 * S - number % 977, TimerKind.GATE_LANE, str(number))
        if number % 10:
            drop_timer_of(state, TimerKind.GATE_LANE, str(number))
    assert len(state.timers) == 600
    assert len(state.timer_heap) <= 2 * len(state.timers) + DEAD_MAX
    expected = sorted((each.due_us, each.timer_id) for each in state.timers.values())
    found = []
    while (timer := next_timer(state)) is not None:
        found.append((timer.due_us, timer.timer_id))
        drop_timer(state, timer)
    assert found == expected
