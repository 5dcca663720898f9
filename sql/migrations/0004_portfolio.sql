-- note: portfolio snapshots and users' preferences
--
-- Ordinary tables beside the journal: nothing here is read by recovery.

-- What an account was worth when a day of the market's clock (UTC) had ended. Written by the shell
-- (server/snapshots.py), a row an account and day; what is missing was not running then.
CREATE TABLE portfolio_snapshots (
    account_id     BIGINT NOT NULL,
    day            DATE NOT NULL,                 -- the day that had ended
    cash_e4        BIGINT NOT NULL,
    holdings_e4    NUMERIC(30) NOT NULL,          -- at the last prices; beyond a BIGINT in theory
    contributed_e4 BIGINT NOT NULL,               -- deposits less withdrawals, and the cost of units brought in
    taken_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_id, day)
);
CREATE INDEX portfolio_snapshots_day ON portfolio_snapshots (day);

CREATE TABLE user_preferences (
    user_id     BIGINT PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    preferences JSONB NOT NULL,                   -- handlers/preferences.py has its type
    updated_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);
