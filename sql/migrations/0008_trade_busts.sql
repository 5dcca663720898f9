-- note: trade busts: what a sale took of which lots, which executions were taken back, and proposals under four eyes
--
-- `sold_lots` is NULL for purchases, and for fills from before this migration: those cannot be busted.

ALTER TABLE executions
    ADD COLUMN sold_lots BIGINT[],               -- lot_id, units_e8, cost_e4, acquired (microseconds since the epoch); and so on
    ADD COLUMN busted_at TIMESTAMPTZ;            -- when an operator took the fill back

-- One operator proposes, another one approves; stands beside the journal, and nothing in it is read by recovery.
CREATE TABLE trade_busts (
    bust_id     BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1) PRIMARY KEY,
    trade_id    BIGINT NOT NULL,                 -- the buyer's execution
    reason      TEXT NOT NULL,
    status      TEXT NOT NULL DEFAULT 'PROPOSED' CHECK (status IN ('PROPOSED', 'APPROVED', 'REJECTED', 'BUSTED', 'REFUSED')),
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    decided_by  BIGINT,
    decided_at  TIMESTAMPTZ,
    outcome     TEXT,                            -- the transaction, or the engine's refusal
    CHECK (decided_by IS NULL OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX trade_busts_alive ON trade_busts (trade_id) WHERE status IN ('PROPOSED', 'APPROVED', 'BUSTED');
