"""What is read back: the engine's state for recovery, and an account's history for the API.

Every query of the history has the account in its WHERE clause: what is not yours does not exist.
"""

from __future__ import annotations

from typing import Final

APPLIED_SEQ: Final = "SELECT applied_seq FROM journal_position"

AGGREGATES_TOTAL: Final = "SELECT count(*) FROM engine_state"

# kind
AGGREGATES: Final = "SELECT key, body FROM engine_state WHERE kind = $1 ORDER BY key"

_ORDER: Final = """
SELECT
    order_id, account_id, symbol, side, order_type, time_in_force, quantity_e8, price_e4, limit_e4, filled_e8,
    notional_e4, fee_e4, hold_e4, status, reason, created_at, updated_at, client_order_id, replaces_id,
    replaced_by_id, is_quote, special
FROM orders
"""

# account_id, order_id, created_us
ORDER: Final = f"{_ORDER} WHERE account_id = $1 AND order_id = $2"

# account_id, before order_id, symbol ('' for all), statuses, from, to, limit; newest first
ORDERS: Final = f"""{_ORDER}
WHERE account_id = $1 AND order_id < $2 AND ($3 = '' OR symbol = $3) AND status = ANY ($4::SMALLINT[])
    AND created_at >= $5 AND created_at < $6
ORDER BY order_id DESC LIMIT $7
"""

# account_id, order_id; oldest first
EXECUTIONS: Final = """
SELECT execution_id, order_id, symbol, side, quantity_e8, price_e4, notional_e4, fee_e4, regulatory_e4, liquidity,
    executed_at, busted_at
FROM executions WHERE account_id = $1 AND order_id = $2 ORDER BY execution_id
"""

# A line of a customer's cash statement. What the client sees as the status is always COMPLETED: it is posted.
_ENTRY: Final = """
SELECT txn_id, line, entry_id, order_id, kind, amount, balance_after, asset, reference, created_at
FROM postings
"""

# account_id, before txn_id, before line, kinds, from, to, limit; newest first
ENTRIES: Final = f"""{_ENTRY}
WHERE account_id = $1 AND kind > 0 AND (txn_id, line) < ($2, $3) AND kind = ANY ($4::SMALLINT[])
    AND created_at >= $5 AND created_at < $6
ORDER BY txn_id DESC, line DESC LIMIT $7
"""

# account_id, lowest txn_id, highest txn_id, entry_id, kinds
ENTRY: Final = f"""{_ENTRY}
WHERE account_id = $1 AND kind > 0 AND txn_id BETWEEN $2 AND $3 AND entry_id = $4 AND kind = ANY ($5::SMALLINT[])
"""

# account_id, before notification_id, kinds left out, only those unread, limit; newest first
NOTIFICATIONS: Final = """
SELECT
    notification_id, account_id, created_at, kind, order_id, reference_id, side, symbol, quantity_e8, filled_e8, amount_e4,
    reason, read_at
FROM notifications
WHERE account_id = $1 AND notification_id < $2 AND kind <> ALL ($3::SMALLINT[]) AND (read_at IS NULL OR NOT $4)
ORDER BY notification_id DESC LIMIT $5
"""

# account_id, kinds left out, the most that is counted
UNREAD: Final = """
SELECT count(*) FROM (
    SELECT FROM notifications WHERE account_id = $1 AND read_at IS NULL AND kind <> ALL ($2::SMALLINT[]) LIMIT $3
) AS unread
"""

# account_id, notification_id; when it was first read stays
READ_ONE: Final = """
UPDATE notifications SET read_at = coalesce(read_at, now()) WHERE account_id = $1 AND notification_id = $2
RETURNING
    notification_id, account_id, created_at, kind, order_id, reference_id, side, symbol, quantity_e8, filled_e8, amount_e4,
    reason, read_at
"""

# account_id, the newest notification_id
READ_UP_TO: Final = """
WITH marked AS (
    UPDATE notifications SET read_at = now() WHERE account_id = $1 AND notification_id <= $2 AND read_at IS NULL RETURNING 1
)
SELECT count(*) FROM marked
"""
