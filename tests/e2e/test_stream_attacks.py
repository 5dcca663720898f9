"""The attacks of tests/torture/stream_attacks.py in small: what clients are told is what the journal says, event by event."""

from __future__ import annotations

from dataclasses import replace

from tests.torture.stream_attacks import drop, run, stall
from tests.torture.stream_notes import SLOW_CONSUMER
from tests.torture.streams import Shape

SHAPE = Shape(
    accounts=20,
    each=5,
    watchers=100,
    symbols=2,
    rate=200,
    job_s=1.0,
    calm_s=0.3,
    return_s=0.5,
    receive_bytes=4_096,
    pinned=False,
)
SETTINGS = {
    "KERB_STREAM__SLOW_CONSUMER_S": "1",
    "KERB_STREAM__SNDBUF_BYTES": "8192",
    "KERB_STREAM__NOTSENT_LOWAT_BYTES": "4096",
}


async def test_clients_that_stall_or_drop_have_no_hole_and_nothing_twice_when_they_are_back(
    database_dsn: str,
) -> None:
    shape = replace(SHAPE, environ={**SETTINGS, "KERB_DATABASE_URL": database_dsn})
    result = await run(shape, stall, drop)
    print(result)

    assert result.clients.closes_stalled == {SLOW_CONSUMER: SHAPE.accounts}
    assert result.clients.resumed >= SHAPE.accounts + SHAPE.followers
    assert result.events > SHAPE.followers
