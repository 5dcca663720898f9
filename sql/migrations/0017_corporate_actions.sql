-- note: splits, symbol changes, mergers and delistings: proposals, what was carried out, and cash for units

-- What takes effect at a time, beside dividends, which have a record and a payment.
ALTER TABLE corporate_actions
    DROP CONSTRAINT corporate_actions_kind_check,
    ADD CONSTRAINT corporate_actions_kind_check
        CHECK (kind IN ('CASH_DIVIDEND', 'SPLIT', 'SYMBOL_CHANGE', 'MERGER', 'DELISTING')),
    ALTER COLUMN per_unit_e8 DROP NOT NULL,
    ALTER COLUMN record_at DROP NOT NULL,
    ALTER COLUMN payment_at DROP NOT NULL,
    ADD COLUMN effective_at TIMESTAMPTZ,
    ADD COLUMN numerator INTEGER,                 -- so many new units
    ADD COLUMN denominator INTEGER,               -- for each of so many old ones
    ADD COLUMN new_symbol TEXT,
    ADD COLUMN cash_e8 BIGINT,                    -- 1e-8 of the currency for each old unit
    ADD CHECK ((kind = 'CASH_DIVIDEND') = (effective_at IS NULL)),
    ADD CHECK ((kind = 'CASH_DIVIDEND') = (per_unit_e8 IS NOT NULL AND record_at IS NOT NULL AND payment_at IS NOT NULL));

-- What came of each when its time had come. Whatever was traded before `effective_at` is in the old units.
CREATE TABLE effected_actions (
    effected_id  BIGINT PRIMARY KEY,              -- the first id of the record that did it
    action_id    BIGINT NOT NULL UNIQUE,          -- corporate_actions.action_id
    kind         SMALLINT NOT NULL,               -- engine.corporate_state.ActionKind
    symbol       TEXT NOT NULL,
    effective_at TIMESTAMPTZ NOT NULL,
    numerator    INTEGER NOT NULL,
    denominator  INTEGER NOT NULL,
    new_symbol   TEXT NOT NULL,
    accounts     INTEGER NOT NULL,                -- that had units
    units_e8     BIGINT NOT NULL,                 -- all of theirs after it
    cash_e4      BIGINT NOT NULL,                 -- what was paid to all of them
    refusal      TEXT                             -- why nothing was done after all; NULL where it was
);
CREATE INDEX effected_actions_symbol ON effected_actions (symbol, effective_at);

-- Cash for units: fractions, and what a merger pays. The cash is in the postings of the same transaction.
CREATE TABLE action_payments (
    txn_id     BIGINT PRIMARY KEY,
    action_id  BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    units_e8   BIGINT NOT NULL,
    amount_e4  BIGINT NOT NULL,
    paid_at    TIMESTAMPTZ NOT NULL,
    symbol     TEXT NOT NULL
);
CREATE INDEX action_payments_account ON action_payments (account_id, txn_id DESC);

-- The rate of a dividend that a split had changed since it was declared; 0 where it stayed.
ALTER TABLE dividend_payments ADD COLUMN restated_e8 BIGINT NOT NULL DEFAULT 0;

-- Proposals as operators see them: with what came of those whose time has come.
CREATE VIEW corporate_actions_seen AS
SELECT a.action_id, a.kind, a.symbol, a.per_unit_e8, a.record_at, a.payment_at, a.reason,
    CASE WHEN e.action_id IS NULL THEN a.status WHEN e.refusal IS NULL THEN 'EFFECTED' ELSE 'FAILED' END AS status,
    a.proposed_by, a.proposed_at, a.decided_by, a.decided_at, coalesce(e.refusal, a.outcome) AS outcome, a.effective_at,
    a.numerator, a.denominator, a.new_symbol, a.cash_e8
FROM corporate_actions AS a LEFT JOIN effected_actions AS e USING (action_id);
