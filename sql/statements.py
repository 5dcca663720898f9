"""What the write-behind says to Postgres: where rows are copied to, and how staged rows become the latest state."""

from __future__ import annotations

from typing import Final, NamedTuple

from sql.access_log import ACCESS_COLUMNS
from sql.copy_rows import (
    CANDLE_COLUMNS,
    EXECUTION_COLUMNS,
    HOLDING_COLUMNS,
    INSTRUMENT_COLUMNS,
    LOT_COLUMNS,
    LOT_KEY_COLUMNS,
    NOTIFICATION_COLUMNS,
    ORDER_COLUMNS,
    POSTING_COLUMNS,
    STATE_COLUMNS,
    STATE_KEY_COLUMNS,
    WALLET_COLUMNS,
)
from sql.parking_rows import BOOKING_COLUMNS, CHARGE_COLUMNS, MERGE_BOOKINGS, STAY_COLUMNS
from sql.realized_gains import GAIN_COLUMNS
from sql.settlements import SETTLEMENT_COLUMNS


class CopyTarget(NamedTuple):
    """A table that rows are copied into. `merge` then makes a staged table's rows the latest state."""

    table: str
    columns: tuple[str, ...]
    merge: str = ""


CREATE_STAGES: Final = """
CREATE TEMP TABLE stage_orders      (LIKE orders)       ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_candles     (LIKE candles)      ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_wallets     (LIKE wallets)      ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_holdings    (LIKE holdings)     ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_lots        (LIKE lots)         ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_instruments (LIKE instruments)  ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_state       (LIKE engine_state) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_parking_bookings (LIKE parking_bookings) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_lots_gone   (lot_id BIGINT NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_state_gone  (kind TEXT NOT NULL, key BYTEA NOT NULL) ON COMMIT DELETE ROWS;
"""
"""Once a connection."""

NEW_ORDERS: Final = CopyTarget("orders", ORDER_COLUMNS)
EXECUTIONS: Final = CopyTarget("executions", EXECUTION_COLUMNS)
POSTINGS: Final = CopyTarget("postings", POSTING_COLUMNS)
SETTLEMENTS: Final = CopyTarget("settlements", SETTLEMENT_COLUMNS)
NOTIFICATIONS: Final = CopyTarget("notifications", NOTIFICATION_COLUMNS)
GAINS: Final = CopyTarget("realized_gains", GAIN_COLUMNS)
ACCESS_LOG: Final = CopyTarget("access_log", ACCESS_COLUMNS)
STAYS: Final = CopyTarget("parking_stays", STAY_COLUMNS)
CHARGES: Final = CopyTarget("parking_charges", CHARGE_COLUMNS)
BOOKINGS: Final = CopyTarget("stage_parking_bookings", BOOKING_COLUMNS, MERGE_BOOKINGS)

OLDER_ORDERS: Final = CopyTarget(
    "stage_orders",
    ORDER_COLUMNS,
    """
INSERT INTO orders AS o (
    order_id, account_id, quantity_e8, price_e4, limit_e4, filled_e8, notional_e4, fee_e4, hold_e4, replaces_id,
    replaced_by_id, seq, created_at, updated_at, side, order_type, time_in_force, status, reason, is_quote, symbol,
    client_order_id, special)
SELECT
    order_id, account_id, quantity_e8, price_e4, limit_e4, filled_e8, notional_e4, fee_e4, hold_e4, replaces_id,
    replaced_by_id, seq, created_at, updated_at, side, order_type, time_in_force, status, reason, is_quote, symbol,
    client_order_id, special
FROM stage_orders
ON CONFLICT (order_id, created_at) DO UPDATE SET
    quantity_e8 = EXCLUDED.quantity_e8, price_e4 = EXCLUDED.price_e4, limit_e4 = EXCLUDED.limit_e4,
    filled_e8 = EXCLUDED.filled_e8, notional_e4 = EXCLUDED.notional_e4, fee_e4 = EXCLUDED.fee_e4,
    hold_e4 = EXCLUDED.hold_e4, replaced_by_id = EXCLUDED.replaced_by_id, seq = EXCLUDED.seq,
    updated_at = EXCLUDED.updated_at, status = EXCLUDED.status, reason = EXCLUDED.reason, special = EXCLUDED.special
""",
)

