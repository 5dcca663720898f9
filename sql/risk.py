"""Violations of risk rules in Postgres: their rows, what the risk desk looks up, and its reviews."""

from __future__ import annotations

from typing import Final

import msgspec

from engine.events import RiskViolated

ViolationRow = tuple[int, int, int, int, int, int, int, int, int, str, str]

# as ViolationRow
INSERT_VIOLATION: Final = """
INSERT INTO risk_violations
    (violation_id, at, rule, mode, account_id, order_id, side, quantity_e8, price_e4, symbol, figures)
VALUES ($1, TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond', $3, $4, $5, $6, $7, $8, $9, $10, $11::JSONB)
"""

# account id (0: all), symbol ('': all), rules (empty: all), status ('': all), before violation id, limit; newest first
VIOLATIONS: Final = """
SELECT * FROM risk_violations
WHERE ($1::BIGINT = 0 OR account_id = $1) AND ($2 = '' OR symbol = $2)
    AND (cardinality($3::SMALLINT[]) = 0 OR rule = ANY ($3)) AND ($4 = '' OR status = $4) AND violation_id < $5
ORDER BY violation_id DESC LIMIT $6
"""

# violation id
VIOLATION: Final = "SELECT * FROM risk_violations WHERE violation_id = $1"

# violation id, user id, decision, note. What has been decided stays so; what was escalated can be decided.
REVIEW: Final = """
UPDATE risk_violations SET status = $3, note = $4, reviewed_by = $2, reviewed_at = now()
WHERE violation_id = $1 AND status IN ('OPEN', 'ESCALATED') RETURNING *
"""


def violation_row(event: RiskViolated) -> ViolationRow:
    """Arguments of INSERT_VIOLATION."""
    return (
        event.violation_id,
        event.violated_us,
        event.rule,
        event.mode,
        event.account_id,
        event.order_id,
        event.side,
        event.quantity_e8,
        event.price_e4,
        event.symbol,
        msgspec.json.encode(event.figures).decode(),
    )
