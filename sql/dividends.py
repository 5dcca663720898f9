"""Dividends in Postgres: proposals of corporate actions, what was paid to whom, what `verify` asks."""

from __future__ import annotations

from typing import Final

from engine.dividend_events import DividendPaid

# txn_id, dividend_id, account_id, units_e8, amount_e4, paid_us, symbol
INSERT_PAYMENT: Final = """
INSERT INTO dividend_payments (txn_id, dividend_id, account_id, units_e8, amount_e4, paid_at, symbol)
VALUES ($1, $2, $3, $4, $5, TIMESTAMPTZ 'epoch' + $6 * INTERVAL '1 microsecond', $7)
"""

Payment = tuple[int, int, int, int, int, int, str]


def payment(event: DividendPaid, now_us: int) -> Payment:
    """Arguments of INSERT_PAYMENT."""
    return (
        *(event.txn_id, event.dividend_id, event.account_id, event.units_e8, event.amount_e4),
        *(now_us, event.symbol),
    )


# account_id, before txn_id, symbol ('' for all), from, to, limit; newest first
PAYMENTS: Final = """
SELECT p.txn_id, p.dividend_id, p.units_e8, p.amount_e4, p.paid_at, p.symbol, a.per_unit_e8, a.record_at, a.payment_at
FROM dividend_payments AS p LEFT JOIN corporate_actions AS a ON a.action_id = p.dividend_id
WHERE p.account_id = $1 AND p.txn_id < $2 AND ($3 = '' OR p.symbol = $3) AND p.paid_at >= $4 AND p.paid_at < $5
ORDER BY p.txn_id DESC LIMIT $6
"""

# symbol, 1e-8 a unit, record, payment, reason, user id
PROPOSE: Final = """
INSERT INTO corporate_actions (kind, symbol, per_unit_e8, record_at, payment_at, reason, proposed_by)
VALUES ('CASH_DIVIDEND', $1, $2, $3, $4, $5, $6) RETURNING *
"""

# action id
ACTION: Final = "SELECT * FROM corporate_actions WHERE action_id = $1"

# status ('': all), before action id, limit; newest first
ACTIONS: Final = """
SELECT * FROM corporate_actions WHERE ($1 = '' OR status = $1) AND action_id < $2 ORDER BY action_id DESC LIMIT $3
"""

# action id, user id, APPROVED or REJECTED. One caller gets the row, and never the one who proposed.
DECIDE: Final = """
UPDATE corporate_actions SET status = $3, decided_by = $2, decided_at = now()
WHERE action_id = $1 AND status = 'PROPOSED' AND proposed_by <> $2 RETURNING *
"""

# action id, DECLARED or REFUSED, outcome
FINISH: Final = """
UPDATE corporate_actions SET status = $2, outcome = $3 WHERE action_id = $1 AND status = 'APPROVED' RETURNING *
"""

CHECKS: Final = {
    "dividends = postings": """
        SELECT format('txn %s', txn_id) AS subject,
            format('account %s was paid %s of dividend %s, posted %s for %s', account_id, amount_e4, dividend_id, posted,
                reference) AS problem
        FROM (
            SELECT txn_id, account_id, amount_e4, dividend_id FROM dividend_payments
        ) AS paid
        FULL JOIN (
            SELECT txn_id, account_id, amount AS posted, reference FROM postings WHERE txn_kind = 7 AND kind > 0
        ) AS lines USING (txn_id, account_id)
        WHERE amount_e4 IS DISTINCT FROM posted OR 'div_' || dividend_id <> reference ORDER BY txn_id
    """,
}
"""What `verify` asks about dividends: check → the query for what is wrong."""
