-- note: corporate actions under four eyes, and what dividends paid

-- One operator proposes, another one approves; stands beside the journal, and nothing in it is read by recovery.
CREATE TABLE corporate_actions (
    action_id    BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1) PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind = 'CASH_DIVIDEND'),
    symbol       TEXT NOT NULL,
    per_unit_e8  BIGINT NOT NULL,                 -- 1e-8 of the instrument's currency for one unit
    record_at    TIMESTAMPTZ NOT NULL,
    payment_at   TIMESTAMPTZ NOT NULL,
    reason       TEXT NOT NULL,
    status       TEXT NOT NULL DEFAULT 'PROPOSED' CHECK (status IN ('PROPOSED', 'APPROVED', 'REJECTED', 'DECLARED', 'REFUSED')),
    proposed_by  BIGINT NOT NULL,
    proposed_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    decided_by   BIGINT,
    decided_at   TIMESTAMPTZ,
    outcome      TEXT,                            -- the engine's refusal, or the journal's sequence that took it on
    CHECK (decided_by IS NULL OR decided_by <> proposed_by)
);

-- What each account got. The cash is in the postings of the same transaction.
CREATE TABLE dividend_payments (
    txn_id      BIGINT PRIMARY KEY,
    dividend_id BIGINT NOT NULL,                  -- corporate_actions.action_id
    account_id  BIGINT NOT NULL,
    units_e8    BIGINT NOT NULL,
    amount_e4   BIGINT NOT NULL,
    paid_at     TIMESTAMPTZ NOT NULL,
    symbol      TEXT NOT NULL
);
CREATE INDEX dividend_payments_account ON dividend_payments (account_id, txn_id DESC);

-- The companies whose securities are held: one more outside of the ledger, which pays dividends.
INSERT INTO accounts (account_id, user_id, kind, currency, opened_at, seq) VALUES (6, 0, 8, '', 'epoch', 0);
