"""Risk limits and fees while the server runs. Config is what counts at the next start: a lasting change belongs there."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from engine.apply import Applied
from engine.commands import AnyCommand, Envelope, SetFees, SetLimits
from engine.kinds import Source
from engine.state import Limits
from engine.units import CASH_SCALE, NOTIONAL_MAX_E4
from handlers.call import Call
from handlers.command_digest import digest
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.numbers import Number, QuantityIn, cash, quantity, read_amount_e4, read_quantity_e8
from handlers.orders import HIT
from handlers.request_input import idempotency_key
from server.errors import NotFound

ValueIn = Annotated[
    Raw,
    Meta(
        description="An amount of cash, above zero, as a JSON number or as a string; read exactly.",
        extra_json_schema={
            "type": ["number", "string"],
            "exclusiveMinimum": 0,
            "maximum": NOTIONAL_MAX_E4 // CASH_SCALE,
            "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$",
        },
    ),
]
Bps = Annotated[int, Meta(ge=1, le=9_999)]
Ppm = Annotated[int, Meta(ge=0, le=100_000)]


class LimitsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/limits`: what one order and one account may risk."""

    order_quantity_max: QuantityIn
    order_value_max: ValueIn
    open_orders_max: Annotated[int, Meta(ge=1, le=10**9)]
    market_collar_bps: Bps


class FeesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/fees/{schedule}`, in parts per million of a fill's notional."""

    maker_ppm: Ppm
    taker_ppm: Ppm


class LimitsJson(Struct, frozen=True):
    """The limits in force."""

    order_quantity_max: Number
    order_value_max: Number
    open_orders_max: int
    market_collar_bps: int


class FeesJson(Struct, frozen=True):
    """A fee schedule in force. Orders that were accepted keep the rates of then."""

    schedule: str
    maker_ppm: int
    taker_ppm: int


_limits = msgspec.json.Decoder(LimitsBody)
_fees = msgspec.json.Decoder(FeesBody)


async def limits(call: Call) -> Answer:
    """`GET /admin/limits`."""
    runtime = call.services.runtime
    seq, data = runtime.state.seq, encoded(_limits_json(runtime.state.limits))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def set_limits(call: Call) -> Answer:
    """`PUT /admin/limits`: from now on, for new orders; those of idempotency keys stay as they are."""
    body = call.decode(_limits)
    now = call.services.runtime.state.limits
    command = SetLimits(
        read_quantity_e8(body.order_quantity_max, "order_quantity_max"),
        read_amount_e4(body.order_value_max, "order_value_max"),
        body.open_orders_max,
        body.market_collar_bps,
        now.keys_per_user_max,
        now.keys_max,
        now.key_ttl_us,
        now.gtc_max_age_us,
    )
    applied = await as_operator(call, command)
    wanted = Limits(*(getattr(command, name) for name in command.__struct_fields__))
    return _answer(call, applied, encoded(_limits_json(wanted)))


async def fees(call: Call) -> Answer:
    """`GET /admin/fees`: every schedule."""
    runtime = call.services.runtime
    schedules = runtime.state.fees.values()
    seq = runtime.state.seq
    data = encoded([FeesJson(each.schedule, each.maker_ppm, each.taker_ppm) for each in schedules])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def set_fees(call: Call) -> Answer:
    """`PUT /admin/fees/{schedule}`: for orders from now on. Schedules are made in config, so an unknown one is 404."""
    schedule = call.path("schedule")
    body = call.decode(_fees)
    if schedule not in call.services.runtime.state.fees:
        raise NotFound("There is no such fee schedule.")
    applied = await as_operator(call, SetFees(schedule, body.maker_ppm, body.taker_ppm))
    return _answer(call, applied, encoded(FeesJson(schedule, body.maker_ppm, body.taker_ppm)))


async def as_operator(call: Call, command: AnyCommand) -> Applied:
    """Give a command to the engine as an operator's own; back when it is durable. Raises as `submit`."""
    key = idempotency_key(call.headers)
    who = call.principal.user_id
    envelope = Envelope(Source.OPERATOR, who, 0, call.request_id, key, digest(command) if key else b"")
    return await call.services.runtime.execute(command, envelope)


def _limits_json(now: Limits) -> LimitsJson:
    return LimitsJson(
        order_quantity_max=quantity(now.order_quantity_max_e8),
        order_value_max=cash(now.order_value_max_e4),
        open_orders_max=now.open_orders_max,
        market_collar_bps=now.market_collar_bps,
    )


def _answer(call: Call, applied: Applied, done: bytes) -> Answer:
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    return success_as_of(done, applied.seq, headers=HIT if applied.duplicate else None)
