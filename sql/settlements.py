"""Settlement in Postgres: rows of the two sides of a trade, days that have settled, what an account asks for, what `verify` asks."""

from __future__ import annotations

from struct import Struct
from typing import Final

from engine.events import DaySettled, GoodFaithViolated, SettlementDue
from engine.kinds import Side
from sql.copy_rows import PG_EPOCH_US, text_field

SETTLEMENT_COLUMNS: Final = (
    "execution_id",
    "order_id",
    "account_id",
    "executed_at",
    "amount_e4",
    "quantity_e8",
    "trade_date",
    "settlement_date",
    "side",
    "symbol",
    "currency",
    "market",
)
_pack: Final = Struct(">h" + "iq" * 6 + "ii" * 2 + "ih").pack

PG_EPOCH_DAY: Final = 10_957
"""2000-01-01: PostgreSQL's dates count days from there."""


def settlement_rows(event: SettlementDue, now_us: int) -> list[bytes]:
    """The buyer's and the seller's."""
    sides = (
        (event.trade_id, event.buy_order_id, event.buy_account_id, event.buy_amount_e4, Side.BUY),
        (event.trade_id + 1, event.sell_order_id, event.sell_account_id, event.sell_amount_e4, Side.SELL),
    )
    texts = text_field(event.symbol) + text_field(event.currency) + text_field(event.market)
    traded, settles = event.trade_day - PG_EPOCH_DAY, event.settlement_day - PG_EPOCH_DAY
    return [
        _pack(
            *(12, 8, execution_id, 8, order_id, 8, account_id, 8, now_us - PG_EPOCH_US, 8, amount_e4),
            *(8, event.quantity_e8, 4, traded, 4, settles, 2, side),
        )
        + texts
        for execution_id, order_id, account_id, amount_e4, side in sides
    ]


# market, day since the epoch, settled_us
INSERT_SETTLED_DAY: Final = """
INSERT INTO settled_days (market, settlement_date, settled_at)
VALUES ($1, DATE '1970-01-01' + $2::INTEGER, TIMESTAMPTZ 'epoch' + $3 * INTERVAL '1 microsecond')
ON CONFLICT (market, settlement_date) DO UPDATE SET settled_at = EXCLUDED.settled_at
"""

# execution_id, account_id, order_id, violations, settled_only_until_us (0: none), violated_us
INSERT_GOOD_FAITH: Final = """
INSERT INTO good_faith_violations (execution_id, account_id, order_id, violations, settled_only_until, violated_at)
VALUES ($1, $2, $3, $4, TIMESTAMPTZ 'epoch' + nullif($5::BIGINT, 0) * INTERVAL '1 microsecond',
    TIMESTAMPTZ 'epoch' + $6 * INTERVAL '1 microsecond')
"""


def settled_day(event: DaySettled, now_us: int) -> tuple[str, int, int]:
    """Arguments of INSERT_SETTLED_DAY."""
    return event.market, event.settlement_day, now_us


def good_faith(event: GoodFaithViolated, now_us: int) -> tuple[int, int, int, int, int, int]:
    """Arguments of INSERT_GOOD_FAITH."""
    until_us = event.settled_only_until_us
    return event.trade_id, event.account_id, event.order_id, event.count, until_us, now_us


# account_id, before execution_id, status ('': all), limit; newest first
SETTLEMENTS: Final = """
SELECT * FROM (
    SELECT s.execution_id, s.order_id, s.symbol, s.side, s.quantity_e8, s.amount_e4, s.currency, s.trade_date,
        s.settlement_date, d.settled_at,
        CASE WHEN e.busted_at IS NOT NULL THEN 'BUSTED' WHEN d.settled_at IS NOT NULL THEN 'SETTLED' ELSE 'PENDING' END
            AS status
    FROM settlements AS s
    JOIN executions AS e
        ON e.order_id = s.order_id AND e.execution_id = s.execution_id AND e.executed_at = s.executed_at
    LEFT JOIN settled_days AS d ON d.market = s.market AND d.settlement_date = s.settlement_date
    WHERE s.account_id = $1 AND s.execution_id < $2
) AS found
WHERE $3 = '' OR status = $3
ORDER BY execution_id DESC LIMIT $4
"""

CHECKS: Final = {
    "settlements = executions": """
        SELECT format('execution %s', s.execution_id) AS subject,
            format('%s due for %s of %s, the execution is worth %s for %s of %s', amount_e4, s.quantity_e8, s.symbol,
                CASE WHEN e.side = 1 THEN -notional_e4 - fee_e4 ELSE notional_e4 - fee_e4 END, e.quantity_e8, e.symbol)
            AS problem
        FROM settlements AS s LEFT JOIN executions AS e USING (order_id, execution_id, executed_at)
        WHERE (s.account_id, s.symbol, s.side, s.quantity_e8, amount_e4)
            IS DISTINCT FROM (e.account_id, e.symbol, e.side, e.quantity_e8,
                CASE WHEN e.side = 1 THEN -notional_e4 - fee_e4 ELSE notional_e4 - fee_e4 END)
            OR settlement_date <= trade_date
        ORDER BY s.execution_id
    """,
    "unsettled cash = sales that settle later": """
        SELECT format('wallet %s %s', account_id, currency) AS subject,
            format('%s unsettled of %s, sales to settle %s', unsettled_e4, balance_e4, coalesce(due, 0)) AS problem
        FROM wallets LEFT JOIN (
            SELECT account_id, currency, sum(amount_e4) AS due FROM settlements AS s
            JOIN executions AS e USING (order_id, execution_id, executed_at, account_id)
            WHERE s.side = 2 AND e.busted_at IS NULL AND NOT EXISTS (
                SELECT FROM settled_days AS d WHERE d.market = s.market AND d.settlement_date = s.settlement_date
            )
            GROUP BY account_id, currency
        ) AS sales USING (account_id, currency)
        WHERE unsettled_e4 < 0 OR unsettled_e4 > greatest(balance_e4, 0) OR unsettled_e4 > coalesce(due, 0)
        ORDER BY account_id
    """,
}
"""What `verify` asks about settlement: check → the query for what is wrong."""
