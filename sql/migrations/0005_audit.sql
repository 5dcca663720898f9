-- note: the audit log of operators, and cash adjustments under four eyes
--
-- The tables stand beside the journal: nothing in them is read by recovery.

-- Who did what. Rows are only ever added.
CREATE TABLE audit_log (
    audit_id   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         TIMESTAMPTZ NOT NULL DEFAULT now(),
    user_id    BIGINT NOT NULL,
    action     TEXT NOT NULL,                     -- the route: method and path
    target     TEXT NOT NULL,                     -- what the path names, '' for nothing
    body       TEXT NOT NULL,                     -- what was sent
    status     SMALLINT NOT NULL,                 -- the answer's
    request_id TEXT NOT NULL
);
CREATE INDEX audit_log_user ON audit_log (user_id, audit_id DESC);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_log_is_final BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Cash given to an account or taken from it by operators: one proposes, another one approves.
CREATE TABLE cash_adjustments (
    adjustment_id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1) PRIMARY KEY,
    account_id    BIGINT NOT NULL,
    amount_e4     BIGINT NOT NULL CHECK (amount_e4 <> 0),
    reason        TEXT NOT NULL,
    status        TEXT NOT NULL DEFAULT 'PROPOSED' CHECK (status IN ('PROPOSED', 'APPROVED', 'REJECTED', 'POSTED', 'REFUSED')),
    proposed_by   BIGINT NOT NULL,
    proposed_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    decided_by    BIGINT,
    decided_at    TIMESTAMPTZ,
    outcome       TEXT,                           -- the transaction, or the engine's refusal
    CHECK (decided_by IS NULL OR decided_by <> proposed_by)
);
CREATE INDEX cash_adjustments_open ON cash_adjustments (adjustment_id) WHERE status IN ('PROPOSED', 'APPROVED');

-- The account that adjustments come from and go to: one more outside of the ledger.
INSERT INTO accounts (account_id, user_id, kind, currency, opened_at, seq) VALUES (4, 0, 6, '', 'epoch', 0);
