"""Operators and gates over HTTP: a gate is made, given a secret, connects with it, and obeys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.settings import Settings
from server.gate_client import GateClient, GateRefused
from server.gate_messages import AllowList, GateCommand
from server.gates_command import OperatorRefused, gates_of, simulate
from tests.handlers.parking_people import car_park
from tests.handlers.small_kerb import PASSWORD, Client, SmallKerb, open_small_kerb

GATE = {"gate_id": "gat_north", "lot_id": "lot_P1", "name": "North", "direction": "ENTRY"}


@pytest.fixture
async def operated(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> AsyncIterator[tuple[SmallKerb, Client]]:
    async with open_small_kerb(database_dsn, tmp_path, settings) as small:
        await car_park(small)
        yield small, await small.admin()


async def test_a_gate_is_made_given_a_secret_connects_and_obeys(operated: tuple[SmallKerb, Client]) -> None:
    small, operator = operated
    address = ("127.0.0.1", small.services.gate_port)
    made = await operator("POST", "/admin/parking/gates", GATE)
    assert (made.status, made.data["connected"], made.data["secrets"]) == (201, False, 0)
    assert (await operator("POST", "/admin/parking/gates", GATE | {"lanes": 2})).status == 201
    opening = {"command": "OPEN", "lane": 1, "reason": "test"}
    assert (await operator("POST", "/admin/parking/gates/gat_north/commands", opening)).status == 409

    given = await operator("POST", "/admin/parking/gates/gat_north/secret")
    assert given.status == 201
    secret = bytes.fromhex(given.data["secret"])
    said: asyncio.Queue[GateCommand | AllowList] = asyncio.Queue()
    await GateClient.connect(address, "gat_north", secret, on_unasked=said.put_nowait)
    (shown,) = [each for each in (await operator("GET", "/admin/parking/gates")).data if each["connected"]]
    assert (shown["gate_id"], shown["lanes"], shown["secrets"]) == ("gat_north", 2, 1)
    done = await operator("POST", "/admin/parking/gates/gat_north/commands", opening)
    assert (done.status, done.data["n"], done.data["connected"]) == (201, 1, True)
    command = await said.get()
    assert isinstance(command, GateCommand)
    assert (command.n, command.do, command.lane, command.by) == (1, "OPEN", 1, operator.user_id)

    logs = "/admin/parking/access-logs?gate_id=gat_north"
    (ordered,) = (await operator("GET", f"{logs}&kind=ORDER")).data
    assert (ordered["reason"], ordered["operator_id"], ordered["what"]) == ("OPEN", operator.user_id, "test")
    newest = await operator("GET", f"{logs}&limit=1")
    older = await operator("GET", f"{logs}&cursor={newest.meta['next_cursor']}")
    assert [row["kind"] for row in (*newest.data, *older.data)] == ["ORDER", "CONNECTED", "SECRET"]

    assert (await operator("POST", "/admin/parking/gates/gat_north/secret")).data["secret"] != secret.hex()
    with pytest.raises(GateRefused):
        await GateClient.connect(address, "gat_north", secret)


async def test_who_may_not_and_what_is_wrong_is_refused(operated: tuple[SmallKerb, Client]) -> None:
    small, operator = operated
    trader = await small.trader()
    assert (await trader("GET", "/parking/access-logs")).data == []
    assert (await trader("GET", "/admin/parking/access-logs")).status == 403
    for path in ("gates", "gates/gat_P1-in/secret", "gates/gat_P1-in/commands"):
        assert (await trader("POST", f"/admin/parking/{path}", GATE)).status == 403
    commands = "/admin/parking/gates/gat_P1-in/commands"
    for body, status, code in (
        ({"command": "LOCK", "lane": 9, "reason": "x"}, 422, "INVALID_GATE_ORDER"),
        ({"command": "LOCK", "reason": "  "}, 400, "BAD_REQUEST"),
        ({"command": "BURN", "reason": "x"}, 400, "BAD_REQUEST"),
    ):
        reply = await operator("POST", commands, body)
        assert (reply.status, reply.code) == (status, code), reply
    wrong = await operator("POST", "/admin/parking/gates", GATE | {"lot_id": "lot_NONE"})
    assert (wrong.status, wrong.code) == (422, "PARKING_LOT_NOT_FOUND")
    audited = (await operator("GET", "/admin/audit")).data
    assert any(row["target"] == "gat_P1-in" and "LOCK" in row["body"] for row in audited)


async def test_the_simulator_makes_its_gates_and_connects_them(operated: tuple[SmallKerb, Client]) -> None:
    small, _ = operated
    access = await gates_of(small.url, "operator@example.com", PASSWORD, "P1", 3)
    tally = await simulate(("127.0.0.1", small.services.gate_port), access, rate=50, seconds=1)
    assert [each.gate_id for each in access] == [f"gat_P1-SIM{number}" for number in (1, 2, 3)]
    assert (tally.opened, tally.lost) == (0, 0)
    assert small.services.gates is not None
    with pytest.raises(OperatorRefused, match="no such"):
        await gates_of(small.url, "operator@example.com", PASSWORD, "NONE", 1)
