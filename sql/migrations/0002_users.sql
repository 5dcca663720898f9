-- note: users, their sessions and refresh tokens, and the outbox of what crosses into the engine
--
-- Ordinary transactional tables, written by the request that needs them. Ids below 1000 are kept for the system.

CREATE TABLE users (
    user_id        BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1000) PRIMARY KEY,
    email          TEXT NOT NULL,                 -- as it was given; unique without regard to case
    password_hash  TEXT NOT NULL,                 -- bcrypt of the base64 of SHA-256
    full_name      TEXT NOT NULL,
    phone          TEXT,
    roles          TEXT[] NOT NULL DEFAULT '{trader}',
    premium        BOOLEAN NOT NULL DEFAULT FALSE, -- decides the rate limits
    email_verified BOOLEAN NOT NULL DEFAULT FALSE,
    kyc_status     TEXT NOT NULL DEFAULT 'PENDING' CHECK (kyc_status IN ('PENDING', 'VERIFIED', 'REJECTED')),
    kyc_tier       SMALLINT NOT NULL DEFAULT 0,
    created_at     TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_login_at  TIMESTAMPTZ
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

-- A session begins with a login and is the family of all refresh tokens that descend from it.
CREATE TABLE sessions (
    session_id    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id       BIGINT NOT NULL REFERENCES users,
    address       TEXT NOT NULL,
    user_agent    TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    refreshed_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    revoked_at    TIMESTAMPTZ,
    revoke_reason TEXT
);
CREATE INDEX sessions_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- Only the hash is kept. A token that is used a second time revokes its session.
CREATE TABLE refresh_tokens (
    token_hash BYTEA PRIMARY KEY,                 -- SHA-256 of the token
    session_id BIGINT NOT NULL REFERENCES sessions,
    issued_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- What SQL has decided and the engine still has to carry out. The row's id makes the command idempotent.
CREATE TABLE outbox (
    outbox_id  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('OPEN_ACCOUNT')),
    user_id    BIGINT NOT NULL REFERENCES users,
    body       JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    done_at    TIMESTAMPTZ,
    outcome    TEXT
);
CREATE INDEX outbox_open ON outbox (outbox_id) WHERE done_at IS NULL;
