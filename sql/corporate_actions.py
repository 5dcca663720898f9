"""Corporate actions in Postgres: proposals, what was carried out, cash for units, what `verify` asks."""

from __future__ import annotations

from typing import Final

from engine.action_events import ActionEffected, ActionFailed, FractionPaid
from engine.units import IDS_PER_SEQ

# kind, symbol, 1e-8 a unit, record, payment, effective, numerator, denominator, new symbol, cash, reason, user id
PROPOSE: Final = """
INSERT INTO corporate_actions (kind, symbol, per_unit_e8, record_at, payment_at, effective_at, numerator, denominator, new_symbol,
    cash_e8, reason, proposed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *
"""

# action id
ACTION: Final = "SELECT * FROM corporate_actions_seen WHERE action_id = $1"

# status ('': all), before action id, limit; newest first
ACTIONS: Final = """
SELECT * FROM corporate_actions_seen WHERE ($1 = '' OR status = $1) AND action_id < $2 ORDER BY action_id DESC LIMIT $3
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

# effected_id, action_id, kind, symbol, effective_us, numerator, denominator, new_symbol, accounts, units_e8, cash_e4, refusal
INSERT_EFFECTED: Final = """
INSERT INTO effected_actions (effected_id, action_id, kind, symbol, effective_at, numerator, denominator, new_symbol, accounts,
    units_e8, cash_e4, refusal)
VALUES ($1, $2, $3, $4, TIMESTAMPTZ 'epoch' + $5 * INTERVAL '1 microsecond', $6, $7, $8, $9, $10, $11, $12)
"""

Effected = tuple[int, int, int, str, int, int, int, str, int, int, int, str | None]


def effected(event: ActionEffected, seq: int) -> Effected:
    """Arguments of INSERT_EFFECTED."""
    return (
        *(seq * IDS_PER_SEQ, event.action_id, int(event.kind), event.symbol, event.effective_us),
        *(
            event.numerator,
            event.denominator,
            event.new_symbol,
            event.accounts,
            event.units_e8,
            event.cash_e4,
        ),
        None,
    )


def failed(event: ActionFailed, now_us: int, seq: int) -> Effected:
    """Arguments of INSERT_EFFECTED for what could not be carried out."""
    return (
        *(seq * IDS_PER_SEQ, event.action_id, int(event.kind), event.symbol, now_us, 1, 1, "", 0, 0, 0),
        event.refusal.name,
    )


# txn_id, action_id, account_id, units_e8, amount_e4, paid_us, symbol
INSERT_CASH: Final = """
INSERT INTO action_payments (txn_id, action_id, account_id, units_e8, amount_e4, paid_at, symbol)
VALUES ($1, $2, $3, $4, $5, TIMESTAMPTZ 'epoch' + $6 * INTERVAL '1 microsecond', $7)
"""

Cash = tuple[int, int, int, int, int, int, str]


def fraction(event: FractionPaid, now_us: int) -> Cash:
    """Arguments of INSERT_CASH."""
    return (
        *(event.txn_id, event.action_id, event.account_id, event.units_e8, event.amount_e4),
        *(now_us, event.symbol),
    )


# symbol; when its units became others, oldest first
SPLITS: Final = """
SELECT (extract(epoch FROM effective_at) * 1000000)::BIGINT AS effective_us, numerator, denominator
FROM effected_actions WHERE symbol = $1 AND kind = 1 AND refusal IS NULL ORDER BY effective_at, action_id
"""

# of all symbols, oldest first
ALL_SPLITS: Final = """
SELECT symbol, (extract(epoch FROM effective_at) * 1000000)::BIGINT AS effective_us, numerator, denominator
FROM effected_actions WHERE kind = 1 AND refusal IS NULL ORDER BY effective_at, action_id
"""

CHECKS: Final = {
    "cash for units = postings": """
        SELECT format('txn %s', txn_id) AS subject,
            format('account %s was paid %s by action %s, posted %s for %s', account_id, amount_e4, action_id, posted,
                reference) AS problem
        FROM (
            SELECT txn_id, account_id, amount_e4, action_id FROM action_payments
        ) AS paid
        FULL JOIN (
            SELECT txn_id, account_id, amount AS posted, reference FROM postings WHERE txn_kind IN (9, 10) AND kind > 0
        ) AS lines USING (txn_id, account_id)
        WHERE amount_e4 IS DISTINCT FROM posted OR 'act_' || action_id <> reference ORDER BY txn_id
    """,
    "cash for units = realized gains": """
        SELECT format('txn %s', txn_id) AS subject,
            format('account %s was paid %s for %s units, the gains say %s for %s', account_id, amount_e4, units_e8, proceeds,
                units) AS problem
        FROM (
            SELECT txn_id, account_id, amount_e4, units_e8 FROM action_payments
            WHERE account_id NOT IN (SELECT account_id FROM accounts WHERE kind = 2)
        ) AS paid
        FULL JOIN (
            SELECT gain_id AS txn_id, account_id, sum(proceeds_e4) AS proceeds, sum(units_e8) AS units
            FROM realized_gains WHERE kind IN (4, 5) GROUP BY gain_id, account_id
        ) AS gains USING (txn_id, account_id)
        WHERE (amount_e4, units_e8) IS DISTINCT FROM (proceeds, units) ORDER BY txn_id
    """,
    "actions = postings": """
        SELECT format('action %s', action_id) AS subject,
            format('paid %s in all, posted %s', cash_e4, coalesce(posted, 0)) AS problem
        FROM effected_actions FULL JOIN (
            SELECT action_id, sum(amount_e4) AS posted FROM action_payments GROUP BY action_id
        ) AS sums USING (action_id)
        WHERE cash_e4 IS DISTINCT FROM coalesce(posted, 0) ORDER BY action_id
    """,
}
"""What `verify` asks about corporate actions: check → the query for what is wrong."""