CANDLES: Final = CopyTarget(
    "stage_candles",
    CANDLE_COLUMNS,
    """
INSERT INTO candles AS c (symbol, start_at, open_e4, high_e4, low_e4, close_e4, volume_e8, trades)
SELECT symbol, start_at, open_e4, high_e4, low_e4, close_e4, volume_e8, trades FROM stage_candles
ON CONFLICT (symbol, start_at) DO UPDATE SET
    high_e4 = GREATEST(c.high_e4, EXCLUDED.high_e4), low_e4 = LEAST(c.low_e4, EXCLUDED.low_e4),
    close_e4 = EXCLUDED.close_e4,
    volume_e8 = LEAST(c.volume_e8::NUMERIC + EXCLUDED.volume_e8, 9223372036854775807)::BIGINT,
    trades = c.trades + EXCLUDED.trades
""",
)

WALLETS: Final = CopyTarget(
    "stage_wallets",
    WALLET_COLUMNS,
    """
INSERT INTO wallets (account_id, currency, balance_e4, held_e4, unsettled_e4, seq)
SELECT account_id, currency, balance_e4, held_e4, unsettled_e4, seq FROM stage_wallets
ON CONFLICT (account_id, currency) DO UPDATE SET
    balance_e4 = EXCLUDED.balance_e4, held_e4 = EXCLUDED.held_e4, unsettled_e4 = EXCLUDED.unsettled_e4, seq = EXCLUDED.seq
""",
)

HOLDINGS: Final = CopyTarget(
    "stage_holdings",
    HOLDING_COLUMNS,
    """
INSERT INTO holdings (account_id, symbol, units_e8, held_e8, cost_e4, realized_e4, seq)
SELECT account_id, symbol, units_e8, held_e8, cost_e4, realized_e4, seq FROM stage_holdings
ON CONFLICT (account_id, symbol) DO UPDATE SET
    units_e8 = EXCLUDED.units_e8, held_e8 = EXCLUDED.held_e8, cost_e4 = EXCLUDED.cost_e4,
    realized_e4 = EXCLUDED.realized_e4, seq = EXCLUDED.seq
""",
)

LOTS: Final = CopyTarget(
    "stage_lots",
    LOT_COLUMNS,
    """
INSERT INTO lots (lot_id, account_id, units_e8, cost_e4, acquired_at, seq, symbol)
SELECT lot_id, account_id, units_e8, cost_e4, acquired_at, seq, symbol FROM stage_lots
ON CONFLICT (lot_id) DO UPDATE SET
    units_e8 = EXCLUDED.units_e8, cost_e4 = EXCLUDED.cost_e4, seq = EXCLUDED.seq
""",
)

LOTS_GONE: Final = CopyTarget(
    "stage_lots_gone",
    LOT_KEY_COLUMNS,
    "DELETE FROM lots USING stage_lots_gone AS gone WHERE lots.lot_id = gone.lot_id",
)

INSTRUMENTS: Final = CopyTarget(
    "stage_instruments",
    INSTRUMENT_COLUMNS,
    """
INSERT INTO instruments (
    tick_e4, lot_e8, price_min_e4, price_max_e4, reference_e4, last_e4, previous_close_e4, band_bps, seq,
    price_source, phase, halted, symbol, name, currency, calendar, fee_schedule)
SELECT
    tick_e4, lot_e8, price_min_e4, price_max_e4, reference_e4, last_e4, previous_close_e4, band_bps, seq,
    price_source, phase, halted, symbol, name, currency, calendar, fee_schedule
FROM stage_instruments
ON CONFLICT (symbol) DO UPDATE SET
    tick_e4 = EXCLUDED.tick_e4, lot_e8 = EXCLUDED.lot_e8, price_min_e4 = EXCLUDED.price_min_e4,
    price_max_e4 = EXCLUDED.price_max_e4, reference_e4 = EXCLUDED.reference_e4, last_e4 = EXCLUDED.last_e4,
    previous_close_e4 = EXCLUDED.previous_close_e4, band_bps = EXCLUDED.band_bps, seq = EXCLUDED.seq,
    price_source = EXCLUDED.price_source, phase = EXCLUDED.phase, halted = EXCLUDED.halted,
    name = EXCLUDED.name, currency = EXCLUDED.currency, calendar = EXCLUDED.calendar,
    fee_schedule = EXCLUDED.fee_schedule
""",
)

