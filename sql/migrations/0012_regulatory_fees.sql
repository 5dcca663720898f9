-- note: what the law takes of sales: the part of an execution's fee, and the account it is posted to

ALTER TABLE executions
    ADD COLUMN regulatory_e4 BIGINT NOT NULL DEFAULT 0;   -- of `fee_e4`; SEC section 31 and FINRA's Trading Activity Fee

INSERT INTO accounts (account_id, user_id, kind, currency, opened_at, seq) VALUES (5, 0, 7, '', 'epoch', 0);
