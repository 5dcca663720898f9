"""What the Postgres double does for each statement that has no plain form."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from engine.units import MINUTE_US
from sql import busts, dividends, partitioning, queries, risk, settlements, statements
from sql.copy_rows import BIGINT_MAX
from tests.simulation.double_tables import Row, insert_of, key_of

if TYPE_CHECKING:
    from tests.simulation.postgres_double import DoubleConnection

BUCKET: Final = 1_000_000
ONE_ROW: Final = (True,)


def insert(sql: str) -> Callable[..., list[Row]]:
    """The statement with arguments for one row."""

    def run(session: DoubleConnection, *arguments: Any) -> list[Row]:
        statement = insert_of(sql)
        (session.put if statement.replaces else session.insert)(statement.table, statement.row(arguments))
        return []

    return run


def nothing(session: DoubleConnection, *_: Any) -> list[Row]:
    return []


def position(session: DoubleConnection) -> list[Row]:
    return list(session.rows("journal_position"))


def first_position(session: DoubleConnection, journal_id: bytes, version: str, owner: str) -> list[Row]:
    if session.get("journal_position", ONE_ROW) is None:
        session.put(
            "journal_position",
            {"one_row": True, "journal_id": journal_id, "applied_seq": 0, "engine_version": version, "owner_instance": owner},
        )  # fmt: skip
    return []


def own_position(session: DoubleConnection, owner: str, version: str) -> list[Row]:
    for row in position(session):
        session.put("journal_position", row | {"owner_instance": owner, "engine_version": version})
    return []


def advance(session: DoubleConnection, old_seq: int, seq: int, owner: str, journal_id: bytes) -> list[Row]:
    moved = [
        row | {"applied_seq": seq}
        for row in position(session)
        if (row["applied_seq"], row["owner_instance"], row["journal_id"]) == (old_seq, owner, journal_id)
    ]
    for row in moved:
        session.put("journal_position", row)
    return moved


def extend_range(session: DoubleConnection, first_seq: int, last_seq: int, records: int) -> list[Row]:
    row = session.get("applied_ranges", (first_seq // BUCKET,))
    if row is None:
        made = {
            "bucket": first_seq // BUCKET,
            "first_seq": first_seq,
            "last_seq": last_seq,
            "records": records,
            "batches": 1,
        }
    elif row["last_seq"] != first_seq - 1:
        return []
    else:
        made = row | {
            "last_seq": last_seq,
            "records": row["records"] + records,
            "batches": row["batches"] + 1,
        }
    if made["last_seq"] < made["first_seq"]:
        raise asyncpg.CheckViolationError("applied_ranges: last_seq < first_seq")
    session.put("applied_ranges", made)
    return [made]


def end_writers(session: DoubleConnection, names: list[str]) -> list[Row]:
    ended = []
    for other in list(session.server.sessions):
        if other is not session and other.name in names:
            other.end()
            ended.append({"pid": other.pid, "ended": True})
    return ended


def other_writer(session: DoubleConnection, pattern: str) -> list[Row]:
    found: list[Row] = [
        {"pid": other.pid, "application_name": other.name, "client": "this machine"}
        for other in session.server.sessions
        if other is not session and fnmatchcase(other.name, pattern.replace("%", "*"))
    ]
    return sorted(found, key=lambda row: int(row["pid"]))[:1]


def name_session(session: DoubleConnection, name: str) -> list[Row]:
    session.name = name
    return [{"set_config": name}]


def aggregates(session: DoubleConnection, kind: str) -> list[Row]:
    rows = [row for row in session.rows("engine_state") if row["kind"] == kind]
    return sorted(rows, key=lambda row: bytes(row["key"]))


def aggregates_total(session: DoubleConnection) -> list[Row]:
    return [{"count": sum(1 for _ in session.rows("engine_state"))}]


def applied_seq(session: DoubleConnection) -> list[Row]:
    return [{"applied_seq": row["applied_seq"]} for row in position(session)]


def lots_gone(session: DoubleConnection) -> list[Row]:
    for row in session.stages.get("stage_lots_gone", ()):
        session.delete("lots", (row["lot_id"],))
    return []


def state_gone(session: DoubleConnection) -> list[Row]:
    for row in session.stages.get("stage_state_gone", ()):
        session.delete("engine_state", (row["kind"], row["key"]))
    return []


def account_status(
    session: DoubleConnection, account_id: int, status: int, reason: str, seq: int
) -> list[Row]:
    row = session.get("accounts", (account_id,))
    if row is not None:
        session.put("accounts", row | {"status": int(status), "status_reason": reason, "seq": seq})
    return []


def settle_withdrawal(
    session: DoubleConnection, withdrawal_id: int, status: int, settled_us: int
) -> list[Row]:
    row = session.get("withdrawals", (withdrawal_id,))
    if row is not None:
        session.put("withdrawals", row | {"status": int(status), "settled_at": settled_us})
    return []


def mark_busted(session: DoubleConnection, order_id: int, execution_id: int, busted_us: int) -> list[Row]:
    for row in list(session.rows("executions")):
        if (row["order_id"], row["execution_id"]) == (order_id, execution_id):
            session.put("executions", row | {"busted_at": busted_us})
    return []


def _standing(session: DoubleConnection, symbol: str, minute_us: int) -> list[Row]:
    """The buyers' executions of a minute that were not taken back, oldest first."""
    found = [
        row
        for row in session.rows("executions")
        if row["symbol"] == symbol
        and row["side"] == 1
        and row["busted_at"] is None
        and minute_us <= row["executed_at"] < minute_us + MINUTE_US
    ]
    return sorted(found, key=lambda row: int(row["execution_id"]))


