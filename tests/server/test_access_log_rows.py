"""The access log in PostgreSQL: every row of the journal is there once, in its month, and a changed one is found."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.commands import SetGate, SetLot
from engine.parking.gate_commands import OperateGate, RenewGateKey, ReportPassage, ScanTag
from engine.parking.gate_kinds import CredentialKind, GateOrder
from engine.parking.kinds import Direction
from server.verify_journal import verify_journal
from tests.server.test_verify_rows import world_of

TAG = "E28011600000000000000001"


async def test_rows_are_written_once_and_compared_with_the_journal(database_dsn: str, tmp_path: Path) -> None:
    async with world_of(database_dsn, tmp_path, 1 << 20) as world:
        now_us = world.runtime.now_us()
        for command in (
            SetLot("P1", "Old Harbour", "Quay 1", "UTC", "USD", ""),
            SetGate("in", "P1", "In", Direction.ENTRY),
            RenewGateKey("in"),
            ScanTag("in", 1, b"1", 1, now_us, CredentialKind.TAG, TAG),
            ReportPassage("in", 2, b"2", 1, now_us, True),
            OperateGate("in", GateOrder.OPEN, 1, "lost ticket"),
        ):
            assert world.runtime.submit(command, Envelope(Source.OPERATOR, 7)).refused is None
        await world.written()
    connection = await asyncpg.connect(database_dsn)
    try:
        rows = await connection.fetch(
            "SELECT kind, gate_id, what, operator_id FROM access_log ORDER BY entry_id"
        )
        assert [tuple(row) for row in rows] == [
            (6, "in", "", 7),
            (1, "in", TAG, 0),
            (4, "in", "", 0),
            (5, "in", "lost ticket", 7),
        ]
        assert (await verify_journal(database_dsn, tmp_path)).findings == []
        await connection.execute("UPDATE access_log SET what = 'nothing' WHERE kind = 5")
        (finding,) = (await verify_journal(database_dsn, tmp_path)).findings
        assert "access_log" in str(finding)
        assert "what is nothing, the journal says lost ticket" in str(finding)
    finally:
        await connection.close()
