"""Trade busts in Postgres: the postings that take a fill back, its marks, what an operator looks up, what `verify` asks."""

from __future__ import annotations

from typing import Final

from engine.events import TradeBusted
from engine.kinds import TransactionKind
from engine.state import FEES_ACCOUNT_ID, REGULATORY_ACCOUNT_ID
from engine.units import MINUTE_US
from sql.copy_rows import client_text_field, posting_head, posting_row, posting_tail
from sql.entries import EntryKind

_BUST: Final = int(TransactionKind.BUST)

# order_id, execution_id, busted_us
MARK_BUSTED: Final = """
UPDATE executions SET busted_at = TIMESTAMPTZ 'epoch' + $3 * INTERVAL '1 microsecond'
WHERE order_id = $1 AND execution_id = $2
"""

# symbol, start of the minute in microseconds: its candle becomes that of the trades that stand, one of side 1 for each
MEND_CANDLE: Final = """
UPDATE candles AS c SET open_e4 = s.prices[1], high_e4 = s.high_e4, low_e4 = s.low_e4, close_e4 = s.prices[s.trades],
    volume_e8 = s.volume_e8, trades = s.trades
FROM (
    SELECT array_agg(price_e4 ORDER BY execution_id) AS prices, max(price_e4) AS high_e4, min(price_e4) AS low_e4,
        LEAST(sum(quantity_e8), 9223372036854775807)::BIGINT AS volume_e8, count(*)::INTEGER AS trades
    FROM executions
    WHERE symbol = $1 AND side = 1 AND busted_at IS NULL
        AND executed_at >= TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond'
        AND executed_at < TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond' + INTERVAL '1 minute'
) AS s
WHERE c.symbol = $1 AND c.start_at = TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond' AND s.trades > 0
"""

# symbol, start of the minute in microseconds: without a trade that stands there is no candle
DROP_CANDLE: Final = """
DELETE FROM candles
WHERE symbol = $1 AND start_at = TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond' AND NOT EXISTS (
    SELECT FROM executions
    WHERE symbol = $1 AND side = 1 AND busted_at IS NULL
        AND executed_at >= TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond'
        AND executed_at < TIMESTAMPTZ 'epoch' + $2 * INTERVAL '1 microsecond' + INTERVAL '1 minute'
)
"""


def marks(event: TradeBusted, now_us: int) -> list[tuple[int, int, int]]:
    """Arguments of MARK_BUSTED for both executions."""
    return [
        (event.buy_order_id, event.trade_id, now_us),
        (event.sell_order_id, event.trade_id + 1, now_us),
    ]


def minute_of(event: TradeBusted) -> tuple[str, int]:
    """Arguments of MEND_CANDLE and DROP_CANDLE."""
    return event.symbol, event.executed_us - event.executed_us % MINUTE_US


def bust_postings(event: TradeBusted, now_us: int) -> list[bytes]:
    """The opposite of a fill's postings: cash and fee to the buyer, fee to the seller and cash from it, units back.

    A line names the execution that it takes back. No line for a fee of nothing.
    """
    head = posting_head(event.bust_id, now_us)
    worth, buy_fee, sell_fee = event.notional_e4, event.buy_fee_e4, event.sell_fee_e4
    buyer = (event.buy_account_id, event.bust_id, event.buy_order_id)
    seller = (event.sell_account_id, event.bust_id + 1, event.sell_order_id)
    bought = client_text_field(f"exe_{event.trade_id}")
    sold = client_text_field(f"exe_{event.trade_id + 1}")

    def tail(line: int, kind: EntryKind, asset: str = event.currency) -> bytes:
        return posting_tail(line, int(kind), _BUST, asset)

    rows = [posting_row(head, *buyer, worth, event.buy_cash_e4 - buy_fee, tail(0, EntryKind.BUST), bought)]
    if buy_fee:
        rows.append(posting_row(head, *buyer, buy_fee, event.buy_cash_e4, tail(1, EntryKind.FEE), bought))
    if sell_fee:
        after_e4 = event.sell_cash_e4 + worth
        rows.append(posting_row(head, *seller, sell_fee, after_e4, tail(2, EntryKind.FEE), sold))
    rows.append(posting_row(head, *seller, -worth, event.sell_cash_e4, tail(3, EntryKind.BUST), sold))
    law = event.sell_regulatory_e4
    if buy_fee + sell_fee - law:
        fees = (FEES_ACCOUNT_ID, event.bust_id, 0, law - buy_fee - sell_fee, None)
        rows.append(posting_row(head, *fees, tail(4, EntryKind.NONE)))
    if law:
        taken = (REGULATORY_ACCOUNT_ID, event.bust_id + 1, 0, -law, None)
        rows.append(posting_row(head, *taken, tail(7, EntryKind.NONE)))
    back, symbol = event.quantity_e8, event.symbol
    rows.append(posting_row(head, *buyer, -back, event.buy_units_e8, tail(5, EntryKind.NONE, symbol), bought))
    rows.append(posting_row(head, *seller, back, event.sell_units_e8, tail(6, EntryKind.NONE, symbol), sold))
    return rows


