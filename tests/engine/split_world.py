"""A small market whose shares are split: who has what, and how a split comes."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from engine.commands import PlaceOrder, SetInstrument
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.events import AnyEvent
from engine.kinds import OrderType, Side, TimeInForce
from engine.state_hash import state_hash
from engine.terms import Terms
from engine.units import MINUTE_US
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.world import World, e4, e8, refusal, shown, stock

SPLIT = ActionKind.SPLIT
WHOLE = stock(lot="1")
"""No fractions of shares."""


def market(listing: SetInstrument = WHOLE) -> World:
    """Ann has 10 units at 10, bob 3; cal has cash and no units. The price is 90."""
    world = World(listings=[replace(listing, reference_e4=e4("90"))])
    world.open("ann", cash="10000", shares="10")
    world.open("bob", cash="10000", shares="3")
    world.open("cal", cash="10000")
    return world


def split(world: World, new: int, old: int, action_id: int = 7, symbol: str = "AAPL") -> list[AnyEvent]:
    """Declare a split for the next minute, and let it come."""
    effective_us = (world.now_us // MINUTE_US + 1) * MINUTE_US
    assert refusal(world.do(DeclareAction(action_id, SPLIT, symbol, effective_us, new, old))) == "accepted"
    mirror = Mirror(world.state)
    events = world.advance(effective_us)
    mirror.cut(world.state)
    assert mirror.rows == all_rows(world.state)
    assert state_hash(restored(mirror.rows)) == state_hash(world.state)
    return events


def kinds(events: list[AnyEvent], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def lots(world: World, who: str) -> list[tuple[str, str]]:
    """(units, cost) of each, oldest first."""
    position = world.account(who).positions["AAPL"]
    return [(shown(lot.units_e8, 10**8), shown(lot.cost_e4, 10**4)) for lot in position.lots.values()]


def order_command(
    side: Side, order_type: OrderType, price: str, tif: TimeInForce, terms: Terms | None = None
) -> PlaceOrder:
    """For 2."""
    return PlaceOrder("AAPL", side, order_type, e8("2"), e4(price) if price else 0, tif, terms=terms)
