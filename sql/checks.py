"""The books checked in SQL. Each query returns the rows that are wrong: (subject, problem); none when all is well."""

from __future__ import annotations

from typing import Final

from sql import busts, corporate_actions, dividends, parking_rows, realized_gains, settlements

HELD_CASH: Final = "held cash = open holds"

CHECKS: Final[dict[str, str]] = {
    "postings sum to zero": """
        SELECT format('txn %s', txn_id) AS subject, format('%s sums to %s', asset, sum(amount)) AS problem
        FROM postings GROUP BY txn_id, asset HAVING sum(amount) <> 0 ORDER BY txn_id
    """,
    "running balances": """
        SELECT format('txn %s line %s', txn_id, line) AS subject,
            format('account %s has %s %s after it, the postings say %s', account_id, balance_after, asset, running)
            AS problem
        FROM (
            SELECT txn_id, line, account_id, asset, balance_after,
                sum(amount) OVER (PARTITION BY account_id, asset ORDER BY txn_id, line) AS running
            FROM postings
        ) AS lines
        WHERE balance_after <> running ORDER BY txn_id, line
    """,
    "wallets = postings": """
        SELECT format('wallet %s %s', account_id, currency) AS subject,
            format('balance %s, postings %s', coalesce(balance_e4, 0), coalesce(posted, 0)) AS problem
        FROM wallets FULL JOIN (
            SELECT account_id, asset AS currency, sum(amount) AS posted FROM postings
            WHERE asset NOT IN (SELECT symbol FROM instruments) GROUP BY account_id, asset
        ) AS sums USING (account_id, currency)
        WHERE coalesce(balance_e4, 0) <> coalesce(posted, 0) ORDER BY account_id
    """,
    "holdings = postings": """
        SELECT format('holding %s %s', account_id, symbol) AS subject,
            format('units %s, postings %s', coalesce(units_e8, 0), coalesce(posted, 0)) AS problem
        FROM holdings FULL JOIN (
            SELECT account_id, asset AS symbol, sum(amount) AS posted FROM postings
            WHERE asset IN (SELECT symbol FROM instruments) GROUP BY account_id, asset
        ) AS sums USING (account_id, symbol)
        WHERE coalesce(units_e8, 0) <> coalesce(posted, 0) ORDER BY account_id, symbol
    """,
    "holdings = lots": """
        SELECT format('holding %s %s', account_id, symbol) AS subject,
            format('units %s at cost %s, lots %s at cost %s',
                coalesce(h.units_e8, 0), coalesce(h.cost_e4, 0), coalesce(units, 0), coalesce(cost, 0)) AS problem
        FROM (
            SELECT account_id, symbol, units_e8, cost_e4 FROM holdings
            WHERE account_id NOT IN (SELECT account_id FROM accounts WHERE kind > 2)
        ) AS h FULL JOIN (
            SELECT account_id, symbol, sum(units_e8) AS units, sum(cost_e4) AS cost FROM lots
            GROUP BY account_id, symbol
        ) AS sums USING (account_id, symbol)
        WHERE coalesce(h.units_e8, 0) <> coalesce(units, 0) OR coalesce(h.cost_e4, 0) <> coalesce(cost, 0)
        ORDER BY account_id, symbol
    """,
    # A quote has no order row until it trades, so a market maker's holds are checked in the engine's state. What bookings hold
    # is given by the caller, accounts ($1) and amounts ($2), as the engine has them.
    HELD_CASH: """
        SELECT format('wallet %s %s', account_id, currency) AS subject,
            format('held %s, open buys hold %s, withdrawals %s, bookings %s',
                held_e4, coalesce(buys, 0), coalesce(outgoing, 0), coalesce(booked, 0)) AS problem
        FROM wallets JOIN accounts USING (account_id, currency)
        LEFT JOIN (
            SELECT account_id, sum(hold_e4) AS buys FROM orders WHERE status <= 2 AND side = 1 GROUP BY account_id
        ) AS orders_open USING (account_id)
        LEFT JOIN (
            SELECT account_id, sum(amount_e4) AS outgoing FROM withdrawals WHERE status = 1 GROUP BY account_id
        ) AS withdrawals_open USING (account_id)
        LEFT JOIN unnest($1::BIGINT[], $2::BIGINT[]) AS bookings_open (account_id, booked) USING (account_id)
        WHERE kind = 1 AND held_e4 <> coalesce(buys, 0) + coalesce(outgoing, 0) + coalesce(booked, 0) ORDER BY account_id
    """,
    # The legs of a pair share one hold, and a leg that waits for its parent has none (docs/orders.md).
    "held units = open sells": """
        SELECT format('holding %s %s', account_id, symbol) AS subject,
            format('held %s, open sells %s', coalesce(held_e8, 0), coalesce(sells, 0)) AS problem
        FROM (
            SELECT account_id, symbol, held_e8 FROM holdings
            WHERE account_id NOT IN (SELECT account_id FROM accounts WHERE kind <> 1)
        ) AS held FULL JOIN (
            SELECT account_id, symbol, sum(leaves) AS sells FROM (
                SELECT account_id, symbol, max(quantity_e8 - filled_e8) AS leaves FROM orders
                WHERE status <= 2 AND side = 2 AND special->>'is_armed' IS DISTINCT FROM 'false'
                    AND account_id NOT IN (SELECT account_id FROM accounts WHERE kind <> 1)
                GROUP BY account_id, symbol, coalesce((special->>'group_id')::BIGINT, order_id)
            ) AS one_hold GROUP BY account_id, symbol
        ) AS sums USING (account_id, symbol)
        WHERE coalesce(held_e8, 0) <> coalesce(sells, 0) ORDER BY account_id, symbol
    """,
    "closed orders hold nothing": """
        SELECT format('order %s', order_id) AS subject, format('status %s, still holds %s', status, hold_e4) AS problem
        FROM orders WHERE status > 2 AND hold_e4 <> 0 ORDER BY order_id
    """,
    "orders = executions": """
        SELECT format('order %s', order_id) AS subject,
            format('filled %s worth %s fee %s, executions %s worth %s fee %s', coalesce(o.filled_e8, 0),
                coalesce(o.notional_e4, 0), coalesce(o.fee_e4, 0), coalesce(filled, 0), coalesce(worth, 0),
                coalesce(fees, 0)) AS problem
        FROM (SELECT order_id, account_id, symbol, side, filled_e8, notional_e4, fee_e4 FROM orders) AS o
        FULL JOIN (
            SELECT order_id, sum(quantity_e8) AS filled, sum(notional_e4) AS worth, sum(fee_e4) AS fees,
                min(account_id) AS account_min, max(account_id) AS account_max, min(symbol) AS symbol_min,
                max(symbol) AS symbol_max, min(side) AS side_min, max(side) AS side_max
            FROM executions GROUP BY order_id
        ) AS sums USING (order_id)
        WHERE o.order_id IS NULL OR o.filled_e8 <> coalesce(filled, 0) OR o.notional_e4 <> coalesce(worth, 0)
            OR o.fee_e4 <> coalesce(fees, 0) OR account_min <> o.account_id OR account_max <> o.account_id
            OR (least(symbol_min, o.symbol), greatest(symbol_max, o.symbol)) <> (o.symbol, o.symbol) AND EXISTS (
                SELECT FROM (VALUES (symbol_min), (symbol_max)) AS traded (symbol)
                WHERE symbol <> o.symbol AND symbol NOT IN (SELECT e.symbol FROM effected_actions AS e WHERE e.kind = 2)
            ) OR side_min <> o.side OR side_max <> o.side
        ORDER BY order_id
    """,
    # A leg of a pair ends (status 4, reason 10) with what it has filled, when the other has traded all that it had left.
    "order status = what is filled": """
        SELECT format('order %s', order_id) AS subject,
            format('status %s, %s of %s filled', status, filled_e8, quantity_e8) AS problem
        FROM orders WHERE filled_e8 > quantity_e8 OR filled_e8 < 0
            OR ((status = 3) <> (filled_e8 = quantity_e8) AND (status, reason) <> (4, 10))
            OR (status = 1 AND filled_e8 > 0) OR (status = 2 AND filled_e8 = 0)
        ORDER BY order_id
    """,
    "fills have two sides": """
        SELECT format('execution %s', coalesce(buy.execution_id, sell.execution_id)) AS subject,
            'the other side is missing or differs' AS problem
        FROM (SELECT * FROM executions WHERE side = 1) AS buy
        FULL JOIN (SELECT * FROM executions WHERE side = 2) AS sell ON sell.execution_id = buy.execution_id + 1
        WHERE (buy.symbol, buy.price_e4, buy.quantity_e8, buy.notional_e4, buy.liquidity)
            IS DISTINCT FROM (sell.symbol, sell.price_e4, sell.quantity_e8, sell.notional_e4, 3 - sell.liquidity)
        ORDER BY 1
    """,
    "executions = postings": """
        SELECT format('execution %s', execution_id) AS subject,
            format('worth %s fee %s units %s, posted %s fee %s units %s', e.notional_e4, e.fee_e4, e.quantity_e8,
                coalesce(worth, 0), coalesce(fee, 0), coalesce(units, 0)) AS problem
        FROM (SELECT execution_id, account_id, order_id, notional_e4, fee_e4, quantity_e8 FROM executions) AS e
        FULL JOIN (
            SELECT entry_id AS execution_id, account_id, order_id,
                sum(abs(amount)) FILTER (WHERE kind IN (3, 4)) AS worth,
                coalesce(sum(-amount) FILTER (WHERE kind = 5), 0) AS fee,
                sum(abs(amount)) FILTER (WHERE kind = 0) AS units
            FROM postings WHERE txn_kind = 3 AND order_id > 0 GROUP BY entry_id, account_id, order_id
        ) AS sums USING (execution_id, account_id, order_id)
        WHERE (e.notional_e4, e.fee_e4, e.quantity_e8) IS DISTINCT FROM (worth, fee, units) ORDER BY execution_id
    """,
    "regulatory fees = postings": """
        SELECT format('execution %s', execution_id) AS subject,
            format('of the fee %s the law takes %s, posted %s', fee_e4, regulatory_e4, coalesce(posted, 0)) AS problem
        FROM (
            SELECT execution_id, fee_e4, regulatory_e4 FROM executions WHERE regulatory_e4 <> 0
        ) AS e
        FULL JOIN (
            SELECT entry_id AS execution_id, sum(amount) AS posted FROM postings
            WHERE account_id = 5 AND txn_kind = 3 GROUP BY entry_id
        ) AS sums USING (execution_id)
        WHERE regulatory_e4 IS DISTINCT FROM posted OR regulatory_e4 NOT BETWEEN 0 AND fee_e4 ORDER BY execution_id
    """,
    # Of records that were applied before there were notifications none is asked for. Market makers are not told of orders.
    "what is told = the books": """
        SELECT format('order %s', order_id) AS subject,
            format('account %s, filled %s, told %s times', account_id, filled_seq IS NOT NULL, coalesce(told, 0)) AS problem
        FROM (
            SELECT order_id, o.account_id, max(execution_id) / 1000003 AS filled_seq
            FROM orders AS o JOIN executions USING (order_id)
            WHERE o.status = 3 AND o.account_id NOT IN (SELECT account_id FROM accounts WHERE kind = 2)
            GROUP BY order_id, o.account_id
            HAVING max(execution_id) / 1000003 > (SELECT after_seq FROM notifications_begin)
        ) AS filled FULL JOIN (
            SELECT order_id, account_id, count(*) AS told FROM notifications
            WHERE kind = 1 AND account_id NOT IN (SELECT account_id FROM accounts WHERE kind = 2)
            GROUP BY order_id, account_id
        ) AS tellings USING (order_id, account_id)
        WHERE filled_seq IS NULL OR coalesce(told, 0) <> 1
        UNION ALL
        SELECT format('txn %s', txn_id), format('account %s, deposited %s, told %s times', account_id, amount, coalesce(told, 0))
        FROM (
            SELECT txn_id, account_id, amount FROM postings
            WHERE kind = 1 AND txn_id / 1000003 > (SELECT after_seq FROM notifications_begin)
        ) AS deposits FULL JOIN (
            SELECT reference_id AS txn_id, account_id, amount_e4 AS amount, count(*) AS told FROM notifications
            WHERE kind = 6 GROUP BY reference_id, account_id, amount_e4
        ) AS tellings USING (txn_id, account_id, amount)
        WHERE deposits.txn_id IS NULL OR coalesce(told, 0) <> 1
    """,
    "sequence without gaps": """
        SELECT format('records %s to %s', first_seq, last_seq) AS subject,
            format('%s records, expected to start at %s', records, wanted) AS problem
        FROM (
            SELECT first_seq, last_seq, records, coalesce(lag(last_seq) OVER (ORDER BY bucket), 0) + 1 AS wanted
            FROM applied_ranges
        ) AS ranges
        WHERE first_seq <> wanted OR records <> last_seq - first_seq + 1
        UNION ALL
        SELECT 'journal_position', format('applied %s, records end at %s', applied_seq, ended)
        FROM journal_position, (SELECT coalesce(max(last_seq), 0) AS ended FROM applied_ranges) AS ranges
        WHERE applied_seq <> ended
    """,
    "nothing beyond the watermark": """
        SELECT subject, format('has sequence %s, applied is %s', seq, applied_seq) AS problem
        FROM journal_position, (
            SELECT 'orders' AS subject, max(seq) AS seq FROM orders
            UNION ALL SELECT 'wallets', max(seq) FROM wallets
            UNION ALL SELECT 'holdings', max(seq) FROM holdings
            UNION ALL SELECT 'lots', max(seq) FROM lots
            UNION ALL SELECT 'instruments', max(seq) FROM instruments
            UNION ALL SELECT 'accounts', max(seq) FROM accounts
            UNION ALL SELECT 'postings', max(txn_id) / 1000003 FROM postings
            UNION ALL SELECT 'executions', max(execution_id) / 1000003 FROM executions
            UNION ALL SELECT 'realized gains', max(gain_id) / 1000003 FROM realized_gains
            UNION ALL SELECT 'notifications', max(notification_id) / 1000003 FROM notifications
        ) AS newest
        WHERE seq > applied_seq
    """,
    **busts.CHECKS,
    **settlements.CHECKS,
    **realized_gains.CHECKS,
    **dividends.CHECKS,
    **corporate_actions.CHECKS,
    **parking_rows.CHECKS,
}
"""What is checked → the query for what is wrong."""
