"""Making a batch's rows: all of them, in bounded slices between which the loop serves others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from engine.commands import CancelAll, Envelope
from engine.events import AccountStatusChanged
from engine.kinds import AccountStatus, Source
from engine.units import IDS_PER_SEQ
from server.batch_writer import (
    SLICE_CHANGES,
    SLICE_ORDERS,
    SLICE_RECORDS,
    encode_changes,
    encode_orders,
    project,
)
from server.codec import Record
from sql.projection import Rows
from tests.server.market_records import order


def read(after: int, up_to: int, limit: int) -> Sequence[Record]:
    event = AccountStatusChanged(1, AccountStatus.ACTIVE, "")
    return [
        Record(seq, seq, Envelope(Source.HTTP), CancelAll(""), (event,))
        for seq in range(after + 1, min(after + limit, up_to) + 1)
    ]


class Others:
    """Counts the turns that others get on the loop."""

    def __init__(self) -> None:
        self.turns = 0
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)

    async def stop(self) -> int:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.turns


async def test_records_are_projected_in_slices() -> None:
    others = Others()
    rows = await project(10, 10 + 20 * SLICE_RECORDS + 1, read)
    assert await others.stop() >= 20
    assert (rows.first_seq, rows.last_seq, rows.record_count) == (
        11,
        11 + 20 * SLICE_RECORDS,
        20 * SLICE_RECORDS + 1,
    )
    assert len(rows.account_statuses) == rows.record_count


async def test_changes_are_encoded_in_slices() -> None:
    others = Others()
    latest = await encode_changes(7, [("withdrawal", n, (n, 1, 2, 3)) for n in range(20 * SLICE_CHANGES + 1)])
    assert await others.stop() >= 20
    assert len(latest.state) == 20 * SLICE_CHANGES + 1


async def test_orders_are_encoded_in_slices() -> None:
    """Every second one was accepted before the first of these records."""
    rows = Rows(1_000_000)
    for number in range(10 * SLICE_ORDERS):
        seq = rows.first_seq + number
        event = order(1, (seq - number % 2 * rows.first_seq) * IDS_PER_SEQ)
        rows.add(Record(seq, seq, Envelope(Source.HTTP), CancelAll(""), (event,)))
    others = Others()
    new, older = await encode_orders(rows)
    assert await others.stop() >= 10
    assert (new, older) == (rows.new_orders(), rows.older_orders())
    assert len(new) == len(older) == rows.order_count // 2 == 5 * SLICE_ORDERS