def mend_candle(session: DoubleConnection, symbol: str, minute_us: int) -> list[Row]:
    standing = _standing(session, symbol, minute_us)
    candle = session.get("candles", (symbol, minute_us))
    if standing and candle is not None:
        prices = [row["price_e4"] for row in standing]
        mended = {
            "open_e4": prices[0],
            "high_e4": max(prices),
            "low_e4": min(prices),
            "close_e4": prices[-1],
            "volume_e8": min(sum(row["quantity_e8"] for row in standing), BIGINT_MAX),
            "trades": len(prices),
        }
        session.put("candles", candle | mended)
    return []


def drop_candle(session: DoubleConnection, symbol: str, minute_us: int) -> list[Row]:
    if not _standing(session, symbol, minute_us):
        candle = session.get("candles", (symbol, minute_us))
        if candle is not None:
            session.delete("candles", key_of("candles", candle))
    return []


def not_partitioned(session: DoubleConnection, table: str) -> list[Row]:
    return [{"is_partitioned": False}]


STATEMENTS: Final[dict[str, Callable[..., list[Row]]]] = {
    statements.CREATE_STAGES: nothing,
    statements.READ_POSITION: position,
    statements.LOCK_POSITION: position,
    statements.FIRST_POSITION: first_position,
    statements.OWN_POSITION: own_position,
    statements.ADVANCE: advance,
    statements.EXTEND_APPLIED_RANGE: extend_range,
    statements.END_WRITERS: end_writers,
    statements.OTHER_WRITER: other_writer,
    statements.LOOK_ANEW: nothing,
    statements.NAME_SESSION: name_session,
    statements.ONE_CLAIM: nothing,
    statements.LOTS_GONE.merge: lots_gone,
    statements.STATE_GONE.merge: state_gone,
    statements.UPDATE_ACCOUNT_STATUS: account_status,
    statements.SETTLE_WITHDRAWAL: settle_withdrawal,
    statements.INSERT_ACCOUNT: insert(statements.INSERT_ACCOUNT),
    statements.INSERT_WITHDRAWAL: insert(statements.INSERT_WITHDRAWAL),
    risk.INSERT_VIOLATION: insert(risk.INSERT_VIOLATION),
    settlements.INSERT_SETTLED_DAY: insert(settlements.INSERT_SETTLED_DAY),
    settlements.INSERT_GOOD_FAITH: insert(settlements.INSERT_GOOD_FAITH),
    dividends.INSERT_PAYMENT: insert(dividends.INSERT_PAYMENT),
    busts.MARK_BUSTED: mark_busted,
    busts.MEND_CANDLE: mend_candle,
    busts.DROP_CANDLE: drop_candle,
    queries.APPLIED_SEQ: applied_seq,
    queries.AGGREGATES: aggregates,
    queries.AGGREGATES_TOTAL: aggregates_total,
    partitioning.EXISTING: nothing,
    partitioning.IS_PARTITIONED: not_partitioned,
}
"""Text → what is done. A merge of stages stands by its own text."""
