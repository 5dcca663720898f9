-- note: idempotency keys of what operators propose and decide, which is ordinary SQL; the engine keeps those of commands
--
-- Written in the transaction of a proposal, so that there is one of them or neither.

CREATE TABLE desk_keys (
    user_id BIGINT NOT NULL,
    key     TEXT NOT NULL,
    digest  BYTEA NOT NULL,                       -- of what was asked for, decoded
    status  SMALLINT NOT NULL,                    -- the answer's
    answer  BYTEA NOT NULL,                       -- its body
    at      TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX desk_keys_at ON desk_keys (at);      -- the old ones are deleted by their time
