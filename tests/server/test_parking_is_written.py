"""What parking does is in Postgres: its money in the postings and statements, its state in `engine_state`; verify is content."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from engine.commands import AnyCommand, Deposit, OpenAccount, SetLotMethod
from engine.events import AccountOpened
from engine.kinds import AccountKind, LotMethod
from engine.parking.booking_commands import BookSpace, CancelBooking, IssuePass
from engine.parking.commands import ImportEstate, RegisterVehicle, SetFloor, SetGate, SetLot, SetSpace
from engine.parking.events import VehicleSet
from engine.parking.gate_commands import RenewGateKey, ReportPassage, ScanTag
from engine.parking.gate_kinds import CredentialKind
from engine.parking.kinds import Direction, PassKind, SpaceType, VehicleKind
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_records import Tariff
from engine.parking.zones import UTC
from engine.refusals import Refusal
from engine.state_hash import state_hash
from engine.units import DAY_US, HOUR_US, MINUTE_US
from server.recovery import load_state
from server.verify import verify
from tests.server.ledger_world import World, open_world

RARE = "".join(chr(0x1F300 + n * 7919 % 600) for n in range(200))
TARIFF = Tariff(
    name="STD", currency="USD", unit_minutes=30, rates=((SpaceType.STANDARD, 5_000),), tax_bps=2_000
)


def open_lot(world: World) -> None:
    """A lot with texts as long and rare as they may be."""
    world.submit(SetZone(UTC))
    world.submit(SetTariff(TARIFF))
    world.submit(SetLot("P1", RARE, RARE, "UTC", "USD", "STD"))
    spaces = tuple([SetSpace("P1", f"S-{n}", "G", SpaceType.STANDARD) for n in range(5)])
    gates = tuple([SetGate(code, "P1", RARE, Direction.BOTH) for code in ("in", "out")])
    world.submit(ImportEstate("P1", (SetFloor("P1", "G", RARE, 0),), spaces, gates))
    for gate in gates:
        world.submit(RenewGateKey(gate.gate_id))


def driver(world: World, user_id: int, cash_e4: int) -> tuple[int, int]:
    """An account with a vehicle."""
    opened = world.submit(OpenAccount(user_id, AccountKind.USER, "USD")).answer[0]
    assert isinstance(opened, AccountOpened)
    world.submit(Deposit(cash_e4, "CARD"), opened.account_id)
    register = RegisterVehicle(f"CAR{user_id}", VehicleKind.STANDARD, 150, False, RARE[:64], RARE[:64])
    (registered,) = world.submit(register, opened.account_id).events
    assert isinstance(registered, VehicleSet)
    return opened.account_id, registered.vehicle.vehicle_id


def pass_gate(world: World, gate: str, plate: str) -> None:
    """A vehicle goes in or out, known by its plate."""
    state = world.state.parking.gate_states[gate]
    scan = ScanTag(gate, state.n + 1, b"d", 1, 0, CredentialKind.PLATE, plate)
    assert world.submit(scan).refused is None
    assert world.submit(ReportPassage(gate, state.n + 2, b"d", 1, 0, passed=True)).refused is None


async def test_parkings_money_and_state_are_written(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        open_lot(world)
        rich_id, rich_car = driver(world, 7_001, 10**6)
        poor_id, _ = driver(world, 7_002, 1)
        begin_us = (world.runtime.now_us() // DAY_US + 1) * DAY_US
        asked = BookSpace("P1", rich_car, begin_us, begin_us + 2 * HOUR_US, SpaceType.STANDARD)
        assert world.submit(asked, rich_id, "first").refused is None
        assert world.submit(CancelBooking(next(iter(world.state.parking.bookings))), rich_id).refused is None
        assert world.submit(asked, rich_id, "second").refused is None
        sold = IssuePass(rich_car, "P1", PassKind.SEASON, begin_us, begin_us + DAY_US, 777, 77, space="S-4")
        assert world.submit(sold).refused is None
        pass_gate(world, "in", "CAR7002")
        world.clock_leap(3 * HOUR_US // 10**6)
        pass_gate(world, "out", "CAR7002")
        debts = world.state.parking.debts
        assert [debt.account_id for debt in debts.values()] == [poor_id]
        await world.written()
        world.submit(Deposit(10**5, "CARD"), poor_id)
        assert not debts
        world.runtime.fire_due_timers(begin_us + 3 * HOUR_US + MINUTE_US)
        await world.written()
        assert world.write_behind.refused is None
        assert world.state.parking.bookings == {}  # nobody came
    assert await verify(database_dsn) == []
    connection = await asyncpg.connect(database_dsn)
    try:
        rows = await connection.fetch("SELECT account_id, sum(amount) AS total FROM postings GROUP BY 1")
        kinds = await connection.fetch("SELECT kind FROM accounts WHERE account_id BETWEEN 21 AND 24")
    finally:
        await connection.close()
    totals = {row["account_id"]: int(row["total"]) for row in rows}
    assert totals[24] == 0  # what was owed is repaid
    assert totals[21] + totals[22] > 0
    assert sorted(row["kind"] for row in kinds) == [21, 22, 23, 24]


async def test_what_open_bookings_hold_and_what_was_refused_is_known_to_verify(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        open_lot(world)
        account_id, car = driver(world, 7_001, 10**6)
        begin_us = (world.runtime.now_us() // DAY_US + 1) * DAY_US
        for day in range(2):
            times = (begin_us + day * DAY_US, begin_us + day * DAY_US + 2 * HOUR_US)
            assert world.submit(BookSpace("P1", car, *times, SpaceType.STANDARD), account_id).refused is None
        refusing: list[tuple[AnyCommand, Refusal]] = [
            (SetLot("P2", "", "", "UTC", "x", ""), Refusal.INVALID_ESTATE),
            (SetLotMethod(LotMethod.SPECIFIC), Refusal.INVALID_TERMS),
        ]
        for command, refusal in refusing:
            refused = world.submit(command, account_id, key=f"no {refusal}").refused
            assert refused is not None
            assert (refused.refusal, len(refused.detail)) == (refusal, 1)
        await world.written()
        live = state_hash(world.state)
    assert await verify(database_dsn) == []
    connection = await asyncpg.connect(database_dsn)
    try:
        kept, _ = await load_state(connection)
        assert state_hash(kept) == live  # the answers of the keys too
        await connection.execute("DELETE FROM engine_state WHERE kind = 'booking'")
    finally:
        await connection.close()
    assert "held cash = open holds" in [finding.check for finding in await verify(database_dsn)]
