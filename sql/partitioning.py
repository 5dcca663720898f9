"""The statements that make a monthly partition. Their names and bounds are constants of ours, never input."""

from __future__ import annotations

from typing import Final

PARTITIONED: Final = (
    ("orders", "created_at"),
    ("executions", "executed_at"),
    ("postings", "created_at"),
    ("settlements", "executed_at"),
    ("candles", "start_at"),
    ("notifications", "created_at"),
    ("realized_gains", "sold_at"),
    ("access_log", "logged_at"),
)
"""Table → the column it is partitioned by."""

EXISTING: Final = """
SELECT c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = current_schema()
"""

# table; false for a hypertable
IS_PARTITIONED: Final = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass($1)"

LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '1s'"

COPY_SHAPE: Final = (
    "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)"
)

MOVE_ROWS: Final = """
WITH moved AS (
    DELETE FROM {table}_default WHERE {column} >= '{start}' AND {column} < '{end}' RETURNING *
)
INSERT INTO {name} SELECT * FROM moved
"""

ATTACH: Final = "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')"
