-- note: what sales realised, lot by lot, for tax reports
--
-- Rows are only ever added: a trade that is busted adds the opposite of its sale's, at the time of the sale, so that every span
-- of dates still adds up. Market makers have one lot of each symbol and no rows here. Proceeds are before fees; `fee_e4` is the
-- lot's share of the seller's fee. Proceeds less cost are what `holdings.realized_e4` sums up.

CREATE TABLE realized_gains (
    gain_id      BIGINT NOT NULL,                 -- the seller's execution, or that of the transaction which took a fill back
    execution_id BIGINT NOT NULL,                 -- the execution that it is about
    sold_at      TIMESTAMPTZ NOT NULL,
    account_id   BIGINT NOT NULL,
    order_id     BIGINT NOT NULL,
    lot_id       BIGINT NOT NULL,
    units_e8     BIGINT NOT NULL,
    proceeds_e4  BIGINT NOT NULL,
    cost_e4      BIGINT NOT NULL,
    fee_e4       BIGINT NOT NULL,
    acquired_at  TIMESTAMPTZ NOT NULL,
    line         SMALLINT NOT NULL,
    kind         SMALLINT NOT NULL,               -- sql.realized_gains.GainKind
    term         SMALLINT NOT NULL,               -- engine.holding_period.Term
    symbol       TEXT NOT NULL,
    PRIMARY KEY (gain_id, line, sold_at)
) PARTITION BY RANGE (sold_at);
CREATE TABLE realized_gains_default PARTITION OF realized_gains DEFAULT;
CREATE INDEX realized_gains_account ON realized_gains (account_id, gain_id DESC, line DESC);

-- What was applied before this migration is made here from the executions, but for what a bust changed of its buyer's lots;
-- `verify` asks the journal for those of later records.
CREATE TABLE realized_gains_begin (
    one_row   BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one_row),
    after_seq BIGINT NOT NULL
);
INSERT INTO realized_gains_begin (after_seq) SELECT coalesce(max(applied_seq), 0) FROM journal_position;

INSERT INTO realized_gains (
    gain_id, execution_id, sold_at, account_id, order_id, lot_id, units_e8, proceeds_e4, cost_e4, fee_e4, acquired_at, line, kind,
    term, symbol)
SELECT execution_id, execution_id, executed_at, account_id, order_id, lot_id, units,
    floor(notional_e4::NUMERIC * upto / quantity_e8) - floor(notional_e4::NUMERIC * (upto - units) / quantity_e8), cost,
    floor(fee_e4::NUMERIC * upto / quantity_e8) - floor(fee_e4::NUMERIC * (upto - units) / quantity_e8), acquired_at, line, 1,
    CASE WHEN (executed_at AT TIME ZONE 'UTC')::DATE >= (started + INTERVAL '1 year')::DATE
        + CASE WHEN to_char(started, 'MMDD') = '0229' THEN 1 ELSE 0 END THEN 2 ELSE 1 END,
    symbol
FROM (
    SELECT e.execution_id, e.executed_at, e.account_id, e.order_id, e.symbol, e.notional_e4, e.fee_e4, e.quantity_e8, n AS line,
        e.sold_lots[4 * n + 1] AS lot_id, e.sold_lots[4 * n + 2] AS units, e.sold_lots[4 * n + 3] AS cost,
        sum(e.sold_lots[4 * n + 2]) OVER (PARTITION BY e.execution_id ORDER BY n) AS upto,
        TIMESTAMPTZ 'epoch' + e.sold_lots[4 * n + 4] * INTERVAL '1 microsecond' AS acquired_at,
        ((TIMESTAMPTZ 'epoch' + e.sold_lots[4 * n + 4] * INTERVAL '1 microsecond') AT TIME ZONE 'UTC')::DATE + 1 AS started
    FROM executions AS e JOIN accounts AS a ON a.account_id = e.account_id AND a.kind = 1
    CROSS JOIN LATERAL generate_series(0, cardinality(e.sold_lots) / 4 - 1) AS n
    WHERE e.sold_lots IS NOT NULL AND e.busted_at IS NULL
) AS sold;
