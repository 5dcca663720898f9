"""What backups and restores ask of Postgres, and which tables the journal makes: those can be made again from it."""

from __future__ import annotations

from typing import Final

SNAPSHOT: Final = "SELECT pg_export_snapshot()"

SCHEMA: Final = "SELECT max(number) FROM schema_migrations"

TABLES: Final = """
SELECT c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = current_schema() ORDER BY name
"""

MADE_BY_THE_JOURNAL: Final = frozenset(
    {
        *("engine_state", "journal_position", "applied_ranges"),
        *("instruments", "accounts", "wallets", "holdings", "lots", "withdrawals"),
        *("orders", "executions", "postings", "candles", "notifications", "notifications_begin"),
        *("realized_gains", "realized_gains_begin", "access_log", "risk_violations"),
        *("parking_bookings", "parking_stays", "parking_charges"),
        *("settlements", "settled_days", "good_faith_violations", "dividend_payments"),
        *("action_payments", "effected_actions"),
    }
)
"""Written by the write-behind, in the order of the journal. What people have added to them is in REMEMBER."""

MADE_BY_PEOPLE: Final = frozenset(
    {
        *("users", "sessions", "refresh_tokens", "outbox", "api_keys", "password_resets", "user_preferences"),
        *(
            "portfolio_snapshots",
            "audit_log",
            "cash_adjustments",
            "trade_busts",
            "corporate_actions",
            "desk_keys",
        ),
        "schema_migrations",
    }
)
"""Ordinary transactional tables: a dump alone has them."""

REMEMBER: Final = (
    """
    CREATE TABLE restore_reviews AS
    SELECT violation_id, status, reviewed_by, reviewed_at, note FROM risk_violations WHERE status <> 'OPEN'
    """,
    """
    CREATE TABLE restore_read AS
    SELECT account_id, notification_id, created_at, read_at FROM notifications WHERE read_at IS NOT NULL
    """,
)
"""What people have said about rows of the journal, kept while those are made again."""

RECALL: Final = (
    """
    UPDATE risk_violations AS v
    SET status = r.status, reviewed_by = r.reviewed_by, reviewed_at = r.reviewed_at, note = r.note
    FROM restore_reviews AS r WHERE v.violation_id = r.violation_id
    """,
    """
    UPDATE notifications AS n SET read_at = r.read_at FROM restore_read AS r
    WHERE (n.account_id, n.notification_id, n.created_at) = (r.account_id, r.notification_id, r.created_at)
    """,
    "DROP TABLE restore_reviews, restore_read",
)

IS_REMEMBERED: Final = "SELECT to_regclass('restore_read') IS NOT NULL"

EMPTY: Final = f"TRUNCATE {', '.join(sorted(MADE_BY_THE_JOURNAL))}"

FROM_THE_START: Final = (
    f"TRUNCATE {', '.join(sorted(MADE_BY_THE_JOURNAL - {'accounts'}))}",
    "DELETE FROM accounts WHERE seq > 0",
    "INSERT INTO notifications_begin (after_seq) VALUES (0)",
    "INSERT INTO realized_gains_begin (after_seq) VALUES (0)",
)
"""As EMPTY, but for what migrations put there."""

# first id that is not there any more
UNDO: Final = (
    "UPDATE outbox SET done_at = NULL, outcome = NULL WHERE outcome LIKE 'acc\\_%' AND substr(outcome, 5)::BIGINT >= $1",
    """
    UPDATE cash_adjustments SET status = 'APPROVED', outcome = NULL
    WHERE status = 'POSTED' AND substr(outcome, 5)::BIGINT >= $1
    """,
    """
    UPDATE trade_busts SET status = 'APPROVED', outcome = NULL WHERE status = 'BUSTED' AND substr(outcome, 5)::BIGINT >= $1
    """,
)
"""What people had decided and the engine carried out after the end of the restored journal is to be carried out again: an
account is opened at the start, the others wait until an operator approves them again."""

# the market's time at the end, in microseconds
UNDO_LATER: Final = (
    "DELETE FROM portfolio_snapshots WHERE day >= (TIMESTAMPTZ 'epoch' + $1::BIGINT * INTERVAL '1 microsecond')::DATE",
    """
    UPDATE corporate_actions SET status = 'APPROVED', outcome = NULL
    WHERE status = 'DECLARED' AND decided_at > TIMESTAMPTZ 'epoch' + $1::BIGINT * INTERVAL '1 microsecond'
    """,
)
"""The same, of what does not name what the engine made of it; what is approved again is looked up in the engine first."""

# journal id
ADOPT: Final = "UPDATE journal_position SET journal_id = $1, owner_instance = ''"
