"""Dividends in Postgres: what was paid to whom, what `verify` asks."""

from __future__ import annotations

from typing import Final

from engine.dividend_events import DividendPaid

# txn_id, dividend_id, account_id, units_e8, amount_e4, paid_us, symbol, restated_e8
INSERT_PAYMENT: Final = """
INSERT INTO dividend_payments (txn_id, dividend_id, account_id, units_e8, amount_e4, paid_at, symbol, restated_e8)
VALUES ($1, $2, $3, $4, $5, TIMESTAMPTZ 'epoch' + $6 * INTERVAL '1 microsecond', $7, $8)
"""

Payment = tuple[int, int, int, int, int, int, str, int]


def payment(event: DividendPaid, now_us: int) -> Payment:
    """Arguments of INSERT_PAYMENT."""
    return (
        *(event.txn_id, event.dividend_id, event.account_id, event.units_e8, event.amount_e4),
        *(now_us, event.symbol, event.restated_e8),
    )


# account_id, before txn_id, symbol ('' for all), from, to, limit; newest first
PAYMENTS: Final = """
SELECT p.txn_id, p.dividend_id, p.units_e8, p.amount_e4, p.paid_at, p.symbol,
    coalesce(nullif(p.restated_e8, 0), a.per_unit_e8) AS per_unit_e8, a.record_at, a.payment_at
FROM dividend_payments AS p LEFT JOIN corporate_actions AS a ON a.action_id = p.dividend_id
WHERE p.account_id = $1 AND p.txn_id < $2 AND ($3 = '' OR p.symbol = $3) AND p.paid_at >= $4 AND p.paid_at < $5
ORDER BY p.txn_id DESC LIMIT $6
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
