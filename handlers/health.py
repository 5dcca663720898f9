"""For load balancers and monitoring: is it alive, is it ready, what does it count."""

from __future__ import annotations

from msgspec import Struct

from handlers.call import Call
from handlers.envelope import Answer, encoded
from server.errors import DatabaseUnavailable
from server.metrics import CONTENT_TYPE


class ReadyJson(Struct, frozen=True):
    """`ready` says whether orders are taken; the database may be away for a while without stopping them."""

    ready: bool
    commands: str
    database: str
    applied_seq: int
    durable_seq: int


async def alive(_call: Call) -> Answer:
    """`GET /healthz`: the loop turns."""
    return Answer(200, b'{"status":"ok"}')


async def ready(call: Call) -> Answer:
    """`GET /readyz`: 200 when commands are taken, else 503."""
    runtime = call.services.runtime
    try:
        await call.services.database.execute("SELECT 1")
        database = "ok"
    except DatabaseUnavailable:
        database = "away"
    is_ready = runtime.takes_commands
    state = ReadyJson(
        ready=is_ready,
        commands=runtime.gate.name,
        database=database,
        applied_seq=runtime.state.seq,
        durable_seq=runtime.durable_seq,
    )
    return Answer(200 if is_ready else 503, encoded(state))


async def metrics(call: Call) -> Answer:
    """`GET /metrics` in the Prometheus text format."""
    return Answer(200, call.services.metrics.render(), content_type=CONTENT_TYPE)
