"""The queries of users, sessions, refresh tokens, the outbox and settled withdrawals. Parameters stand above each."""

from __future__ import annotations

from typing import Final

# email, password hash, full name, phone, roles, email verified, KYC status, KYC tier
INSERT_USER: Final = """
INSERT INTO users (email, password_hash, full_name, phone, roles, email_verified, kyc_status, kyc_tier)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING user_id
"""

# kind, user id, body (JSON text)
INSERT_OUTBOX: Final = """
INSERT INTO outbox (kind, user_id, body) VALUES ($1, $2, $3::jsonb) RETURNING outbox_id
"""

# e-mail address
USER_FOR_LOGIN: Final = """
SELECT user_id, password_hash, roles, premium FROM users WHERE lower(email) = lower($1)
"""

# user id
USER_PROFILE: Final = """
SELECT user_id, email, full_name, phone, roles, email_verified, kyc_status, kyc_tier, created_at, last_login_at
FROM users WHERE user_id = $1
"""

# user id, address, user agent
INSERT_SESSION: Final = """
INSERT INTO sessions (user_id, address, user_agent) VALUES ($1, $2, $3) RETURNING session_id
"""

# token hash, session id, seconds to live
INSERT_REFRESH: Final = """
INSERT INTO refresh_tokens (token_hash, session_id, expires_at)
VALUES ($1, $2, now() + make_interval(secs => $3))
"""

# token hash. Exactly one caller gets the row: the token is used from then on.
USE_REFRESH: Final = """
UPDATE refresh_tokens AS token SET used_at = now()
FROM sessions JOIN users USING (user_id)
WHERE token.token_hash = $1 AND token.used_at IS NULL AND token.expires_at > now()
  AND sessions.session_id = token.session_id AND sessions.revoked_at IS NULL
RETURNING token.session_id, user_id, roles, premium
"""

# token hash
SESSION_OF_USED_REFRESH: Final = """
SELECT session_id FROM refresh_tokens WHERE token_hash = $1 AND used_at IS NOT NULL
"""

# session id
TOUCH_SESSION: Final = "UPDATE sessions SET refreshed_at = now() WHERE session_id = $1"

# session id, reason
REVOKE_SESSION: Final = """
UPDATE sessions SET revoked_at = now(), revoke_reason = $2 WHERE session_id = $1 AND revoked_at IS NULL
"""

# seconds that an access token lives: older revocations need not be remembered
REVOKED_SESSIONS: Final = """
SELECT session_id FROM sessions WHERE revoked_at > now() - make_interval(secs => $1)
"""

# how many at most
OPEN_OUTBOX: Final = """
SELECT outbox_id, kind, user_id, body::text AS body FROM outbox WHERE done_at IS NULL ORDER BY outbox_id LIMIT $1
"""

# outbox id, outcome
OUTBOX_DONE: Final = """
UPDATE outbox SET done_at = now(), outcome = $2 WHERE outbox_id = $1 AND done_at IS NULL
"""

# account id, withdrawal id. The ledger's line carries the withdrawal's id as its reference.
WITHDRAWAL: Final = """
SELECT withdrawal_id, amount_e4, withdrawals.status, requested_at, currency, posted.txn_id, posted.balance_after
FROM withdrawals JOIN accounts USING (account_id)
LEFT JOIN LATERAL (
    SELECT txn_id, balance_after FROM postings
    WHERE postings.account_id = $1 AND postings.kind > 0 AND postings.txn_id > $2
      AND postings.reference = $2::BIGINT::TEXT
      AND postings.order_id = 0
    ORDER BY txn_id LIMIT 1
) AS posted ON TRUE
WHERE withdrawals.account_id = $1 AND withdrawal_id = $2
"""

# the highest user id that the engine has an account for
KEEP_USER_IDS_ABOVE: Final = """
SELECT setval(pg_get_serial_sequence('users', 'user_id'), $1)
WHERE $1 > (SELECT coalesce(max(last_value), 0) FROM pg_sequences WHERE sequencename = 'users_user_id_seq')
"""

# e-mail address, roles
SET_ROLES: Final = """
UPDATE users SET roles = $2, roles_changed_at = clock_timestamp() WHERE lower(email) = lower($1) RETURNING user_id
"""

# who has the operators' role
OPERATORS: Final = "SELECT user_id FROM users WHERE 'admin' = ANY (roles)"

# the same by address, with the account's status (1: enabled); locked, so that one at a time is changed
OPERATORS_LOCKED: Final = """
SELECT lower(email) AS email, coalesce((SELECT status FROM accounts WHERE user_id = users.user_id), 1) = 1 AS is_enabled
FROM users WHERE 'admin' = ANY (roles) ORDER BY user_id FOR UPDATE
"""

# later than
ROLES_CHANGED: Final = """
SELECT user_id, roles, premium, roles_changed_at FROM users WHERE roles_changed_at > $1 ORDER BY roles_changed_at
"""

# user id, tier
SET_KYC_TIER: Final = """
UPDATE users SET kyc_tier = $2::SMALLINT, kyc_status = CASE WHEN $2::SMALLINT > 0 THEN 'VERIFIED' ELSE 'PENDING' END WHERE user_id = $1
"""

# users after this id, how many
KYC_TIERS: Final = """
SELECT user_id, kyc_tier FROM users WHERE kyc_tier <> 0 AND user_id > $1 ORDER BY user_id LIMIT $2
"""
