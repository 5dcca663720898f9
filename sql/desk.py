"""What operators read and decide: orders of everybody, users, the audit log, cash adjustments. Parameters stand above each."""

from __future__ import annotations

from typing import Final

# account id (0: all), before order id, symbol ('': all), statuses, limit; newest first
ORDERS: Final = """
SELECT
    order_id, account_id, symbol, side, order_type, time_in_force, quantity_e8, price_e4, limit_e4, filled_e8,
    notional_e4, fee_e4, hold_e4, status, reason, created_at, updated_at, client_order_id, replaces_id,
    replaced_by_id, is_quote, special
FROM orders
WHERE ($1::bigint = 0 OR account_id = $1) AND order_id < $2 AND ($3 = '' OR symbol = $3) AND status = ANY ($4::SMALLINT[])
ORDER BY order_id DESC LIMIT $5
"""

# text ('': everybody), offset, limit; the total stands in each row
USERS: Final = """
SELECT user_id, email, full_name, phone, roles, premium, email_verified, kyc_status, kyc_tier, created_at, last_login_at,
    count(*) OVER () AS total
FROM users
WHERE $1 = '' OR strpos(lower(email), lower($1)) > 0 OR strpos(lower(full_name), lower($1)) > 0
ORDER BY user_id OFFSET $2 LIMIT $3
"""

# user id, action, target, body, status, request id
INSERT_AUDIT: Final = """
INSERT INTO audit_log (user_id, action, target, body, status, request_id) VALUES ($1, $2, $3, $4, $5, $6)
"""

# user id (0: all), before audit id, limit; newest first
AUDIT: Final = """
SELECT audit_id, at, user_id, action, target, body, status, request_id FROM audit_log
WHERE ($1::bigint = 0 OR user_id = $1) AND audit_id < $2 ORDER BY audit_id DESC LIMIT $3
"""

# account id, amount, reason, user id
PROPOSE: Final = """
INSERT INTO cash_adjustments (account_id, amount_e4, reason, proposed_by) VALUES ($1, $2, $3, $4) RETURNING *
"""

# adjustment id
ADJUSTMENT: Final = "SELECT * FROM cash_adjustments WHERE adjustment_id = $1"

# status ('': all), before adjustment id, limit; newest first
ADJUSTMENTS: Final = """
SELECT * FROM cash_adjustments WHERE ($1 = '' OR status = $1) AND adjustment_id < $2
ORDER BY adjustment_id DESC LIMIT $3
"""

# adjustment id, user id, APPROVED or REJECTED. One caller gets the row, and never the one who proposed.
DECIDE: Final = """
UPDATE cash_adjustments SET status = $3, decided_by = $2, decided_at = now()
WHERE adjustment_id = $1 AND status = 'PROPOSED' AND proposed_by <> $2 RETURNING *
"""

# adjustment id, POSTED or REFUSED, outcome
FINISH: Final = """
UPDATE cash_adjustments SET status = $2, outcome = $3 WHERE adjustment_id = $1 AND status = 'APPROVED' RETURNING *
"""

# account id, reference; what the ledger says of an adjustment (kind 6 of the statement, txn_kind 5)
POSTED_AS: Final = """
SELECT txn_id FROM postings WHERE account_id = $1 AND kind = 6 AND txn_kind = 5 AND reference = $2
"""
