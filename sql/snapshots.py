"""The statements of portfolio snapshots. Parameters stand above each."""

from __future__ import annotations

from typing import Final

LAST_DAY: Final = "SELECT max(day) FROM portfolio_snapshots"

# day, taken at, account ids, their cash, holdings and contributions
INSERT: Final = """
INSERT INTO portfolio_snapshots (account_id, day, cash_e4, holdings_e4, contributed_e4, taken_at)
SELECT account_id, $1, cash_e4, holdings_e4, contributed_e4, $2
FROM unnest($3::BIGINT[], $4::BIGINT[], $5::NUMERIC[], $6::BIGINT[])
    AS worth (account_id, cash_e4, holdings_e4, contributed_e4)
ON CONFLICT (account_id, day) DO NOTHING
"""

# account id, first day; oldest first
SINCE: Final = """
SELECT day, cash_e4, holdings_e4, contributed_e4 FROM portfolio_snapshots
WHERE account_id = $1 AND day >= $2 ORDER BY day
"""
