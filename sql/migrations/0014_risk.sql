-- note: violations of risk rules, and what operators made of them
--
-- The write-behind adds a row for each; nothing in them is ever changed but by a review.

CREATE TABLE risk_violations (
    violation_id BIGINT PRIMARY KEY,
    at           TIMESTAMPTZ NOT NULL,
    rule         SMALLINT NOT NULL,               -- engine/kinds.py, RiskRule
    mode         SMALLINT NOT NULL,               -- 1 flagged, 2 stopped
    account_id   BIGINT NOT NULL,
    order_id     BIGINT NOT NULL,                 -- 0: the order was refused
    side         SMALLINT NOT NULL,
    quantity_e8  BIGINT NOT NULL,
    price_e4     BIGINT NOT NULL,
    symbol       TEXT NOT NULL,
    figures      JSONB NOT NULL,                  -- [[name, figure], …] in scaled integers
    status       TEXT NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'DISMISSED', 'CONFIRMED', 'ESCALATED')),
    reviewed_by  BIGINT,
    reviewed_at  TIMESTAMPTZ,
    note         TEXT,
    CHECK ((status = 'OPEN') = (reviewed_by IS NULL))
);
CREATE INDEX risk_violations_account ON risk_violations (account_id, violation_id DESC);
CREATE INDEX risk_violations_open ON risk_violations (violation_id DESC) WHERE status IN ('OPEN', 'ESCALATED');

CREATE FUNCTION keep_violation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.violation_id, NEW.at, NEW.rule, NEW.mode, NEW.account_id, NEW.order_id, NEW.side,
            NEW.quantity_e8, NEW.price_e4, NEW.symbol, NEW.figures)
        IS DISTINCT FROM (OLD.violation_id, OLD.at, OLD.rule, OLD.mode, OLD.account_id, OLD.order_id, OLD.side,
            OLD.quantity_e8, OLD.price_e4, OLD.symbol, OLD.figures) THEN
        RAISE EXCEPTION 'what a violation was cannot be changed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER risk_violations_are_kept BEFORE UPDATE OR DELETE ON risk_violations
    FOR EACH ROW EXECUTE FUNCTION keep_violation();
