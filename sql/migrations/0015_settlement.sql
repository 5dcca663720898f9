-- note: settlement: a row for each side of a trade that settles on a later day, the days that have settled, good-faith violations

ALTER TABLE wallets
    ADD COLUMN unsettled_e4 BIGINT NOT NULL DEFAULT 0;    -- of the balance

-- Rows are only ever added: what has settled is said by `settled_days`, what was taken back by `executions.busted_at`.
CREATE TABLE settlements (
    execution_id    BIGINT NOT NULL,
    order_id        BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    executed_at     TIMESTAMPTZ NOT NULL,
    amount_e4       BIGINT NOT NULL,              -- cash due to the account; below zero where it pays
    quantity_e8     BIGINT NOT NULL,
    trade_date      DATE NOT NULL,
    settlement_date DATE NOT NULL,
    side            SMALLINT NOT NULL,
    symbol          TEXT NOT NULL,
    currency        TEXT NOT NULL,
    market          TEXT NOT NULL,                -- the calendar whose business days were counted
    PRIMARY KEY (execution_id, executed_at)
) PARTITION BY RANGE (executed_at);
CREATE TABLE settlements_default PARTITION OF settlements DEFAULT;
CREATE INDEX settlements_account ON settlements (account_id, execution_id DESC);

CREATE TABLE settled_days (
    market          TEXT NOT NULL,
    settlement_date DATE NOT NULL,
    settled_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (market, settlement_date)
);

CREATE TABLE good_faith_violations (
    execution_id       BIGINT PRIMARY KEY,        -- the trade by which it was sold (its buyer's execution)
    account_id         BIGINT NOT NULL,
    order_id           BIGINT NOT NULL,
    violations         INTEGER NOT NULL,          -- in twelve months, with this one
    settled_only_until TIMESTAMPTZ,
    violated_at        TIMESTAMPTZ NOT NULL
);
CREATE INDEX good_faith_violations_account ON good_faith_violations (account_id, execution_id DESC);