STATE: Final = CopyTarget(
    "stage_state",
    STATE_COLUMNS,
    """
INSERT INTO engine_state (kind, key, body) SELECT kind, key, body FROM stage_state
ON CONFLICT (kind, key) DO UPDATE SET body = EXCLUDED.body
""",
)

STATE_GONE: Final = CopyTarget(
    "stage_state_gone",
    STATE_KEY_COLUMNS,
    """
DELETE FROM engine_state AS s USING stage_state_gone AS gone WHERE s.kind = gone.kind AND s.key = gone.key
""",
)

# account_id, user_id, kind, currency, opened_us, seq
INSERT_ACCOUNT: Final = """
INSERT INTO accounts (account_id, user_id, kind, currency, opened_at, seq)
VALUES ($1, $2, $3, $4, TIMESTAMPTZ 'epoch' + $5 * INTERVAL '1 microsecond', $6)
"""

# account_id, status, reason, seq
UPDATE_ACCOUNT_STATUS: Final = """
UPDATE accounts SET status = $2, status_reason = $3, seq = $4 WHERE account_id = $1
"""

# withdrawal_id, account_id, amount_e4, requested_us
INSERT_WITHDRAWAL: Final = """
INSERT INTO withdrawals (withdrawal_id, account_id, amount_e4, status, requested_at)
VALUES ($1, $2, $3, 1, TIMESTAMPTZ 'epoch' + $4 * INTERVAL '1 microsecond')
"""

# withdrawal_id, status, settled_us
SETTLE_WITHDRAWAL: Final = """
UPDATE withdrawals SET status = $2, settled_at = TIMESTAMPTZ 'epoch' + $3 * INTERVAL '1 microsecond'
WHERE withdrawal_id = $1
"""

# first_seq of the batch, its last_seq, its records; hits no row when the batch does not follow what was applied before
EXTEND_APPLIED_RANGE: Final = """
INSERT INTO applied_ranges AS r (bucket, first_seq, last_seq, records, batches)
VALUES ($1::BIGINT / 1000000, $1, $2, $3, 1)
ON CONFLICT (bucket) DO UPDATE SET
    last_seq = EXCLUDED.last_seq, records = r.records + EXCLUDED.records, batches = r.batches + 1, updated_at = now()
WHERE r.last_seq = EXCLUDED.first_seq - 1
RETURNING last_seq
"""

# applied_seq before, applied_seq after, owner, journal id
ADVANCE: Final = """
UPDATE journal_position SET applied_seq = $2, updated_at = now()
WHERE applied_seq = $1 AND owner_instance = $3 AND journal_id = $4
RETURNING applied_seq
"""

READ_POSITION: Final = "SELECT journal_id, applied_seq, owner_instance FROM journal_position"

FIRST_POSITION: Final = """
INSERT INTO journal_position (journal_id, applied_seq, engine_version, owner_instance)
VALUES ($1, 0, $2, $3) ON CONFLICT (one_row) DO NOTHING
"""

LOCK_POSITION: Final = "SELECT journal_id, applied_seq, owner_instance FROM journal_position FOR UPDATE"

OWN_POSITION: Final = """
UPDATE journal_position SET owner_instance = $1, engine_version = $2, updated_at = now()
"""

END_WRITERS: Final = """
SELECT pid, pg_terminate_backend(pid, 10000) AS ended FROM pg_stat_activity
WHERE datname = current_database() AND application_name = ANY($1) AND pid <> pg_backend_pid()
"""
"""Those of these names; waits up to 10 s for each to be gone."""

OTHER_WRITER: Final = """
SELECT pid, application_name, coalesce(host(client_addr), 'this machine') AS client FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE $1 AND pid <> pg_backend_pid() ORDER BY pid LIMIT 1
"""
"""One of a name pattern."""

LOOK_ANEW: Final = "SELECT pg_stat_clear_snapshot()"
"""A transaction sees the sessions as they were when it looked first."""

NAME_SESSION: Final = "SELECT set_config('application_name', $1, false)"

ONE_CLAIM: Final = "SELECT pg_advisory_xact_lock(5421777, 1)"
"""Of two that claim at once, the second one finds the first connected."""