# execution id of either side; both executions, the buyer's first. The ledger finds the orders: it is indexed by transaction
EXECUTIONS_OF_TRADE: Final = """
SELECT e.execution_id, e.order_id, e.account_id, e.symbol, e.side, e.liquidity, e.price_e4, e.quantity_e8, e.notional_e4,
    e.fee_e4, e.regulatory_e4, e.executed_at, e.sold_lots, e.busted_at, coalesce(s.market, '') AS market,
    coalesce(s.settlement_date - DATE '1970-01-01', 0) AS settlement_day
FROM (
    SELECT DISTINCT order_id, entry_id, created_at FROM postings
    WHERE txn_kind = 3 AND order_id > 0 AND txn_id = (
        SELECT txn_id FROM postings
        WHERE txn_id IN ($1::BIGINT, $1::BIGINT - 1) AND entry_id = $1::BIGINT AND txn_kind = 3 AND order_id > 0 LIMIT 1
    )
) AS sides
JOIN executions AS e
    ON e.order_id = sides.order_id AND e.execution_id = sides.entry_id AND e.executed_at = sides.created_at
LEFT JOIN settlements AS s ON s.execution_id = e.execution_id AND s.executed_at = e.executed_at
ORDER BY e.execution_id
"""

# the buyer's execution id; the transaction that took the trade back. Of one account and its newest lines
BUSTED_AS: Final = """
SELECT p.txn_id FROM postings AS p
WHERE p.account_id = $2 AND p.kind > 0 AND p.txn_kind = 6 AND p.reference = 'exe_' || $1::BIGINT AND p.txn_id > $1
LIMIT 1
"""

# trade id, reason, user id; no row when one is alive for the trade
PROPOSE: Final = """
INSERT INTO trade_busts (trade_id, reason, proposed_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING *
"""

# bust id
BUST: Final = "SELECT * FROM trade_busts WHERE bust_id = $1"

# status ('': all), before bust id, limit; newest first
BUSTS: Final = """
SELECT * FROM trade_busts WHERE ($1 = '' OR status = $1) AND bust_id < $2 ORDER BY bust_id DESC LIMIT $3
"""

# bust id, user id, APPROVED or REJECTED. One caller gets the row, and never the one who proposed.
DECIDE: Final = """
UPDATE trade_busts SET status = $3, decided_by = $2, decided_at = now()
WHERE bust_id = $1 AND status = 'PROPOSED' AND proposed_by <> $2 RETURNING *
"""

# bust id, BUSTED or REFUSED, outcome
FINISH: Final = """
UPDATE trade_busts SET status = $2, outcome = $3 WHERE bust_id = $1 AND status = 'APPROVED' RETURNING *
"""

CHECKS: Final = {
    "busted executions = bust postings": """
        SELECT format('execution %s', execution_id) AS subject,
            format('busted with worth %s fee %s units %s, taken back worth %s fee %s units %s, %s times',
                notional_e4, fee_e4, quantity_e8, worth, fee, units, coalesce(times, 0)) AS problem
        FROM (
            SELECT execution_id, account_id, order_id, notional_e4, fee_e4, quantity_e8 FROM executions
            WHERE busted_at IS NOT NULL
        ) AS e
        FULL JOIN (
            SELECT substr(reference, 5)::BIGINT AS execution_id, account_id, order_id,
                sum(abs(amount)) FILTER (WHERE kind = 7) AS worth,
                coalesce(sum(amount) FILTER (WHERE kind = 5), 0) AS fee,
                sum(abs(amount)) FILTER (WHERE kind = 0) AS units, count(DISTINCT txn_id) AS times
            FROM postings WHERE txn_kind = 6 AND order_id > 0 GROUP BY 1, account_id, order_id
        ) AS back USING (execution_id, account_id, order_id)
        WHERE (notional_e4, fee_e4, quantity_e8, 1) IS DISTINCT FROM (worth, fee, units, times) ORDER BY execution_id
    """,
    "busts have two sides": """
        SELECT format('execution %s', coalesce(buy.execution_id, sell.execution_id - 1)) AS subject,
            'only one side of the fill is busted' AS problem
        FROM (SELECT execution_id, busted_at FROM executions WHERE side = 1) AS buy
        JOIN (SELECT execution_id, busted_at FROM executions WHERE side = 2) AS sell
            ON sell.execution_id = buy.execution_id + 1
        WHERE buy.busted_at IS DISTINCT FROM sell.busted_at ORDER BY 1
    """,
    "sold lots = what was sold": """
        SELECT format('execution %s', execution_id) AS subject,
            format('%s units sold, lots %s', quantity_e8, sold_lots) AS problem
        FROM executions
        WHERE sold_lots IS NOT NULL AND (side = 1 OR cardinality(sold_lots) % 4 <> 0 OR quantity_e8 <> (
            SELECT sum(sold_lots[n]) FROM generate_series(2, cardinality(sold_lots), 4) AS n
        ))
        ORDER BY execution_id
    """,
}
"""What `verify` asks about busts: check → the query for what is wrong."""
