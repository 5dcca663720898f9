"""Rows that records write one by one: each that is not what the journal says is found, and named, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from engine.commands import RequestWithdrawal, SetAccountStatus, SetRiskRule
from engine.kinds import AccountStatus, RiskMode, RiskRule
from engine.units import DAY_US
from server.disk import Disk
from server.journal_scan import segment_paths
from server.journal_segments import SEGMENT_MIN_BYTES
from server.verify import Finding
from server.verify_journal import verify_journal
from server.verify_rare import FETCH_ROWS
from sql.rare_rows import RARE
from tests.server.ledger_world import UNIT_E8
from tests.server.test_settlement_rows import found, later, violate
from tests.server.test_verify_rows import world_of

LAST_VIOLATION = "(SELECT max(violation_id) FROM risk_violations)"
PAID = "(SELECT max(withdrawal_id) FROM withdrawals WHERE status = 2)"
ASKED = "(SELECT max(withdrawal_id) FROM withdrawals WHERE status = 1)"
ONE_DAY = "(SELECT max(settlement_date) FROM settled_days)"

TAMPERINGS = [
    # what is done to the rows, the check that must find it, what it says
    ("UPDATE accounts SET opened_at = opened_at + INTERVAL '1 hour' WHERE user_id = 5000", "accounts", "opened_at is "),
    ("UPDATE accounts SET status_reason = 'other' WHERE status = 2", "accounts", "the journal says left"),
    ("UPDATE accounts SET seq = seq + 1 WHERE user_id = 5001", "accounts", "no record says so"),
    ("UPDATE accounts SET status = 1, status_reason = '' WHERE status = 2", "accounts", "status is 1, the journal says 2"),
    ("DELETE FROM accounts WHERE user_id = 5000", "accounts", "is missing"),
    (("INSERT INTO accounts SELECT account_id + 5, 77, kind, currency, 1, '', opened_at, seq FROM accounts "
     "WHERE user_id = 5000"), "accounts", "is not what any record left behind"),
    (f"UPDATE withdrawals SET status = 3 WHERE withdrawal_id = {PAID}", "withdrawals", "status is 3, the journal says 2"),
    (f"UPDATE withdrawals SET settled_at = settled_at + INTERVAL '1 s' WHERE withdrawal_id = {PAID}", "withdrawals",
     "settled_at is "),
    (f"UPDATE withdrawals SET amount_e4 = amount_e4 + 1 WHERE withdrawal_id = {PAID}", "withdrawals", "amount_e4 is "),
    (f"DELETE FROM withdrawals WHERE withdrawal_id = {PAID}", "withdrawals", "is missing"),
    (f"UPDATE withdrawals SET status = 2, settled_at = requested_at WHERE withdrawal_id = {ASKED}", "withdrawals",
     "no record says so"),
    ("UPDATE withdrawals SET status = 1, settled_at = NULL WHERE status = 2", "withdrawals", "status is 1, the journal says 2"),
    (f"UPDATE risk_violations SET figures = '[[\"x\", 1]]' WHERE violation_id = {LAST_VIOLATION}", "risk_violations",
     "figures is [['x', 1]], the journal says"),
    (f"DELETE FROM risk_violations WHERE violation_id = {LAST_VIOLATION}", "risk_violations", "is missing"),
    ("UPDATE good_faith_violations SET violations = 7", "good_faith_violations", "violations is 7, the journal says 1"),
    ("DELETE FROM good_faith_violations", "good_faith_violations", "is missing"),
    ("UPDATE dividend_payments SET units_e8 = units_e8 + 1", "dividend_payments", "units_e8 is "),
    ("DELETE FROM dividend_payments", "dividend_payments", "is missing"),
    (("INSERT INTO dividend_payments SELECT txn_id + 999, dividend_id, account_id, 1, 1, paid_at, symbol, 0 "
     "FROM dividend_payments LIMIT 1"), "dividend_payments", "is not what any record left behind"),
    ("UPDATE action_payments SET units_e8 = units_e8 + 1", "action_payments", "units_e8 is "),
    ("DELETE FROM action_payments", "action_payments", "is missing"),
    ("UPDATE effected_actions SET numerator = 4", "effected_actions", "numerator is 4, the journal says 10"),
    ("UPDATE effected_actions SET refusal = 'X'", "effected_actions", "refusal is X, the journal says None"),
    ("DELETE FROM effected_actions", "effected_actions", "is missing"),
    (f"DELETE FROM settled_days WHERE settlement_date = {ONE_DAY}", "settled_days", "settled at None us"),
    (f"UPDATE settled_days SET settled_at = settled_at + INTERVAL '1 s' WHERE settlement_date = {ONE_DAY}", "settled_days",
     "the journal says "),
]  # fmt: skip

UNTRIGGERED = (
    "ALTER TABLE risk_violations DISABLE TRIGGER USER",
    "ALTER TABLE risk_violations ENABLE TRIGGER USER",
)


async def traded(dsn: str, folder: Path, segment_bytes: int = 1 << 20) -> None:
    """Rows of all these tables; some withdrawals are paid, some refused, some open; one account is disabled."""
    async with world_of(dsn, folder, segment_bytes) as world:
        found(world)
        violate(world)
        world.submit(SetRiskRule(RiskRule.FAT_FINGER, RiskMode.FLAG, (7 * UNIT_E8, 10**12)))
        world.trade_at_random(150, seed=1)
        world.pay_dividend(7)
        world.split(8)
        await world.written()
        for status, reason in (
            (AccountStatus.DISABLED, "why"),
            (AccountStatus.ACTIVE, ""),
            (AccountStatus.DISABLED, "left"),
        ):
            world.submit(SetAccountStatus(world.account_ids[-1], status, reason))
        for _ in range(4):
            later(world, DAY_US)
        world.trade_at_random(150, seed=2)
        assert world.submit(RequestWithdrawal(7), world.account_ids[1]).refused is None
        await world.written()


async def findings_of(dsn: str, folder: Path) -> list[Finding]:
    return (await verify_journal(dsn, folder)).findings


async def test_each_tampering_is_found_and_named(database_dsn: str, tmp_path: Path) -> None:
    await traded(database_dsn, tmp_path)
    assert await findings_of(database_dsn, tmp_path) == []
    connection = await asyncpg.connect(database_dsn)
    await connection.execute(UNTRIGGERED[0])
    for tampering, table, problem in TAMPERINGS:
        await connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
        assert not (await connection.execute(tampering)).endswith(" 0"), tampering
        findings = await findings_of(database_dsn, tmp_path)
        assert {each.check for each in findings} == {f"{table} = journal"}, f"{tampering}: {findings}"
        assert any(problem in each.problem for each in findings), f"{tampering}: {findings}"
        await connection.execute(f"TRUNCATE {table}")
        await connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
        await connection.execute("DROP TABLE kept")
    await connection.close()
    assert await findings_of(database_dsn, tmp_path) == []


async def test_what_an_operator_decides_about_a_violation_is_no_difference(
    database_dsn: str, tmp_path: Path
) -> None:
    await traded(database_dsn, tmp_path)
    connection = await asyncpg.connect(database_dsn)
    reviewed = "UPDATE risk_violations SET status = 'DISMISSED', reviewed_by = 1000, reviewed_at = now(), note = 'seen'"
    assert not (await connection.execute(reviewed)).endswith(" 0")
    await connection.close()
    assert await findings_of(database_dsn, tmp_path) == []


async def test_of_a_pruned_journal_older_rows_are_let_be(database_dsn: str, tmp_path: Path) -> None:
    await traded(database_dsn, tmp_path, SEGMENT_MIN_BYTES)
    paths = segment_paths(Disk(), tmp_path / "journal")
    for path in paths[: len(paths) // 2]:
        path.unlink()
    compared = await verify_journal(database_dsn, tmp_path)
    assert compared.findings == []
    assert compared.first_seq > 1
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("UPDATE accounts SET opened_at = opened_at + INTERVAL '1 hour'")
    assert await findings_of(database_dsn, tmp_path) == []
    await connection.execute("UPDATE accounts SET status_reason = 'other' WHERE status = 2")
    await connection.close()
    ((check, says),) = {(each.check, each.problem) for each in await findings_of(database_dsn, tmp_path)}
    assert (check, says) == ("accounts = journal", "status_reason is other, the journal says left")


def test_every_table_has_a_tampering() -> None:
    assert {table for _, table, _ in TAMPERINGS} == {table.name for table in RARE} | {"settled_days"}
    assert FETCH_ROWS > 1
