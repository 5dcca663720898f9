"""The engine that lived, Postgres with the journal's tail, and the whole journal are one state."""

from __future__ import annotations

from pathlib import Path

from tests.simulation.replays import three_ways


async def test_three_ways_lead_to_one_state(database_dsn: str, tmp_path: Path) -> None:
    assert "records" in await three_ways("a", database_dsn, tmp_path / "kerb", commands=150)
