"""For load balancers and monitoring: is it alive, is it ready, what does it count."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from time import perf_counter
from typing import Final

from msgspec import Struct

from handlers.call import Call
from handlers.envelope import Answer, encoded
from server.errors import DatabaseUnavailable
from server.metrics import CONTENT_TYPE
from server.services import Services

DATABASE_PATIENCE_S: Final = 1.0
LAG_MAX_S: Final = 5.0
"""Further behind than that, the write-behind is said to be so."""


class DependencyState(StrEnum):
    """How something that Kerb depends on is doing. Only a journal that is not OK stops orders at once."""

    OK = "ok"
    BEHIND = "behind"
    AWAY = "away"
    REFUSED = "refused"
    STOPPED = "stopped"


class DependencyJson(Struct, frozen=True):
    """One of them. `detail` is a sentence for people."""

    name: str
    state: DependencyState
    detail: str


class ReadyJson(Struct, frozen=True):
    """`ready` says whether orders are taken; the database may be away for a while without stopping them."""

    ready: bool
    commands: str
    database: str
    applied_seq: int
    durable_seq: int
    dependencies: tuple[DependencyJson, ...]


async def alive(_call: Call) -> Answer:
    """`GET /healthz`: the loop turns."""
    return Answer(200, b'{"status":"ok"}')


async def ready(call: Call) -> Answer:
    """`GET /readyz`: 200 when commands are taken, else 503; with the state of everything that Kerb depends on."""
    services = call.services
    runtime = services.runtime
    database = await _database(services)
    is_ready = runtime.takes_commands
    state = ReadyJson(
        ready=is_ready,
        commands=runtime.gate.name,
        database=database.state.value,
        applied_seq=runtime.state.seq,
        durable_seq=runtime.durable_seq,
        dependencies=(
            _journal(services),
            database,
            _write_behind(services),
            _streams(services),
            _mail(services),
        ),
    )
    return Answer(200 if is_ready else 503, encoded(state))


def _journal(services: Services) -> DependencyJson:
    journal = services.runtime.journal
    if journal.failure is not None:
        return DependencyJson("journal", DependencyState.STOPPED, "the disk failed; nothing is accepted")
    return DependencyJson("journal", DependencyState.OK, f"{journal.pending_bytes} bytes wait for the disk")


async def _database(services: Services) -> DependencyJson:
    started_s = perf_counter()
    try:
        async with asyncio.timeout(DATABASE_PATIENCE_S):
            await services.database.execute("SELECT 1")
    except (DatabaseUnavailable, TimeoutError):
        return DependencyJson(
            "database", DependencyState.AWAY, "sign-in and history answer 503, orders go on"
        )
    return DependencyJson(
        "database", DependencyState.OK, f"answers in {(perf_counter() - started_s) * 1_000:.1f} ms"
    )


def _write_behind(services: Services) -> DependencyJson:
    write_behind = services.write_behind
    behind = f"{write_behind.lag_records} records, {write_behind.lag_s:.1f} s behind"
    if write_behind.refused is not None:
        state = DependencyState.REFUSED
    elif not write_behind.available:
        state = DependencyState.AWAY
    else:
        state = DependencyState.BEHIND if write_behind.lag_s > LAG_MAX_S else DependencyState.OK
    return DependencyJson("write_behind", state, behind)


def _streams(services: Services) -> DependencyJson:
    hub = services.hub
    state = DependencyState.STOPPED if hub.is_shutting_down else DependencyState.OK
    return DependencyJson(
        "streams", state, f"{len(hub.outlets)} of {hub.settings.connections_max} connections"
    )


def _mail(services: Services) -> DependencyJson:
    mailer = services.auth.mailer
    state = DependencyState.AWAY if mailer.is_failing else DependencyState.OK
    return DependencyJson("mail", state, f"{mailer.sent} letters sent, {mailer.failed} given up")


async def metrics(call: Call) -> Answer:
    """`GET /metrics` in the Prometheus text format."""
    return Answer(200, await call.services.metrics.render(), content_type=CONTENT_TYPE)
