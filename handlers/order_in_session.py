"""What the session makes of an order that does not say how long it stays."""

from __future__ import annotations

from msgspec.structs import replace

from engine.commands import PlaceOrder
from engine.kinds import Phase, TimeInForce
from engine.state import State
from handlers.call import Call
from handlers.order_body import PlainOrder
from handlers.order_command import MARKET, order_of
from handlers.order_terms import OrderBody


def in_session(state: State, body: PlainOrder | OrderBody, command: PlaceOrder) -> PlaceOrder:
    """A market order that says nothing of its time takes what is there; where orders are collected that would be nothing, so
    it stays for the day (docs/orders.md, "Time in force").
    """
    if command.order_type is not MARKET or body.time_in_force is not None:
        return command
    instrument = state.instruments.get(command.symbol)
    if instrument is None or instrument.phase is Phase.CONTINUOUS:
        return command
    return replace(command, time_in_force=TimeInForce.DAY)


def to_place(call: Call, body: PlainOrder | OrderBody) -> PlaceOrder:
    """The order of a call. Raises as `order_of`."""
    said = order_of(body)
    if said.order_type is not MARKET:
        return said
    command = in_session(call.services.runtime.state, body, said)
    if command is not said:
        call.said = said
    return command
