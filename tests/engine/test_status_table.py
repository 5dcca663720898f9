"""The state machine of order status: the page draws the code's own table, and what is not in it raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.kinds import OrderStatus
from engine.orders import Order
from engine.status_table import REACHABLE, STATUS_TABLE, change_status
from tests.engine.world import World

PAGE = Path(__file__).parents[2] / "docs" / "orders.md"
STEPS = [(before, after) for before in OrderStatus for after in OrderStatus]


def diagram() -> str:
    """The table as a mermaid diagram."""
    lines = ["stateDiagram-v2", "    [*] --> HELD", "    [*] --> PENDING"]
    for before, following in STATUS_TABLE.items():
        lines += [f"    {before.name} --> {after.name}" for after in following]
        lines += [] if following else [f"    {before.name} --> [*]"]
    return "\n".join(lines)


def test_the_page_draws_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in PAGE.read_text(encoding="utf-8"), diagram()


def test_the_page_says_the_same_in_words() -> None:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        name, *rest = [cell.strip() for cell in line.strip("|").split("|")]
        if name in ("HELD", "PENDING", "PARTIAL") and len(rest) == 2:
            named = {OrderStatus[word] for word in rest[1].split(", ")}
            assert named == set(STATUS_TABLE[OrderStatus[name]]), name


def test_the_table_is_total_and_what_is_final_is_final() -> None:
    assert set(STATUS_TABLE) == set(OrderStatus)
    for status, following in STATUS_TABLE.items():
        assert bool(following) is (status <= OrderStatus.PARTIAL)


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_a_step_is_made_or_raises(before: OrderStatus, after: OrderStatus) -> None:
    world = World()
    world.open("ann", cash="1000")
    order: Order = world.state.orders[world.buy("ann", "1", "100").order_id]
    order.status = before
    if after in STATUS_TABLE[before]:
        change_status(order, after)
        assert order.status is after
    else:
        with pytest.raises(RuntimeError, match=f"from {before.name} to {after.name}"):
            change_status(order, after)
        assert order.status is before


def test_several_steps_of_one_command() -> None:
    assert OrderStatus.FILLED in REACHABLE[OrderStatus.HELD]
    assert OrderStatus.PENDING not in REACHABLE[OrderStatus.PARTIAL]
    assert REACHABLE[OrderStatus.FILLED] == (OrderStatus.FILLED,)


def test_the_world_notices_a_step_that_is_not_in_the_table() -> None:
    world = World()
    world.open("ann", cash="1000")
    order = world.buy("ann", "2", "100")
    world.statuses[order.order_id] = OrderStatus.PARTIAL
    with pytest.raises(AssertionError, match="PARTIAL to PENDING"):
        world.look_at([order])
