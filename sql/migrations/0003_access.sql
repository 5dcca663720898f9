-- note: API keys and password resets, both kept as hashes
--
-- Ordinary transactional tables, like those of 0002.

CREATE TABLE api_keys (
    key_id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users,
    name         TEXT NOT NULL,
    key_hash     BYTEA NOT NULL UNIQUE,           -- SHA-256 of the key, which is 256 random bits
    hint         TEXT NOT NULL,                   -- its last characters, for people to tell keys apart
    scopes       TEXT[] NOT NULL CHECK (scopes <@ '{read,trade,withdraw}' AND cardinality(scopes) > 0),
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX api_keys_live ON api_keys (user_id) WHERE revoked_at IS NULL;

-- A token is good once. A new one takes the place of those before it.
CREATE TABLE password_resets (
    token_hash BYTEA PRIMARY KEY,                 -- SHA-256 of the token
    user_id    BIGINT NOT NULL REFERENCES users,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ
);
CREATE INDEX password_resets_user ON password_resets (user_id);

-- Refresh tokens and resets that are long over are deleted by their time.
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
