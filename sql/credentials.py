"""The queries of sessions' lists, passwords and API keys. Each that is about somebody's own has the owner as a parameter."""

from __future__ import annotations

from typing import Final

# user id
SESSIONS_OF: Final = """
SELECT session_id, address, user_agent, created_at, refreshed_at FROM sessions
WHERE user_id = $1 AND revoked_at IS NULL AND EXISTS (
    SELECT FROM refresh_tokens AS token
    WHERE token.session_id = sessions.session_id AND token.used_at IS NULL AND token.expires_at > now()
)
ORDER BY session_id DESC LIMIT 500
"""

# session id, user id, reason
REVOKE_SESSION_OF: Final = """
UPDATE sessions SET revoked_at = now(), revoke_reason = $3
WHERE session_id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING session_id
"""

# user id, reason, the session that is spared, not later than (seconds since the epoch)
REVOKE_SESSIONS_OF: Final = """
UPDATE sessions SET revoked_at = now(), revoke_reason = $2
WHERE user_id = $1 AND session_id <> $3 AND revoked_at IS NULL AND created_at <= to_timestamp($4)
RETURNING session_id
"""

# user id
CREDENTIAL_OF: Final = "SELECT email, password_hash FROM users WHERE user_id = $1"

# user id
EMAIL_OF: Final = "SELECT email FROM users WHERE user_id = $1"

# user id, new hash, old hash
REPLACE_HASH: Final = """
UPDATE users SET password_hash = $2 WHERE user_id = $1 AND password_hash = $3 RETURNING user_id
"""

# user id, new hash
STORE_HASH: Final = "UPDATE users SET password_hash = $2 WHERE user_id = $1"

# user id, old hash. The row stays locked, so a change of the password comes before this login or after it.
LOGIN_WITH: Final = """
UPDATE users SET last_login_at = now() WHERE user_id = $1 AND password_hash = $2 RETURNING user_id
"""

# token hash, user id, seconds to live
INSERT_RESET: Final = """
INSERT INTO password_resets (token_hash, user_id, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))
"""

# user id: those before the newest are good no more
FORGET_RESETS: Final = "UPDATE password_resets SET used_at = now() WHERE user_id = $1 AND used_at IS NULL"

# token hash
RESET_OWNER: Final = """
SELECT user_id, email FROM password_resets JOIN users USING (user_id)
WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
"""

# token hash. Exactly one caller gets the row.
USE_RESET: Final = """
UPDATE password_resets SET used_at = now()
WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now() RETURNING user_id
"""

# user id, name, hash, hint, scopes, expires at, how many live ones there may be before this one
INSERT_API_KEY: Final = """
INSERT INTO api_keys (user_id, name, key_hash, hint, scopes, expires_at)
SELECT $1, $2, $3, $4, $5, $6
WHERE $7 > (
    SELECT count(*) FROM api_keys
    WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
)
RETURNING key_id, created_at
"""

# user id: keys of one user are made one after the other
LOCK_USER: Final = "SELECT roles, premium FROM users WHERE user_id = $1 FOR UPDATE"

LIVE_API_KEYS: Final = """
SELECT key_id, user_id, key_hash, name, hint, scopes, api_keys.created_at, expires_at, last_used_at, roles, premium
FROM api_keys JOIN users USING (user_id)
WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) ORDER BY key_id
"""

# key id, user id
REVOKE_API_KEY: Final = """
UPDATE api_keys SET revoked_at = now() WHERE key_id = $1 AND user_id = $2 AND revoked_at IS NULL
"""

# key ids, times
TOUCH_API_KEYS: Final = """
UPDATE api_keys SET last_used_at = used.at
FROM unnest($1::BIGINT[], $2::TIMESTAMPTZ[]) AS used (key_id, at) WHERE api_keys.key_id = used.key_id
"""

# What is over and cannot even be reused to any effect is not kept for ever.
TIDY: Final = (
    "DELETE FROM refresh_tokens WHERE expires_at < now() - interval '7 days'",
    "DELETE FROM password_resets WHERE expires_at < now() - interval '7 days'",
)
